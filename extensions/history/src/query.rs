//! What is asked of a history.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use k2::case::Verdict;
use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Params, Row, params_from_iter};
use serde::Serialize;

use crate::database::Database;
use crate::error::HistoryError;
use crate::pack::{Expected, Packed, Unpack};
use crate::past::time;

/// A run. The fields that programs read: see the page on the history.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct RunRow {
    #[serde(skip)]
    pub(crate) id: i64,
    /// Its id, the name of its directory.
    pub(crate) run: String,
    pub(crate) started: Timestamp,
    /// In microseconds; none if it was killed.
    #[serde(rename = "duration_us")]
    pub(crate) duration: Option<u64>,
    /// `completed`, `aborted`, `time-limit` or `killed`.
    pub(crate) ending: String,
    /// Why it was aborted.
    pub(crate) reason: Option<String>,
    /// Exit code, as far as cases decide it.
    pub(crate) exit: u8,
    /// How many cases ended with which verdict; those that do not occur are left out.
    #[serde(rename = "cases")]
    pub(crate) counts: BTreeMap<String, u64>,
    /// How many passed after an attempt that did not.
    pub(crate) flaky: u64,
    pub(crate) filtered_out: u64,
    pub(crate) application: String,
    pub(crate) version: String,
    pub(crate) host: String,
    pub(crate) workers: u32,
    /// Where it was when it was put into the history.
    pub(crate) directory: String,
    pub(crate) working_directory: String,
    pub(crate) command_line: Vec<String>,
}

impl RunRow {
    /// How many of its cases have this verdict.
    pub(crate) fn count(&self, verdict: Verdict) -> u64 {
        self.counts.get(verdict.as_str()).copied().unwrap_or(0)
    }

    /// How many failed, timed out or ended in error.
    pub(crate) fn failures(&self) -> u64 {
        let failures = Verdict::ALL
            .into_iter()
            .filter(|verdict| verdict.is_failure());
        failures.map(|verdict| self.count(verdict)).sum()
    }
}

/// An execution of a case.
#[derive(Debug, Clone)]
pub(crate) struct ExecutionRow {
    pub(crate) run: i64,
    pub(crate) verdict: Verdict,
    pub(crate) attempts: u32,
    pub(crate) duration: Option<Duration>,
    pub(crate) reason: Option<String>,
    /// What became of an expected failure, where one was expected.
    pub(crate) expected: Option<Expected>,
}

impl ExecutionRow {
    fn of(run: i64, execution: &Packed<&str>) -> Self {
        Self {
            run,
            verdict: execution.verdict,
            expected: execution.expected,
            attempts: execution.attempts,
            duration: execution.duration.map(Duration::from_micros),
            reason: execution.reason.map(str::to_owned),
        }
    }

    /// The word for how it ended: that of the verdict, or what became of the expectation.
    pub(crate) fn outcome(&self) -> &'static str {
        self.expected
            .map_or(self.verdict.as_str(), Expected::as_str)
    }

    /// Whether it passed after an attempt that did not.
    pub(crate) fn is_flaky(&self) -> bool {
        self.verdict == Verdict::Passed && self.attempts > 1
    }
}

const RUN: &str = "SELECT id, name, started, duration, ending, reason, exit, flaky, filtered_out, application, version,
    host, workers, directory, working_directory, command_line FROM run";

/// The newest `most` runs, newest first; all if 0.
pub(crate) fn newest_runs(database: &Database, most: u64) -> Result<Vec<RunRow>, HistoryError> {
    let order = format!("{RUN} ORDER BY started DESC, name DESC LIMIT ?1");
    let limit = if most == 0 {
        -1
    } else {
        crate::schema::integer(most)
    };
    runs(database, &order, [limit])
}

/// At most `most` runs that began before `run`, oldest first; the newest of all if it is none or not known.
pub(crate) fn runs_before(
    database: &Database,
    run: Option<&str>,
    most: usize,
) -> Result<Vec<RunRow>, HistoryError> {
    let before = format!(
        "{RUN} WHERE name <> ?1 AND (started, name) <
             (SELECT coalesce(max(started), 9223372036854775807), ?1 FROM run WHERE name = ?1)
         ORDER BY started DESC, name DESC LIMIT ?2"
    );
    let parameters: [Value; 2] = [
        Value::Text(run.unwrap_or_default().to_owned()),
        Value::Integer(crate::schema::integer(most as u64)),
    ];
    let mut rows = runs(database, &before, parameters)?;
    rows.reverse();
    Ok(rows)
}

fn runs(
    database: &Database,
    query: &str,
    parameters: impl IntoIterator<Item = impl rusqlite::ToSql>,
) -> Result<Vec<RunRow>, HistoryError> {
    let mut rows = all(database, query, params_from_iter(parameters), run_row)?;
    for row in &mut rows {
        let counts = all(
            database,
            "SELECT verdict, cases FROM verdict_count WHERE run = ?1",
            [row.id],
            |found| Ok((found.get(0)?, unsigned(found.get(1)?))),
        )?;
        row.counts = counts.into_iter().collect();
    }
    Ok(rows)
}

