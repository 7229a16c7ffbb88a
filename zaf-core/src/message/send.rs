//! Sending: events and requests, from the caller's thread to handlers and queues.
//!
//! The way of an event to callbacks takes no lock and allocates nothing: load the snapshot, find the route by the addresses
//! of the names, check the type of the payload once, open a frame in this thread's record, call one handler after the
//! other. A payload is put into an [`Arc`] only if somebody keeps it.

use std::sync::Arc;

use super::bus::MessageBus;
use super::current;
use super::dispatcher::{Core, callback};
use super::error::{BusError, ReplyError};
use super::failure::callback_failed;
use super::message::{Body, Message, SharedBody};
use super::observe::{Sending, Tap, send_nowhere};
use super::presence::{Presence, Record};
use super::registration::check_types;
use super::reply::{Replier, Replies, Reply, SharedReplies};
use super::report::{DispatchReport, Failure, Problems};
use super::route::{Entry, Route, Slice, failed_reply};
use super::{EndpointId, Entity, EventId, MessageDescriptor, MessageKind, RequestId};
use crate::sync::MAX_DEPTH;

impl MessageBus {
    /// Triggers an event of `endpoint`. Callback handlers have run when this returns, queued ones have the message.
    ///
    /// The report says who failed or had no room; failures are logged, counted and triggered as [`HANDLER_FAILED`](super::HANDLER_FAILED) whether
    /// or not somebody reads it.
    ///
    /// # Errors
    /// [`BusError::NoSuchEndpoint`], [`BusError::NoSuchMessage`], [`BusError::NotDefinedAt`], [`BusError::TypeMismatch`],
    /// [`BusError::RecursionLimit`], [`BusError::Closed`]; then nobody got it.
    #[doc = include_str!("doc/trigger_event.md")]
    pub fn trigger_event<P: Send + Sync + 'static>(
        &self,
        event: EventId<P>,
        endpoint: EndpointId,
        payload: P,
    ) -> Result<DispatchReport, BusError> {
        self.trigger(event, endpoint, None, payload)
    }

    /// As [`trigger_event`](Self::trigger_event), about an entity.
    ///
    /// # Errors
    /// The same.
    #[doc = include_str!("doc/trigger_event_for.md")]
    pub fn trigger_event_for<P: Send + Sync + 'static>(
        &self,
        event: EventId<P>,
        endpoint: EndpointId,
        entity: &Entity,
        payload: P,
    ) -> Result<DispatchReport, BusError> {
        self.trigger(event, endpoint, Some(entity), payload)
    }

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
        let descriptor = request.descriptor();
        self.ask_endpoint(&descriptor, endpoint, None, payload)?
            .ok_or_else(|| no_receiver(&descriptor, Some(endpoint), None))
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
        let descriptor = request.descriptor();
        self.ask_endpoint(&descriptor, endpoint, Some(entity), payload)?
            .ok_or_else(|| no_receiver(&descriptor, Some(endpoint), Some(entity)))
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
        let replies = self.ask_endpoint(&request.descriptor(), endpoint, entity, payload)?;
        Ok(replies.unwrap_or_else(Replies::none))
    }

    /// Sends a request to all endpoints that define it. A dispatcher that listens at several answers once.
    ///
    /// # Errors
    /// As [`send_request`](Self::send_request).
    #[doc = include_str!("doc/send_request_everywhere.md")]
    pub fn send_request_everywhere<P: Send + Sync + 'static, R: Send + 'static>(
        &self,
        request: RequestId<P, R>,
        entity: Option<&Entity>,
        payload: P,
    ) -> Result<Replies<R>, BusError> {
        let descriptor = request.descriptor();
        let snapshot = self.current_snapshot();
        let mut receivers: Vec<(&Entry<P, R>, &Route)> = Vec::new();
        let mut is_defined = false;
        for route in snapshot.routes_of(descriptor.name) {
            is_defined = true;
            check_types(&route.descriptor, &descriptor)?;
            if let Some(typed) = route.typed::<P, R>() {
                let entries = typed.of(entity).entries.iter();
                receivers.extend(entries.map(|entry| (entry, &**route)));
            }
        }
        if !is_defined {
            return Err(self.explain(&descriptor, None));
        }
        receivers.sort_by_key(|(entry, _)| (std::cmp::Reverse(entry.priority), entry.sequence));
        let mut seen = std::collections::BTreeSet::new();
        receivers.retain(|(entry, _)| seen.insert(entry.core.number));
        let Some(&(_, first)) = receivers.first() else {
            return Err(no_receiver(&descriptor, None, entity));
        };
        let record = current::record();
        let presence = self.enter(record, first)?;
        let message = Message {
            origin: first.everywhere,
            entity: entity.cloned(),
            body: Body::Inline(payload),
        };
        let differs = receivers.iter().any(|(entry, _)| entry.wants_shared());
        let receivers = receivers.iter().copied();
        Ok(self.ask(
            first.tap.as_ref(),
            record,
            &presence,
            receivers,
            differs,
            message,
        ))
    }

    fn trigger<P: Send + Sync + 'static>(
        &self,
        event: EventId<P>,
        endpoint: EndpointId,
        entity: Option<&Entity>,
        payload: P,
    ) -> Result<DispatchReport, BusError> {
        let snapshot = self.inner.snapshot.load();
        let found;
        let (route, calm) = if let Some(route) = snapshot.find(event.name(), endpoint) {
            (route, snapshot.calm)
        } else {
            found = self.find_slowly(&event.descriptor(), endpoint)?;
            (&*found.0, found.1)
        };
        let Some(receivers) = route.typed::<P, ()>() else {
            check_types(&route.descriptor, &event.descriptor())?;
            send_nowhere(route.tap.as_ref(), self, route.origin, entity);
            return Ok(DispatchReport::default());
        };
        let slice = receivers.of(entity);
        let record = current::record();
        let presence = self.enter(record, route)?;
        let message = Message {
            origin: route.origin,
            entity: entity.cloned(),
            body: Body::Inline(payload),
        };
        let mut problems = Problems::default();
        let delivered = if slice.keeps {
            let message = Arc::new(message);
            self.hand_over(record, &presence, route, slice, message, &mut problems)
        } else {
            self.call_all(&presence, slice, calm, &message, &mut problems)
        };
        Ok(DispatchReport::new(delivered, problems))
    }

    #[inline]
    fn enter<'a>(&'a self, record: &'a Record, route: &Route) -> Result<Presence<'a>, BusError> {
        record
            .enter(route.place, self.activity())
            .ok_or_else(|| too_deep(route))
    }

    /// Calls handlers none of which keeps the message.
    #[inline]
    fn call_all<P: Send + Sync + 'static>(
        &self,
        presence: &Presence<'_>,
        slice: &Slice<P, ()>,
        calm: u64,
        message: &Message<P>,
        problems: &mut Problems,
    ) -> usize {
        let failed = |core: &Core, failure| callback_failed(problems, core, message, failure);
        let delivered = callback::call_each(slice, calm, message, presence, self, failed);
        if delivered < slice.direct.len() {
            self.announce_failures(problems, message);
        }
        delivered
    }

    /// Calls handlers and fills queues, in order of priority. Never inlined: the way of an event to callbacks stays small.
    #[inline(never)]
    fn hand_over<P: Send + Sync + 'static>(
        &self,
        record: &Record,
        presence: &Presence<'_>,
        route: &Route,
        slice: &Slice<P, ()>,
        message: Arc<Message<P>>,
        problems: &mut Problems,
    ) -> usize {
        let seen = Sending::open(route.tap.as_ref(), self, record, &message);
        let seen = seen.as_deref();
        if let [entry] = &*slice.entries
            && entry.core.strand.is_some()
        {
            // The queue is the only holder: the sender's hand would be one more that counts references.
            let outcome = self.put(seen, record, route, entry, message, None);
            return problems.add_outcome(&entry.core.name, outcome);
        }
        let message = if slice.differs {
            // Nobody else has it yet.
            Arc::try_unwrap(message).map_or_else(|kept| kept, |own| Arc::new(with_shared_body(own)))
        } else {
            message
        };
        let mut delivered = 0;
        for entry in &slice.entries {
            if entry.core.strand.is_none() {
                match self.call(seen, entry, &message, presence) {
                    Some(Ok(_)) => delivered += 1,
                    Some(Err(failure)) => {
                        callback_failed(problems, &entry.core, &message, failure);
                    }
                    None => {}
                }
                continue;
            }
            let outcome = self.put(seen, record, route, entry, Arc::clone(&message), None);
            delivered += problems.add_outcome(&entry.core.name, outcome);
        }
        if !problems.failed().is_empty() {
            self.announce_failures(problems, &message);
        }
        delivered
    }

    fn ask_endpoint<P: Send + Sync + 'static, R: Send + 'static>(
        &self,
        descriptor: &MessageDescriptor,
        endpoint: EndpointId,
        entity: Option<&Entity>,
        payload: P,
    ) -> Result<Option<Replies<R>>, BusError> {
        let snapshot = self.inner.snapshot.load();
        let found;
        let route = if let Some(route) = snapshot.find(descriptor.name, endpoint) {
            route
        } else {
            found = self.find_slowly(descriptor, endpoint)?;
            &*found.0
        };
        let Some(receivers) = route.typed::<P, R>() else {
            check_types(&route.descriptor, descriptor)?;
            send_nowhere(route.tap.as_ref(), self, route.origin, entity);
            return Ok(None);
        };
        let slice = receivers.of(entity);
        if slice.entries.is_empty() {
            send_nowhere(route.tap.as_ref(), self, route.origin, entity);
            return Ok(None);
        }
        let record = current::record();
        let presence = self.enter(record, route)?;
        let message = Message {
            origin: route.origin,
            entity: entity.cloned(),
            body: Body::Inline(payload),
        };
        if let ([entry], [one]) = (&*slice.entries, &*slice.direct)
            && !slice.differs
        {
            let core = &entry.core;
            let outcome = callback::call(core, &*one.call, &message, &presence, self);
            return Ok(Some(Replies::ready(reply(core, outcome))));
        }
        let receivers = slice.entries.iter().map(|entry| (entry, route));
        Ok(Some(self.ask(
            route.tap.as_ref(),
            record,
            &presence,
            receivers,
            slice.differs,
            message,
        )))
    }

    /// Hands a request to several receivers, or to queues.
    fn ask<'a, P: Send + Sync + 'static, R: Send + 'static>(
        &self,
        tap: Option<&Arc<Tap>>,
        record: &Record,
        presence: &Presence<'_>,
        receivers: impl ExactSizeIterator<Item = (&'a Entry<P, R>, &'a Route)>,
        differs: bool,
        message: Message<P>,
    ) -> Replies<R> {
        let size = receivers.len();
        let shared: Arc<SharedReplies<R>> =
            SharedReplies::new(size, Arc::clone(&self.inner.late_replies));
        let mut cores = Vec::with_capacity(size);
        let message = if differs {
            with_shared_body(message)
        } else {
            message
        };
        let message = Arc::new(message);
        let seen = Sending::open(tap, self, record, &message);
        for (index, (entry, route)) in receivers.enumerate() {
            cores.push(Arc::clone(&entry.core));
            let message = seen_by(entry, &message);
            if entry.core.strand.is_none() {
                let outcome = self.call(seen.as_deref(), entry, &message, presence);
                let answer = match outcome {
                    Some(Ok(None)) => Err(ReplyError::Abandoned {
                        handler: Arc::clone(&entry.core.name),
                    }),
                    Some(Ok(Some(value))) => Ok(value),
                    Some(Err(failure)) => reply(&entry.core, Some(Err(failure))).result,
                    None => reply(&entry.core, None).result,
                };
                shared.settle(index, answer);
                continue;
            }
            let handler = Arc::clone(&entry.core.name);
            let reply = Replier::new(Arc::clone(&shared) as _, index, handler);
            // Whatever goes wrong is in the reply.
            let _refused = self.put(seen.as_deref(), record, route, entry, message, Some(reply));
        }
        Replies::pending(shared, cores)
    }

    /// Calls a handler on this thread; none if its dispatcher was destroyed.
    #[inline]
    fn call<P: Send + Sync + 'static, R: Send + 'static>(
        &self,
        seen: Option<&Sending>,
        entry: &Entry<P, R>,
        message: &Arc<Message<P>>,
        presence: &Presence<'_>,
    ) -> Option<Result<Option<R>, Failure>> {
        let call = || callback::keep(entry, message, presence, self);
        match seen {
            None => call(),
            Some(sending) => sending.call(&entry.core, call),
        }
    }

    /// Puts a message into the queue of its receiver.
    #[inline]
    fn put<P: Send + Sync + 'static, R: Send + 'static>(
        &self,
        seen: Option<&Sending>,
        record: &Record,
        route: &Route,
        entry: &Entry<P, R>,
        message: Arc<Message<P>>,
        reply: Option<Replier>,
    ) -> Result<bool, BusError> {
        match seen {
            None => self.enqueue(record, route, entry, message, reply),
            Some(sending) => sending.enqueue(self, record, route, entry, message, reply),
        }
    }
}

