//! The snapshot that each thread keeps for its next message.
//!
//! Whoever loads a snapshot that others may replace has to say so to them and to take it back: two locked instructions,
//! the dearest part of an event to one callback. So a thread keeps the snapshot that it used last in a place of its own.
//! The lock of that place is tried by this thread and by who changes the bus, and no message waits for it: taking it is one
//! locked instruction, giving it back is a plain store.
//!
//! Invariants
//! - Whoever changes a bus changes its word of attention and then empties all places that it can lock, with a heavy fence
//!   between. Whoever has used a place gives it back and then looks at the word, with a light fence between. So either the
//!   place is found free, or its owner sees the change and empties it. Handlers live no longer than the change that took
//!   them out, or than the message that was on its way.
//! - A message that is sent after a change has returned finds no older snapshot: a place that was not free then is in use by
//!   its owner, who empties it before it sends the next one; what is sent meanwhile, from inside a handler, keeps nothing.
//! - Snapshots are kept only where light fences are no instructions: elsewhere there is nothing to be gained.
//! - One at a time empties places: two would take each other for the owner. The owner who empties its own waits for who looks into it:
//!   that may be for another bus.

use std::hint::cold_path;
use std::ops::{Deref, DerefMut};

use super::activity::Activity;
use crate::sync::{Arc, AtomicU64, Fences, Mutex, Ordering, TryMutex, TryMutexGuard};

/// How often a thread uses another bus than the one whose snapshot it keeps, before it keeps that of the other one.
const PATIENCE: u64 = 16;

/// What can be kept: something that belongs to a bus and can be outdated. The default stands for
/// nothing.
pub(crate) trait Dated: Default {
    /// Number of the bus; 0 for nothing.
    fn bus(&self) -> u32;

    /// See [`Activity::calm`].
    fn calm(&self) -> u64;
}

/// The place of one thread. Only that thread may call anything but [`Places::empty`].
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct Kept<S> {
    /// Nothing, or what belongs to `bus`.
    place: TryMutex<S>,
    /// Read and written by the thread alone: it may not lock the place for another bus. Who changes this one would take it for
    /// in use, and nobody would look.
    bus: AtomicU64,
    /// How often `bus` was not the one that was asked for.
    misses: AtomicU64,
}

impl<S: Dated> Kept<S> {
    /// Keeps nothing.
    pub(crate) fn new() -> Self {
        Self {
            place: TryMutex::new(S::default()),
            bus: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }

    /// The snapshot of this bus or nothing; none if it is not kept, or is in use by a message further out on this thread.
    #[inline]
    pub(crate) fn of<'a>(&'a self, bus: u32, activity: &'a Activity) -> Option<Borrowed<'a, S>> {
        if self.bus.load(Ordering::Relaxed) != u64::from(bus) {
            cold_path();
            return None;
        }
        // Emptied, if the bus was changed.
        let Some(place) = self.place.try_lock() else {
            cold_path();
            return None;
        };
        let calm = place.calm();
        let after = After {
            kept: self,
            activity,
            calm,
        };
        Some(Borrowed {
            place,
            _after: after,
        })
    }

    /// Keeps the snapshot for the next message, if that is worth while.
    #[inline(never)]
    pub(crate) fn keep(
        &self,
        bus: u32,
        calm: u64,
        activity: &Activity,
        snapshot: impl FnOnce() -> S,
    ) {
        let bus = u64::from(bus);
        let is_worth_it = bus != 0 && activity.fences.are_asymmetric() && activity.is_latest(calm);
        if !is_worth_it || !self.is_tired_of_other_than(bus) {
            return;
        }
        let Some(mut place) = self.place.try_lock() else {
            return;
        };
        let old = std::mem::replace(&mut *place, snapshot());
        self.bus.store(bus, Ordering::Relaxed);
        drop(place);
        drop(After {
            kept: self,
            activity,
            calm,
        });
        // Without the lock: dropping handlers runs foreign code.
        drop(old);
    }

    /// Whether the snapshot of this bus may replace what is kept.
    fn is_tired_of_other_than(&self, bus: u64) -> bool {
        let kept = self.bus.load(Ordering::Relaxed);
        let misses = self.misses.load(Ordering::Relaxed) + 1;
        let is_tired = kept == bus || kept == 0 || misses == PATIENCE;
        let misses = if is_tired { 0 } else { misses };
        self.misses.store(misses, Ordering::Relaxed);
        is_tired
    }

    /// Empties the place if it is free and has a snapshot of the bus; what was in it has to be dropped without any lock.
    fn take(&self, bus: u32) -> Option<S> {
        let mut place = self.place.try_lock()?;
        (place.bus() == bus).then(|| std::mem::take(&mut *place))
    }

    /// Empties the place, by its thread, which may not be using it. Whoever looks into it for another bus leaves it as it is, so the
    /// thread waits for that: not long, since nothing foreign runs meanwhile.
    #[must_use = "dropping handlers runs foreign code"]
    pub(crate) fn take_own(&self) -> S {
        std::mem::take(&mut *self.place.lock())
    }
}

/// A kept snapshot in use. What its thread sends meanwhile has to do without. Whoever waits for what was done meanwhile is told
/// at the end.
#[derive(Debug)]
pub(crate) struct Borrowed<'a, S: Dated> {
    // In this order: the place is given back, and then its thread looks.
    place: TryMutexGuard<'a, S>,
    _after: After<'a, S>,
}

impl<S: Dated> Deref for Borrowed<'_, S> {
    type Target = S;

    #[inline]
    fn deref(&self) -> &S {
        &self.place
    }
}

impl<S: Dated> DerefMut for Borrowed<'_, S> {
    #[inline]
    fn deref_mut(&mut self) -> &mut S {
        &mut self.place
    }
}

/// Looks on drop whether the bus was changed while the place was in use, and whether somebody waits for what was done meanwhile.
#[derive(Debug)]
struct After<'a, S: Dated> {
    kept: &'a Kept<S>,
    activity: &'a Activity,
    calm: u64,
}

impl<S: Dated> After<'_, S> {
    #[cold]
    #[inline(never)]
    fn look(&self) {
        self.activity.withdrawn();
        if !self.activity.is_latest(self.calm) {
            drop(self.kept.take_own());
        }
    }
}

impl<S: Dated> Drop for After<'_, S> {
    #[inline]
    fn drop(&mut self) {
        Fences::light_known::<true>();
        if !self.activity.is_calm(self.calm) {
            cold_path();
            self.look();
        }
    }
}

/// The places of all threads.
#[derive(Debug)]
pub(crate) struct Places<S> {
    all: Mutex<Vec<Arc<Kept<S>>>>,
}

impl<S: Dated> Places<S> {
    pub(crate) fn new() -> Self {
        Self {
            all: Mutex::new(Vec::new()),
        }
    }

    /// Adds the place of a thread.
    pub(crate) fn add(&self, kept: &Arc<Kept<S>>) {
        self.all.lock().push(Arc::clone(kept));
    }

    /// Removes the place of a thread that ends.
    pub(crate) fn remove(&self, kept: &Arc<Kept<S>>) {
        self.all.lock().retain(|other| !Arc::ptr_eq(other, kept));
    }

    /// Empties all places that have a snapshot of the bus and are not in use, after the word of attention has been changed.
    /// Returns what was in them, to be dropped without a lock.
    #[must_use = "dropping handlers runs foreign code"]
    pub(crate) fn empty(&self, bus: u32, activity: &Activity) -> Vec<S> {
        activity.fences.heavy();
        let all = self.all.lock();
        let own = all.iter().filter_map(|kept| kept.take(bus));
        own.collect()
    }
}
