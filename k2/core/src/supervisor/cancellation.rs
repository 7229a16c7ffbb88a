//! Asking work to end, from another thread.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};

/// How urgently work is asked to end. It only ever rises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Go on.
    None,
    /// End soon: a process gets this signal, and then its time of grace.
    Gentle(i32),
    /// End now: a process is killed.
    Kill,
}

/// What a thread waits for at a file descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// There is something to read, or nothing will come any more.
    Read,
    /// There is room to write, or nobody will read any more.
    Write,
}

/// What ended a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitEnd {
    /// The file descriptor is ready.
    Ready,
    /// The time is over.
    Deadline,
    /// Somebody asked to end.
    Cancelled,
}

const KILL: i32 = i32::MAX;

impl Level {
    fn from_raw(raw: i32) -> Self {
        match raw {
            0 => Self::None,
            KILL => Self::Kill,
            signal => Self::Gentle(signal),
        }
    }
}

/// A handle that asks work to end and that work waits with. Clones are the same cancellation.
///
/// Waiters are woken through file descriptors, so it can stand in one `poll` together with pipes and processes. Raising
/// it takes no lock and does not block.
#[derive(Clone)]
pub struct Cancellation {
    shared: Arc<Shared>,
}

struct Shared {
    level: AtomicI32,
    /// Readable from the first request on.
    any: OwnedFd,
    /// Readable from the request to kill on.
    kill: OwnedFd,
}

impl Cancellation {
    /// One that nobody has raised.
    ///
    /// # Errors
    /// When the process has no file descriptors left; it needs two.
    pub fn new() -> io::Result<Self> {
        let flags = EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK;
        Ok(Self {
            shared: Arc::new(Shared {
                level: AtomicI32::new(0),
                any: eventfd(0, flags)?,
                kill: eventfd(0, flags)?,
            }),
        })
    }

    /// Asks to end soon; processes get `signal`. Of several gentle requests the first decides on the signal.
    pub fn request(&self, signal: i32) {
        let signal = signal.clamp(1, KILL - 1);
        let first =
            self.shared
                .level
                .compare_exchange(0, signal, Ordering::SeqCst, Ordering::SeqCst);
        if first.is_ok() {
            wake(&self.shared.any);
        }
    }

    /// Asks to end now.
    pub fn kill(&self) {
        if self.shared.level.swap(KILL, Ordering::SeqCst) != KILL {
            wake(&self.shared.any);
            wake(&self.shared.kill);
        }
    }

    /// How urgent it is by now.
    pub fn level(&self) -> Level {
        Level::from_raw(self.shared.level.load(Ordering::SeqCst))
    }

    /// True once anybody has asked to end.
    pub fn is_cancelled(&self) -> bool {
        self.level() > Level::None
    }

    /// Sleeps for `duration`, or until somebody asks to end; returns whether somebody has. Uses the monotonic clock.
    pub fn wait(&self, duration: Duration) -> bool {
        let deadline = Instant::now().checked_add(duration);
        self.wait_on(None, deadline) == WaitEnd::Cancelled
    }

    /// Sleeps until `source` is ready, or has failed; until the deadline, if there is one; or until somebody asks to end,
    /// which is looked at first. Uses the monotonic clock.
    pub fn wait_for(
        &self,
        source: &impl AsFd,
        direction: Direction,
        deadline: Option<Instant>,
    ) -> WaitEnd {
        let flags = match direction {
            Direction::Read => PollFlags::IN,
            Direction::Write => PollFlags::OUT,
        };
        self.wait_on(Some(PollFd::new(source, flags)), deadline)
    }

    fn wait_on(&self, source: Option<PollFd<'_>>, deadline: Option<Instant>) -> WaitEnd {
        let mut fds = vec![PollFd::new(&self.shared.any, PollFlags::IN)];
        fds.extend(source);
        loop {
            if self.is_cancelled() {
                return WaitEnd::Cancelled;
            }
            if fds[1..].iter().any(|fd| !fd.revents().is_empty()) {
                return WaitEnd::Ready;
            }
            let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                return WaitEnd::Deadline;
            }
            let timeout = left.and_then(|left| Timespec::try_from(left).ok());
            // An interrupted wait starts again with what is left of the time.
            let _ = poll(&mut fds, timeout.as_ref());
        }
    }

    /// What becomes readable when the level rises above `seen`; `None` when it cannot rise any more.
    pub(super) fn rises_above(&self, seen: Level) -> Option<BorrowedFd<'_>> {
        match seen {
            Level::None => Some(self.shared.any.as_fd()),
            Level::Gentle(_) => Some(self.shared.kill.as_fd()),
            Level::Kill => None,
        }
    }
}

/// The counter of an eventfd never overflows here: each is written at most twice.
fn wake(fd: &OwnedFd) {
    let _ = rustix::io::write(fd, &1_u64.to_ne_bytes());
}

impl fmt::Debug for Cancellation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cancellation").field(&self.level()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_only_rises() {
        let cancellation = Cancellation::new().unwrap();
        assert_eq!(cancellation.level(), Level::None);
        cancellation.request(15);
        cancellation.request(2);
        assert_eq!(cancellation.level(), Level::Gentle(15));
        cancellation.kill();
        cancellation.request(15);
        assert_eq!(cancellation.level(), Level::Kill);
    }

    #[test]
    fn a_waiter_is_woken_from_another_thread() {
        let cancellation = Cancellation::new().unwrap();
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| cancellation.wait(Duration::MAX));
            cancellation.clone().request(15);
            assert!(waiter.join().unwrap());
        });
    }

    #[test]
    fn a_wait_ends_by_itself() {
        let cancellation = Cancellation::new().unwrap();
        assert!(!cancellation.wait(Duration::from_millis(5)));
    }
}
