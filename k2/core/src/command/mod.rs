//! The commands of k2: `run`, `list`, `report` and `reap`.
//!
//! They ask, in order: the finder for cases, the scheduler for a selection, the runner for a run, the reporters for reports. Each
//! is an extension that can be replaced; what is missing is named.
//!
//! What `list` would run, and what `run` makes of it:
//!
//! ```
//! # use k2_core as k2;
//! use zaf_core::application::{Console, ExitCode};
//! use zaf_core::command::Invocation;
//!
//! fn main() -> zaf_core::TestResult {
//!     let directory = tempfile::tempdir()?;
//!     let case = directory.path().join("works");
//!     std::os::unix::fs::symlink("/bin/true", &case)?;
//!     let typed = |command: &str, more: &[&str]| {
//!         let line = [command.into(), case.clone().into_os_string(), "--output-dir".into(), directory.path().join("out").into()];
//!         let (console, printed) = Console::captured();
//!         let line = Invocation::new(line.into_iter().chain(more.iter().map(Into::into)));
//!         (k2::application("acme").run_with(line, &console), printed.stdout())
//!     };
//!     let (code, listed) = typed("list", &[]);
//!     assert_eq!((code, listed.trim_end().ends_with("works")), (ExitCode::Success, true));
//!     assert_eq!(typed("run", &[]).0, ExitCode::Success);
//!     assert_eq!(typed("run", &["--tests-include", "no-such-case"]).0, ExitCode::NothingToRun);
//!     Ok(())
//! }
//! ```

mod affinity;
mod ask;
mod list;
mod one_case;
mod reap;
mod report;
mod reports;
mod run;
mod selection;
mod time_limit;

use zaf_core::application::ABORT;
use zaf_core::prelude::*;

pub(crate) use self::ask::ask;
pub use self::list::{LIST_COMMAND, list, print_list};
pub use self::reap::{DRY_RUN, REAP_COMMAND, reap};
pub use self::report::{PastRunMessages, REPORT_COMMAND, RUN, report};
pub use self::run::{RUN_COMMAND, run};
pub use self::selection::SOURCES;
pub use self::time_limit::{
    COMMAND_TIMEOUT, COMMAND_TIMEOUT_ENDPOINT, COMMAND_TIMEOUT_EXIT_DELAY, CommandTimeout,
};
use crate::hooks::{HOOK_FAILED, HOOKS, POST_JOB, POST_TESTS, PRE_JOB, PRE_TESTS};

/// Adds the command `run`.
#[framework_extension(
    name = "runcommand",
    load_order = 50,
    commands = [RUN_COMMAND],
    endpoints_and_messages = { HOOKS: [PRE_JOB, PRE_TESTS, POST_TESTS, POST_JOB, HOOK_FAILED, ABORT] },
)]
#[derive(Debug)]
pub struct RunCommand;

impl Extension for RunCommand {
    fn new(_cx: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }
}

/// Adds the command `list`.
#[framework_extension(name = "listcommand", load_order = 50, commands = [LIST_COMMAND])]
#[derive(Debug)]
pub struct ListCommand;

impl Extension for ListCommand {
    fn new(_cx: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }
}

/// Adds the command `reap`.
#[framework_extension(name = "reapcommand", load_order = 50, commands = [REAP_COMMAND])]
#[derive(Debug)]
pub struct ReapCommand;

impl Extension for ReapCommand {
    fn new(_cx: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }
}

/// Adds the command `report`.
#[framework_extension(name = "reportcommand", load_order = 50, commands = [REPORT_COMMAND])]
#[derive(Debug)]
pub struct ReportCommand;

impl Extension for ReportCommand {
    fn new(_cx: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }
}
