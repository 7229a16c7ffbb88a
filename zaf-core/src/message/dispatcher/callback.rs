//! Handlers on the sender's thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::super::MessageBus;
use super::super::message::Message;
use super::super::presence::Presence;
use super::super::report::Failure;
use super::super::route::{Entry, Slice, caught};
use super::Core;
use crate::error::Error;
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
/// handler that panicked, which is the one that is announced. `calm` is that of the snapshot to which the slice belongs.
#[inline]
pub(crate) fn call_each<P>(
    slice: &Slice<P, ()>,
    calm: u64,
    message: &Message<P>,
    presence: &Presence<'_>,
    bus: &MessageBus,
    mut failed: impl FnMut(&Core, Failure),
) -> usize {
    let delivered = if let ([one], [entry]) = (&*slice.direct, &*slice.entries) {
        // By far the most frequent case, and the one in which what is around the handler weighs most.
        let may_run = presence.succession(calm).announce_asking(one.number) || {
            presence.attend();
            !entry.core.is_marked()
        };
        if may_run {
            match caught(|| (one.call)(message, bus)) {
                Ok(()) => 1,
                Err(failure) => {
                    presence.withdraw();
                    failed(&entry.core, failure);
                    0
                }
            }
        } else {
            0
        }
    } else {
        call_several(slice, calm, message, presence, bus, failed)
    };
    if std::mem::needs_drop::<P>() {
        // The payload's `Drop` is no handler.
        presence.withdraw();
    }
    delivered
}

#[inline]
fn call_several<P>(
    slice: &Slice<P, ()>,
    calm: u64,
    message: &Message<P>,
    presence: &Presence<'_>,
    bus: &MessageBus,
    mut failed: impl FnMut(&Core, Failure),
) -> usize {
    let mut delivered = slice.direct.len();
    let mut begin = 0;
    while let Some((index, failure)) =
        call_until_failure(slice, begin, calm, message, presence, bus, &mut delivered)
    {
        presence.withdraw();
        delivered -= 1;
        begin = index + 1;
        if let Some(entry) = slice.entries.get(index) {
            failed(&entry.core, failure);
        }
    }
    delivered
}

/// Calls the handlers from the one at `begin` on until one fails; returns which.
#[inline]
fn call_until_failure<P>(
    slice: &Slice<P, ()>,
    begin: usize,
    calm: u64,
    message: &Message<P>,
    presence: &Presence<'_>,
    bus: &MessageBus,
    delivered: &mut usize,
) -> Option<(usize, Failure)> {
    let until_failure = || {
        if presence.is_asymmetric() {
            call_in_turn::<true, P>(slice, begin, calm, message, presence, bus, delivered)
        } else {
            call_in_turn::<false, P>(slice, begin, calm, message, presence, bus, delivered)
        }
    };
    let failure = match catch_unwind(AssertUnwindSafe(until_failure)) {
        Ok(None) => return None,
        Ok(Some(error)) => Failure::Error(error),
        Err(payload) => Failure::Panic(panic_text(payload)),
    };
    let number = presence.announced();
    let mut all = slice.direct.iter();
    let index = all.position(|one| one.number == number)?;
    Some((index, failure))
}

/// A function of its own, so that what it needs for each handler has the registers, and nothing of it is written to memory
/// for the catch around it.
#[inline(never)]
fn call_in_turn<const ASYMMETRIC: bool, P>(
    slice: &Slice<P, ()>,
    begin: usize,
    calm: u64,
    message: &Message<P>,
    presence: &Presence<'_>,
    bus: &MessageBus,
    delivered: &mut usize,
) -> Option<Error> {
    let succession = presence.succession(calm);
    let mut rest = slice.direct.get(begin..)?.iter();
    while let Some(one) = rest.next() {
        if !succession.announce::<ASYMMETRIC>(one.number) && !is_called(slice, rest.len(), presence)
        {
            *delivered -= 1;
            continue;
        }
        if let Err(error) = (one.call)(message, bus) {
            return Some(error);
        }
    }
    None
}

/// Looks closer before a handler is called: somebody waits, or some dispatcher was destroyed. `after`: how many come after it.
#[cold]
#[inline(never)]
fn is_called<P, R>(slice: &Slice<P, R>, after: usize, presence: &Presence<'_>) -> bool {
    presence.attend();
    let index = slice.entries.len() - after - 1;
    slice
        .entries
        .get(index)
        .is_some_and(|entry| !entry.core.is_marked())
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
