//! The calling thread's [`Record`].
//!
//! Found by one load: the thread keeps a plain reference, without a destructor that would have to be asked whether it has
//! run. Records live for ever, and the one of a thread that has ended is given to the next that begins: there are as many as
//! there ever were threads at a time.

use std::cell::Cell;
use std::sync::LazyLock;

use super::presence::{Record, Records};
use crate::sync::{Arc, Mutex};

/// The records of all threads that ever handed a message over and still live.
pub(crate) static RECORDS: LazyLock<Records> = LazyLock::new(Records::new);

/// Records of threads that have ended.
static FREE: Mutex<Vec<&'static Arc<Record>>> = Mutex::new(Vec::new());

thread_local! {
    static CURRENT: Cell<Option<&'static Record>> = const { Cell::new(None) };
    /// Only so that something happens when the thread ends.
    static LENT: Lent = Lent::new();
}

/// A record in the hands of a thread.
struct Lent(&'static Arc<Record>);

impl Lent {
    fn new() -> Self {
        Self(Self::take())
    }

    fn take() -> &'static Arc<Record> {
        let free = FREE.lock().pop();
        let record = free.unwrap_or_else(|| Box::leak(Box::new(Arc::new(Record::new()))));
        RECORDS.add(Arc::clone(record));
        record
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        // Other destructors of the thread may come later and send.
        let _ended = CURRENT.try_with(|current| current.set(None));
        RECORDS.remove(self.0);
        FREE.lock().push(self.0);
    }
}

/// The record of this thread.
#[inline]
pub(crate) fn record() -> &'static Record {
    match CURRENT.get() {
        Some(record) => record,
        None => adopt(),
    }
}

/// The first message of a thread.
#[cold]
#[inline(never)]
fn adopt() -> &'static Record {
    let lent = LENT.try_with(|lent| lent.0);
    // Without it the thread is ending and its record is gone: somebody sends from a destructor of a thread-local that is run
    // after ours. Nobody will tell us of the end of that thread, so this one is not given to another.
    let record = lent.unwrap_or_else(|_| Lent::take());
    CURRENT.set(Some(record));
    record
}

/// How many messages this thread handles, one inside the other, and the number of the dispatcher whose handler runs innermost.
pub(crate) fn handling() -> (usize, Option<u64>) {
    let record = CURRENT.try_with(Cell::get).ok().flatten();
    record.map_or((0, None), |record| (record.depth(), record.innermost()))
}

/// Calls `f` with the record of this thread.
#[inline]
pub(crate) fn with_record<T>(f: impl FnOnce(&Record) -> T) -> T {
    f(record())
}
