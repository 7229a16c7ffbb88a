//! The tables of a history, and how older ones become newer ones.
//!
//! Times are microseconds: since 1970 where something happened, otherwise how long it took.

use rusqlite::{Connection, TransactionBehavior};

/// Says in the header of the file that the database is a history of runs: `zk2h`.
pub(super) const APPLICATION_ID: i64 = 0x7a6b_3268;

/// What makes version n of version n-1: the first of an empty file. Only ever appended to.
pub(super) const STEPS: &[&str] = &[
    "
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
",
    // `expected-failure` or `unexpected-pass`, where something was expected.
    "ALTER TABLE execution ADD COLUMN expected TEXT",
];

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
pub(super) fn migrate(connection: &mut Connection, steps: &[&str]) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version = match look(&transaction)? {
        Found::Version(version) => usize::try_from(version).unwrap_or(0),
        Found::Foreign => return Ok(()),
    };
    for step in steps.iter().skip(version) {
        transaction.execute_batch(step)?;
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
        next.push("ALTER TABLE test_case ADD COLUMN owner TEXT NOT NULL DEFAULT 'nobody'");
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
    fn a_step_that_fails_leaves_the_history_as_it_was() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, STEPS).unwrap();
        let mut next = STEPS.to_vec();
        next.push("CREATE TABLE other (id INTEGER); CREATE TABLE run (id INTEGER);");
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
