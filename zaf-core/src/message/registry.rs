//! What is defined and who is registered: the truth from which snapshots are made.
//!
//! Lives under the bus's one lock. Everything here checks first and changes afterwards, so a refused call changes nothing.
//! Whatever a change leaves over (handlers, old routes) goes into [`Garbage`], which the caller drops after the lock, since
//! dropping a handler runs foreign code.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;

use super::activity::{Activity, Busy};
use super::definition::{EndpointDefinition, MessageDefinition};
use super::dispatcher::Core;
use super::error::BusError;
use super::message::Origin;
use super::observe::Tap;
use super::registration::{Application, Subscription, check_types, overlap, skip_or_fail};
use super::route::{Registered, Route};
use super::route_definition::RouteDefinition;
use super::routing::Audience;
use super::snapshot::{Key, Snapshot};
use super::{EndpointId, Entity, MessageDescriptor};

/// How many names at addresses other than those of their definition are remembered. More means that somebody makes ids
/// at run time; those are then looked up by name each time.
const MAX_ALIASES: usize = 1024;

/// Left over by a change; dropped without the lock.
pub(crate) type Garbage = Vec<Box<dyn Any + Send + Sync>>;

type RouteName = (&'static str, &'static str);

pub(super) struct Member {
    pub(super) core: Arc<Core>,
    /// Where it is registered; in order of registration, without duplicates.
    routes: Vec<RouteName>,
}

/// See the module.
pub(crate) struct Registry {
    bus: u32,
    activity: Arc<Activity>,
    pub(super) endpoints: IndexMap<&'static str, EndpointDefinition>,
    pub(super) messages: IndexMap<&'static str, MessageDefinition>,
    pub(super) routes: IndexMap<RouteName, RouteDefinition>,
    /// By their numbers, which grow in order of registration.
    pub(super) dispatchers: BTreeMap<u64, Member>,
    aliases: Vec<(Key, RouteName)>,
    sequence: u64,
    /// Who looks; none if nobody.
    pub(crate) tap: Option<Arc<Tap>>,
    pub(crate) closed: bool,
}

impl Registry {
    pub(crate) fn new(bus: u32, activity: Arc<Activity>) -> Self {
        Self {
            bus,
            activity,
            endpoints: IndexMap::new(),
            messages: IndexMap::new(),
            routes: IndexMap::new(),
            dispatchers: BTreeMap::new(),
            aliases: Vec::new(),
            sequence: 0,
            tap: None,
            closed: false,
        }
    }

    /// All routes as they are now; none on a closed bus. Builds those that changed since the last time.
    pub(crate) fn snapshot(&mut self) -> Snapshot {
        if self.closed {
            return Snapshot::closed();
        }
        let is_marked = || self.dispatchers.values().any(|one| one.core.is_marked());
        let calm = self.activity.calm(is_marked);
        let names: Vec<RouteName> = self.routes.keys().copied().collect();
        let routes: Vec<Arc<Route>> = names
            .into_iter()
            .filter_map(|name| self.route(name))
            .collect();
        let aliases: Vec<(Key, Arc<Route>)> = self
            .aliases
            .iter()
            .filter_map(|(key, name)| Some((*key, self.routes.get(name)?.built.clone()?)))
            .collect();
        Snapshot::new(self.bus, calm, &routes, &aliases)
    }

    /// Remembers that these names are at other addresses too. Returns whether the snapshot has to be made anew.
    pub(crate) fn add_alias(&mut self, message: &'static str, endpoint: &'static str) -> bool {
        let key = Key::new(message, endpoint);
        let is_new = self.aliases.len() < MAX_ALIASES
            && self.routes.contains_key(&(message, endpoint))
            && !self.aliases.iter().any(|(other, _)| *other == key);
        if is_new {
            self.aliases.push((key, (message, endpoint)));
        }
        is_new
    }

    /// Defines an endpoint that must be new.
    pub(crate) fn define_endpoint(&mut self, id: EndpointId) -> Result<(), BusError> {
        if self.endpoints.contains_key(id.name()) {
            let endpoint = id.name();
            return Err(BusError::EndpointAlreadyDefined { endpoint });
        }
        self.add_endpoint(id);
        Ok(())
    }

    fn add_endpoint(&mut self, id: EndpointId) {
        let number = u32::try_from(self.endpoints.len()).unwrap_or(u32::MAX);
        self.endpoints
            .entry(id.name())
            .or_insert_with(|| EndpointDefinition {
                id,
                number,
                busy: Arc::new(Busy::new()),
            });
    }

