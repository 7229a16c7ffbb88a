//! The two pipes between guard and runner.
//!
//! | Pipe | What goes through it |
//! | --- | --- |
//! | orders, to the runner | one byte per signal that the guard got: its number |
//! | news, to the guard | lines: an empty one once the runner watches signals, else the path of the run's directory |
//!
//! The runner inherits its ends under numbers that the variable [`RUNNER_VARIABLE`](super::RUNNER_VARIABLE) names, and opens them anew
//! through `/proc/self/fd`: a number cannot be turned into an owned descriptor safely. The variable also has the numbers of the
//! pipes themselves, so what inherits the variable alone does not take itself for a runner.

use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rustix::fs::{Mode, OFlags, fstat};
use rustix::io::{FdFlags, fcntl_setfd, ioctl_fionbio};
use rustix::process::{Pid, getpid};
use zaf_core::application::SignalRelay;

use super::watch::Inbox;

/// The runner's side of this process, if it is a runner: a process has one guard at most.
static RUNNER: OnceLock<Runner> = OnceLock::new();

struct Runner {
    guard: Pid,
    news: File,
}

/// What the guard holds.
pub(super) struct GuardEnd {
    orders: PipeWriter,
    news: PipeReader,
    pub(super) inbox: Inbox,
    line: Vec<u8>,
}

/// What the runner inherits, in the guard until the runner is started.
pub(super) struct Inherited {
    orders: PipeReader,
    news: PipeWriter,
}

/// What the runner holds.
pub(super) struct RunnerEnd {
    guard: Pid,
    orders: File,
    news: File,
}

/// One thing that the runner has told.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum News {
    /// From now on it watches signals.
    Watching,
    /// The directory of the run.
    Directory(PathBuf),
}

/// The pipes, and the sockets in which signals arrive: all descriptors that a guard needs.
pub(super) fn open() -> io::Result<(GuardEnd, Inherited)> {
    let (their_orders, orders) = io::pipe()?;
    let (news, their_news) = io::pipe()?;
    ioctl_fionbio(&news, true)?;
    // A runner that does not read must not hold up the guard.
    ioctl_fionbio(&orders, true)?;
    // This process has one thread: nobody else starts a process meanwhile.
    fcntl_setfd(&their_orders, FdFlags::empty())?;
    fcntl_setfd(&their_news, FdFlags::empty())?;
    let end = GuardEnd {
        orders,
        news,
        inbox: Inbox::open()?,
        line: Vec::new(),
    };
    let inherited = Inherited {
        orders: their_orders,
        news: their_news,
    };
    Ok((end, inherited))
}

impl Inherited {
    /// The value of the variable that makes a process the runner.
    pub(super) fn variable(&self) -> io::Result<String> {
        let orders = describe(&self.orders)?;
        let news = describe(&self.news)?;
        Ok(format!("{}:{orders}:{news}", getpid()))
    }
}

fn describe(pipe: &(impl AsFd + AsRawFd)) -> io::Result<String> {
    Ok(format!("{}:{}", pipe.as_raw_fd(), fstat(pipe)?.st_ino))
}

impl GuardEnd {
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
        } else {
            News::Directory(std::ffi::OsStr::from_bytes(&line).into())
        });
    }
    told
}

impl RunnerEnd {
    /// The ends that `variable` names, if they are there.
    pub(super) fn open(variable: &str) -> Option<Self> {
        let mut numbers = variable.split(':');
        let guard = Pid::from_raw(numbers.next()?.parse().ok()?)?;
        let mut pipe = |flags| open_pipe(numbers.next()?, numbers.next()?.parse().ok()?, flags);
        let orders = pipe(OFlags::RDONLY | OFlags::NONBLOCK)?;
        let news = pipe(OFlags::WRONLY)?;
        Some(Self {
            guard,
            orders,
            news,
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
            news: self.news,
        };
        RUNNER.set(runner).ok()?;
        Some(SignalRelay {
            numbers: self.orders,
            watching,
        })
    }
}

/// Opens the pipe behind a descriptor of this process anew, if it is the pipe with this number.
fn open_pipe(descriptor: &str, inode: u64, flags: OFlags) -> Option<File> {
    let descriptor: u32 = descriptor.parse().ok()?;
    let path = format!("/proc/self/fd/{descriptor}");
    let file = rustix::fs::open(path, flags | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let stat = fstat(&file).ok()?;
    (stat.st_ino == inode).then(|| File::from(file))
}

/// The guard of this process, if it is a runner.
pub(super) fn guard() -> Option<Pid> {
    RUNNER.get().map(|runner| runner.guard)
}

pub(super) fn is_guarded() -> bool {
    RUNNER.get().is_some()
}

pub(super) fn tell_directory(directory: &Path) {
    let directory = directory.as_os_str().as_bytes();
    let Some(runner) = RUNNER.get() else {
        return;
    };
    if !directory.contains(&b'\n') {
        // Without it the guard only says less.
        drop((&runner.news).write_all(&[directory, b"\n"].concat()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runner_opens_what_the_guard_named_and_nothing_else() {
        let (mut end, inherited) = open().unwrap();
        let variable = inherited.variable().unwrap();
        let runner = RunnerEnd::open(&variable).unwrap();
        assert_eq!(runner.guard(), getpid());
        (&runner.news).write_all(b"\n/some/run\n/half").unwrap();
        assert_eq!(
            end.read_news(),
            Some(vec![News::Watching, News::Directory("/some/run".into())])
        );
        end.order(15);
        let mut number = [0; 4];
        assert_eq!((&runner.orders).read(&mut number).unwrap(), 1);
        assert_eq!(number[0], 15);

        // The same numbers, but another pipe behind them.
        let mut parts: Vec<String> = variable.split(':').map(str::to_owned).collect();
        parts[2] = "1".to_owned();
        assert!(RunnerEnd::open(&parts.join(":")).is_none());
        for nonsense in ["", "1", "x:1:2:3:4", "0:1:2:3:4", "1:../1:2:3:4"] {
            assert!(RunnerEnd::open(nonsense).is_none(), "{nonsense}");
        }
        drop((runner, inherited));
        assert_eq!(end.read_news(), None);
    }
}
