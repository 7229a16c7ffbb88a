//! SIGTSTP, held back by the guard until it may stop.
//!
//! Whether a process that was asked to stop and then to go on stops must not depend on how quick it is: between its last look for a continuation and its
//! stop it can be kept waiting for a processor, and nobody continues it again. The kernel has no such gap: SIGCONT removes a SIGTSTP that is still
//! held back, and SIGTSTP removes a SIGCONT that has not been seen ([signal(7)](https://man7.org/linux/man-pages/man7/signal.7.html), `prepare_signal`
//! in the kernel). So the signal stays blocked, at its default; when the guard lets it through it stops, if the wish still stands.

use std::io;
use std::os::fd::AsFd;

use nix::sys::signal::{SigSet, Signal::SIGTSTP};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Signal, getpid, kill_process};

/// The signal, in a process of one thread that does not ignore it.
pub(super) struct StopSignal {
    /// Readable while the signal is held back. It is only read to take the wish back.
    held: SignalFd,
}

/// The signal is held back as long as this lives. When it ends, one that was wanted stops the process there and then.
pub(super) struct HeldBack(());

fn only_this() -> SigSet {
    let mut set = SigSet::empty();
    set.add(SIGTSTP);
    set
}

impl StopSignal {
    /// Holds nothing back yet.
    pub(super) fn open() -> io::Result<Self> {
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        let held = SignalFd::with_flags(&only_this(), flags)?;
        Ok(Self { held })
    }

    /// Becomes readable when somebody wants this process to stop.
    pub(super) fn fd(&self) -> PollFd<'_> {
        PollFd::from_borrowed_fd(self.held.as_fd(), PollFlags::IN)
    }

    /// Whether somebody wants this process to stop, and nobody has continued it since.
    pub(super) fn is_wanted(&self) -> bool {
        poll(&mut [self.fd()], Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
    }

    /// Wants it: from now on a continuation counts.
    pub(super) fn want() {
        let _ = kill_process(getpid(), Signal::TSTP);
    }

    /// Forgets that it was wanted.
    pub(super) fn forget(&self) {
        let _ = self.held.read_signal();
    }

    /// Stops this process until it is continued, if that is wanted. Where no shell could continue it (its process group is an orphan, as that of a
    /// service) the kernel drops the wish.
    pub(super) fn stop_if_wanted() {
        let set = only_this();
        let _ = set.thread_unblock();
        let _ = set.thread_block();
    }
}

impl HeldBack {
    pub(super) fn begin() -> io::Result<Self> {
        only_this().thread_block()?;
        Ok(Self(()))
    }
}

impl Drop for HeldBack {
    fn drop(&mut self) {
        let _ = only_this().thread_unblock();
    }
}
