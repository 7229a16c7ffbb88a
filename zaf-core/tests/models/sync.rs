//! The bus's `sync` module once more, made of the primitives of loom or of shuttle.
//!
//! Waits with a deadline that is near end at once: a model explores what happens when the time is up at the worst moment.
//! Those with one that is far (a worker that stays for a while) last until they are woken, or as chance will have it. Fences are full on both sides:
//! the asymmetric pair promises the same order. `Arc` is the real one: methods take `self: &Arc<Self>`, and what it
//! counts decides nothing.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

pub(crate) use crate::library::sync::atomic::{
    AtomicBool, AtomicU64, AtomicUsize, Ordering, fence,
};
pub(crate) use std::sync::Arc;

use crate::{a_far_deadline_passes, library};

/// Deep enough for a handler inside a handler.
pub(crate) const MAX_DEPTH: usize = 2;

/// A deadline that lies further away than this need not pass in a model.
const FAR: Duration = Duration::from_secs(1);

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

/// A mutex with the interface of `parking_lot`: a panic does not poison it.
#[derive(Debug)]
pub(crate) struct Mutex<T>(library::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(library::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> Guard<'_, T> {
        Guard(Some(self.0.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// None while it waits.
pub(crate) struct Guard<'a, T>(Option<library::sync::MutexGuard<'a, T>>);

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
pub(crate) struct Condvar(library::sync::Condvar);

impl Condvar {
    pub(crate) fn new() -> Self {
        Self(library::sync::Condvar::new())
    }

    pub(crate) fn notify_one(&self) {
        self.0.notify_one();
    }

    pub(crate) fn notify_all(&self) {
        self.0.notify_all();
    }
}

/// A near deadline, or none for what means "for ever".
pub(crate) fn deadline_after(timeout: Duration) -> Option<Instant> {
    (timeout != Duration::MAX).then(Instant::now)
}

/// Once: a model has no clock, and what is found a moment later is found by another interleaving.
pub(crate) fn look(found: impl Fn() -> bool) {
    found();
}

pub(crate) fn wait_until<T>(
    condition: &Condvar,
    guard: &mut Guard<'_, T>,
    deadline: Option<Instant>,
) -> bool {
    let passes = |deadline| deadline < Instant::now() + FAR || a_far_deadline_passes();
    let is_over = deadline.is_some_and(passes);
    // Otherwise: sleeps until it is notified. A lost wake-up is a deadlock, which both libraries report.
    if !is_over {
        let waited = condition.0.wait(guard.0.take().unwrap());
        guard.0 = Some(waited.unwrap_or_else(PoisonError::into_inner));
    }
    is_over
}
