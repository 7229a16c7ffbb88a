//! Which handlers belong to which extension, for the log.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use parking_lot::RwLock;

use crate::attribution::{Handling, ask_by, current_group};
use crate::message::{Dispatcher, current};

/// Whose a dispatcher is.
#[derive(Clone, Copy)]
struct Owner {
    extension: &'static str,
    /// The group in which it was registered; 0 for none.
    group: u64,
}

/// Owners by the numbers of their dispatchers, which are unique in the process. Read only when a record is
/// attributed to somebody.
static OWNERS: RwLock<BTreeMap<u64, Owner>> = RwLock::new(BTreeMap::new());

/// Notes that what handlers of `dispatcher` log is logged by `extension`.
pub(super) fn handlers_of(dispatcher: &Dispatcher, extension: &'static str) {
    let group = current_group().map_or(0, NonZeroU64::get);
    let owner = Owner { extension, group };
    OWNERS.write().insert(dispatcher.number(), owner);
    ask_by(handling);
}

/// Forgets whose the dispatcher is; its handlers have ended or will never run.
pub(super) fn forget(dispatcher: &Dispatcher) {
    OWNERS.write().remove(&dispatcher.number());
}

fn handling() -> Handling {
    let (depth, dispatcher) = current::handling();
    let owner = dispatcher.and_then(|number| OWNERS.read().get(&number).copied());
    Handling {
        depth,
        extension: owner.map(|owner| owner.extension),
        group: owner.map_or(0, |owner| owner.group),
    }
}
