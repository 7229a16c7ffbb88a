//! The calling thread's record, as `message::current` has it, for one execution of a model.

use crate::message::presence::{Record, Records};
use crate::sync::Arc;

crate::library::lazy_static! {
    pub(crate) static ref RECORDS: Records = Records::new();
}

crate::library::thread_local! {
    static OWN: Arc<Record> = {
        let record = Arc::new(Record::new());
        RECORDS.add(Arc::clone(&record));
        record
    };
}

/// Calls `f` with the record of this thread.
pub(crate) fn with_record<T>(f: impl FnOnce(&Record) -> T) -> T {
    f(&record())
}

/// The record of this thread, for as long as the model runs.
pub(crate) fn record() -> Arc<Record> {
    OWN.with(Arc::clone)
}
