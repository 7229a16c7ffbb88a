//! Queue, workers and pool, and a dispatcher that is made of nothing else.

#[path = "../../../../src/message/dispatcher/pool.rs"]
pub(crate) mod pool;
#[path = "../../../../src/message/dispatcher/strand.rs"]
pub(crate) mod strand;
#[path = "../../../../src/message/dispatcher/worker.rs"]
pub(crate) mod worker;

use std::sync::Weak;
use std::time::Instant;

use self::strand::{QueuePolicy, Queued, Strand};
use self::worker::Job;
use super::activity::{Activity, Busy};
use super::presence::Place;
use super::reply::Replier;
use super::route::AnyHandler;
use super::{MessageBus, ReplyError};
use crate::current::with_record;
use crate::sync::Arc;
use pool::Pool;

/// The endpoint of all messages.
pub(crate) const PLACE: Place = Place {
    bus: 1,
    endpoint: 1,
    message: 0,
};

#[derive(Default)]
pub(crate) struct Tally {
    handled: std::sync::atomic::AtomicU64,
    cancelled: std::sync::atomic::AtomicU64,
}

impl Tally {
    pub(crate) fn handled(&self, count: u64) {
        self.handled
            .fetch_add(count, std::sync::atomic::Ordering::SeqCst);
    }

    pub(crate) fn cancelled(&self) {
        self.cancelled
            .fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    }

    /// Handled and cancelled.
    pub(crate) fn read(&self) -> (u64, u64) {
        let read =
            |one: &std::sync::atomic::AtomicU64| one.load(std::sync::atomic::Ordering::SeqCst);
        (read(&self.handled), read(&self.cancelled))
    }
}

/// A dispatcher with a queue.
pub(crate) struct Core {
    pub(crate) number: u64,
    pub(crate) name: Arc<str>,
    pub(crate) strand: Option<Strand<Job>>,
    pub(crate) tally: Tally,
    is_burst: bool,
    workers: usize,
    /// Lives as long as the bus.
    bus: Weak<Activity>,
    panics: std::sync::atomic::AtomicBool,
}

impl Core {
    pub(crate) fn new(
        activity: &Arc<Activity>,
        number: u64,
        workers: usize,
        bound: usize,
    ) -> Arc<Self> {
        let batch = if workers == 1 { 2 } else { 1 };
        Self::make(activity, number, workers, bound, batch, false)
    }

    /// A dispatcher whose handlers share the bus's threads.
    pub(crate) fn burst(
        activity: &Arc<Activity>,
        number: u64,
        workers: usize,
        bound: usize,
    ) -> Arc<Self> {
        Self::make(activity, number, workers, bound, 1, true)
    }

    fn make(
        activity: &Arc<Activity>,
        number: u64,
        workers: usize,
        bound: usize,
        batch: usize,
        is_burst: bool,
    ) -> Arc<Self> {
        Arc::new(Self {
            number,
            name: "one".into(),
            strand: Some(Strand::new(Arc::clone(activity), workers, bound, batch)),
            tally: Tally::default(),
            is_burst,
            workers,
            bus: Arc::downgrade(activity),
            panics: std::sync::atomic::AtomicBool::new(false),
        })
    }

    /// Makes the next turn of a worker panic outside of the handler.
    pub(crate) fn panic_in_next_turn(&self) {
        self.panics.store(true, std::sync::atomic::Ordering::SeqCst);
    }

    pub(crate) fn bus(&self) -> Option<MessageBus> {
        if self.panics.swap(false, std::sync::atomic::Ordering::SeqCst) {
            // Says nothing on the way.
            std::panic::resume_unwind(Box::new("outside of a handler"));
        }
        let activity = self.bus.upgrade()?;
        Some(MessageBus { activity })
    }

    pub(crate) fn is_burst(&self) -> bool {
        self.is_burst
    }

    pub(crate) fn is_single_worker(&self) -> bool {
        self.workers == 1
    }

    pub(crate) fn queue(&self) -> &Strand<Job> {
        self.strand.as_ref().unwrap()
    }

    /// As `enqueue` and `dispatcher::Core::policy` do it. Returns whether the message was accepted.
    pub(crate) fn send(
        self: &Arc<Self>,
        pool: &Arc<Pool>,
        busy: &Arc<Busy>,
        handler: &Arc<dyn AnyHandler>,
        reply: Option<Replier>,
    ) -> bool {
        self.enqueue(pool, busy, Arc::clone(handler), reply)
    }

    /// Sends an event whose message is the only owner of its handler.
    pub(crate) fn send_last(
        self: &Arc<Self>,
        pool: &Arc<Pool>,
        busy: &Arc<Busy>,
        handler: Arc<dyn AnyHandler>,
    ) -> bool {
        self.enqueue(pool, busy, handler, None)
    }

    fn enqueue(
        self: &Arc<Self>,
        pool: &Arc<Pool>,
        busy: &Arc<Busy>,
        handler: Arc<dyn AnyHandler>,
        reply: Option<Replier>,
    ) -> bool {
        let is_own_worker =
            self.is_single_worker() && with_record(|record| record.runs(self.number));
        let queued = Queued {
            job: Job {
                handler,
                message: Arc::new(()),
                place: PLACE,
                reply,
                span: None,
            },
            endpoint: PLACE.endpoint,
        };
        match self
            .queue()
            .push(queued, busy, QueuePolicy::Reject, is_own_worker)
        {
            Ok(accepted) => {
                if accepted.needs_worker {
                    pool.submit(Arc::clone(self));
                }
                true
            }
            Err((_, queued)) => {
                let mut job = queued.job;
                if let Some(reply) = job.reply.take() {
                    reply.fail(|handler| ReplyError::Cancelled { handler });
                }
                false
            }
        }
    }

    /// As `dispatcher::Core::close` does it.
    pub(crate) fn close(self: &Arc<Self>) {
        let strand = self.queue();
        for queued in strand.close() {
            worker::cancel(self, queued.job);
            strand.finish(queued.endpoint, 1);
        }
    }

    /// As `dispatcher::Core::wait_for_end` does it.
    pub(crate) fn wait_for_end(&self, deadline: Option<Instant>) -> bool {
        self.queue().wait_for_rest(deadline)
    }
}
