//! What the end of a run tells besides its cases: the exit code.

use serde::{Deserialize, Deserializer};
use zaf_core::application::ExitCode;

use super::model::RunFinished;

impl RunFinished {
    /// The exit code if it tells of more than cases and time: of an extension, a system under test, wrong use, or a bug. What
    /// it tells of cases depends on which others are counted with them.
    pub(super) fn fault(&self) -> Option<ExitCode> {
        let of_cases = |exit: &ExitCode| {
            matches!(
                exit,
                ExitCode::Success
                    | ExitCode::NothingToRun
                    | ExitCode::CasesFailed
                    | ExitCode::Incomplete
                    | ExitCode::TimeLimit
            )
        };
        self.exit_code.filter(|exit| !of_cases(exit))
    }
}

/// Reads an exit code; one that a later version has added is none that is known.
pub(super) fn known<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<ExitCode>, D::Error> {
    let number = u64::deserialize(deserializer)?;
    let mut all = ExitCode::ALL.into_iter();
    Ok(all.find(|exit| u64::from(exit.code()) == number))
}
