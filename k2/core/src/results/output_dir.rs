//! The directory of a run: made before the first case, so that a run that could not be recorded is refused.
//!
//! ```text
//! output/                      option `output.dir`
//!   01999c2f7f3a-1b2c/         one directory per run: the time in milliseconds, then random digits
//!     events.jsonl  run.lock  reports …
//!   latest -> 01999c2f7f3a-1b2c
//! ```
//!
//! Runs at the same time get directories of their own, so they do not disturb each other; `latest` is the one that began
//! last. `run.lock` is locked as long as the run goes on: by it a reader tells a run that goes on from one that was killed.

use std::fmt;
use std::fs::File;
use std::io;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};
use rustix::io::Errno;
use thiserror::Error;
use uuid::Uuid;

/// Name of the event log in the directory of a run.
pub const EVENT_LOG_FILE: &str = "events.jsonl";

/// Name of the directory of what cases write.
pub(crate) const OUTPUTS_DIRECTORY: &str = "outputs";

/// Name of the file that is locked as long as the run goes on.
pub const LOCK_FILE: &str = "run.lock";

/// Name of the link to the run that began last.
pub const LATEST_LINK: &str = "latest";

/// How often another id is tried if there is a directory of that name already. Once is next to never.
const ID_TRIES: usize = 8;

