//! `results diff`: what changed from one run to another.

use std::collections::BTreeMap;
use std::time::Duration;

use k2::case::Verdict;
use serde::Serialize;
use thiserror::Error;
use zaf_core::builtin::{LIST_FORMAT, OUTPUT_DIR};
use zaf_core::prelude::*;

use super::{Kept, RESULTS_COMMAND, show};
use crate::query::{self, RunRow};
use crate::table::{Cell, duration, lay_out, moment};

/// The two runs, the older one first as a rule. Positional; environment `K2_RESULTS_RUNS`; of one, the other is `latest`; of
/// none, the last two.
pub const DIFF_RUNS: OptionId<Vec<String>> = OptionId::text("results.runs")
    .describe("The two runs; `-1 latest` if none is named, and `latest` is the second if one is")
    .multiple()
    .argument();

/// A case is slower or faster if it took so many times as long.
const FACTOR: u32 = 2;

/// Smaller differences are noise.
const LEAST_DIFFERENCE: Duration = Duration::from_millis(100);

/// Shows how a run differs from another: verdicts, cases that came and went, and what became slower or faster.
#[expect(
    clippy::missing_errors_doc,
    reason = "the documentation is the text of the help"
)]
#[command(
    name = "diff",
    parent = RESULTS_COMMAND,
    config_options = [OUTPUT_DIR.required(), LIST_FORMAT.required(), DIFF_RUNS.optional()],
)]
pub fn results_diff(cx: &CommandContext<'_>) -> Result<ExitCode> {
    let words = cx.config().get_optional(DIFF_RUNS)?.unwrap_or_default();
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    let pair = match words.as_slice() {
        [] => ["-1", "latest"],
        [one] => [*one, "latest"],
        [from, to] => [*from, *to],
        more => {
            return Err(ExitCode::Usage.with_error(TooMany(more.len())));
        }
    };
    let kept = Kept::open(cx)?;
    let runs = kept.find(&pair)?;
    let [from, to] = runs.as_slice() else {
        unreachable!("invariant: as many runs as words")
    };
    let changes = changes(&of_run(&kept, from)?, &of_run(&kept, to)?);
    show(
        cx,
        [("from", from), ("to", to), ("changes", &changes)],
        || text(from, to, &changes),
    )
}

#[derive(Debug, Error)]
#[error("two runs can be compared, not {0}")]
struct TooMany(usize);

/// What is compared: a case that ran several times counts with its worst verdict and its longest duration.
#[derive(Debug, Clone, Copy, Serialize)]
struct Side {
    verdict: Verdict,
    flaky: bool,
    #[serde(serialize_with = "super::as_micros", rename = "duration_us")]
    duration: Option<Duration>,
}

fn of_run(kept: &Kept, run: &RunRow) -> Result<BTreeMap<String, Side>> {
    let mut cases: BTreeMap<String, Side> = BTreeMap::new();
    query::for_each_execution(kept.database(), std::slice::from_ref(run), |name, row| {
        let new = Side {
            verdict: row.verdict,
            flaky: row.is_flaky(),
            duration: row.duration,
        };
        match cases.get_mut(name) {
            None => {
                cases.insert(name.to_owned(), new);
            }
            Some(known) => {
                known.verdict = known.verdict.worst(new.verdict);
                known.flaky |= new.flaky;
                known.duration = known.duration.max(new.duration);
            }
        }
    })?;
    Ok(cases)
}

/// What happened to a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Change {
    /// Did not fail before, fails now.
    Broken,
    /// Failed before, fails now, perhaps otherwise.
    StillBroken,
    /// Failed before, passes now.
    Fixed,
    /// Has another verdict, neither of them a failure that came or went.
    Verdict,
    Added,
    Removed,
    Slower,
    Faster,
}

impl Change {
    fn words(self) -> &'static str {
        match self {
            Self::Broken => "broken",
            Self::StillBroken => "still broken",
            Self::Fixed => "fixed",
            Self::Verdict => "other verdict",
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Slower => "slower",
            Self::Faster => "faster",
        }
    }
}

#[derive(Debug, Serialize)]
struct ChangeRow {
    change: Change,
    case: String,
    from: Option<Side>,
    to: Option<Side>,
}

