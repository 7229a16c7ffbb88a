//! Why a history cannot be used.

use std::io;

use camino::Utf8PathBuf;
use k2::results::RunLogError;
use rusqlite::ErrorCode;
use thiserror::Error;

/// Why a history cannot be read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// The file is no database of this kind, or is broken.
    #[error("the history `{path}` is damaged")]
    Damaged {
        /// The file.
        path: Utf8PathBuf,
        /// What the database says.
        #[source]
        source: rusqlite::Error,
    },
    /// It is a database of something else.
    #[error("`{path}` is a database, but not a history of runs")]
    Foreign {
        /// The file.
        path: Utf8PathBuf,
    },
    /// A later program wrote it. It is left as it is.
    #[error(
        "the history `{path}` is of a newer program: version {found}, and this one knows up to {known}; it is left as it is, use the newer program or another output directory"
    )]
    Newer {
        /// The file.
        path: Utf8PathBuf,
        /// Version of its tables.
        found: i64,
        /// Newest version that is known here.
        known: i64,
    },
    /// An earlier program wrote it, and it cannot be made into one of this program. It is left as it is.
    #[error(
        "the history `{path}` is of an older program: version {found}; it cannot be changed to version {known}, which this one reads"
    )]
    Older {
        /// The file.
        path: Utf8PathBuf,
        /// Version of its tables.
        found: i64,
        /// Version that it would have to have.
        known: i64,
        /// What the database says.
        #[source]
        source: rusqlite::Error,
    },
    /// Something else stands in its place.
    #[error("the history `{path}` is not a file")]
    NotAFile {
        /// What stands there.
        path: Utf8PathBuf,
    },
    /// The database refuses: locked for too long, disk full, no permission.
    #[error("cannot use the history `{path}`")]
    Database {
        /// The file.
        path: Utf8PathBuf,
        /// What the database says.
        #[source]
        source: rusqlite::Error,
    },
    /// A damaged one could not be put aside.
    #[error("cannot put the damaged history `{path}` aside")]
    PutAside {
        /// The file.
        path: Utf8PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The event log cannot be read.
    #[error("cannot read the event log of the run")]
    Log(#[from] RunLogError),
    /// The event log does not say of which run it is.
    #[error("the event log has no record of the run's start")]
    NoStart,
}

impl HistoryError {
    /// What the database said about `path`, by its kind.
    pub(crate) fn of(path: &Utf8PathBuf, source: rusqlite::Error) -> Self {
        let path = path.clone();
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                Self::Damaged { path, source }
            }
            _ => Self::Database { path, source },
        }
    }

    /// Whether a new history in the place of this one would work.
    pub(crate) fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged { .. } | Self::Foreign { .. })
    }
}

/// An error with its causes, in one line.
pub(crate) fn in_one_line(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    let mut texts: Vec<String> = causes.map(ToString::to_string).collect();
    // The database says the same twice, the second time with its number for it.
    texts.dedup_by(|cause, text| {
        let said = cause.strip_prefix("Error code ");
        said.and_then(|said| said.split_once(": "))
            .is_some_and(|(_, said)| said == text)
    });
    k2::results::printable_line(&texts.join(": ")).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_database_says_is_said_once() {
        let full = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL);
        let said = Some("database or disk is full".to_owned());
        let error = HistoryError::of(
            &"out/history.sqlite".into(),
            rusqlite::Error::SqliteFailure(full, said),
        );
        assert_eq!(
            in_one_line(&error),
            "cannot use the history `out/history.sqlite`: database or disk is full"
        );
    }
}