    /// Defines messages at an endpoint, and the endpoint if it is new.
    pub(crate) fn define(
        &mut self,
        id: EndpointId,
        messages: &[MessageDescriptor],
    ) -> Result<(), BusError> {
        for (index, message) in messages.iter().enumerate() {
            let defined = self.messages.get(message.name);
            let earlier = messages[..index].iter().filter(|other| *other == message);
            for other in defined.iter().map(|known| &known.descriptor).chain(earlier) {
                check_types(other, message)?;
            }
        }
        self.add_endpoint(id);
        for &message in messages {
            let definition = self
                .messages
                .entry(message.name)
                .or_insert_with(|| MessageDefinition::new(message));
            if definition.learn_codec(&message) {
                let routes = self.routes.iter_mut();
                let own = routes.filter(|((name, _), _)| *name == message.name);
                own.for_each(|(_, route)| route.built = None);
            }
            if !definition.endpoints.contains(&id.name()) {
                definition.endpoints.push(id.name());
                // The key must be the names of the definition: they decide under which addresses the route is found.
                let name = (definition.descriptor.name, id.name());
                self.routes.insert(name, RouteDefinition::default());
            }
        }
        Ok(())
    }

    /// The definition that a use of a message must agree with.
    pub(crate) fn check(
        &self,
        message: &MessageDescriptor,
        endpoint: Option<EndpointId>,
    ) -> Result<(), BusError> {
        if let Some(endpoint) = endpoint
            && !self.endpoints.contains_key(endpoint.name())
        {
            return Err(BusError::no_such_endpoint(endpoint, self.endpoints.keys()));
        }
        let Some(definition) = self.messages.get(message.name) else {
            return Err(BusError::no_such_message(message, self.messages.keys()));
        };
        check_types(&definition.descriptor, message)?;
        match endpoint {
            Some(endpoint) if !definition.endpoints.contains(&endpoint.name()) => {
                let there = self.messages_at(endpoint.name());
                let at = &definition.endpoints;
                Err(BusError::not_defined_at(message, endpoint, at, there))
            }
            _ => Ok(()),
        }
    }

    /// Registers all or nothing.
    pub(crate) fn register(
        &mut self,
        application: &Application<'_>,
        garbage: &mut Garbage,
    ) -> Result<(), BusError> {
        let core = application.core;
        if application.subscriptions.is_empty() {
            let dispatcher = Arc::clone(&core.name);
            return Err(BusError::NothingToRegister { dispatcher });
        }
        let mut accepted: Vec<(RouteName, &Subscription)> = Vec::new();
        for subscription in &application.subscriptions {
            let message = subscription.descriptor.name;
            for endpoint in self.endpoints_for(application, &subscription.descriptor)? {
                let name = (message, endpoint);
                let is_named_twice = accepted.iter().any(|(other, _)| *other == name);
                if is_named_twice || self.has(core, name, &application.audience) {
                    return Err(BusError::AlreadyRegistered {
                        dispatcher: Arc::clone(&core.name),
                        message,
                        endpoint,
                    });
                }
                accepted.push((name, subscription));
            }
        }
        let member = self
            .dispatchers
            .entry(core.number)
            .or_insert_with(|| Member {
                core: Arc::clone(core),
                routes: Vec::new(),
            });
        for (name, subscription) in accepted {
            let Some(route) = self.routes.get_mut(&name) else {
                continue;
            };
            let message = self.messages.get_index_of(name.0);
            let intake = self.endpoints.get(name.1).and_then(|endpoint| {
                let place = endpoint.place(self.bus, message?);
                endpoint.intake(core, &subscription.handler, place)
            });
            self.sequence += 1;
            let registered = Registered {
                core: Arc::clone(core),
                handler: Arc::clone(&subscription.handler),
                intake,
                audience: application.audience.clone(),
                priority: application.priority,
                sequence: self.sequence,
            };
            route.add(registered, garbage);
            if !member.routes.contains(&name) {
                member.routes.push(name);
            }
        }
        Ok(())
    }

    /// Whether the dispatcher is registered there for some of the same messages.
    fn has(&self, core: &Arc<Core>, name: RouteName, audience: &Audience) -> bool {
        let is_member = self
            .dispatchers
            .get(&core.number)
            .is_some_and(|member| member.routes.contains(&name));
        // Nearly always it is new: looking through all the others would make registering quadratic.
        is_member
            && self.routes.get(&name).is_some_and(|route| {
                let mut own = route
                    .registered
                    .iter()
                    .filter(|one| one.core.number == core.number);
                own.any(|one| overlap(&one.audience, audience))
            })
    }

