//! Handlers on the sender's thread.

use std::hint::cold_path;
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

/// Calls the one handler of an event that nobody keeps; it has been announced. Returns how many got it: none if its dispatcher was
/// destroyed.
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
) -> Result<usize, Failure> {
    if !stay.succession(calm).is_announced::<true>() {
        cold_path();
        if !is_called(slice, only, stay) {
            before_the_end(message, stay);
            return Ok(0);
        }
    }
    let outcome = caught(|| (only.call)(message, bus));
    before_the_end(message, stay);
    outcome.map(|()| 1)
}

/// The payload's `Drop` is no handler.
#[inline]
fn before_the_end<P>(_: &Message<P>, stay: &Stay<'_>) {
    if std::mem::needs_drop::<P>() {
        stay.withdraw();
    }
}

/// The handlers of an event that nobody keeps, while they are called. `calm` is that of the snapshot to which the slice
/// belongs.
///
/// One handler is announced in place of the one before, and one catch holds them all: after a panic it goes on behind the
/// handler that panicked, which is the one that is announced. `ASYMMETRIC`: what the fences are.
pub(crate) struct Calling<'a, P> {
    pub(crate) slice: &'a Slice<P, ()>,
    pub(crate) calm: u64,
    pub(crate) message: &'a Message<P>,
    pub(crate) stay: &'a Stay<'a>,
    pub(crate) bus: &'a MessageBus,
}

impl<P> Calling<'_, P> {
    /// Calls handlers until one fails, which stays announced. Those whose dispatcher was destroyed are taken off `delivered`.
    #[inline]
    pub(crate) fn until_failure<const ASYMMETRIC: bool>(
        &self,
        handlers: &[Direct<P, ()>],
        delivered: &mut usize,
    ) -> Option<Failure> {
        let &Self {
            slice,
            calm,
            message,
            stay,
            bus,
        } = self;
        let call =
            || call_in_turn::<ASYMMETRIC, P>(handlers, slice, calm, message, stay, bus, delivered);
        match catch_unwind(AssertUnwindSafe(call)) {
            Ok(None) => None,
            Ok(Some(error)) => {
                cold_path();
                Some(Failure::Error(error))
            }
            Err(payload) => {
                cold_path();
                Some(Failure::Panic(panic_text(payload)))
            }
        }
    }

    /// After a handler has failed: calls `failed` for it, then the handlers behind it, and so on. Returns how many succeeded.
    pub(crate) fn go_on<const ASYMMETRIC: bool>(
        &self,
        mut delivered: usize,
        mut failure: Failure,
        mut failed: impl FnMut(&Core, Failure),
    ) -> usize {
        let handlers = self.slice.direct();
        loop {
            let number = self.stay.announced();
            self.stay.withdraw();
            delivered -= 1;
            let index = handlers.iter().position(|one| one.number == number);
            let entry = index.and_then(|at| self.slice.entries.get(at));
            let (Some(index), Some(entry)) = (index, entry) else {
                break;
            };
            failed(&entry.core, failure);
            let rest = handlers.get(index + 1..).unwrap_or_default();
            match self.until_failure::<ASYMMETRIC>(rest, &mut delivered) {
                Some(next) => failure = next,
                None => break,
            }
        }
        self.end();
        delivered
    }

    /// All of them have been called.
    #[inline]
    pub(crate) fn end(&self) {
        before_the_end(self.message, self.stay);
    }
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
        if !succession.announce::<ASYMMETRIC>(one.number) {
            cold_path();
            if !is_called(slice, one, stay) {
                *delivered -= 1;
                continue;
            }
        }
        if let Err(error) = (one.call)(message, bus) {
            cold_path();
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
