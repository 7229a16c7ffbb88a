//! What a registry says of itself to who asks; senders do not.

use std::sync::Arc;

use super::activity::Busy;
use super::dispatcher::Core;
use super::error::BusError;
use super::registry::Registry;
use super::route_definition::RouteDefinition;
use super::{DispatcherKind, EndpointId, MessageDescriptor};

/// That a dispatcher or a queue listens for a message at an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listening {
    /// Name of the dispatcher or queue.
    pub name: Arc<str>,
    /// On which thread it gets the message; queues collect on the sender's.
    pub kind: DispatcherKind,
    /// Higher is served first.
    pub priority: i32,
    /// Name of the message.
    pub message: &'static str,
    /// Name of the endpoint.
    pub endpoint: &'static str,
}

impl Registry {
    /// Who listens, message by message, in order of registration.
    pub(crate) fn listeners(&self) -> Vec<Listening> {
        let of_route = |((message, endpoint), route): (_, &RouteDefinition)| {
            let (message, endpoint): (&'static str, &'static str) = (message, endpoint);
            let listening = route.registered.iter().map(move |one| Listening {
                name: Arc::clone(&one.core.name),
                kind: one.core.kind,
                priority: one.priority,
                message,
                endpoint,
            });
            listening.collect::<Vec<_>>()
        };
        self.routes
            .iter()
            .map(|(name, route)| (*name, route))
            .flat_map(of_route)
            .collect()
    }

    /// The dispatcher of this number.
    pub(crate) fn dispatcher(&self, number: u64) -> Option<&Arc<Core>> {
        self.dispatchers.get(&number).map(|member| &member.core)
    }

    /// Name of the message and id of the endpoint with these numbers.
    pub(crate) fn names_at(
        &self,
        message: u32,
        endpoint: u32,
    ) -> (Option<&'static str>, Option<EndpointId>) {
        let message = self.messages.get_index(message as usize);
        let endpoint = self.endpoints.get_index(endpoint as usize);
        (
            message.map(|(name, _)| *name),
            endpoint.map(|(_, definition)| definition.id),
        )
    }

    /// In order of registration.
    pub(crate) fn dispatchers(&self) -> impl Iterator<Item = &Arc<Core>> {
        self.dispatchers.values().map(|member| &member.core)
    }

    /// Number and busy count of an endpoint.
    pub(crate) fn endpoint(&self, id: EndpointId) -> Result<(u32, Arc<Busy>), BusError> {
        let definition = self.endpoints.get(id.name());
        definition
            .map(|definition| (definition.number, Arc::clone(&definition.busy)))
            .ok_or_else(|| BusError::no_such_endpoint(id, self.endpoints.keys()))
    }

    /// All endpoints with their messages, in order of definition.
    pub(crate) fn endpoints(&self) -> Vec<(EndpointId, Vec<MessageDescriptor>)> {
        self.endpoints
            .values()
            .map(|one| (one.id, self.messages_at(one.id.name()).collect()))
            .collect()
    }

    pub(super) fn messages_at(
        &self,
        endpoint: &'static str,
    ) -> impl Iterator<Item = MessageDescriptor> {
        let messages = self.messages.values();
        let there = messages.filter(move |one| one.endpoints.contains(&endpoint));
        there.map(|one| one.descriptor)
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
        self.routes
            .get(&(message, endpoint))
            .is_some_and(|route| !route.registered.is_empty())
    }
}
