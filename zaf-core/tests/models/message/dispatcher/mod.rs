//! Queue, workers and pool, and a dispatcher that is made of nothing else.

#[path = "../../../../src/message/dispatcher/accounts.rs"]
pub(crate) mod accounts;
#[path = "../../../../src/message/dispatcher/closing.rs"]
mod closing;
#[path = "../../../../src/message/dispatcher/ends.rs"]
pub(crate) mod ends;
#[path = "../../../../src/message/dispatcher/few.rs"]
pub(crate) mod few;
#[path = "../../../../src/message/dispatcher/job.rs"]
pub(crate) mod job;
#[path = "../../../../src/message/dispatcher/lane.rs"]
pub(crate) mod lane;
#[path = "../../../../src/message/dispatcher/policy.rs"]
pub(crate) mod policy;
#[path = "../../../../src/message/dispatcher/pool.rs"]
pub(crate) mod pool;
#[path = "../../../../src/message/dispatcher/push.rs"]
pub(crate) mod push;
#[path = "../../../../src/message/dispatcher/ring.rs"]
mod ring;
#[path = "../../../../src/message/dispatcher/strand.rs"]
pub(crate) mod strand;
#[path = "../../../../src/message/dispatcher/summons.rs"]
pub(crate) mod summons;
#[path = "../../../../src/message/dispatcher/team.rs"]
pub(crate) mod team;
#[path = "../../../../src/message/dispatcher/worker.rs"]
pub(crate) mod worker;

use std::sync::Weak;
use std::time::Instant;

use self::job::{Job, Jobs};
use self::policy::QueuePolicy;
use self::strand::Strand;
use self::worker::Intake;
use super::activity::Activity;
use super::carried::{Carried, Owed, Request};
use super::message::Message;
use super::presence::Place;
use super::reply::SharedReplies;
use super::{MessageBus, ReplyError};
use crate::current::with_record;
use crate::sync::Arc;
use accounts::Credit;
use pool::Pool;
use summons::Summons;
use team::Team;

/// The endpoint of all messages.
pub(crate) const PLACE: Place = Place {
    bus: 1,
    endpoint: 1,
    message: 0,
};

#[derive(Default)]
pub(crate) struct Tally {
    cancelled: std::sync::atomic::AtomicU64,
}

impl Tally {
    pub(crate) fn cancelled(&self) {
        self.cancelled
            .fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    }
}

