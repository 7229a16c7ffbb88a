//! Work that is queued, and the wait for a bus to become idle or for a handler to end.
//!
//! A strand (see [`super::dispatcher`]) is *busy* from the moment its first message is accepted until the handler of its last one has
//! ended. It raises the count before the message can be seen by a worker, so there is no gap between "taken from the
//! queue" and "active" in which the bus could look idle. Handlers on the sender's thread are in
//! [`presence`](super::presence) instead.
//!
//! Invariants
//! - Whoever lowers a count or withdraws an announcement looks for waiters afterwards; a waiter announces itself and looks
//!   afterwards. The fences between make one of the two see the other.
//! - The lock is held for looking and sleeping only, never while foreign code runs.

use std::time::Instant;

use crate::sync::{AtomicU64, AtomicUsize, Condvar, Fences, Mutex, Ordering, fence, wait_until};

/// Number of busy strands, of a bus or of one of its endpoints.
#[derive(Debug)]
pub(crate) struct Busy(AtomicUsize);

impl Busy {
    pub(crate) fn new() -> Self {
        Self(AtomicUsize::new(0))
    }

    pub(crate) fn raise(&self, by: usize) {
        self.0.fetch_add(by, Ordering::SeqCst);
    }

    /// Lowers it by as many. Returns whether that were the last; then [`Activity::changed`] must be called afterwards.
    pub(crate) fn lower(&self, by: usize) -> bool {
        self.0.fetch_sub(by, Ordering::SeqCst) == by
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.0.load(Ordering::SeqCst) == 0
    }
}

/// The bits of [`Attention`] that count waiters; those above count destroyed dispatchers and replaced snapshots.
const WAITER_BITS: u32 = 20;

/// What senders have to look at after each announcement, in one word and on a cache line of its own: nearly always it is
/// what it was when their snapshot was made, and then there is nobody to wake and no mark to read.
#[derive(Debug)]
#[repr(align(128))]
struct Attention(AtomicU64);

/// A value that [`Attention`] never has.
const NEVER_CALM: u64 = u64::MAX;

/// Where threads sleep until the bus has changed.
#[derive(Debug)]
pub(crate) struct Activity {
    attention: Attention,
    pub(crate) busy: Busy,
    pub(crate) fences: Fences,
    sleep: Mutex<()>,
    change: Condvar,
}

impl Activity {
    pub(crate) fn new(fences: Fences) -> Self {
        Self {
            busy: Busy::new(),
            fences,
            attention: Attention(AtomicU64::new(0)),
            sleep: Mutex::new(()),
            change: Condvar::new(),
        }
    }

    /// Says that a dispatcher has been marked as destroyed; called after the mark is set and before announcements are read.
    pub(crate) fn marked(&self) {
        self.attention
            .0
            .fetch_add(1 << WAITER_BITS, Ordering::SeqCst);
    }

    /// Says that a snapshot has been replaced; called before the [places](super::kept) of threads are emptied.
    pub(crate) fn replaced(&self) {
        self.marked();
    }

    /// What [`is_calm`](Self::is_calm) compares with, for a snapshot whose dispatchers can be asked whether one is marked.
    pub(crate) fn calm(&self, is_one_marked: impl FnOnce() -> bool) -> u64 {
        // Read before the marks: a mark that is set after it was looked at changes the word afterwards.
        let word = self.attention.0.load(Ordering::SeqCst);
        if is_one_marked() {
            return NEVER_CALM;
        }
        word >> WAITER_BITS << WAITER_BITS
    }

    /// Whether nobody waits, nobody has been marked and no snapshot has been replaced since `calm` was read, after a light fence has been passed.
    #[inline]
    pub(crate) fn is_calm(&self, calm: u64) -> bool {
        self.attention.0.load(Ordering::Acquire) == calm
    }

    /// As [`is_calm`](Self::is_calm), whoever waits.
    pub(crate) fn is_latest(&self, calm: u64) -> bool {
        self.attention.0.load(Ordering::Acquire) >> WAITER_BITS << WAITER_BITS == calm
    }

    /// Whether somebody waits; a hint.
    pub(crate) fn is_awaited(&self) -> bool {
        self.attention.0.load(Ordering::Relaxed) & ((1 << WAITER_BITS) - 1) != 0
    }

    /// Wakes all who wait, if any, after [`Busy::lower`].
    pub(crate) fn changed(&self) {
        fence(Ordering::SeqCst);
        self.withdrawn();
    }

    /// Wakes all who wait, if any, after a light fence has been passed.
    #[inline]
    pub(crate) fn withdrawn(&self) {
        if self.attention.0.load(Ordering::Relaxed) & ((1 << WAITER_BITS) - 1) != 0 {
            self.wake();
        }
    }

    #[cold]
    fn wake(&self) {
        // Without the lock the notification could fall between a waiter's look and its sleep.
        drop(self.sleep.lock());
        self.change.notify_all();
    }

    /// Waits until `reached` says so; it is asked under a lock of this module and may not call foreign code. Returns
    /// whether it was reached before the deadline; without a deadline it waits for ever.
    pub(crate) fn wait(
        &self,
        deadline: Option<Instant>,
        mut reached: impl FnMut() -> bool,
    ) -> bool {
        self.attention.0.fetch_add(1, Ordering::SeqCst);
        self.fences.heavy();
        let mut guard = self.sleep.lock();
        let outcome = loop {
            if reached() {
                break true;
            }
            if wait_until(&self.change, &mut guard, deadline) {
                break reached();
            }
        };
        drop(guard);
        self.attention.0.fetch_sub(1, Ordering::SeqCst);
        outcome
    }
}
