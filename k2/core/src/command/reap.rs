//! `reap`: ends what dead runs have left behind.

use std::fmt::Write as _;
use std::io::Write as _;

use zaf_core::application::Console;
use zaf_core::prelude::*;

use crate::results::printable_line;
use crate::supervisor::reap::{self, Survivor};

/// Only says what would be ended.
///
/// CLI `--dry-run`, environment `K2_DRY_RUN`, default false.
pub const DRY_RUN: OptionId<bool> = OptionId::flag("dry.run")
    .describe("Say what would be ended, and end nothing")
    .default(false);

/// Ends processes that dead runs have left behind.
///
/// A run ends what it has started, also when one of its two processes is killed. Only when both are killed in the same moment is
/// something left: this finds it by the environment that it has from the run, and kills it. What belongs to a run that goes on or to
/// another user is not touched.
#[expect(
    clippy::missing_errors_doc,
    reason = "the documentation is the text of the help"
)]
#[command(name = "reap", config_options = [DRY_RUN.required()])]
pub fn reap(cx: &CommandContext<'_>) -> Result<ExitCode> {
    let mut text = String::new();
    let mut exit = ExitCode::Success;
    if cx.config().get(DRY_RUN)? {
        list(&mut text, "found", &reap::survivors(None));
    } else {
        let reaped = reap::reap(None);
        list(&mut text, "killed", &reaped.killed);
        list(&mut text, "left", &reaped.left);
        if !reaped.left.is_empty() {
            exit = ExitCode::Incomplete;
        }
    }
    if text.is_empty() {
        text.push_str("no dead run has left anything behind\n");
    }
    let console = cx.component::<Console>()?;
    let mut stdout = console.stdout();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(|error| ExitCode::ReportFailed.with_error(error))?;
    Ok(exit)
}

fn list(text: &mut String, word: &str, survivors: &[Survivor]) {
    for survivor in survivors {
        let command = printable_line(&survivor.command);
        let execution = match &survivor.execution {
            Some(execution) => format!("  ({})", printable_line(execution)),
            None => String::new(),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{word:<6} {:>8}  {command}{execution}", survivor.pid);
    }
}
