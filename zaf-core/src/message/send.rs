//! Sending: events and requests, from the caller's thread to handlers and queues.
//!
//! The way of an event to callbacks takes no lock and allocates nothing: load the snapshot, find the route by the addresses
//! of the names, check the type of the payload once, open a frame in this thread's record, call one handler after the
//! other. A payload is put into an [`Arc`] only if somebody keeps it.

use std::sync::Arc;

use tracing::Span;

use super::bus::MessageBus;
use super::current::with_record;
use super::dispatcher::strand::{Queued, Refusal};
use super::dispatcher::worker::{Job, discard};
use super::dispatcher::{Core, callback};
use super::error::{BusError, ReplyError};
use super::message::{Body, Message};
use super::presence::{Presence, Record};
use super::registry::check_types;
use super::reply::{Replier, Replies, Reply, SharedReplies};
use super::report::{
    APPLICATION_ENDPOINT, DispatchReport, Failure, HANDLER_FAILED, HandlerFailed, Undelivered,
};
use super::route::{Entry, Route, Slice, failed_reply};
use super::{EndpointId, Entity, EventId, MessageDescriptor, MessageKind, RequestId};
use crate::sync::MAX_DEPTH;

impl MessageBus {
    /// Triggers an event of `endpoint`. Callback handlers have run when this returns, queued ones have the message.
    ///
    /// The report says who failed or had no room; failures are logged, counted and triggered as [`HANDLER_FAILED`] whether
    /// or not somebody reads it.
    ///
    /// # Errors
    /// [`BusError::NoSuchEndpoint`], [`BusError::NoSuchMessage`], [`BusError::NotDefinedAt`], [`BusError::TypeMismatch`],
    /// [`BusError::RecursionLimit`], [`BusError::Closed`]; then nobody got it.
    pub fn trigger_event<P: Send + Sync + 'static>(
        &self,
        event: EventId<P>,
        endpoint: EndpointId,
        payload: P,
    ) -> Result<DispatchReport, BusError> {
        self.trigger(event.descriptor(), endpoint, None, payload)
    }

    /// As [`trigger_event`](Self::trigger_event), about an entity.
    ///
    /// # Errors
    /// The same.
    pub fn trigger_event_for<P: Send + Sync + 'static>(
        &self,
        event: EventId<P>,
        endpoint: EndpointId,
        entity: &Entity,
        payload: P,
    ) -> Result<DispatchReport, BusError> {
        self.trigger(event.descriptor(), endpoint, Some(entity), payload)
    }

    /// Sends a request to `endpoint`. One answer comes from each dispatcher that gets it.
    ///
    /// # Errors
    /// [`BusError::NoReceiver`] if nobody does; otherwise as [`trigger_event`](Self::trigger_event).
    pub fn send_request<P: Send + Sync + 'static, R: Send + 'static>(
        &self,
        request: RequestId<P, R>,
        endpoint: EndpointId,
        payload: P,
    ) -> Result<Replies<R>, BusError> {
        let descriptor = request.descriptor();
        self.ask_endpoint(&descriptor, endpoint, None, payload)?
            .ok_or(no_receiver(&descriptor, Some(endpoint), None))
    }

    /// As [`send_request`](Self::send_request), about an entity.
    ///
    /// # Errors
    /// The same.
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
    pub fn send_request_everywhere<P: Send + Sync + 'static, R: Send + 'static>(
        &self,
        request: RequestId<P, R>,
        entity: Option<&Entity>,
        payload: P,
    ) -> Result<Replies<R>, BusError> {
        let descriptor = request.descriptor();
        let snapshot = self.inner.snapshot.load();
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
        with_record(|record| {
            let presence = self.enter(record, first)?;
            let message = Message {
                descriptor,
                endpoint: None,
                entity: entity.cloned(),
                body: Body::Inline(payload),
            };
            let differs = receivers.iter().any(|(entry, _)| entry.sees.is_some());
            let receivers = receivers.iter().copied();
            Ok(self.ask(record, &presence, receivers, differs, message))
        })
    }

    fn trigger<P: Send + Sync + 'static>(
        &self,
        descriptor: MessageDescriptor,
        endpoint: EndpointId,
        entity: Option<&Entity>,
        payload: P,
    ) -> Result<DispatchReport, BusError> {
        let snapshot = self.inner.snapshot.load();
        let route = match snapshot.find(&descriptor, endpoint) {
            Some(route) => route,
            None => self.find_slowly(&snapshot, &descriptor, endpoint)?,
        };
        let Some(receivers) = route.typed::<P, ()>() else {
            check_types(&route.descriptor, &descriptor)?;
            return Ok(DispatchReport::default());
        };
        let slice = receivers.of(entity);
        with_record(|record| {
            let presence = self.enter(record, route)?;
            let message = Message {
                descriptor,
                endpoint: Some(route.endpoint),
                entity: entity.cloned(),
                body: Body::Inline(payload),
            };
            Ok(if slice.keeps {
                self.hand_over(record, &presence, route, slice, &Arc::new(message))
            } else {
                self.call_all(&presence, slice, &message)
            })
        })
    }

    #[cold]
    fn find_slowly<'a>(
        &self,
        snapshot: &'a super::snapshot::Snapshot,
        descriptor: &MessageDescriptor,
        endpoint: EndpointId,
    ) -> Result<&'a Route, BusError> {
        match snapshot.find_by_name(descriptor, endpoint) {
            Some(route) => {
                self.learn(descriptor, endpoint);
                Ok(route)
            }
            None => Err(self.explain(descriptor, Some(endpoint))),
        }
    }

    #[inline]
    fn enter<'a>(&'a self, record: &'a Record, route: &Route) -> Result<Presence<'a>, BusError> {
        record
            .enter(route.place, self.activity())
            .ok_or(BusError::RecursionLimit {
                message: route.descriptor.name,
                limit: MAX_DEPTH,
            })
    }

    /// Calls handlers none of which keeps the message.
    #[inline]
    fn call_all<P: Send + Sync + 'static>(
        &self,
        presence: &Presence<'_>,
        slice: &Slice<P, ()>,
        message: &Message<P>,
    ) -> DispatchReport {
        let mut report = DispatchReport::default();
        for entry in &slice.entries {
            match callback::call(entry, message, presence, self) {
                Some(Ok(())) => report.delivered += 1,
                Some(Err(failure)) => {
                    callback_failed(&mut report, &entry.core, message, failure);
                }
                None => {}
            }
        }
        if !report.failed.is_empty() {
            self.announce_failures(&report, message);
        }
        report
    }

    /// Calls handlers and fills queues, in order of priority.
    fn hand_over<P: Send + Sync + 'static>(
        &self,
        record: &Record,
        presence: &Presence<'_>,
        route: &Route,
        slice: &Slice<P, ()>,
        message: &Arc<Message<P>>,
    ) -> DispatchReport {
        let mut report = DispatchReport::default();
        for entry in &slice.entries {
            if entry.core.strand.is_none() {
                match callback::keep(entry, message, presence, self) {
                    Some(Ok(_)) => report.delivered += 1,
                    Some(Err(failure)) => {
                        callback_failed(&mut report, &entry.core, message, failure);
                    }
                    None => {}
                }
                continue;
            }
            match self.enqueue(record, route, entry, Arc::clone(message), None) {
                Ok(true) => report.delivered += 1,
                Ok(false) => {}
                Err(error) => {
                    let handler = Arc::clone(&entry.core.name);
                    let error = error.into();
                    report.refused.push(Undelivered { handler, error });
                }
            }
        }
        if !report.failed.is_empty() {
            self.announce_failures(&report, message);
        }
        report
    }

    /// Puts a message into the queue of its receiver. False if the dispatcher was destroyed.
    fn enqueue<P: Send + Sync + 'static, R: Send + 'static>(
        &self,
        record: &Record,
        route: &Route,
        entry: &Entry<P, R>,
        message: Arc<Message<P>>,
        reply: Option<Replier>,
    ) -> Result<bool, BusError> {
        let core = &entry.core;
        let Some(strand) = &core.strand else {
            return Ok(false);
        };
        let kind = message.descriptor.kind;
        let queued = Queued {
            job: Job {
                handler: entry.any_handler(),
                message,
                place: route.place,
                reply,
                span: Span::current(),
            },
            endpoint: Arc::clone(&route.busy),
        };
        let is_own_worker = core.is_single_worker() && record.runs(core.number);
        match strand.push(queued, core.policy(kind), is_own_worker) {
            Ok(accepted) => {
                core.tally.accepted();
                if accepted.needs_worker {
                    self.inner.pool.submit(Arc::clone(core));
                }
                if let Some(mut job) = accepted.dropped {
                    core.tally.dropped();
                    if let Some(reply) = job.reply.take() {
                        let bound = core.bound();
                        reply.fail(|handler| ReplyError::Rejected { handler, bound });
                    }
                    discard(core, job);
                }
                Ok(true)
            }
            Err((refusal, queued)) => refused(core, refusal, queued.job),
        }
    }

    fn ask_endpoint<P: Send + Sync + 'static, R: Send + 'static>(
        &self,
        descriptor: &MessageDescriptor,
        endpoint: EndpointId,
        entity: Option<&Entity>,
        payload: P,
    ) -> Result<Option<Replies<R>>, BusError> {
        let snapshot = self.inner.snapshot.load();
        let route = match snapshot.find(descriptor, endpoint) {
            Some(route) => route,
            None => self.find_slowly(&snapshot, descriptor, endpoint)?,
        };
        let Some(receivers) = route.typed::<P, R>() else {
            check_types(&route.descriptor, descriptor)?;
            return Ok(None);
        };
        let slice = receivers.of(entity);
        if slice.entries.is_empty() {
            return Ok(None);
        }
        with_record(|record| {
            let presence = self.enter(record, route)?;
            let message = Message {
                descriptor: *descriptor,
                endpoint: Some(route.endpoint),
                entity: entity.cloned(),
                body: Body::Inline(payload),
            };
            if let [entry] = &*slice.entries
                && !slice.keeps
                && !slice.differs
            {
                let outcome = callback::call(entry, &message, &presence, self);
                return Ok(Some(Replies::ready(reply(&entry.core, outcome))));
            }
            let receivers = slice.entries.iter().map(|entry| (entry, route));
            Ok(Some(self.ask(
                record,
                &presence,
                receivers,
                slice.differs,
                message,
            )))
        })
    }

    /// Hands a request to several receivers, or to queues.
    fn ask<'a, P: Send + Sync + 'static, R: Send + 'static>(
        &self,
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
        for (index, (entry, route)) in receivers.enumerate() {
            cores.push(Arc::clone(&entry.core));
            let message = seen_by(entry, &message);
            if entry.core.strand.is_none() {
                let outcome = callback::keep(entry, &message, presence, self);
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
            let _refused = self.enqueue(record, route, entry, message, Some(reply));
        }
        Replies::pending(shared, cores)
    }

    /// Triggers [`HANDLER_FAILED`] for each failure in the report, after all receivers have been called.
    #[cold]
    fn announce_failures<P>(&self, report: &DispatchReport, message: &Message<P>) {
        for failed in &report.failed {
            let panicked = failed.error.downcast_ref::<super::HandlerPanicked>();
            self.announce(message, |message| HandlerFailed {
                handler: Arc::clone(&failed.handler),
                message: message.descriptor.name,
                endpoint: message.endpoint,
                entity: message.entity.clone(),
                error: panicked.map_or_else(
                    || format!("{:#}", failed.error),
                    |panicked| panicked.message.clone(),
                ),
                panicked: panicked.is_some(),
            });
        }
    }

    /// A queued handler of an event failed.
    #[cold]
    pub(super) fn event_failed<P>(&self, core: &Core, message: &Message<P>, failure: &Failure) {
        log_failure(core, message, failure);
        self.announce(message, |message| HandlerFailed {
            handler: Arc::clone(&core.name),
            message: message.descriptor.name,
            endpoint: message.endpoint,
            entity: message.entity.clone(),
            error: failure.text(),
            panicked: matches!(failure, Failure::Panic(_)),
        });
    }

    fn announce<P>(
        &self,
        message: &Message<P>,
        payload: impl FnOnce(&Message<P>) -> HandlerFailed,
    ) {
        if message.descriptor.name == HANDLER_FAILED.name() {
            return;
        }
        let payload = payload(message);
        if let Err(error) = self.trigger_event(HANDLER_FAILED, APPLICATION_ENDPOINT, payload) {
            tracing::debug!("a failure could not be announced: {error}");
        }
    }
}

