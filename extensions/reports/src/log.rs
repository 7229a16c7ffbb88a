//! The event log as reporters want it: the totals first, then case by case.
//!
//! The file is read once for the totals, which all reporters share ([`RunLogs`]), and once by each of them for the cases: so totals
//! can stand before the cases, and memory does not grow with their number. Only attempts that are followed by another,
//! and in the log of a killed run the names of its cases, are held.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use k2::case::{CaseId, Verdict};
use k2::messages::TestCaseFinished;
use k2::results::event_log::{EventLogReader, ReadError};
use k2::results::{RecordBody, Summary};
use parking_lot::Mutex;
use thiserror::Error;
use zaf_core::prelude::*;

/// Why a report could not be made of a log.
#[derive(Debug, Error)]
#[error("cannot make a report of event log `{path}`")]
pub(crate) struct LogError {
    path: Utf8PathBuf,
    #[source]
    source: ReadError,
}

/// One execution of a case.
#[derive(Debug, Clone)]
pub(crate) struct Execution {
    /// The attempt that decided.
    pub(crate) last: TestCaseFinished,
    /// Those before it, in order; empty as a rule.
    pub(crate) earlier: Vec<TestCaseFinished>,
}

/// The logs that reporters of one session read: the totals of a log are added up once.
#[derive(Debug, Default)]
pub(crate) struct RunLogs {
    last: Mutex<Option<(u64, Arc<RunLog>)>>,
}

/// Shared by all reporters.
#[component]
fn run_logs() -> RunLogs {
    RunLogs::default()
}

impl RunLogs {
    /// The log `path` with its totals. A log that has grown since it was read is read anew; nothing else happens to one.
    pub(crate) fn open(&self, path: &Utf8Path) -> Result<Arc<RunLog>, LogError> {
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
pub(crate) struct RunLog {
    path: Utf8PathBuf,
    summary: Summary,
    torn_bytes: u64,
    missing_records: u64,
    last_time: Option<Timestamp>,
}

impl RunLog {
    /// Reads the log `path` once, for its totals.
    pub(crate) fn open(path: &Utf8Path) -> Result<Self, LogError> {
        let mut summary = Summary::new();
        let failed = |source| LogError {
            path: path.to_owned(),
            source,
        };
        let mut reader = EventLogReader::open(path).map_err(failed)?.without_starts();
        for record in reader.by_ref() {
            summary.add(&record.map_err(failed)?.body);
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
    pub(crate) fn summary(&self) -> &Summary {
        &self.summary
    }

    /// What is wrong with the log itself, a sentence each; empty as a rule.
    pub(crate) fn damages(&self) -> Vec<String> {
        let mut damages = Vec::new();
        if self.torn_bytes > 0 {
            damages.push(format!(
                "the event log ends in the middle of a record: {} were cut off",
                crate::layout::size(self.torn_bytes)
            ));
        }
        if self.missing_records > 0 {
            let records = crate::layout::many(self.missing_records, "record");
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
    pub(crate) fn for_each<E: From<LogError>>(
        &self,
        mut each: impl FnMut(&Execution) -> Result<(), E>,
    ) -> Result<(), E> {
        let failed = |source| LogError {
            path: self.path.clone(),
            source,
        };
        let mut attempts: BTreeMap<u64, Vec<TestCaseFinished>> = BTreeMap::new();
        let mut open = self.summary.unfinished().gt(&0).then(OpenCases::default);
        let mut reader = EventLogReader::open(&self.path).map_err(failed)?;
        if open.is_none() {
            reader = reader.without_starts();
        }
        for record in reader {
            let body = record.map_err(failed)?.body;
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
