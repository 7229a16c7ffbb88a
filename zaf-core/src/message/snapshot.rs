//! All routes at one moment, found by the addresses of their names.
//!
//! Ids are constants, so the same id nearly always has its names at the same addresses: comparing those is all that a
//! sender does. A name at an address that has not been seen is looked up by its text, and the registry then adds the
//! address for the next time.
//!
//! A change publishes a snapshot without routes, in which nobody finds anything; who then looks for something has the next
//! one made. So the many who find theirs are not asked whether it is the latest.

use std::collections::BTreeMap;
use std::hint::cold_path;
use std::sync::Arc;

use super::EndpointId;
use super::MessageDescriptor;
use super::kept::Dated;
use super::route::Route;

/// Addresses and lengths of two names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
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

/// What senders find their routes in.
#[derive(Clone, Default)]
pub(crate) struct Table {
    /// Number of the bus; 0 if there is nothing in it.
    pub(crate) bus: u32,
    /// See [`Activity::calm`](super::activity::Activity::calm).
    pub(crate) calm: u64,
    /// Open addressing; a power of two, at most half full.
    slots: Arc<[Slot]>,
}

impl Table {
    /// By the addresses of the names.
    #[inline]
    pub(crate) fn find(&self, key: Key) -> Option<&Arc<Route>> {
        let mask = self.slots.len().wrapping_sub(1);
        let mut at = key.hash() & mask;
        while let Some((other, route)) = self.slots.get(at)?.as_ref() {
            if *other == key {
                return Some(route);
            }
            at = (at + 1) & mask;
        }
        None
    }
}

/// How often another route is looked for before it replaces the one at hand.
const PATIENCE: u32 = 16;

/// A table with the route at hand that is looked for most: what each thread keeps.
#[derive(Clone, Default)]
pub(crate) struct Desk {
    table: Table,
    key: Key,
    at_hand: Option<Arc<Route>>,
    /// How often it was another one.
    misses: u32,
}

impl Desk {
    pub(crate) fn new(table: &Table) -> Self {
        Self {
            table: table.clone(),
            ..Self::default()
        }
    }

    /// The route, and what is [calm](Table::calm).
    #[inline]
    pub(crate) fn find(
        &mut self,
        message: &'static str,
        endpoint: &'static str,
    ) -> Option<(&Route, u64)> {
        if self.key != Key::new(message, endpoint) {
            cold_path();
            return self.find_other(message, endpoint);
        }
        let Some(route) = &self.at_hand else {
            cold_path();
            return None;
        };
        Some((route, self.table.calm))
    }

    #[inline(never)]
    fn find_other(
        &mut self,
        message: &'static str,
        endpoint: &'static str,
    ) -> Option<(&Route, u64)> {
        let key = Key::new(message, endpoint);
        let route = self.table.find(key)?;
        self.misses += 1;
        if self.at_hand.is_none() || self.misses == PATIENCE {
            self.at_hand = Some(Arc::clone(route));
            self.key = key;
            self.misses = 0;
        }
        Some((route, self.table.calm))
    }
}

impl Dated for Desk {
    #[inline]
    fn bus(&self) -> u32 {
        self.table.bus
    }

    #[inline]
    fn calm(&self) -> u64 {
        self.table.calm
    }
}

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
    pub(crate) table: Table,
    by_name: BTreeMap<(&'static str, &'static str), Arc<Route>>,
}

impl Snapshot {
    pub(crate) fn new(
        bus: u32,
        calm: u64,
        routes: &[Arc<Route>],
        aliases: &[(Key, Arc<Route>)],
    ) -> Self {
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
            table: Table {
                bus,
                calm,
                slots: slots.into(),
            },
            by_name,
        }
    }

    /// Without any route: says that a new one has to be made.
    pub(crate) fn stale() -> Self {
        Self {
            state: State::Stale,
            ..Self::new(0, 0, &[], &[])
        }
    }

    /// Without any route, for good.
    pub(crate) fn closed() -> Self {
        Self {
            state: State::Closed,
            ..Self::new(0, 0, &[], &[])
        }
    }

    /// Whether no thread keeps it.
    pub(crate) fn is_kept_by_nobody(&self) -> bool {
        self.table.bus == 0
    }

    /// Whether a new one has to be made.
    pub(crate) fn is_stale(&self) -> bool {
        self.state == State::Stale
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
