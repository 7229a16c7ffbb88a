//! The one place where the bus takes its locks, atomics and fences from.
//!
//! The parts of the bus that have to be right under every interleaving (`message::activity`, `message::presence`, `message::kept`,
//! `message::reply_set`, `message::reply`, and of `message::dispatcher` `strand`, `pool` and `worker`) take everything by
//! which threads meet from here. The models in `zaf-core/tests/models` and `zaf-core/tests/shuttle` compile those very files
//! again with a `sync` module made of loom's or shuttle's primitives, so neither a special build of the workspace nor a
//! `--cfg` is needed.
//!
//! # Asymmetric fences
//! A sender announces "I am about to call this handler" and then looks whether the dispatcher was destroyed; whoever
//! destroys it marks it and then looks for announcements. Both need a full fence between their store and their load, and
//! a full fence costs as much as the call of a handler. [`light_fence`] only keeps the compiler from reordering where
//! [`heavy_fence`] can make every other thread of the process pass a full fence (`membarrier(2)`); elsewhere both are
//! full fences.

use std::cell::Cell;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

pub(crate) use parking_lot::{Condvar, Mutex, MutexGuard};
/// Is tried, and hardly ever waited for. Taking it is one locked instruction, giving it back a plain store; both of the other are
/// locked.
pub(crate) use spin::mutex::{SpinMutex as TryMutex, SpinMutexGuard as TryMutexGuard};
pub(crate) use std::sync::Arc;
pub(crate) use std::sync::atomic::{
    AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
};

use std::sync::atomic::compiler_fence;

/// How many messages may be handled one inside the other on one thread. Deep enough for every sane chain of events,
/// small enough for the smallest usual stack (256 KiB). Here because the models make it smaller.
pub(crate) const MAX_DEPTH: usize = 64;

/// Whether [`heavy_fence`] reaches all threads. Asked once per process.
#[cfg(target_os = "linux")]
fn fences_are_asymmetric() -> bool {
    use rustix::thread::{MembarrierCommand, membarrier};
    static ANSWER: OnceLock<bool> = OnceLock::new();
    *ANSWER.get_or_init(|| membarrier(MembarrierCommand::RegisterPrivateExpedited).is_ok())
}

#[cfg(not(target_os = "linux"))]
fn fences_are_asymmetric() -> bool {
    static ANSWER: OnceLock<bool> = OnceLock::new();
    *ANSWER.get_or_init(|| false)
}

/// How the two sides of a handshake order their store and their load. Copied into whoever needs it, so that the fast
/// side asks a field and not a static.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fences {
    asymmetric: bool,
}

impl Fences {
    /// What this process can do.
    pub(crate) fn detect() -> Self {
        Self {
            asymmetric: fences_are_asymmetric(),
        }
    }

    /// The side that runs once per handler.
    #[inline]
    pub(crate) fn light(self) {
        if self.asymmetric {
            compiler_fence(Ordering::SeqCst);
        } else {
            fence(Ordering::SeqCst);
        }
    }

    /// Whether [`light`](Self::light) is no instruction.
    #[inline]
    pub(crate) fn are_asymmetric(self) -> bool {
        self.asymmetric
    }

    /// As [`light`](Self::light), for who has asked [`are_asymmetric`](Self::are_asymmetric) before.
    #[inline]
    pub(crate) fn light_known<const ASYMMETRIC: bool>() {
        if ASYMMETRIC {
            compiler_fence(Ordering::SeqCst);
        } else {
            fence(Ordering::SeqCst);
        }
    }

    /// The side that runs once per `destroy` or wait.
    pub(crate) fn heavy(self) {
        fence(Ordering::SeqCst);
        #[cfg(target_os = "linux")]
        if self.asymmetric {
            use rustix::thread::{MembarrierCommand, membarrier};
            // Cannot fail once registered; registration is what `asymmetric` says.
            let done = membarrier(MembarrierCommand::PrivateExpedited);
            debug_assert!(done.is_ok(), "membarrier was registered");
        }
        fence(Ordering::SeqCst);
    }
}

/// How long a thread goes on looking for what it needs before it sleeps. Waking a sleeper costs its waker some microseconds
/// and the sleeper some more; looking for longer steals time from others (measured: a round trip on a virtual machine then
/// takes twice the looking time).
const LOOK_TIME: Duration = Duration::from_micros(20);

