//! What guard and runner say to each other.
//!
//! | | What goes through it |
//! | --- | --- |
//! | orders, to the runner | one byte per signal that the guard got: its number |
//! | pauses, to the runner | one byte per [`PauseOrder`] |
//! | news, to the guard | lines: an empty one once the runner watches signals, the path of the run's directory, [`OVER`] when all is told, [`CAN_PAUSE`] when it follows the pauses, [`PAUSED`] for each that has begun |
//! | note, to the runner | JSON, written before it starts: the numbers of the pipes, and what a runner before it has left to do |
//!
//! The note is a file in memory that the runner inherits, and finds by its name: an environment variable would be seen by every test
//! function. A number cannot be turned into an owned descriptor safely, so the pipes are opened anew through `/proc/self/fd`; the
//! note also has the numbers of the pipes themselves, so that nothing else is taken for them. Only the runner keeps the note open: by
//! that it is known as the living runner of a run.

use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use parking_lot::Mutex;
use rustix::fs::{MemfdFlags, Mode, OFlags, fstat, memfd_create};
use rustix::io::{FdFlags, fcntl_setfd, ioctl_fionbio};
use rustix::process::{Pid, getpid};
use serde::{Deserialize, Serialize};
use zaf_core::application::SignalRelay;

use super::continuation::Continuation;
use super::pause_orders::{PauseOrder, PauseOrders};
use super::watch::Inbox;
use crate::supervisor::cookie::Owner;

/// Name of the note; the kernel shows it as `/memfd:NAME (deleted)`.
const NOTE: &str = "k2-runner";

/// The news that the run has told everything. No path begins like this.
const OVER: &[u8] = b"\0over";

/// The news that the runner does what is ordered about pauses.
const CAN_PAUSE: &[u8] = b"\0can-pause";

/// The news that the cases pause, as the guard has ordered.
const PAUSED: &[u8] = b"\0paused";

/// The runner's side of this process, if it is a runner: a process has one guard at most.
static RUNNER: OnceLock<Runner> = OnceLock::new();

struct Runner {
    guard: Pid,
    owner: Option<String>,
    news: File,
    pauses: Mutex<Option<File>>,
    continuation: Option<Continuation>,
}

/// What the guard holds.
pub(super) struct GuardEnd {
    orders: PipeWriter,
    pauses: PipeWriter,
    news: PipeReader,
    pub(super) inbox: Inbox,
    line: Vec<u8>,
}

/// What the runner inherits, in the guard until the runner is started.
pub(super) struct Inherited {
    orders: PipeReader,
    pauses: PipeReader,
    news: PipeWriter,
    note: File,
}

/// What the runner reads first.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    guard: i32,
    /// The mark of the run.
    owner: Option<String>,
    orders: Pipe,
    pauses: Pipe,
    news: Pipe,
    continuation: Option<Continuation>,
}

/// A pipe by the number of the inherited descriptor, and its own.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Pipe {
    descriptor: i32,
    inode: u64,
}

/// What the runner holds.
pub(super) struct RunnerEnd {
    guard: Pid,
    owner: Option<String>,
    orders: File,
    pauses: File,
    news: File,
    continuation: Option<Continuation>,
}

/// One thing that the runner has told.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum News {
    /// From now on it watches signals.
    Watching,
    /// The directory of the run.
    Directory(PathBuf),
    /// Every case has its verdict, or the command says why not.
    Over,
    /// From now on it does what is ordered about pauses.
    CanPause,
    /// The cases pause.
    Paused,
}

/// The pipes, and the sockets in which signals arrive: all descriptors that a guard needs.
pub(super) fn open() -> io::Result<(GuardEnd, Inherited)> {
    let (pipes, inherited) = open_pipes(None)?;
    let end = GuardEnd {
        orders: pipes.orders,
        pauses: pipes.pauses,
        news: pipes.news,
        inbox: Inbox::open()?,
        line: Vec::new(),
    };
    Ok((end, inherited))
}

/// The guard's ends.
struct Pipes {
    orders: PipeWriter,
    pauses: PipeWriter,
    news: PipeReader,
}

