//! What reports want to know of earlier runs.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use k2::case::{CaseId, Verdict};
use k2::results::{CaseHistory, History, PastExecution, PastRun};

use crate::database::Database;
use crate::error::HistoryError;
use crate::query::{self, RunRow};

/// The `most` runs that began before `run`, and the cases that did not always pass in them. All runs count if `run` is none or
/// not known: then it has only just ended.
pub(crate) fn earlier(
    database: &Database,
    run: Option<&str>,
    most: usize,
) -> Result<History, HistoryError> {
    let rows = query::runs_before(database, run, most)?;
    let runs: Vec<PastRun> = rows.iter().map(past_run).collect();
    let places: BTreeMap<i64, usize> = rows
        .iter()
        .enumerate()
        .map(|(place, row)| (row.id, place))
        .collect();
    let mut cases: Vec<CaseHistory> = Vec::new();
    query::for_each_execution(database, &rows, |name, execution| {
        let Some(&place) = places.get(&execution.run) else {
            return;
        };
        if cases.last().is_none_or(|last| last.case.as_str() != name) {
            cases.push(CaseHistory {
                case: CaseId::new(name),
                executions: Vec::new(),
            });
        }
        if let Some(case) = cases.last_mut() {
            case.executions.push(PastExecution {
                run: place,
                verdict: execution.verdict,
                is_flaky: execution.is_flaky(),
                duration: execution.duration,
            });
        }
    })?;
    let tells = |case: &CaseHistory| {
        case.executions
            .iter()
            .any(|execution| execution.verdict != Verdict::Passed || execution.is_flaky)
    };
    cases.retain(tells);
    cases.sort_by(|one, other| one.case.cmp(&other.case));
    Ok(History { runs, cases })
}

fn past_run(row: &RunRow) -> PastRun {
    let total: u64 = row.counts.values().sum();
    let of = |verdict| row.count(verdict);
    let failures = row.failures();
    PastRun {
        run: row.run.as_str().into(),
        started: row.started,
        duration: row.duration.map(Duration::from_micros),
        passed: of(Verdict::Passed),
        failures,
        flaky: row.flaky,
        others: total - of(Verdict::Passed) - failures,
    }
}

/// The time that many microseconds after 1970.
pub(crate) fn time(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH)
}
