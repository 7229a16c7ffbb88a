//! Replaces a file in one step.
//!
//! A reader sees the old file or the new one, never half of one. What a killed writer left behind is removed by the next.

use std::fs::{File, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::{FlockOperation, flock};
use thiserror::Error;

/// Why a file could not be written.
#[derive(Debug, Error)]
#[error("cannot write `{path}`")]
pub struct ReplaceError {
    path: Utf8PathBuf,
    #[source]
    source: io::Error,
}

/// Replaces `path` by what `write` writes; makes its directory if needed. If `write` fails, `path` stays as it was.
///
/// The content is on disk before it takes its place.
///
/// # Errors
/// What `write` returns, or a [`ReplaceError`] made into its type.
pub fn replace_file<E: From<ReplaceError>>(
    path: &Utf8Path,
    write: impl FnOnce(&mut dyn Write) -> Result<(), E>,
) -> Result<(), E> {
    let failed = |source| ReplaceError {
        path: path.to_owned(),
        source,
    };
    let directory = match path.parent() {
        Some(parent) if !parent.as_str().is_empty() => parent,
        _ => Utf8Path::new("."),
    };
    std::fs::create_dir_all(directory).map_err(failed)?;
    let prefix = format!(".{}.", path.file_name().unwrap_or("report"));
    sweep(directory, &prefix);
    let temporary = tempfile::Builder::new()
        .prefix(&prefix)
        .suffix(SUFFIX)
        .permissions(Permissions::from_mode(0o644))
        .tempfile_in(directory)
        .map_err(failed)?;
    // Tells others that this file has an owner; see `sweep`.
    flock(
        temporary.as_file(),
        FlockOperation::NonBlockingLockExclusive,
    )
    .map_err(|errno| failed(errno.into()))?;
    let mut output = BufWriter::with_capacity(
        BUFFER,
        Noting {
            file: temporary.as_file(),
            problem: None,
        },
    );
    let written = write(&mut output);
    let flushed = written.and_then(|()| Ok(output.flush().map_err(failed)?));
    let (noting, _unwritten) = output.into_parts();
    // What `write` makes of it does not name the file.
    match (flushed, noting.problem) {
        (Err(_), Some(source)) => return Err(failed(source).into()),
        (flushed, _) => flushed?,
    }
    temporary.as_file().sync_all().map_err(failed)?;
    temporary
        .persist(path)
        .map_err(|error| failed(error.error))?;
    Ok(())
}

/// The file; keeps the first thing that went wrong with it.
struct Noting<'a> {
    file: &'a File,
    problem: Option<io::Error>,
}

impl Write for Noting<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes);
        if let Err(error) = &written
            && error.kind() != io::ErrorKind::Interrupted
            && self.problem.is_none()
        {
            let same = error.raw_os_error().map(io::Error::from_raw_os_error);
            self.problem = Some(same.unwrap_or_else(|| error.kind().into()));
        }
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How much is written at once, in bytes: a report of many cases has some ten megabytes.
const BUFFER: usize = 128 * 1024;

/// End of the names of unfinished files.
const SUFFIX: &str = ".tmp";

/// Removes unfinished files whose writer is gone. Whatever cannot be looked at stays.
fn sweep(directory: &Utf8Path, prefix: &str) {
    let Ok(entries) = directory.read_dir_utf8() else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if !name.starts_with(prefix) || !name.ends_with(SUFFIX) {
            continue;
        }
        let abandoned = File::open(entry.path())
            .is_ok_and(|file| flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok());
        if abandoned {
            // Another run may have been faster.
            drop(std::fs::remove_file(entry.path()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch() -> (tempfile::TempDir, Utf8PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(dir.path().to_owned()).unwrap();
        (dir, path)
    }

    fn names(directory: &Utf8Path) -> Vec<String> {
        let entries = directory.read_dir_utf8().unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().to_owned())
            .collect()
    }

    #[test]
    fn f15_an_unfinished_report_leaves_the_old_one_and_nothing_else() {
        let (_dir, path) = scratch();
        let file = path.join("report.txt");
        std::fs::write(&file, "old").unwrap();
        let result = replace_file(&file, |output| {
            drop(output.write_all(b"half"));
            Err(ReplaceError {
                path: "x".into(),
                source: io::Error::other("no more"),
            })
        });
        assert!(result.is_err());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "old");
        assert_eq!(names(&path), ["report.txt"]);
    }

    #[test]
    fn f14_f15_a_report_replaces_the_old_one_and_sweeps_what_a_killed_writer_left() {
        let (_dir, path) = scratch();
        let file = path.join("sub/report.txt");
        std::fs::create_dir(path.join("sub")).unwrap();
        std::fs::write(&file, "old").unwrap();
        std::fs::write(path.join("sub/.report.txt.abc.tmp"), "half").unwrap();
        let owned = File::create(path.join("sub/.report.txt.def.tmp")).unwrap();
        flock(&owned, FlockOperation::NonBlockingLockExclusive).unwrap();

        replace_file::<ReplaceError>(&file, |output| {
            output.write_all(b"new").unwrap();
            Ok(())
        })
        .unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "new");
        let mut left = names(&path.join("sub"));
        left.sort();
        assert_eq!(left, [".report.txt.def.tmp", "report.txt"]);
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o600, 0o600);
    }
}
