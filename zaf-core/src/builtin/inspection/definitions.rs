//! What is defined on the bus if a command runs, from the declarations of the extensions that take part.
//!
//! What the application and running extensions define without declaring it comes from the bus of the command that asks.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Inspection;
use super::listeners::dispatchers;
use crate::message::{
    APPLICATION_ENDPOINT, EndpointId, MessageBus, MessageDescriptor, MessageKind,
};

/// Who defines an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct DefinedBy {
    /// Name of the extension; none for the application, and for what an extension defines at run time.
    pub(super) extension: Option<&'static str>,
    #[serde(rename = "crate")]
    pub(super) krate: Option<&'static str>,
    pub(super) file: Option<&'static str>,
    pub(super) line: Option<u32>,
}

/// An endpoint with its messages.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) id: EndpointId,
    /// More than one only if commands define the same one, each for itself.
    pub(super) defined_by: Vec<DefinedBy>,
    pub(super) messages: BTreeMap<&'static str, MessageDescriptor>,
}

/// All endpoints, sorted by name.
pub(super) fn endpoints(inspection: &Inspection, bus: &MessageBus) -> Vec<Endpoint> {
    let mut found: BTreeMap<&'static str, Endpoint> = BTreeMap::new();
    let mut add = |id: EndpointId, by: DefinedBy, messages: &[MessageDescriptor]| {
        let endpoint = found.entry(id.name()).or_insert_with(|| Endpoint {
            id,
            defined_by: Vec::new(),
            messages: BTreeMap::new(),
        });
        if !endpoint.defined_by.contains(&by) {
            endpoint.defined_by.push(by);
        }
        for message in messages {
            let known = endpoint.messages.entry(message.name).or_insert(*message);
            // A message is portable as soon as one of its declarations says so.
            known.codec = known.codec.or(message.codec);
        }
    };
    for entry in inspection.taking_part() {
        let extension = &entry.descriptor;
        let by = DefinedBy {
            extension: Some(extension.name),
            krate: Some(extension.krate),
            file: Some(extension.file),
            line: Some(extension.line),
        };
        for (endpoint, messages) in extension.endpoints_and_messages {
            add(*endpoint, by.clone(), messages);
        }
    }
    let is_declared = |name: &str| {
        inspection.catalog.extensions().iter().any(|entry| {
            let own = entry.descriptor.endpoints_and_messages;
            own.iter().any(|(endpoint, _)| endpoint.name() == name)
        })
    };
    for (endpoint, messages) in bus.endpoints() {
        if !is_declared(endpoint.name()) {
            let by = DefinedBy {
                extension: None,
                krate: None,
                file: None,
                line: None,
            };
            add(endpoint, by, &messages);
        }
    }
    found.into_values().collect()
}

/// A message with the names of its endpoints.
#[derive(Debug)]
pub(super) struct DefinedMessage {
    pub(super) descriptor: MessageDescriptor,
    /// Sorted; empty if somebody listens to it but nobody defines it.
    pub(super) endpoints: Vec<&'static str>,
}

/// All messages that are defined or listened to, sorted by name.
pub(super) fn messages(inspection: &Inspection, bus: &MessageBus) -> Vec<DefinedMessage> {
    let mut found: BTreeMap<&'static str, DefinedMessage> = BTreeMap::new();
    let mut add = |message: &MessageDescriptor, endpoint: Option<&'static str>| {
        let defined = found.entry(message.name).or_insert_with(|| DefinedMessage {
            descriptor: *message,
            endpoints: Vec::new(),
        });
        defined.descriptor.codec = defined.descriptor.codec.or(message.codec);
        defined.endpoints.extend(endpoint);
    };
    for endpoint in endpoints(inspection, bus) {
        for message in endpoint.messages.values() {
            add(message, Some(endpoint.id.name()));
        }
    }
    for (_, _, dispatcher, _) in dispatchers(inspection) {
        for message in dispatcher.messages {
            add(message, None);
        }
    }
    found.into_values().collect()
}

impl Endpoint {
    /// Names of who defines it.
    pub(super) fn definers(&self) -> String {
        let name = |by: &DefinedBy| match by.extension {
            Some(extension) => extension,
            None if self.id == APPLICATION_ENDPOINT => "the application",
            None => "at run time",
        };
        let names: Vec<&str> = self.defined_by.iter().map(name).collect();
        names.join(", ")
    }
}

/// "event" or "request".
pub(super) fn kind(message: &MessageDescriptor) -> &'static str {
    match message.kind {
        MessageKind::Event => "event",
        MessageKind::Request => "request",
    }
}

/// Names of the formats that the message can be written in; none if it is not portable.
pub(super) fn formats(message: &MessageDescriptor) -> Vec<&'static str> {
    let formats = message.codec.map_or(&[][..], |codec| codec.formats());
    formats.iter().map(|format| format.name()).collect()
}
