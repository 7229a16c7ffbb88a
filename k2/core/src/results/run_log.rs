//! The event log as reporters want it: the totals first, then case by case.
//!
//! The file is read once for the totals, which all reporters share ([`RunLogs`]), and once more for the cases, which those share who go through
//! them at the same time: so totals can stand before the cases, and memory does not grow with their number. Only attempts that are followed by another,
//! and in the log of a killed run the names of its cases, are held.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use parking_lot::Mutex;
use thiserror::Error;
use zaf_core::prelude::*;

use super::event_log::{EventLogReader, ReadError};
use super::shared_read::{Executions, Next, SharedRead};
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
    /// The log `path` with its totals, for somebody who will go through its cases: those who do so at the same time share the reading.
    ///
    /// # Errors
    /// If the log cannot be read to its end.
    pub fn open(&self, path: &Utf8Path) -> Result<Arc<RunLog>, RunLogError> {
        let log = self.totals(path)?;
        log.known.shared.expect_one();
        Ok(Arc::new(RunLog {
            known: Arc::clone(&log.known),
            is_expected: AtomicBool::new(true),
        }))
    }

    /// Takes over the totals of a log of `length` bytes from whoever wrote it: nobody has to read it for them.
    pub(super) fn remember(&self, length: u64, log: RunLog) {
        *self.last.lock() = Some((length, Arc::new(log)));
    }

    /// The log `path` for its totals. A log that has grown since it was read is read anew; nothing else happens to one.
    ///
    /// # Errors
    /// If the log cannot be read to its end.
    pub fn totals(&self, path: &Utf8Path) -> Result<Arc<RunLog>, RunLogError> {
        let length = path.metadata().map_or(0, |found| found.len());
        let mut last = self.last.lock();
        if let Some((known, log)) = last.as_ref()
            && *known == length
            && log.known.path == path
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
    known: Arc<Known>,
    /// Whether others wait for this one to go through the cases.
    is_expected: AtomicBool,
}

