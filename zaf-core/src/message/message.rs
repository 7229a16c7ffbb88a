//! One message on its way.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::fmt;
use std::hint::cold_path;
use std::sync::Arc;

use super::portable::Encodings;
use super::{EndpointId, Entity, MessageDescriptor, MessageKind};
use crate::sync::Mutex;

/// What all messages of one route have in common. A message has a pointer to it: a copy would cost as much as the call of
/// its handler.
#[derive(Debug)]
pub(crate) struct Origin {
    pub(crate) descriptor: MessageDescriptor,
    /// None for requests to all endpoints.
    pub(crate) endpoint: Option<EndpointId>,
}

/// Everything that an [`Origin`] shows.
type OriginKey = ([&'static str; 4], [bool; 3], [TypeId; 2]);

/// Grows with what is *defined*, never with what is sent or registered; all buses of the process share it.
static ORIGINS: Mutex<BTreeMap<OriginKey, &'static Origin>> = Mutex::new(BTreeMap::new());

impl Origin {
    /// The one origin of this message at this endpoint. Made when a route is built, so that sending need not.
    pub(crate) fn interned(
        descriptor: MessageDescriptor,
        endpoint: Option<EndpointId>,
    ) -> &'static Self {
        let names = [
            descriptor.name,
            descriptor.description,
            endpoint.map_or("", |endpoint| endpoint.name()),
            endpoint.map_or("", |endpoint| endpoint.description()),
        ];
        let kinds = [
            endpoint.is_some(),
            descriptor.kind == MessageKind::Request,
            descriptor.is_portable(),
        ];
        let types = [(descriptor.payload)(), (descriptor.reply)()];
        let mut origins = ORIGINS.lock();
        origins.entry((names, kinds, types)).or_insert_with(|| {
            Box::leak(Box::new(Self {
                descriptor,
                endpoint,
            }))
        })
    }
}

/// The payload: in place for receivers on the sender's thread, shared as soon as somebody keeps it.
pub(crate) enum Body<P> {
    /// Nobody keeps it.
    Inline(P),
    /// Shared between messages that differ in their entity, and between those who want it encoded.
    Shared(Arc<SharedBody<P>>),
}

/// A payload with the bytes that were made of it.
pub(crate) struct SharedBody<P> {
    payload: P,
    pub(crate) encodings: Encodings,
}

impl<P> SharedBody<P> {
    pub(crate) fn new(payload: P) -> Arc<Self> {
        let encodings = Encodings::default();
        Arc::new(Self { payload, encodings })
    }
}

/// A message as its receivers see it. Immutable.
#[doc = include_str!("doc/message.md")]
pub struct Message<P> {
    pub(crate) origin: &'static Origin,
    pub(crate) entity: Option<Entity>,
    pub(crate) body: Body<P>,
}

impl<P> Message<P> {
    /// Drops it; nearly always there is nothing but the payload.
    #[inline]
    pub(crate) fn end(self) {
        let Self { entity, body, .. } = self;
        if let Some(entity) = entity {
            cold_path();
            drop(entity);
        }
        match body {
            Body::Inline(payload) => drop(payload),
            Body::Shared(shared) => {
                cold_path();
                drop(shared);
            }
        }
    }

    /// Which message it is.
    pub fn id(&self) -> MessageDescriptor {
        self.origin.descriptor
    }

    /// What it carries.
    pub fn data(&self) -> &P {
        match &self.body {
            Body::Inline(payload) => payload,
            Body::Shared(shared) => &shared.payload,
        }
    }

    /// For events the sender; for requests the endpoint that was addressed, none if all were.
    pub fn endpoint(&self) -> Option<EndpointId> {
        self.origin.endpoint
    }

    /// What it is about. For a request that names no entity: the first one that the receiver is registered for.
    pub fn entity(&self) -> Option<&Entity> {
        self.entity.as_ref()
    }
}

impl<P: fmt::Debug> fmt::Debug for Message<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("id", &self.origin.descriptor.name)
            .field("endpoint", &self.origin.endpoint)
            .field("entity", &self.entity)
            .field("data", self.data())
            .finish_non_exhaustive()
    }
}

impl<P> fmt::Display for Message<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.origin.descriptor.name)
    }
}