fn run_row(row: &Row<'_>) -> rusqlite::Result<RunRow> {
    let command_line: String = row.get(15)?;
    Ok(RunRow {
        id: row.get(0)?,
        run: row.get(1)?,
        started: time(row.get(2)?),
        duration: row.get::<_, Option<i64>>(3)?.map(unsigned),
        ending: row.get(4)?,
        reason: row.get(5)?,
        exit: row.get(6)?,
        counts: BTreeMap::new(),
        flaky: unsigned(row.get(7)?),
        filtered_out: unsigned(row.get(8)?),
        application: row.get(9)?,
        version: row.get(10)?,
        host: row.get(11)?,
        workers: row.get(12)?,
        directory: row.get(13)?,
        working_directory: row.get(14)?,
        command_line: serde_json::from_str(&command_line).unwrap_or_default(),
    })
}

/// Hands all executions of these runs to `each`: case by case, of each the oldest run first.
pub(crate) fn for_each_execution(
    database: &Database,
    runs: &[RunRow],
    mut each: impl FnMut(&str, ExecutionRow),
) -> Result<(), HistoryError> {
    let mut runs: Vec<&RunRow> = runs.iter().collect();
    runs.sort_by(|one, other| (one.started, &one.run).cmp(&(other.started, &other.run)));
    let mut read = || -> rusqlite::Result<()> {
        let packs = runs
            .iter()
            .map(|run| pack_of(database, run.id))
            .collect::<rusqlite::Result<Vec<_>>>()?;
        // All are in the order of the numbers of cases, so are the names: they are gone through side by side.
        let mut packs: Vec<_> = packs
            .iter()
            .map(|pack| Unpack::new(pack).peekable())
            .collect();
        let mut names = database
            .connection
            .prepare("SELECT id, name FROM test_case ORDER BY id")?;
        let mut names = names.query(())?;
        while let Some(row) = names.next()? {
            let id: i64 = row.get(0)?;
            for (pack, run) in packs.iter_mut().zip(&runs) {
                while pack.next_if(|execution| execution.case < id).is_some() {}
                while let Some(execution) = pack.next_if(|execution| execution.case == id) {
                    let name = row.get_ref(1)?.as_str()?;
                    each(name, ExecutionRow::of(run.id, &execution));
                }
            }
        }
        Ok(())
    };
    read().map_err(|error| database.failure(error))
}

/// Hands the executions of one case to `each`, newest run first; `most` of them, all if 0.
pub(crate) fn for_each_execution_of(
    database: &Database,
    case: &str,
    most: u64,
    mut each: impl FnMut(&str, ExecutionRow),
) -> Result<(), HistoryError> {
    let mut read = || -> rusqlite::Result<()> {
        let id: Option<i64> = database
            .connection
            .query_row("SELECT id FROM test_case WHERE name = ?1", [case], |row| {
                row.get(0)
            })
            .optional()?;
        let Some(id) = id else { return Ok(()) };
        let mut left = if most == 0 { u64::MAX } else { most };
        let mut runs = database
            .connection
            .prepare("SELECT id FROM run ORDER BY started DESC, name DESC")?;
        let mut runs = runs.query(())?;
        while left > 0
            && let Some(row) = runs.next()?
        {
            let run: i64 = row.get(0)?;
            let pack = pack_of(database, run)?;
            let mut found: Vec<_> = Unpack::new(&pack)
                .skip_while(|execution| execution.case < id)
                .take_while(|execution| execution.case == id)
                .collect();
            found.reverse();
            for execution in found {
                if left == 0 {
                    break;
                }
                left -= 1;
                each(case, ExecutionRow::of(run, &execution));
            }
        }
        Ok(())
    };
    read().map_err(|error| database.failure(error))
}

/// The executions of a run; none if it has none.
fn pack_of(database: &Database, run: i64) -> rusqlite::Result<Vec<u8>> {
    let query = "SELECT pack FROM executions WHERE run = ?1";
    let found = database
        .connection
        .query_row(query, [run], |row| row.get(0));
    Ok(found.optional()?.unwrap_or_default())
}

/// Names of all cases, in order.
pub(crate) fn case_names(database: &Database) -> Result<Vec<String>, HistoryError> {
    all(
        database,
        "SELECT name FROM test_case ORDER BY name",
        (),
        |row| row.get(0),
    )
}

/// Whether there is a case of exactly this name.
pub(crate) fn knows_case(database: &Database, name: &str) -> Result<bool, HistoryError> {
    let query = "SELECT 1 FROM test_case WHERE name = ?1";
    let found = database
        .connection
        .query_row(query, [name], |_| Ok(()))
        .optional();
    Ok(found.map_err(|error| database.failure(error))?.is_some())
}

fn all<T>(
    database: &Database,
    query: &str,
    parameters: impl Params,
    row: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, HistoryError> {
    let read = || -> rusqlite::Result<Vec<T>> {
        let mut statement = database.connection.prepare(query)?;
        statement.query_map(parameters, row)?.collect()
    };
    read().map_err(|error| database.failure(error))
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
