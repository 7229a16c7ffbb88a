//! Who gets a message, and in which order.
//!
//! Pure: works on plain values, knows neither types nor threads.
//!
//! | | registered for the endpoint, no entity | registered for entity X |
//! |---|---|---|
//! | event, no entity | yes | no |
//! | event for X | yes (sees X) | yes |
//! | event for Y | yes (sees Y) | no |
//! | request, no entity | yes | yes (sees X) |
//! | request for X | only if registered for any entity | yes |
//! | request for Y | only if registered for any entity | no |
//!
//! Highest priority first, ties in order of registration. A dispatcher gets a message once, however many of its
//! registrations match.

use super::{Entity, MessageKind};

/// Which entities a registration is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Audience {
    /// The endpoint as a whole.
    Endpoint,
    /// The endpoint as a whole, and requests for any entity.
    AnyEntity,
    /// These; sorted by nothing, in the order given; not empty.
    Entities(Vec<Entity>),
}

/// What routing needs to know of a registration.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate<'a> {
    pub(crate) dispatcher: u64,
    pub(crate) priority: i32,
    /// Grows with each registration.
    pub(crate) sequence: u64,
    pub(crate) audience: &'a Audience,
}

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject<'a> {
    /// No entity.
    None,
    /// This entity.
    Entity(&'a Entity),
    /// An entity that no registration names.
    Unnamed,
}

/// A receiver: index of the candidate, and the entity it sees if the message itself names none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Receiver {
    pub(crate) index: usize,
    pub(crate) sees: Option<Entity>,
}

/// The receivers of a message, in order of hand-over.
pub(crate) fn receivers(
    candidates: &[Candidate<'_>],
    kind: MessageKind,
    subject: Subject<'_>,
) -> Vec<Receiver> {
    let mut chosen: Vec<Receiver> = candidates
        .iter()
        .enumerate()
        .filter_map(|(index, candidate)| {
            sees(candidate.audience, kind, subject).map(|sees| Receiver { index, sees })
        })
        .collect();
    chosen.sort_by_key(|receiver| {
        let candidate = &candidates[receiver.index];
        (std::cmp::Reverse(candidate.priority), candidate.sequence)
    });
    let mut seen = std::collections::BTreeSet::new();
    chosen.retain(|receiver| seen.insert(candidates[receiver.index].dispatcher));
    chosen
}

#[expect(
    clippy::option_option,
    reason = "whether it gets the message, and whether it is shown an entity of its own"
)]
/// None if the registration does not get the message, else the entity that it is shown instead of none.
fn sees(audience: &Audience, kind: MessageKind, subject: Subject<'_>) -> Option<Option<Entity>> {
    let is_request = kind == MessageKind::Request;
    match (audience, subject) {
        (Audience::Endpoint | Audience::AnyEntity, Subject::None) | (Audience::AnyEntity, _) => {
            Some(None)
        }
        (Audience::Endpoint, _) => (!is_request).then_some(None),
        (Audience::Entities(entities), Subject::None) => {
            is_request.then(|| entities.first().cloned())
        }
        (Audience::Entities(entities), Subject::Entity(entity)) => {
            entities.contains(entity).then_some(None)
        }
        (Audience::Entities(_), Subject::Unnamed) => None,
    }
}
