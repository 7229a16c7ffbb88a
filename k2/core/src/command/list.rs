//! `list`: shows which cases `run` would run.

use std::fmt::Write as _;

use zaf_core::prelude::*;

use super::selection::{self, SOURCES};

/// Lists the test cases that `run` would run with the same options.
///
/// One line per case: its id. The order is that of a run. Ends with exit code 4 if nothing is selected.
#[command(name = "list", uses = ["find", "schedule"], config_options = [SOURCES.optional()])]
pub fn list(cx: &CommandContext<'_>) -> Result<ExitCode> {
    let Some(selection) = selection::select(cx)? else {
        return Ok(ExitCode::NothingToRun);
    };
    let mut text = String::new();
    for case in &selection.filled.selected {
        writeln!(text, "{}", case.id).expect("invariant: writing to a string cannot fail");
    }
    cx.output().write(&text)?;
    Ok(ExitCode::Success)
}
