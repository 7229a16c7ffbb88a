//! What a worker does with a strand.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tracing::Span;

use super::super::current::with_record;
use super::super::presence::{Place, Record};
use super::super::reply::Replier;
use super::super::route::AnyHandler;
use super::super::{MessageBus, ReplyError};
use super::Core;
use super::pool::{Pool, look};
use super::strand::{Queued, Strand};
use crate::sync::Arc;
use crate::thread::panic_text;

/// How many batches a worker handles before it makes way for other strands that wait.
const BATCHES_PER_TURN: usize = 16;

/// A message in the queue of a dispatcher.
pub(crate) struct Job {
    pub(crate) handler: Arc<dyn AnyHandler>,
    /// A `Message<P>` of the handler's `P`.
    pub(crate) message: Arc<dyn Any + Send + Sync>,
    pub(crate) place: Place,
    /// None for events.
    pub(crate) reply: Option<Replier>,
    /// Where the sender was.
    pub(crate) span: Span,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

/// Serves the strand until it is empty or it is the turn of others.
pub(crate) fn turn(core: Arc<Core>, pool: &Arc<Pool>) {
    let Some(strand) = core.strand.as_ref() else {
        return;
    };
    let Some(bus) = core.bus() else {
        // The last handle of the bus is gone, and with it all who could want this.
        core.close();
        let mut hand = VecDeque::new();
        while strand.take(&mut hand) {}
        return;
    };
    let resubmit = with_record(|record| {
        let mut hand = VecDeque::new();
        for _ in 0..BATCHES_PER_TURN {
            if !core.is_burst() && !strand.has_work() {
                look(|| strand.has_work() || strand.is_closed() || pool.has_waiting());
            }
            if !strand.take(&mut hand) {
                return false;
            }
            handle(&core, strand, &mut hand, record, &bus);
        }
        true
    });
    if resubmit {
        pool.submit(core);
    }
}

/// Handles what was taken. Says that messages are finished at the end and wherever the endpoint changes: between two of
/// one endpoint nobody can tell the difference.
fn handle(
    core: &Arc<Core>,
    strand: &Strand<Job>,
    hand: &mut VecDeque<Queued<Job>>,
    record: &Record,
    bus: &MessageBus,
) {
    let mut handled = 0_u64;
    while let Some(first) = hand.pop_front() {
        let endpoint = first.endpoint;
        let mut count = 1;
        handled += u64::from(run(core, strand, first.job, record, bus));
        while hand
            .front()
            .is_some_and(|next| Arc::ptr_eq(&next.endpoint, &endpoint))
        {
            if let Some(next) = hand.pop_front() {
                handled += u64::from(run(core, strand, next.job, record, bus));
                count += 1;
            }
        }
        // Counted before it is finished, so that the counters of an idle bus are complete.
        core.tally.handled(handled);
        handled = 0;
        strand.finish(&endpoint, count);
    }
}

/// Runs one handler, or cancels its message if the dispatcher was destroyed. Returns whether it ran. Never unwinds.
fn run(
    core: &Arc<Core>,
    strand: &Strand<Job>,
    mut job: Job,
    record: &Record,
    bus: &MessageBus,
) -> bool {
    if strand.is_closed() {
        cancel(core, job);
        return false;
    }
    let call = || {
        let Some(presence) = record.enter(job.place, bus.activity()) else {
            return;
        };
        presence.announce(core.number);
        let _inside = job.span.enter();
        let reply = job.reply.take();
        job.handler.run(&*job.message, reply, core, bus);
    };
    if let Err(payload) = catch_unwind(AssertUnwindSafe(call)) {
        // Handlers are caught further in: this was the `Drop` of a reply or of an error.
        tracing::error!(handler = %core.name, "panic after a handler: {}", panic_text(payload));
    }
    discard(core, job);
    true
}

/// Settles a message that will not be handled.
pub(crate) fn cancel(core: &Arc<Core>, mut job: Job) {
    core.tally.cancelled();
    if let Some(reply) = job.reply.take() {
        reply.fail(|handler| ReplyError::Cancelled { handler });
    }
    discard(core, job);
}

/// Drops a message; its payload may be the last of its kind and its `Drop` may panic.
pub(crate) fn discard(core: &Core, job: Job) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(job))) {
        tracing::error!(handler = %core.name, "panic while a message was dropped: {}", panic_text(payload));
    }
}
