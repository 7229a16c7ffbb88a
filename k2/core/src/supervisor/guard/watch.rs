//! What a guard does while the runner lives: nothing, until a signal comes or the runner changes its state.
//!
//! Job control: a terminal stops guard and runner together. When the runner has stopped, for whatever reason, the guard stops itself,
//! so that the shell gets its terminal back; when the guard is continued, it continues the runner.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, wait};
use signal_hook::low_level::pipe;

use super::super::procfs;
use super::Ended;
use super::channel::{GuardEnd, News};

/// Signals by which a runner that watches them ends in good order, and then by the same signal.
const GRACEFUL: [Signal; 4] = [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT];

/// Signals that the guard hands on. Whoever sends another one that ends a process ends the guard, and the kernel tells the runner.
const HANDED_ON: [Signal; 8] = [
    Signal::INT,
    Signal::TERM,
    Signal::HUP,
    Signal::QUIT,
    Signal::USR1,
    Signal::USR2,
    Signal::TSTP,
    Signal::CONT,
];

/// Signals that stay ignored if they were when the program started (`nohup`); the others mean something even then, as for
/// every application.
const MAY_BE_IGNORED: [Signal; 5] = [
    Signal::HUP,
    Signal::QUIT,
    Signal::USR1,
    Signal::USR2,
    Signal::TSTP,
];

/// How long a runner is given to stop by itself before SIGTSTP is handed on: a terminal sends it to both. Two for one wish could stop it
/// twice, if it is continued before its handler for the second one has run.
const STOPS_BY_ITSELF: Duration = Duration::from_millis(300);

/// How long a runner that was told to stop and then to go on may take to stop nevertheless: it cannot look for the latter and stop in one step, and a
/// busy machine can keep it waiting in between. Nobody else stops it in that time.
const STOPS_LATE: Duration = Duration::from_secs(5);

/// Where signals arrive: one socket each, so that two quick signals are two.
pub(super) struct Inbox {
    children: (UnixStream, Option<UnixStream>),
    signals: Vec<(Signal, UnixStream, Option<UnixStream>)>,
}

impl Inbox {
    /// Takes all descriptors that are needed; watches nothing yet.
    pub(super) fn open() -> io::Result<Self> {
        let ignored = ignored_signals();
        let mut signals = Vec::with_capacity(HANDED_ON.len());
        for signal in HANDED_ON {
            if !(MAY_BE_IGNORED.contains(&signal) && ignored & bit(signal) != 0) {
                let (read, write) = socket()?;
                signals.push((signal, read, Some(write)));
            }
        }
        let (read, write) = socket()?;
        Ok(Self {
            children: (read, Some(write)),
            signals,
        })
    }

    pub(super) fn watch_children(&mut self) -> io::Result<()> {
        if let Some(write) = self.children.1.take() {
            pipe::register(Signal::CHILD.as_raw(), write)?;
        }
        Ok(())
    }

    /// From now on signals arrive here. Called when the runner has been started: it inherits which signals are ignored, not that
    /// they are watched. Until then, and if the system refuses, a signal ends the guard, and the kernel tells the runner.
    fn watch_signals(&mut self) {
        for (signal, _, write) in &mut self.signals {
            if let Some(write) = write.take() {
                drop(pipe::register(signal.as_raw(), write));
            }
        }
    }

    /// Signals that came since, each as often as it did. In which order different ones came is not known; SIGCONT is the last, so that a run is never left
    /// stopped that somebody has continued: who meant it the other way round stops it once more.
    fn arrived(&mut self) -> Vec<Signal> {
        count(&mut self.children.0);
        let mut arrived = Vec::new();
        for (signal, read, _) in &mut self.signals {
            arrived.extend(std::iter::repeat_n(*signal, count(read)));
        }
        arrived
    }

    fn fds(&self) -> impl Iterator<Item = PollFd<'_>> {
        let signals = self.signals.iter().map(|(_, read, _)| read);
        std::iter::once(&self.children.0)
            .chain(signals)
            .map(|read| PollFd::new(read, PollFlags::IN))
    }
}

