//! From the sources on the command line to the selected cases: the first half of `run`, and all of `list`.

use zaf_core::application::Fault;
use zaf_core::prelude::*;

use crate::finder::{self, FIND_TEST_CASES, FINDER, FindTestCases, SourceSpec};
use crate::scheduler::{FILL_RUN_QUEUE, FillRunQueue, RunQueueFilled, SCHEDULER};

/// Files, directories and `kind:path` to take test cases from; none: the cases that are linked into the program.
///
/// Positional, repeatable; environment `K2_TEST_SOURCES`, no default.
pub const SOURCES: OptionId<Vec<String>> = OptionId::text("test.sources")
    .describe("Files, directories or kind:path (exec, tap, libtest, gtest, rust) to take test cases from; none: the linked ones")
    .multiple()
    .argument();

/// What a run would run.
#[derive(Debug)]
pub(super) struct Selection {
    /// The scheduler's answer; its queue is filled. At least one case is selected.
    pub(super) filled: RunQueueFilled,
    /// How many sources were asked for.
    pub(super) sources: usize,
}
