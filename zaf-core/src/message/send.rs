//! Handing over: whatever goes to queues, to several who answer, or to handlers that keep it. What goes to callbacks alone is in
//! [`trigger`](super::trigger) and [`request`](super::request).
//!
//! A payload is put into an [`Arc`] only if somebody keeps it.

use std::borrow::Borrow;
use std::sync::Arc;

use super::bus::MessageBus;
use super::carried::{AnyMessage, Owed, Request, Share, SharedEvent};
use super::current::Own;
use super::dispatcher::QueuePolicy;
use super::dispatcher::accounts::Credit;
use super::dispatcher::callback;
use super::dispatcher::team::{self, Team};
use super::enqueue::{Round, put};
use super::error::{BusError, ReplyError};
use super::failure::callback_failed;
use super::message::{Body, Message, SharedBody};
use super::observe::{Sending, Tap};
use super::presence::{Presence, Record};
use super::reply::{Replies, SharedReplies};
use super::report::{Failure, Problems};
use super::route::{Entry, Route, Slice, without_answer};
use super::snapshot::{Desk, Snapshot};
use super::{Entity, MessageKind};
use crate::sync::MAX_DEPTH;

impl MessageBus {
    pub(super) fn load(&self, own: Own) -> arc_swap::Guard<Arc<Snapshot>> {
        let snapshot = self.inner.snapshot.load();
        let table = &snapshot.table;
        let desk = || Desk::new(table);
        own.kept.keep(table.bus, table.calm, self.activity(), desk);
        snapshot
    }

    #[inline]
    pub(super) fn enter<'a>(
        &'a self,
        record: &'a Record,
        route: &Route,
        entity: Option<&Entity>,
    ) -> Result<Presence<'a>, BusError> {
        record
            .enter(route.place, self.activity())
            .ok_or_else(|| self.too_deep(route, entity))
    }

    #[cold]
    pub(super) fn too_deep(&self, route: &Route, entity: Option<&Entity>) -> BusError {
        let error = BusError::RecursionLimit {
            message: route.descriptor.name,
            limit: MAX_DEPTH,
        };
        self.refuse(&route.descriptor, Some(route.endpoint), entity, error)
    }

    /// Puts an event into the one queue that gets it.
    #[inline(never)]
    pub(super) fn hand_to_one<P: Send + Sync + 'static>(
        &self,
        record: &Record,
        route: &Route,
        entry: &Entry<P, ()>,
        message: Message<P>,
        problems: &mut Problems,
    ) -> usize {
        let seen = Sending::open(route.tap.as_ref(), self, record, &message);
        let message = shared_if(entry.wants_shared(), message);
        let kind = MessageKind::Event;
        let mut round = Round::new(&self.inner.pool);
        let outcome = put(seen.as_deref(), record, entry, kind, message, &mut round);
        problems.add_outcome(&entry.core.name, outcome)
    }

    /// Calls handlers and fills queues, in order of priority. Never inlined: the way of an event to callbacks stays small.
    #[inline(never)]
    pub(super) fn hand_over<P: Send + Sync + 'static>(
        &self,
        record: &Record,
        presence: &Presence<'_>,
        route: &Route,
        slice: &Slice<P, ()>,
        message: &Arc<Message<P>>,
        problems: &mut Problems,
    ) -> usize {
        let seen = Sending::open(route.tap.as_ref(), self, record, message);
        let seen = seen.as_deref();
        let mut round = Round::new(&self.inner.pool);
        let mut delivered = 0;
        for (number, entries) in slice.entries.chunks(team::MOST).enumerate() {
            let team = slice.teams().get(number);
            round.summons.begin(team);
            let shared: Arc<dyn AnyMessage> = if team.is_some() {
                approach(entries, MessageKind::Event);
                round.credit = self.credit(entries);
                Arc::new(Share(Arc::clone(message)))
            } else {
                Arc::clone(message) as _
            };
            for (place, entry) in entries.iter().enumerate() {
                if entry.core.strand.is_none() {
                    round.summons.send();
                    match self.call(seen, entry, message, presence) {
                        Some(Ok(_)) => delivered += 1,
                        Some(Err(failure)) => {
                            callback_failed(problems, &entry.core, message, failure);
                        }
                        None => {}
                    }
                    continue;
                }
                round.summons.place(place);
                let (kind, shared) = (MessageKind::Event, SharedEvent(Arc::clone(&shared)));
                let outcome = put(seen, record, entry, kind, shared, &mut round);
                delivered += problems.add_outcome(&entry.core.name, outcome);
            }
            round.credit.give_back();
        }
        round.summons.send();
        if !problems.failed().is_empty() {
            self.announce_failures(problems, message);
        }
        delivered
    }

    /// For those of the receivers that have a queue.
    fn credit<'a, P: 'a, R: 'a>(&'a self, receivers: &'a [impl Borrow<Entry<P, R>>]) -> Credit<'a> {
        let mut queued = receivers
            .iter()
            .filter_map(|entry| entry.borrow().intake.as_ref());
        let Some(first) = queued.next() else {
            return Credit::default();
        };
        Credit::raise(self.activity(), &first.busy, 1 + queued.count())
    }

    /// Hands a request to several receivers, or to queues. The teams are those of the receivers; without any each goes to the pool by itself.
    pub(super) fn ask<'a, P: Send + Sync + 'static, R: Send + 'static>(
        &'a self,
        tap: Option<&Arc<Tap>>,
        record: &Record,
        presence: &Presence<'_>,
        (receivers, teams): (&'a [impl Borrow<Entry<P, R>>], &'a [Arc<Team>]),
        differs: bool,
        message: Message<P>,
    ) -> Replies<R> {
        if let [entry] = receivers
            && entry.borrow().intake.is_some()
        {
            return self.ask_one(tap, record, entry.borrow(), message);
        }
        let cores = receivers
            .iter()
            .map(|entry| Arc::clone(&entry.borrow().core));
        let shared = SharedReplies::new(cores.collect(), Arc::clone(&self.inner.late_replies));
        let message = Arc::new(shared_if(differs, message));
        let seen = Sending::open(tap, self, record, &message);
        let seen = seen.as_deref();
        let mut round = Round::new(&self.inner.pool);
        let mut index = 0;
        for (number, entries) in receivers.chunks(team::MOST).enumerate() {
            let team = teams.get(number);
            round.summons.begin(team);
            if team.is_some() {
                approach(entries, MessageKind::Request);
                round.credit = self.credit(entries);
            }
            let mut request: Option<Arc<Request<Arc<Message<P>>, R>>> = None;
            for (place, entry) in entries.iter().map(Borrow::borrow).enumerate() {
                let message = seen_by(entry, &message);
                if entry.core.strand.is_none() {
                    round.summons.send();
                    let outcome = self.call(seen, entry, &message, presence);
                    shared.settle(index + place, answer_of(entry, outcome));
                    continue;
                }
                round.summons.place(place);
                // One for those that go together and see the same.
                let request = match &request {
                    Some(request) if Arc::ptr_eq(&request.message, &message) => Arc::clone(request),
                    _ => {
                        let replies = Arc::clone(&shared);
                        let new = Arc::new(Request { message, replies });
                        request = Some(Arc::clone(&new));
                        new
                    }
                };
                let (kind, owed) = (MessageKind::Request, Owed::new(request, index + place));
                // Whatever goes wrong is in the reply.
                let _refused = put(seen, record, entry, kind, owed, &mut round);
            }
            round.credit.give_back();
            index += entries.len();
        }
        round.summons.send();
        Replies::pending(shared)
    }

    /// Puts a request into the one queue that gets it.
    fn ask_one<P: Send + Sync + 'static, R: Send + 'static>(
        &self,
        tap: Option<&Arc<Tap>>,
        record: &Record,
        entry: &Entry<P, R>,
        message: Message<P>,
    ) -> Replies<R> {
        let cores = Box::new([Arc::clone(&entry.core)]);
        let shared = SharedReplies::new(cores, Arc::clone(&self.inner.late_replies));
        let seen = Sending::open(tap, self, record, &message);
        let mut message = shared_if(entry.wants_shared(), message);
        if message.entity.is_none() {
            message.entity.clone_from(&entry.sees);
        }
        let replies = Arc::clone(&shared);
        let owed = Owed::new(Request { message, replies }, 0);
        let mut round = Round::new(&self.inner.pool);
        // Whatever goes wrong is in the reply.
        let _refused = put(
            seen.as_deref(),
            record,
            entry,
            MessageKind::Request,
            owed,
            &mut round,
        );
        round.summons.send();
        Replies::pending(shared)
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
}

