//! What is known about a run: the records of its event log, what they add up to, and where they are kept.
//!
//! The event log (`events.jsonl` in the run's directory) is the truth about a run. Reports, the live display and the exit
//! code are functions of its records, so they can be made again at any time, also from the log of a run that was killed.
//!
//! ```
//! # use k2_core as k2;
//! use k2::case::Verdict;
//! use k2::results::{RecordBody, Summary, TestCaseFinished};
//! use zaf_core::application::ExitCode;
//!
//! // A report goes through the records, and keeps what it needs: this is what all of them add up to.
//! let mut summary = Summary::new();
//! let passed = TestCaseFinished::example();
//! let failed = TestCaseFinished { execution: 2, verdict: Verdict::Failed, ..passed.clone() };
//! for case in [passed, failed] {
//!     summary.add(&RecordBody::CaseFinished(case));
//! }
//! let counts = summary.counts();
//! assert_eq!((counts.passed, counts.failed, counts.total()), (1, 1, 2));
//! assert_eq!(summary.worst(), Some(Verdict::Failed));
//! ```

mod escape;
pub mod event_log;
mod fault;
mod history;
mod merge;
mod merge_log;
mod model;
mod output_dir;
mod progress;
mod record;
mod replace;
mod report_file;
mod reports;
mod run_log;
mod shared_read;
mod shell;
mod summary;
mod unkillable;

pub use escape::{printable, printable_line};
pub use history::{AskHistory, CaseHistory, History, PastExecution, PastRun};
pub use merge::Merged;
pub use model::{
    CapturedOutput, CasesSelected, ExitStatus, ExpectedFailure, HookFailed, LeakedProcess, RunEnd,
    RunFinished, RunMerged, RunResumed, RunStarted, SutRecovery, TestCaseFinished, TestCaseStarted,
};
pub(crate) use output_dir::OUTPUTS_DIRECTORY;
pub use output_dir::{EVENT_LOG_FILE, LATEST_LINK, LOCK_FILE, OutputDirError, RunDirectory, RunId};
pub(crate) use progress::Progress;
pub use record::{Record, RecordBody, SCHEMA_VERSION, SchemaVersion};
pub use replace::{ReplaceError, replace_file};
pub use report_file::ReportFile;
pub use reports::{
    EventLogState, ReportFailure, ReportsWritten, SyncEventLog, WriteReports, WrittenReport,
};
pub use run_log::{Execution, RunLog, RunLogError, RunLogs};
pub use shell::shell_command_line;
pub use summary::{Counts, Recovery, Summary};
pub use unkillable::Unkillable;
