//! Reads files without being held up or flooded by them.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::OFlags;

use super::{Format, SIZE_LIMIT, text};
use crate::config::layer::{ConfigLayer, FileId};
use crate::config::problem::{Problem, Problems};
use crate::config::source::{Document, Priority};

/// A file could not be made a layer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// It is missing, not readable, or reading it failed.
    #[error("configuration file `{path}` cannot be read")]
    Io {
        /// Path as it was given.
        path: Utf8PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// Only regular files are read, because others may never end.
    #[error("configuration file `{path}` is {what}, expected a regular file")]
    NotAFile {
        /// Path as it was given.
        path: Utf8PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// It is larger than [`SIZE_LIMIT`].
    #[error("configuration file `{path}` is larger than {} MB", SIZE_LIMIT / 1_000_000)]
    TooLarge {
        /// Path as it was given.
        path: Utf8PathBuf,
    },
    /// It is not UTF-8.
    #[error("configuration file `{path}` is not UTF-8: byte {offset} (line {line})")]
    NotUtf8 {
        /// Path as it was given.
        path: Utf8PathBuf,
        /// The first wrong byte, from 0.
        offset: usize,
        /// Its line, from 1.
        line: usize,
    },
    /// Its content is wrong.
    #[error(transparent)]
    Content(#[from] Problems),
}

impl LoadError {
    /// Whether there is no such file.
    pub fn is_missing(&self) -> bool {
        self.io_kind() == Some(io::ErrorKind::NotFound)
    }

    /// Whether the user may not read it.
    pub fn is_denied(&self) -> bool {
        self.io_kind() == Some(io::ErrorKind::PermissionDenied)
    }

    fn io_kind(&self) -> Option<io::ErrorKind> {
        match self {
            Self::Io { source, .. } => Some(source.kind()),
            _ => None,
        }
    }

    /// The same as problems, for reporting them together with those of other files.
    pub fn into_problems(self) -> Problems {
        match self {
            Self::Content(problems) => problems,
            Self::Io { ref source, .. } => {
                let cause = source.to_string();
                Problem::error(self.to_string()).detail(cause).into()
            }
            other => Problem::error(other.to_string()).into(),
        }
    }
}

/// The bit of a file's mode that lets everybody write.
const WRITABLE_BY_OTHERS: u32 = 0o002;

/// Reads a file as a layer. Its format is that of [`Format::of_path`]. The file is opened and read once.
///
/// Its warnings say if everybody may change it.
///
/// # Errors
///
/// Any [`LoadError`]; never waits for a pipe or device.
pub fn file(path: &Utf8Path, priority: Priority) -> Result<ConfigLayer, LoadError> {
    file_with_secrets(path, priority, &BTreeSet::new())
}

/// The same, with what stands behind these words left out of the pictures of all problems: the last words of the keys of secrets.
///
/// # Errors
///
/// As [`file()`].
pub fn file_with_secrets(
    path: &Utf8Path,
    priority: Priority,
    secrets: &BTreeSet<String>,
) -> Result<ConfigLayer, LoadError> {
    let failed = |source| LoadError::Io {
        path: path.to_owned(),
        source,
    };
    // Asked before opening, because opening a device may do something; and again after, because it may have been replaced.
    refuse_special(path, &std::fs::metadata(path).map_err(failed)?)?;
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path)
        .map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    refuse_special(path, &metadata)?;
    let bytes = read_limited(&file)
        .map_err(failed)?
        .ok_or_else(|| LoadError::TooLarge {
            path: path.to_owned(),
        })?;
    let content = String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        let before = String::from_utf8_lossy(&error.as_bytes()[..offset]);
        let newlines = before.matches('\n').count();
        LoadError::NotUtf8 {
            path: path.to_owned(),
            offset,
            line: newlines + 1,
        }
    })?;
    let mut layer = text(
        Document::new(path, content).hiding(secrets),
        Format::of_path(path),
        priority,
    )?;
    if metadata.mode() & WRITABLE_BY_OTHERS != 0 {
        let title = format!("configuration file `{path}` can be changed by every user");
        layer.warn(Problem::warning(title).detail(format!("chmod o-w {path}")));
    }
    Ok(layer.with_file_id(FileId {
        device: metadata.dev(),
        inode: metadata.ino(),
    }))
}

fn refuse_special(path: &Utf8Path, metadata: &std::fs::Metadata) -> Result<(), LoadError> {
    let kind = metadata.file_type();
    let what = match () {
        () if kind.is_file() => return Ok(()),
        () if kind.is_dir() => "a directory",
        () if kind.is_fifo() => "a pipe",
        () if kind.is_socket() => "a socket",
        () => "a device",
    };
    Err(LoadError::NotAFile {
        path: path.to_owned(),
        what,
    })
}

/// All bytes, or none if there are more than the limit.
fn read_limited(file: &File) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    file.take(SIZE_LIMIT + 1).read_to_end(&mut bytes)?;
    Ok((u64::try_from(bytes.len()).unwrap_or(u64::MAX) <= SIZE_LIMIT).then_some(bytes))
}