/// Reads what comes first of the next receivers. Their data has left the caches if there are many of them, and a sender that locks
/// one after the other waits for each of them: behind a lock nothing is fetched ahead.
#[inline]
fn approach<P, R>(entries: &[impl Borrow<Entry<P, R>>], kind: MessageKind) {
    let mut seen = false;
    for entry in entries.iter().map(Borrow::borrow) {
        if let Some(strand) = &entry.core.strand {
            let is_policy_odd = entry.core.policy(kind) == QueuePolicy::DropOldest;
            seen |= strand.approach() | is_policy_odd;
        }
    }
    std::hint::black_box(seen);
}

/// What the handler of a request has led to; none if its dispatcher was destroyed.
fn answer_of<P, R>(
    entry: &Entry<P, R>,
    outcome: Option<Result<Option<R>, Failure>>,
) -> Result<R, ReplyError> {
    match outcome {
        Some(Ok(Some(value))) => Ok(value),
        Some(Ok(None)) => Err(ReplyError::Abandoned {
            handler: Arc::clone(&entry.core.name),
        }),
        Some(Err(failure)) => Err(without_answer(&entry.core, Some(failure))),
        None => Err(without_answer(&entry.core, None)),
    }
}

/// The message, with a payload that receivers can share if they are to.
#[inline]
pub(super) fn shared_if<P>(is_shared: bool, message: Message<P>) -> Message<P> {
    let body = match message.body {
        Body::Inline(payload) if is_shared => Body::Shared(SharedBody::new(payload)),
        body => body,
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
