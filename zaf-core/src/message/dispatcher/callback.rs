//! Handlers on the sender's thread.

use std::sync::Arc;

use super::super::MessageBus;
use super::super::message::Message;
use super::super::presence::Presence;
use super::super::report::Failure;
use super::super::route::Entry;
use super::Core;

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

/// Calls the handler; none if the dispatcher was destroyed.
#[inline]
pub(crate) fn call<P, R>(
    entry: &Entry<P, R>,
    message: &Message<P>,
    presence: &Presence<'_>,
    bus: &MessageBus,
) -> Option<Result<R, Box<Failure>>>
where
    P: Send + Sync + 'static,
    R: Send + 'static,
{
    guarded(&entry.core, presence, || entry.call(message, bus))
}

/// Hands the message to a handler that may keep it; none if the dispatcher was destroyed. The value is none if the handler
/// cannot answer.
pub(crate) fn keep<P, R>(
    entry: &Entry<P, R>,
    message: &Arc<Message<P>>,
    presence: &Presence<'_>,
    bus: &MessageBus,
) -> Option<Result<Option<R>, Box<Failure>>>
where
    P: Send + Sync + 'static,
    R: Send + 'static,
{
    guarded(&entry.core, presence, || entry.keep(message, bus))
}