#[cold]
fn log_failure<P>(core: &Core, message: &Message<P>, failure: &Failure) {
    core.tally.failed();
    let endpoint = message.endpoint.map_or("", |endpoint| endpoint.name());
    let entity = message.entity.as_ref().map_or("", |entity| entity.name());
    let panicked = matches!(failure, Failure::Panic(_));
    tracing::error!(
        handler = %core.name,
        message = message.descriptor.name,
        endpoint,
        entity,
        panicked,
        "handler `{}` of {} failed: {}",
        core.name,
        message.descriptor.name,
        failure.text(),
    );
}

fn with_shared_body<P>(message: Message<P>) -> Message<P> {
    let body = match message.body {
        Body::Inline(payload) => Body::Shared(Arc::new(payload)),
        Body::Shared(payload) => Body::Shared(payload),
    };
    Message { body, ..message }
}

/// The message as this receiver is to see it.
fn seen_by<P, R>(entry: &Entry<P, R>, message: &Arc<Message<P>>) -> Arc<Message<P>> {
    match (&entry.sees, &message.body) {
        (Some(entity), Body::Shared(payload)) if message.entity.is_none() => Arc::new(Message {
            descriptor: message.descriptor,
            endpoint: message.endpoint,
            entity: Some(entity.clone()),
            body: Body::Shared(Arc::clone(payload)),
        }),
        _ => Arc::clone(message),
    }
}

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

