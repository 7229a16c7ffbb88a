//! The history of runs: what is kept of each in an embedded database, and the commands that ask it.
//!
//! | Extension | What it does | Option |
//! |---|---|---|
//! | `history` ([`RunRecorder`]) | puts each run into `history.sqlite` in the output directory, once it has ended | `history`, `history.keep` |
//! | `historyofruns` ([`HistoryOfRuns`]) | tells reports of earlier runs | `history` |
//! | `resultscommand` ([`ResultsCommand`]) | `results list`, `show`, `diff`, `trend`, `flaky`, `slowest`, `import` | |
//! | `reruncommand` ([`RerunCommand`]) | `rerun` | |
//!
//! The event log of a run is the truth about it; the history is made of event logs and can be made again from them. So nothing that
//! happens to it is a failure of a run: it is said, and the run ends as it would have.
//!
//! A product has them by linking this crate:
//!
//! ```
//! use k2_history as _;
//! use zaf_core::application::{Console, ExitCode};
//! use zaf_core::command::Invocation;
//!
//! fn main() -> zaf_core::TestResult {
//!     let directory = tempfile::tempdir()?;
//!     let suite = directory.path().join("suite");
//!     std::fs::create_dir(&suite)?;
//!     for (name, program) in [("works", "/bin/true")] {
//!         std::os::unix::fs::symlink(program, suite.join(name))?;
//!     }
//!     let output = directory.path().join("output");
//!     let line = ["run".into(), suite.into_os_string(), "--output-dir".into(), output.clone().into_os_string()];
//!     let more = Vec::new();
//!     let (console, printed) = Console::captured();
//!     let line = Invocation::new(line.into_iter().chain(more));
//!     let code = k2::application("acme").run_with(line, &console);
//!     assert_eq!(code, ExitCode::Success, "{}", printed.stderr());
//!     let (console, printed) = Console::captured();
//!     let line = ["results".into(), "list".into(), "--output-dir".into(), output.into_os_string()];
//!     let code = k2::application("acme").run_with(Invocation::new(line), &console);
//!     assert_eq!(code, ExitCode::Success, "{}", printed.stderr());
//!     assert!(printed.stdout().contains("completed"), "{}", printed.stdout());
//!     Ok(())
//! }
//! ```

mod commands;
mod database;
mod error;
mod import;
mod pack;
mod past;
#[cfg(test)]
mod prefix_tests;
mod query;
mod recorder;
mod reference;
mod schema;
mod table;

pub use commands::{
    ALL_CASES, CASE, DIFF_RUNS, FAILED, IMPORT_DIRECTORY, LAST, LIMIT, OUTCOME, RERUN_COMMAND,
    RERUN_RUN, RESULTS_COMMAND, RESULTS_DIFF_COMMAND, RESULTS_FLAKY_COMMAND,
    RESULTS_IMPORT_COMMAND, RESULTS_LIST_COMMAND, RESULTS_SHOW_COMMAND, RESULTS_SLOWEST_COMMAND,
    RESULTS_TREND_COMMAND, RUN, RerunCommand, ResultsCommand, UNFINISHED, rerun, results,
    results_diff, results_flaky, results_import, results_list, results_show, results_slowest,
    results_trend,
};
pub use database::HISTORY_FILE;
pub use error::HistoryError;
pub use recorder::{HISTORY, HISTORY_KEEP, HistoryOfRuns, RunRecorder};
