//! The calling thread's [`Record`], and the [snapshot that it keeps](super::kept).
//!
//! Found by one load: the thread keeps a plain reference, without a destructor that would have to be asked whether it has
//! run. Records live for ever, and the one of a thread that has ended is given to the next that begins: there are as many as
//! there ever were threads at a time.

use std::cell::Cell;
use std::hint::cold_path;
use std::sync::LazyLock;

use super::kept::{Kept, Places};
use super::presence::{Record, Records};
use super::snapshot::Desk;
use crate::sync::{Arc, Mutex};

/// The records of all threads that ever handed a message over and still live.
pub(crate) static RECORDS: LazyLock<Records> = LazyLock::new(Records::new);

/// The snapshots that they keep.
pub(crate) static PLACES: LazyLock<Places<Desk>> = LazyLock::new(Places::new);

/// What threads had that have ended.
static FREE: Mutex<Vec<&'static Belongings>> = Mutex::new(Vec::new());

/// What a thread has for as long as it lives.
struct Belongings {
    record: Arc<Record>,
    kept: Arc<Kept<Desk>>,
}

impl Belongings {
    fn new() -> Self {
        Self {
            record: Arc::new(Record::new()),
            kept: Arc::new(Kept::new()),
        }
    }
}

/// What the calling thread has, without the way to it.
#[derive(Clone, Copy)]
pub(crate) struct Own {
    pub(crate) record: &'static Record,
    pub(crate) kept: &'static Kept<Desk>,
}

impl Own {
    fn new(belongings: &'static Belongings) -> Self {
        Self {
            record: &belongings.record,
            kept: &belongings.kept,
        }
    }
}

thread_local! {
    static CURRENT: Cell<Option<Own>> = const { Cell::new(None) };
    /// Only so that something happens when the thread ends.
    static LENT: Lent = Lent::new();
}

/// What is in the hands of a thread.
struct Lent(&'static Belongings);

impl Lent {
    fn new() -> Self {
        Self(Self::take())
    }

    fn take() -> &'static Belongings {
        let free = FREE.lock().pop();
        let belongings = free.unwrap_or_else(|| Box::leak(Box::new(Belongings::new())));
        RECORDS.add(Arc::clone(&belongings.record));
        PLACES.add(&belongings.kept);
        belongings
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        // Other destructors of the thread may come later and send.
        let _ended = CURRENT.try_with(|current| current.set(None));
        RECORDS.remove(&self.0.record);
        PLACES.remove(&self.0.kept);
        let kept = self.0.kept.take_own();
        FREE.lock().push(self.0);
        // May be the last to have it: dropping handlers runs foreign code.
        drop(kept);
    }
}

/// What this thread has.
#[inline]
pub(crate) fn own() -> Own {
    if let Some(own) = CURRENT.get() {
        own
    } else {
        cold_path();
        adopt()
    }
}

/// The record of this thread.
#[inline]
pub(crate) fn record() -> &'static Record {
    own().record
}

/// The first message of a thread.
#[cold]
#[inline(never)]
fn adopt() -> Own {
    let lent = LENT.try_with(|lent| lent.0);
    // Without it the thread is ending and its record is gone: somebody sends from a destructor of a thread-local that is run
    // after ours. Nobody will tell us of the end of that thread, so this one is not given to another.
    let own = Own::new(lent.unwrap_or_else(|_| Lent::take()));
    CURRENT.set(Some(own));
    own
}

/// How many messages this thread handles, one inside the other, and the number of the dispatcher whose handler runs innermost.
pub(crate) fn handling() -> (usize, Option<u64>) {
    let own = CURRENT.try_with(Cell::get).ok().flatten();
    own.map_or((0, None), |own: Own| {
        (own.record.depth(), own.record.innermost())
    })
}

/// Calls `f` with the record of this thread.
#[inline]
pub(crate) fn with_record<T>(f: impl FnOnce(&Record) -> T) -> T {
    f(record())
}
