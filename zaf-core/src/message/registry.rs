//! What is defined and who is registered: the truth from which snapshots are made.
//!
//! Lives under the bus's one lock. Everything here checks first and changes afterwards, so a refused call changes nothing.
//! Whatever a change leaves over (handlers, old routes) goes into [`Garbage`], which the caller drops after the lock, since
//! dropping a handler runs foreign code.

use std::any::Any;
use std::sync::Arc;

use indexmap::IndexMap;

use super::activity::{Activity, Busy};
use super::dispatcher::Core;
use super::error::BusError;
use super::message::Origin;
use super::presence::Place;
use super::registration::{Application, check_types, overlap, skip_or_fail};
use super::route::{Registered, Route};
use super::routing::Audience;
use super::snapshot::{Key, Snapshot};
use super::{EndpointId, Entity, MessageDescriptor};

/// How many names at addresses other than those of their definition are remembered. More means that somebody makes ids
/// at run time; those are then looked up by name each time.
const MAX_ALIASES: usize = 1024;

/// Left over by a change; dropped without the lock.
pub(crate) type Garbage = Vec<Box<dyn Any + Send + Sync>>;

struct EndpointDefinition {
    id: EndpointId,
    number: u32,
    busy: Arc<Busy>,
}

struct MessageDefinition {
    descriptor: MessageDescriptor,
    /// In order of definition; not empty.
    endpoints: Vec<&'static str>,
}

struct Registration {
    message: &'static str,
    endpoint: &'static str,
    what: Registered,
}

type RouteName = (&'static str, &'static str);

/// See the module.
pub(crate) struct Registry {
    bus: u32,
    activity: Arc<Activity>,
    endpoints: IndexMap<&'static str, EndpointDefinition>,
    messages: IndexMap<&'static str, MessageDefinition>,
    registrations: Vec<Registration>,
    dispatchers: Vec<Arc<Core>>,
    routes: IndexMap<RouteName, Arc<Route>>,
    aliases: Vec<(Key, RouteName)>,
    sequence: u64,
    pub(crate) closed: bool,
}

impl Registry {
    pub(crate) fn new(bus: u32, activity: Arc<Activity>) -> Self {
        Self {
            bus,
            activity,
            endpoints: IndexMap::new(),
            messages: IndexMap::new(),
            registrations: Vec::new(),
            dispatchers: Vec::new(),
            routes: IndexMap::new(),
            aliases: Vec::new(),
            sequence: 0,
            closed: false,
        }
    }

