//! `results flaky` and `results slowest`: which cases stand out in the newest runs.

use std::time::Duration;

use k2::case::Verdict;
use serde::Serialize;
use zaf_core::builtin::{LIST_FORMAT, OUTPUT_DIR};
use zaf_core::prelude::*;

use super::{Kept, LAST, LIMIT, RESULTS_COMMAND, and_more, as_micros, cut, show};
use crate::query::{self, ExecutionRow, RunRow};
use crate::table::{Cell, duration_cell, lay_out};

/// Lists the cases that sometimes fail, those that change most often first.
///
/// A case is flaky if it passed after an attempt that did not, or if its verdict went from good to bad and back: one change alone is
/// a case that broke, or was repaired.
#[expect(
    clippy::missing_errors_doc,
    reason = "the documentation is the text of the help"
)]
#[command(
    name = "flaky",
    parent = RESULTS_COMMAND,
    config_options = [
        OUTPUT_DIR.required(), LIST_FORMAT.required(), LAST.required(), LIMIT.required()
    ],
)]
pub fn results_flaky(cx: &CommandContext<'_>) -> Result<ExitCode> {
    let kept = Kept::open(cx)?;
    let runs = kept.newest(cx.config().get(LAST)?)?;
    let mut cases = Vec::new();
    for_each_case(&kept, &runs, |name, executions| {
        cases.extend(Flaky::of(name, executions));
    })?;
    cases.sort_by(|a, b| (b.weight(), &a.case).cmp(&(a.weight(), &b.case)));
    let more = cut(&mut cases, cx.config().get(LIMIT)?);
    if runs.is_empty() {
        kept.say_empty(cx)?;
    }
    show(cx, [("runs", &runs.len()), ("cases", &cases)], || {
        let count = runs.len();
        if cases.is_empty() {
            return format!("no flaky case in the last {}\n", counted(count));
        }
        let rows: Vec<_> = cases.iter().map(Flaky::cells).collect();
        let table = lay_out(["CHANGES", "RETRIED", "FAILED", "OF", "CASE"], &rows);
        table + &and_more(more)
    })
}

/// Lists the cases that take longest, by the middle one of their durations.
#[expect(
    clippy::missing_errors_doc,
    reason = "the documentation is the text of the help"
)]
#[command(
    name = "slowest",
    parent = RESULTS_COMMAND,
    config_options = [
        OUTPUT_DIR.required(), LIST_FORMAT.required(), LAST.required(), LIMIT.required()
    ],
)]
pub fn results_slowest(cx: &CommandContext<'_>) -> Result<ExitCode> {
    let kept = Kept::open(cx)?;
    let runs = kept.newest(cx.config().get(LAST)?)?;
    let mut cases = Vec::new();
    for_each_case(&kept, &runs, |name, executions| {
        cases.extend(Slow::of(name, executions));
    })?;
    cases.sort_by(|a, b| (b.median, &a.case).cmp(&(a.median, &b.case)));
    let more = cut(&mut cases, cx.config().get(LIMIT)?);
    if runs.is_empty() {
        kept.say_empty(cx)?;
    }
    show(cx, [("runs", &runs.len()), ("cases", &cases)], || {
        if cases.is_empty() {
            return String::new();
        }
        let rows: Vec<_> = cases.iter().map(Slow::cells).collect();
        let table = lay_out(["MEDIAN", "SHORTEST", "LONGEST", "RUNS", "CASE"], &rows);
        table + &and_more(more)
    })
}

fn counted(runs: usize) -> String {
    match runs {
        1 => "run".to_owned(),
        runs => format!("{runs} runs"),
    }
}

/// Hands each case with its executions, oldest first, to `each`.
fn for_each_case(
    kept: &Kept,
    runs: &[RunRow],
    mut each: impl FnMut(&str, &[ExecutionRow]),
) -> Result<()> {
    if runs.is_empty() {
        return Ok(());
    }
    let mut current: Option<String> = None;
    let mut executions: Vec<ExecutionRow> = Vec::new();
    query::for_each_execution(kept.database(), runs, |name, execution| {
        if current.as_deref() != Some(name) {
            if let Some(before) = current.replace(name.to_owned()) {
                each(&before, &executions);
            }
            executions.clear();
        }
        executions.push(execution);
    })?;
    if let Some(last) = current {
        each(&last, &executions);
    }
    Ok(())
}

