//! From the event log of a run to the history, in one transaction.

use camino::Utf8Path;
use k2::case::Verdict;
use k2::results::{Execution, RunEnd, RunLog, RunLogError, RunStarted, Summary};
use rusqlite::{OptionalExtension, Transaction, TransactionBehavior, params};

use crate::database::Database;
use crate::error::HistoryError;
use crate::schema::integer;

/// What became of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Imported {
    /// The run is in the history now.
    Added,
    /// It was there, from a shorter log.
    Completed,
    /// It was there already.
    Known,
}

/// Puts the run of `log` into the history. What there is of the same run is replaced if its log was shorter. Then the oldest runs
/// are forgotten, until there are `keep` of them; 0 keeps all.
///
/// All of it happens, or nothing.
pub(crate) fn import(
    database: &mut Database,
    log: &RunLog,
    directory: &Utf8Path,
    log_bytes: u64,
    keep: u64,
) -> Result<Imported, HistoryError> {
    let summary = log.summary();
    let start = summary.run().ok_or(HistoryError::NoStart)?;
    let written = write(database, log, start, directory, log_bytes, keep);
    written.map_err(|failure| match failure {
        Failure::Log(error) => HistoryError::Log(error),
        Failure::Database(error) => database.failure(error),
    })
}

/// Why the transaction was not committed.
enum Failure {
    Log(RunLogError),
    Database(rusqlite::Error),
}

impl From<RunLogError> for Failure {
    fn from(error: RunLogError) -> Self {
        Self::Log(error)
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

fn write(
    database: &mut Database,
    log: &RunLog,
    start: &RunStarted,
    directory: &Utf8Path,
    log_bytes: u64,
    keep: u64,
) -> Result<Imported, Failure> {
    let transaction = database
        .connection
        .transaction_with_behavior(TransactionBehavior::Immediate)?;
    let known: Option<(i64, i64)> = transaction
        .query_row(
            "SELECT id, log_bytes FROM run WHERE name = ?1",
            [&*start.run],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let imported = match known {
        Some((_, bytes)) if bytes >= integer(log_bytes) => return Ok(Imported::Known),
        Some((id, _)) => {
            forget(&transaction, "run = ?1", "id = ?1", id)?;
            Imported::Completed
        }
        None => Imported::Added,
    };
    let run = insert_run(&transaction, log.summary(), start, directory, log_bytes)?;
    insert_executions(&transaction, log, run)?;
    if keep > 0 {
        forget_oldest(&transaction, keep)?;
    }
    transaction.commit()?;
    Ok(imported)
}

fn insert_run(
    transaction: &Transaction<'_>,
    summary: &Summary,
    start: &RunStarted,
    directory: &Utf8Path,
    log_bytes: u64,
) -> rusqlite::Result<i64> {
    let (ending, reason) = match summary.end().map(|end| &end.end) {
        None => ("killed", None),
        Some(RunEnd::TimeLimit) => ("time-limit", None),
        Some(RunEnd::Aborted { reason }) => ("aborted", Some(&**reason)),
        // What a later version adds is an end nevertheless.
        Some(_) => ("completed", None),
    };
    let duration = summary.duration().map(micros);
    let command_line = serde_json::to_string(&start.command_line)
        .expect("invariant: texts can always be written as JSON");
    transaction.execute(
        "INSERT INTO run (name, application, version, started, duration, ending, reason, exit, host, directory,
             working_directory, command_line, workers, filtered_out, flaky, log_bytes)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
        params![
            &*start.run,
            &*start.application,
            &*start.version,
            start.started.as_microsecond(),
            duration,
            ending,
            reason,
            summary.exit_code().code(),
            &*start.host,
            directory.as_str(),
            start.working_directory.as_str(),
            command_line,
            start.workers,
            integer(summary.filtered_out()),
            integer(summary.flaky()),
            integer(log_bytes),
        ],
    )?;
    let run = transaction.last_insert_rowid();
    let counts = summary.counts();
    for verdict in Verdict::ALL {
        let cases = counts.of(verdict);
        if cases > 0 {
            transaction.execute(
                "INSERT INTO verdict_count (run, verdict, cases) VALUES (?1, ?2, ?3)",
                params![run, verdict.as_str(), integer(cases)],
            )?;
        }
    }
    Ok(run)
}

fn insert_executions(transaction: &Transaction<'_>, log: &RunLog, run: i64) -> Result<(), Failure> {
    let mut find = transaction.prepare("SELECT id FROM test_case WHERE name = ?1")?;
    let mut name = transaction.prepare("INSERT INTO test_case (name) VALUES (?1)")?;
    let mut insert = transaction.prepare(
        "INSERT INTO execution (run, position, test_case, verdict, attempts, started, duration, reason, expected)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    let mut position: i64 = 0;
    log.for_each(|execution: &Execution| -> Result<(), Failure> {
        let last = &execution.last;
        let case = match find
            .query_row([last.case.as_str()], |row| row.get(0))
            .optional()?
        {
            Some(id) => id,
            None => name.insert([last.case.as_str()])?,
        };
        position += 1;
        insert.execute(params![
            run,
            position,
            case,
            last.verdict.as_str(),
            last.attempt,
            last.started.as_microsecond(),
            last.duration.map(micros),
            last.reason.as_deref(),
            last.expected_failure.as_ref().map(|_| last.outcome()),
        ])?;
        Ok(())
    })
}

/// Forgets all runs but the newest `keep`, and the cases that no run has any more.
fn forget_oldest(transaction: &Transaction<'_>, keep: u64) -> rusqlite::Result<()> {
    let old = "IN (SELECT id FROM run ORDER BY started DESC, name DESC LIMIT -1 OFFSET ?1)";
    let runs = forget(
        transaction,
        &format!("run {old}"),
        &format!("id {old}"),
        integer(keep),
    )?;
    if runs > 0 {
        transaction.execute(
            "DELETE FROM test_case WHERE NOT EXISTS (SELECT 1 FROM execution WHERE execution.test_case = test_case.id)",
            (),
        )?;
    }
    Ok(())
}

/// Deletes runs and what belongs to them; says how many.
fn forget(
    transaction: &Transaction<'_>,
    of_run: &str,
    run: &str,
    parameter: i64,
) -> rusqlite::Result<usize> {
    for table in ["execution", "verdict_count"] {
        transaction.execute(&format!("DELETE FROM {table} WHERE {of_run}"), [parameter])?;
    }
    transaction.execute(&format!("DELETE FROM run WHERE {run}"), [parameter])
}

fn micros(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
