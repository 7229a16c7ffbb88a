//! The run as a whole: its beginning, what was selected, its end.

use std::sync::Arc;
use std::time::Duration;

use camino::Utf8PathBuf;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use zaf_core::application::ExitCode;

use super::microseconds;
use crate::case::CaseId;
use crate::results::fault;

/// A run begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunStarted {
    /// Short id of the run; the name of its directory.
    pub run: Arc<str>,
    /// Name of the application, for example `zk2`.
    pub application: Arc<str>,
    /// Version of the application.
    pub version: Arc<str>,
    /// When it began.
    pub started: Timestamp,
    /// The command line as it was typed, program first.
    #[serde(default)]
    pub command_line: Vec<Arc<str>>,
    /// The command line without any selection of cases: with `--tests-include <id>` behind it, it runs one case again.
    /// Empty if there is no such command line.
    #[serde(default)]
    pub again: Vec<Arc<str>>,
    /// Working directory.
    #[serde(default)]
    pub working_directory: Utf8PathBuf,
    /// Name of the machine; empty if unknown.
    #[serde(default)]
    pub host: Arc<str>,
    /// Directory of the run: event log, reports, outputs of cases.
    pub directory: Utf8PathBuf,
    /// How many cases may run at once.
    #[serde(default)]
    pub workers: u32,
}

/// The cases of the run are known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CasesSelected {
    /// The cases that will each get a verdict, in the order in which they are queued. May be empty.
    pub cases: Arc<[CaseId]>,
    /// How many more were found and filtered out.
    #[serde(default)]
    pub filtered_out: u64,
    /// How many sources they come from.
    #[serde(default)]
    pub sources: u64,
    /// What the order was drawn with, if it was drawn: the same seed gives the same order again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

/// The runner was killed by a case, and another one goes on with the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunResumed {
    /// When it goes on.
    pub resumed: Timestamp,
    /// How the runner before this one ended, in one line: `runner crashed (SIGSEGV)`.
    pub reason: Arc<str>,
    /// The how-manieth runner this is, from 2.
    pub runner: u32,
    /// How many cases were selected in all.
    pub selected: u64,
    /// How many have their verdict, those that the end of the runner gave them not among them.
    pub finished: u64,
    /// How many of these are failures.
    pub failures: u64,
}

/// One of the runs that a log was put together of. Since schema 1.3.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunMerged {
    /// How it began.
    pub run: RunStarted,
    /// How it ended; none if it was killed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished: Option<RunFinished>,
    /// How many cases it had.
    #[serde(default)]
    pub selected: u64,
    /// How many more it had found, those of other parts among them.
    #[serde(default)]
    pub filtered_out: u64,
    /// How many sources they came from.
    #[serde(default)]
    pub sources: u64,
}

/// All cases have their verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFinished {
    /// When the run ended.
    pub finished: Timestamp,
    /// Time from start to end by the monotonic clock; whole microseconds in the log.
    #[serde(rename = "duration_us", with = "microseconds::whole")]
    pub duration: Duration,
    /// Why it ended.
    pub end: RunEnd,
    /// How the command ends, as far as that is known before the reports and the last hooks; none if nobody says, or what is said is
    /// unknown here. Since schema 1.5.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "fault::known"
    )]
    pub exit_code: Option<ExitCode>,
}

/// Why a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RunEnd {
    /// Every case had its turn.
    Completed,
    /// It was stopped before.
    Aborted {
        /// By what, in one line.
        reason: Arc<str>,
    },
    /// The time limit of the command was reached.
    TimeLimit,
}
