//! The poll loop that runs one process from its start to its end.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::Child;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, kill_process_group, pidfd_open};

use super::leftovers::{self, Leftovers};
use super::pause::{self, Group};
use super::phases::PhaseWatch;
use super::spawn::spawn;
use super::stream::Stream;
use super::{
    Cancellation, EndedBy, ExitStatus, Level, OutputStream, ProcessEnd, ProcessSpec, SpawnError,
    procfs,
};
use crate::case;

/// Time after SIGKILL until a process counts as unkillable (it hangs in the kernel).
const UNKILLABLE: Duration = Duration::from_secs(10);
/// Bytes per read: the size of a pipe.
const CHUNK: usize = 64 * 1024;

/// Runs a process to its end and returns what is known about it. Blocks this thread; takes no lock.
///
/// When the time limit is reached or `cancellation` asks gently, the process group gets a signal (SIGTERM, or the one asked
/// for), after the grace SIGKILL. Afterwards whatever the process left behind is ended too, so that nothing of it lives
/// when this returns.
///
/// # Errors
/// When the process could not be started; nothing runs then.
pub fn run(spec: &ProcessSpec, cancellation: &Cancellation) -> Result<ProcessEnd, SpawnError> {
    let started = Instant::now();
    let starting = pause::starting();
    let (mut child, note) = spawn(spec, cancellation)?;
    if let Some(watcher) = &spec.watcher {
        watcher.started(child.id());
    }
    let watch = |error: io::Error| SpawnError::Watch {
        program: spec.program.clone(),
        error,
    };
    let supervision = Supervision::new(spec, cancellation, &mut child, started);
    drop(starting);
    match supervision {
        Ok(supervision) => {
            let end = supervision.finish(child);
            match note.and_then(|note| note.problem()) {
                Some(error) => Err(SpawnError::start(&spec.program, error, 1)),
                None => Ok(end),
            }
        }
        Err(error) => {
            // Not reaped yet, so the pid is still its own.
            child.kill().ok();
            child.wait().ok();
            Err(watch(error))
        }
    }
}

/// Where the process is in its life.
#[derive(Debug, Clone, Copy)]
enum Phase {
    /// Nobody has asked it to end.
    Running,
    /// It was asked to end.
    Asked {
        /// When it gets SIGKILL.
        kill_at: Option<Instant>,
    },
    /// It got SIGKILL.
    Killed {
        /// When it counts as unkillable.
        give_up_at: Option<Instant>,
    },
    /// It has ended; something may still hold its pipes.
    Ended {
        /// How long they may.
        until: Instant,
    },
}

/// A part of what the process does.
#[derive(Debug, Clone, Copy)]
struct Part {
    phase: case::Phase,
    limit: Option<Duration>,
    began: Instant,
}

struct Supervision<'a> {
    spec: &'a ProcessSpec,
    cancellation: &'a Cancellation,
    pid: Pid,
    pidfd: OwnedFd,
    stdout: Stream,
    stderr: Stream,
    started: Instant,
    /// How long this process had been stopped when the deadlines were moved last.
    paused: Duration,
    group: Group,
    phase: Phase,
    /// What it says that it does now.
    part: Option<Part>,
    seen: Level,
    ended_by: EndedBy,
    killed: bool,
    stopped: bool,
    exit: Option<ExitStatus>,
    duration: Duration,
}

impl<'a> Supervision<'a> {
    fn new(
        spec: &'a ProcessSpec,
        cancellation: &'a Cancellation,
        child: &mut Child,
        started: Instant,
    ) -> io::Result<Self> {
        let pid = Pid::from_child(child);
        Ok(Self {
            spec,
            cancellation,
            pid,
            pidfd: pidfd_open(pid, PidfdFlags::empty())?,
            stdout: Stream::new(
                child.stdout.take().map(OwnedFd::from),
                spec,
                OutputStream::Stdout,
            )?,
            stderr: Stream::new(
                child.stderr.take().map(OwnedFd::from),
                spec,
                OutputStream::Stderr,
            )?,
            started,
            paused: pause::total(),
            group: Group::join(pid),
            phase: Phase::Running,
            part: None,
            seen: Level::None,
            ended_by: EndedBy::Itself,
            killed: false,
            stopped: false,
            exit: None,
            duration: Duration::ZERO,
        })
    }

