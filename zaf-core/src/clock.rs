//! Time as extensions see it: which moment it is, and what is to be done later.
//!
//! Whoever does something later, or again and again, asks a [`Clock`]: [`ExtensionContext::clock`](crate::extension::ExtensionContext::clock)
//! has that of the application, and it is a component of the session. Tests put a clock in its place that they move by hand, so that an hour
//! is over at once and nothing is left to luck.
//!
//! What guards against something that hangs is not measured with it: limits of handlers, of the bus, of the end of extensions and of test
//! processes are real time, in tests too.
//!
//! ```
//! use std::sync::mpsc;
//! use std::time::Duration;
//! use zaf_core::clock::Clock;
//!
//! let clock = Clock::default();
//! let (send, receive) = mpsc::channel();
//! let timer = clock.every("pulse", Duration::from_millis(1), move || drop(send.send(())))?;
//! receive.recv()?;
//! receive.recv()?;
//! // A timer that is dropped calls no more, and its end of the channel is gone.
//! drop(timer);
//! while receive.recv().is_ok() {}
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::thread;

/// Shortest period: what comes more often is no timer.
const SHORTEST: Duration = Duration::from_millis(1);

/// What a timer does. It is told for which moment it is called, and says when it is to be called again.
pub type TimerAction = Box<dyn FnMut(Instant) -> Option<Instant> + Send>;

/// Where a [`Clock`] takes the time from. Implemented by clocks of tests.
pub trait TimeSource: fmt::Debug + Send + Sync {
    /// The moment that it is. Never goes back.
    fn now(&self) -> Instant;

    /// Calls `action` at `first`, then when it wants to be called again, never twice at the same time. `name` is that of the timer, for
    /// threads and messages.
    ///
    /// # Errors
    /// Whatever the system says if it cannot.
    fn timer(&self, name: &str, first: Instant, action: TimerAction) -> io::Result<Timer>;
}

/// The clock of an application. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Clock(Arc<dyn TimeSource>);

impl Default for Clock {
    /// The monotonic clock of this machine.
    fn default() -> Self {
        Self::of(Arc::new(Monotonic))
    }
}

impl Clock {
    /// A clock that takes the time from `source`.
    pub fn of(source: Arc<dyn TimeSource>) -> Self {
        Self(source)
    }

    /// The moment that it is.
    pub fn now(&self) -> Instant {
        self.0.now()
    }

    /// Calls `action` once after `delay`, on a thread of the timer. `name` is that of the thread.
    ///
    /// # Errors
    /// Whatever the system says if no thread can be started.
    pub fn once(
        &self,
        name: &str,
        delay: Duration,
        action: impl FnOnce() + Send + 'static,
    ) -> io::Result<Timer> {
        let Some(at) = self.now().checked_add(delay) else {
            // It lies beyond what the clock can say: it never comes.
            return Ok(Timer::new(|| {}));
        };
        let mut action = Some(action);
        let once = move |_| {
            if let Some(action) = action.take() {
                action();
            }
            None
        };
        self.0.timer(name, at, Box::new(once))
    }

    /// Calls `action` every `period`, at least a millisecond, the first time after one; on a thread of the timer. If it takes longer than a
    /// period, the calls that are late already are left out.
    ///
    /// # Errors
    /// Whatever the system says if no thread can be started.
    pub fn every(
        &self,
        name: &str,
        period: Duration,
        mut action: impl FnMut() + Send + 'static,
    ) -> io::Result<Timer> {
        let period = period.max(SHORTEST);
        let Some(first) = self.now().checked_add(period) else {
            return Ok(Timer::new(|| {}));
        };
        let clock = self.clone();
        let again = move |due: Instant| {
            action();
            following(due, period, clock.now())
        };
        self.0.timer(name, first, Box::new(again))
    }
}

/// The first moment behind `now` that is whole periods away from `due`.
fn following(due: Instant, period: Duration, now: Instant) -> Option<Instant> {
    let late = now.saturating_duration_since(due).as_nanos();
    let periods = u32::try_from(late / period.as_nanos() + 1).ok()?;
    due.checked_add(period.checked_mul(periods)?)
}

