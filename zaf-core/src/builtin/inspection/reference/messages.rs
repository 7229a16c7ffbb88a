//! Messages and endpoints.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::super::definitions::{formats, kind};
use super::super::type_name::short;
use super::collect::{Parts, how, link, links, words};
use super::topic::{Item, Topic, TopicKind, code, only, text};
use crate::message::{EndpointId, MessageBus, MessageDescriptor, MessageKind};

/// An endpoint or a message that is defined somewhere.
#[derive(Default)]
pub(super) struct Defined {
    pub(super) endpoints: BTreeMap<&'static str, EndpointId>,
    pub(super) messages: BTreeMap<&'static str, MessageDescriptor>,
    /// Endpoint, message.
    pairs: BTreeSet<(&'static str, &'static str)>,
    /// Endpoint, extension.
    by: BTreeSet<(&'static str, &'static str)>,
}

impl Defined {
    /// The messages of an endpoint, sorted by name.
    pub(super) fn messages_at(&self, endpoint: &str) -> impl Iterator<Item = &MessageDescriptor> {
        let names = self.pairs.iter().filter(move |(one, _)| *one == endpoint);
        names.filter_map(|(_, message)| self.messages.get(message))
    }

    /// The extensions that define an endpoint, sorted.
    pub(super) fn definers(&self, endpoint: &str) -> impl Iterator<Item = &'static str> {
        let by = self.by.iter().filter(move |(one, _)| *one == endpoint);
        by.map(|(_, extension)| *extension)
    }
}

pub(super) fn defined(extensions: &BTreeMap<&'static str, Parts<'_>>, bus: &MessageBus) -> Defined {
    let mut defined = Defined::default();
    let mut add = |endpoint: EndpointId, messages: &[MessageDescriptor]| {
        defined.endpoints.entry(endpoint.name()).or_insert(endpoint);
        for message in messages {
            let known = defined.messages.entry(message.name).or_insert(*message);
            known.codec = known.codec.or(message.codec);
            defined.pairs.insert((endpoint.name(), message.name));
        }
    };
    // First what is declared: what is defined at run time says the same, or is the application's.
    for (name, parts) in extensions {
        for one in &parts.descriptors {
            for (endpoint, messages) in one.endpoints_and_messages {
                add(*endpoint, messages);
                defined.by.insert((endpoint.name(), name));
            }
        }
    }
    for (endpoint, messages) in bus.endpoints() {
        add(endpoint, &messages);
    }
    let heard = extensions.values().flat_map(|parts| &parts.dispatchers);
    for message in heard.flat_map(|dispatcher| dispatcher.messages) {
        defined.messages.entry(message.name).or_insert(*message);
    }
    defined
}

/// Who hears a message first: the higher priority, then the smaller name of extension and handler.
type Order<'a> = (Reverse<i32>, &'a str, &'a str);

pub(super) fn of_message(
    message: &MessageDescriptor,
    defined: &Defined,
    extensions: &BTreeMap<&'static str, Parts<'_>>,
) -> Topic {
    let mut topic = Topic::new(TopicKind::Message, message.name, message.description);
    topic.fact("kind", [only(text(kind(message)))]);
    topic.fact("payload", [only(code(short((message.payload_name)())))]);
    if message.kind == MessageKind::Request {
        topic.fact("reply", [only(code(short((message.reply_name)())))]);
    }
    topic.fact("portable as", [words(formats(message))]);
    let at = defined
        .pairs
        .iter()
        .filter(|(_, name)| *name == message.name);
    let at = at.map(|(endpoint, _)| *endpoint);
    topic.fact("endpoints", [links(TopicKind::Endpoint, at)]);
    let mut listeners: Vec<(Order<'_>, Item)> = Vec::new();
    for (name, parts) in extensions {
        for dispatcher in &parts.dispatchers {
            if dispatcher
                .messages
                .iter()
                .any(|one| one.name == message.name)
            {
                let order = (Reverse(dispatcher.priority), *name, dispatcher.handler);
                let item = vec![
                    link(TopicKind::Extension, name),
                    text(" by "),
                    code(dispatcher.handler),
                    text(format!(", {}", how(dispatcher))),
                ];
                listeners.push((order, item));
            }
        }
    }
    listeners.sort_by_key(|(order, _)| *order);
    topic.fact("heard by", listeners.into_iter().map(|(_, item)| item));
    topic
}

pub(super) fn of_endpoint(endpoint: EndpointId, defined: &Defined) -> Topic {
    let name = endpoint.name();
    let mut topic = Topic::new(TopicKind::Endpoint, name, endpoint.description());
    let by = defined.by.iter().filter(|(one, _)| *one == name);
    let by: Vec<&str> = by.map(|(_, extension)| *extension).collect();
    topic.fact(
        "defined by",
        [match by.as_slice() {
            [] => only(text("the application")),
            extensions => links(TopicKind::Extension, extensions.iter().copied()),
        }],
    );
    let messages = defined.pairs.iter().filter(|(one, _)| *one == name);
    let messages = messages.map(|(_, message)| only(link(TopicKind::Message, message)));
    topic.fact("messages", messages);
    topic
}
