//! What a builder asks the registry for, and the checks on it.

use std::any::TypeId;
use std::sync::Arc;

use super::dispatcher::Core;
use super::error::BusError;
use super::route::AnyHandler;
use super::routing::Audience;
use super::{EndpointId, MessageDescriptor};

/// A request to listen: one message, everywhere that the builder says.
pub(crate) struct Subscription {
    pub(crate) descriptor: MessageDescriptor,
    pub(crate) handler: Arc<dyn AnyHandler>,
}

/// All that a builder asks for at once.
pub(crate) struct Application<'a> {
    pub(crate) core: &'a Arc<Core>,
    pub(crate) subscriptions: Vec<Subscription>,
    /// Empty: all that define the message.
    pub(crate) endpoints: &'a [EndpointId],
    pub(crate) audience: Audience,
    pub(crate) priority: i32,
    pub(crate) optional: bool,
}

/// Passes over what is not defined if that was asked for.
pub(crate) fn skip_or_fail(optional: bool, error: BusError) -> Result<(), BusError> {
    // Skipping a message of the wrong type would hide a mistake.
    if optional && !matches!(error, BusError::TypeMismatch { .. }) {
        tracing::debug!("optional registration skipped: {error}");
        return Ok(());
    }
    Err(error)
}

/// Whether two registrations of one dispatcher would answer for the same messages.
pub(crate) fn overlap(one: &Audience, other: &Audience) -> bool {
    match (one, other) {
        (Audience::Entities(one), Audience::Entities(other)) => {
            one.iter().any(|entity| other.contains(entity))
        }
        (Audience::Entities(_), _) | (_, Audience::Entities(_)) => false,
        _ => true,
    }
}

/// Whether two declarations agree on how the message is written. One that says nothing agrees with everything.
fn same_formats(one: &MessageDescriptor, other: &MessageDescriptor) -> bool {
    match (one.codec, other.codec) {
        (Some(one), Some(other)) => one.formats() == other.formats(),
        _ => true,
    }
}

/// One function has one answer, and nearly always it is the same one: a message that reaches nobody is checked at each send.
#[inline]
fn is_same_type(one: fn() -> TypeId, other: fn() -> TypeId) -> bool {
    std::ptr::fn_addr_eq(one, other) || one() == other()
}

/// Whether a use of a message has the types of its definition.
#[inline]
pub(crate) fn check_types(
    defined: &MessageDescriptor,
    used: &MessageDescriptor,
) -> Result<(), BusError> {
    let same = defined.kind == used.kind
        && is_same_type(defined.payload, used.payload)
        && is_same_type(defined.reply, used.reply)
        && same_formats(defined, used);
    if same {
        return Ok(());
    }
    Err(BusError::TypeMismatch {
        message: defined.name,
        defined: format!("{defined:?}"),
        used: format!("{used:?}"),
    })
}
