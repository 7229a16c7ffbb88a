//! Turns SIGINT, SIGTERM, SIGHUP and SIGQUIT into events on the bus.
//!
//! The handlers only write a byte into a socket; a thread named `signals` reads it, decides with
//! [`super::escalation`] and acts. Events are triggered on threads of their own (`abort`, `critical-abort`), because a
//! handler of ABORT may block and the next signal must still be seen.
//!
//! If another process stands in front of this one, it hands on the signals that it gets (see [`SignalRelay`]); the same
//! thread reads those, and [`super::arrivals`] tells which are the other half of what is known already.
//!
//! Before [`SignalWatch::start`] the default action holds: there is nothing yet to clean up. The watch is never ended,
//! so a signal during the teardown is not lost either. Signals that are not listed keep their action; SIGHUP and SIGQUIT
//! that were ignored when the process started (`nohup`) stay ignored. SIGXFSZ is caught and does nothing: a file that would grow beyond a
//! limit is then an error of the write (EFBIG), like a full disk. Children start with its default action again.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::{SIGHUP, SIGQUIT};
use signal_hook::{flag, low_level};

use super::arrivals::{Arrivals, Way};
use super::escalation::{Action, Escalation, SIGNALS};
use super::{Abort, Console, SignalRelay};

/// Longest time that an immediate end waits for what is buffered to be written.
const LAST_FLUSH: Duration = Duration::from_millis(200);

/// What the watch does when a step is due. Called on the thread `signals`, so it must not block.
pub(super) trait OnSignal: Send + 'static {
    /// Asks the run to stop early.
    fn abort(&self, abort: Abort);
    /// Asks the run to stop at once.
    fn critical_abort(&self, abort: Abort);
}

/// The signals of this process from [`start`](Self::start) on. Only one per process makes sense.
#[derive(Debug)]
pub(super) struct SignalWatch {
    /// First signal that arrived, 0 for none.
    first: Arc<AtomicI32>,
}

impl SignalWatch {
    /// Registers the handlers and starts the thread.
    ///
    /// # Errors
    /// If the operating system refuses a socket pair, a handler or a thread.
    pub(super) fn start(
        escalation: Escalation,
        console: Console,
        relay: Option<SignalRelay>,
        action: impl OnSignal,
    ) -> io::Result<Self> {
        // Nobody looks at the flag: that the signal is caught is all.
        flag::register(
            rustix::process::Signal::XFSZ.as_raw(),
            Arc::new(AtomicBool::new(false)),
        )?;
        let first = Arc::new(AtomicI32::new(0));
        let mut sources = Vec::with_capacity(SIGNALS.len());
        for signal in SIGNALS {
            if matches!(signal, SIGHUP | SIGQUIT) && ignored_at_start(signal) {
                continue;
            }
            let (read, write) = UnixStream::pair()?;
            read.set_nonblocking(true)?;
            // One socket for each signal: bytes are counted, so two quick signals are two.
            low_level::pipe::register(signal, write)?;
            sources.push((signal, read));
        }
        let relayed = relay.map(|mut relay| {
            // A process in front that is gone needs no answer.
            drop(relay.watching.write_all(b"\n"));
            relay.numbers
        });
        let watcher = Watcher {
            sources,
            relayed,
            arrivals: Arrivals::default(),
            escalation,
            first: Arc::clone(&first),
            console,
            action,
        };
        // Not joined: it watches until the process ends.
        drop(crate::thread::spawn("signals", move || watcher.watch())?);
        Ok(Self { first })
    }

    /// The signal that made the run end early, if one did.
    pub(super) fn received(&self) -> Option<i32> {
        Some(self.first.load(Ordering::SeqCst)).filter(|&signal| signal != 0)
    }
}

/// Ends this process as the signal would have ended it, so that the parent sees the true cause.
///
/// Returns only if the operating system refuses.
pub(super) fn raise_again(signal: i32) {
    if let Err(error) = low_level::emulate_default_handler(signal) {
        tracing::error!(signal, %error, "the signal could not be raised again");
    }
}

struct Watcher<A> {
    sources: Vec<(i32, UnixStream)>,
    /// Numbers of signals that the process in front got; none without one, or when it is gone.
    relayed: Option<File>,
    arrivals: Arrivals,
    escalation: Escalation,
    first: Arc<AtomicI32>,
    console: Console,
    action: A,
}