/// What this process, which has one thread, leaves open for the process that it starts next.
fn open_pipes(continuation: Option<Continuation>) -> io::Result<(Pipes, Inherited)> {
    let (their_orders, orders) = io::pipe()?;
    let (their_pauses, pauses) = io::pipe()?;
    let (news, their_news) = io::pipe()?;
    ioctl_fionbio(&news, true)?;
    // A runner that does not read must not hold up the guard.
    ioctl_fionbio(&orders, true)?;
    ioctl_fionbio(&pauses, true)?;
    let note = Note {
        guard: getpid().as_raw_pid(),
        owner: Owner::this().map(ToString::to_string),
        orders: Pipe::of(&their_orders)?,
        pauses: Pipe::of(&their_pauses)?,
        news: Pipe::of(&their_news)?,
        continuation,
    };
    let mut file = File::from(memfd_create(NOTE, MemfdFlags::CLOEXEC)?);
    file.write_all(&serde_json::to_vec(&note)?)?;
    let inherited = Inherited {
        orders: their_orders,
        pauses: their_pauses,
        news: their_news,
        note: file,
    };
    // This process has one thread: nobody else starts a process meanwhile.
    fcntl_setfd(&inherited.orders, FdFlags::empty())?;
    fcntl_setfd(&inherited.pauses, FdFlags::empty())?;
    fcntl_setfd(&inherited.news, FdFlags::empty())?;
    fcntl_setfd(&inherited.note, FdFlags::empty())?;
    let pipes = Pipes {
        orders,
        pauses,
        news,
    };
    Ok((pipes, inherited))
}

impl Pipe {
    fn of(pipe: &(impl AsFd + AsRawFd)) -> io::Result<Self> {
        Ok(Self {
            descriptor: pipe.as_raw_fd(),
            inode: fstat(pipe)?.st_ino,
        })
    }

    /// Opens it anew, if the descriptor is that pipe.
    fn open(self, flags: OFlags) -> Option<File> {
        let file = open_descriptor(self.descriptor, flags)?;
        let stat = fstat(&file).ok()?;
        (stat.st_ino == self.inode).then_some(file)
    }
}

fn open_descriptor(descriptor: i32, flags: OFlags) -> Option<File> {
    let path = format!("/proc/self/fd/{descriptor}");
    let file = rustix::fs::open(path, flags | OFlags::CLOEXEC, Mode::empty()).ok()?;
    Some(File::from(file))
}

/// Whether the process `pid` has a note open: it is the runner of a run, or becomes one.
pub(super) fn has_note(pid: i32) -> bool {
    note_of(&format!("/proc/{pid}/fd")).is_ok_and(|note| note.is_some())
}

/// The number of the descriptor in `directory` that is a note.
fn note_of(directory: &str) -> io::Result<Option<i32>> {
    let name = format!("/memfd:{NOTE} ");
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        // Of another process it may be closed by now.
        let Ok(target) = std::fs::read_link(entry.path()) else {
            continue;
        };
        if target.as_os_str().as_bytes().starts_with(name.as_bytes()) {
            return Ok(entry
                .file_name()
                .to_str()
                .and_then(|name| name.parse().ok()));
        }
    }
    Ok(None)
}

impl GuardEnd {
    /// Pipes to another runner, which takes over; signals arrive as before.
    pub(super) fn reopen(&mut self, continuation: Continuation) -> io::Result<Inherited> {
        let (pipes, inherited) = open_pipes(Some(continuation))?;
        (self.orders, self.pauses, self.news) = (pipes.orders, pipes.pauses, pipes.news);
        self.line.clear();
        Ok(inherited)
    }

    /// From now on ends and stops of children wake the guard.
    pub(super) fn watch_children(&mut self) -> io::Result<()> {
        self.inbox.watch_children()
    }

    /// Hands on a signal.
    pub(super) fn order(&mut self, signal: i32) {
        if let Ok(number) = u8::try_from(signal) {
            // The runner is gone, or has thousands of signals to read: one more makes no difference.
            drop(self.orders.write_all(&[number]));
        }
    }

    /// Orders that the cases pause or go on; whether that will be read, as far as one can tell.
    pub(super) fn order_pause(&mut self, order: PauseOrder) -> bool {
        self.pauses.write_all(&[order.byte()]).is_ok()
    }

    /// What becomes readable when there are news, or the runner has ended.
    pub(super) fn news_fd(&self) -> BorrowedFd<'_> {
        self.news.as_fd()
    }

    /// What the runner has told since; `None` if it will never tell anything again.
    pub(super) fn read_news(&mut self) -> Option<Vec<News>> {
        let mut told = Vec::new();
        let mut bytes = [0; 1024];
        loop {
            match self.news.read(&mut bytes) {
                Ok(0) if told.is_empty() => return None,
                Ok(count @ 1..) => told.extend(split(&mut self.line, bytes.get(..count)?)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(0) | Err(_) => return Some(told),
            }
        }
    }
}

/// Lines that are complete with `bytes`; the rest stays in `line`.
fn split(line: &mut Vec<u8>, bytes: &[u8]) -> Vec<News> {
    let mut told = Vec::new();
    for &byte in bytes {
        if byte != b'\n' {
            line.push(byte);
            continue;
        }
        let line = std::mem::take(line);
        told.push(if line.is_empty() {
            News::Watching
        } else if line == OVER {
            News::Over
        } else if line == CAN_PAUSE {
            News::CanPause
        } else if line == PAUSED {
            News::Paused
        } else {
            News::Directory(std::ffi::OsStr::from_bytes(&line).into())
        });
    }
    told
}

