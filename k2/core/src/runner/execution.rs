//! One execution of one case: from its start to what is said about its end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use jiff::Timestamp;
use zaf_core::component::Scope;

use super::settings::Settings;
use crate::case::{
    CaseAction, CaseFunction, Outcome, ProcessCase, TestCase, TestContext, Verdict, catch,
};
use crate::messages::{LeakedProcess, Step, TestCaseFinished, TestCaseStarted};
use crate::supervisor::{self, Cancellation};

/// One try of a case on one worker.
#[derive(Debug)]
pub(super) struct Execution {
    /// Number of the execution, from 1; its attempts share it.
    pub(super) number: u64,
    /// Which try, from 1.
    pub(super) attempt: u32,
    /// Number of the worker, from 1.
    pub(super) worker: u32,
    /// What is run.
    pub(super) case: Arc<TestCase>,
    /// When it began, for people.
    pub(super) started: Timestamp,
    /// When it began, for durations.
    pub(super) clock: Instant,
}

impl Execution {
    /// The time limit that applies; the case's own wins.
    pub(super) fn limit(&self, settings: &Settings) -> Option<Duration> {
        self.case.timeout.or(settings.timeout)
    }

    /// Whether it runs as a function on the worker's thread.
    pub(super) fn is_in_process(&self) -> bool {
        matches!(self.case.action, CaseAction::Function(_))
    }

    /// What is said when it begins.
    pub(super) fn to_started(&self) -> TestCaseStarted {
        TestCaseStarted {
            execution: self.number,
            case: self.case.id.clone(),
            attempt: self.attempt,
            started: self.started,
            worker: self.worker,
        }
    }

    /// What is said when it has ended like this, now.
    pub(super) fn to_finished(&self, verdict: Verdict, reason: Option<Arc<str>>) -> TestCaseFinished {
        let mut finished = not_started(self.number, &self.case, verdict, reason);
        finished.attempt = self.attempt;
        finished.started = self.started;
        finished.duration = Some(self.clock.elapsed());
        finished.worker = self.worker;
        finished
    }

    /// Runs the case on the calling thread and says how it ended.
    ///
    /// `scope` is the module's scope, `cancellation` the worker's.
    pub(super) fn run(
        &self,
        settings: &Settings,
        scope: &Scope,
        outputs: &Utf8PathBuf,
        cancellation: &Cancellation,
    ) -> TestCaseFinished {
        match &self.case.action {
            CaseAction::Function(function) => self.run_function(function, scope, cancellation),
            CaseAction::Process(process) => {
                self.run_process(process, settings, outputs, cancellation)
            }
            CaseAction::LoadFailure(reason) => {
                self.to_finished(Verdict::Error, Some(reason.as_str().into()))
            }
        }
    }
}

/// What is said about a case that is not started.
pub(super) fn not_started(
    number: u64,
    case: &TestCase,
    verdict: Verdict,
    reason: Option<Arc<str>>,
) -> TestCaseFinished {
    let mut finished =
        TestCaseFinished::new(number, case.id.clone(), verdict, Timestamp::now());
    finished.reason = reason;
    finished.location.clone_from(&case.location);
    finished.parameters = case
        .parameters
        .iter()
        .map(|(name, value)| (name.as_str().into(), value.as_str().into()))
        .collect();
    finished
}
