//! The bus's `sync` module once more, made of the primitives of loom or of shuttle.
//!
//! Waits with a deadline that is near end at once: a model explores what happens when the time is up at the worst moment.
//! Those with one that is far (a worker that stays for a while) last until they are woken, or as chance will have it. Fences are full on both sides:
//! the asymmetric pair promises the same order. `Arc` is the real one: methods take `self: &Arc<Self>`, and what it
//! counts decides nothing.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

pub(crate) use crate::library::sync::atomic::{
    AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
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

/// A lock with the interface of `spin`, which is tried and hardly ever waited for: taken by an exchange, given back by a store, in
/// the very orders that it has there. What is inside is in a lock that no model sees: nobody ever waits for it.
#[derive(Debug)]
pub(crate) struct TryMutex<T> {
    locked: AtomicBool,
    value: parking_lot::Mutex<T>,
}

impl<T> TryMutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self {
            locked: AtomicBool::new(false),
            value: parking_lot::Mutex::new(value),
        }
    }

    pub(crate) fn try_lock(&self) -> Option<TryMutexGuard<'_, T>> {
        let (taken, failed) = (Ordering::Acquire, Ordering::Relaxed);
        let exchanged = self.locked.compare_exchange(false, true, taken, failed);
        exchanged.ok()?;
        let value = self.value.try_lock();
        Some(TryMutexGuard {
            value,
            locked: &self.locked,
        })
    }
}

impl<T> TryMutex<T> {
    /// Tries until it succeeds.
    pub(crate) fn lock(&self) -> TryMutexGuard<'_, T> {
        loop {
            if let Some(guard) = self.try_lock() {
                return guard;
            }
            crate::thread::yield_now();
        }
    }
}

/// Given back on drop.
#[derive(Debug)]
pub(crate) struct TryMutexGuard<'a, T> {
    value: Option<parking_lot::MutexGuard<'a, T>>,
    locked: &'a AtomicBool,
}

impl<T> Drop for TryMutexGuard<'_, T> {
    fn drop(&mut self) {
        self.value = None;
        self.locked.store(false, Ordering::Release);
    }
}

impl<T> std::ops::Deref for TryMutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.value.as_ref().unwrap()
    }
}

impl<T> std::ops::DerefMut for TryMutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().unwrap()
    }
}

/// A mutex with the interface of `parking_lot`: a panic does not poison it.
#[derive(Debug)]
pub(crate) struct Mutex<T>(library::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(library::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        MutexGuard(Some(self.0.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// None while it waits.
pub(crate) struct MutexGuard<'a, T>(Option<library::sync::MutexGuard<'a, T>>);

impl<T> std::ops::Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().unwrap()
    }
}

impl<T> std::ops::DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().unwrap()
    }
}

/// A condition variable with the interface of `parking_lot`.
#[derive(Debug)]
pub(crate) struct Condvar {
    condition: library::sync::Condvar,
    /// Number of threads that wait and have not been notified. Not an atomic of the library: nobody decides anything by it
    /// but whether there is somebody to notify.
    waiting: std::sync::atomic::AtomicUsize,
}

impl Condvar {
    pub(crate) fn new() -> Self {
        Self {
            condition: library::sync::Condvar::new(),
            waiting: std::sync::atomic::AtomicUsize::new(0),
        }
    }

    /// Returns whether somebody waited.
    pub(crate) fn notify_one(&self) -> bool {
        let is_awaited = self.waiting.load(Ordering::SeqCst) != 0;
        if is_awaited {
            self.waiting.fetch_sub(1, Ordering::SeqCst);
        }
        // Even for nobody: it is a step that others may come before.
        self.condition.notify_one();
        is_awaited
    }

    pub(crate) fn notify_all(&self) {
        self.waiting.store(0, Ordering::SeqCst);
        self.condition.notify_all();
    }
}

/// A near deadline, or none for what means "for ever".
pub(crate) fn deadline_after(timeout: Duration) -> Option<Instant> {
    (timeout != Duration::MAX).then(Instant::now)
}

/// Once: a model has no clock, and what is found a moment later is found by another interleaving.
pub(crate) fn look(_deadline: Option<Instant>, found: impl Fn() -> bool) -> bool {
    found()
}

/// Once, as [`look`].
pub(crate) fn spin(found: impl Fn() -> bool) -> bool {
    found()
}

/// At once: others come first in another interleaving.
pub(crate) fn spin_until(_end: Option<Instant>) {}

/// For nothing: others get on in another interleaving.
pub(crate) fn stand_by<T: PartialEq>(_left: impl Fn() -> Option<T>) {}

/// As any other: a model has no caches.
pub(crate) fn lock_among_many<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock()
}

/// A model has no caches.
pub(crate) fn is_taken<T>(_mutex: &Mutex<T>) -> bool {
    false
}

pub(crate) fn wait_until<T>(
    condition: &Condvar,
    guard: &mut MutexGuard<'_, T>,
    deadline: Option<Instant>,
) -> bool {
    let passes = |deadline| deadline < Instant::now() + FAR || a_far_deadline_passes();
    let is_over = deadline.is_some_and(passes);
    // Otherwise: sleeps until it is notified. A lost wake-up is a deadlock, which both libraries report.
    if !is_over {
        condition.waiting.fetch_add(1, Ordering::SeqCst);
        let waited = condition.condition.wait(guard.0.take().unwrap());
        guard.0 = Some(waited.unwrap_or_else(PoisonError::into_inner));
    }
    is_over
}