impl RunnerEnd {
    /// The ends that this process has inherited, if it is a runner.
    ///
    /// # Errors
    /// If they cannot be used, or if nobody can tell whether this is a runner: whoever took it for a guard would start one runner
    /// after the other.
    pub(super) fn open() -> Result<Option<Self>, String> {
        match note_of("/proc/self/fd") {
            Ok(None) => Ok(None),
            Ok(Some(note)) => match Self::with_note(note) {
                Some(end) => Ok(Some(end)),
                None => Err("the run goes on without its guard".to_owned()),
            },
            Err(error) => Err(format!(
                "the run goes on without a guard: open files cannot be looked at: {error}"
            )),
        }
    }

    fn with_note(descriptor: i32) -> Option<Self> {
        let mut text = Vec::new();
        let mut file = open_descriptor(descriptor, OFlags::RDONLY)?;
        file.read_to_end(&mut text).ok()?;
        let note: Note = serde_json::from_slice(&text).ok()?;
        Some(Self {
            guard: Pid::from_raw(note.guard)?,
            owner: note.owner,
            orders: note.orders.open(OFlags::RDONLY | OFlags::NONBLOCK)?,
            pauses: note.pauses.open(OFlags::RDONLY | OFlags::NONBLOCK)?,
            news: note.news.open(OFlags::WRONLY)?,
            continuation: note.continuation,
        })
    }

    pub(super) fn guard(&self) -> Pid {
        self.guard
    }

    /// Keeps what the rest of the run needs; the other half goes to whom watches the signals.
    pub(super) fn into_relay(self) -> Option<SignalRelay> {
        let watching = self.news.try_clone().ok()?;
        let runner = Runner {
            guard: self.guard,
            owner: self.owner,
            news: self.news,
            pauses: Mutex::new(Some(self.pauses)),
            continuation: self.continuation,
        };
        RUNNER.set(runner).ok()?;
        Some(SignalRelay {
            numbers: self.orders,
            watching,
        })
    }
}

/// The guard of this process, if it is a runner.
pub(super) fn guard() -> Option<Pid> {
    RUNNER.get().map(|runner| runner.guard)
}

pub(super) fn is_guarded() -> bool {
    RUNNER.get().is_some()
}

/// The mark of the run, if this process is a runner.
pub(super) fn owner() -> Option<String> {
    RUNNER.get()?.owner.clone()
}

/// What a runner before this one has left to do.
pub(super) fn continuation() -> Option<&'static Continuation> {
    RUNNER.get()?.continuation.as_ref()
}

pub(super) fn tell_directory(directory: &Path) {
    let directory = directory.as_os_str().as_bytes();
    if !directory.contains(&b'\n') {
        tell(directory);
    }
}

pub(super) fn tell_over() {
    tell(OVER);
}

pub(super) fn tell_that_pauses_are_possible() {
    tell(CAN_PAUSE);
}

pub(super) fn tell_pause() {
    tell(PAUSED);
}

/// What the guard of this process orders about pauses, for whoever asks first.
pub(super) fn pause_orders() -> Option<PauseOrders> {
    let pipe = RUNNER.get()?.pauses.lock().take()?;
    Some(PauseOrders::new(pipe))
}

fn tell(line: &[u8]) {
    if let Some(runner) = RUNNER.get() {
        // Without it the guard only says less.
        drop((&runner.news).write_all(&[line, b"\n"].concat()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runner_opens_what_the_guard_noted_and_nothing_else() {
        let (mut end, inherited) = open().unwrap();
        let note = inherited.note.as_raw_fd();
        let runner = RunnerEnd::with_note(note).unwrap();
        assert_eq!(runner.guard(), getpid());
        assert!(has_note(getpid().as_raw_pid()));
        (&runner.news)
            .write_all(b"\n\0can-pause\n/some/run\n\0paused\n\0over\n/half")
            .unwrap();
        let told = [
            News::Watching,
            News::CanPause,
            News::Directory("/some/run".into()),
            News::Paused,
            News::Over,
        ];
        assert_eq!(end.read_news(), Some(told.into()));
        end.order(15);
        let mut number = [0; 4];
        assert_eq!((&runner.orders).read(&mut number).unwrap(), 1);
        assert_eq!(number[0], 15);

        // The same numbers, but another pipe behind them.
        let orders = Pipe::of(&inherited.orders).unwrap();
        let other = Pipe { inode: 1, ..orders };
        assert!(orders.open(OFlags::RDONLY | OFlags::NONBLOCK).is_some());
        assert!(other.open(OFlags::RDONLY | OFlags::NONBLOCK).is_none());
        let no_note = File::open("/dev/null").unwrap();
        assert!(RunnerEnd::with_note(no_note.as_raw_fd()).is_none());
        drop((runner, inherited));
        assert_eq!(end.read_news(), None);
    }
}
