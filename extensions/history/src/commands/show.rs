//! `results show`: one run, and its cases.

use std::time::Duration;

use k2::case::Verdict;
use k2::results::{printable_line, shell_command_line};
use serde::Serialize;
use zaf_core::builtin::{LIST_FORMAT, OUTPUT_DIR};
use zaf_core::prelude::*;

use super::{Kept, RESULTS_COMMAND, show};
use crate::query::{self, ExecutionRow, RunRow};
use crate::table::{Cell, duration, duration_cell, lay_out, moment};

/// The run to show. Positional; environment `K2_RESULTS_RUN`, default `latest`.
pub const RUN: OptionId<String> = OptionId::text("results.run")
    .describe("Id of the run or a part of it, `latest`, `-1` for the one before, and so on")
    .default("latest")
    .argument();

/// Shows cases that passed, too. `--all`, default false.
pub const ALL_CASES: OptionId<bool> = OptionId::flag("all")
    .describe("Show all cases, also those that passed at once")
    .default(false);

/// Shows only cases that ended like this. `--outcome expected-failure`, repeatable, no default.
pub const OUTCOME: OptionId<Vec<String>> = OptionId::choice(
    "outcome",
    &[
        "passed",
        "failed",
        "error",
        "timed-out",
        "skipped",
        "ignored",
        "aborted",
        "not-run",
        "flaky",
        "expected-failure",
        "unexpected-pass",
    ],
)
.describe("Show only cases that ended like this")
.multiple();

/// Shows a run: how it ended, and the cases that did not simply pass.
#[expect(
    clippy::missing_errors_doc,
    reason = "the documentation is the text of the help"
)]
#[command(
    name = "show",
    parent = RESULTS_COMMAND,
    config_options = [
        OUTPUT_DIR.required(), LIST_FORMAT.required(), RUN.required(), ALL_CASES.required(),
        OUTCOME.optional()
    ],
)]
pub fn results_show(cx: &CommandContext<'_>) -> Result<ExitCode> {
    let kept = Kept::open(cx)?;
    let found = kept.find(&[&cx.config().get(RUN)?])?;
    let all = cx.config().get(ALL_CASES)?;
    let wanted = cx.config().get_optional(OUTCOME)?;
    let wanted = wanted.filter(|words| !words.is_empty());
    let mut cases = Vec::new();
    query::for_each_execution(kept.database(), &found, |name, execution| {
        let is_wanted = match &wanted {
            Some(wanted) => wanted
                .iter()
                .any(|word| word == execution.outcome() || word == "flaky" && execution.is_flaky()),
            None => all || execution.outcome() != "passed" || execution.is_flaky(),
        };
        if is_wanted {
            cases.push(CaseRow::new(name, execution));
        }
    })?;
    let run = found.first().expect("invariant: one word, one run");
    show(cx, [("run", run), ("cases", &cases)], || {
        head(run) + &table(&cases)
    })
}

/// A case of a run.
#[derive(Debug, Serialize)]
struct CaseRow {
    case: String,
    verdict: Verdict,
    outcome: String,
    flaky: bool,
    attempts: u32,
    duration_us: Option<u64>,
    reason: Option<String>,
    #[serde(skip)]
    duration: Option<Duration>,
}

impl CaseRow {
    fn new(name: &str, execution: ExecutionRow) -> Self {
        Self {
            case: name.to_owned(),
            outcome: execution.outcome().to_owned(),
            verdict: execution.verdict,
            flaky: execution.is_flaky(),
            attempts: execution.attempts,
            duration_us: execution.duration.map(super::micros),
            duration: execution.duration,
            reason: execution.reason,
        }
    }
}

fn head(row: &RunRow) -> String {
    let mut ended = row.ending.clone();
    if let Some(reason) = &row.reason {
        ended = format!("{ended}: {reason}");
    }
    if let Some(micros) = row.duration {
        ended = format!("{ended}, after {}", duration(Duration::from_micros(micros)));
    }
    let counts: Vec<String> = Verdict::ALL
        .into_iter()
        .rev()
        .filter(|&verdict| row.count(verdict) > 0)
        .map(|verdict| format!("{} {verdict}", row.count(verdict)))
        .chain((row.flaky > 0).then(|| format!("{} of them flaky", row.flaky)))
        .chain((row.filtered_out > 0).then(|| format!("{} filtered out", row.filtered_out)))
        .collect();
    let lines = [
        ("run", row.run.clone()),
        ("started", moment(row.started)),
        ("ended", ended),
        ("cases", counts.join(", ")),
        ("exit", row.exit.to_string()),
        (
            "by",
            format!("{} {} on {}", row.application, row.version, row.host),
        ),
        ("in", row.working_directory.clone()),
        ("directory", row.directory.clone()),
        (
            "command",
            shell_command_line(row.command_line.iter().map(String::as_str)),
        ),
    ];
    let mut text = String::new();
    for (label, value) in lines {
        text.extend([&format!("{label:<9}  "), &*printable_line(&value), "\n"]);
    }
    text
}

fn table(cases: &[CaseRow]) -> String {
    if cases.is_empty() {
        return String::new();
    }
    let rows: Vec<_> = cases
        .iter()
        .map(|row| {
            [
                Cell::outcome(row.verdict, row.flaky, &row.outcome),
                duration_cell(row.duration),
                Cell::number(u64::from(row.attempts)),
                Cell::text(&row.case),
                Cell::text(row.reason.as_deref().unwrap_or_default()),
            ]
        })
        .collect();
    format!(
        "\n{}",
        lay_out(["VERDICT", "TOOK", "TRIES", "CASE", "REASON"], &rows)
    )
}
