//! Whether the command was told to stop.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

/// How urgently the command has to stop. Ordered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AbortLevel {
    /// Not at all.
    #[default]
    None,
    /// Finish what runs, start nothing new (event ABORT).
    Gentle,
    /// Kill what runs, keep only what is needed to report (event `CRITICAL_ABORT`).
    Critical,
}

/// Whether the command was told to stop. Cheap to clone: clones are the same state. Only ever rises.
///
/// The application raises it just before it triggers the events; a command without dispatchers of its own looks here.
#[derive(Clone, Default)]
pub struct AbortState(Arc<Shared>);

#[derive(Default)]
struct Shared {
    level: Mutex<AbortLevel>,
    raised: Condvar,
    /// How many tell the person themselves.
    telling: AtomicUsize,
}

/// As long as this lives the application says nothing when it asks the command to stop: see [`AbortState::told_by_command`].
#[derive(Debug)]
#[must_use = "the application tells again when this is dropped"]
pub struct ToldByCommand(AbortState);

impl Drop for ToldByCommand {
    fn drop(&mut self) {
        self.0.0.telling.fetch_sub(1, Ordering::SeqCst);
    }
}

impl AbortState {
    /// A state that nobody has raised.
    pub fn new() -> Self {
        Self::default()
    }

    /// How urgently the command has to stop.
    pub fn level(&self) -> AbortLevel {
        *self.0.level.lock()
    }

    /// Whether the command has to stop at all.
    pub fn is_aborted(&self) -> bool {
        self.level() > AbortLevel::None
    }

    /// The command tells the person itself what becomes of a first wish to stop ([`AbortLevel::Gentle`]): one that asks questions in a terminal,
    /// whose lines nobody else may write into. The application tells of everything worse, and of all when the value is dropped.
    pub fn told_by_command(&self) -> ToldByCommand {
        self.0.telling.fetch_add(1, Ordering::SeqCst);
        ToldByCommand(self.clone())
    }

    /// Whether the command tells of a first wish to stop itself.
    pub(crate) fn is_told_by_command(&self) -> bool {
        self.0.telling.load(Ordering::SeqCst) > 0
    }

    /// Raises the level and wakes all who wait. Returns whether it was lower before; a lower level is ignored.
    pub fn raise(&self, level: AbortLevel) -> bool {
        let mut current = self.0.level.lock();
        let rises = level > *current;
        if rises {
            *current = level;
            self.0.raised.notify_all();
        }
        rises
    }

    /// Waits until the level is at least `level`, for at most `timeout`; says what it is then. An interruptible sleep.
    pub fn wait(&self, level: AbortLevel, timeout: Duration) -> AbortLevel {
        let deadline = Instant::now().checked_add(timeout);
        let mut current = self.0.level.lock();
        while *current < level {
            match deadline {
                Some(deadline) => {
                    if self.0.raised.wait_until(&mut current, deadline).timed_out() {
                        break;
                    }
                }
                None => self.0.raised.wait(&mut current),
            }
        }
        *current
    }
}

impl fmt::Debug for AbortState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AbortState({:?})", self.level())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_tells_itself_as_long_as_somebody_says_so() {
        let state = AbortState::new();
        assert!(!state.is_told_by_command());
        let (one, other) = (state.told_by_command(), state.clone().told_by_command());
        drop(one);
        assert!(state.is_told_by_command());
        drop(other);
        assert!(!state.is_told_by_command());
    }

    #[test]
    fn the_level_never_falls_and_waiters_see_it_rise() {
        let state = AbortState::new();
        assert!(!state.is_aborted());
        let seen = std::thread::scope(|scope| {
            let waiter = scope.spawn(|| state.wait(AbortLevel::Gentle, Duration::MAX));
            assert!(state.raise(AbortLevel::Critical));
            waiter.join()
        });
        assert_eq!(seen.ok(), Some(AbortLevel::Critical));
        assert!(!state.raise(AbortLevel::Gentle));
        assert_eq!(state.level(), AbortLevel::Critical);
        assert_eq!(
            state.wait(AbortLevel::Gentle, Duration::ZERO),
            AbortLevel::Critical
        );
    }
}
