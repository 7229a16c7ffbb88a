//! Commands that show what there is run although extensions are broken: how else would anybody see what is wrong?
//!
//! Only what is wrong with extensions is tolerated. What was typed or configured wrongly stops these commands like all others,
//! because what they show would be about something else than what was meant.

use std::sync::Arc;

use super::failure::{Failure, carried_code};
use super::{Console, ExitCode};
use crate::command::INSPECTION;
use crate::error::Result;
use crate::extension::{LoadError, LoadProblems, Loaded, Prepared};

/// Whether the selected command is to run, whatever its extensions do.
pub(super) fn runs_in_spite_of_errors(prepared: &Prepared) -> bool {
    let inspects = prepared
        .command()
        .is_ok_and(|command| command.uses.contains(&INSPECTION));
    inspects && prepared.errors().iter().all(is_of_extensions)
}

/// Whether extensions are wrong, and not what their user says.
fn is_of_extensions(error: &LoadError) -> bool {
    match carried_code(error) {
        Some(code) => code == ExitCode::ExtensionFailed,
        None => !matches!(
            error,
            LoadError::Config { .. }
                | LoadError::NoCommand { .. }
                | LoadError::UnknownCommand { .. }
        ),
    }
}

/// Shows on standard error what is wrong with extensions, and makes it known to the command. It does not count for the exit
/// code: the command does what it was asked for.
///
/// # Errors
/// If standard error cannot be written, or the session has ended.
pub(super) fn tell_problems(
    problems: Vec<LoadError>,
    loaded: &Loaded,
    console: &Console,
) -> Result<()> {
    loaded
        .session()
        .provide(Arc::new(LoadProblems::of(&problems)))?;
    for error in problems {
        Failure::of_load_error(error).show(console)?;
    }
    Ok(())
}
