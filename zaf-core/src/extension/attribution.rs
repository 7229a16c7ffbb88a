//! Which handlers belong to which extension, for the log.

use std::collections::BTreeMap;

use parking_lot::RwLock;

use crate::attribution::{Handling, ask_by};
use crate::message::{Dispatcher, current};

/// Names of extensions by the numbers of their dispatchers, which are unique in the process. Read only when a record is
/// attributed to somebody.
static OWNERS: RwLock<BTreeMap<u64, &'static str>> = RwLock::new(BTreeMap::new());

/// Notes that what handlers of `dispatcher` log is logged by `extension`.
pub(super) fn handlers_of(dispatcher: &Dispatcher, extension: &'static str) {
    OWNERS.write().insert(dispatcher.number(), extension);
    ask_by(handling);
}

/// Forgets whose the dispatcher is; its handlers have ended or will never run.
pub(super) fn forget(dispatcher: &Dispatcher) {
    OWNERS.write().remove(&dispatcher.number());
}

fn handling() -> Handling {
    let (depth, dispatcher) = current::handling();
    Handling {
        depth,
        extension: dispatcher.and_then(|number| OWNERS.read().get(&number).copied()),
    }
}
