//! A file of log lines: made when the first line comes, rotated by size, and never a reason to stop.
//!
//! What cannot be written is given up; while a file has a problem it is tried again every few seconds only. Lines
//! are written with one call of the system each, so that a process that is killed leaves whole lines behind.

use std::fs::File;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use parking_lot::Mutex;
use rustix::fs::{Mode, OFlags, open};

/// How long a file that could not be written is left alone.
const RETRY: Duration = Duration::from_secs(5);

/// When a file is full, and how many full ones are kept beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rotation {
    /// Bytes.
    pub(super) size: u64,
    /// Older files: `session.log.1` is the youngest of them.
    pub(super) keep: u64,
}

/// A file that log lines are appended to. See the [module](self).
#[derive(Debug)]
pub(super) struct LogFile {
    path: Utf8PathBuf,
    rotation: Rotation,
    /// Whether what is there is replaced, not continued.
    afresh: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    file: Option<File>,
    /// Bytes in the file.
    length: u64,
    /// Whether the last line could be written in part only.
    is_torn: bool,
    /// When it is worth another try.
    retry_at: Option<Instant>,
    was_made: bool,
    is_closed: bool,
}

/// What became of a line.
#[derive(Debug)]
pub(super) enum Written {
    /// It is in the file.
    Yes,
    /// The file is closed.
    Closed,
    /// It is lost, because of this; none if that has been said.
    Lost(Option<io::Error>),
}

impl LogFile {
    /// A file that is made, with its directories, when the first line comes.
    pub(super) fn new(path: Utf8PathBuf, rotation: Rotation) -> Self {
        Self {
            path,
            rotation,
            afresh: false,
            state: Mutex::default(),
        }
    }

    /// As [`new`](Self::new); a file that is there already is emptied.
    pub(super) fn afresh(path: Utf8PathBuf, rotation: Rotation) -> Self {
        Self {
            afresh: true,
            ..Self::new(path, rotation)
        }
    }

    pub(super) fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// Whether it takes no more lines.
    pub(super) fn is_closed(&self) -> bool {
        self.state.lock().is_closed
    }

    /// Appends a line, which has its end.
    pub(super) fn write(&self, line: &str) -> Written {
        let mut state = self.state.lock();
        if state.is_closed {
            return Written::Closed;
        }
        if state.retry_at.is_some_and(|at| Instant::now() < at) {
            return Written::Lost(None);
        }
        match self.append(&mut state, line.as_bytes()) {
            Ok(()) => {
                state.retry_at = None;
                Written::Yes
            }
            Err(error) => {
                let is_new = state.retry_at.is_none();
                state.retry_at = Instant::now().checked_add(RETRY);
                Written::Lost(is_new.then_some(error))
            }
        }
    }