/// What several share who read a log.
#[derive(Debug)]
struct Known {
    path: Utf8PathBuf,
    summary: Summary,
    torn_bytes: u64,
    missing_records: u64,
    last_time: Option<Timestamp>,
    shared: SharedRead,
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
        Ok(Self::of(Known {
            path: path.to_owned(),
            summary,
            torn_bytes: reader.torn_bytes(),
            missing_records: reader.missing_records(),
            last_time: reader.last_time(),
            shared: SharedRead::default(),
        }))
    }

    /// The log `path`, whose records are all there and add up to `summary`.
    pub(super) fn known(path: Utf8PathBuf, summary: Summary, last_time: Option<Timestamp>) -> Self {
        Self::of(Known {
            path,
            summary,
            torn_bytes: 0,
            missing_records: 0,
            last_time,
            shared: SharedRead::default(),
        })
    }

    fn of(known: Known) -> Self {
        Self {
            known: Arc::new(known),
            is_expected: AtomicBool::new(false),
        }
    }

    /// What the records add up to.
    pub fn summary(&self) -> &Summary {
        &self.known.summary
    }

    /// What is wrong with the run besides its cases, a sentence each: with its log, hooks that failed, and processes that could not be
    /// killed. Empty as a rule.
    pub fn damages(&self) -> Vec<String> {
        let mut damages = self.log_damages();
        let summary = &self.known.summary;
        let hooks = summary.failed_hooks().iter();
        damages.extend(hooks.map(|hook| format!("a hook failed: {hook}")));
        let unkillable = summary.unkillable();
        damages.extend((!unkillable.is_empty()).then(|| unkillable.to_string()));
        damages
    }

    /// What is wrong with the log itself, a sentence each; empty as a rule.
    pub fn log_damages(&self) -> Vec<String> {
        let mut damages = Vec::new();
        if self.known.torn_bytes > 0 {
            let bytes = many(self.known.torn_bytes, "byte");
            damages.push(format!(
                "the event log ends in the middle of a record: {bytes} cut off"
            ));
        }
        if self.known.missing_records > 0 {
            let records = many(self.known.missing_records, "record");
            damages.push(format!(
                "the event log lacks {records} that could not be written"
            ));
        }
        if self.known.summary.end().is_none() {
            damages.push(
                "the event log ends before the run did: it was killed, or its disk was full"
                    .to_owned(),
            );
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
        let mut handed = 0;
        if self.known.summary.unfinished() > 0 {
            self.is_not_expected();
            return self.for_each_with_open(each);
        }
        let joined = self.known.shared.join(&self.known.path);
        self.is_not_expected();
        if let Some((reader, missed)) = joined {
            if missed > 0 {
                let executions = Executions::open(&self.known.path).map_err(RunLogError)?;
                for execution in executions.take(missed) {
                    each(&execution.map_err(RunLogError)?)?;
                }
                handed = missed;
            }
            loop {
                match reader.next() {
                    Next::Chunk(executions) => {
                        handed += executions.len();
                        executions.iter().try_for_each(&mut each)?;
                    }
                    Next::End => return Ok(()),
                    Next::Lost => break,
                }
            }
        }
        let executions = Executions::open(&self.known.path).map_err(RunLogError)?;
        for execution in executions.skip(handed) {
            each(&execution.map_err(RunLogError)?)?;
        }
        Ok(())
    }

    /// Nobody has to wait for this one any more.
    fn is_not_expected(&self) {
        if self.is_expected.swap(false, Ordering::Relaxed) {
            self.known.shared.expect_one_less();
        }
    }

    /// The same for a log in which cases have no verdict.
    fn for_each_with_open<E: From<RunLogError>>(
        &self,
        mut each: impl FnMut(&Execution) -> Result<(), E>,
    ) -> Result<(), E> {
        for execution in Executions::open(&self.known.path).map_err(RunLogError)? {
            each(&execution.map_err(RunLogError)?)?;
        }
        let mut open = OpenCases::default();
        for record in EventLogReader::open(&self.known.path).map_err(RunLogError)? {
            open.add(&record.map_err(RunLogError)?.body);
        }
        let ended = self.known.last_time.unwrap_or(Timestamp::UNIX_EPOCH);
        for last in open.into_cases(ended) {
            each(&Execution {
                last,
                earlier: Vec::new(),
            })?;
        }
        Ok(())
    }
}

