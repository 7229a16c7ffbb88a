//! The event log as reporters want it: the totals first, then case by case.
//!
//! The file is read once for the totals, which all reporters share ([`RunLogs`]), and once by each of them for the cases: so totals
//! can stand before the cases, and memory does not grow with their number. Only attempts that are followed by another,
//! and in the log of a killed run the names of its cases, are held.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use parking_lot::Mutex;
use thiserror::Error;
use zaf_core::prelude::*;

use super::event_log::{EventLogReader, ReadError};
use super::{RecordBody, Summary, TestCaseFinished};
use crate::case::{CaseId, Verdict};

/// Why a report could not be made of a log.
#[derive(Debug, Error)]
#[error(transparent)]
pub struct RunLogError(#[from] ReadError);

/// One execution of a case.
#[derive(Debug, Clone)]
pub struct Execution {
    /// The attempt that decided.
    pub last: TestCaseFinished,
    /// Those before it, in order; empty as a rule.
    pub earlier: Vec<TestCaseFinished>,
}

/// The logs that reporters of one session read: the totals of a log are added up once.
#[derive(Debug, Default)]
pub struct RunLogs {
    last: Mutex<Option<(u64, Arc<RunLog>)>>,
}

/// Shared by all reporters.
#[component]
fn run_logs() -> RunLogs {
    RunLogs::default()
}

impl RunLogs {
    /// The log `path` with its totals. A log that has grown since it was read is read anew; nothing else happens to one.
    ///
    /// # Errors
    /// If the log cannot be read to its end.
    pub fn open(&self, path: &Utf8Path) -> Result<Arc<RunLog>, RunLogError> {
        let length = path.metadata().map_or(0, |found| found.len());
        let mut last = self.last.lock();
        if let Some((known, log)) = last.as_ref()
            && *known == length
            && log.path == path
        {
            return Ok(Arc::clone(log));
        }
        let log = Arc::new(RunLog::open(path)?);
        *last = Some((length, Arc::clone(&log)));
        Ok(log)
    }
}

/// The event log of a run that has ended, one way or another.
#[derive(Debug)]
pub struct RunLog {
    path: Utf8PathBuf,
    summary: Summary,
    torn_bytes: u64,
    missing_records: u64,
    last_time: Option<Timestamp>,
}

impl RunLog {
    /// Reads the log `path` once, for its totals.
    ///
    /// # Errors
    /// If it cannot be read to its end. An unfinished last line is no error, see [`RunLog::damages`].
    pub fn open(path: &Utf8Path) -> Result<Self, RunLogError> {
        let mut summary = Summary::new();
        let mut reader = EventLogReader::open(path)?.without_starts();
        for record in reader.by_ref() {
            summary.add(&record?.body);
        }
        Ok(Self {
            path: path.to_owned(),
            summary,
            torn_bytes: reader.torn_bytes(),
            missing_records: reader.missing_records(),
            last_time: reader.last_time(),
        })
    }

    /// What the records add up to.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// What is wrong with the log itself, a sentence each; empty as a rule.
    pub fn damages(&self) -> Vec<String> {
        let mut damages = Vec::new();
        if self.torn_bytes > 0 {
            let bytes = many(self.torn_bytes, "byte");
            damages.push(format!(
                "the event log ends in the middle of a record: {bytes} cut off"
            ));
        }
        if self.missing_records > 0 {
            let records = many(self.missing_records, "record");
            damages.push(format!(
                "the event log lacks {records} that could not be written"
            ));
        }
        if self.summary.end().is_none() {
            damages.push("the event log ends before the run did: it was killed".to_owned());
        }
        damages
    }

    /// Hands every execution to `each`, in the order in which they ended; then the cases that have no verdict in the log,
    /// in the order in which they were selected, as not run. `each` ends it by returning an error.
    ///
    /// # Errors
    /// What `each` returns, or that the log cannot be read.
    pub fn for_each<E: From<RunLogError>>(
        &self,
        mut each: impl FnMut(&Execution) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut attempts: BTreeMap<u64, Vec<TestCaseFinished>> = BTreeMap::new();
        let mut open = self.summary.unfinished().gt(&0).then(OpenCases::default);
        let mut reader = EventLogReader::open(&self.path).map_err(RunLogError)?;
        if open.is_none() {
            reader = reader.without_starts();
        }
        for record in reader {
            let body = record.map_err(RunLogError)?.body;
            if let Some(open) = &mut open {
                open.add(&body);
            }
            let RecordBody::CaseFinished(case) = body else {
                continue;
            };
            if case.retried {
                attempts.entry(case.execution).or_default().push(case);
            } else {
                let earlier = attempts.remove(&case.execution).unwrap_or_default();
                each(&Execution {
                    last: case,
                    earlier,
                })?;
            }
        }
        let ended = self.last_time.unwrap_or(Timestamp::UNIX_EPOCH);
        for last in open.into_iter().flat_map(|open| open.into_cases(ended)) {
            each(&Execution {
                last,
                earlier: Vec::new(),
            })?;
        }
        Ok(())
    }
}

/// `count` things: `1 byte`, `2 bytes`.
fn many(count: u64, thing: &str) -> String {
    match count {
        1 => format!("1 {thing}"),
        count => format!("{count} {thing}s"),
    }
}

/// The cases of a log that have no verdict in it.
#[derive(Debug, Default)]
struct OpenCases {
    selected: Vec<CaseId>,
    started: BTreeMap<CaseId, Timestamp>,
    finished: BTreeSet<CaseId>,
}

impl OpenCases {
    fn add(&mut self, body: &RecordBody) {
        match body {
            RecordBody::CasesSelected(selected) => self.selected = selected.cases.to_vec(),
            RecordBody::CaseStarted(case) => {
                self.started.insert(case.case.clone(), case.started);
            }
            RecordBody::CaseFinished(case) if !case.retried => {
                self.finished.insert(case.case.clone());
            }
            _ => {}
        }
    }

    fn into_cases(self, ended: Timestamp) -> impl Iterator<Item = TestCaseFinished> {
        let Self {
            selected,
            started,
            finished,
        } = self;
        (1..)
            .zip(selected)
            .filter(move |(_, case)| !finished.contains(case))
            .map(move |(execution, case)| {
                let start = started.get(&case);
                let reason = match start {
                    Some(_) => "was running when the event log ends",
                    None => "the run ended before its turn",
                };
                TestCaseFinished {
                    reason: Some(reason.into()),
                    ..TestCaseFinished::new(
                        execution,
                        case,
                        Verdict::NotRun,
                        start.copied().unwrap_or(ended),
                    )
                }
            })
    }
}