fn socket() -> io::Result<(UnixStream, UnixStream)> {
    let (read, write) = UnixStream::pair()?;
    read.set_nonblocking(true)?;
    Ok((read, write))
}

fn count(read: &mut UnixStream) -> usize {
    let mut bytes = [0; 16];
    let mut all = 0;
    while let Ok(count @ 1..) = read.read(&mut bytes) {
        all += count;
    }
    all
}

fn bit(signal: Signal) -> u64 {
    1 << (signal.as_raw() - 1)
}

pub(super) fn is_ignored(signal: Signal) -> bool {
    ignored_signals() & bit(signal) != 0
}

/// The signals that this process ignores, as bits from that of signal 1 on.
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or(0)
}

/// How far this runner has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Loading,
    UnderWay,
    Over,
}

/// A guard on its post.
pub(super) struct Watch {
    runner: Pid,
    pub(super) end: GuardEnd,
    /// Whether the runner watches signals. Until then they have their default action for it.
    is_watching: bool,
    will_tell: bool,
    directory: Option<PathBuf>,
    /// When the run began.
    began: Option<Instant>,
    /// For how long it has been stopped since.
    stopped: Duration,
    stage: Stage,
    handed_on: Vec<i32>,
    /// When the runner is to be told to stop, if it has not done so by then.
    stop_at: Option<Instant>,
    /// Until when a stop of the runner is one that was revoked.
    revoked_until: Option<Instant>,
}

impl Watch {
    pub(super) fn new(runner: Pid, end: GuardEnd) -> Self {
        Self {
            runner,
            end,
            is_watching: false,
            will_tell: true,
            directory: None,
            began: None,
            stopped: Duration::ZERO,
            stage: Stage::Loading,
            handed_on: Vec::new(),
            stop_at: None,
            revoked_until: None,
        }
    }

    /// Another runner takes over.
    pub(super) fn begin_again(&mut self, runner: Pid) {
        self.runner = runner;
        self.is_watching = false;
        self.will_tell = true;
        self.stage = Stage::Loading;
    }

    /// Waits until the runner has ended.
    pub(super) fn until_end(&mut self) -> Ended {
        self.end.inbox.watch_signals();
        loop {
            self.read_news();
            if let Some(ended) = self.look_at_children() {
                self.read_news();
                return ended;
            }
            for signal in self.end.inbox.arrived() {
                self.hand_on(signal);
            }
            if let Some(ended) = self.look_at_children() {
                self.read_news();
                return ended;
            }
            let mut fds: Vec<PollFd<'_>> = self.end.inbox.fds().collect();
            if self.will_tell {
                fds.push(PollFd::from_borrowed_fd(self.end.news_fd(), PollFlags::IN));
            }
            let left = self
                .stop_at
                .map(|at| at.saturating_duration_since(Instant::now()));
            let timeout = left.and_then(|left| Timespec::try_from(left).ok());
            // An interrupted wait comes back by the loop.
            let _ = poll(&mut fds, timeout.as_ref());
            if self.stop_at.take_if(|at| *at <= Instant::now()).is_some() {
                // It has not been waited for, so the number is its own.
                let _ = kill_process(self.runner, Signal::TSTP);
            }
        }
    }

    /// The directory of the run, if it had begun and was not over when the runner ended.
    pub(super) fn run_under_way(&self) -> Option<&Path> {
        self.directory
            .as_deref()
            .filter(|_| self.stage != Stage::Over)
    }

    /// Whether this runner, not only one before it, had come to run cases.
    pub(super) fn has_begun(&self) -> bool {
        self.stage == Stage::UnderWay
    }

    /// Whether a runner that ended like this was meant to.
    pub(super) fn caused(&self, ended: Ended) -> bool {
        ended.request().is_some() || self.handed_on(ended).is_some()
    }

    /// The signal that the runner ended of, if the guard handed it on.
    pub(super) fn handed_on(&self, ended: Ended) -> Option<i32> {
        match ended {
            Ended::Signal(signal) if self.handed_on.contains(&signal) => Some(signal),
            _ => None,
        }
    }

