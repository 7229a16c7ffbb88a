//! What a guard does to the event log of a run that nobody goes on with: it gives every case its verdict, and ends the log.
//!
//! Cases that were running are *error* (*aborted* if somebody wanted the end), those that were not started *not-run*. After this
//! the log is that of any other run; reports can be made from it.

use std::time::Duration;

use camino::Utf8Path;
use jiff::Timestamp;

use super::Ended;
use super::continuation::{Continuation, Part};
use crate::case::journal::{self, CaseFiles};
use crate::case::{CaseId, Verdict};
use crate::messages::{RunEnd, RunFinished, TestCaseFinished, TestCaseStarted};
use crate::results::{EVENT_LOG_FILE, OUTPUTS_DIRECTORY, Progress, RecordBody, RunDirectory};
use crate::supervisor::clock::age;

/// What became of the cases without a verdict.
#[derive(Debug, Default)]
pub(super) struct Verdicts {
    /// Cases that were running, in the order in which they had started, and why they ended.
    pub(super) broken_off: Vec<(CaseId, Verdict, String)>,
    /// How many had not been started.
    pub(super) not_run: u64,
}

/// Decides on the cases that have no verdict. `next` is what the next runner would have been told, if there was to be one.
pub(super) fn verdicts(
    ended: Ended,
    wanted: Option<i32>,
    progress: &Progress,
    next: Option<&Continuation>,
) -> Verdicts {
    let broken_off = progress.running.iter().map(|case| {
        let (verdict, reason) = fate(ended, wanted, case, next);
        (case.case.clone(), verdict, reason)
    });
    Verdicts {
        broken_off: broken_off.collect(),
        not_run: progress.waiting(),
    }
}

fn fate(
    ended: Ended,
    wanted: Option<i32>,
    case: &TestCaseStarted,
    next: Option<&Continuation>,
) -> (Verdict, String) {
    let mut told = next.iter().flat_map(|next| &next.broken_off);
    let guilty = told.find(|known| {
        known.execution == case.execution
            && known.started == case.started
            && known.part == Part::Guilty
    });
    match (guilty, wanted) {
        (Some(guilty), _) => (Verdict::Error, guilty.reason.clone()),
        (None, Some(signal)) => (
            Verdict::Aborted,
            format!("{} received", super::name(signal)),
        ),
        (None, None) => (
            Verdict::Error,
            format!("was running when the {}", ended.of_runner()),
        ),
    }
}

/// Adds `verdicts` and the end of the run, which took `spent`, to the log in `directory`. A log that cannot be written stays as it is.
pub(super) fn close(
    ended: Ended,
    directory: &Utf8Path,
    progress: &Progress,
    verdicts: &Verdicts,
    spent: Duration,
) -> std::io::Result<()> {
    // Nobody else may take the run for one that is over, or go on with it.
    let run = RunDirectory::reopen(directory)?;
    let mut log = progress.resume(&directory.join(EVENT_LOG_FILE))?;
    let now = Timestamp::now();
    let reason = ended.of_runner();
    let outputs = directory.join(OUTPUTS_DIRECTORY);
    let mut owed = progress.owed.clone();
    for (case, (id, verdict, reason)) in progress.running.iter().zip(&verdicts.broken_off) {
        if let Some(count) = owed.get_mut(id) {
            *count = count.saturating_sub(1);
        }
        let told = journal::read(&outputs, which(case));
        log.append(RecordBody::CaseFinished(TestCaseFinished {
            attempt: case.attempt,
            duration: Some(age(case.started, case.clock)),
            worker: case.worker,
            reason: Some(reason.as_str().into()),
            steps: told.checks,
            attachments: told.attachments,
            attachments_left_out: told.attachments_left_out,
            ..TestCaseFinished::new(case.execution, id.clone(), *verdict, case.started)
        }));
    }
    let mut execution = progress.last_execution;
    let selected = progress.selected.iter().flat_map(|all| all.cases.iter());
    for id in selected {
        let Some(count @ 1..) = owed.get_mut(id) else {
            continue;
        };
        *count -= 1;
        execution += 1;
        log.append(RecordBody::CaseFinished(TestCaseFinished {
            reason: Some(reason.as_str().into()),
            ..TestCaseFinished::new(execution, id.clone(), Verdict::NotRun, now)
        }));
    }
    if progress.run().is_some() {
        log.append(RecordBody::RunFinished(RunFinished {
            finished: now,
            duration: spent,
            end: RunEnd::Aborted {
                reason: reason.into(),
            },
            // The shell sees what the runner died of.
            exit_code: None,
        }));
    }
    log.sync();
    for case in &progress.running {
        journal::forget(&outputs, which(case));
    }
    run.note_end();
    match log.state().problem {
        Some(problem) => Err(std::io::Error::other(problem.to_string())),
        None => Ok(()),
    }
}

/// What names the files of an attempt.
fn which(case: &TestCaseStarted) -> CaseFiles<'_> {
    CaseFiles {
        number: case.execution,
        attempt: case.attempt,
        case: &case.case,
    }
}
