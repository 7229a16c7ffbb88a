//! Requests: from the caller's thread to the one callback that answers, or to [`send`](super::send), which hands them to several receivers
//! and to queues.
//!
//! The way of a request to one callback is that of an [event](super::trigger): what is rarer is in functions of its own.

use std::hint::cold_path;

use std::sync::Arc;

use super::answer::Given;
use super::bus::MessageBus;
use super::current::{self, Own};
use super::dispatcher::{Core, callback};
use super::error::BusError;
use super::message::{Body, Message};
use super::observe::send_nowhere;
use super::presence::Record;
use super::registration::check_types;
use super::reply::Replies;
use super::report::Failure;
use super::route::{Route, Slice, without_answer};
use super::snapshot::Key;
use super::{EndpointId, Entity, MessageDescriptor, MessageKind, RequestId};

impl MessageBus {
    /// Sends a request to `endpoint`. One answer comes from each dispatcher that gets it.
    ///
    /// # Errors
    /// [`BusError::NoReceiver`] if nobody does; otherwise as [`trigger_event`](Self::trigger_event).
    #[doc = include_str!("doc/send_request.md")]
    pub fn send_request<P: Send + Sync + 'static, R: Send + 'static>(
        &self,
        request: RequestId<P, R>,
        endpoint: EndpointId,
        payload: P,
    ) -> Result<Replies<R>, BusError> {
        self.request(request, &endpoint, true, None, payload)
    }

    /// As [`send_request`](Self::send_request), about an entity.
    ///
    /// # Errors
    /// The same.
    #[doc = include_str!("doc/send_request_for.md")]
    pub fn send_request_for<P: Send + Sync + 'static, R: Send + 'static>(
        &self,
        request: RequestId<P, R>,
        endpoint: EndpointId,
        entity: &Entity,
        payload: P,
    ) -> Result<Replies<R>, BusError> {
        self.request(request, &endpoint, true, Some(entity), payload)
    }

    /// As [`send_request`](Self::send_request), but nobody need answer: then there are no replies.
    ///
    /// # Errors
    /// As [`trigger_event`](Self::trigger_event).
    #[doc = include_str!("doc/send_request_optional.md")]
    pub fn send_request_optional<P: Send + Sync + 'static, R: Send + 'static>(
        &self,
        request: RequestId<P, R>,
        endpoint: EndpointId,
        entity: Option<&Entity>,
        payload: P,
    ) -> Result<Replies<R>, BusError> {
        self.request(request, &endpoint, false, entity, payload)
    }

    /// `needed`: it is an error if nobody gets it.
    #[inline]
    fn request<P: Send + Sync + 'static, R: Send + 'static>(
        &self,
        request: RequestId<P, R>,
        endpoint: &EndpointId,
        needed: bool,
        entity: Option<&Entity>,
        payload: P,
    ) -> Result<Replies<R>, BusError> {
        let own = current::own();
        let Some(mut kept) = own.kept.of(self.number(), self.activity()) else {
            cold_path();
            return self.request_loading(own, request, endpoint, needed, entity, payload);
        };
        let Some((route, calm)) = kept.find(request.name(), endpoint.name()) else {
            cold_path();
            drop(kept);
            return self.request_loading(own, request, endpoint, needed, entity, payload);
        };
        let Some(receivers) = route.typed::<P, R>() else {
            cold_path();
            return self.request_nowhere(route, request, needed, entity);
        };
        let slice = receivers.of(entity);
        let (Some(only), Some(entry)) = (&slice.only, slice.entries.first()) else {
            cold_path();
            return self.request_of(own.record, route, slice, needed, entity, payload);
        };
        // Whoever waits is told at the end of `kept`.
        let Some(stay) = own.record.stay(route.place, self.activity(), slice.first) else {
            cold_path();
            return Err(self.too_deep(route, entity));
        };
        let message = Message {
            origin: route.origin,
            entity: entity.cloned(),
            body: Body::Inline(payload),
        };
        let outcome = callback::call_only(only, slice, calm, &message, &stay, self);
        message.end();
        // Made where it is returned: it is as large as copying it is dear.
        Ok(Replies::ready(given(&entry.core, outcome)))
    }

