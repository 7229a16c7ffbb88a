//! Dispatchers decide on which thread a handler runs.
//!
//! | Kind | Thread of the handler | Order | Bound |
//! |---|---|---|---|
//! | callback | the sender's, before the trigger returns | priority | – |
//! | sequential | a worker, one at a time | as received | queue |
//! | thread pool | a fixed number of workers | none | queue |
//! | concurrent | a worker at once for each message | none | threads, then queue |
//!
//! The queued kinds are *strands* on the one pool of the bus: none owns a thread while it has nothing to do.

pub(crate) mod accounts;
mod builder;
pub(crate) mod callback;
mod closing;
mod concurrent;
mod ends;
mod few;
pub(crate) mod job;
mod lane;
#[cfg(test)]
mod layout;
pub(crate) mod policy;
pub(crate) mod pool;
mod push;
mod ring;
pub(crate) mod row;
mod sequential;
pub(crate) mod strand;
pub(crate) mod summons;
pub(crate) mod team;
mod threadpool;
pub(crate) mod worker;

use std::fmt;
use std::sync::Weak;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

pub use builder::DispatcherBuilder;
pub use policy::QueuePolicy;

use self::job::Jobs;
use self::strand::Strand;
use self::worker::Intake;
use super::bus::{Inner, MessageBus};
use super::current::{RECORDS, with_record};
use super::report::{Counters, DispatcherState};
use super::{BusError, EndpointId, Entity, MessageDescriptor, MessageKind};
use crate::sync::{Arc, deadline_after};

/// On which thread a handler runs.
#[doc = include_str!("../doc/kinds.md")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DispatcherKind {
    /// The sender's, before the trigger returns. A handler that blocks blocks the sender.
    Callback,
    /// One at a time, in the order received.
    Sequential,
    /// A fixed number of workers.
    ThreadPool,
    /// One at once for each message, from a shared elastic pool.
    Concurrent,
}

/// How a queued dispatcher works.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// Handlers at a time.
    pub(crate) workers: usize,
    /// Messages that may wait.
    pub(crate) bound: usize,
}

/// What happened to a dispatcher so far.
#[derive(Debug)]
pub(crate) enum Tally {
    /// Of callbacks, which count failures only.
    Here(Counts),
    /// On cache lines of its own: workers write it, senders read what is beside it.
    Apart(Box<Apart>),
}

#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Apart(Counts);

#[derive(Debug, Default)]
pub(crate) struct Counts {
    failed: AtomicU64,
    rejected: AtomicU64,
    dropped: AtomicU64,
    cancelled: AtomicU64,
    /// Longest handling in nanoseconds, at least 1; 0 if none was measured.
    longest: AtomicU64,
    /// Of callbacks whose handling was measured; a strand counts for itself.
    handled: AtomicU64,
}

impl Tally {
    pub(crate) fn new(is_queued: bool) -> Self {
        if is_queued {
            Self::Apart(Box::default())
        } else {
            Self::Here(Counts::default())
        }
    }
}

impl std::ops::Deref for Tally {
    type Target = Counts;

    fn deref(&self) -> &Counts {
        match self {
            Self::Here(counts) => counts,
            Self::Apart(apart) => &apart.0,
        }
    }
}

