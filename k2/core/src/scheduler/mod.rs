//! Decides which of the cases found are run, in which order, how often, and which at the same time.
//!
//! The extension answers at the endpoint [`SCHEDULER`]: it takes what the finder found, hands out one case at a time, lets others change
//! the queue, and closes it when a run is aborted. It does not run anything and knows no worker.
//!
//! Its parts are pure. The queue, with two cases that need one and the same board:
//!
//! ```
//! # use k2_core as k2;
//! use std::collections::BTreeMap;
//! use std::sync::Arc;
//!
//! use k2::case::{CaseAction, CaseId, TestCase};
//! use k2::scheduler::{Filter, FilterPatterns, HandOut, RunQueue};
//!
//! let case = |id: &str| {
//!     let action = CaseAction::LoadFailure("nothing runs it".to_owned());
//!     let mut case = TestCase::new(CaseId::new(id), action);
//!     case.need("board");
//!     Arc::new(case)
//! };
//! let mut queue = RunQueue::new(BTreeMap::from([("board".to_owned(), 1)]));
//! queue.add([case("net::ping"), case("net::trace")]);
//! let HandOut::Case(first) = queue.hand_out(1) else { panic!("it is the first") };
//! assert!(matches!(queue.hand_out(2), HandOut::Blocked), "the board is in use");
//! queue.release(&first.id);
//! assert!(matches!(queue.hand_out(2), HandOut::Case(_)));
//!
//! let patterns = FilterPatterns { include: vec!["net".to_owned()], ..FilterPatterns::default() };
//! let filter = Filter::new(&patterns).expect("the patterns are right");
//! assert!(filter.selects_id("net::ping") && !filter.selects_id("network::ping"));
//! ```

mod earlier;
mod expected;
mod filter;
mod messages;
mod near;
mod options;
mod order;
mod plan;
mod queue;
mod queued;
mod repetition;
mod shard;
mod tag_expression;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::{Condvar, Mutex, MutexGuard};
use thiserror::Error;
use zaf_core::application::{ABORT, Abort, CRITICAL_ABORT};
use zaf_core::builtin::OUTPUT_DIR;
use zaf_core::prelude::*;

pub use self::earlier::{EarlierRun, EarlierRunError, Rerun};
use self::expected::ExpectedFailures;
pub use self::expected::{EXPECTED_FAILURES, ExpectedFailuresError};
pub use self::filter::{Filter, FilterError, FilterPatterns};
pub use self::messages::*;
pub use self::options::*;
pub use self::order::Order;
pub use self::plan::{Plan, PlanError, PlanErrors};
pub use self::queue::{HandOut, RunQueue};
pub use self::queued::QueuedCase;
pub use self::repetition::{REPETITION, Repetition, base_id};
pub use self::shard::{Shard, ShardError};
pub use self::tag_expression::{TagExpression, TagExpressionError};
use crate::case::{CaseId, TestCase};
use crate::messages::{TEST_CASE_FINISHED, TestCaseFinished};
use crate::sut::{SUT_RESET_DONE, SUT_RESET_STARTED, SutReset};

/// Nothing can be added to the queue any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the run is being aborted: no test case can be added to its queue")]
pub struct QueueSealed;

/// Selects the cases to run and hands them out.
#[command_extension(
    name = "testscheduler",
    extends = ["schedule"],
    config_options = [
        INCLUDE.optional(),
        INCLUDE_REGEX.optional(),
        EXCLUDE.optional(),
        EXCLUDE_REGEX.optional(),
        TAGS.optional(),
        OWNER.optional(),
        PARAMETERS.optional(),
        RERUN.optional(),
        RERUN_FROM.optional(),
        ORDER.required(),
        SEED.optional(),
        SHARD.optional(),
        SHARD_FROM.optional(),
        REPEAT.optional(),
        REPEAT_FOR.optional(),
        REPEAT_UNTIL_FAILURE.required(),
        RESOURCES.optional(),
        AVAILABLE.optional(),
        OUTPUT_DIR.required(),
        EXPECTED_FAILURES.optional(),
    ],
    endpoints_and_messages = {
        SCHEDULER: [
            FILL_RUN_QUEUE,
            SCHEDULE_NEXT_TEST,
            ADD_TEST_CASES,
            REMOVE_TEST_CASES,
            REORDER_TEST_CASES,
            CLEAR_RUN_QUEUE,
            GET_CURRENT_RUN_QUEUE,
            GET_LAST_SCHEDULED_TEST,
            RUN_QUEUE_INITIALIZED,
            RUN_QUEUE_MODIFIED,
            SCHEDULING_NEXT_TEST,
            RUN_QUEUE_EMPTY,
            TEST_CASES_HELD_BACK,
            TEST_CASE_PASSED_OVER,
        ],
    },
)]
#[derive(Debug)]
pub struct TestScheduler {
    plan: Plan,
    expected: ExpectedFailures,
    state: Mutex<State>,
    /// A case has given back what it had, or nothing more will be handed out.
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    queue: RunQueue,
    /// Cases of one round, as they were found, if there are more rounds.
    round: Vec<Arc<TestCase>>,
    rounds: u64,
    /// When the queue was filled.
    filled: Option<Instant>,
    /// A case has ended in failure.
    failed: bool,
    /// How many workers wait because of what resets.
    waiting_workers: WaitingWorkers,
    /// Taken out of the queue of a run that goes on; each still gets its verdict.
    removed: VecDeque<Arc<TestCase>>,
}

