//! `results`, `results list`: the runs.

use std::time::Duration;

use k2::case::Verdict;
use k2::results::shell_command_line;
use zaf_core::builtin::{LIST_FORMAT, OUTPUT_DIR};
use zaf_core::prelude::*;

use super::{Kept, LIMIT, and_more, cut, show};
use crate::query::RunRow;
use crate::table::{Cell, duration_cell, lay_out, moment};

/// Asks the history of runs.
#[expect(
    clippy::missing_errors_doc,
    reason = "the documentation is the text of the help"
)]
#[command(
    name = "results",
    config_options = [OUTPUT_DIR.required(), LIST_FORMAT.required(), LIMIT.required()],
)]
pub fn results(cx: &CommandContext<'_>) -> Result<ExitCode> {
    list(cx)
}

/// Lists the runs, newest first.
#[expect(
    clippy::missing_errors_doc,
    reason = "the documentation is the text of the help"
)]
#[command(
    name = "list",
    parent = RESULTS_COMMAND,
    config_options = [OUTPUT_DIR.required(), LIST_FORMAT.required(), LIMIT.required()],
)]
pub fn results_list(cx: &CommandContext<'_>) -> Result<ExitCode> {
    list(cx)
}

fn list(cx: &CommandContext<'_>) -> Result<ExitCode> {
    let kept = Kept::open(cx)?;
    let mut runs = kept.newest(0)?;
    if runs.is_empty() {
        kept.say_empty(cx)?;
    }
    let more = cut(&mut runs, cx.config().get(LIMIT)?);
    show(cx, [("runs", &runs)], || {
        if runs.is_empty() {
            return String::new();
        }
        table(&runs) + &and_more(more)
    })
}

fn table(runs: &[RunRow]) -> String {
    let rows: Vec<_> = runs.iter().map(line).collect();
    lay_out(
        [
            "RUN", "STARTED", "TOOK", "PASSED", "FAILED", "FLAKY", "OTHER", "END", "COMMAND",
        ],
        &rows,
    )
}

fn line(row: &RunRow) -> [Cell; 9] {
    let total: u64 = row.counts.values().sum();
    let passed = row.count(Verdict::Passed);
    let failures = row.failures();
    [
        Cell::text(&row.run),
        Cell::text(&moment(row.started)),
        duration_cell(row.duration.map(Duration::from_micros)),
        Cell::number(passed),
        Cell::bad(failures),
        Cell::number(row.flaky),
        Cell::number(total - passed - failures),
        Cell::text(&row.ending),
        Cell::text(&shell_command_line(
            row.command_line.iter().map(String::as_str),
        )),
    ]
}
