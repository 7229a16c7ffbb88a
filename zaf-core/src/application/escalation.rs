//! What each signal means, given those before it. Pure: [`super::signal`] does the waiting and the acting.
//!
//! ```text
//!            any signal            any signal, or the grace is over            INT or TERM, or the grace is over again
//!   running ────────────► aborting ───────────────────────────────► critical ───────────────────────────────────► ended at once
//! ```
//!
//! - The grace starts with SIGTERM and SIGHUP: whoever sends those does not stand by to send a second one. When the run is
//!   critical a last one starts, which leaves time for the teardown: a thread that never comes back, in a handler that blocks,
//!   does not keep the process. After SIGINT nobody escalates but the person at the keyboard; the runner has time limits of its own for what it stops.
//! - SIGQUIT (Ctrl-\\ on a terminal) is critical at once: whoever sends it does not want to wait.
//! - SIGHUP counts once: the kernel and the shell both send one when a terminal goes away.

use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};

/// Signals that end a run, in the order they are named in documentation.
pub(super) const SIGNALS: [i32; 4] = [SIGINT, SIGTERM, SIGHUP, SIGQUIT];

/// How far the run has been told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Running,
    Aborting,
    Critical,
    Ended,
}

/// What has to be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// Nothing new.
    Ignore,
    /// Trigger ABORT; after the grace, if there is one, come back with [`Escalation::grace_over`].
    Abort { grace: Option<Duration> },
    /// Trigger `CRITICAL_ABORT`; after the grace, if there is one, come back with [`Escalation::grace_over`].
    CriticalAbort { grace: Option<Duration> },
    /// Flush and end the process.
    EndNow,
}

/// Signals seen so far.
#[derive(Debug)]
pub(super) struct Escalation {
    level: Level,
    grace: Duration,
    last: Duration,
    hung_up: bool,
    /// Nobody stands by to send another signal.
    is_alone: bool,
}

impl Escalation {
    /// `grace`: until critical; `last`: from then on.
    pub(super) fn new(grace: Duration, last: Duration) -> Self {
        Self {
            level: Level::Running,
            grace,
            last,
            hung_up: false,
            is_alone: false,
        }
    }

    /// A signal arrived.
    pub(super) fn signal(&mut self, signal: i32) -> Action {
        if signal == SIGHUP && std::mem::replace(&mut self.hung_up, true) {
            return Action::Ignore;
        }
        if signal == SIGHUP && self.level > Level::Running {
            return Action::Ignore;
        }
        match self.level {
            Level::Running | Level::Aborting if signal == SIGQUIT => {
                self.level = Level::Critical;
                self.note(signal);
                Action::CriticalAbort {
                    grace: self.grace(),
                }
            }
            Level::Running => {
                self.level = Level::Aborting;
                self.note(signal);
                Action::Abort {
                    grace: self.grace(),
                }
            }
            Level::Aborting => {
                self.level = Level::Critical;
                self.note(signal);
                Action::CriticalAbort {
                    grace: self.grace(),
                }
            }
            Level::Critical => {
                self.level = Level::Ended;
                Action::EndNow
            }
            Level::Ended => Action::Ignore,
        }
    }

    /// The grace that an action asked for is over and the command still runs.
    pub(super) fn grace_over(&mut self) -> Action {
        match self.level {
            Level::Aborting => {
                self.level = Level::Critical;
                Action::CriticalAbort {
                    grace: self.grace(),
                }
            }
            Level::Critical => {
                self.level = Level::Ended;
                Action::EndNow
            }
            Level::Running | Level::Ended => Action::Ignore,
        }
    }

    fn note(&mut self, signal: i32) {
        self.is_alone |= signal != SIGINT;
    }

    fn grace(&self) -> Option<Duration> {
        let grace = if self.level < Level::Critical {
            self.grace
        } else {
            self.last
        };
        self.is_alone.then_some(grace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRACE: Duration = Duration::from_secs(10);
    const LAST: Duration = Duration::from_secs(20);

    #[test]
    fn d6_sigquit_is_critical_at_once_and_then_like_any_other() {
        let kill = Action::CriticalAbort { grace: Some(LAST) };
        assert_eq!(actions(&[SIGQUIT, SIGINT]), [kill, Action::EndNow]);
        let aborted = actions(&[SIGINT, SIGQUIT, SIGQUIT]);
        assert_eq!(
            aborted,
            [Action::Abort { grace: None }, kill, Action::EndNow]
        );
    }

    fn actions(signals: &[i32]) -> Vec<Action> {
        let mut escalation = Escalation::new(GRACE, LAST);
        signals
            .iter()
            .map(|&signal| escalation.signal(signal))
            .collect()
    }

    #[test]
    fn d1_d2_d3_interrupts_escalate_one_step_each() {
        assert_eq!(
            actions(&[SIGINT, SIGINT, SIGINT, SIGINT]),
            [
                Action::Abort { grace: None },
                Action::CriticalAbort { grace: None },
                Action::EndNow,
                Action::Ignore
            ]
        );
    }

    #[test]
    fn d4_terminate_has_a_grace_and_a_second_one_does_not_wait_for_it() {
        assert_eq!(
            actions(&[SIGTERM, SIGTERM]),
            [
                Action::Abort { grace: Some(GRACE) },
                Action::CriticalAbort { grace: Some(LAST) }
            ]
        );
        let mut escalation = Escalation::new(GRACE, LAST);
        escalation.signal(SIGTERM);
        let grace = Some(LAST);
        assert_eq!(escalation.grace_over(), Action::CriticalAbort { grace });
        assert_eq!(escalation.grace_over(), Action::EndNow);
        assert_eq!(escalation.grace_over(), Action::Ignore);
    }

    #[test]
    fn a_terminate_after_an_interrupt_has_a_grace_too() {
        assert_eq!(
            actions(&[SIGINT, SIGTERM]),
            [
                Action::Abort { grace: None },
                Action::CriticalAbort { grace: Some(LAST) }
            ]
        );
    }

    #[test]
    fn d5_a_hang_up_counts_once() {
        assert_eq!(
            actions(&[SIGHUP, SIGHUP, SIGTERM]),
            [
                Action::Abort { grace: Some(GRACE) },
                Action::Ignore,
                Action::CriticalAbort { grace: Some(LAST) }
            ]
        );
    }

    /// Every sequence of up to five steps: the level never falls, each action is given at most once.
    #[test]
    fn no_sequence_repeats_or_skips_a_step() {
        const STEPS: [Option<i32>; 4] = [Some(SIGINT), Some(SIGTERM), Some(SIGHUP), None];
        for number in 0..STEPS.len().pow(5) {
            let mut escalation = Escalation::new(GRACE, LAST);
            let mut rest = number;
            let mut last = Level::Running;
            for _ in 0..5 {
                let before = escalation.level;
                let action = match STEPS[rest % STEPS.len()] {
                    Some(signal) => escalation.signal(signal),
                    None => escalation.grace_over(),
                };
                rest /= STEPS.len();
                let expected = match action {
                    Action::Ignore => before,
                    Action::Abort { .. } => Level::Aborting,
                    Action::CriticalAbort { .. } => Level::Critical,
                    Action::EndNow => Level::Ended,
                };
                assert_eq!(escalation.level, expected);
                assert!(escalation.level >= last && escalation.level as u8 <= last as u8 + 1);
                last = escalation.level;
            }
        }
    }
}
