//! What a guard does while the runner lives: nothing, until a signal comes or the runner changes its state.
//!
//! Job control: a terminal, or `kill`, wants the guard to stop. It holds the wish back ([`StopSignal`]), has the runner pause its cases, stops the runner,
//! and then itself, if the wish still stands, so that the shell gets its terminal back; when the guard is continued, it continues the runner. It stops too
//! when the runner was stopped by somebody else.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, wait};
use signal_hook::low_level::pipe;

use super::channel::{GuardEnd, News};
use super::stop_signal::{HeldBack, StopSignal};
use super::{Ended, PauseOrder};

/// Signals by which a runner that watches them ends in good order, and then by the same signal.
const GRACEFUL: [Signal; 4] = [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT];

/// Signals that the guard hands on. Whoever sends another one that ends a process ends the guard, and the kernel tells the runner.
const HANDED_ON: [Signal; 7] = [
    Signal::INT,
    Signal::TERM,
    Signal::HUP,
    Signal::QUIT,
    Signal::USR1,
    Signal::USR2,
    Signal::CONT,
];

/// Signals that stay ignored if they were when the program started (`nohup`); the others mean something even then, as for
/// every application.
const MAY_BE_IGNORED: [Signal; 4] = [Signal::HUP, Signal::QUIT, Signal::USR1, Signal::USR2];

/// How long after a continuation a runner may stop of itself, as it does when it sees its guard stopped: it cannot look at the guard and stop in one step,
/// and a busy machine can keep it waiting in between.
const STOPS_LATE: Duration = Duration::from_secs(5);

/// How long the runner may take to stop before it is told so once more: somebody may have continued it in between, without the guard.
const STOPS_AT_ONCE: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 100_000_000,
};

/// Where signals arrive: one socket each, so that two quick signals are two.
pub(super) struct Inbox {
    children: (UnixStream, Option<UnixStream>),
    signals: Vec<(Signal, UnixStream, Option<UnixStream>)>,
    /// None if it was ignored when the program started.
    stop: Option<StopSignal>,
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
        let is_deaf = ignored & bit(Signal::TSTP) != 0;
        Ok(Self {
            children: (read, Some(write)),
            signals,
            stop: (!is_deaf).then(StopSignal::open).transpose()?,
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

    /// Whether somebody wants the run to stop, and nobody has continued it since.
    fn is_stop_wanted(&self) -> bool {
        self.stop.as_ref().is_some_and(StopSignal::is_wanted)
    }

    /// Signals that came since, each as often as it did. In which order different ones came is not known; SIGCONT is the last.
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

/// What has been done about the wish that the run stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    /// Nothing, or there is none.
    None,
    /// It has been seen. What holds the signal back says whether it still stands.
    Seen,
    /// The runner was told to stop, and has not yet.
    Told,
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
    /// Whether the runner pauses its cases when it is told to. Until then it has none.
    can_pause: bool,
    /// How many orders to pause it has not answered yet.
    unanswered: usize,
    wish: Wish,
    /// Since when the runner is stopped.
    stopped_since: Option<Instant>,
    continued: Option<Instant>,
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
            can_pause: false,
            unanswered: 0,
            wish: Wish::None,
            stopped_since: None,
            continued: None,
        }
    }

    /// Another runner takes over.
    pub(super) fn begin_again(&mut self, runner: Pid) {
        self.runner = runner;
        self.is_watching = false;
        self.will_tell = true;
        self.stage = Stage::Loading;
        self.can_pause = false;
        self.unanswered = 0;
        self.wish = Wish::None;
    }

