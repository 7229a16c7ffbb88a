//! Earlier runs as data of the page.

use std::collections::BTreeMap;
use std::time::Duration;

use k2::messages::History;
use serde::Serialize;

/// Earlier runs, and what became of cases in them.
#[derive(Debug, Serialize)]
pub(super) struct Past<'a> {
    runs: Vec<Run<'a>>,
    /// By case: index of the run, verdict as in the rows, whether it was flaky, microseconds (-1: did not start).
    cases: BTreeMap<&'a str, Vec<(usize, u8, bool, i64)>>,
}

/// One earlier run.
#[derive(Debug, Serialize)]
struct Run<'a> {
    id: &'a str,
    /// Milliseconds since 1970.
    started: i64,
    /// Microseconds; -1 if it was killed.
    duration: i64,
    passed: u64,
    failures: u64,
    flaky: u64,
    others: u64,
}

impl<'a> Past<'a> {
    pub(super) fn of(history: &'a History) -> Self {
        let runs = history.runs.iter().map(|past| Run {
            id: &past.run,
            started: past.started.as_millisecond(),
            duration: microseconds(past.duration),
            passed: past.passed,
            failures: past.failures,
            flaky: past.flaky,
            others: past.others,
        });
        let cases = history.cases.iter().map(|case| {
            let executions = case.executions.iter().map(|past| {
                let took = microseconds(past.duration);
                (past.run, past.verdict as u8, past.is_flaky, took)
            });
            (case.case.as_str(), executions.collect())
        });
        Self {
            runs: runs.collect(),
            cases: cases.collect(),
        }
    }
}

fn microseconds(time: Option<Duration>) -> i64 {
    time.map_or(-1, |time| {
        i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
    })
}