    fn append(&self, state: &mut State, line: &[u8]) -> io::Result<()> {
        let length = line.len() as u64;
        if state.length > 0 && state.length.saturating_add(length) > self.rotation.size {
            self.rotate(state)?;
        }
        if state.file.is_none() {
            let file = self.open(self.afresh && !state.was_made)?;
            state.length = file.metadata()?.len();
            state.file = Some(file);
            state.was_made = true;
        }
        let Some(file) = &mut state.file else {
            return Ok(());
        };
        if state.is_torn {
            // What was left of a line must not swallow this one.
            file.write_all(b"\n")?;
            state.length += 1;
            state.is_torn = false;
        }
        let mut rest = line;
        while !rest.is_empty() {
            match file.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    state.length += written as u64;
                    rest = rest.get(written..).unwrap_or_default();
                    state.is_torn = !rest.is_empty();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Not through a link that somebody else put there, and not into a pipe that nobody reads.
    fn open(&self, afresh: bool) -> io::Result<File> {
        if let Some(directory) = self.path.parent().filter(|path| !path.as_str().is_empty()) {
            std::fs::create_dir_all(directory)?;
        }
        let mut flags = OFlags::CREATE
            | OFlags::APPEND
            | OFlags::WRONLY
            | OFlags::NOFOLLOW
            | OFlags::NONBLOCK
            | OFlags::CLOEXEC;
        if afresh {
            flags |= OFlags::TRUNC;
        }
        let file = open(self.path.as_std_path(), flags, Mode::from_raw_mode(0o644))?;
        Ok(File::from(file))
    }

    /// Puts the full file aside: `x` becomes `x.1`, `x.1` becomes `x.2`; the last one is gone.
    fn rotate(&self, state: &mut State) -> io::Result<()> {
        state.file = None;
        if self.rotation.keep == 0 {
            gone(std::fs::remove_file(&self.path))?;
        }
        for number in (1..=self.rotation.keep).rev() {
            let from = match number {
                1 => self.path.clone(),
                _ => self.older(number - 1),
            };
            gone(std::fs::rename(from, self.older(number)))?;
        }
        state.length = 0;
        state.is_torn = false;
        Ok(())
    }

    /// Path of the file that was put aside as the `number`th youngest.
    fn older(&self, number: u64) -> Utf8PathBuf {
        format!("{}.{number}", self.path).into()
    }

    /// Takes no more lines. Returns whether the file is there.
    pub(super) fn close(&self) -> bool {
        let mut state = self.state.lock();
        state.is_closed = true;
        state.file = None;
        state.was_made
    }

    /// Takes no more lines, and removes what was written.
    pub(super) fn discard(&self) {
        if self.close() {
            // What cannot be removed is kept: more than was asked for, not less.
            drop(std::fs::remove_file(&self.path));
            for number in 1..=self.rotation.keep {
                if std::fs::remove_file(self.older(number)).is_err() {
                    break;
                }
            }
        }
    }
}

/// What is not there need not be put aside.
fn gone(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    const LARGE: Rotation = Rotation {
        size: 1 << 20,
        keep: 1,
    };

    fn scratch() -> (tempfile::TempDir, Utf8PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(dir.path().to_owned()).unwrap();
        (dir, path)
    }

    fn names(directory: &Utf8Path) -> Vec<String> {
        let mut names: Vec<String> = directory
            .read_dir_utf8()
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_made_by_its_first_line_only() {
        let (_dir, path) = scratch();
        let file = LogFile::new(path.join("a/b/x.log"), LARGE);
        assert!(!file.close());
        assert!(names(&path).is_empty());
        let file = LogFile::new(path.join("a/b/x.log"), LARGE);
        assert!(matches!(file.write("one\n"), Written::Yes));
        assert!(file.close());
        assert!(matches!(file.write("late\n"), Written::Closed));
        assert_eq!(std::fs::read_to_string(file.path()).unwrap(), "one\n");
    }

    #[test]
    fn a_full_file_is_put_aside_and_the_oldest_goes() {
        let (_dir, path) = scratch();
        let rotation = Rotation { size: 8, keep: 2 };
        let file = LogFile::new(path.join("x.log"), rotation);
        for line in [
            "1\n",
            "two\n",
            "three\n",
            "four\n",
            "a line that is too long\n",
            "6\n",
        ] {
            assert!(matches!(file.write(line), Written::Yes), "{line}");
        }
        assert_eq!(names(&path), ["x.log", "x.log.1", "x.log.2"]);
        let text = |name: &str| std::fs::read_to_string(path.join(name)).unwrap();
        assert_eq!(text("x.log"), "6\n");
        assert_eq!(text("x.log.1"), "a line that is too long\n");
        assert_eq!(text("x.log.2"), "four\n");
        file.discard();
        assert!(names(&path).is_empty());
    }

    #[test]
    fn a_file_goes_on_where_it_ended_unless_it_begins_afresh() {
        let (_dir, path) = scratch();
        let path = path.join("x.log");
        for line in ["one\n", "two\n"] {
            LogFile::new(path.clone(), LARGE).write(line);
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\ntwo\n");
        LogFile::afresh(path.clone(), LARGE).write("three\n");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "three\n");
    }

    #[test]
    fn f47_discarding_what_was_never_written_is_nothing() {
        let (_dir, path) = scratch();
        LogFile::afresh(path.join("x.log"), LARGE).discard();
        assert!(names(&path).is_empty());
    }

    #[test]
    fn f1_what_cannot_be_written_is_said_once() {
        let file = LogFile::new("/dev/full".into(), LARGE);
        let Written::Lost(Some(error)) = file.write("one\n") else {
            panic!("the disk is full");
        };
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert!(matches!(file.write("two\n"), Written::Lost(None)));
    }

    #[test]
    fn links_are_not_followed_and_pipes_not_waited_for() {
        let (_dir, path) = scratch();
        symlink("elsewhere", path.join("link")).unwrap();
        let file = LogFile::new(path.join("link"), LARGE);
        assert!(matches!(file.write("x\n"), Written::Lost(Some(_))));
        assert_eq!(names(&path), ["link"]);
        rustix::fs::mknodat(
            rustix::fs::CWD,
            path.join("pipe").as_std_path(),
            rustix::fs::FileType::Fifo,
            Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
        let file = LogFile::new(path.join("pipe"), LARGE);
        assert!(matches!(file.write("x\n"), Written::Lost(Some(_))));
    }
}