    /// All routes as they are now; none on a closed bus.
    pub(crate) fn snapshot(&self) -> Snapshot {
        if self.closed {
            return Snapshot::new(0, &[], &[]);
        }
        let is_marked = || self.dispatchers.iter().any(|core| core.is_marked());
        let calm = self.activity.calm(is_marked);
        let routes: Vec<Arc<Route>> = self.routes.values().cloned().collect();
        let aliases: Vec<(Key, Arc<Route>)> = self
            .aliases
            .iter()
            .filter_map(|(key, name)| Some((*key, Arc::clone(self.routes.get(name)?))))
            .collect();
        Snapshot::new(calm, &routes, &aliases)
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
            let defined = self
                .messages
                .get(message.name)
                .map(|known| known.descriptor);
            let earlier = messages[..index].iter().find(|other| *other == message);
            if let Some(defined) = defined.as_ref().or(earlier) {
                check_types(defined, message)?;
            }
        }
        self.add_endpoint(id);
        for &message in messages {
            let definition =
                self.messages
                    .entry(message.name)
                    .or_insert_with(|| MessageDefinition {
                        descriptor: message,
                        endpoints: Vec::new(),
                    });
            if !definition.endpoints.contains(&id.name()) {
                definition.endpoints.push(id.name());
                let name = (definition.descriptor.name, id.name());
                self.build_route(name, &mut Garbage::new());
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
            let endpoint = endpoint.name();
            return Err(BusError::NoSuchEndpoint { endpoint });
        }
        let Some(definition) = self.messages.get(message.name) else {
            let message = message.name;
            return Err(BusError::NoSuchMessage { message });
        };
        check_types(&definition.descriptor, message)?;
        match endpoint {
            Some(endpoint) if !definition.endpoints.contains(&endpoint.name()) => {
                Err(BusError::NotDefinedAt {
                    message: message.name,
                    endpoint: endpoint.name(),
                    defined_at: definition.endpoints.clone(),
                })
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
        let mut accepted: Vec<Registration> = Vec::new();
        for subscription in &application.subscriptions {
            let message = subscription.descriptor.name;
            for endpoint in self.endpoints_for(application, &subscription.descriptor)? {
                let is_taken = |other: &Registration| {
                    other.what.core.number == core.number
                        && other.message == message
                        && other.endpoint == endpoint
                        && overlap(&other.what.audience, &application.audience)
                };
                if self.registrations.iter().chain(&accepted).any(is_taken) {
                    return Err(BusError::AlreadyRegistered {
                        dispatcher: Arc::clone(&core.name),
                        message,
                        endpoint,
                    });
                }
                self.sequence += 1;
                accepted.push(Registration {
                    message,
                    endpoint,
                    what: Registered {
                        core: Arc::clone(core),
                        handler: Arc::clone(&subscription.handler),
                        audience: application.audience.clone(),
                        priority: application.priority,
                        sequence: self.sequence,
                    },
                });
            }
        }
        if !self
            .dispatchers
            .iter()
            .any(|other| Arc::ptr_eq(other, core))
        {
            self.dispatchers.push(Arc::clone(core));
        }
        let names: Vec<RouteName> = accepted
            .iter()
            .map(|one| (one.message, one.endpoint))
            .collect();
        self.registrations.extend(accepted);
        for name in names {
            self.build_route(name, garbage);
        }
        Ok(())
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
        let matches = |one: &Registration| {
            one.what.core.number == core.number
                && (messages.is_empty() || messages.iter().any(|m| m.name == one.message))
                && (endpoints.is_empty() || endpoints.iter().any(|e| e.name() == one.endpoint))
                && (entities.is_empty()
                    || matches!(&one.what.audience, Audience::Entities(own)
                        if own.iter().any(|entity| entities.contains(entity))))
        };
        let not_found = if messages.is_empty() {
            (!self.registrations.iter().any(matches)).then_some("any message")
        } else {
            messages.iter().map(|m| m.name).find(|name| {
                !self
                    .registrations
                    .iter()
                    .any(|one| one.message == *name && matches(one))
            })
        };
        if let Some(message) = not_found {
            let dispatcher = Arc::clone(&core.name);
            return Err(BusError::NotRegistered {
                dispatcher,
                message,
            });
        }
        let mut names: Vec<RouteName> = Vec::new();
        let mut index = 0;
        while let Some(one) = self.registrations.get_mut(index) {
            if !matches(one) {
                index += 1;
                continue;
            }
            names.push((one.message, one.endpoint));
            if let Audience::Entities(own) = &mut one.what.audience
                && !entities.is_empty()
            {
                own.retain(|entity| !entities.contains(entity));
                if !own.is_empty() {
                    index += 1;
                    continue;
                }
            }
            let removed = self.registrations.remove(index);
            garbage.push(Box::new(removed.what));
        }
        for name in names {
            self.build_route(name, garbage);
        }
        Ok(self
            .registrations
            .iter()
            .any(|one| one.what.core.number == core.number))
    }

    /// Removes a dispatcher with all its registrations. Returns whether it was there.
    pub(crate) fn remove(&mut self, core: &Arc<Core>, garbage: &mut Garbage) -> bool {
        // Having no registrations is fine here.
        if self
            .registrations
            .iter()
            .any(|one| one.what.core.number == core.number)
        {
            let removed = self.deregister(core, &[], &[], &[], garbage);
            debug_assert_eq!(removed, Ok(false), "all registrations match");
        }
        let before = self.dispatchers.len();
        self.dispatchers.retain(|other| !Arc::ptr_eq(other, core));
        self.dispatchers.len() != before
    }

    /// Makes the route of one message at one endpoint from its registrations.
    fn build_route(&mut self, name: RouteName, garbage: &mut Garbage) {
        let (Some(message), Some(endpoint)) =
            (self.messages.get(name.0), self.endpoints.get(name.1))
        else {
            return;
        };
        let registered: Vec<Registered> = self
            .registrations
            .iter()
            .filter(|one| (one.message, one.endpoint) == name)
            .map(|one| one.what.clone())
            .collect();
        let kind = message.descriptor.kind;
        let receivers = registered
            .first()
            .map(|first| first.handler.build(kind, &registered));
        let route = Route {
            descriptor: message.descriptor,
            endpoint: endpoint.id,
            origin: Origin::interned(message.descriptor, Some(endpoint.id)),
            everywhere: Origin::interned(message.descriptor, None),
            place: Place {
                bus: self.bus,
                endpoint: endpoint.number,
            },
            busy: Arc::clone(&endpoint.busy),
            receivers,
        };
        // The key must be the names of the definition: they decide under which addresses the route is found.
        let key = (message.descriptor.name, endpoint.id.name());
        if let Some(old) = self.routes.insert(key, Arc::new(route)) {
            garbage.push(Box::new(old));
        }
        garbage.push(Box::new(registered));
    }

    pub(crate) fn dispatchers(&self) -> &[Arc<Core>] {
        &self.dispatchers
    }

    /// Number and busy count of an endpoint.
    pub(crate) fn endpoint(&self, id: EndpointId) -> Result<(u32, Arc<Busy>), BusError> {
        let definition = self.endpoints.get(id.name());
        definition
            .map(|definition| (definition.number, Arc::clone(&definition.busy)))
            .ok_or(BusError::NoSuchEndpoint {
                endpoint: id.name(),
            })
    }

    /// All endpoints with their messages, in order of definition.
    pub(crate) fn endpoints(&self) -> Vec<(EndpointId, Vec<MessageDescriptor>)> {
        let messages_of = |name: &'static str| {
            let defined = self
                .messages
                .values()
                .filter(|one| one.endpoints.contains(&name));
            defined.map(|one| one.descriptor).collect()
        };
        self.endpoints
            .values()
            .map(|one| (one.id, messages_of(one.id.name())))
            .collect()
    }

    /// All messages with their endpoints, in order of definition.
    pub(crate) fn messages(&self) -> Vec<(MessageDescriptor, Vec<EndpointId>)> {
        let ids = |names: &[&'static str]| {
            let known = names.iter().filter_map(|name| self.endpoints.get(name));
            known.map(|one| one.id).collect()
        };
        self.messages
            .values()
            .map(|one| (one.descriptor, ids(&one.endpoints)))
            .collect()
    }

    /// Whether anybody is registered, for whatever entity.
    pub(crate) fn has_receivers(&self, message: &'static str, endpoint: &'static str) -> bool {
        self.registrations
            .iter()
            .any(|one| one.message == message && one.endpoint == endpoint)
    }
}