    /// Where a subscription applies, without duplicates.
    fn endpoints_for(
        &self,
        application: &Application<'_>,
        message: &MessageDescriptor,
    ) -> Result<Vec<&'static str>, BusError> {
        let mut found = Vec::new();
        if application.endpoints.is_empty() {
            match self.check(message, None) {
                Ok(()) => found.extend(
                    self.messages
                        .get(message.name)
                        .map(|definition| definition.endpoints.as_slice())
                        .unwrap_or_default(),
                ),
                Err(error) => skip_or_fail(application.optional, error)?,
            }
        }
        for &endpoint in application.endpoints {
            match self.check(message, Some(endpoint)) {
                Ok(()) if !found.contains(&endpoint.name()) => found.push(endpoint.name()),
                Ok(()) => {}
                Err(error) => skip_or_fail(application.optional, error)?,
            }
        }
        Ok(found)
    }

    /// Removes registrations: all those that match every filter that is not empty. Returns whether any are left.
    pub(crate) fn deregister(
        &mut self,
        core: &Arc<Core>,
        messages: &[MessageDescriptor],
        endpoints: &[EndpointId],
        entities: &[Entity],
        garbage: &mut Garbage,
    ) -> Result<bool, BusError> {
        let own: Vec<RouteName> = self
            .dispatchers
            .get(&core.number)
            .map_or_else(Vec::new, |member| member.routes.clone());
        let is_named = |name: &RouteName| {
            (messages.is_empty() || messages.iter().any(|m| m.name == name.0))
                && (endpoints.is_empty() || endpoints.iter().any(|e| e.name() == name.1))
        };
        let matches = |one: &Registered| {
            one.core.number == core.number
                && (entities.is_empty()
                    || matches!(&one.audience, Audience::Entities(own)
                        if own.iter().any(|entity| entities.contains(entity))))
        };
        let found: Vec<RouteName> = own
            .iter()
            .copied()
            .filter(is_named)
            .filter(|name| self.routes[name].registered.iter().any(matches))
            .collect();
        let not_found = if messages.is_empty() {
            found.is_empty().then_some("any message")
        } else {
            let names = messages.iter().map(|m| m.name);
            names
                .into_iter()
                .find(|name| found.iter().all(|other| other.0 != *name))
        };
        if let Some(message) = not_found {
            let dispatcher = Arc::clone(&core.name);
            return Err(BusError::NotRegistered {
                dispatcher,
                message,
            });
        }
        let mut left: Vec<RouteName> = Vec::new();
        for name in own {
            let Some(route) = self.routes.get_mut(&name) else {
                continue;
            };
            if found.contains(&name) {
                route.remove(matches, entities, garbage);
            }
            if route.has(core.number) {
                left.push(name);
            }
        }
        let is_any_left = !left.is_empty();
        if let Some(member) = self.dispatchers.get_mut(&core.number) {
            member.routes = left;
        }
        Ok(is_any_left)
    }

    /// Removes a dispatcher with all its registrations. Returns whether it was there.
    pub(crate) fn remove(&mut self, core: &Arc<Core>, garbage: &mut Garbage) -> bool {
        let Some(member) = self.dispatchers.remove(&core.number) else {
            return false;
        };
        for name in member.routes {
            let Some(route) = self.routes.get_mut(&name) else {
                continue;
            };
            let is_own = |one: &Registered| one.core.number == core.number;
            route.remove(is_own, &[], garbage);
        }
        true
    }

    /// The route of one message at one endpoint, made from its registrations unless it has been.
    fn route(&mut self, name: RouteName) -> Option<Arc<Route>> {
        let definition = self.routes.get_mut(&name)?;
        if let Some(built) = &definition.built {
            return Some(Arc::clone(built));
        }
        let (message, endpoint) = (self.messages.get(name.0)?, self.endpoints.get(name.1)?);
        let kind = message.descriptor.kind;
        let registered = &definition.registered;
        let receivers = registered
            .first()
            .map(|first| first.handler.build(kind, registered, self.tap.is_some()));
        let number = self.messages.get_index_of(name.0)?;
        let route = Arc::new(Route {
            descriptor: message.descriptor,
            endpoint: endpoint.id,
            origin: Origin::interned(message.descriptor, Some(endpoint.id)),
            everywhere: Origin::interned(message.descriptor, None),
            place: endpoint.place(self.bus, number),
            tap: self.tap.clone(),
            receivers,
        });
        definition.built = Some(Arc::clone(&route));
        Some(route)
    }

    /// From now on these look; routes are made anew.
    pub(crate) fn set_tap(&mut self, tap: Option<Arc<Tap>>, garbage: &mut Garbage) {
        self.tap = tap;
        for definition in self.routes.values_mut() {
            garbage.push(Box::new(definition.built.take()));
        }
    }
}
