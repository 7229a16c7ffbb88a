//! The receivers of one message at one endpoint, typed and sorted, ready to be called.
//!
//! Immutable once built: senders read them through a snapshot. The type of the payload is checked once for each message,
//! by the downcast of [`Route::receivers`]; from there on handlers are called with their own types.

use std::any::Any;
use std::collections::BTreeMap;
use std::hint::cold_path;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

use super::dispatcher::Core;
use super::dispatcher::row::{Numbered, Row};
use super::dispatcher::team::{self, Team};
use super::dispatcher::worker::Intake;
use super::handler::{Call, Handler, Look};
use super::message::{Message, Origin};
use super::observe::Tap;
use super::presence::Place;
use super::reply::Replier;
use super::report::Failure;
use super::routing::{self, Audience, Candidate, Subject};
use super::{EndpointId, Entity, MessageBus, MessageDescriptor, MessageKind, ReplyError};
use crate::error::Result;
use crate::thread::panic_text;

/// A [`Handler`] without its types.
pub(crate) trait AnyHandler: Send + Sync {
    /// Runs it with a message from a queue, which is a `Message<P>`, and answers.
    fn run(
        &self,
        message: &(dyn Any + Send + Sync),
        reply: Option<Replier<'_>>,
        core: &Arc<Core>,
        bus: &MessageBus,
    );

    /// Builds the receivers from all registrations for one message at one endpoint.
    fn build(
        &self,
        kind: MessageKind,
        registered: &[Registered],
        is_observed: bool,
    ) -> Box<dyn Any + Send + Sync>;

    /// For the way back to the type.
    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
}

/// One registration, as the registry keeps it. Its end is its drop.
pub(crate) struct Registered {
    pub(crate) core: Arc<Core>,
    pub(crate) handler: Arc<dyn AnyHandler>,
    /// None for callbacks.
    pub(crate) intake: Option<Arc<Intake>>,
    pub(crate) audience: Audience,
    pub(crate) priority: i32,
    pub(crate) sequence: u64,
}

impl Drop for Registered {
    fn drop(&mut self) {
        if let (Some(strand), Some(intake)) = (&self.core.strand, &self.intake) {
            strand.forget(intake);
        }
    }
}

/// A receiver in its place.
pub(crate) struct Entry<P, R> {
    pub(crate) core: Arc<Core>,
    pub(crate) handler: Arc<Handler<P, R>>,
    /// None for callbacks.
    pub(crate) intake: Option<Arc<Intake>>,
    /// Shown instead of none.
    pub(crate) sees: Option<Entity>,
    pub(crate) priority: i32,
    pub(crate) sequence: u64,
}

impl<P, R> Clone for Entry<P, R> {
    fn clone(&self) -> Self {
        Self {
            core: Arc::clone(&self.core),
            handler: Arc::clone(&self.handler),
            intake: self.intake.clone(),
            sees: self.sees.clone(),
            priority: self.priority,
            sequence: self.sequence,
        }
    }
}

/// All that is needed to call a handler: what senders run through.
pub(crate) struct Direct<P, R> {
    /// Number of the dispatcher.
    pub(crate) number: u64,
    pub(crate) call: Call<P, R>,
}

/// What is called of a slice with one jump.
pub(crate) enum Part<P, R> {
    /// With its place among the receivers.
    One(Direct<P, R>, usize),
    /// Two or more of the same type.
    Row(Box<dyn Row<P, R>>),
}

/// The handlers as they are called, in the same order.
fn parts<P, R>(handlers: &[Numbered<dyn Look<P, R>>]) -> Vec<Part<P, R>> {
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some((number, handler)) = handlers.get(at) {
        let row = handler.row(at, &handlers[at..]);
        let count = row.len();
        let part = if count > 1 {
            Part::Row(row)
        } else {
            let (number, call) = (*number, Arc::clone(handler).direct());
            Part::One(Direct { number, call }, at)
        };
        at += count;
        parts.push(part);
    }
    parts
}

/// How the receivers of a slice get a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// All are called directly, or there are none.
    Calls,
    /// The only one has a queue.
    Queue,
    /// Some keep the message beyond the call, or are observed.
    Entries,
}

