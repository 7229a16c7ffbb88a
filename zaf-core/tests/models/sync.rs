//! The bus's `sync` module once more, made of loom's primitives.
//!
//! Waits with a deadline end at once, having let the others go first: a model explores what happens when the time is up at
//! the worst moment. Fences are full on both sides: the asymmetric pair promises the same order.

use std::time::{Duration, Instant};

pub(crate) use loom::sync::Arc;
pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering, fence};

/// Deep enough for a handler inside a handler.
pub(crate) const MAX_DEPTH: usize = 2;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Fences;

#[expect(
    clippy::unused_self,
    reason = "the bus asks its own which kind of fence to use"
)]
impl Fences {
    pub(crate) fn light(self) {
        fence(Ordering::SeqCst);
    }

    pub(crate) fn are_asymmetric(self) -> bool {
        true
    }

    pub(crate) fn light_known<const ASYMMETRIC: bool>() {
        fence(Ordering::SeqCst);
    }

    pub(crate) fn heavy(self) {
        fence(Ordering::SeqCst);
    }
}

/// A mutex with the interface of `parking_lot`.
#[derive(Debug)]
pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(loom::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> Guard<'_, T> {
        Guard(Some(self.0.lock().unwrap()))
    }
}

/// None while it waits.
pub(crate) struct Guard<'a, T>(Option<loom::sync::MutexGuard<'a, T>>);

impl<T> std::ops::Deref for Guard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().unwrap()
    }
}

impl<T> std::ops::DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().unwrap()
    }
}

/// A condition variable with the interface of `parking_lot`.
#[derive(Debug)]
pub(crate) struct Condvar(loom::sync::Condvar);

impl Condvar {
    pub(crate) fn new() -> Self {
        Self(loom::sync::Condvar::new())
    }

    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "the bus's own may have no deadline"
)]
pub(crate) fn deadline_after(_timeout: Duration) -> Option<Instant> {
    Some(Instant::now())
}

pub(crate) fn wait_until<T>(
    condition: &Condvar,
    guard: &mut Guard<'_, T>,
    deadline: Option<Instant>,
) -> bool {
    // Without a deadline: sleeps until it is notified. A lost wake-up is a deadlock, which loom reports.
    if deadline.is_none() {
        guard.0 = Some(condition.0.wait(guard.0.take().unwrap()).unwrap());
    }
    deadline.is_some()
}
