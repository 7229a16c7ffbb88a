//! A clock that stands still until a test moves it.

use std::fmt;
use std::io;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use zaf_core::attribution::{current_group, in_group};
use zaf_core::clock::{Clock, TimeSource, Timer, TimerAction};

/// A clock that tests move by hand. Cheap to clone; clones are the same clock.
///
/// Give it to a harness with [`HarnessBuilder::clock`](crate::HarnessBuilder::clock). Its timers have no threads: they are called by
/// [`advance`](Self::advance), in the order in which they are due, each at its moment. When `advance` returns, all that was due has been done;
/// what it sent to other threads is done when the harness is idle.
///
/// ```
/// use std::time::Duration;
/// use zaf_harness::FakeClock;
///
/// let clock = FakeClock::new();
/// let (sender, receiver) = std::sync::mpsc::channel();
/// let timer = clock.clock().every("tick", Duration::from_secs(60), move || drop(sender.send("tick")))?;
/// clock.advance(Duration::from_secs(59));
/// assert_eq!(receiver.try_iter().count(), 0);
/// clock.advance(Duration::from_secs(121));
/// assert_eq!(receiver.try_iter().count(), 3);
/// # drop(timer);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct FakeClock {
    inner: Arc<Inner>,
}

struct Inner {
    begin: Instant,
    state: Mutex<State>,
    /// Held while the time moves, so that it moves for one at a time.
    moving: Mutex<()>,
}

struct State {
    now: Instant,
    next: u64,
    timers: Vec<FakeTimer>,
}

struct FakeTimer {
    number: u64,
    name: String,
    due: Instant,
    /// The logs that it belongs to.
    group: Option<NonZeroU64>,
    /// None while it is called.
    action: Option<TimerAction>,
}

impl Default for FakeClock {
    fn default() -> Self {
        Self::new()
    }
}

impl FakeClock {
    /// A clock that stands still.
    pub fn new() -> Self {
        let now = Instant::now();
        let state = State {
            now,
            next: 0,
            timers: Vec::new(),
        };
        Self {
            inner: Arc::new(Inner {
                begin: now,
                state: Mutex::new(state),
                moving: Mutex::new(()),
            }),
        }
    }

    /// The clock as extensions have it.
    pub fn clock(&self) -> Clock {
        Clock::of(Arc::new(self.clone()))
    }

    /// How long it has been moved in all.
    pub fn elapsed(&self) -> Duration {
        self.inner.now() - self.inner.begin
    }

    /// Moves the time on, and calls the timers that are due on this thread. Not to be called by one of them.
    ///
    /// # Panics
    /// If a timer panics; if there is no such time.
    pub fn advance(&self, by: Duration) {
        let _moving = self.inner.moving.lock();
        let target = self
            .inner
            .now()
            .checked_add(by)
            .expect("there is such a time");
        while let Some((number, due, group, mut action)) = self.inner.take_due(target) {
            let in_group = group.map(in_group);
            let again = action(due);
            drop(in_group);
            self.inner.put_back(number, again, action);
        }
        self.inner.state.lock().now = target;
    }

    /// The timers that wait: name, and in how long each is due; the next one first.
    pub fn timers(&self) -> Vec<(String, Duration)> {
        let state = self.inner.state.lock();
        let timers = state.timers.iter();
        let waits = timers.map(|timer| {
            (
                timer.name.clone(),
                timer.due.saturating_duration_since(state.now),
            )
        });
        let mut waits: Vec<_> = waits.collect();
        waits.sort_by_key(|(_, wait)| *wait);
        waits
    }
}

impl Inner {
    fn now(&self) -> Instant {
        self.state.lock().now
    }

    /// The timer that is due first, not after `target`; the time is its own then.
    fn take_due(&self, target: Instant) -> Option<(u64, Instant, Option<NonZeroU64>, TimerAction)> {
        let mut state = self.state.lock();
        let now = state.now;
        let waiting = state
            .timers
            .iter_mut()
            .filter(|timer| timer.action.is_some());
        let timer = waiting.min_by_key(|timer| (timer.due, timer.number))?;
        if timer.due > target {
            return None;
        }
        let taken = (timer.number, timer.due, timer.group, timer.action.take()?);
        state.now = now.max(taken.1);
        Some(taken)
    }

    /// It was called, and wants to be called again, or not. One that was ended meanwhile is gone.
    fn put_back(&self, number: u64, again: Option<Instant>, action: TimerAction) {
        let mut state = self.state.lock();
        let position = state.timers.iter().position(|timer| timer.number == number);
        let Some(position) = position else { return };
        match again {
            Some(due) => {
                // Time goes on even for one that wants to be called at once.
                state.timers[position].due = due.max(state.now + Duration::from_nanos(1));
                state.timers[position].action = Some(action);
            }
            None => drop(state.timers.remove(position)),
        }
    }
}

impl TimeSource for FakeClock {
    fn now(&self) -> Instant {
        self.inner.now()
    }

    fn timer(&self, name: &str, first: Instant, action: TimerAction) -> io::Result<Timer> {
        let mut state = self.inner.state.lock();
        let number = state.next;
        state.next += 1;
        state.timers.push(FakeTimer {
            number,
            name: name.to_owned(),
            due: first,
            group: current_group(),
            action: Some(action),
        });
        let inner = Arc::clone(&self.inner);
        Ok(Timer::new(move || {
            // What the action holds is dropped without the lock.
            let mut state = inner.state.lock();
            let position = state.timers.iter().position(|timer| timer.number == number);
            let timer = position.map(|position| state.timers.remove(position));
            drop(state);
            drop(timer);
        }))
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeClock")
            .field("elapsed", &(self.now() - self.begin))
            .finish_non_exhaustive()
    }
}
