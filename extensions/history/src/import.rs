//! From the event log of a run to the history, in one transaction.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use camino::Utf8Path;
use k2::case::{CaseId, Verdict};
use k2::results::{Execution, RunEnd, RunLog, RunLogError, RunStarted, Summary, TestCaseFinished};
use rusqlite::{OptionalExtension, Transaction, TransactionBehavior, params};

use crate::database::Database;
use crate::error::HistoryError;
use crate::pack::{Expected, Packed, Unpack, pack};
use crate::schema::integer;

/// For how many executions of a log the numbers of their cases are looked up at a time: their names are held meanwhile.
const AT_ONCE: usize = 50_000;

/// What is kept of an execution.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    case: CaseId,
    verdict: Verdict,
    expected: Option<Expected>,
    attempts: u32,
    /// In microseconds.
    duration: Option<u64>,
    reason: Option<Arc<str>>,
}

impl Kept {
    pub(crate) fn of(last: &TestCaseFinished) -> Self {
        let duration = last.duration;
        Self {
            case: last.case.clone(),
            verdict: last.verdict,
            expected: Expected::of(last.outcome()),
            attempts: last.attempt,
            duration: duration.map(|time| u64::try_from(time.as_micros()).unwrap_or(u64::MAX)),
            reason: last.reason.clone(),
        }
    }
}

/// What became of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Imported {
    /// The run is in the history now.
    Added,
    /// It was there, from a shorter log.
    Completed,
    /// It was there already.
    Known,
    /// It was put together of runs of which these many are there: their cases would count twice.
    OfKnown(usize),
    /// It is a part of a run that is there.
    PartOfKnown,
}

/// Puts the run of `log` into the history. What there is of the same run is replaced if its log was shorter. Then the oldest runs
/// are forgotten, until there are `keep` of them; 0 keeps all.
///
/// All of it happens, or nothing. `executions` are those of the log, where they are known without reading it.
pub(crate) fn import(
    database: &mut Database,
    log: &RunLog,
    directory: &Utf8Path,
    log_bytes: u64,
    keep: u64,
    executions: Option<&[Kept]>,
) -> Result<Imported, HistoryError> {
    let summary = log.summary();
    let start = summary.run().ok_or(HistoryError::NoStart)?;
    let written = write(database, log, start, directory, log_bytes, keep, executions);
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
    executions: Option<&[Kept]>,
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
            forget(&transaction, id)?;
            Imported::Completed
        }
        None => match overlap(&transaction, log.summary(), &start.run)? {
            Some(overlap) => return Ok(overlap),
            None => Imported::Added,
        },
    };
    let run = insert_run(&transaction, log.summary(), start, directory, log_bytes)?;
    insert_executions(&transaction, executions, log, run)?;
    for part in log.summary().parts() {
        let statement = "INSERT OR IGNORE INTO part (name, run) VALUES (?1, ?2)";
        transaction.execute(statement, params![&**part, run])?;
    }
    if keep > 0 {
        forget_oldest(&transaction, keep)?;
    }
    transaction.commit()?;
    Ok(imported)
}

