//! One message on its way.

use std::fmt;
use std::sync::Arc;

use super::{EndpointId, Entity, MessageDescriptor};

/// The payload: in place for receivers on the sender's thread, shared as soon as somebody keeps it.
pub(crate) enum Body<P> {
    /// Nobody keeps it.
    Inline(P),
    /// Shared between messages that differ in their entity.
    Shared(Arc<P>),
}

/// A message as its receivers see it. Immutable.
pub struct Message<P> {
    pub(crate) descriptor: MessageDescriptor,
    pub(crate) endpoint: Option<EndpointId>,
    pub(crate) entity: Option<Entity>,
    pub(crate) body: Body<P>,
}

impl<P> Message<P> {
    /// Which message it is.
    pub fn id(&self) -> MessageDescriptor {
        self.descriptor
    }

    /// What it carries.
    pub fn data(&self) -> &P {
        match &self.body {
            Body::Inline(payload) => payload,
            Body::Shared(payload) => payload,
        }
    }

    /// For events the sender; for requests the endpoint that was addressed, none if all were.
    pub fn endpoint(&self) -> Option<EndpointId> {
        self.endpoint
    }

    /// What it is about. For a request that names no entity: the first one that the receiver is registered for.
    pub fn entity(&self) -> Option<&Entity> {
        self.entity.as_ref()
    }
}

impl<P: fmt::Debug> fmt::Debug for Message<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("id", &self.descriptor.name)
            .field("endpoint", &self.endpoint)
            .field("entity", &self.entity)
            .field("data", self.data())
            .finish_non_exhaustive()
    }
}

impl<P> fmt::Display for Message<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.descriptor.name)
    }
}