/// Looks for a short while, and not beyond the deadline, whether `found` becomes true, leaving the processor to others in
/// between. Returns whether it did. Here because a model has no clock: it looks once.
pub(crate) fn look(deadline: Option<Instant>, found: impl Fn() -> bool) -> bool {
    if found() {
        return true;
    }
    if deadline.is_none_or(|deadline| deadline > Instant::now()) && spin(&found) {
        return true;
    }
    let begin = Instant::now();
    let mut end = begin + LOOK_TIME;
    if let Some(deadline) = deadline {
        end = end.min(deadline);
    }
    loop {
        std::thread::yield_now();
        if found() {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
    }
}

/// Who has got on with nothing for so long has work that takes its time: longer than it takes two processors to share it.
const LONG_WORK: Duration = Duration::from_micros(3);

/// Stands by while others work: until nothing is left, until nobody has got on for a moment, and for no longer than a thread looks. `left` is what
/// is left for others, none for nothing. Here because a model has no clock: another interleaving is one in which they have got on.
pub(crate) fn stand_by<T: PartialEq>(left: impl Fn() -> Option<T>) {
    let begin = Instant::now();
    let (mut last, mut since) = (left(), begin);
    loop {
        std::thread::yield_now();
        let next = left();
        let now = Instant::now();
        if next.is_none() || now - begin >= LOOK_TIME {
            return;
        }
        if next != last {
            (last, since) = (next, now);
        } else if now - since >= LONG_WORK {
            return;
        }
    }
}

/// How often a thread that spins looks: for about a microsecond.
const SPINS: u32 = 60;

/// A thread that has spun in vain does not so often spin again: at most this many times in a row it does not.
const MOST_SKIPPED: u32 = 31;

thread_local! {
    /// How many times this thread is not to spin, and how many it was told last.
    static SKIPPED: Cell<(u32, u32)> = const { Cell::new((0, 0)) };
}

/// Looks for a moment whether `found` becomes true, without leaving the processor: where what comes would be there before
/// the system could even be asked. Returns whether it did. Who has no other processor to wait for learns not to. Here
/// because a model has no clock: it looks once.
pub(crate) fn spin(found: impl Fn() -> bool) -> bool {
    let (left, last) = SKIPPED.get();
    if left > 0 {
        SKIPPED.set((left - 1, last));
        return found();
    }
    let is_found = (0..SPINS).any(|_| {
        std::hint::spin_loop();
        found()
    });
    let skipped = if is_found {
        0
    } else {
        (2 * last + 1).min(MOST_SKIPPED)
    };
    SKIPPED.set((skipped, skipped));
    is_found
}

/// Spins until that moment, which is near; at once without one. Here because a model has no clock.
pub(crate) fn spin_until(end: Option<Instant>) {
    while end.is_some_and(|end| Instant::now() < end) {
        for _ in 0..8 {
            std::hint::spin_loop();
        }
    }
}

/// How many times a thread that meets others at a lock comes back before it waits in line.
const RETURNS: u32 = 12;

/// How long it stays away first, in spins; twice as long each time, at most [`LONGEST_ABSENCE`]. All together some hundreds of
/// microseconds: who waits in line has to be woken by the one who has the lock, and that costs both more than any message.
/// The first ones are short: a sender that is alone meets the worker there, which is gone in a moment. The values are those with which both one sender
/// and four are fast; decision 46 has the figures.
const FIRST_ABSENCE: u32 = 12;
const LONGEST_ABSENCE: u32 = 1024;

/// Takes a lock that many threads take for short moments, one after the other. Who finds it taken stays away for a moment: in that
/// time the one who has it can do several things in a row, and what the lock guards stays in the cache of one processor.
/// Whoever stands beside it and waits makes it change processors each time. Here because models know nothing of caches.
#[inline]
pub(crate) fn lock_among_many<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    match mutex.try_lock() {
        Some(guard) => guard,
        None => lock_later(mutex),
    }
}

#[cold]
#[inline(never)]
fn lock_later<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    let mut absence = FIRST_ABSENCE;
    for _ in 0..RETURNS {
        for _ in 0..absence {
            std::hint::spin_loop();
        }
        if let Some(guard) = mutex.try_lock() {
            return guard;
        }
        absence = (2 * absence).min(LONGEST_ABSENCE);
    }
    mutex.lock()
}

/// Whether somebody has the lock; only to look at it.
#[inline]
pub(crate) fn is_taken<T>(mutex: &Mutex<T>) -> bool {
    mutex.is_locked()
}

/// The moment `timeout` from now on the monotonic clock; none if it lies beyond what the clock can say, which means
/// "no deadline".
pub(crate) fn deadline_after(timeout: Duration) -> Option<Instant> {
    Instant::now().checked_add(timeout)
}

/// Waits for a notification or the deadline. Returns whether the deadline has passed.
pub(crate) fn wait_until<T>(
    condition: &Condvar,
    guard: &mut MutexGuard<'_, T>,
    deadline: Option<Instant>,
) -> bool {
    if let Some(deadline) = deadline {
        return condition.wait_until(guard, deadline).timed_out();
    }
    condition.wait(guard);
    false
}
