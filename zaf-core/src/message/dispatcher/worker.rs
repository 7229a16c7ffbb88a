//! What a worker does with a strand.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tracing::Span;

use super::super::current::with_record;
use super::super::presence::{Place, Record};
use super::super::reply::Replier;
use super::super::route::AnyHandler;
use super::super::{MessageBus, ReplyError};
use super::Core;
use super::pool::Pool;
use super::strand::Strand;
use crate::sync::{Arc, look};
use crate::thread::panic_text;

/// How many messages a worker handles before it makes way for other strands that wait.
const MESSAGES_PER_TURN: usize = 1024;

/// A message in the queue of a dispatcher.
pub(crate) struct Job {
    pub(crate) handler: Arc<dyn AnyHandler>,
    /// A `Message<P>` of the handler's `P`.
    pub(crate) message: Arc<dyn Any + Send + Sync>,
    pub(crate) place: Place,
    /// None for events.
    pub(crate) reply: Option<Replier>,
    /// Where the sender was; none if nobody traces.
    pub(crate) span: Option<Box<Span>>,
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
    loop {
        // Asked anew for each turn: handlers that send to themselves do not keep the bus alive.
        let Some(bus) = core.bus() else {
            // The last handle of the bus is gone, and with it all who could want this.
            core.close();
            // Gives the worker's place up.
            drop(strand.take());
            return;
        };
        if !with_record(|record| serve(&core, strand, pool, record, &bus)) {
            return;
        }
        // Only for others: a worker that has the strand's data at hand is the best one to go on.
        if pool.has_waiting() {
            pool.submit(core);
            return;
        }
    }
}

/// Returns whether others should have their turn before this strand goes on.
fn serve(
    core: &Arc<Core>,
    strand: &Strand<Job>,
    pool: &Pool,
    record: &Record,
    bus: &MessageBus,
) -> bool {
    let mut finished = Finished {
        strand,
        core,
        endpoint: None,
        count: 0,
        handled: 0,
    };
    for _ in 0..MESSAGES_PER_TURN {
        if !strand.has_in_hand() {
            finished.report();
            if !core.is_burst() && !strand.has_work() {
                look(|| strand.has_work() || strand.is_closed() || pool.has_waiting());
            }
        }
        let Some(queued) = strand.take() else {
            return false;
        };
        let handled = run(core, strand, queued.job, record, bus);
        finished.add(queued.endpoint, handled);
    }
    true
}

/// Messages that have been handled and not yet reported. Between two of one endpoint that were taken together nobody can
/// tell the difference: the strand is busy anyway.
struct Finished<'a> {
    strand: &'a Strand<Job>,
    core: &'a Core,
    endpoint: Option<u32>,
    count: usize,
    handled: u64,
}

impl Finished<'_> {
    fn add(&mut self, endpoint: u32, handled: bool) {
        if self.endpoint != Some(endpoint) {
            self.report();
            self.endpoint = Some(endpoint);
        }
        self.count += 1;
        self.handled += u64::from(handled);
    }

    fn report(&mut self) {
        if let Some(endpoint) = self.endpoint.take() {
            // Counted before it is finished, so that the counters of an idle bus are complete.
            self.core.tally.handled(self.handled);
            self.strand.finish(endpoint, self.count);
            self.count = 0;
            self.handled = 0;
        }
    }
}

impl Drop for Finished<'_> {
    fn drop(&mut self) {
        self.report();
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
        let _inside = job.span.as_ref().map(|span| span.enter());
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
