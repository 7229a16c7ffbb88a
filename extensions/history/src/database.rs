//! The file of a history: opened when it is needed, put aside when it is broken.
//!
//! It has a rollback journal, not a write-ahead log: that works on network file systems, and leaves nothing behind but the one file. A process
//! that is killed in the middle leaves its journal, with which the next one undoes what was half done.

use std::fs::File;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags};
use rustix::fs::{FlockOperation, flock};

use crate::error::HistoryError;
use crate::schema::{self, Found, STEPS};

/// Name of the history in the output directory.
pub const HISTORY_FILE: &str = "history.sqlite";

/// Longest wait for another process that is writing: it takes a second for the largest runs.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// An open history.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) connection: Connection,
    path: Utf8PathBuf,
}

impl Database {
    /// The history in `output`, for reading; none if there is none. One of an older program becomes one of this.
    pub(crate) fn read(output: &Utf8Path) -> Result<Option<Self>, HistoryError> {
        let path = output.join(HISTORY_FILE);
        if path.symlink_metadata().is_err() {
            return Ok(None);
        }
        // May write all the same: what a killed process has left half done is undone first.
        let mut database = Self::open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        match database.version()? {
            0 => Ok(None),
            version => {
                database.upgrade(version)?;
                Ok(Some(database))
            }
        }
    }

    /// The history in `output`, for writing; made if there is none.
    fn write(output: &Utf8Path) -> Result<Self, HistoryError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let mut database = Self::open(output.join(HISTORY_FILE), flags)?;
        let version = database.version()?;
        database.upgrade(version)?;
        Ok(database)
    }

    /// Takes the steps from `found`, the version of its tables, to the newest.
    fn upgrade(&mut self, found: i64) -> Result<(), HistoryError> {
        if found >= known() {
            return Ok(());
        }
        schema::migrate(&mut self.connection, STEPS).map_err(|source| {
            match HistoryError::of(&self.path, source) {
                HistoryError::Database { path, source } if found > 0 => HistoryError::Older {
                    path,
                    found,
                    known: known(),
                    source,
                },
                other => other,
            }
        })
    }

    fn open(path: Utf8PathBuf, flags: OpenFlags) -> Result<Self, HistoryError> {
        if path.metadata().is_ok_and(|found| !found.is_file()) {
            return Err(HistoryError::NotAFile { path });
        }
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = Connection::open_with_flags(&path, flags)
            .and_then(|connection| connection.busy_timeout(LONGEST_WAIT).map(|()| connection));
        match opened {
            Ok(connection) => Ok(Self { connection, path }),
            Err(error) => Err(HistoryError::of(&path, error)),
        }
    }

    /// Version of the tables, 0 if there are none.
    fn version(&self) -> Result<i64, HistoryError> {
        let path = || self.path.clone();
        match schema::look(&self.connection).map_err(|error| self.failure(error))? {
            Found::Version(found) if found > known() => Err(HistoryError::Newer {
                path: path(),
                found,
                known: known(),
            }),
            Found::Version(found) => Ok(found),
            Found::Foreign => Err(HistoryError::Foreign { path: path() }),
        }
    }

    /// What the database says, with its path.
    pub(crate) fn failure(&self, error: rusqlite::Error) -> HistoryError {
        HistoryError::of(&self.path, error)
    }
}

fn known() -> i64 {
    schema::integer(STEPS.len() as u64)
}

/// Has `write` write into the history of `output`. A damaged one is put aside, which is said, and a new one begun.
pub(crate) fn write<T>(
    output: &Utf8Path,
    mut write: impl FnMut(&mut Database) -> Result<T, HistoryError>,
) -> Result<T, HistoryError> {
    let mut attempt = || write(&mut Database::write(output)?);
    match attempt() {
        Err(error) if error.is_damage() => {
            if let Some(aside) = put_aside(output)? {
                tracing::warn!(
                    "{}; it is kept as `{aside}`, and a new one begins: `results import` fills it from the runs that are still there",
                    crate::error::in_one_line(&error)
                );
            }
            attempt()
        }
        other => other,
    }
}

/// Renames a damaged history, with its journal; none if another process has done so meanwhile.
fn put_aside(output: &Utf8Path) -> Result<Option<Utf8PathBuf>, HistoryError> {
    let path = output.join(HISTORY_FILE);
    let failed = |source| HistoryError::PutAside {
        path: path.clone(),
        source,
    };
    // One at a time: the second one must not put the new history of the first aside. The directory itself is locked, so no
    // file is needed for it.
    let lock = File::open(output).map_err(failed)?;
    flock(&lock, FlockOperation::LockExclusive).map_err(|errno| failed(errno.into()))?;
    if is_sound(&path) {
        return Ok(None);
    }
    let stamp = Timestamp::now().as_microsecond();
    let aside = output.join(format!("{HISTORY_FILE}.damaged-{stamp}"));
    std::fs::rename(&path, &aside).map_err(failed)?;
    // Belongs to the old one, and would be applied to the new one.
    let journal = |path: &Utf8Path| Utf8PathBuf::from(format!("{path}-journal"));
    match std::fs::rename(journal(&path), journal(&aside)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(failed(error)),
        _ => Ok(Some(aside)),
    }
}

/// Whether the file is a history in which every page is as it should be.
fn is_sound(path: &Utf8Path) -> bool {
    let check = |connection: Connection| -> rusqlite::Result<bool> {
        let verdict: String =
            connection.query_row("PRAGMA quick_check(1)", (), |row| row.get(0))?;
        Ok(verdict == "ok" && schema::look(&connection)? != Found::Foreign)
    };
    Database::open(path.to_owned(), OpenFlags::SQLITE_OPEN_READ_WRITE)
        .is_ok_and(|database| check(database.connection).unwrap_or(false))
}