/// Something that is done later. Dropping it ends that: its action is not called afterwards, and is not running any more, unless it is
/// the action that drops it.
#[must_use = "a timer ends when it is dropped"]
pub struct Timer {
    end: Option<Box<dyn FnOnce() + Send + Sync>>,
}

impl Timer {
    /// A timer that `end` ends.
    pub fn new(end: impl FnOnce() + Send + Sync + 'static) -> Self {
        Self {
            end: Some(Box::new(end)),
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if let Some(end) = self.end.take() {
            end();
        }
    }
}

impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timer").finish_non_exhaustive()
    }
}

/// The monotonic clock of this machine; each timer is a thread that waits.
#[derive(Debug)]
struct Monotonic;

/// Whether a timer has been ended, and how its thread hears of it.
#[derive(Debug, Default)]
struct End {
    is_ended: Mutex<bool>,
    changed: Condvar,
}

impl TimeSource for Monotonic {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn timer(&self, name: &str, first: Instant, mut action: TimerAction) -> io::Result<Timer> {
        let end = Arc::new(End::default());
        let heard = Arc::clone(&end);
        let thread = thread::spawn(name, move || {
            let mut next = Some(first);
            while let Some(due) = next {
                let mut is_ended = heard.is_ended.lock();
                while !*is_ended {
                    let waited = heard.changed.wait_until(&mut is_ended, due);
                    if waited.timed_out() {
                        break;
                    }
                }
                if *is_ended {
                    return;
                }
                drop(is_ended);
                next = action(due);
            }
        })?;
        Ok(Timer::new(move || {
            *end.is_ended.lock() = true;
            end.changed.notify_all();
            if !thread.is_current() {
                // A panic of the action has been logged.
                drop(thread.join());
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_timer_calls_until_it_is_dropped() {
        let (sender, receiver) = crossbeam_channel::unbounded();
        let clock = Clock::default();
        let timer = clock
            .every("ticks", Duration::from_millis(1), move || {
                let _ = sender.send(());
            })
            .unwrap();
        for _ in 0..3 {
            receiver.recv_timeout(Duration::from_secs(30)).unwrap();
        }
        drop(timer);
        // The sender went with the action.
        while receiver.try_recv().is_ok() {}
        assert!(receiver.recv().is_err());
    }

    #[test]
    fn what_is_done_once_is_done_once_and_may_drop_its_own_timer() {
        let (sender, receiver) = crossbeam_channel::bounded(1);
        let own: Arc<Mutex<Option<Timer>>> = Arc::default();
        let calls = Arc::new(AtomicUsize::new(0));
        let (held, counted) = (Arc::clone(&own), Arc::clone(&calls));
        let mut holder = own.lock();
        let timer = Clock::default().once("once", Duration::ZERO, move || {
            counted.fetch_add(1, Ordering::Relaxed);
            drop(held.lock().take());
            let _ = sender.send(());
        });
        *holder = Some(timer.unwrap());
        drop(holder);
        receiver.recv_timeout(Duration::from_secs(30)).unwrap();
        assert!(receiver.recv().is_err());
        assert_eq!(calls.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn what_would_come_after_the_end_of_time_never_comes() {
        let clock = Clock::default();
        drop(clock.once("never", Duration::MAX, || ()).unwrap());
        drop(clock.every("never", Duration::MAX, || ()).unwrap());
    }

    #[test]
    fn calls_that_are_late_are_left_out() {
        let due = Instant::now();
        let second = Duration::from_secs(1);
        let at = |millis: u64| {
            following(due, second, due + Duration::from_millis(millis)).map(|next| next - due)
        };
        assert_eq!(at(0), Some(second));
        assert_eq!(at(999), Some(second));
        assert_eq!(at(1000), Some(second * 2));
        assert_eq!(at(2500), Some(second * 3));
    }
}