/// A dispatcher with a queue.
pub(crate) struct Core {
    pub(crate) number: u64,
    pub(crate) name: Arc<str>,
    pub(crate) strand: Option<Strand<Jobs, Intake>>,
    pub(crate) tally: Tally,
    is_burst: bool,
    workers: usize,
    bound: usize,
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
        Self::make(activity, number, workers, bound, false)
    }

    /// A dispatcher whose handlers share the bus's threads.
    pub(crate) fn burst(
        activity: &Arc<Activity>,
        number: u64,
        workers: usize,
        bound: usize,
    ) -> Arc<Self> {
        Self::make(activity, number, workers, bound, true)
    }

    fn make(
        activity: &Arc<Activity>,
        number: u64,
        workers: usize,
        bound: usize,
        is_burst: bool,
    ) -> Arc<Self> {
        Arc::new(Self {
            number,
            name: "one".into(),
            strand: Some(Strand::new(Arc::clone(activity), workers, bound)),
            tally: Tally::default(),
            is_burst,
            workers,
            bound,
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

    pub(crate) fn bound(&self) -> usize {
        self.bound
    }

    /// Messages handled and cancelled so far.
    pub(crate) fn totals(&self) -> (u64, u64) {
        let cancelled = &self.tally.cancelled;
        let cancelled = cancelled.load(std::sync::atomic::Ordering::SeqCst);
        (self.queue().totals().1, cancelled)
    }

    pub(crate) fn queue(&self) -> &Strand<Jobs, Intake> {
        self.strand.as_ref().unwrap()
    }

    /// Sends an event, as `enqueue` does it. Returns whether it was accepted.
    pub(crate) fn send(self: &Arc<Self>, pool: &Arc<Pool>, intake: &Arc<Intake>) -> bool {
        self.enqueue(pool, intake, Message(()))
    }

    /// Sends an event to several, which go to the pool together, as `hand_over` does it. Returns how many accepted it.
    pub(crate) fn send_to_all(pool: &Arc<Pool>, receivers: &[(&Arc<Self>, &Arc<Intake>)]) -> usize {
        let cores = receivers.iter().map(|(core, _)| Arc::clone(core));
        let team = Arc::new(Team::new(cores));
        let mut summons = Summons::new(pool);
        summons.begin(Some(&team));
        let [(first, intake), ..] = receivers else {
            return 0;
        };
        let activity = first.bus.upgrade().unwrap();
        let mut credit = Credit::raise(&activity, &intake.busy, receivers.len());
        let mut accepted = 0;
        for (place, (core, intake)) in receivers.iter().enumerate() {
            summons.place(place);
            let mut job = Some(Job::new(Message(()), None));
            let pushed = core.queue().push(
                &mut job,
                intake,
                QueuePolicy::Reject,
                &mut credit,
                || false,
                |credit| {
                    credit.give_back();
                },
            );
            if let Ok(pushed) = pushed {
                accepted += 1;
                if pushed.needs_worker {
                    summons.add(core);
                }
            }
        }
        accepted
    }

    /// Sends a request whose answer belongs at `index`.
    pub(crate) fn ask(
        self: &Arc<Self>,
        pool: &Arc<Pool>,
        intake: &Arc<Intake>,
        replies: &Arc<SharedReplies<usize>>,
        index: usize,
    ) -> bool {
        let request = Request {
            message: Message(()),
            replies: Arc::clone(replies),
        };
        self.enqueue(pool, intake, Owed::new(request, index))
    }

    fn enqueue(
        self: &Arc<Self>,
        pool: &Arc<Pool>,
        intake: &Arc<Intake>,
        carried: impl Carried,
    ) -> bool {
        let mut job = Some(Job::new(carried, None));
        let is_own_worker =
            || self.is_single_worker() && with_record(|record| record.runs(self.number));
        let mut summons = Summons::new(pool);
        let policy = QueuePolicy::Reject;
        let pushed = self.queue().push(
            &mut job,
            intake,
            policy,
            &mut Credit::default(),
            is_own_worker,
            |_| (),
        );
        if let Ok(accepted) = pushed {
            if accepted.needs_worker {
                summons.add(self);
            }
            return true;
        }
        if let Some(reply) = job.as_mut().and_then(Job::take_reply) {
            reply.fail(|handler, _| ReplyError::Cancelled { handler });
        }
        false
    }

    /// Puts an event into the queue, and leaves it to the model to send a worker. Returns whether it was accepted.
    pub(crate) fn put(&self, intake: &Arc<Intake>) -> bool {
        let mut job = Some(Job::new(Message(()), None));
        let pushed = self.queue().push(
            &mut job,
            intake,
            QueuePolicy::Reject,
            &mut Credit::default(),
            || false,
            |_| (),
        );
        pushed.is_ok()
    }

    /// As `dispatcher::Core::close` does it.
    pub(crate) fn close(self: &Arc<Self>) {
        let strand = self.queue();
        let mut rest = strand.close();
        let mut slot = None;
        while let Some(line) = rest.pop(&mut slot) {
            if let Some(slot) = &mut slot {
                worker::cancel(self, &mut **slot);
            }
            strand.finish(line);
        }
    }

    /// As `dispatcher::Core::wait_for_end` does it.
    pub(crate) fn wait_for_end(&self, deadline: Option<Instant>) -> bool {
        self.queue().wait_for_rest(deadline)
    }
}