impl Extension for TestScheduler {
    fn new(cx: &ExtensionContext<'_>) -> Result<Self> {
        let plan = Plan::read(cx.config())?;
        Ok(Self {
            state: Mutex::new(State {
                queue: RunQueue::new(plan.available.clone()),
                round: Vec::new(),
                rounds: 0,
                filled: None,
                failed: false,
                waiting_workers: WaitingWorkers::default(),
                removed: VecDeque::new(),
            }),
            plan,
            expected: ExpectedFailures::read(cx.config())?,
            changed: Condvar::new(),
        })
    }
}

#[dispatchers]
impl TestScheduler {
    #[callback_dispatcher(FILL_RUN_QUEUE)]
    fn fill(&self, message: &Message<FillRunQueue>, bus: &MessageBus) -> Result<RunQueueFilled> {
        let mut found = std::mem::take(&mut *message.data().found.lock());
        self.expected.note(&mut found);
        let near = self.plan.near(&found);
        let filtered_out = self.plan.apply(&mut found);
        let before = {
            let mut state = self.state.lock();
            state.fill(found, &self.plan.repetition);
            state.queue.len()
        };
        bus.trigger_event(RUN_QUEUE_INITIALIZED, SCHEDULER, RunQueueState::new(before))?;
        let mut state = self.state.lock();
        state.filled = Some(Instant::now());
        let selected = state.queue.waiting();
        Ok(RunQueueFilled {
            filtered_out: filtered_out + before.saturating_sub(selected.len()),
            selected,
            seed: self.plan.seed(),
            near,
        })
    }

    #[callback_dispatcher(SCHEDULE_NEXT_TEST, long_running = true)]
    fn next(&self, message: &Message<NextTest>, bus: &MessageBus) -> Result<Option<Arc<TestCase>>> {
        let worker = message.data().worker;
        let waiting = self.state.lock().queue.len();
        bus.trigger_event(SCHEDULING_NEXT_TEST, SCHEDULER, RunQueueState::new(waiting))?;
        if let Some(case) = self.wait_for_case(worker, bus)? {
            return Ok(Some(case));
        }
        bus.trigger_event(RUN_QUEUE_EMPTY, SCHEDULER, ())?;
        self.state.lock().begin_round(&self.plan.repetition);
        if let Some(case) = self.wait_for_case(worker, bus)? {
            return Ok(Some(case));
        }
        Ok(self.state.lock().removed.pop_front())
    }

    #[callback_dispatcher(ADD_TEST_CASES)]
    fn add(&self, message: &Message<Vec<Arc<TestCase>>>, bus: &MessageBus) -> Result<usize> {
        let waiting = {
            let mut state = self.state.lock();
            if !state.queue.add(message.data().iter().cloned()) {
                return Err(QueueSealed.into());
            }
            state.queue.len()
        };
        self.tell_modified(bus, waiting)?;
        Ok(waiting)
    }

    #[callback_dispatcher(REMOVE_TEST_CASES)]
    fn remove(
        &self,
        message: &Message<RemoveTestCases>,
        bus: &MessageBus,
    ) -> Result<Vec<Arc<TestCase>>> {
        let RemoveTestCases { cases, reason } = message.data();
        let (removed, waiting) = {
            let mut state = self.state.lock();
            let removed = state.queue.remove(cases);
            if state.filled.is_some() {
                let ended = removed.iter().map(|case| {
                    let mut case = TestCase::clone(case);
                    case.disabled = Some(reason.clone());
                    Arc::new(case)
                });
                state.removed.extend(ended);
            }
            (removed, state.queue.len())
        };
        if !removed.is_empty() {
            self.tell_modified(bus, waiting)?;
        }
        Ok(removed)
    }

    #[callback_dispatcher(REORDER_TEST_CASES)]
    fn reorder(&self, message: &Message<Vec<CaseId>>, bus: &MessageBus) -> Result<()> {
        let waiting = {
            let mut state = self.state.lock();
            state.queue.move_to_front(message.data());
            state.queue.len()
        };
        self.tell_modified(bus, waiting)
    }

    #[callback_dispatcher(CLEAR_RUN_QUEUE)]
    fn clear(&self, _message: &Message<()>, bus: &MessageBus) -> Result<Vec<QueuedCase>> {
        let left = {
            let mut state = self.state.lock();
            let mut left = state.queue.close();
            left.extend(state.removed.drain(..).map(QueuedCase::from));
            left
        };
        if !left.is_empty() {
            self.tell_modified(bus, 0)?;
        }
        Ok(left)
    }