    fn finish(mut self, mut child: Child) -> ProcessEnd {
        let mut buffer = vec![0; CHUNK];
        let mut unkillable = None;
        loop {
            if matches!(self.phase, Phase::Ended { .. }) && !self.is_writing() {
                break;
            }
            let deadline = self.deadline();
            let ready = self.wait(deadline);
            self.stdout.read(self.spec, ready.stdout, &mut buffer);
            self.stderr.read(self.spec, ready.stderr, &mut buffer);
            if ready.process {
                self.look_for_end(&mut child);
            }
            if ready.cancellation {
                self.cancel(&mut child);
            }
            if ready.part {
                self.look_at_part();
            }
            // What has happened meanwhile may have moved it.
            if self.deadline().is_some_and(|at| at <= Instant::now()) {
                if self.move_deadlines() {
                    continue;
                }
                match self.phase {
                    Phase::Running => self.time_out(&mut child),
                    Phase::Asked { .. } => self.kill(),
                    Phase::Killed { .. } => {
                        unkillable = Some(self.pid.as_raw_pid().unsigned_abs());
                        break;
                    }
                    Phase::Ended { .. } => break,
                }
            }
        }
        let left = self.end_leftovers(unkillable.is_some());
        // What was in the pipes when their last holders were killed.
        self.stdout.read(self.spec, true, &mut buffer);
        self.stderr.read(self.spec, true, &mut buffer);
        ProcessEnd {
            exit: self.exit,
            ended_by: self.ended_by,
            killed: self.killed,
            stopped: self.stopped,
            unkillable,
            stdout: self.stdout.capture.finish(),
            stderr: self.stderr.capture.finish(),
            leaked: left.killed,
            unkillable_leaked: left.unkillable,
            duration: self.duration,
        }
    }

    fn is_writing(&self) -> bool {
        self.stdout.pipe.is_some() || self.stderr.pipe.is_some()
    }

