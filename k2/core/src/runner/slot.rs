//! What each worker is doing, so that the supervising thread can end a case that a thread cannot be interrupted in.
//!
//! A case that runs as a function on a worker's thread cannot be killed. When its time is up, the supervising thread *takes* the
//! case out of the worker's slot, reports it, and starts another worker; the thread that is stuck finds its slot taken when
//! it ever comes back, and ends without a word. Whoever takes the case out of the slot reports it: exactly one of the two.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::execution::Execution;
use crate::case::Phase;

/// The case that a worker runs now.
#[derive(Debug)]
pub(super) struct Running {
    /// Which execution of which case.
    pub(super) execution: Arc<Execution>,
    /// When its time is up; none for no limit, and for processes, which the worker itself stops.
    pub(super) deadline: Option<Instant>,
    /// The part that goes on, and when its time is up; none if no part has a limit.
    pub(super) phase: Option<(Phase, Option<Instant>)>,
    /// How long the process had been stopped by the time the case began: what came since is not its time.
    pub(super) paused: Duration,
    /// Whether it runs as a function on the worker's thread.
    pub(super) in_process: bool,
}

impl Running {
    /// When its time is up if the process has been stopped for `paused` by now.
    fn deadline(&self, paused: Duration) -> Option<Instant> {
        let of_phase = self.phase.and_then(|(_, deadline)| deadline);
        let first = self.deadline.into_iter().chain(of_phase).min()?;
        first.checked_add(paused.saturating_sub(self.paused))
    }

    /// The part whose time is up, if it is not that of the whole case.
    pub(super) fn overdue_phase(&self) -> Option<Phase> {
        let (phase, deadline) = self.phase?;
        let deadline = deadline?;
        self.deadline
            .is_none_or(|whole| deadline < whole)
            .then_some(phase)
    }
}

/// What one worker does.
#[derive(Debug, Default)]
pub(super) struct Slot(Mutex<State>);

#[derive(Debug, Default)]
enum State {
    #[default]
    Idle,
    Running(Running),
    /// The case was taken away; the worker is given up.
    Lost,
}

impl Slot {
    /// Notes that the worker starts `running`.
    pub(super) fn start(&self, running: Running) {
        *self.0.lock() = State::Running(running);
    }

    /// Notes that the worker's case has ended; false if the case was taken meanwhile: then somebody else has reported it, and the
    /// worker has to end.
    pub(super) fn finish(&self) -> bool {
        let mut state = self.0.lock();
        match &*state {
            State::Lost => false,
            State::Idle | State::Running(_) => {
                *state = State::Idle;
                true
            }
        }
    }

    /// Notes that a part of the case begins, whose time is up then; `paused` is how long the process has been stopped so far.
    pub(super) fn enter(&self, phase: Phase, deadline: Option<Instant>, paused: Duration) {
        if let State::Running(running) = &mut *self.0.lock() {
            // Deadlines count from the start of the case, and are moved by what was stopped since.
            let stopped = paused.saturating_sub(running.paused);
            let deadline = deadline.and_then(|deadline| deadline.checked_sub(stopped));
            running.phase = Some((phase, deadline));
        }
    }

    /// What it runs, and the part that goes on if that is known.
    pub(super) fn look(&self) -> Option<(Arc<Execution>, Option<Phase>)> {
        match &*self.0.lock() {
            State::Running(running) => {
                let phase = running.phase.map(|(phase, _)| phase);
                Some((Arc::clone(&running.execution), phase))
            }
            State::Idle | State::Lost => None,
        }
    }

    /// Whether the worker runs no case.
    pub(super) fn is_idle(&self) -> bool {
        !matches!(&*self.0.lock(), State::Running(_))
    }

    /// When the case's time is up, if there is one with a limit. `paused` is how long the process has been stopped so far.
    pub(super) fn deadline(&self, paused: Duration) -> Option<Instant> {
        match &*self.0.lock() {
            State::Running(running) => running.deadline(paused),
            State::Idle | State::Lost => None,
        }
    }

    /// Takes the case if its time was up at `now`.
    pub(super) fn take_overdue(&self, now: Instant, paused: Duration) -> Option<Running> {
        self.take_if(|running| {
            running
                .deadline(paused)
                .is_some_and(|deadline| deadline <= now)
        })
    }

    /// Takes the case if it runs on the worker's thread.
    pub(super) fn take_in_process(&self) -> Option<Running> {
        self.take_if(|running| running.in_process)
    }

    fn take_if(&self, wanted: impl FnOnce(&Running) -> bool) -> Option<Running> {
        let mut state = self.0.lock();
        if !matches!(&*state, State::Running(running) if wanted(running)) {
            return None;
        }
        match std::mem::replace(&mut *state, State::Lost) {
            State::Running(running) => Some(running),
            State::Idle | State::Lost => None,
        }
    }
}
