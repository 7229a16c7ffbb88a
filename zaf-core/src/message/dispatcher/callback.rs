//! Handlers on the sender's thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::super::MessageBus;
use super::super::message::Message;
use super::super::presence::Stay;
use super::super::report::Failure;
use super::super::route::{Direct, Entry, Slice, caught};
use super::Core;
use crate::error::Error;
use crate::thread::panic_text;

/// Runs `handler` if the dispatcher was not destroyed; none if it was. `destroy` waits for it from now on.
#[inline]
fn guarded<T>(core: &Core, stay: &Stay<'_>, handler: impl FnOnce() -> T) -> Option<T> {
    stay.announce(core.number);
    let outcome = if core.is_marked() {
        None
    } else {
        Some(handler())
    };
    stay.withdraw();
    outcome
}

/// Calls the one handler of an event that nobody keeps; it has been announced. None if its dispatcher was destroyed.
///
/// By far the most frequent case, and the one in which what is around the handler weighs most. `calm` is that of the snapshot
/// to which the slice belongs; light fences are no instructions where a snapshot is kept.
#[inline]
pub(crate) fn call_only<P>(
    only: &Direct<P, ()>,
    slice: &Slice<P, ()>,
    calm: u64,
    message: &Message<P>,
    stay: &Stay<'_>,
    bus: &MessageBus,
) -> Option<Result<(), Failure>> {
    let may_run = stay.succession(calm).is_announced::<true>() || is_called(slice, only, stay);
    let outcome = may_run.then(|| caught(|| (only.call)(message, bus)));
    before_the_end(message, stay);
    outcome
}

/// The payload's `Drop` is no handler.
#[inline]
fn before_the_end<P>(_: &Message<P>, stay: &Stay<'_>) {
    if std::mem::needs_drop::<P>() {
        stay.withdraw();
    }
}

/// Calls all handlers of an event that nobody keeps, and `failed` for each that fails, when it has ended. Returns how many
/// succeeded.
///
/// One handler is announced in place of the one before, and one catch holds them all: after a panic it goes on behind the
/// handler that panicked, which is the one that is announced. `ASYMMETRIC`: what the fences are.
#[inline]
pub(crate) fn call_several<const ASYMMETRIC: bool, P>(
    slice: &Slice<P, ()>,
    calm: u64,
    message: &Message<P>,
    stay: &Stay<'_>,
    bus: &MessageBus,
    mut failed: impl FnMut(&Core, Failure),
) -> usize {
    let mut delivered = slice.direct().len();
    let mut rest = slice.direct();
    loop {
        let until_failure =
            || call_in_turn::<ASYMMETRIC, P>(rest, slice, calm, message, stay, bus, &mut delivered);
        let failure = match catch_unwind(AssertUnwindSafe(until_failure)) {
            Ok(None) => break,
            Ok(Some(error)) => Failure::Error(error),
            Err(payload) => Failure::Panic(panic_text(payload)),
        };
        let number = stay.announced();
        stay.withdraw();
        delivered -= 1;
        let index = slice.direct().iter().position(|one| one.number == number);
        let (Some(index), Some(entry)) = (index, index.and_then(|at| slice.entries.get(at))) else {
            break;
        };
        failed(&entry.core, failure);
        rest = slice.direct().get(index + 1..).unwrap_or_default();
    }
    before_the_end(message, stay);
    delivered
}

/// Calls the handlers until one fails.
///
/// A function of its own, so that what it needs for each handler has the registers, and nothing of it is written to memory
/// for the catch around it.
#[inline(never)]
fn call_in_turn<const ASYMMETRIC: bool, P>(
    handlers: &[Direct<P, ()>],
    slice: &Slice<P, ()>,
    calm: u64,
    message: &Message<P>,
    stay: &Stay<'_>,
    bus: &MessageBus,
    delivered: &mut usize,
) -> Option<Error> {
    let succession = stay.succession(calm);
    for one in handlers {
        if !succession.announce::<ASYMMETRIC>(one.number) && !is_called(slice, one, stay) {
            *delivered -= 1;
            continue;
        }
        if let Err(error) = (one.call)(message, bus) {
            return Some(error);
        }
    }
    None
}

/// Looks closer before a handler is called: somebody waits, or the bus was changed.
#[cold]
#[inline(never)]
fn is_called<P, R>(slice: &Slice<P, R>, one: &Direct<P, R>, stay: &Stay<'_>) -> bool {
    stay.attend();
    let index = slice.direct().element_offset(one);
    index
        .and_then(|index| slice.entries.get(index))
        .is_some_and(|entry| !entry.core.is_marked())
}

/// Calls the one handler of a request that does not keep it; none if the dispatcher was destroyed.
#[inline]
pub(crate) fn call<P, R>(
    core: &Core,
    handler: impl FnOnce(&Message<P>, &MessageBus) -> crate::error::Result<R>,
    message: &Message<P>,
    stay: &Stay<'_>,
    bus: &MessageBus,
) -> Option<Result<R, Failure>> {
    guarded(core, stay, || caught(|| handler(message, bus)))
}

/// Hands the message to a handler that may keep it; none if the dispatcher was destroyed. The value is none if the handler
/// cannot answer.
pub(crate) fn keep<P, R>(
    entry: &Entry<P, R>,
    message: &Arc<Message<P>>,
    stay: &Stay<'_>,
    bus: &MessageBus,
) -> Option<Result<Option<R>, Failure>>
where
    P: Send + Sync + 'static,
    R: Send + 'static,
{
    guarded(&entry.core, stay, || entry.keep(message, bus))
}