fn with_shared_body<P>(message: Message<P>) -> Message<P> {
    let body = match message.body {
        Body::Inline(payload) => Body::Shared(SharedBody::new(payload)),
        Body::Shared(payload) => Body::Shared(payload),
    };
    Message { body, ..message }
}

/// The message as this receiver is to see it.
fn seen_by<P, R>(entry: &Entry<P, R>, message: &Arc<Message<P>>) -> Arc<Message<P>> {
    match (&entry.sees, &message.body) {
        (Some(entity), Body::Shared(payload)) if message.entity.is_none() => Arc::new(Message {
            origin: message.origin,
            entity: Some(entity.clone()),
            body: Body::Shared(Arc::clone(payload)),
        }),
        _ => Arc::clone(message),
    }
}

#[cold]
fn no_receiver(
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

fn reply<R>(core: &Core, outcome: Option<Result<R, Failure>>) -> Reply<R> {
    let handler = Arc::clone(&core.name);
    let result = match outcome {
        Some(Ok(value)) => Ok(value),
        Some(Err(failure)) => {
            core.tally.failed();
            Err(failed_reply(failure, &handler))
        }
        None => Err(ReplyError::Cancelled {
            handler: Arc::clone(&handler),
        }),
    };
    Reply { handler, result }
}

#[cold]
fn too_deep(route: &Route) -> BusError {
    BusError::RecursionLimit {
        message: route.descriptor.name,
        limit: MAX_DEPTH,
    }
}