/// A case that sometimes fails.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Flaky {
    case: String,
    /// How often its verdict went from good to bad, or back.
    changes: u64,
    /// How often it passed after an attempt that did not.
    retried: u64,
    /// How often it failed.
    failed: u64,
    /// How often it passed or failed.
    executions: u64,
}

impl Flaky {
    fn of(case: &str, executions: &[ExecutionRow]) -> Option<Self> {
        // What was skipped or cut short says neither.
        let is_bad: Vec<bool> = executions
            .iter()
            .filter(|row| row.verdict == Verdict::Passed || row.verdict.is_failure())
            .map(|row| row.verdict.is_failure())
            .collect();
        let changes = is_bad.windows(2).filter(|pair| pair[0] != pair[1]).count();
        let flaky = Self {
            case: case.to_owned(),
            changes: changes as u64,
            retried: executions.iter().filter(|row| row.is_flaky()).count() as u64,
            failed: is_bad.iter().filter(|&&bad| bad).count() as u64,
            executions: is_bad.len() as u64,
        };
        (flaky.retried > 0 || flaky.changes > 1).then_some(flaky)
    }

    fn weight(&self) -> u64 {
        self.changes + self.retried
    }

    fn cells(&self) -> [Cell; 5] {
        [
            Cell::number(self.changes),
            Cell::number(self.retried),
            Cell::bad(self.failed),
            Cell::number(self.executions),
            Cell::text(&self.case),
        ]
    }
}

/// How long a case takes.
#[derive(Debug, Serialize)]
struct Slow {
    case: String,
    #[serde(serialize_with = "as_micros", rename = "median_us")]
    median: Option<Duration>,
    #[serde(serialize_with = "as_micros", rename = "shortest_us")]
    shortest: Option<Duration>,
    #[serde(serialize_with = "as_micros", rename = "longest_us")]
    longest: Option<Duration>,
    /// How many executions took any time.
    executions: u64,
}

impl Slow {
    fn of(case: &str, executions: &[ExecutionRow]) -> Option<Self> {
        let mut durations: Vec<Duration> =
            executions.iter().filter_map(|row| row.duration).collect();
        durations.sort_unstable();
        Some(Self {
            case: case.to_owned(),
            median: Some(*durations.get(durations.len() / 2)?),
            shortest: durations.first().copied(),
            longest: durations.last().copied(),
            executions: durations.len() as u64,
        })
    }

    fn cells(&self) -> [Cell; 5] {
        [
            duration_cell(self.median),
            duration_cell(self.shortest),
            duration_cell(self.longest),
            Cell::number(self.executions),
            Cell::text(&self.case),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn executions(verdicts: &[(Verdict, u32)]) -> Vec<ExecutionRow> {
        let row = |&(verdict, attempts)| ExecutionRow {
            run: 1,
            verdict,
            attempts,
            duration: None,
            reason: None,
            expected: None,
        };
        verdicts.iter().map(row).collect()
    }

    #[test]
    fn a_case_that_broke_is_not_flaky_one_that_goes_back_and_forth_is() {
        use Verdict::{Failed, Passed, Skipped};
        let changes = |verdicts: &[(Verdict, u32)]| {
            Flaky::of("c", &executions(verdicts)).map(|flaky| (flaky.changes, flaky.retried))
        };
        assert_eq!(changes(&[(Passed, 1), (Passed, 1)]), None);
        assert_eq!(changes(&[(Passed, 1), (Failed, 1), (Failed, 3)]), None);
        assert_eq!(changes(&[(Passed, 1), (Skipped, 1), (Passed, 1)]), None);
        let back = [(Passed, 1), (Failed, 1), (Skipped, 1), (Passed, 1)];
        assert_eq!(changes(&back), Some((2, 0)));
        assert_eq!(changes(&[(Passed, 2)]), Some((0, 1)));
    }
}
