//! Who is registered for one message at one endpoint, and the route that is built from that.

use std::sync::Arc;

use super::Entity;
use super::registry::Garbage;
use super::route::{Registered, Route};
use super::routing::Audience;

/// One message at one endpoint.
#[derive(Default)]
pub(super) struct RouteDefinition {
    /// In order of registration.
    pub(super) registered: Vec<Registered>,
    /// None if somebody came or went since it was built.
    pub(super) built: Option<Arc<Route>>,
}

impl RouteDefinition {
    pub(super) fn add(&mut self, one: Registered, garbage: &mut Garbage) {
        garbage.push(Box::new(self.built.take()));
        self.registered.push(one);
    }

    /// Whether the dispatcher of this number is registered here.
    pub(super) fn has(&self, number: u64) -> bool {
        self.registered.iter().any(|one| one.core.number == number)
    }

    /// Removes what matches, or only these entities from it.
    pub(super) fn remove(
        &mut self,
        matches: impl Fn(&Registered) -> bool,
        entities: &[Entity],
        garbage: &mut Garbage,
    ) {
        garbage.push(Box::new(self.built.take()));
        let mut index = 0;
        while let Some(one) = self.registered.get_mut(index) {
            let mut is_left = !matches(one);
            if let Audience::Entities(own) = &mut one.audience
                && !is_left
                && !entities.is_empty()
            {
                own.retain(|entity| !entities.contains(entity));
                is_left = !own.is_empty();
            }
            if is_left {
                index += 1;
            } else {
                garbage.push(Box::new(self.registered.remove(index)));
            }
        }
    }
}