    /// The first signal by which somebody wanted the run to end.
    pub(super) fn asked_to_end(&self) -> Option<i32> {
        let graceful = |signal: &i32| GRACEFUL.iter().any(|graceful| graceful.as_raw() == *signal);
        self.handed_on.iter().copied().find(graceful)
    }

    /// How long the run has gone on, without the time for which it was stopped.
    pub(super) fn spent(&self) -> Duration {
        let all = self.began.map(|began| began.elapsed());
        all.unwrap_or_default().saturating_sub(self.stopped)
    }

    fn read_news(&mut self) {
        match self.end.read_news() {
            None => self.will_tell = false,
            Some(news) => {
                for told in news {
                    match told {
                        News::Watching => self.is_watching = true,
                        News::Directory(directory) => {
                            self.directory = Some(directory);
                            self.began.get_or_insert_with(Instant::now);
                            self.stage = Stage::UnderWay;
                        }
                        News::Over => self.stage = Stage::Over,
                    }
                }
            }
        }
    }

    fn hand_on(&mut self, signal: Signal) {
        if signal == Signal::USR1 && self.stage != Stage::UnderWay {
            // Nobody is there who could tell of a run: it would end the runner.
            return;
        }
        if signal == Signal::TSTP {
            let at = Instant::now() + STOPS_BY_ITSELF;
            self.stop_at.get_or_insert(at);
            self.revoked_until = None;
            return;
        }
        if signal == Signal::CONT {
            let revoked = self.stop_at.take();
            self.revoked_until = revoked.map(|_| Instant::now() + STOPS_LATE);
        }
        self.handed_on.push(signal.as_raw());
        if self.is_watching && GRACEFUL.contains(&signal) {
            self.end.order(signal.as_raw());
        } else {
            // It has not been waited for, so the number is its own.
            let _ = kill_process(self.runner, signal);
        }
    }

    /// Reaps what has ended; returns how the runner did.
    fn look_at_children(&mut self) -> Option<Ended> {
        loop {
            let (child, status) = match wait(WaitOptions::NOHANG | WaitOptions::UNTRACED) {
                Ok(Some(changed)) => changed,
                Err(Errno::INTR) => continue,
                // No child at all cannot be; nothing could be learnt about the runner any more.
                Err(_) => return Some(Ended::Code(70)),
                Ok(None) => return None,
            };
            if child != self.runner {
                continue;
            }
            if let Some(code) = status.exit_status() {
                return Some(Ended::Code(u8::try_from(code).unwrap_or(u8::MAX)));
            }
            if let Some(signal) = status.terminating_signal() {
                return Some(Ended::Signal(signal));
            }
            if status.stopped() {
                self.stop_too();
            }
        }
    }

    /// The runner has stopped: stops until somebody continues this process, and then continues the runner.
    fn stop_too(&mut self) {
        self.stop_at = None;
        let is_revoked = self
            .revoked_until
            .take_if(|until| *until > Instant::now())
            .is_some();
        let latest = self.hand_on_but_stops();
        if latest == Some(Signal::CONT) || latest.is_none() && is_revoked {
            self.hand_on(Signal::CONT);
            return;
        }
        loop {
            let stopped = Instant::now();
            let _ = kill_process(getpid(), Signal::STOP);
            if self.began.is_some() {
                self.stopped += stopped.elapsed();
            }
            // Of a SIGCONT with a SIGTSTP right behind it the kernel may keep only the latter: who runs again was continued.
            if self.hand_on_but_stops() != Some(Signal::TSTP) {
                self.hand_on(Signal::CONT);
                return;
            }
            // Continued and stopped again. The runner may have been continued, too.
            if !procfs::stat(self.runner.as_raw_pid()).is_some_and(procfs::Stat::is_stopped) {
                self.hand_on(Signal::TSTP);
                return;
            }
        }
    }

    /// Hands on what has come but SIGTSTP and SIGCONT; returns what counts of those two.
    fn hand_on_but_stops(&mut self) -> Option<Signal> {
        let mut latest = None;
        for signal in self.end.inbox.arrived() {
            if matches!(signal, Signal::TSTP | Signal::CONT) {
                latest = Some(signal);
            } else {
                self.hand_on(signal);
            }
        }
        latest
    }
}
