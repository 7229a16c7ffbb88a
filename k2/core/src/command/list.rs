//! `list`: shows which cases `run` would run.

use std::io::Write as _;

use zaf_core::application::Console;
use zaf_core::prelude::*;

use super::selection::{self, SOURCES};
use crate::results::printable_line;

/// Lists the test cases that `run` would run with the same options.
///
/// One line per case: its id. The order is that of a run. Ends with exit code 4 if nothing is selected.
#[expect(
    clippy::missing_errors_doc,
    reason = "the documentation is the text of the help"
)]
#[command(name = "list", uses = ["find", "schedule", "sut"], config_options = [SOURCES.optional()])]
pub fn list(cx: &CommandContext<'_>) -> Result<ExitCode> {
    let selection = selection::select(cx)?;
    let mut text = String::new();
    for case in &selection.filled.selected {
        text.push_str(&printable_line(case.id.as_str()));
        text.push('\n');
    }
    // A reader that has seen enough (`| head`) is no failure, which the console knows; a full disk is.
    let console = cx.component::<Console>()?;
    let mut stdout = console.stdout();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(|error| {
            ExitCode::ReportFailed
                .with_error(error)
                .hint("the list cannot be written")
        })?;
    Ok(ExitCode::Success)
}
