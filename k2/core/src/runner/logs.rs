//! What is logged while cases run: a file for each case, so that cases at the same time do not mix.
//!
//! ```text
//! logs/session.log                           what is logged outside of cases
//! logs/cases/7-1-suite.case-3f2a….log        execution 7, first attempt
//! ```
//!
//! A file is made by the first record, and is written as the case goes on: it is there when the run is killed, too.

use zaf_core::application::{Log, LogScope};
use zaf_core::component::{Requirement, Scope};
use zaf_core::config::{ConfigError, ConfigView};
use zaf_core::prelude::*;

use super::execution::Execution;
use crate::case::Verdict;
use crate::messages::{
    RESULTS, RUNNER, RunStarted, TEST_RUN_STARTED, WRITE_REPORTS, WriteReports, WrittenReport,
};

/// Name of the directory of log files in that of the run.
const DIRECTORY: &str = "logs";

/// Which cases keep their log.
///
/// CLI `--log-cases`, environment `K2_LOG_CASES`, default `failed`: those that neither passed nor were skipped. `none`: what is
/// logged in cases goes to the log of the session.
pub const LOG_CASES: OptionId<String> = OptionId::choice("log.cases", &["failed", "all", "none"])
    .describe("Which cases keep their log")
    .default("failed");

/// Which cases keep their log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    Failed,
    All,
    None,
}

impl Keep {
    pub(super) fn read(config: &ConfigView) -> Result<Self, ConfigError> {
        Ok(match config.get(LOG_CASES)?.as_str() {
            "all" => Self::All,
            "none" => Self::None,
            _ => Self::Failed,
        })
    }

    fn keeps(self, verdict: Verdict) -> bool {
        match self {
            Self::All => true,
            Self::None => false,
            Self::Failed => !matches!(
                verdict,
                Verdict::Passed | Verdict::Skipped | Verdict::Ignored
            ),
        }
    }
}

/// Gives each execution a log of its own.
#[derive(Debug)]
pub(super) struct CaseLogs {
    log: Log,
    keep: Keep,
}

impl CaseLogs {
    /// `scope` is that of the run. Where nobody has a log, nothing is written.
    pub(super) fn new(scope: &Scope, keep: Keep) -> Self {
        let log = scope.resolve::<Log>(&Requirement::of::<Log>("log"));
        Self {
            log: log.map(|log| Log::clone(&log)).unwrap_or_default(),
            keep,
        }
    }

    /// Begins the log of an execution.
    pub(super) fn begin(&self, execution: &Execution) -> LogScope {
        if self.keep == Keep::None {
            return LogScope::default();
        }
        let id = &execution.case.id;
        let file = format!(
            "cases/{}-{}-{}.log",
            execution.number,
            execution.attempt,
            id.file_name()
        );
        self.log.scope(id.as_str(), &file)
    }

    /// Ends the log of an execution that ended like this.
    pub(super) fn end(&self, log: LogScope, verdict: Verdict) {
        log.end(self.keep.keeps(verdict));
    }
}

/// Lets log files be written into the directory of the run; records that could not be written count as a missing report.
#[command_extension(
    name = "logs",
    extends = ["run"],
)]
#[derive(Debug)]
pub struct RunLogs {}

impl Extension for RunLogs {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self {})
    }
}

#[dispatchers]
impl RunLogs {
    // Before all who may log something about the run.
    #[callback_dispatcher(TEST_RUN_STARTED, endpoints = [RUNNER], priority = 2000)]
    #[expect(clippy::unused_self, reason = "a handler is a method")]
    fn begin(&self, message: &Message<RunStarted>, log: &Log) {
        log.begin_files(message.data().directory.join(DIRECTORY));
    }

    #[callback_dispatcher(WRITE_REPORTS, endpoints = [RESULTS])]
    #[expect(clippy::unused_self, reason = "a handler is a method")]
    fn check(&self, _message: &Message<WriteReports>, log: &Log) -> Result<Vec<WrittenReport>> {
        match log.problem() {
            Some(problem) => Err(Error::msg(problem)),
            None => Ok(Vec::new()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_of_cases_that_need_no_look_are_kept_only_on_request() {
        for (verdict, needs_look) in [
            (Verdict::Passed, false),
            (Verdict::Skipped, false),
            (Verdict::Ignored, false),
            (Verdict::Failed, true),
            (Verdict::Error, true),
            (Verdict::TimedOut, true),
            (Verdict::Aborted, true),
        ] {
            assert_eq!(Keep::Failed.keeps(verdict), needs_look, "{verdict:?}");
            assert!(Keep::All.keeps(verdict));
            assert!(!Keep::None.keeps(verdict));
        }
    }
}
