//! An attempt at a case: its beginning and its end.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{CapturedOutput, ExitStatus, LeakedProcess, is_default, microseconds};
use crate::case::{Attachment, CaseId, Location, Parameters, Step, Verdict};

/// An attempt at a case begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestCaseStarted {
    /// Number of the execution, from 1: one per selected case, shared by its attempts.
    pub execution: u64,
    /// Which case.
    pub case: CaseId,
    /// Which try, from 1.
    pub attempt: u32,
    /// When it began.
    pub started: Timestamp,
    /// The worker that runs it, from 1.
    pub worker: u32,
    /// Whether it runs as a function of the runner itself, which it can take down.
    #[serde(default, skip_serializing_if = "is_default")]
    pub in_process: bool,
    /// What the monotonic clock of the machine said then; whole microseconds in the log. Who gives it a verdict after its runner has died
    /// knows by it how long it took, whatever was done to the time of day. Since schema 1.4.
    #[serde(
        rename = "clock_us",
        default,
        with = "microseconds::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub clock: Option<Duration>,
}

/// An attempt at a case has ended, or a case will not be started at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestCaseFinished {
    /// Number of the execution, from 1: one per selected case, shared by its attempts.
    pub execution: u64,
    /// Which case.
    pub case: CaseId,
    /// Which try, from 1.
    pub attempt: u32,
    /// How it ended.
    pub verdict: Verdict,
    /// Whether another attempt follows; if so, this is not the verdict of the execution.
    #[serde(default, skip_serializing_if = "is_default")]
    pub retried: bool,
    /// When it began; for a case that did not start, when that was decided.
    pub started: Timestamp,
    /// How long it took, by the monotonic clock; whole microseconds in the log. None if it did not start.
    #[serde(
        rename = "duration_us",
        default,
        with = "microseconds::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub duration: Option<Duration>,
    /// The worker that ran it, from 1; 0 if it did not start.
    #[serde(default)]
    pub worker: u32,
    /// Why, in one line: for everything but a pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Arc<str>>,
    /// More about the reason, in as many lines as it takes; without frames of the framework.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Arc<str>>,
    /// How its process ended; none for functions and for cases that did not start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<ExitStatus>,
    /// What it wrote to standard output.
    #[serde(default, skip_serializing_if = "CapturedOutput::is_empty")]
    pub stdout: CapturedOutput,
    /// What it wrote to standard error.
    #[serde(default, skip_serializing_if = "CapturedOutput::is_empty")]
    pub stderr: CapturedOutput,
    /// Verdicts within the case, in order: the points of a TAP producer, or the checks that failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
    /// Processes that it left behind and that were ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leaked: Vec<LeakedProcess>,
    /// Numbers of its processes that are still there although they were killed: the kernel does not let go of them. Since schema 1.6.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unkillable: Vec<u32>,
    /// Parameters, in the order of the case's declaration.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub parameters: Parameters,
    /// Words to select cases by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Arc<str>>,
    /// Who looks after the case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Arc<str>>,
    /// Names of the systems under test that it ran on; that of the first parameter first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suts: Vec<Arc<str>>,
    /// Where the case is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// That it was expected to fail, if it was, and it failed or passed. Since schema 1.2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_failure: Option<Box<ExpectedFailure>>,
    /// Files that belong to the attempt. Since schema 1.2.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// How many more files there were: over a limit, or no regular files. Since schema 1.2.
    #[serde(default, skip_serializing_if = "is_default")]
    pub attachments_left_out: u64,
    /// Id of the run that it was a part of, in a log that was put together of several. Since schema 1.3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Arc<str>>,
    /// Whether other runs said something else of the case: then theirs stand before it as attempts. Since schema 1.3.
    #[serde(default, skip_serializing_if = "is_default")]
    pub conflict: bool,
}

/// What became of the expectation that a case fails.
///
/// The verdict of a case that failed as expected is *skipped*, that of one that passed *failed*, or *passed* where a pass is only
/// told; so whoever does not know of expectations counts it right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedFailure {
    /// How the case ended by itself: failed, error, timed out, or passed.
    pub ended: Verdict,
    /// Why it was expected to fail.
    pub reason: Arc<str>,
    /// Where the fault is tracked, if that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Arc<str>>,
    /// Who said so: `code`, `run time`, or `file:line` of a list.
    pub by: Arc<str>,
}

impl ExpectedFailure {
    /// Whether it failed, as expected.
    pub fn is_met(&self) -> bool {
        self.ended.is_failure()
    }
}

impl TestCaseFinished {
    /// The case `case` with `verdict`, nothing else known: first attempt, no worker, no output.
    pub fn new(execution: u64, case: CaseId, verdict: Verdict, started: Timestamp) -> Self {
        Self {
            execution,
            case,
            attempt: 1,
            verdict,
            retried: false,
            started,
            duration: None,
            worker: 0,
            reason: None,
            detail: None,
            exit: None,
            stdout: CapturedOutput::default(),
            stderr: CapturedOutput::default(),
            steps: Vec::new(),
            leaked: Vec::new(),
            unkillable: Vec::new(),
            parameters: Parameters::default(),
            tags: Vec::new(),
            owner: None,
            suts: Vec::new(),
            location: None,
            expected_failure: None,
            attachments: Vec::new(),
            attachments_left_out: 0,
            run: None,
            conflict: false,
        }
    }

    /// A case that passed, for tests and documentation.
    pub fn example() -> Self {
        Self {
            duration: Some(Duration::from_millis(4)),
            worker: 1,
            exit: Some(ExitStatus::Code { code: 0 }),
            ..Self::new(
                1,
                CaseId::new("example::passes"),
                Verdict::Passed,
                Timestamp::UNIX_EPOCH,
            )
        }
    }

    /// Whether it passed after an attempt that did not.
    pub fn is_flaky(&self) -> bool {
        self.verdict == Verdict::Passed && self.attempt > 1
    }

    /// Whether it failed and was expected to.
    pub fn is_expected_failure(&self) -> bool {
        let expected = self.expected_failure.as_ref();
        expected.is_some_and(|expected| expected.is_met())
    }

    /// Whether it passed and was expected to fail.
    pub fn is_unexpected_pass(&self) -> bool {
        let expected = self.expected_failure.as_ref();
        expected.is_some_and(|expected| !expected.is_met())
    }

    /// The word for how it ended: that of the verdict, or `expected-failure` or `unexpected-pass`.
    pub fn outcome(&self) -> &'static str {
        match &self.expected_failure {
            Some(expected) if expected.is_met() => "expected-failure",
            Some(_) => "unexpected-pass",
            None => self.verdict.as_str(),
        }
    }
}