/// Receivers in order of hand-over.
pub(crate) struct Slice<P, R> {
    pub(crate) way: Way,
    /// The only one, if it is called directly: near, because by far the most messages have one.
    pub(crate) only: Option<Direct<P, R>>,
    /// Number of the dispatcher of the only one; otherwise 0.
    pub(crate) first: u64,
    /// The same as `entries`, if there are several, all of one type, and all are called directly.
    pub(crate) row: Option<Box<dyn Row<P, R>>>,
    /// The same, if they are of different types.
    pub(crate) parts: Box<[Part<P, R>]>,
    pub(crate) entries: Box<[Entry<P, R>]>,
    /// See [`Slice::teams`].
    teams: OnceLock<Box<[Arc<Team>]>>,
    /// Whether receivers share the payload because they see different entities or want it encoded.
    pub(crate) differs: bool,
}

impl<P, R> Slice<P, R> {
    /// The dispatchers of the entries in teams of [`team::MOST`]; none if they are fewer. Made when first asked for: most
    /// slices are replaced before anything is sent.
    pub(crate) fn teams(&self) -> &[Arc<Team>] {
        if self.entries.len() < team::MOST {
            return &[];
        }
        self.teams.get_or_init(|| {
            let teams = self.entries.chunks(team::MOST).map(|entries| {
                let cores = entries.iter().map(|entry| Arc::clone(&entry.core));
                Arc::new(Team::new(cores))
            });
            teams.collect()
        })
    }

    /// If it is observed, nobody is called directly.
    pub(crate) fn new(entries: Vec<Entry<P, R>>, is_observed: bool) -> Self {
        let direct: Option<Vec<_>> = entries
            .iter()
            .map(Entry::direct)
            .collect::<Option<_>>()
            .filter(|_| !is_observed);
        let way = match (&direct, &*entries) {
            (Some(_), _) => Way::Calls,
            (None, [entry]) if entry.intake.is_some() => Way::Queue,
            (None, _) => Way::Entries,
        };
        let mut parts = parts(&direct.unwrap_or_default());
        let whole = parts.pop_if(|part| match part {
            Part::One(..) => entries.len() == 1,
            Part::Row(row) => row.len() == entries.len(),
        });
        let (only, row) = match whole {
            Some(Part::One(only, _)) => (Some(only), None),
            Some(Part::Row(row)) => (None, Some(row)),
            None => (None, None),
        };
        Self {
            way,
            first: only.as_ref().map_or(0, |only: &Direct<P, R>| only.number),
            only,
            row,
            parts: parts.into_boxed_slice(),
            differs: entries.iter().any(Entry::wants_shared),
            entries: entries.into_boxed_slice(),
            teams: OnceLock::new(),
        }
    }
}

/// The receivers by what the message is about.
pub(crate) struct Receivers<P, R> {
    /// Of a message that names no entity.
    plain: Slice<P, R>,
    /// Of a message for an entity that some registration names.
    named: BTreeMap<Entity, Slice<P, R>>,
    /// Of a message for any other entity.
    unnamed: Slice<P, R>,
}

impl<P, R> Receivers<P, R> {
    #[inline]
    pub(crate) fn of(&self, entity: Option<&Entity>) -> &Slice<P, R> {
        match entity {
            None => &self.plain,
            Some(entity) => self.named.get(entity).unwrap_or(&self.unnamed),
        }
    }
}

impl<P, R> Entry<P, R> {
    /// Whether it is better off with a payload that is shared: see [`Slice::differs`].
    pub(crate) fn wants_shared(&self) -> bool {
        self.sees.is_some() || matches!(&*self.handler, Handler::Encoded(_))
    }

    /// None if it keeps the message or wants its payload shared.
    fn direct(&self) -> Option<Numbered<dyn Look<P, R>>> {
        match &*self.handler {
            Handler::Call(call) if self.core.strand.is_none() && self.sees.is_none() => {
                Some((self.core.number, Arc::clone(call.moved())))
            }
            _ => None,
        }
    }
}

impl<P, R> Entry<P, R>
where
    P: Send + Sync + 'static,
    R: Send + 'static,
{
    /// Hands the message to a handler on this thread that may keep it; none if it cannot answer.
    pub(crate) fn keep(
        &self,
        message: &Arc<Message<P>>,
        bus: &MessageBus,
    ) -> Result<Option<R>, Failure> {
        match &*self.handler {
            Handler::Call(call) => caught(|| call.moved().call(message, bus).map(Some)),
            Handler::Encoded(call) => caught(|| call.call(message, bus).map(Some)),
            Handler::Keep(keep) => caught(|| keep(Arc::clone(message))),
        }
    }
}

