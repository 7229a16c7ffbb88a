//! What a worker does with a strand.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tracing::Span;
use tracing::level_filters::LevelFilter;

use super::super::activity::Busy;
use super::super::current::with_record;
use super::super::presence::{Place, Record};
use super::super::reply::{Carried, Parcel, Replier};
use super::super::route::AnyHandler;
use super::super::{MessageBus, ReplyError};
use super::Core;
use super::ends::{Hand, Source};
use super::pool::Pool;
use super::strand::Strand;
use crate::sync::{Arc, look};
use crate::thread::panic_text;

/// How many messages a worker handles before it makes way for other strands that wait.
const MESSAGES_PER_TURN: usize = 1024;

/// What the messages of one registration have in common: who handles them, and where they count.
pub(crate) struct Intake {
    pub(crate) handler: Arc<dyn AnyHandler>,
    pub(crate) place: Place,
    pub(crate) busy: Arc<Busy>,
}

impl Source for Intake {
    fn busy(&self) -> &Busy {
        &self.busy
    }
}

impl std::fmt::Debug for Intake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Intake")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

/// A message in the queue of a dispatcher. Small: a long queue is read from memory.
pub(crate) struct Job {
    parcel: Parcel,
    /// Place of the answer that is owed; [`NOTHING_OWED`] for events and once it is settled.
    index: u32,
    /// Where the sender was; none if nobody traces.
    span: Option<Box<Span>>,
}

const NOTHING_OWED: u32 = u32::MAX;

impl Job {
    /// An event.
    #[inline]
    pub(crate) fn event(parcel: Parcel) -> Self {
        Self {
            parcel,
            index: NOTHING_OWED,
            span: current_span(),
        }
    }

    /// A request; the answer at `index` is owed from now on.
    pub(crate) fn request(parcel: Parcel, index: usize) -> Self {
        Self {
            parcel,
            index: u32::try_from(index).unwrap_or(NOTHING_OWED),
            span: current_span(),
        }
    }

    /// The obligation to answer, once.
    pub(crate) fn take_reply(&mut self) -> Option<Replier<'_>> {
        owed(&*self.parcel, &mut self.index)
    }
}

fn owed<'a>(parcel: &'a dyn Carried, index: &mut u32) -> Option<Replier<'a>> {
    let index = std::mem::replace(index, NOTHING_OWED);
    if index == NOTHING_OWED {
        return None;
    }
    let replies = parcel.replies()?;
    Some(Replier::new(replies, index as usize))
}

impl Drop for Job {
    fn drop(&mut self) {
        // Who gets it drops it: abandoned.
        drop(self.take_reply());
    }
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job").finish_non_exhaustive()
    }
}

/// Where the sender is, for the log of the handler; none if nobody traces.
#[inline]
fn current_span() -> Option<Box<Span>> {
    // One load; asking for the span itself costs more than the queue.
    if LevelFilter::current() == LevelFilter::OFF {
        return None;
    }
    let span = Span::current();
    (!span.is_none()).then(|| Box::new(span))
}

/// Serves the strand until it is empty or it is the turn of others.
pub(crate) fn turn(core: Arc<Core>, pool: &Arc<Pool>) {
    let Some(strand) = core.strand.as_ref() else {
        return;
    };
    let mut hand = Hand::new();
    loop {
        // Asked anew for each turn: handlers that send to themselves do not keep the bus alive.
        let Some(bus) = core.bus() else {
            // The last handle of the bus is gone, and with it all who could want this.
            core.close();
            strand.step_aside(&mut hand);
            return;
        };
        if !with_record(|record| serve(&core, strand, &mut hand, pool, record, &bus)) {
            return;
        }
        // Only for others: a worker that has the strand's data at hand is the best one to go on.
        if pool.has_waiting() {
            if strand.step_aside(&mut hand) {
                pool.submit(core);
            }
            return;
        }
    }
}

/// Returns false if the worker has left, true if others should have their turn before this strand goes on.
fn serve(
    core: &Arc<Core>,
    strand: &Strand<Job, Intake>,
    hand: &mut Hand<Intake>,
    pool: &Arc<Pool>,
    record: &Record,
    bus: &MessageBus,
) -> bool {
    for _ in 0..MESSAGES_PER_TURN {
        let Some(taken) = strand.next(hand) else {
            if !core.is_burst() {
                look(None, || {
                    strand.has_work() || strand.is_closed() || pool.has_waiting()
                });
            }
            if strand.leave(hand) {
                return false;
            }
            continue;
        };
        if taken.needs_worker {
            pool.submit(Arc::clone(core));
        }
        run(core, strand, hand, taken.job, record, bus);
    }
    true
}

/// Runs one handler, or cancels its message if the dispatcher was destroyed. Never unwinds.
fn run(
    core: &Arc<Core>,
    strand: &Strand<Job, Intake>,
    hand: &mut Hand<Intake>,
    mut job: Job,
    record: &Record,
    bus: &MessageBus,
) {
    if strand.is_closed() {
        hand.cancelled();
        cancel(core, job);
        return;
    }
    let call = || {
        let Some(intake) = hand.source() else {
            return;
        };
        let Some(_turn) = record.enter_from_queue(intake.place, core.number) else {
            return;
        };
        let _inside = job.span.as_ref().map(|span| span.enter());
        let reply = owed(&*job.parcel, &mut job.index);
        let handler = job.parcel.handler().unwrap_or(&*intake.handler);
        handler.run(job.parcel.message(), reply, core, bus);
    };
    if let Err(payload) = catch_unwind(AssertUnwindSafe(call)) {
        // Handlers are caught further in: this was the `Drop` of a reply or of an error.
        tracing::error!(handler = %core.name, "panic after a handler: {}", panic_text(payload));
    }
    discard(core, job);
}

/// Settles a message that will not be handled.
pub(crate) fn cancel(core: &Arc<Core>, mut job: Job) {
    core.tally.cancelled();
    if let Some(reply) = job.take_reply() {
        reply.fail(|handler, _| ReplyError::Cancelled { handler });
    }
    discard(core, job);
}

/// Drops a message; its payload may be the last of its kind and its `Drop` may panic.
pub(crate) fn discard(core: &Core, job: Job) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(job))) {
        tracing::error!(handler = %core.name, "panic while a message was dropped: {}", panic_text(payload));
    }
}
