//! What a runner has to do when it goes on with the run of one that died.
//!
//! The queue is filled as it was the first time; of what it hands out, the cases that have their verdict are passed over. So it does
//! not matter in which order or how often a scheduler hands out cases. What was selected and is not handed out any more is not run.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;

use super::execution;
use crate::case::{CaseAction, CaseId, TestCase, Verdict};
use crate::messages::{CasesSelected, RunResumed, TestCaseFinished};
use crate::results::Progress;
use crate::supervisor::clock::age;
use crate::supervisor::guard::{BrokenOff, Continuation, Part};

/// What is left of a run whose runner died.
#[derive(Debug)]
pub struct Resumed {
    continuation: Continuation,
    progress: Progress,
    left: Mutex<Left>,
}

#[derive(Debug, Default)]
struct Left {
    /// How often each case is still to get a verdict.
    owed: BTreeMap<CaseId, u64>,
    /// Executions that have begun already.
    begun: BTreeMap<CaseId, Vec<Begun>>,
}

/// An execution that has begun in another runner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Begun {
    /// Its number.
    pub(super) execution: u64,
    /// The attempt that is next.
    pub(super) attempt: u32,
    /// Whether it may have killed the runner, and must not run in one again.
    pub(super) apart: bool,
}

/// What a case still needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owed {
    /// It has its verdict.
    Nothing,
    /// An execution.
    Execution,
    /// Another attempt of one that has begun.
    Rest(Begun),
}

impl Resumed {
    /// Of the run that `continuation` tells of, as far as its log has it.
    pub(crate) fn new(continuation: &Continuation, progress: Progress) -> Self {
        let left = Left {
            owed: progress.owed.clone(),
            begun: BTreeMap::new(),
        };
        Self {
            continuation: continuation.clone(),
            progress,
            left: Mutex::new(left),
        }
    }

    /// What the log says.
    pub(crate) fn progress(&self) -> &Progress {
        &self.progress
    }

    /// How long the run has gone on by now, without the time for which it was stopped.
    pub(crate) fn spent(&self) -> Duration {
        self.continuation.spent()
    }

    /// What was selected when the run began.
    pub(super) fn selected(&self) -> Option<CasesSelected> {
        self.progress.selected.clone()
    }

    /// What is told about it.
    pub(super) fn to_message(&self) -> RunResumed {
        let summary = &self.progress.summary;
        RunResumed {
            resumed: Timestamp::now(),
            reason: self.continuation.reason.as_str().into(),
            runner: self.continuation.runner,
            selected: summary.selected(),
            finished: summary.recorded(),
            failures: summary.counts().failures(),
        }
    }

    /// Whether functions must not run in the runner any more.
    pub(super) fn is_apart(&self) -> bool {
        self.continuation.apart
    }

    /// Attempts that ended with the runner.
    pub(super) fn broken_off(&self) -> &[BrokenOff] {
        &self.continuation.broken_off
    }

    /// Highest number of an execution so far.
    pub(super) fn last_execution(&self) -> u64 {
        self.progress.last_execution
    }

    /// Notes that a broken off attempt is followed by another.
    pub(super) fn runs_again(&self, case: &BrokenOff) {
        let is_guilty = case.part == Part::Guilty;
        self.left
            .lock()
            .begun
            .entry(case.case.clone())
            .or_default()
            .push(Begun {
                execution: case.execution,
                attempt: case.attempt + u32::from(is_guilty),
                apart: case.part != Part::Bystander,
            });
    }

    /// Notes that `case` has got a verdict.
    pub(super) fn has_verdict(&self, case: &CaseId) {
        self.left.lock().take(case);
    }

    /// Whether a case that was handed out is to be run.
    pub(super) fn take(&self, case: &CaseId) -> Owed {
        let mut left = self.left.lock();
        if !left.take(case) {
            return Owed::Nothing;
        }
        match left.begun.get_mut(case).and_then(Vec::pop) {
            Some(begun) => Owed::Rest(begun),
            None => Owed::Execution,
        }
    }

    /// Takes all that is left, in order of their ids.
    pub(super) fn take_rest(&self) -> Vec<(CaseId, Option<Begun>)> {
        let mut left = self.left.lock();
        let owed = std::mem::take(&mut left.owed);
        let ids = owed
            .into_iter()
            .flat_map(|(id, count)| (0..count).map(move |_| id.clone()));
        let mut rest = Vec::new();
        for id in ids {
            let begun = left.begun.get_mut(&id).and_then(Vec::pop);
            rest.push((id, begun));
        }
        rest
    }
}

impl Left {
    fn take(&mut self, case: &CaseId) -> bool {
        let Some(count) = self.owed.get_mut(case) else {
            return false;
        };
        *count -= 1;
        if *count == 0 {
            self.owed.remove(case);
        }
        true
    }
}

/// What is said of an attempt that ended with its runner. `case` is what was found again.
pub(super) fn to_finished(broken_off: &BrokenOff, case: Option<&TestCase>) -> TestCaseFinished {
    let verdict = match broken_off.part {
        Part::Guilty => Verdict::Error,
        Part::Suspect | Part::Bystander => Verdict::Aborted,
    };
    let reason = Some(broken_off.reason.as_str().into());
    let unknown = || {
        let action = CaseAction::LoadFailure(String::new());
        TestCase::new(broken_off.case.clone(), action)
    };
    let case = case.cloned().unwrap_or_else(unknown);
    let mut finished = execution::not_started(broken_off.execution, &case, verdict, reason);
    finished.attempt = broken_off.attempt;
    finished.started = broken_off.started;
    finished.duration = Some(age(broken_off.started, broken_off.clock));
    finished.worker = broken_off.worker;
    finished
}