#[cold]
fn refused(core: &Arc<Core>, refusal: Refusal, mut job: Job) -> Result<bool, BusError> {
    let bound = core.bound();
    let reply = job.reply.take();
    discard(core, job);
    match refusal {
        Refusal::Closed => {
            if let Some(reply) = reply {
                reply.fail(|handler| ReplyError::Cancelled { handler });
            }
            Ok(false)
        }
        Refusal::Full => {
            core.tally.rejected();
            if let Some(reply) = reply {
                reply.fail(|handler| ReplyError::Rejected { handler, bound });
            }
            let dispatcher = Arc::clone(&core.name);
            Err(BusError::QueueFull { dispatcher, bound })
        }
        Refusal::WouldDeadlock => {
            core.tally.rejected();
            if let Some(reply) = reply {
                reply.fail(|handler| ReplyError::WouldDeadlock { handler });
            }
            Err(BusError::WouldDeadlock {
                what: format!("room in the queue of `{}`", core.name),
            })
        }
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
fn callback_failed<P>(
    report: &mut DispatchReport,
    core: &Core,
    message: &Message<P>,
    failure: Failure,
) {
    log_failure(core, message, &failure);
    let handler = Arc::clone(&core.name);
    let error = failure.into_error();
    report.failed.push(Undelivered { handler, error });
}
