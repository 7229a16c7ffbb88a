//! Decides which of the cases found are run, and in which order.
//!
//! The extension answers three requests at the endpoint [`SCHEDULER`]: it takes what the finder found, hands out one case at
//! a time, and closes the queue when a run is aborted. It does not run anything and knows no worker.

mod filter;
mod queue;

use std::sync::Arc;

use parking_lot::Mutex;
use zaf_core::prelude::*;

pub use self::filter::{Filter, FilterError, FilterErrors, FilterPatterns};
pub use self::queue::RunQueue;
use crate::case::TestCase;

/// Where the run queue is asked.
pub const SCHEDULER: EndpointId = EndpointId::new("scheduler", "Keeps the queue of test cases.");

/// Fills the queue. Sent once, before the run starts; the reply says what is selected.
pub const FILL_RUN_QUEUE: RequestId<FillRunQueue, RunQueueFilled> = RequestId::new(
    "FILL_RUN_QUEUE",
    "Selects and orders the test cases that were found.",
);

/// Asks for the next case; sent by each worker when it is free, on its own thread. None: the worker ends.
pub const SCHEDULE_NEXT_TEST: RequestId<(), Option<Arc<TestCase>>> =
    RequestId::new("SCHEDULE_NEXT_TEST", "Hands out the next test case.");

/// Empties the queue for good. The reply has what was left, in order.
pub const CLEAR_RUN_QUEUE: RequestId<(), Vec<Arc<TestCase>>> = RequestId::new(
    "CLEAR_RUN_QUEUE",
    "Takes back all test cases that were not handed out.",
);

/// Runs only cases whose id starts with these parts, or matches these globs.
///
/// CLI `--tests-include`, environment `K2_TESTS_INCLUDE`, repeatable, no default (everything).
pub const INCLUDE: OptionId<Vec<String>> = OptionId::text("tests.include")
    .describe("Run only cases whose id starts with these parts, or matches this glob")
    .multiple();

/// Runs only cases in whose id one of these expressions is found.
///
/// CLI `--tests-include-regex`, environment `K2_TESTS_INCLUDE_REGEX`, repeatable, no default.
pub const INCLUDE_REGEX: OptionId<Vec<String>> = OptionId::text("tests.include.regex")
    .describe("Run only cases in whose id this regular expression is found")
    .multiple();

/// Leaves out cases whose id starts with these parts, or matches these globs.
///
/// CLI `--tests-exclude`, environment `K2_TESTS_EXCLUDE`, repeatable, no default.
pub const EXCLUDE: OptionId<Vec<String>> = OptionId::text("tests.exclude")
    .describe("Leave out cases whose id starts with these parts, or matches this glob")
    .multiple();

/// Leaves out cases in whose id one of these expressions is found.
///
/// CLI `--tests-exclude-regex`, environment `K2_TESTS_EXCLUDE_REGEX`, repeatable, no default.
pub const EXCLUDE_REGEX: OptionId<Vec<String>> = OptionId::text("tests.exclude.regex")
    .describe("Leave out cases in whose id this regular expression is found")
    .multiple();

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
    pub selected: Vec<Arc<TestCase>>,
    /// How many were found and not selected.
    pub filtered_out: usize,
}

/// Selects the cases to run and hands them out in the order found.
#[command_extension(
    name = "testscheduler",
    extends = ["schedule"],
    config_options = [
        INCLUDE.optional(),
        INCLUDE_REGEX.optional(),
        EXCLUDE.optional(),
        EXCLUDE_REGEX.optional(),
    ],
    endpoints_and_messages = { SCHEDULER: [FILL_RUN_QUEUE, SCHEDULE_NEXT_TEST, CLEAR_RUN_QUEUE] },
)]
#[derive(Debug)]
pub struct TestScheduler {
    filter: Filter,
    queue: Mutex<RunQueue>,
}

impl Extension for TestScheduler {
    fn new(cx: &ExtensionContext<'_>) -> Result<Self> {
        let config = cx.config();
        let patterns = FilterPatterns {
            include: config.get_optional(INCLUDE)?.unwrap_or_default(),
            include_regex: config.get_optional(INCLUDE_REGEX)?.unwrap_or_default(),
            exclude: config.get_optional(EXCLUDE)?.unwrap_or_default(),
            exclude_regex: config.get_optional(EXCLUDE_REGEX)?.unwrap_or_default(),
        };
        let filter = Filter::new(&patterns)
            .map_err(|problems| ExitCode::Usage.with_error(FilterErrors(problems)))?;
        Ok(Self {
            filter,
            queue: Mutex::default(),
        })
    }
}

#[dispatchers]
impl TestScheduler {
    #[callback_dispatcher(FILL_RUN_QUEUE)]
    fn fill(&self, message: &Message<FillRunQueue>) -> RunQueueFilled {
        let found = std::mem::take(&mut *message.data().found.lock());
        let mut queue = self.queue.lock();
        let filtered_out = queue.fill(found, &self.filter);
        RunQueueFilled {
            selected: queue.waiting().cloned().collect(),
            filtered_out,
        }
    }

    #[callback_dispatcher(SCHEDULE_NEXT_TEST)]
    fn next(&self, _message: &Message<()>) -> Option<Arc<TestCase>> {
        self.queue.lock().hand_out()
    }

    #[callback_dispatcher(CLEAR_RUN_QUEUE)]
    fn clear(&self, _message: &Message<()>) -> Vec<Arc<TestCase>> {
        self.queue.lock().close()
    }
}