/// Why there is no directory for the run. Wrong use: nothing is run (exit code 2).
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OutputDirError {
    /// A part of the path is something else than a directory.
    #[error("output directory `{path}`: `{component}` is {what}, not a directory")]
    NotADirectory {
        /// The directory that was asked for.
        path: Utf8PathBuf,
        /// The part in the way.
        component: Utf8PathBuf,
        /// What it is, with article.
        what: &'static str,
    },
    /// A part of the path is a link to itself.
    #[error(
        "output directory `{path}`: `{component}` is a symbolic link that leads back to itself"
    )]
    LinkLoop {
        /// The directory that was asked for.
        path: Utf8PathBuf,
        /// The link.
        component: Utf8PathBuf,
    },
    /// A part of the path is a link to nothing.
    #[error(
        "output directory `{path}`: `{component}` is a symbolic link to `{target}`, which does not exist"
    )]
    DanglingLink {
        /// The directory that was asked for.
        path: Utf8PathBuf,
        /// The link.
        component: Utf8PathBuf,
        /// What it points to.
        target: Utf8PathBuf,
    },
    /// Nothing can be made there.
    #[error("output directory `{path}`: cannot create `{component}`: {reason}")]
    NotWritable {
        /// The directory that was asked for.
        path: Utf8PathBuf,
        /// What should have been made.
        component: Utf8PathBuf,
        /// Why not, in words.
        reason: &'static str,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// Something else.
    #[error("output directory `{path}`: cannot use `{component}`")]
    Unusable {
        /// The directory that was asked for.
        path: Utf8PathBuf,
        /// The part that failed.
        component: Utf8PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

/// Short id of a run: twelve digits of the time in milliseconds, a dash, four random digits; all hexadecimal.
///
/// Made from a version 7 UUID, so ids sort by time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(Arc<str>);

impl RunId {
    /// A new id.
    pub fn generate() -> Self {
        let number = Uuid::now_v7().as_u128();
        let milliseconds = number >> 80;
        let random = number & 0xffff;
        Self(format!("{milliseconds:012x}-{random:04x}").into())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id as shared text.
    pub fn to_shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The directory of a run, locked for it as long as this value lives.
#[derive(Debug)]
pub struct RunDirectory {
    id: RunId,
    path: Utf8PathBuf,
    // Its lock goes with the descriptor, also when the process is killed.
    lock: File,
}

impl RunDirectory {
    /// Makes a directory for a new run in `output` (made too, with its parents), with an empty event log, and points
    /// `latest` to it. What is returned has been written to, so later writes fail only if something changes.
    ///
    /// # Errors
    /// An [`OutputDirError`] that names the part of the path that is in the way. Nothing is left behind then but
    /// directories.
    pub fn create(output: &Utf8Path) -> Result<Self, OutputDirError> {
        make_directories(output)?;
        let (id, path) = make_run_directory(output)?;
        let failed = |component: &Utf8Path, errno: Errno| failure(output, component, errno.into());
        let lock_path = path.join(LOCK_FILE);
        let lock = create_new(&lock_path).map_err(|errno| failed(&lock_path, errno))?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)
            .map_err(|errno| failed(&lock_path, errno))?;
        let log_path = path.join(EVENT_LOG_FILE);
        create_new(&log_path).map_err(|errno| failed(&log_path, errno))?;
        point_latest_to(output, &id)?;
        Ok(Self { id, path, lock })
    }

    /// The directory of a run whose runner is dead, to go on with it; waits for nobody.
    ///
    /// # Errors
    /// If the directory is not there any more, or another process goes on with it.
    pub fn reopen(path: &Utf8Path) -> io::Result<Self> {
        let lock = File::options().write(true).open(path.join(LOCK_FILE))?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)?;
        Ok(Self {
            id: RunId(path.file_name().unwrap_or_default().into()),
            path: path.to_owned(),
            lock,
        })
    }

    /// Notes in the locked file which process is at the head of the run.
    pub(crate) fn note_owner(&self, owner: &str) {
        // Without it only the next run does not know what is left of this one.
        drop(self.lock.set_len(0));
        let _ = rustix::io::pwrite(&self.lock, owner.as_bytes(), 0);
    }

    /// Notes that nothing of the run is left.
    pub(crate) fn note_end(&self) {
        drop(self.lock.set_len(0));
    }

    /// What the newest run in `output` has noted, if it is over and has not noted its end.
    pub(crate) fn owner_of_dead_run(output: &Utf8Path) -> Option<String> {
        let path = output.join(LATEST_LINK);
        let text = std::fs::read_to_string(path.join(LOCK_FILE)).ok()?;
        (!text.is_empty() && !Self::is_running(&path)).then_some(text)
    }

    /// Id of the run, the last part of the path.
    pub fn id(&self) -> &RunId {
        &self.id
    }

    /// The directory itself; relative if the output directory was.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// The event log; exists and is empty at first.
    pub fn event_log(&self) -> Utf8PathBuf {
        self.path.join(EVENT_LOG_FILE)
    }

    /// Whether the run of the directory `path` goes on, in this process or another.
    pub fn is_running(path: &Utf8Path) -> bool {
        File::open(path.join(LOCK_FILE)).is_ok_and(|lock| {
            flock(&lock, FlockOperation::NonBlockingLockShared) == Err(Errno::WOULDBLOCK)
        })
    }
}

/// Makes `output` and its parents.
fn make_directories(output: &Utf8Path) -> Result<(), OutputDirError> {
    std::fs::create_dir_all(output)
        .map_err(|source| find_obstacle(output).unwrap_or_else(|| failure(output, output, source)))
}

/// The first part of `output` that cannot be gone through, if that is why it cannot be made.
fn find_obstacle(output: &Utf8Path) -> Option<OutputDirError> {
    let mut parts: Vec<&Utf8Path> = output
        .ancestors()
        .filter(|part| !part.as_str().is_empty())
        .collect();
    parts.reverse();
    parts.into_iter().find_map(|part| {
        let is_link = part.symlink_metadata().ok()?.is_symlink();
        let path = output.to_owned();
        let component = part.to_owned();
        match part.metadata() {
            Ok(found) if found.is_dir() => None,
            Ok(found) => {
                let what = match (found.is_file(), is_link) {
                    (true, false) => "a file",
                    (true, true) => "a symbolic link to a file",
                    (false, _) => "something else",
                };
                Some(OutputDirError::NotADirectory {
                    path,
                    component,
                    what,
                })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && is_link => {
                let target = part.read_link_utf8().unwrap_or_default();
                Some(OutputDirError::DanglingLink {
                    path,
                    component,
                    target,
                })
            }
            Err(error) if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => {
                Some(OutputDirError::LinkLoop { path, component })
            }
            Err(_) => None,
        }
    })
}

/// The error for `component` of `output`, by what the system says.
fn failure(output: &Utf8Path, component: &Utf8Path, source: io::Error) -> OutputDirError {
    let path = output.to_owned();
    let component = component.to_owned();
    let reason = match source.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::ROFS) => "the file system is read-only",
        Some(Errno::ACCESS | Errno::PERM) => "you may not write there",
        Some(Errno::NOSPC | Errno::DQUOT) => "the disk is full",
        _ => {
            return OutputDirError::Unusable {
                path,
                component,
                source,
            };
        }
    };
    OutputDirError::NotWritable {
        path,
        component,
        reason,
        source,
    }
}

fn make_run_directory(output: &Utf8Path) -> Result<(RunId, Utf8PathBuf), OutputDirError> {
    let mut tries = 0;
    loop {
        let id = RunId::generate();
        let path = output.join(id.as_str());
        match std::fs::create_dir(&path) {
            Ok(()) => return Ok((id, path)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && tries < ID_TRIES => {
                tries += 1;
            }
            Err(error) => return Err(failure(output, &path, error)),
        }
    }
}

/// Creates a file that must not exist; a link in its place is not followed.
fn create_new(path: &Utf8Path) -> Result<File, Errno> {
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    open(path.as_std_path(), flags, Mode::from_raw_mode(0o644)).map(File::from)
}

/// Replaces `latest` in one step: there is never a moment without it.
fn point_latest_to(output: &Utf8Path, id: &RunId) -> Result<(), OutputDirError> {
    let latest = output.join(LATEST_LINK);
    let next = output.join(format!(".{LATEST_LINK}.{id}"));
    let failed = |error| failure(output, &latest, error);
    std::os::unix::fs::symlink(id.as_str(), &next).map_err(failed)?;
    std::fs::rename(&next, &latest).map_err(|error| {
        // What cannot be replaced is not ours (a directory of that name); the link must not stay behind.
        drop(std::fs::remove_file(&next));
        failed(error)
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn scratch() -> (tempfile::TempDir, Utf8PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(dir.path().to_owned()).unwrap();
        (dir, path)
    }

    #[test]
    fn a_run_gets_a_directory_of_its_own_and_latest_points_to_it() {
        let (_dir, path) = scratch();
        let output = path.join("a/b");
        let first = RunDirectory::create(&output).unwrap();
        assert_eq!(first.path(), output.join(first.id().as_str()));
        assert_eq!(std::fs::read(first.event_log()).unwrap(), b"");
        assert_eq!(
            output.join(LATEST_LINK).read_link_utf8().unwrap(),
            first.id().as_str()
        );

        let second = RunDirectory::create(&output).unwrap();
        assert_ne!(first.path(), second.path());
        assert_eq!(
            output.join(LATEST_LINK).read_link_utf8().unwrap(),
            second.id().as_str()
        );
        let left: Vec<_> = output
            .read_dir_utf8()
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_owned())
            .filter(|name| name.starts_with('.'))
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }

    #[test]
    fn f5_a_run_is_known_to_go_on_until_it_ends() {
        let (_dir, output) = scratch();
        let run = RunDirectory::create(&output).unwrap();
        let path = run.path().to_owned();
        assert!(RunDirectory::is_running(&path));
        drop(run);
        assert!(!RunDirectory::is_running(&path));
    }

    #[test]
    fn run_ids_are_short_and_sort_by_time() {
        let ids: Vec<_> = (0..3).map(|_| RunId::generate()).collect();
        assert!(ids.iter().all(|id| id.as_str().len() == 17), "{ids:?}");
        assert!(
            ids.is_sorted_by_key(|id| id.as_str()[..12].to_owned()),
            "{ids:?}"
        );
    }

    #[test]
    fn f4_what_is_in_the_way_is_named() {
        let (_dir, path) = scratch();
        std::fs::write(path.join("file"), "").unwrap();
        symlink("loop", path.join("loop")).unwrap();
        symlink("nowhere", path.join("dangling")).unwrap();
        symlink("file", path.join("link")).unwrap();

        let error = |part: &str| RunDirectory::create(&path.join(part)).unwrap_err();
        for (output, message) in [
            ("file", "`PATH/file` is a file, not a directory"),
            ("file/below", "`PATH/file` is a file, not a directory"),
            (
                "link",
                "`PATH/link` is a symbolic link to a file, not a directory",
            ),
            (
                "loop",
                "`PATH/loop` is a symbolic link that leads back to itself",
            ),
            (
                "loop/below",
                "`PATH/loop` is a symbolic link that leads back to itself",
            ),
            (
                "dangling",
                "`PATH/dangling` is a symbolic link to `nowhere`, which does not exist",
            ),
        ] {
            let text = error(output).to_string().replace(path.as_str(), "PATH");
            assert_eq!(text, format!("output directory `PATH/{output}`: {message}"));
        }
        assert!(path.join("file").is_file(), "what was there is untouched");
    }

    #[test]
    fn f4_a_directory_in_the_place_of_latest_is_not_replaced() {
        let (_dir, path) = scratch();
        std::fs::create_dir_all(path.join(LATEST_LINK).join("kept")).unwrap();
        let error = RunDirectory::create(&path).unwrap_err();
        assert!(matches!(error, OutputDirError::Unusable { .. }), "{error}");
        assert!(path.join(LATEST_LINK).join("kept").is_dir());
    }

    #[test]
    fn f2_what_the_system_refuses_is_said_in_words() {
        for (errno, words) in [
            (Errno::ROFS, "the file system is read-only"),
            (Errno::ACCESS, "you may not write there"),
            (Errno::NOSPC, "the disk is full"),
        ] {
            let error = failure("out".into(), "out/x".into(), errno.into());
            let expected = format!("output directory `out`: cannot create `out/x`: {words}");
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn f2_a_place_where_nobody_can_create_anything_is_refused() {
        // Nobody may create files in /proc, not even root; what is said differs.
        assert!(RunDirectory::create("/proc/self/output".into()).is_err());
    }
}
