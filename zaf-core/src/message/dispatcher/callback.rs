//! Handlers on the sender's thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::super::MessageBus;
use super::super::message::Message;
use super::super::presence::Presence;
use super::super::report::Failure;
use super::super::route::{Entry, Slice, caught};
use super::Core;
use crate::thread::panic_text;

/// Runs `handler` if the dispatcher was not destroyed; none if it was. `destroy` waits for it from now on.
#[inline]
fn guarded<T>(core: &Core, presence: &Presence<'_>, handler: impl FnOnce() -> T) -> Option<T> {
    presence.announce(core.number);
    let outcome = if core.is_marked() {
        None
    } else {
        Some(handler())
    };
    presence.withdraw();
    outcome
}

/// Calls all handlers of an event that nobody keeps, and `failed` for each that fails, when it has ended. Returns how many
/// succeeded.
///
/// One handler is announced in place of the one before, and one catch holds them all: after a panic it goes on behind the
/// handler that panicked. `calm` is that of the snapshot to which the slice belongs.
#[inline]
pub(crate) fn call_each<P>(
    slice: &Slice<P, ()>,
    calm: u64,
    message: &Message<P>,
    presence: &Presence<'_>,
    bus: &MessageBus,
    mut failed: impl FnMut(&Core, Failure),
) -> usize {
    let mut rest = slice.direct.iter();
    let mut delivered = slice.direct.len();
    loop {
        let until_failure = || {
            while let Some(one) = rest.next() {
                if !presence.replace(one.number, calm) {
                    presence.attend();
                    let index = slice.entries.len() - rest.len() - 1;
                    if is_marked(slice, index) {
                        delivered -= 1;
                        continue;
                    }
                }
                if let Err(error) = (one.call)(message, bus) {
                    return Some(error);
                }
            }
            None
        };
        let failure = match catch_unwind(AssertUnwindSafe(until_failure)) {
            Ok(None) => break,
            Ok(Some(error)) => Failure::Error(error),
            Err(payload) => Failure::Panic(panic_text(payload)),
        };
        presence.withdraw();
        delivered -= 1;
        let index = slice.entries.len() - rest.len() - 1;
        if let Some(entry) = slice.entries.get(index) {
            failed(&entry.core, failure);
        }
    }
    if std::mem::needs_drop::<P>() {
        // The payload's `Drop` is no handler.
        presence.withdraw();
    }
    delivered
}

#[cold]
fn is_marked<P, R>(slice: &Slice<P, R>, index: usize) -> bool {
    slice
        .entries
        .get(index)
        .is_none_or(|entry| entry.core.is_marked())
}

/// Calls the one handler of a request that does not keep it; none if the dispatcher was destroyed.
#[inline]
pub(crate) fn call<P, R>(
    core: &Core,
    handler: impl FnOnce(&Message<P>, &MessageBus) -> crate::error::Result<R>,
    message: &Message<P>,
    presence: &Presence<'_>,
    bus: &MessageBus,
) -> Option<Result<R, Failure>> {
    guarded(core, presence, || caught(|| handler(message, bus)))
}

/// Hands the message to a handler that may keep it; none if the dispatcher was destroyed. The value is none if the handler
/// cannot answer.
pub(crate) fn keep<P, R>(
    entry: &Entry<P, R>,
    message: &Arc<Message<P>>,
    presence: &Presence<'_>,
    bus: &MessageBus,
) -> Option<Result<Option<R>, Failure>>
where
    P: Send + Sync + 'static,
    R: Send + 'static,
{
    guarded(&entry.core, presence, || entry.keep(message, bus))
}
