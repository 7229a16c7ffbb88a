//! The calling thread's record, as `message::current` has it, for one execution of a model.

use crate::message::presence::{Record, Records};
use crate::sync::Arc;

shuttle::lazy_static! {
    pub(crate) static ref RECORDS: Records = Records::new();
}

shuttle::thread_local! {
    static OWN: Arc<Record> = {
        let record = Arc::new(Record::new());
        RECORDS.add(Arc::clone(&record));
        record
    };
}

/// Calls `f` with the record of this thread.
pub(crate) fn with_record<T>(f: impl FnOnce(&Record) -> T) -> T {
    let own = OWN.with(Arc::clone);
    f(&own)
}