/// Calls a handler. A panic becomes a failure.
#[inline]
pub(crate) fn caught<T>(call: impl FnOnce() -> Result<T>) -> Result<T, Failure> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => {
            cold_path();
            Err(Failure::Error(error))
        }
        Err(payload) => {
            cold_path();
            Err(Failure::Panic(panic_text(payload)))
        }
    }
}

/// The reply that a failure is.
pub(crate) fn failed_reply(failure: Failure, handler: &Arc<str>) -> ReplyError {
    let handler = Arc::clone(handler);
    match failure {
        Failure::Panic(message) => ReplyError::Panicked { handler, message },
        Failure::Error(error) => {
            let hints = error.hints().to_vec();
            let source = error.into_inner();
            ReplyError::Failed {
                handler,
                source,
                hints,
            }
        }
    }
}

/// The handler failed, or its dispatcher was destroyed.
#[cold]
pub(crate) fn without_answer(core: &Core, failure: Option<Failure>) -> ReplyError {
    match failure {
        Some(failure) => {
            core.tally.failed();
            failed_reply(failure, &core.name)
        }
        None => ReplyError::Cancelled {
            handler: Arc::clone(&core.name),
        },
    }
}

impl<P, R> AnyHandler for Handler<P, R>
where
    P: Send + Sync + 'static,
    R: Send + 'static,
{
    fn run(
        &self,
        message: &(dyn Any + Send + Sync),
        reply: Option<Replier<'_>>,
        core: &Arc<Core>,
        bus: &MessageBus,
    ) {
        let (Some(message), Some(call)) = (message.downcast_ref::<Message<P>>(), self.look())
        else {
            return;
        };
        let outcome = caught(|| call.call(message, bus));
        match (outcome, reply) {
            (Ok(value), Some(reply)) => reply.send(Ok(value)),
            (Ok(_), None) => {}
            (Err(failure), Some(reply)) => {
                core.tally.failed();
                reply.send::<R>(Err(failed_reply(failure, &core.name)));
            }
            (Err(failure), None) => bus.event_failed(core, message, &failure),
        }
    }

    fn build(
        &self,
        kind: MessageKind,
        registered: &[Registered],
        is_observed: bool,
    ) -> Box<dyn Any + Send + Sync> {
        // All handlers of one message have its types: they were compared with its definition.
        let typed: Vec<(Arc<Self>, &Registered)> = registered
            .iter()
            .filter_map(|one| {
                let handler = Arc::clone(&one.handler)
                    .into_any()
                    .downcast::<Self>()
                    .ok()?;
                Some((handler, one))
            })
            .collect();
        let candidates: Vec<Candidate<'_>> = typed
            .iter()
            .map(|(_, one)| Candidate {
                dispatcher: one.core.number,
                priority: one.priority,
                sequence: one.sequence,
                audience: &one.audience,
            })
            .collect();
        let slice = |subject: Subject<'_>| {
            let receivers = routing::receivers(&candidates, kind, subject);
            let entries = receivers.into_iter().map(|receiver| {
                let (handler, one) = &typed[receiver.index];
                Entry {
                    core: Arc::clone(&one.core),
                    handler: Arc::clone(handler),
                    intake: one.intake.clone(),
                    sees: receiver.sees,
                    priority: one.priority,
                    sequence: one.sequence,
                }
            });
            Slice::new(entries.collect(), is_observed)
        };
        let mut named = BTreeMap::new();
        for candidate in &candidates {
            if let Audience::Entities(entities) = candidate.audience {
                for entity in entities {
                    if !named.contains_key(entity) {
                        named.insert(entity.clone(), slice(Subject::Entity(entity)));
                    }
                }
            }
        }
        Box::new(Receivers::<P, R> {
            plain: slice(Subject::None),
            named,
            unnamed: slice(Subject::Unnamed),
        })
    }

    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

/// One message at one endpoint.
pub(crate) struct Route {
    pub(crate) descriptor: MessageDescriptor,
    pub(crate) endpoint: EndpointId,
    pub(crate) origin: &'static Origin,
    /// Of requests to all endpoints.
    pub(crate) everywhere: &'static Origin,
    pub(crate) place: Place,
    /// Who looks; none if nobody.
    pub(crate) tap: Option<Arc<Tap>>,
    /// A `Receivers<P, R>`; none if nobody is registered.
    pub(crate) receivers: Option<Box<dyn Any + Send + Sync>>,
}

impl Route {
    /// The receivers, if there are any and the types are right.
    #[inline]
    pub(crate) fn typed<P: 'static, R: 'static>(&self) -> Option<&Receivers<P, R>> {
        self.receivers.as_ref()?.downcast_ref()
    }
}
