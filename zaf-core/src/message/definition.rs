//! What has been defined: endpoints, and messages with the endpoints that have them.

use std::sync::Arc;

use super::activity::Busy;
use super::{EndpointId, MessageDescriptor};

pub(super) struct EndpointDefinition {
    pub(super) id: EndpointId,
    pub(super) number: u32,
    pub(super) busy: Arc<Busy>,
}

pub(super) struct MessageDefinition {
    pub(super) descriptor: MessageDescriptor,
    /// In order of definition; not empty.
    pub(super) endpoints: Vec<&'static str>,
}

impl MessageDefinition {
    /// At no endpoint yet.
    pub(super) fn new(descriptor: MessageDescriptor) -> Self {
        Self {
            descriptor,
            endpoints: Vec::new(),
        }
    }

    /// A message is portable as soon as one of its declarations says so, whichever comes first. Returns whether it has become so.
    pub(super) fn learn_codec(&mut self, other: &MessageDescriptor) -> bool {
        let is_new = self.descriptor.codec.is_none() && other.codec.is_some();
        if is_new {
            self.descriptor.codec = other.codec;
        }
        is_new
    }
}