impl Drop for RunLog {
    fn drop(&mut self) {
        self.is_not_expected();
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
pub(super) struct OpenCases {
    selected: Vec<CaseId>,
    started: BTreeMap<CaseId, Timestamp>,
    finished: BTreeSet<CaseId>,
}

impl OpenCases {
    pub(super) fn add(&mut self, body: &RecordBody) {
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

    pub(super) fn into_cases(self, ended: Timestamp) -> impl Iterator<Item = TestCaseFinished> {
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::messages::CasesSelected;
    use crate::results::event_log::{Blocks, EventLogWriter};
    use crate::results::shared_read::{KEPT, LATEST};

    /// How many blocks a log has.
    fn blocks(path: &Utf8Path) -> usize {
        let mut blocks = Blocks::open(path).unwrap();
        std::iter::from_fn(|| blocks.next().unwrap()).count()
    }

    /// A log of `count` cases that passed, every tenth at its second attempt, with a kilobyte to say.
    fn logged(count: u64) -> (tempfile::TempDir, Utf8PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(dir.path().join("events.jsonl")).unwrap();
        std::fs::write(&path, "").unwrap();
        let mut log = EventLogWriter::new(path.clone());
        let ids: Vec<CaseId> = (1..=count)
            .map(|n| CaseId::new(format!("case-{n}")))
            .collect();
        log.append(RecordBody::CasesSelected(CasesSelected {
            cases: ids.clone().into(),
            filtered_out: 0,
            sources: 1,
            seed: None,
        }));
        for (execution, case) in (1..).zip(ids) {
            let ended = |attempt, retried| TestCaseFinished {
                attempt,
                retried,
                detail: Some("x".repeat(1024).into()),
                ..TestCaseFinished::new(
                    execution,
                    case.clone(),
                    Verdict::Passed,
                    Timestamp::UNIX_EPOCH,
                )
            };
            if execution % 10 == 0 {
                log.append(RecordBody::CaseFinished(ended(1, true)));
                log.append(RecordBody::CaseFinished(ended(2, false)));
            } else {
                log.append(RecordBody::CaseFinished(ended(1, false)));
            }
        }
        log.sync();
        (dir, path)
    }

    /// The numbers of the executions that `log` hands out; with earlier attempts where there should be some.
    fn numbers(log: &RunLog, mut each: impl FnMut(u64)) -> Vec<u64> {
        let mut numbers = Vec::new();
        log.for_each(|execution| -> Result<(), RunLogError> {
            let number = execution.last.execution;
            assert_eq!(execution.earlier.len(), usize::from(number % 10 == 0));
            numbers.push(number);
            each(number);
            Ok(())
        })
        .unwrap();
        numbers
    }

    #[test]
    fn everybody_who_reads_at_the_same_time_gets_every_execution_in_order() {
        let (_dir, path) = logged(5000);
        let all: Vec<u64> = (1..=5000).collect();
        let logs = RunLogs::default();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                let log = logs.open(&path).unwrap();
                let all = &all;
                scope.spawn(move || {
                    assert_eq!(numbers(&log, |_| ()), *all);
                    assert_eq!(numbers(&log, |_| ()), *all, "and once more");
                });
            }
        });
    }

    #[test]
    fn f7_one_that_hangs_holds_up_nobody_and_still_gets_everything() {
        let (_dir, path) = logged(5000);
        // So many that what is kept for the slow one cannot be all that the fast one reads.
        assert!(blocks(&path) > 2 * KEPT);
        let logs = RunLogs::default();
        let (slow, fast) = (logs.open(&path).unwrap(), logs.open(&path).unwrap());
        // One that said that it would come, and does not.
        let _never = logs.open(&path).unwrap();
        let (done, others_are_done) = crossbeam_channel::bounded::<()>(0);
        let (began, has_begun) = crossbeam_channel::bounded::<()>(1);
        std::thread::scope(|scope| {
            let slow = scope.spawn(move || {
                numbers(&slow, |number| {
                    if number == 1 {
                        began.send(()).unwrap();
                        let _gone = others_are_done
                            .recv_timeout(Duration::from_mins(1))
                            .is_err();
                    }
                })
            });
            has_begun.recv().unwrap();
            assert_eq!(numbers(&fast, |_| ()).len(), 5000);
            drop(done);
            assert_eq!(slow.join().unwrap(), (1..=5000).collect::<Vec<_>>());
        });
    }

    #[test]
    fn who_comes_late_gets_everything() {
        let (_dir, path) = logged(5000);
        assert!(blocks(&path) * 9 / 10 > LATEST);
        let logs = RunLogs::default();
        let all: Vec<u64> = (1..=5000).collect();
        let early = logs.open(&path).unwrap();
        let handed = numbers(&early, |number| {
            if number == 4500 {
                // By now nobody has the first cases any more.
                let late = logs.open(&path).unwrap();
                assert_eq!(numbers(&late, |_| ()), all);
            }
        });
        assert_eq!(handed, all);
    }

    #[test]
    fn who_stops_early_holds_up_nobody() {
        let (_dir, path) = logged(5000);
        let logs = RunLogs::default();
        let (one, other) = (logs.open(&path).unwrap(), logs.open(&path).unwrap());
        let stopped = one.for_each(|_| Err(RunLogError(ReadError::TooLong { line: 1 })));
        assert!(stopped.is_err());
        assert_eq!(numbers(&other, |_| ()).len(), 5000);
    }
}
