//! What a hook's commands find in their environment.

use zaf_core::application::ExitCode;

use super::{HookCall, Phase};
use crate::case::Verdict;

/// Id of the run.
const ID: &str = "K2_JOB_ID";
/// Its directory.
const DIRECTORY: &str = "K2_JOB_DIRECTORY";
/// Name of the application.
const APPLICATION: &str = "K2_JOB_APPLICATION";
/// When the command runs.
const PHASE: &str = "K2_JOB_PHASE";
/// What became of the run.
const STATUS: &str = "K2_JOB_STATUS";
/// What the application ends with.
const EXIT_CODE: &str = "K2_JOB_EXIT_CODE";
/// Variables with the number of cases by verdict.
const COUNTS: [(&str, Verdict); 8] = [
    ("K2_JOB_PASSED", Verdict::Passed),
    ("K2_JOB_FAILED", Verdict::Failed),
    ("K2_JOB_ERROR", Verdict::Error),
    ("K2_JOB_TIMED_OUT", Verdict::TimedOut),
    ("K2_JOB_SKIPPED", Verdict::Skipped),
    ("K2_JOB_IGNORED", Verdict::Ignored),
    ("K2_JOB_ABORTED", Verdict::Aborted),
    ("K2_JOB_NOT_RUN", Verdict::NotRun),
];

/// Names of all variables of a hook's commands: they are no options of an application that such a command runs.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    let others = [ID, DIRECTORY, APPLICATION, PHASE, STATUS, EXIT_CODE];
    others
        .into_iter()
        .chain(COUNTS.into_iter().map(|(name, _)| name))
}

impl Phase {
    /// As its commands are told: `pre-job`, `pre-tests`, `post-tests`, `post-job`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PreJob => "pre-job",
            Self::PreTests => "pre-tests",
            Self::PostTests => "post-tests",
            Self::PostJob => "post-job",
        }
    }
}

impl HookCall {
    /// Variables for commands that a hook runs: `K2_JOB_ID` and so on. Counts only behind the tests, the exit code only when it is known.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        let mut variables = vec![
            (ID, self.run.to_string()),
            (DIRECTORY, self.directory.to_string()),
            (APPLICATION, self.application.to_string()),
            (PHASE, self.phase.name().to_owned()),
            (STATUS, self.status().to_owned()),
        ];
        if !self.phase.is_before() {
            let counts = COUNTS.into_iter();
            variables
                .extend(counts.map(|(name, verdict)| (name, self.counts.of(verdict).to_string())));
        }
        if let Some(exit) = self.exit {
            variables.push((EXIT_CODE, exit.code().to_string()));
        }
        variables
    }

    /// What is known of the run: `running`, `passed`, `failed`, `incomplete`, or `error` for everything else that is not good.
    pub fn status(&self) -> &'static str {
        match self.exit {
            None => "running",
            Some(ExitCode::Success) => "passed",
            Some(ExitCode::CasesFailed) => "failed",
            Some(ExitCode::Incomplete | ExitCode::TimeLimit) => "incomplete",
            Some(_) => "error",
        }
    }
}