/// Whether cases of a new run are in the history by another one: some of those that it was put together of, or a whole of which it is
/// a part.
fn overlap(
    transaction: &Transaction<'_>,
    summary: &Summary,
    name: &str,
) -> rusqlite::Result<Option<Imported>> {
    let mut known = transaction.prepare(
        "SELECT EXISTS (SELECT 1 FROM run WHERE name = ?1) OR EXISTS (SELECT 1 FROM part WHERE name = ?1)",
    )?;
    let mut of_known = 0;
    for part in summary.parts() {
        of_known += usize::from(known.query_row([&**part], |row| row.get::<_, bool>(0))?);
    }
    if of_known > 0 {
        return Ok(Some(Imported::OfKnown(of_known)));
    }
    let is_part = known.query_row([name], |row| row.get::<_, bool>(0))?;
    Ok(is_part.then_some(Imported::PartOfKnown))
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

fn insert_executions(
    transaction: &Transaction<'_>,
    executions: Option<&[Kept]>,
    log: &RunLog,
    run: i64,
) -> Result<(), Failure> {
    let mut packed = Vec::new();
    if let Some(executions) = executions {
        packed.reserve_exact(executions.len());
        add_packed(transaction, executions, &mut packed)?;
    } else {
        let mut some = Vec::new();
        log.for_each(|execution: &Execution| -> Result<(), Failure> {
            some.push(Kept::of(&execution.last));
            if some.len() == AT_ONCE {
                add_packed(transaction, &some, &mut packed)?;
                some.clear();
            }
            Ok(())
        })?;
        add_packed(transaction, &some, &mut packed)?;
    }
    transaction.execute(
        "INSERT INTO executions (run, pack) VALUES (?1, ?2)",
        params![run, pack(packed)],
    )?;
    Ok(())
}

fn add_packed(
    transaction: &Transaction<'_>,
    executions: &[Kept],
    packed: &mut Vec<Packed<Arc<str>>>,
) -> rusqlite::Result<()> {
    let ids = ids_of(transaction, executions)?;
    packed.extend(executions.iter().zip(ids).map(|(kept, case)| Packed {
        case,
        verdict: kept.verdict,
        expected: kept.expected,
        attempts: kept.attempts,
        duration: kept.duration,
        reason: kept.reason.clone(),
    }));
    Ok(())
}

/// The numbers of the cases, in this order; new ones get one.
///
/// As a rule a run has most of the cases that there are, and then it takes a fraction of the time to go through all names once than to
/// look for each.
fn ids_of(transaction: &Transaction<'_>, executions: &[Kept]) -> rusqlite::Result<Vec<i64>> {
    let wanted = executions.iter().map(|kept| (kept.case.as_str(), None));
    // Nothing depends on the order of it. A case may stand there twice, as its repetitions do.
    let mut ids: HashMap<&str, Option<i64>> = wanted.collect();
    let last: Option<i64> =
        transaction.query_row("SELECT max(id) FROM test_case", (), |row| row.get(0))?;
    if integer(ids.len() as u64).saturating_mul(8) > last.unwrap_or(0) {
        let mut names = transaction.prepare("SELECT name, id FROM test_case")?;
        let mut names = names.query(())?;
        while let Some(row) = names.next()? {
            if let Some(id) = ids.get_mut(row.get_ref(0)?.as_str()?) {
                *id = Some(row.get(1)?);
            }
        }
    }
    let mut find = transaction.prepare("SELECT id FROM test_case WHERE name = ?1")?;
    let mut insert = transaction.prepare("INSERT INTO test_case (name) VALUES (?1)")?;
    let mut id_of = |name: &str| {
        let known = ids.get(name).copied().flatten();
        if let Some(id) = known {
            return Ok(id);
        }
        let found = find.query_row([name], |row| row.get(0)).optional()?;
        let id = match found {
            Some(id) => id,
            None => insert.insert([name])?,
        };
        if let Some(place) = ids.get_mut(name) {
            *place = Some(id);
        }
        Ok(id)
    };
    let names = executions.iter().map(|kept| kept.case.as_str());
    names.map(&mut id_of).collect()
}

/// Forgets all runs but the newest `keep`, and the cases that no run has any more.
fn forget_oldest(transaction: &Transaction<'_>, keep: u64) -> rusqlite::Result<()> {
    let mut old = transaction
        .prepare("SELECT id FROM run ORDER BY started DESC, name DESC LIMIT -1 OFFSET ?1")?;
    let old: Vec<i64> = old
        .query_map([integer(keep)], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let mut orphans = BTreeSet::new();
    for run in old {
        orphans.extend(cases_of(transaction, run)?);
        forget(transaction, run)?;
    }
    // As a rule the newest run has all of them.
    let mut left = transaction.prepare("SELECT id FROM run ORDER BY started DESC, name DESC")?;
    let mut left = left.query(())?;
    while !orphans.is_empty()
        && let Some(row) = left.next()?
    {
        for case in cases_of(transaction, row.get(0)?)? {
            orphans.remove(&case);
        }
    }
    let mut delete = transaction.prepare("DELETE FROM test_case WHERE id = ?1")?;
    for case in orphans {
        delete.execute([case])?;
    }
    Ok(())
}

/// The numbers of the cases of a run.
fn cases_of(transaction: &Transaction<'_>, run: i64) -> rusqlite::Result<Vec<i64>> {
    let query = "SELECT pack FROM executions WHERE run = ?1";
    let bytes = transaction
        .query_row(query, [run], |row| row.get::<_, Vec<u8>>(0))
        .optional()?
        .unwrap_or_default();
    Ok(Unpack::new(&bytes)
        .map(|execution| execution.case)
        .collect())
}

/// Deletes a run and what belongs to it.
fn forget(transaction: &Transaction<'_>, run: i64) -> rusqlite::Result<()> {
    for statement in [
        "DELETE FROM executions WHERE run = ?1",
        "DELETE FROM part WHERE run = ?1",
        "DELETE FROM verdict_count WHERE run = ?1",
        "DELETE FROM run WHERE id = ?1",
    ] {
        transaction.execute(statement, [run])?;
    }
    Ok(())
}

fn micros(duration: std::time::Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
