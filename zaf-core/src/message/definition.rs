//! What has been defined: endpoints, and messages with the endpoints that have them.

use std::sync::Arc;

use super::activity::Busy;
use super::dispatcher::Core;
use super::dispatcher::worker::Intake;
use super::presence::Place;
use super::route::AnyHandler;
use super::{EndpointId, MessageDescriptor};

pub(super) struct EndpointDefinition {
    pub(super) id: EndpointId,
    pub(super) number: u32,
    pub(super) busy: Arc<Busy>,
}

impl EndpointDefinition {
    /// Where a message of this number is handled.
    pub(super) fn place(&self, bus: u32, message: usize) -> Place {
        Place {
            bus,
            endpoint: self.number,
            message: u32::try_from(message).unwrap_or(u32::MAX),
        }
    }

    /// What the queue of `core` is to know of a handler that is registered here; none if it has no queue.
    pub(super) fn intake(
        &self,
        core: &Core,
        handler: &Arc<dyn AnyHandler>,
        place: Place,
    ) -> Option<Arc<Intake>> {
        core.strand.as_ref()?;
        Some(Arc::new(Intake {
            handler: Arc::clone(handler),
            place,
            busy: Arc::clone(&self.busy),
            gone: crate::sync::AtomicBool::new(false),
        }))
    }
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
