//! What a lane and who calls it meet at, made of the primitives of loom or of shuttle, with the interface of `parking_lot` and of the standard library. A
//! deadline passes when the model's [`Clock`] says so.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::ops::{Deref, DerefMut};
use std::time::{Duration, Instant};

use crate::checker;

pub(crate) use std::sync::Arc;

pub(crate) use crate::checker::sync::atomic::{AtomicBool, Ordering};

/// Those of loom and shuttle know no constants.
macro_rules! of_each_thread {
    ($(#[$doc:meta])* static $name:ident: $ty:ty = const { $init:expr };) => {
        crate::checker::thread_local! { $(#[$doc])* static $name: $ty = $init; }
    };
}
pub(crate) use of_each_thread as thread_local;

#[derive(Debug, Default)]
pub(crate) struct Mutex<T>(checker::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(checker::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard {
            mutex: self,
            guard: Some(self.0.lock().unwrap()),
        }
    }
}

pub(crate) struct MutexGuard<'a, T> {
    mutex: &'a Mutex<T>,
    /// None while it waits.
    guard: Option<checker::sync::MutexGuard<'a, T>>,
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.guard.as_ref().unwrap()
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.guard.as_mut().unwrap()
    }
}

/// Those of loom and shuttle have no deadlines.
#[derive(Debug, Default)]
pub(crate) struct Condvar(Arc<Sleepers>);

#[derive(Debug, Default)]
struct Sleepers {
    state: checker::sync::Mutex<Sleep>,
    changed: checker::sync::Condvar,
}

#[derive(Debug, Default)]
struct Sleep {
    last: usize,
    /// Those who are not to wake up, the first who came first.
    sleeping: VecDeque<usize>,
    is_late: bool,
}

std::thread_local! {
    /// Those of the last [`Condvar`]. All threads of a model share one of the system's.
    static LAST: RefCell<Option<Arc<Sleepers>>> = const { RefCell::new(None) };
}

/// Lets the deadline pass of whoever waits, and of all who come.
pub(crate) struct Clock(Arc<Sleepers>);

impl Clock {
    /// Of the [`Condvar`] that was made last.
    pub(crate) fn of_last_made() -> Self {
        Self(LAST.take().unwrap())
    }

    pub(crate) fn pass(&self) {
        self.0.state.lock().unwrap().is_late = true;
        self.0.changed.notify_all();
    }
}

pub(crate) struct Waited {
    timed_out: bool,
}

impl Waited {
    pub(crate) fn timed_out(&self) -> bool {
        self.timed_out
    }
}

impl Condvar {
    pub(crate) fn new() -> Self {
        let new = Self::default();
        LAST.set(Some(Arc::clone(&new.0)));
        new
    }

    pub(crate) fn notify_one(&self) {
        let mut sleep = self.0.state.lock().unwrap();
        if sleep.sleeping.pop_front().is_some() {
            self.0.changed.notify_all();
        }
    }

    pub(crate) fn wait<T>(&self, guard: &mut MutexGuard<'_, T>) {
        self.sleep(guard, false);
    }

    pub(crate) fn wait_until<T>(&self, guard: &mut MutexGuard<'_, T>, _: Instant) -> Waited {
        let timed_out = self.sleep(guard, true);
        Waited { timed_out }
    }

    fn sleep<T>(&self, guard: &mut MutexGuard<'_, T>, has_deadline: bool) -> bool {
        let mut sleep = self.0.state.lock().unwrap();
        sleep.last += 1;
        let own = sleep.last;
        sleep.sleeping.push_back(own);
        // Whoever wakes it needs the other lock.
        guard.guard = None;
        while sleep.sleeping.contains(&own) && !(has_deadline && sleep.is_late) {
            sleep = self.0.changed.wait(sleep).unwrap();
        }
        let is_woken = !sleep.sleeping.contains(&own);
        sleep.sleeping.retain(|one| *one != own);
        drop(sleep);
        guard.guard = Some(guard.mutex.0.lock().unwrap());
        !is_woken
    }
}

/// Looks once.
#[derive(Debug)]
pub(crate) struct Patience;

impl Patience {
    #[expect(clippy::unnecessary_wraps, reason = "that of the link may be none")]
    pub(crate) fn new() -> Option<Self> {
        Some(Self)
    }

    #[expect(
        clippy::unused_self,
        clippy::unnecessary_wraps,
        reason = "as that of the link"
    )]
    pub(crate) fn look_until(&self, now: Instant) -> Option<Instant> {
        Some(now)
    }

    #[expect(clippy::unused_self, reason = "as that of the link")]
    pub(crate) fn learn(&self, _: Duration) {}
}

#[derive(Debug)]
pub(crate) struct JoinHandle<T>(checker::thread::JoinHandle<T>);

impl<T> JoinHandle<T> {
    pub(crate) fn join(self) -> std::thread::Result<T> {
        self.0.join()
    }

    pub(crate) fn is_current(&self) -> bool {
        self.0.thread().id() == checker::thread::current().id()
    }
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "the system may have no more threads"
)]
pub(crate) fn spawn<T: Send + 'static>(
    _name: String,
    body: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    Ok(JoinHandle(checker::thread::spawn(body)))
}
