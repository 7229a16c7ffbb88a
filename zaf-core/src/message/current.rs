//! The calling thread's [`Record`].

use std::sync::LazyLock;

use super::presence::{Record, Records};
use crate::sync::Arc;

/// The records of all threads that ever handed a message over and still live.
pub(crate) static RECORDS: LazyLock<Records> = LazyLock::new(Records::new);

struct Own(Arc<Record>);

impl Own {
    fn new() -> Self {
        let record = Arc::new(Record::new());
        RECORDS.add(Arc::clone(&record));
        Self(record)
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        RECORDS.remove(&self.0);
    }
}

thread_local! {
    static OWN: Own = Own::new();
}

/// Calls `f` with the record of this thread.
#[inline]
pub(crate) fn with_record<T>(f: impl FnOnce(&Record) -> T) -> T {
    // Asked first, so that `f` need not be kept for the other case: that would copy what it holds.
    if OWN.try_with(|_| ()).is_ok() {
        return OWN.with(|own| f(&own.0));
    }
    without_own(f)
}

/// The thread is ending and its record is gone: somebody sends from a destructor of a thread-local.
#[cold]
#[inline(never)]
fn without_own<T>(f: impl FnOnce(&Record) -> T) -> T {
    f(&Own::new().0)
}
