//! What a registry says of itself to who asks; senders do not.

use std::sync::Arc;

use super::activity::Busy;
use super::dispatcher::Core;
use super::error::BusError;
use super::registry::Registry;
use super::{EndpointId, MessageDescriptor};

impl Registry {
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