    /// For a thread that keeps no snapshot of this bus, or is using it.
    #[inline(never)]
    fn request_loading<P: Send + Sync + 'static, R: Send + 'static>(
        &self,
        own: Own,
        request: RequestId<P, R>,
        endpoint: &EndpointId,
        needed: bool,
        entity: Option<&Entity>,
        payload: P,
    ) -> Result<Replies<R>, BusError> {
        let snapshot = self.load(own);
        let found;
        let key = Key::new(request.name(), endpoint.name());
        let route = if let Some(route) = snapshot.table.find(key) {
            route
        } else {
            let descriptor = request.descriptor();
            found = self
                .find_slowly(&descriptor, *endpoint)
                .map_err(|error| self.refuse(&descriptor, Some(*endpoint), entity, error))?;
            &found.0
        };
        match route.typed::<P, R>() {
            Some(receivers) => self.request_of(
                own.record,
                route,
                receivers.of(entity),
                needed,
                entity,
                payload,
            ),
            None => self.request_nowhere(route, request, needed, entity),
        }
    }

    /// Nobody is registered for the request, or not with these types.
    #[inline(never)]
    fn request_nowhere<P: Send + Sync + 'static, R: Send + 'static>(
        &self,
        route: &Route,
        request: RequestId<P, R>,
        needed: bool,
        entity: Option<&Entity>,
    ) -> Result<Replies<R>, BusError> {
        let descriptor = request.descriptor();
        check_types(&route.descriptor, &descriptor)
            .map_err(|error| self.refuse(&descriptor, Some(route.endpoint), entity, error))?;
        send_nowhere(route.tap.as_ref(), self, route.origin, entity);
        nobody(route, needed, entity)
    }

    /// To all receivers, however many there are.
    #[inline(never)]
    fn request_of<P: Send + Sync + 'static, R: Send + 'static>(
        &self,
        record: &Record,
        route: &Route,
        slice: &Slice<P, R>,
        needed: bool,
        entity: Option<&Entity>,
        payload: P,
    ) -> Result<Replies<R>, BusError> {
        if slice.entries.is_empty() {
            send_nowhere(route.tap.as_ref(), self, route.origin, entity);
            return nobody(route, needed, entity);
        }
        let presence = self.enter(record, route, entity)?;
        let message = Message {
            origin: route.origin,
            entity: entity.cloned(),
            body: Body::Inline(payload),
        };
        if let ([entry], Some(only)) = (&*slice.entries, &slice.only) {
            let outcome = callback::announce_and_call(only, &entry.core, &message, &presence, self);
            return Ok(Replies::ready(given(&entry.core, outcome)));
        }
        Ok(self.ask(
            route.tap.as_ref(),
            record,
            &presence,
            (&*slice.entries, slice.teams()),
            slice.differs,
            message,
        ))
    }
}

#[cold]
pub(super) fn no_receiver(
    descriptor: &MessageDescriptor,
    endpoint: Option<EndpointId>,
    entity: Option<&Entity>,
) -> BusError {
    debug_assert_eq!(descriptor.kind, MessageKind::Request, "events need nobody");
    BusError::NoReceiver {
        message: descriptor.name,
        endpoint: endpoint.map(|endpoint| endpoint.name()),
        entity: entity.cloned(),
    }
}

/// What the one handler has led to; none if its dispatcher was destroyed.
#[inline]
fn given<R>(core: &Core, outcome: Option<Result<R, Failure>>) -> Given<R> {
    let handler = Arc::clone(&core.name);
    let answer = match outcome {
        Some(Ok(value)) => Ok(value),
        other => {
            cold_path();
            Err(Box::new(without_answer(core, other.and_then(Result::err))))
        }
    };
    Given { handler, answer }
}

#[cold]
fn nobody<R: Send + 'static>(
    route: &Route,
    needed: bool,
    entity: Option<&Entity>,
) -> Result<Replies<R>, BusError> {
    if needed {
        return Err(no_receiver(&route.descriptor, Some(route.endpoint), entity));
    }
    Ok(Replies::none())
}
