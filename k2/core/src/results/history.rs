//! What is known of earlier runs, for reports that show it.
//!
//! Who keeps a history answers [`RUN_HISTORY`](crate::messages::RUN_HISTORY); where nobody does, reports show none.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::case::{CaseId, Verdict};

/// Payload of [`RUN_HISTORY`](crate::messages::RUN_HISTORY).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskHistory {
    /// The run that the report is about, which is no part of its own history; none if its log does not say.
    pub run: Option<Arc<str>>,
    /// How many runs before it are wanted at most.
    pub most_runs: usize,
}

/// What is known of earlier runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// The runs, oldest first.
    pub runs: Vec<PastRun>,
    /// Cases that ran in them: each once, in any order. Those that always passed may be left out.
    pub cases: Vec<CaseHistory>,
}

/// One earlier run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastRun {
    /// Its id.
    pub run: Arc<str>,
    /// When it began.
    pub started: Timestamp,
    /// How long it took; none if it was killed.
    pub duration: Option<Duration>,
    /// How many of its cases passed, flaky ones included.
    pub passed: u64,
    /// How many failed, timed out or ended in error.
    pub failures: u64,
    /// How many passed after an attempt that did not.
    pub flaky: u64,
    /// How many have any other verdict.
    pub others: u64,
}

/// What became of one case in earlier runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseHistory {
    /// The case.
    pub case: CaseId,
    /// Its executions, oldest first.
    pub executions: Vec<PastExecution>,
}

/// One execution in an earlier run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastExecution {
    /// Index of the run in [`History::runs`].
    pub run: usize,
    /// How it ended.
    pub verdict: Verdict,
    /// Whether it passed after an attempt that did not.
    pub is_flaky: bool,
    /// How long the deciding attempt took; none if it did not start.
    pub duration: Option<Duration>,
}