    fn deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Running => {
                let whole = self.spec.timeout;
                let whole = whole.and_then(|limit| self.started.checked_add(limit));
                whole.into_iter().chain(self.part_deadline()).min()
            }
            Phase::Asked { kill_at: at } | Phase::Killed { give_up_at: at } => at,
            Phase::Ended { until } => Some(until),
        }
    }

    fn part_deadline(&self) -> Option<Instant> {
        let part = self.part?;
        part.began.checked_add(part.limit?)
    }

    /// Notes the part that goes on, if it is another one.
    fn look_at_part(&mut self) {
        let current = self.spec.phases.as_deref().and_then(PhaseWatch::current);
        if let Some((phase, limit)) = current
            && self.part.is_none_or(|part| part.phase != phase)
        {
            // Deadlines are moved by what was stopped since they were moved last.
            self.move_deadlines();
            let began = Instant::now();
            self.part = Some(Part {
                phase,
                limit,
                began,
            });
        }
    }

    /// Moves all deadlines by the time that this process was stopped; false if it was not.
    fn move_deadlines(&mut self) -> bool {
        let total = pause::total();
        let by = total.saturating_sub(self.paused);
        self.paused = total;
        self.started += by;
        if let Some(part) = &mut self.part {
            part.began += by;
        }
        match &mut self.phase {
            Phase::Running => {}
            Phase::Asked { kill_at: at } | Phase::Killed { give_up_at: at } => {
                *at = at.and_then(|at| at.checked_add(by));
            }
            Phase::Ended { until } => *until += by,
        }
        !by.is_zero()
    }

    /// Waits until something happens or the deadline is reached. An interrupted wait says that nothing happened.
    fn wait(&self, deadline: Option<Instant>) -> Ready {
        let ended = matches!(self.phase, Phase::Ended { .. });
        let part = self.spec.phases.as_deref().map(PhaseWatch::hears);
        let sources: [Option<BorrowedFd<'_>>; 5] = [
            self.stdout.pipe.as_ref().map(AsFd::as_fd),
            self.stderr.pipe.as_ref().map(AsFd::as_fd),
            (!ended).then(|| self.pidfd.as_fd()),
            self.cancellation.rises_above(self.seen).filter(|_| !ended),
            part.filter(|_| !ended),
        ];
        let mut fds = Vec::with_capacity(sources.len());
        fds.extend(
            sources
                .iter()
                .flatten()
                .map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN)),
        );
        let timeout = deadline
            .and_then(|at| Timespec::try_from(at.saturating_duration_since(Instant::now())).ok());
        if poll(&mut fds, timeout.as_ref()).is_err() {
            return Ready::default();
        }
        let mut polled = fds.iter().map(|fd| !fd.revents().is_empty());
        let mut ready = sources.map(|source| source.is_some() && polled.next() == Some(true));
        let [stdout, stderr, process, cancellation, part] = &mut ready;
        Ready {
            stdout: *stdout,
            stderr: *stderr,
            process: *process,
            cancellation: *cancellation,
            part: *part,
        }
    }

    /// Reaps the process if it has ended; true when it has.
    fn look_for_end(&mut self, child: &mut Child) -> bool {
        let mut status = None;
        let mut look = || {
            status = self.group.reap(|| child.try_wait().ok().flatten());
            status.is_some()
        };
        match &self.spec.watcher {
            Some(watcher) => watcher.look_for_end(&mut look),
            None => _ = look(),
        }
        let Some(status) = status else {
            return false;
        };
        self.move_deadlines();
        let now = Instant::now();
        self.exit = Some(ExitStatus::from_std(status));
        self.duration = now - self.started;
        self.phase = Phase::Ended {
            until: now + self.spec.leak_timeout,
        };
        true
    }

    fn time_out(&mut self, child: &mut Child) {
        // An end that happened before the signal counts: it is looked for last thing before the signal is sent.
        if self.look_for_end(child) {
            return;
        }
        let of_part = self.part_deadline().filter(|at| *at <= Instant::now());
        let part = self.part.filter(|_| of_part.is_some());
        self.ended_by = match part.and_then(|part| Some((part.phase, part.limit?))) {
            Some((phase, limit)) => EndedBy::PhaseTimeout { phase, limit },
            None => EndedBy::Timeout(self.spec.timeout.unwrap_or_default()),
        };
        self.ask(Signal::TERM);
    }

    fn cancel(&mut self, child: &mut Child) {
        self.seen = self.cancellation.level();
        if matches!(self.phase, Phase::Ended { .. }) || self.look_for_end(child) {
            return;
        }
        if matches!(self.phase, Phase::Running) {
            self.ended_by = EndedBy::Cancellation;
        }
        match (self.seen, self.phase) {
            (Level::Gentle(signal), Phase::Running) => {
                self.ask(Signal::from_named_raw(signal).unwrap_or(Signal::TERM));
            }
            (Level::Kill, Phase::Running | Phase::Asked { .. }) => self.kill(),
            _ => {}
        }
    }

    fn ask(&mut self, signal: Signal) {
        self.stopped = procfs::stat(self.pid.as_raw_pid()).is_some_and(|stat| stat.state == 'T');
        self.phase = Phase::Asked {
            kill_at: Instant::now().checked_add(self.spec.grace),
        };
        self.signal(signal);
        if self.stopped {
            // A stopped process gets no signal but this one and SIGKILL; let it use its grace.
            self.signal(Signal::CONT);
        }
    }

    fn kill(&mut self) {
        self.killed = true;
        self.phase = Phase::Killed {
            give_up_at: Instant::now().checked_add(UNKILLABLE),
        };
        self.signal(Signal::KILL);
    }

    /// To the whole group. The process itself was not reaped yet, so neither number can belong to anybody else.
    fn signal(&self, signal: Signal) {
        if kill_process_group(self.pid, signal).is_err() {
            // It left its own group.
            let _ = kill_process(self.pid, signal);
        }
    }

    fn end_leftovers(&mut self, unkillable: bool) -> Leftovers {
        if unkillable {
            self.duration = self.started.elapsed();
            return Leftovers::default();
        }
        let deadline = match self.phase {
            // Also after a signal of ours: the others of the group have it too, and may be a moment behind.
            Phase::Ended { until } => until,
            _ => Instant::now(),
        };
        leftovers::end(self.pid, self.spec.execution.as_deref(), deadline)
    }
}

/// What a wait was ended by.
#[derive(Debug, Default, Clone, Copy)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "one answer per watched descriptor"
)]
struct Ready {
    stdout: bool,
    stderr: bool,
    process: bool,
    cancellation: bool,
    part: bool,
}
