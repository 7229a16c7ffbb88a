//! Finds endpoints and messages that are defined more than once. Pure.

use std::collections::BTreeMap;

use super::error::LoadError;
use super::{ExtensionDescriptor, Requester};
use crate::message::MessageDescriptor;

/// Everything that two extensions define and only one may: an endpoint, or a message name with other types. One message at
/// several endpoints is fine.
pub(super) fn conflicts<'a>(
    extensions: impl IntoIterator<Item = &'a ExtensionDescriptor>,
) -> Vec<LoadError> {
    let mut endpoints: BTreeMap<&'static str, Requester> = BTreeMap::new();
    let mut messages: BTreeMap<&'static str, (MessageDescriptor, Requester)> = BTreeMap::new();
    let mut problems = Vec::new();
    for extension in extensions {
        let by = Requester::extension(extension);
        for (endpoint, own) in extension.endpoints_and_messages {
            if let Some(first) = endpoints.get(endpoint.name()) {
                problems.push(LoadError::EndpointTwice {
                    endpoint: endpoint.name(),
                    by: [first.to_string(), by.to_string()],
                });
            } else {
                endpoints.insert(endpoint.name(), by);
            }
            for message in *own {
                let (first, first_by) = messages.entry(message.name).or_insert((*message, by));
                if !same_types(first, message) {
                    problems.push(LoadError::MessageConflict {
                        message: message.name,
                        declared: [format!("{first:?}"), format!("{message:?}")],
                        by: [first_by.to_string(), by.to_string()],
                    });
                }
            }
        }
    }
    problems
}

fn same_types(a: &MessageDescriptor, b: &MessageDescriptor) -> bool {
    a.kind == b.kind && (a.payload)() == (b.payload)() && (a.reply)() == (b.reply)()
}