impl Counts {
    pub(crate) fn failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn rejected(&self) {
        self.rejected.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn dropped(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn cancelled(&self) {
        self.cancelled.fetch_add(1, Ordering::Relaxed);
    }

    /// A callback has run, and was measured.
    pub(crate) fn handled(&self) {
        self.handled.fetch_add(1, Ordering::Relaxed);
    }

    /// One handler has run for this long.
    pub(crate) fn measured(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.longest.fetch_max(nanos.max(1), Ordering::Relaxed);
    }

    /// `totals`: accepted and handled, as the strand has counted them; none for callbacks.
    fn read(&self, totals: Option<(u64, u64)>) -> Counters {
        let longest = self.longest.load(Ordering::Relaxed);
        let called = (longest != 0).then(|| self.handled.load(Ordering::Relaxed));
        Counters {
            accepted: totals.map_or(0, |(accepted, _)| accepted),
            handled: totals.map(|(_, handled)| handled).or(called),
            longest: (longest != 0).then(|| Duration::from_nanos(longest)),
            failed: self.failed.load(Ordering::Relaxed),
            rejected: self.rejected.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
            cancelled: self.cancelled.load(Ordering::Relaxed),
        }
    }
}

/// Numbers of dispatchers, unique in the process: [`RECORDS`] serve all buses. 0 is nobody.
static NEXT_NUMBER: AtomicU64 = AtomicU64::new(1);

/// What the bus and the handle share of a dispatcher.
pub(crate) struct Core {
    pub(crate) number: u64,
    pub(crate) name: Arc<str>,
    pub(crate) kind: DispatcherKind,
    /// None for callbacks. Behind a pointer: among thousands of callbacks a small neighbour is a near one.
    pub(crate) strand: Option<Box<Strand<Jobs, Intake>>>,
    pub(crate) tally: Tally,
    /// Its handlers are never slow.
    pub(crate) long_running: bool,
    shape: Shape,
    priority: i32,
    /// None: what is usual for events and requests.
    policy: Option<QueuePolicy>,
    /// Set by `destroy`, for handlers on the senders' threads.
    mark: AtomicBool,
    bus: Weak<Inner>,
}

/// How long the sender of a request waits for room in a queue unless the dispatcher says otherwise: as long as a reply
/// would usually be waited for.
const REQUEST_DEADLINE: Duration = Duration::from_mins(1);

impl Core {
    pub(crate) fn bus(&self) -> Option<MessageBus> {
        self.bus.upgrade().map(MessageBus::from_inner)
    }

    /// Whether `destroy` was called.
    #[inline]
    pub(crate) fn is_marked(&self) -> bool {
        self.mark.load(Ordering::Acquire)
    }

    /// Whether one worker at most serves it.
    pub(crate) fn is_single_worker(&self) -> bool {
        self.strand.is_some() && self.shape.workers == 1
    }

    /// Handlers at a time; 0 for callbacks.
    pub(crate) fn workers(&self) -> usize {
        self.shape.workers
    }

    /// Whether it belongs to those that share the bus's thread limit.
    pub(crate) fn is_burst(&self) -> bool {
        self.kind == DispatcherKind::Concurrent
    }

    /// Threads that are kept free for it.
    pub(crate) fn reserved_workers(&self) -> usize {
        if self.strand.is_some() && !self.is_burst() {
            self.shape.workers
        } else {
            0
        }
    }

    pub(crate) fn bound(&self) -> usize {
        self.shape.bound
    }

    pub(crate) fn policy(&self, kind: MessageKind) -> QueuePolicy {
        self.policy.unwrap_or(match kind {
            MessageKind::Event => QueuePolicy::Reject,
            MessageKind::Request => QueuePolicy::Block {
                deadline: REQUEST_DEADLINE,
            },
        })
    }

    /// No handler starts after this; queued messages are settled as cancelled.
    pub(crate) fn close(self: &Arc<Self>) {
        self.mark.store(true, Ordering::SeqCst);
        if let Some(bus) = self.bus() {
            bus.activity().marked();
        }
        if let Some(strand) = &self.strand {
            let mut rest = strand.close();
            let mut slot = None;
            while let Some(line) = rest.pop(&mut slot) {
                if let Some(slot) = &mut slot {
                    worker::cancel(self, &mut **slot);
                }
                strand.finish(line);
            }
        }
    }

    /// Waits until no handler runs, after [`Core::close`]. Returns whether that was so before the deadline.
    pub(crate) fn wait_for_end(
        &self,
        bus: &MessageBus,
        deadline: Option<std::time::Instant>,
    ) -> bool {
        match &self.strand {
            Some(strand) => strand.wait_for_rest(deadline),
            None => bus
                .activity()
                .wait(deadline, || RECORDS.running(self.number) == 0),
        }
    }

    /// Queued and active messages.
    pub(crate) fn counts(&self) -> (usize, usize) {
        match &self.strand {
            Some(strand) => strand.counts(),
            None => (0, RECORDS.running(self.number)),
        }
    }

    fn counters(&self) -> Counters {
        let totals = self.strand.as_ref().map(|strand| strand.totals());
        self.tally.read(totals)
    }

    pub(crate) fn state(&self) -> DispatcherState {
        let (queued, active) = self.counts();
        DispatcherState {
            name: Arc::clone(&self.name),
            kind: self.kind,
            queued,
            active,
            counters: self.counters(),
        }
    }
}

/// A registered dispatcher. Cheap to clone.
///
/// Dropping it does **not** destroy the dispatcher: it goes on until [`destroy`](Self::destroy) or the end of the bus, so
/// a registration cannot be lost by forgetting a variable.
#[doc = include_str!("../doc/dispatcher.md")]
#[derive(Clone)]
pub struct Dispatcher {
    core: Arc<Core>,
}

impl Dispatcher {
    /// Name, as in replies, logs and states.
    pub fn name(&self) -> &str {
        &self.core.name
    }

    /// Unique in the process.
    pub(crate) fn number(&self) -> u64 {
        self.core.number
    }

    /// On which thread its handlers run.
    pub fn kind(&self) -> DispatcherKind {
        self.core.kind
    }

    /// What it has lived through. Complete for everything that had ended when an idle bus was seen.
    #[doc = include_str!("../doc/counters.md")]
    pub fn counters(&self) -> Counters {
        self.core.counters()
    }

    /// What it is doing.
    pub fn state(&self) -> DispatcherState {
        self.core.state()
    }

    /// Registers this very dispatcher for more: same queue, same workers, same name.
    ///
    /// Kind, workers and queue stay as they are; priority, endpoints and entities are those of the new builder, the priority
    /// starting with what it was.
    #[doc = include_str!("../doc/also.md")]
    pub fn also(&self) -> DispatcherBuilder {
        DispatcherBuilder::extending(Arc::clone(&self.core), self.core.priority)
    }

    /// Stops new deliveries of these messages, at these endpoints, for these entities; an empty list means all. Messages
    /// that are in flight or queued are still handled. Returns whether the dispatcher is registered for anything else.
    ///
    /// # Errors
    /// [`BusError::NotRegistered`] if one of the messages (or all, for an empty list) has no registration that matches; then
    /// nothing was changed. [`BusError::Closed`] after the end of the bus.
    #[doc = include_str!("../doc/deregister.md")]
    pub fn deregister(
        &self,
        messages: &[MessageDescriptor],
        endpoints: &[EndpointId],
        entities: &[Entity],
    ) -> Result<bool, BusError> {
        let Some(bus) = self.core.bus() else {
            return Err(BusError::Closed {
                what: "the bus".to_owned(),
            });
        };
        bus.change(|registry, garbage| {
            registry.deregister(&self.core, messages, endpoints, entities, garbage)
        })
    }

    /// Ends the dispatcher. When this returns, no handler of it runs and none will start.
    ///
    /// Queued requests are answered [`Cancelled`](super::ReplyError::Cancelled), queued events are counted as cancelled.
    /// Waits for handlers that run, without a limit. Called from one of its own handlers it does not wait: no other
    /// handler starts, and those that run, the caller included, finish. A handler of one dispatcher that destroys another,
    /// one of whose handlers destroys the first, waits for ever. Calling it again is harmless.
    #[doc = include_str!("../doc/destroy.md")]
    pub fn destroy(&self) {
        self.end(None);
    }

    /// As [`destroy`](Self::destroy), but first handles what is queued, for at most `timeout`. Nothing new is accepted
    /// meanwhile. Returns whether everything was handled.
    #[doc = include_str!("../doc/destroy_draining.md")]
    pub fn destroy_draining(&self, timeout: Duration) -> bool {
        let mut drained = true;
        if let Some(strand) = &self.core.strand {
            strand.drain();
            if !self.is_own_handler() {
                drained = strand.wait_for_rest(deadline_after(timeout));
            }
        }
        self.end(None);
        drained
    }

    fn is_own_handler(&self) -> bool {
        with_record(|record| record.runs(self.core.number))
    }

    fn end(&self, deadline: Option<std::time::Instant>) {
        let Some(bus) = self.core.bus() else {
            self.core.close();
            return;
        };
        // Closed first: a concurrent `also` looks at the mark under the registry's lock.
        self.core.close();
        bus.remove(&self.core);
        if !self.is_own_handler() {
            self.core.wait_for_end(&bus, deadline);
        }
    }
}

impl fmt::Debug for Dispatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dispatcher")
            .field("name", &self.core.name)
            .field("kind", &self.core.kind)
            .finish_non_exhaustive()
    }
}
