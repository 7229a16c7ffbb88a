//! `addon check`.

use std::io::Write as _;

use zaf_core::application::Console;
use zaf_core::prelude::*;

use super::ADDON_COMMAND;
use crate::list::survey;

/// Says what is wrong with the addons of the workspace, and what to do about it. Ends with 1 if anything is.
#[expect(
    clippy::missing_errors_doc,
    reason = "the documentation is the text of the help"
)]
#[command(name = "check", parent = ADDON_COMMAND)]
pub fn addon_check(cx: &CommandContext<'_>) -> Result<ExitCode> {
    let console = cx.component::<Console>()?;
    let mut exit = ExitCode::Success;
    for addon in survey()? {
        for problem in &addon.problems {
            exit = ExitCode::CasesFailed;
            writeln!(console.stdout(), "{}: {problem}", addon.package)?;
        }
    }
    Ok(exit)
}
