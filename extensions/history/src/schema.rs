//! The tables of a history, and how older ones become newer ones.
//!
//! Times are microseconds: since 1970 where something happened, otherwise how long it took.

use k2::case::Verdict;
use rusqlite::{Connection, TransactionBehavior};

use crate::pack::{Expected, Packed, pack};

/// Says in the header of the file that the database is a history of runs: `zk2h`.
pub(super) const APPLICATION_ID: i64 = 0x7a6b_3268;

/// What makes a version of the one before.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// Some statements.
    Sql(&'static str),
    /// What statements alone cannot do.
    Code(fn(&Connection) -> rusqlite::Result<()>),
}

/// What makes version n of version n-1: the first of an empty file. Only ever appended to.
pub(super) const STEPS: &[Step] = &[
    Step::Sql(TABLES),
    // `expected-failure` or `unexpected-pass`, where something was expected.
    Step::Sql("ALTER TABLE execution ADD COLUMN expected TEXT"),
    Step::Code(pack_executions),
    // The runs that a run was put together of: the same cases are not counted twice.
    Step::Sql(
        "CREATE TABLE part (name TEXT NOT NULL, run INTEGER NOT NULL, PRIMARY KEY (name, run)) STRICT, WITHOUT ROWID",
    ),
];

const TABLES: &str = "
    CREATE TABLE run (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        application TEXT NOT NULL,
        version TEXT NOT NULL,
        started INTEGER NOT NULL,
        duration INTEGER,
        ending TEXT NOT NULL,
        reason TEXT,
        exit INTEGER NOT NULL,
        host TEXT NOT NULL,
        directory TEXT NOT NULL,
        working_directory TEXT NOT NULL,
        command_line TEXT NOT NULL,
        workers INTEGER NOT NULL,
        filtered_out INTEGER NOT NULL,
        flaky INTEGER NOT NULL,
        log_bytes INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX run_by_time ON run (started, name);
    CREATE TABLE verdict_count (
        run INTEGER NOT NULL,
        verdict TEXT NOT NULL,
        cases INTEGER NOT NULL,
        PRIMARY KEY (run, verdict)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE test_case (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE
    ) STRICT;
    CREATE TABLE execution (
        run INTEGER NOT NULL,
        position INTEGER NOT NULL,
        test_case INTEGER NOT NULL,
        verdict TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        started INTEGER NOT NULL,
        duration INTEGER,
        reason TEXT,
        PRIMARY KEY (run, position)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX execution_of_case ON execution (test_case, run);
";

/// Makes a pack of the executions of each run.
fn pack_executions(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "CREATE TABLE executions (run INTEGER PRIMARY KEY, pack BLOB NOT NULL) STRICT",
    )?;
    let mut runs = connection.prepare("SELECT id FROM run")?;
    let runs: Vec<i64> = runs
        .query_map((), |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let mut rows = connection.prepare(
        "SELECT test_case, verdict, attempts, duration, reason, expected FROM execution WHERE run = ?1 ORDER BY position",
    )?;
    let mut insert = connection.prepare("INSERT INTO executions (run, pack) VALUES (?1, ?2)")?;
    for run in runs {
        let executions = rows.query_map([run], |row| {
            let word: String = row.get(1)?;
            let duration: Option<i64> = row.get(3)?;
            let expected: Option<String> = row.get(5)?;
            Ok(Packed::<String> {
                case: row.get(0)?,
                verdict: verdict(&word).unwrap_or(Verdict::Error),
                expected: expected.as_deref().and_then(Expected::of),
                attempts: row.get(2)?,
                duration: duration.and_then(|micros| u64::try_from(micros).ok()),
                reason: row.get(4)?,
            })
        })?;
        let executions = executions.collect::<Result<Vec<_>, _>>()?;
        insert.execute((run, pack(executions)))?;
    }
    connection.execute_batch("DROP TABLE execution")
}

fn verdict(word: &str) -> Option<Verdict> {
    Verdict::ALL
        .into_iter()
        .find(|verdict| verdict.as_str() == word)
}

/// What a file turns out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A history of this version; 0 if it is empty.
    Version(i64),
    /// A database of something else.
    Foreign,
}

/// Looks at the header.
pub(super) fn look(connection: &Connection) -> rusqlite::Result<Found> {
    let number = |pragma| connection.query_row(pragma, (), |row| row.get::<_, i64>(0));
    let application = number("PRAGMA application_id")?;
    let version = number("PRAGMA user_version")?;
    let tables = number("SELECT count(*) FROM sqlite_schema")?;
    Ok(match (application, version, tables) {
        (APPLICATION_ID, version, _) => Found::Version(version),
        (0, 0, 0) => Found::Version(0),
        _ => Found::Foreign,
    })
}

/// Takes the steps that are missing, all or none; another process may be doing the same.
pub(super) fn migrate(connection: &mut Connection, steps: &[Step]) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version = match look(&transaction)? {
        Found::Version(version) => usize::try_from(version).unwrap_or(0),
        Found::Foreign => return Ok(()),
    };
    for step in steps.iter().skip(version) {
        match step {
            Step::Sql(statements) => transaction.execute_batch(statements)?,
            Step::Code(code) => code(&transaction)?,
        }
    }
    if version < steps.len() {
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", integer(steps.len() as u64))?;
    }
    transaction.commit()
}

/// The number as the database keeps numbers.
pub(super) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_history_becomes_a_newer_one_and_keeps_what_it_has() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, STEPS).unwrap();
        connection
            .execute("INSERT INTO test_case (name) VALUES ('kept')", ())
            .unwrap();
        let mut next = STEPS.to_vec();
        next.push(Step::Sql(
            "ALTER TABLE test_case ADD COLUMN owner TEXT NOT NULL DEFAULT 'nobody'",
        ));
        for _ in 0..2 {
            migrate(&mut connection, &next).unwrap();
        }
        let row: (String, String) = connection
            .query_row("SELECT name, owner FROM test_case", (), |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .unwrap();
        assert_eq!(row, ("kept".to_owned(), "nobody".to_owned()));
        let newer = integer(STEPS.len() as u64) + 1;
        assert_eq!(look(&connection).unwrap(), Found::Version(newer));
    }

    #[test]
    fn the_executions_of_the_first_version_are_packed_and_none_is_lost() {
        let mut connection = of_version(
            1,
            "INSERT INTO execution VALUES (7, 1, 4, 'failed', 2, 0, 12, 'because'), (7, 2, 3, 'passed', 1, 0, NULL, NULL);",
        );
        migrate(&mut connection, STEPS).unwrap();
        let passed = packed(3, Verdict::Passed, None);
        let failed = Packed {
            attempts: 2,
            duration: Some(12),
            reason: Some("because".to_owned()),
            ..packed(4, Verdict::Failed, None)
        };
        assert_eq!(executions(&connection), [passed, failed]);
    }

    #[test]
    fn the_executions_of_the_second_version_keep_what_was_expected() {
        let mut connection = of_version(
            2,
            "INSERT INTO execution VALUES
                (7, 1, 4, 'failed', 1, 0, NULL, NULL, 'unexpected-pass'), (7, 2, 3, 'skipped', 1, 0, NULL, NULL, 'expected-failure'),
                (7, 3, 3, 'error', 1, 0, NULL, NULL, NULL);",
        );
        migrate(&mut connection, STEPS).unwrap();
        let expected = [
            packed(3, Verdict::Skipped, Some(Expected::Failure)),
            packed(3, Verdict::Error, None),
            packed(4, Verdict::Failed, Some(Expected::Pass)),
        ];
        assert_eq!(executions(&connection), expected);
    }

    /// A history of an earlier version, with a run, two cases and these rows.
    fn of_version(version: usize, rows: &str) -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, &STEPS[..version]).unwrap();
        connection
            .execute_batch(
                "INSERT INTO run VALUES (7, 'r', 'a', '1', 0, 5, 'completed', NULL, 0, 'h', '/d', '/w', '[]', 1, 0, 0, 9);
                 INSERT INTO test_case VALUES (3, 'three'), (4, 'four');",
            )
            .unwrap();
        connection.execute_batch(rows).unwrap();
        connection
    }

    fn executions(connection: &Connection) -> Vec<Packed<String>> {
        let query = "SELECT pack FROM executions WHERE run = 7";
        let bytes: Vec<u8> = connection.query_row(query, (), |row| row.get(0)).unwrap();
        let found = crate::pack::Unpack::new(&bytes);
        found.map(Packed::owned).collect()
    }

    fn packed(case: i64, verdict: Verdict, expected: Option<Expected>) -> Packed<String> {
        Packed {
            case,
            verdict,
            expected,
            attempts: 1,
            duration: None,
            reason: None,
        }
    }

    #[test]
    fn a_step_that_fails_leaves_the_history_as_it_was() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, STEPS).unwrap();
        let mut next = STEPS.to_vec();
        next.push(Step::Sql(
            "CREATE TABLE other (id INTEGER); CREATE TABLE run (id INTEGER);",
        ));
        assert!(migrate(&mut connection, &next).is_err());
        assert_eq!(
            look(&connection).unwrap(),
            Found::Version(integer(STEPS.len() as u64))
        );
        let others: i64 = connection
            .query_row(
                "SELECT count(*) FROM sqlite_schema WHERE name = 'other'",
                (),
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(others, 0);
    }

    #[test]
    fn the_database_of_somebody_else_is_recognised() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE t (x)").unwrap();
        assert_eq!(look(&connection).unwrap(), Found::Foreign);
    }
}