    #[callback_dispatcher(GET_CURRENT_RUN_QUEUE)]
    fn current(&self, _message: &Message<()>) -> Vec<Arc<TestCase>> {
        let waiting = self.state.lock().queue.waiting();
        waiting.iter().map(QueuedCase::to_case).collect()
    }

    #[callback_dispatcher(GET_LAST_SCHEDULED_TEST)]
    fn last(&self, _message: &Message<()>) -> Option<Arc<TestCase>> {
        self.state.lock().queue.last().cloned()
    }

    // Commands that run nothing have no runner.
    #[callback_dispatcher(TEST_CASE_FINISHED, optional = true)]
    fn on_finished(&self, message: &Message<TestCaseFinished>) {
        let finished = message.data();
        // The worker has the case still, and all that belongs to it, when it tries again.
        if finished.retried {
            return;
        }
        let mut state = self.state.lock();
        state.failed |= finished.verdict.is_failure();
        if state.queue.release(&finished.case) {
            self.changed.notify_all();
        }
    }

    #[callback_dispatcher(TEST_CASE_PASSED_OVER)]
    fn on_passed_over(&self, message: &Message<CaseId>) {
        if self.state.lock().queue.release(message.data()) {
            self.changed.notify_all();
        }
    }

    // Before the runner hears of it: who is let go finds the gate closed, never the other way round.
    #[callback_dispatcher(SUT_RESET_STARTED, optional = true, priority = 10)]
    fn on_reset_started(&self, message: &Message<SutReset>) {
        if let Some(sut) = message.entity() {
            self.state.lock().queue.hold_back(sut.name());
        }
    }

    #[callback_dispatcher(SUT_RESET_DONE, optional = true, priority = -10)]
    fn on_reset_done(&self, message: &Message<SutReset>) {
        if let Some(sut) = message.entity() {
            self.state.lock().queue.let_go(sut.name());
            self.changed.notify_all();
        }
    }

    #[callback_dispatcher(ABORT)]
    fn on_abort(&self, _message: &Message<Abort>) {
        self.seal();
    }

    #[callback_dispatcher(CRITICAL_ABORT)]
    fn on_critical_abort(&self, _message: &Message<Abort>) {
        self.seal();
    }
}

impl TestScheduler {
    fn seal(&self) {
        self.state.lock().queue.seal();
        self.changed.notify_all();
    }

    fn tell_modified(&self, bus: &MessageBus, waiting: usize) -> Result<()> {
        // Who waits for a resource may find another case now.
        self.changed.notify_all();
        let state = RunQueueState::new(waiting);
        bus.trigger_event(RUN_QUEUE_MODIFIED, SCHEDULER, state)?;
        Ok(())
    }

    /// The next case; waits while all need what others have, or what resets. None when none waits, or the run is being aborted meanwhile.
    fn wait_for_case(&self, worker: u32, bus: &MessageBus) -> Result<Option<Arc<TestCase>>> {
        let mut is_told = false;
        let mut state = self.state.lock();
        let case = loop {
            match state.queue.hand_out(worker) {
                HandOut::Case(case) => break Some(case),
                HandOut::Nothing => break None,
                HandOut::Blocked if state.queue.is_sealed() => break None,
                HandOut::Blocked if state.queue.is_held_back() && !is_told => {
                    is_told = true;
                    let waiting = state.change_waiting_workers(|count| count + 1);
                    // Handlers may change the queue; it is looked at again before anything is waited for.
                    MutexGuard::unlocked(&mut state, || {
                        bus.trigger_event(TEST_CASES_HELD_BACK, SCHEDULER, waiting)
                    })?;
                }
                HandOut::Blocked => self.changed.wait(&mut state),
            }
        };
        if is_told {
            let waiting = state.change_waiting_workers(|count| count - 1);
            drop(state);
            bus.trigger_event(TEST_CASES_HELD_BACK, SCHEDULER, waiting)?;
        }
        Ok(case)
    }
}

impl State {
    fn change_waiting_workers(&mut self, change: impl FnOnce(usize) -> usize) -> WaitingWorkers {
        self.waiting_workers.count = change(self.waiting_workers.count);
        self.waiting_workers.change += 1;
        self.waiting_workers
    }

    fn fill(&mut self, found: Vec<TestCase>, repetition: &Repetition) {
        let rounds = repetition.rounds_at_once();
        self.rounds = rounds;
        if repetition.is_single() {
            self.queue.add(found.into_iter().map(Arc::new));
            return;
        }
        self.round = found.into_iter().map(Arc::new).collect();
        for round in 1..=rounds {
            self.add_round(round);
        }
    }

    /// Adds the cases of another round, if there is one and no other worker has done so meanwhile.
    fn begin_round(&mut self, repetition: &Repetition) {
        let Some(started) = self.filled else { return };
        if self.round.is_empty()
            || !self.queue.is_empty()
            || !repetition.goes_on(self.rounds, started, self.failed)
        {
            return;
        }
        self.rounds += 1;
        self.add_round(self.rounds);
    }

    fn add_round(&mut self, round: u64) {
        let found = self.round.iter().cloned();
        self.queue
            .add(found.map(|case| QueuedCase::in_round(case, round)));
    }
}
