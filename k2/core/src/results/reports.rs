//! What is said between the `run` command, the event log and the reporters after the last case.

use std::sync::Arc;

use camino::Utf8PathBuf;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zaf_core::application::ExitCode;

use super::{Counts, Summary};

/// Payload of [`SYNC_EVENT_LOG`](crate::messages::SYNC_EVENT_LOG).
#[derive(Debug, Clone, Copy, Default)]
pub struct SyncEventLog {}

/// How the event log of a run went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventLogState {
    /// The file.
    pub path: Utf8PathBuf,
    /// Records that are in the file.
    pub written: u64,
    /// Records that are not, and will never be.
    pub lost: u64,
    /// The first thing that went wrong, in words; none if the log is complete and on disk.
    pub problem: Option<Arc<str>>,
}

impl EventLogState {
    /// Whether every record is in the file and on disk.
    pub fn is_complete(&self) -> bool {
        self.lost == 0 && self.problem.is_none()
    }
}

/// Payload of [`WRITE_REPORTS`](crate::messages::WRITE_REPORTS).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WriteReports {
    /// The event log to read.
    pub log: Utf8PathBuf,
    /// Directory of the run, where reports go.
    pub directory: Utf8PathBuf,
}

/// A report that now exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenReport {
    /// What it is, in a word: `junit`, `text`.
    pub name: Arc<str>,
    /// The file.
    pub path: Utf8PathBuf,
}

/// A report that does not exist although it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReportFailure {
    /// Who should have written it: extension or handler.
    pub name: Arc<str>,
    /// What went wrong, with its causes, in one line.
    pub reason: Arc<str>,
}

/// Payload of [`REPORTS_WRITTEN`](crate::messages::REPORTS_WRITTEN).
#[derive(Debug, Clone)]
pub struct ReportsWritten {
    /// The event log that everything was made from.
    pub log: Utf8PathBuf,
    /// Directory of the run.
    pub directory: Utf8PathBuf,
    /// What was written, in the order of the replies.
    pub reports: Vec<WrittenReport>,
    /// What could not be written, and a broken event log; empty if all went well.
    pub failures: Vec<ReportFailure>,
    /// What the run adds up to.
    pub summary: Arc<Summary>,
    /// How the command will end, everything considered.
    pub exit: ExitCode,
    /// Number of the signal that ended the run: it is raised again at the very end, so the shell sees 128 and this number
    /// instead of `exit`.
    pub signal: Option<i32>,
}

impl Serialize for ReportsWritten {
    /// As [`REPORTS_WRITTEN`](crate::messages::REPORTS_WRITTEN) is for programs of other languages: of the summary the counts, which
    /// with the log is all that it was made of.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Told<'a> {
            log: &'a Utf8PathBuf,
            directory: &'a Utf8PathBuf,
            reports: &'a [WrittenReport],
            failures: &'a [ReportFailure],
            counts: Counts,
            exit: ExitCode,
            #[serde(skip_serializing_if = "Option::is_none")]
            signal: Option<i32>,
        }
        let told = Told {
            log: &self.log,
            directory: &self.directory,
            reports: &self.reports,
            failures: &self.failures,
            counts: self.summary.counts(),
            exit: self.exit,
            signal: self.signal,
        };
        told.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ReportsWritten {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(D::Error::custom("it is told by the program only"))
    }
}
