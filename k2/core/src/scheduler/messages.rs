//! What the scheduler is asked, and what it tells.
//!
//! Handlers of its events may change the queue; what they change counts for the very next case that is handed out.

use std::sync::Arc;

use parking_lot::Mutex;
use zaf_core::prelude::*;

use super::QueuedCase;
use crate::case::{CaseId, TestCase};

/// Where the run queue is asked.
pub const SCHEDULER: EndpointId = EndpointId::new("scheduler", "Keeps the queue of test cases.");

/// Fills the queue. Sent once, before the run starts; the reply says what is selected.
pub const FILL_RUN_QUEUE: RequestId<FillRunQueue, RunQueueFilled> = RequestId::new(
    "FILL_RUN_QUEUE",
    "Selects and orders the test cases that were found.",
);

/// Asks for the next case; sent by each worker when it is free, on its own thread. None: the worker ends. Blocks while all cases that wait
/// need what others have.
pub const SCHEDULE_NEXT_TEST: RequestId<NextTest, Option<Arc<TestCase>>> =
    RequestId::new("SCHEDULE_NEXT_TEST", "Hands out the next test case.");

/// Adds cases at the end. The reply says how many wait then; it is an error once the run is being aborted.
pub const ADD_TEST_CASES: RequestId<Vec<Arc<TestCase>>, usize> =
    RequestId::new("ADD_TEST_CASES", "Adds test cases at the end of the queue.");

/// Takes cases out of the queue. Before the run has begun they are filtered out; afterwards they end as ignored, with the reason. The
/// reply has those that were found.
pub const REMOVE_TEST_CASES: RequestId<RemoveTestCases, Vec<Arc<TestCase>>> =
    RequestId::new("REMOVE_TEST_CASES", "Takes test cases out of the queue.");

/// Moves cases to the front of the queue, in this order. Those that do not wait are passed over.
pub const REORDER_TEST_CASES: RequestId<Vec<CaseId>, ()> = RequestId::new(
    "REORDER_TEST_CASES",
    "Moves test cases to the front of the queue.",
);

/// Empties the queue for good. The reply has what was left, in order.
pub const CLEAR_RUN_QUEUE: RequestId<(), Vec<QueuedCase>> = RequestId::new(
    "CLEAR_RUN_QUEUE",
    "Takes back all test cases that were not handed out.",
);

/// Asks for the cases that wait, next one first.
pub const GET_CURRENT_RUN_QUEUE: RequestId<(), Vec<Arc<TestCase>>> = RequestId::new(
    "GET_CURRENT_RUN_QUEUE",
    "Says which test cases wait, in order.",
);

/// Asks for the case that was handed out last.
pub const GET_LAST_SCHEDULED_TEST: RequestId<(), Option<Arc<TestCase>>> = RequestId::new(
    "GET_LAST_SCHEDULED_TEST",
    "Says which test case was handed out last.",
);

/// The queue has its cases; sent once, before [`FILL_RUN_QUEUE`] is answered.
pub const RUN_QUEUE_INITIALIZED: EventId<RunQueueState> =
    EventId::new("RUN_QUEUE_INITIALIZED", "The queue has been filled.");

/// Somebody has changed the queue.
pub const RUN_QUEUE_MODIFIED: EventId<RunQueueState> =
    EventId::new("RUN_QUEUE_MODIFIED", "The queue has been changed.");

/// A worker wants a case; sent on its thread, before the case is chosen.
pub const SCHEDULING_NEXT_TEST: EventId<RunQueueState> = EventId::new(
    "SCHEDULING_NEXT_TEST",
    "The next test case is about to be handed out.",
);

/// A worker wants a case and none waits; sent on its thread.
pub const RUN_QUEUE_EMPTY: EventId<()> =
    EventId::new("RUN_QUEUE_EMPTY", "No test case is left in the queue.");

/// How many workers wait for a case although some wait, because the systems under test of these are resetting. Sent on the thread of a worker that begins to
/// wait, or goes on.
pub const TEST_CASES_HELD_BACK: EventId<WaitingWorkers> = EventId::new(
    "TEST_CASES_HELD_BACK",
    "Workers wait because systems under test are resetting.",
);

/// A case that was handed out is not run, because it has its verdict from an earlier runner: it gives back what it had. Sent by the worker
/// that got it.
pub const TEST_CASE_PASSED_OVER: EventId<CaseId> = EventId::new(
    "TEST_CASE_PASSED_OVER",
    "A test case that was handed out is not run again.",
);

/// Who wants a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct NextTest {
    /// Number of the worker, from 1: it gets, if it can, what shares components of its module with the case that it had last. 0 for the
    /// next case in order.
    pub worker: u32,
}

impl NextTest {
    /// For the worker of that number.
    pub fn for_worker(worker: u32) -> Self {
        Self { worker }
    }
}

/// Payload of [`TEST_CASES_HELD_BACK`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct WaitingWorkers {
    /// How many wait after this change.
    pub count: usize,
    /// Number of this change, from 1. Workers tell of their own at the same time: one with a smaller number that comes later is older.
    pub change: u64,
}

/// What the finder found.
#[derive(Debug)]
pub struct FillRunQueue {
    /// All cases, in the order found. Taken by the first dispatcher that answers.
    pub found: Mutex<Vec<TestCase>>,
}

/// What is going to be run.
#[derive(Debug)]
pub struct RunQueueFilled {
    /// The selected cases in the order in which they will be handed out.
    pub selected: Vec<QueuedCase>,
    /// How many were found and not selected.
    pub filtered_out: usize,
    /// What the order was drawn with, if it was.
    pub seed: Option<u64>,
    /// Where filters leave nothing: a line for each name in them that no case has, with the nearest that one has.
    pub near: Vec<String>,
}

/// Which cases are to be taken out, and why.
#[derive(Debug, Clone)]
pub struct RemoveTestCases {
    /// The cases.
    pub cases: Vec<CaseId>,
    /// Why, for the reports.
    pub reason: String,
}

/// The queue at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunQueueState {
    /// How many cases wait.
    pub waiting: usize,
}

impl RunQueueState {
    pub(super) fn new(waiting: usize) -> Self {
        Self { waiting }
    }
}