    /// Waits until the runner has ended.
    pub(super) fn until_end(&mut self) -> Ended {
        self.end.inbox.watch_signals();
        // If the system refuses, the guard stops at once, and its runner when it sees that. What is started next must not inherit this.
        let _held_back = HeldBack::begin();
        loop {
            self.read_news();
            if let Some(ended) = self.look_at_children() {
                self.read_news();
                return ended;
            }
            self.hand_on_arrived();
            if self.wish == Wish::None && self.end.inbox.is_stop_wanted() {
                self.wish = Wish::Seen;
                self.begin_stop();
            }
            if let Some(ended) = self.look_at_children() {
                self.read_news();
                return ended;
            }
            let mut fds: Vec<PollFd<'_>> = self.end.inbox.fds().collect();
            if let (Wish::None, Some(stop)) = (self.wish, &self.end.inbox.stop) {
                fds.push(stop.fd());
            }
            if self.will_tell {
                fds.push(PollFd::from_borrowed_fd(self.end.news_fd(), PollFlags::IN));
            }
            // An interrupted wait comes back by the loop.
            let limit = (self.wish == Wish::Told).then_some(&STOPS_AT_ONCE);
            let is_late = poll(&mut fds, limit) == Ok(0);
            if is_late && self.end.inbox.is_stop_wanted() {
                self.stop_runner();
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
        let now = self.stopped_since.map(|since| since.elapsed());
        let stopped = self.stopped + now.unwrap_or_default();
        all.unwrap_or_default().saturating_sub(stopped)
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
                        News::CanPause => {
                            self.can_pause = true;
                            // It may have been continued before it stopped, or have swallowed the wish.
                            self.wish = Wish::None;
                        }
                        News::Paused => {
                            self.unanswered = self.unanswered.saturating_sub(1);
                            // If nobody wants it any more, a continuation has come, which is handed on.
                            if self.unanswered == 0 && self.end.inbox.is_stop_wanted() {
                                self.stop_runner();
                            }
                        }
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
        self.handed_on.push(signal.as_raw());
        if signal == Signal::CONT {
            self.go_on();
        } else if self.is_watching && GRACEFUL.contains(&signal) {
            self.end.order(signal.as_raw());
        } else {
            self.kill(signal);
        }
    }

    /// Hands on all that has come; returns whether somebody wanted the run to go on.
    fn hand_on_arrived(&mut self) -> bool {
        let arrived = self.end.inbox.arrived();
        for &signal in &arrived {
            self.hand_on(signal);
        }
        arrived.contains(&Signal::CONT)
    }

    /// Signals the runner.
    fn kill(&self, signal: Signal) {
        // It has not been waited for, so the number is its own.
        let _ = kill_process(self.runner, signal);
    }

    fn go_on(&mut self) {
        self.continued = Some(Instant::now());
        self.wish = Wish::None;
        self.kill(Signal::CONT);
        self.end.order_pause(PauseOrder::GoOn);
    }

    /// Has the runner stop.
    fn begin_stop(&mut self) {
        if self.can_pause && self.end.order_pause(PauseOrder::Pause) {
            self.unanswered += 1;
        } else {
            self.stop_runner();
        }
    }

    fn stop_runner(&mut self) {
        self.wish = Wish::Told;
        self.kill(Signal::STOP);
    }

    /// Reaps what has ended; returns how the runner did.
    fn look_at_children(&mut self) -> Option<Ended> {
        let options = WaitOptions::NOHANG | WaitOptions::UNTRACED | WaitOptions::CONTINUED;
        loop {
            let (child, status) = match wait(options) {
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
                if self.wish == Wish::Told {
                    self.wish = Wish::Seen;
                }
                self.stopped_since.get_or_insert_with(Instant::now);
                self.stop_too();
            } else if status.continued()
                && let Some(since) = self.stopped_since.take()
                && self.began.is_some()
            {
                self.stopped += since.elapsed();
            }
        }
    }

    /// The runner has stopped: stops, if that is wanted, until somebody continues this process, and then continues the runner.
    fn stop_too(&mut self) {
        if !self.end.inbox.is_stop_wanted() {
            let is_late = |continued: Instant| continued.elapsed() < STOPS_LATE;
            if self.hand_on_arrived() {
                return;
            }
            if self.continued.is_some_and(is_late) {
                self.go_on();
                return;
            }
            // Somebody has stopped it alone. One who continues this process from now on is heard.
            self.wish = Wish::Seen;
            StopSignal::want();
            if self.hand_on_arrived() {
                if let Some(stop) = &self.end.inbox.stop {
                    stop.forget();
                }
                return;
            }
        }
        StopSignal::stop_if_wanted();
        // Without a continuation the kernel has dropped the wish: the runner stays stopped until there is one.
        self.hand_on_arrived();
    }
}
