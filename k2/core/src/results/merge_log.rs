//! What one log has to say when it is put together with others, execution by execution.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::model::{HookFailed, RunFinished, RunMerged, RunStarted, SutRecovery, TestCaseFinished};
use super::record::RecordBody;
use super::run_log::OpenCases;

/// Attempts at a case in one log, each with the place of its line.
type Attempts = Vec<(u64, TestCaseFinished)>;

/// What a record of a log adds.
pub(super) enum Said {
    /// Which run it is of.
    Run(RunStarted),
    /// All attempts at a case, each with the place of its line.
    Execution(Attempts),
    /// Nothing that is needed at once.
    Nothing,
}

/// What a log says, without executions that have ended.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) run: Option<RunStarted>,
    pub(super) end: Option<RunFinished>,
    pub(super) selected: u64,
    pub(super) filtered_out: u64,
    pub(super) sources: u64,
    pub(super) merged: Vec<RunMerged>,
    pub(super) hooks: Vec<HookFailed>,
    pub(super) recoveries: Vec<SutRecovery>,
    /// Of executions of which another attempt follows.
    attempts: BTreeMap<u64, Attempts>,
    pub(super) open: OpenCases,
    pub(super) last_time: Timestamp,
}

impl Log {
    pub(super) fn add(&mut self, record: RecordBody, line: u64) -> Said {
        self.open.add(&record);
        match record {
            RecordBody::RunStarted(run) => {
                self.last_time = self.last_time.max(run.started);
                self.run = Some(run.clone());
                return Said::Run(run);
            }
            RecordBody::CasesSelected(selected) => {
                self.selected = selected.cases.len() as u64;
                self.filtered_out = selected.filtered_out;
                self.sources = selected.sources;
            }
            RecordBody::CaseFinished(case) => {
                self.last_time = self.last_time.max(case.started);
                if case.retried {
                    let attempts = self.attempts.entry(case.execution).or_default();
                    attempts.push((line, case));
                } else {
                    let mut attempts = self.attempts.remove(&case.execution).unwrap_or_default();
                    attempts.push((line, case));
                    return Said::Execution(attempts);
                }
            }
            RecordBody::RunMerged(run) => self.merged.push(run),
            RecordBody::HookFailed(hook) => self.hooks.push(hook),
            RecordBody::SutRecovery(recovery) => self.recoveries.push(recovery),
            RecordBody::RunFinished(end) => self.end = Some(end),
            _ => {}
        }
        Said::Nothing
    }
}

/// The attempts at a case by the run that made them: in a merged log those of one stand together, and each is a log of its own.
pub(super) fn runs_of(attempts: Attempts) -> Vec<Attempts> {
    let mut runs: Vec<Attempts> = Vec::new();
    for attempt in attempts {
        let of_last = runs.last_mut().filter(|known| {
            known.last().is_some_and(|(_, before)| {
                before.run == attempt.1.run && before.attempt < attempt.1.attempt
            })
        });
        match of_last {
            Some(known) => known.push(attempt),
            None => runs.push(vec![attempt]),
        }
    }
    runs
}
