//! All routes at one moment, found by the addresses of their names.
//!
//! Ids are constants, so the same id nearly always has its names at the same addresses: comparing those is all that a
//! sender does. A name at an address that has not been seen is looked up by its text, and the registry then adds the
//! address for the next time.
//!
//! A change publishes a snapshot without routes, in which nobody finds anything; who then looks for something has the next
//! one made. So the many who find theirs are not asked whether it is the latest.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::EndpointId;
use super::MessageDescriptor;
use super::route::Route;

/// Addresses and lengths of two names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    message: (usize, usize),
    endpoint: (usize, usize),
}

impl Key {
    #[inline]
    pub(crate) fn new(message: &'static str, endpoint: &'static str) -> Self {
        Self {
            message: (message.as_ptr().addr(), message.len()),
            endpoint: (endpoint.as_ptr().addr(), endpoint.len()),
        }
    }

    /// Multiplicative hashing: addresses differ in their middle bits, the product's high bits depend on all of them.
    /// Turned against each other so that two names that lie equally far apart do not collide.
    #[inline]
    fn hash(self) -> usize {
        const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
        let mixed = (self.message.0 as u64)
            .wrapping_add((self.endpoint.0 as u64).rotate_left(23))
            .wrapping_mul(ODD);
        (mixed >> 32) as usize
    }
}

type Slot = Option<(Key, Arc<Route>)>;

/// Whether a route that is missing may exist all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// What is missing is not defined.
    Current,
    /// Something has changed since; the next sender has it made anew. Registering thousands of dispatchers one after the
    /// other so builds each route once.
    Stale,
    /// The bus has ended.
    Closed,
}

/// See the module.
pub(crate) struct Snapshot {
    state: State,
    /// See [`Activity::calm`](super::activity::Activity::calm).
    pub(crate) calm: u64,
    /// Open addressing; a power of two, at most half full.
    slots: Box<[Slot]>,
    by_name: BTreeMap<(&'static str, &'static str), Arc<Route>>,
}

impl Snapshot {
    pub(crate) fn new(calm: u64, routes: &[Arc<Route>], aliases: &[(Key, Arc<Route>)]) -> Self {
        let own_keys = routes.iter().map(|route| {
            let key = Key::new(route.descriptor.name, route.endpoint.name());
            (key, Arc::clone(route))
        });
        let size = ((routes.len() + aliases.len()) * 2)
            .next_power_of_two()
            .max(8);
        let mut slots: Vec<Slot> = (0..size).map(|_| None).collect();
        for (key, route) in own_keys.chain(aliases.iter().cloned()) {
            let mut at = key.hash() & (size - 1);
            while slots[at].as_ref().is_some_and(|(other, _)| *other != key) {
                at = (at + 1) & (size - 1);
            }
            slots[at] = Some((key, route));
        }
        let by_name = routes
            .iter()
            .map(|route| {
                (
                    (route.descriptor.name, route.endpoint.name()),
                    Arc::clone(route),
                )
            })
            .collect();
        Self {
            state: State::Current,
            calm,
            slots: slots.into_boxed_slice(),
            by_name,
        }
    }

    /// Without any route: says that a new one has to be made.
    pub(crate) fn stale() -> Self {
        Self {
            state: State::Stale,
            ..Self::new(0, &[], &[])
        }
    }

    /// Without any route, for good.
    pub(crate) fn closed() -> Self {
        Self {
            state: State::Closed,
            ..Self::new(0, &[], &[])
        }
    }

    /// Whether a new one has to be made.
    pub(crate) fn is_stale(&self) -> bool {
        self.state == State::Stale
    }

    /// By the addresses of the names.
    #[inline]
    pub(crate) fn find(&self, message: &'static str, endpoint: EndpointId) -> Option<&Route> {
        let key = Key::new(message, endpoint.name());
        let mask = self.slots.len() - 1;
        let mut at = key.hash() & mask;
        while let Some((other, route)) = self.slots.get(at)?.as_ref() {
            if *other == key {
                return Some(route);
            }
            at = (at + 1) & mask;
        }
        None
    }

    /// By the names themselves.
    pub(crate) fn find_by_name(
        &self,
        message: &MessageDescriptor,
        endpoint: EndpointId,
    ) -> Option<&Arc<Route>> {
        self.by_name.get(&(message.name, endpoint.name()))
    }

    /// By the names as somebody else has them.
    pub(crate) fn find_texts<'a>(
        &'a self,
        message: &'a str,
        endpoint: &'a str,
    ) -> Option<&'a Route> {
        let by_name: &BTreeMap<(&'a str, &'a str), Arc<Route>> = &self.by_name;
        by_name.get(&(message, endpoint)).map(|route| &**route)
    }

    /// The routes of a message at all its endpoints, in order of the endpoints' names.
    pub(crate) fn routes_of<'a>(
        &'a self,
        message: &'a str,
    ) -> impl Iterator<Item = &'a Arc<Route>> {
        let by_name: &BTreeMap<(&'a str, &'a str), Arc<Route>> = &self.by_name;
        by_name
            .range((message, "")..)
            .take_while(move |((name, _), _)| *name == message)
            .map(|(_, route)| route)
    }
}