/// All changes, the worst first.
fn changes(from: &BTreeMap<String, Side>, to: &BTreeMap<String, Side>) -> Vec<ChangeRow> {
    let gone = from.keys().filter(|name| !to.contains_key(*name));
    let mut rows: Vec<ChangeRow> = to
        .keys()
        .chain(gone)
        .filter_map(|name| {
            let (from, to) = (from.get(name).copied(), to.get(name).copied());
            Some(ChangeRow {
                change: change(from, to)?,
                case: name.clone(),
                from,
                to,
            })
        })
        .collect();
    rows.sort_by(|a, b| (a.change, &a.case).cmp(&(b.change, &b.case)));
    rows
}

fn change(from: Option<Side>, to: Option<Side>) -> Option<Change> {
    let (before, after) = match (from, to) {
        (Some(before), Some(after)) => (before, after),
        (None, Some(new)) if new.verdict.is_failure() => return Some(Change::Broken),
        (None, Some(_)) => return Some(Change::Added),
        (Some(_), None) => return Some(Change::Removed),
        (None, None) => return None,
    };
    match (before.verdict.is_failure(), after.verdict.is_failure()) {
        (false, true) => Some(Change::Broken),
        (true, true) => Some(Change::StillBroken),
        (true, false) if after.verdict == Verdict::Passed => Some(Change::Fixed),
        _ if before.verdict != after.verdict || before.flaky != after.flaky => {
            Some(Change::Verdict)
        }
        _ => pace(before.duration?, after.duration?),
    }
}

/// Whether it takes much longer or shorter than it did.
fn pace(before: Duration, after: Duration) -> Option<Change> {
    if before.abs_diff(after) < LEAST_DIFFERENCE {
        None
    } else if after >= before.saturating_mul(FACTOR) {
        Some(Change::Slower)
    } else if before >= after.saturating_mul(FACTOR) {
        Some(Change::Faster)
    } else {
        None
    }
}

fn text(from: &RunRow, to: &RunRow, changes: &[ChangeRow]) -> String {
    let line = |label, row: &RunRow| {
        let passed = row.count(Verdict::Passed);
        let started = moment(row.started);
        let (run, failures) = (&row.run, row.failures());
        format!("{label}  {run}  {started}  {passed} passed, {failures} failed\n")
    };
    let head = line("from", from) + &line("to  ", to) + "\n";
    if changes.is_empty() {
        return head + "no change\n";
    }
    let rows: Vec<_> = changes
        .iter()
        .map(|row| {
            [
                Cell::text(row.change.words()),
                Cell::text(&side(row.from, row.change)),
                Cell::text(&side(row.to, row.change)),
                Cell::text(&row.case),
            ]
        })
        .collect();
    head + &lay_out(["CHANGE", "FROM", "TO", "CASE"], &rows)
}

fn side(side: Option<Side>, change: Change) -> String {
    match side {
        None => "–".to_owned(),
        Some(side) if matches!(change, Change::Slower | Change::Faster) => {
            side.duration.map(duration).unwrap_or_default()
        }
        Some(side) if side.flaky => "flaky".to_owned(),
        Some(side) => side.verdict.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn side(verdict: Verdict, millis: u64) -> Side {
        Side {
            verdict,
            flaky: false,
            duration: Some(Duration::from_millis(millis)),
        }
    }

    #[test]
    fn each_change_has_its_word() {
        use Verdict::{Failed, NotRun, Passed, Skipped, TimedOut};
        let expected = [
            (
                Some(side(Passed, 5)),
                Some(side(Failed, 5)),
                Some(Change::Broken),
            ),
            (None, Some(side(Failed, 5)), Some(Change::Broken)),
            (
                Some(side(Failed, 5)),
                Some(side(TimedOut, 5)),
                Some(Change::StillBroken),
            ),
            (
                Some(side(Failed, 5)),
                Some(side(Passed, 5)),
                Some(Change::Fixed),
            ),
            (
                Some(side(Failed, 5)),
                Some(side(NotRun, 5)),
                Some(Change::Verdict),
            ),
            (
                Some(side(Passed, 5)),
                Some(side(Skipped, 5)),
                Some(Change::Verdict),
            ),
            (None, Some(side(Passed, 5)), Some(Change::Added)),
            (Some(side(Failed, 5)), None, Some(Change::Removed)),
            (
                Some(side(Passed, 100)),
                Some(side(Passed, 200)),
                Some(Change::Slower),
            ),
            (
                Some(side(Passed, 900)),
                Some(side(Passed, 400)),
                Some(Change::Faster),
            ),
            (Some(side(Passed, 10)), Some(side(Passed, 90)), None),
            (Some(side(Passed, 1000)), Some(side(Passed, 1900)), None),
        ];
        for (from, to, wanted) in expected {
            assert_eq!(change(from, to), wanted, "{from:?} {to:?}");
        }
    }
}
