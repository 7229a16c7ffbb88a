//! How far a run has come by its event log: what was selected, what has its verdict, what was running.
//!
//! For who goes on with the run of a process that died, or ends it for good: everything that is needed to add to the log.

use std::collections::BTreeMap;

use camino::Utf8Path;

use super::Summary;
use super::event_log::{EventLogReader, EventLogWriter, ReadError};
use super::model::{CasesSelected, RunStarted, TestCaseStarted};
use super::record::RecordBody;
use crate::case::CaseId;

/// How far a run has come.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// What was selected; none if the log does not say.
    pub(crate) selected: Option<CasesSelected>,
    /// How often each case was selected and has no verdict; those that are running are among them.
    pub(crate) owed: BTreeMap<CaseId, u64>,
    /// What was running, in the order in which it had started.
    pub(crate) running: Vec<TestCaseStarted>,
    /// What the records add up to.
    pub(crate) summary: Summary,
    /// Highest number of an execution; 0 if there is none.
    pub(crate) last_execution: u64,
    /// Number of whole records.
    pub(crate) records: u64,
    last_seq: u64,
    whole_bytes: u64,
}

impl Progress {
    /// Reads a log to its last whole record.
    ///
    /// # Errors
    /// If it cannot be opened, or has something else in it than records; then nothing can be added to it.
    pub(crate) fn read(log: &Utf8Path) -> Result<Self, ReadError> {
        let mut progress = Self::default();
        let mut reader = EventLogReader::open(log)?;
        for record in reader.by_ref() {
            progress.add(record?.body);
        }
        progress.last_seq = reader.last_seq();
        progress.whole_bytes = reader.whole_bytes();
        Ok(progress)
    }

    fn add(&mut self, body: RecordBody) {
        self.records += 1;
        self.summary.add(&body);
        match body {
            RecordBody::CasesSelected(selected) => {
                for case in selected.cases.iter() {
                    *self.owed.entry(case.clone()).or_default() += 1;
                }
                self.selected = Some(selected);
            }
            RecordBody::CaseStarted(case) => {
                self.last_execution = self.last_execution.max(case.execution);
                self.running.push(case);
            }
            RecordBody::CaseFinished(case) => {
                self.last_execution = self.last_execution.max(case.execution);
                self.running
                    .retain(|running| running.execution != case.execution);
                if !case.retried
                    && let Some(count) = self.owed.get_mut(&case.case)
                {
                    *count -= 1;
                    if *count == 0 {
                        self.owed.remove(&case.case);
                    }
                }
            }
            RecordBody::RunStarted(_)
            | RecordBody::RunResumed(_)
            | RecordBody::RunMerged(_)
            | RecordBody::HookFailed(_)
            | RecordBody::SutRecovery(_)
            | RecordBody::RunFinished(_) => {}
        }
    }

    /// Who runs what, where; none if the log does not say.
    pub(crate) fn run(&self) -> Option<&RunStarted> {
        self.summary.run()
    }

    /// Whether the run has told its end.
    pub(crate) fn is_over(&self) -> bool {
        self.summary.end().is_some()
    }

    /// How many cases have no verdict and are not running.
    pub(crate) fn waiting(&self) -> u64 {
        let owed: u64 = self.owed.values().sum();
        owed.saturating_sub(self.running.len() as u64)
    }

    /// Goes on with the log `log`, which is the one that was read.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn resume(&self, log: &Utf8Path) -> std::io::Result<EventLogWriter> {
        EventLogWriter::resume(log.to_owned(), self.last_seq, self.whole_bytes)
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::case::Verdict;
    use crate::messages::TestCaseFinished;

    fn started(execution: u64, case: &str) -> RecordBody {
        RecordBody::CaseStarted(TestCaseStarted {
            execution,
            case: CaseId::new(case),
            attempt: 1,
            started: Timestamp::UNIX_EPOCH,
            worker: 1,
            in_process: true,
            clock: None,
        })
    }

    fn finished(execution: u64, case: &str, retried: bool) -> RecordBody {
        let case = CaseId::new(case);
        RecordBody::CaseFinished(TestCaseFinished {
            retried,
            ..TestCaseFinished::new(execution, case, Verdict::Passed, Timestamp::UNIX_EPOCH)
        })
    }

    fn selected(cases: &[&str]) -> RecordBody {
        RecordBody::CasesSelected(CasesSelected {
            cases: cases.iter().map(|case| CaseId::new(*case)).collect(),
            filtered_out: 0,
            sources: 1,
            seed: None,
        })
    }

    #[test]
    fn f6_a_log_with_a_torn_line_goes_on_behind_its_last_whole_record() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("events.jsonl");
        let log = camino::Utf8PathBuf::from_path_buf(path).unwrap();
        std::fs::write(&log, "").unwrap();
        let mut writer = EventLogWriter::new(log.clone());
        for body in [
            selected(&["a", "b", "b", "c"]),
            started(1, "a"),
            started(2, "b"),
            finished(1, "a", false),
            finished(2, "b", true),
            started(2, "b"),
        ] {
            writer.append(body);
        }
        let whole = std::fs::read_to_string(&log).unwrap();
        std::fs::write(&log, format!("{whole}{{\"schema\":\"1.0\",\"torn")).unwrap();

        let progress = Progress::read(&log).unwrap();
        let owed: Vec<_> = progress
            .owed
            .iter()
            .map(|(c, n)| (c.as_str(), *n))
            .collect();
        assert_eq!(owed, [("b", 2), ("c", 1)]);
        assert_eq!(progress.running.len(), 1);
        assert_eq!((progress.waiting(), progress.last_execution), (2, 2));

        let mut writer = progress.resume(&log).unwrap();
        writer.append(finished(2, "b", false));
        assert!(writer.state().is_complete());
        let text = std::fs::read_to_string(&log).unwrap();
        assert!(text.starts_with(&whole) && !text.contains("torn"), "{text}");
        let progress = Progress::read(&log).unwrap();
        assert_eq!((progress.records, progress.last_seq), (7, 7));
        assert_eq!(progress.waiting(), 2);
    }
}
