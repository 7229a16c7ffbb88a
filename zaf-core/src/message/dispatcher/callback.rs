//! Handlers on the sender's thread.

use std::hint::cold_path;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::super::MessageBus;
use super::super::message::Message;
use super::super::presence::{Stay, Succession};
use super::super::report::Failure;
use super::super::route::{Direct, Entry, Part, Slice, caught};
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

/// Calls the one handler of a message that nobody keeps; it has been announced. None if its dispatcher was destroyed.
///
/// By far the most frequent case, and the one in which what is around the handler weighs most. `calm` is that of the snapshot
/// to which the slice belongs; light fences are no instructions where a snapshot is kept.
#[inline]
pub(crate) fn call_only<P, R>(
    only: &Direct<P, R>,
    slice: &Slice<P, R>,
    calm: u64,
    message: &Message<P>,
    stay: &Stay<'_>,
    bus: &MessageBus,
) -> Option<Result<R, Failure>> {
    if !stay.succession(calm).is_announced::<true>() {
        cold_path();
        if !is_called(slice, 0, stay) {
            before_the_end(message, stay);
            return None;
        }
    }
    let outcome = caught(|| (only.call)(message, bus));
    before_the_end(message, stay);
    Some(outcome)
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
    /// Calls all handlers until one fails, which stays announced. Those whose dispatcher was destroyed are taken off
    /// `delivered`.
    #[inline]
    pub(crate) fn until_failure<const ASYMMETRIC: bool>(
        &self,
        delivered: &mut usize,
    ) -> Option<Failure> {
        failure(|| match &self.slice.row {
            Some(row) if ASYMMETRIC => row.call(self, delivered),
            None if ASYMMETRIC && self.slice.only.is_none() => {
                call_in_turn(&self.slice.parts, self, delivered)
            }
            _ => call_one_by_one::<ASYMMETRIC, P>(0, self, delivered),
        })
    }

    /// After a handler has failed: calls `failed` for it, then the handlers behind it, and so on. Returns how many succeeded.
    pub(crate) fn go_on<const ASYMMETRIC: bool>(
        &self,
        mut delivered: usize,
        mut last: Failure,
        mut failed: impl FnMut(&Core, Failure),
    ) -> usize {
        let entries = &self.slice.entries;
        loop {
            let number = self.stay.announced();
            self.stay.withdraw();
            delivered -= 1;
            let index = entries.iter().position(|one| one.core.number == number);
            let Some((index, entry)) = index.and_then(|at| Some((at, entries.get(at)?))) else {
                break;
            };
            failed(&entry.core, last);
            let rest = || call_one_by_one::<ASYMMETRIC, P>(index + 1, self, &mut delivered);
            match failure(rest) {
                Some(next) => last = next,
                None => break,
            }
        }
        self.end();
        delivered
    }

    /// What is needed at each handler.
    #[inline]
    pub(crate) fn succession(&self) -> Succession<'_> {
        self.stay.succession(self.calm)
    }

    /// Looks closer before the handler at `index` is called: somebody waits, or the bus was changed.
    #[cold]
    #[inline(never)]
    pub(crate) fn is_called(&self, index: usize) -> bool {
        is_called(self.slice, index, self.stay)
    }

    /// All of them have been called.
    #[inline]
    pub(crate) fn end(&self) {
        before_the_end(self.message, self.stay);
    }
}

/// The failure of the handlers that are called there.
#[inline]
fn failure(call: impl FnOnce() -> Option<Error>) -> Option<Failure> {
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

/// Calls the handlers until one fails.
///
/// A function of its own, so that what it needs for each handler has the registers, and nothing of it is written to memory
/// for the catch around it.
#[inline(never)]
fn call_in_turn<P>(
    parts: &[Part<P, ()>],
    calling: &Calling<'_, P>,
    delivered: &mut usize,
) -> Option<Error> {
    let succession = calling.succession();
    let &Calling { message, bus, .. } = calling;
    for part in parts {
        let error = match part {
            Part::One(one, at) => {
                if !succession.announce::<true>(one.number) {
                    cold_path();
                    if !calling.is_called(*at) {
                        *delivered -= 1;
                        continue;
                    }
                }
                (one.call)(message, bus).err()
            }
            Part::Row(row) => row.call(calling, delivered),
        };
        if error.is_some() {
            cold_path();
            return error;
        }
    }
    None
}

/// As [`call_in_turn`], beginning with the receiver at `from`: after a failure, and where each handler needs a fence.
#[cold]
#[inline(never)]
fn call_one_by_one<const ASYMMETRIC: bool, P>(
    from: usize,
    calling: &Calling<'_, P>,
    delivered: &mut usize,
) -> Option<Error> {
    let succession = calling.succession();
    for (at, entry) in calling.slice.entries.iter().enumerate().skip(from) {
        if !succession.announce::<ASYMMETRIC>(entry.core.number) && !calling.is_called(at) {
            *delivered -= 1;
            continue;
        }
        let look = entry.handler.look();
        if let Some(Err(error)) = look.map(|look| look.call(calling.message, calling.bus)) {
            return Some(error);
        }
    }
    None
}

/// Looks closer before a handler is called: somebody waits, or the bus was changed.
#[cold]
#[inline(never)]
fn is_called<P, R>(slice: &Slice<P, R>, index: usize, stay: &Stay<'_>) -> bool {
    stay.attend();
    let entry = slice.entries.get(index);
    entry.is_some_and(|entry| !entry.core.is_marked())
}

/// As [`call_only`] where no snapshot is kept: the handler has not been announced.
pub(crate) fn announce_and_call<P, R>(
    only: &Direct<P, R>,
    core: &Core,
    message: &Message<P>,
    stay: &Stay<'_>,
    bus: &MessageBus,
) -> Option<Result<R, Failure>> {
    guarded(core, stay, || caught(|| (only.call)(message, bus)))
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