impl<A: OnSignal> Watcher<A> {
    fn watch(mut self) {
        let mut worse_at: Option<(Instant, i32)> = None;
        let after = |grace: Option<Duration>, signal| {
            grace.and_then(|grace| Some((Instant::now().checked_add(grace)?, signal)))
        };
        loop {
            for signal in self.wait(worse_at.map(|(at, _)| at)) {
                let _ = self
                    .first
                    .compare_exchange(0, signal, Ordering::SeqCst, Ordering::SeqCst);
                let reason = format!("{} received", name(signal));
                match self.escalation.signal(signal) {
                    Action::Ignore => {}
                    Action::Abort { grace } => {
                        worse_at = after(grace, signal);
                        self.action.abort(because(reason, signal));
                    }
                    Action::CriticalAbort { grace } => {
                        worse_at = after(grace, signal);
                        let reason = match signal {
                            SIGQUIT => reason,
                            _ => format!("{reason} again"),
                        };
                        self.action.critical_abort(because(reason, signal));
                    }
                    Action::EndNow => self.end_now(signal),
                }
            }
            if let Some((at, signal)) = worse_at
                && Instant::now() >= at
            {
                worse_at = None;
                match self.escalation.grace_over() {
                    Action::CriticalAbort { grace } => {
                        worse_at = after(grace, signal);
                        let reason = format!("still running after {} and its grace", name(signal));
                        self.action.critical_abort(because(reason, signal));
                    }
                    Action::EndNow => self.end_now(signal),
                    Action::Ignore | Action::Abort { .. } => {}
                }
            }
        }
    }

    /// Signals that arrived, each as often as it did; empty when the deadline has passed.
    fn wait(&mut self, deadline: Option<Instant>) -> Vec<i32> {
        let mut fds: Vec<PollFd<'_>> = self
            .sources
            .iter()
            .map(|(_, read)| PollFd::new(read, PollFlags::IN))
            .chain(
                self.relayed
                    .iter()
                    .map(|read| PollFd::new(read, PollFlags::IN)),
            )
            .collect();
        let timeout = deadline
            .map(|at| at.saturating_duration_since(Instant::now()))
            .and_then(|left| Timespec::try_from(left).ok());
        // An interruption (EINTR) shows no readable descriptor; the caller's loop comes back.
        let _ = poll(&mut fds, timeout.as_ref());
        let mut arrived = Vec::new();
        for (signal, read) in &mut self.sources {
            let mut bytes = [0; 16];
            while let Ok(count @ 1..) = read.read(&mut bytes) {
                arrived.extend(std::iter::repeat_n((*signal, Way::Direct), count));
            }
        }
        self.read_relayed(&mut arrived);
        let now = Instant::now();
        arrived.retain(|&(signal, way)| self.arrivals.is_new(signal, way, now));
        arrived.into_iter().map(|(signal, _)| signal).collect()
    }

    fn read_relayed(&mut self, arrived: &mut Vec<(i32, Way)>) {
        let Some(file) = &mut self.relayed else {
            return;
        };
        let mut bytes = [0; 16];
        loop {
            match file.read(&mut bytes) {
                Ok(count @ 1..) => {
                    let numbers = bytes.iter().take(count).map(|&byte| i32::from(byte));
                    let known = numbers.filter(|number| SIGNALS.contains(number));
                    arrived.extend(known.map(|number| (number, Way::Relayed)));
                }
                // Nothing more for now.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // The process in front is gone: the end of the file would wake this thread for ever.
                Ok(0) | Err(_) => {
                    self.relayed = None;
                    return;
                }
            }
        }
    }

    fn end_now(&self, signal: i32) {
        // On another thread: somebody may be stuck in writing to a terminal that takes nothing, with the lock of the stream.
        let console = self.console.clone();
        let (done, flushed) = crossbeam_channel::bounded::<()>(0);
        let flush = crate::thread::spawn("last-flush", move || {
            console.flush_free();
            drop(done);
        });
        if flush.is_ok() {
            // Disconnected: flushed.
            let _flushed = flushed.recv_timeout(LAST_FLUSH).is_err();
        }
        low_level::exit(128 + signal);
    }
}

fn because(reason: String, signal: i32) -> Abort {
    Abort {
        reason: reason.into(),
        signal: Some(signal),
    }
}

/// Name of a signal that is watched: `SIGINT`.
pub(super) fn name(signal: i32) -> &'static str {
    low_level::signal_name(signal).unwrap_or("signal")
}

/// Whether a signal is ignored now, that is, before anything was registered.
fn ignored_at_start(signal: i32) -> bool {
    std::fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|status| ignored_mask(&status))
        .is_some_and(|mask| mask & (1 << (signal - 1)) != 0)
}

fn ignored_mask(status: &str) -> Option<u64> {
    let hex = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))?;
    u64::from_str_radix(hex.trim(), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d5_the_ignored_signals_are_read_from_the_kernel() {
        assert_eq!(
            ignored_mask("Name:\tx\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000001001\n"),
            Some(0x1001)
        );
        assert_eq!(ignored_mask("no such line"), None);
    }
}
