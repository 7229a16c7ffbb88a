//! `results trend`: one case over the runs.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use k2::case::Verdict;
use k2::results::printable_line;
use serde::Serialize;
use thiserror::Error;
use zaf_core::builtin::{LIST_FORMAT, OUTPUT_DIR};
use zaf_core::config::nearest;
use zaf_core::prelude::*;

use super::{Kept, LAST, RESULTS_COMMAND, show};
use crate::database::Database;
use crate::query;
use crate::reference::did_you_mean;
use crate::table::{Cell, duration_cell, lay_out, moment};

/// The case to follow. Positional; environment `K2_RESULTS_CASE`.
pub const CASE: OptionId<String> = OptionId::text("results.case")
    .describe("Id of the case, or a part that no other case has")
    .argument();

/// Columns of the longest bar.
const LONGEST_BAR: usize = 30;

/// Shows verdicts and durations of a case, newest run first.
#[expect(
    clippy::missing_errors_doc,
    reason = "the documentation is the text of the help"
)]
#[command(
    name = "trend",
    parent = RESULTS_COMMAND,
    config_options = [
        OUTPUT_DIR.required(), LIST_FORMAT.required(), CASE.required(), LAST.required()
    ],
)]
pub fn results_trend(cx: &CommandContext<'_>) -> Result<ExitCode> {
    let kept = Kept::open(cx)?;
    let word = cx.config().get(CASE)?;
    let runs: BTreeMap<i64, (String, Timestamp)> = kept
        .newest(0)?
        .into_iter()
        .map(|row| (row.id, (row.run, row.started)))
        .collect();
    let case = match &kept.database {
        Some(database) => find(database, &word)?,
        None => Err(CaseError::unknown(word, None)),
    }
    .map_err(|error| ExitCode::Usage.with_error(error))?;
    let mut points = Vec::new();
    let last = cx.config().get(LAST)?;
    query::for_each_execution_of(kept.database(), &case, last, |_, execution| {
        let Some((run, started)) = runs.get(&execution.run) else {
            return;
        };
        points.push(Point {
            run: run.clone(),
            started: *started,
            outcome: execution.outcome().to_owned(),
            verdict: execution.verdict,
            flaky: execution.is_flaky(),
            attempts: execution.attempts,
            duration_us: execution.duration.map(super::micros),
            reason: execution.reason,
        });
    })?;
    show(cx, [("case", &case), ("executions", &points)], || {
        format!("{}\n\n{}", printable_line(&case), table(&points))
    })
}

/// One execution.
#[derive(Debug, Serialize)]
struct Point {
    run: String,
    started: Timestamp,
    verdict: Verdict,
    outcome: String,
    flaky: bool,
    attempts: u32,
    duration_us: Option<u64>,
    reason: Option<String>,
}

/// No case, or no single one, is meant.
#[derive(Debug, Error)]
enum CaseError {
    #[error("no case `{}` is in the history{}", printable_line(.word), did_you_mean(.nearest.as_deref()))]
    Unknown {
        word: String,
        nearest: Option<String>,
    },
    #[error("`{}` may be any of {}", printable_line(.word), .cases.join(", "))]
    Ambiguous { word: String, cases: Vec<String> },
}

impl CaseError {
    fn unknown(word: String, nearest: Option<String>) -> Self {
        Self::Unknown { word, nearest }
    }
}

/// The case that `word` names, or is a part of.
fn find(database: &Database, word: &str) -> Result<std::result::Result<String, CaseError>> {
    if query::knows_case(database, word)? {
        return Ok(Ok(word.to_owned()));
    }
    let names = query::case_names(database)?;
    let meant: Vec<&String> = names.iter().filter(|name| name.contains(word)).collect();
    Ok(match meant.as_slice() {
        [one] => Ok((*one).clone()),
        [] => {
            // People type the end of an id, which is the name.
            let ends = names
                .iter()
                .filter_map(|name| name.rsplit(['/', ':']).next());
            let near = nearest(word, names.iter().map(String::as_str).chain(ends));
            Err(CaseError::unknown(word.to_owned(), near.map(str::to_owned)))
        }
        several => {
            let mut cases: Vec<String> = several
                .iter()
                .take(5)
                .map(|name| format!("`{}`", printable_line(name)))
                .collect();
            if several.len() > cases.len() {
                cases.push(format!("{} more", several.len() - cases.len()));
            }
            Err(CaseError::Ambiguous {
                word: word.to_owned(),
                cases,
            })
        }
    })
}

fn table(points: &[Point]) -> String {
    let longest = points.iter().filter_map(|point| point.duration_us).max();
    let rows: Vec<_> = points
        .iter()
        .map(|point| {
            [
                Cell::text(&point.run),
                Cell::text(&moment(point.started)),
                Cell::outcome(point.verdict, point.flaky, &point.outcome),
                duration_cell(point.duration_us.map(Duration::from_micros)),
                Cell::text(&bar(point.duration_us, longest)),
                Cell::text(point.reason.as_deref().unwrap_or_default()),
            ]
        })
        .collect();
    lay_out(["RUN", "STARTED", "VERDICT", "TOOK", "", "REASON"], &rows)
}

/// As long as `micros` is of `longest`.
fn bar(micros: Option<u64>, longest: Option<u64>) -> String {
    let (Some(micros), Some(longest @ 1..)) = (micros, longest) else {
        return String::new();
    };
    let columns = u128::from(micros) * LONGEST_BAR as u128 / u128::from(longest);
    "█".repeat(usize::try_from(columns).unwrap_or(LONGEST_BAR).max(1))
}
