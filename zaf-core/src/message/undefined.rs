//! What is said of names that nobody defined: with the nearest that somebody did.

use super::{BusError, EndpointId, MessageDescriptor};
use crate::nearest::nearest;

impl BusError {
    /// The endpoint is not one of the `defined` ones.
    pub(crate) fn no_such_endpoint<'a>(
        endpoint: EndpointId,
        defined: impl Iterator<Item = &'a &'static str>,
    ) -> Self {
        let endpoint = endpoint.name();
        Self::NoSuchEndpoint {
            endpoint,
            nearest: nearest(endpoint, defined.copied()),
        }
    }

    /// The message is not one of the `defined` ones.
    pub(crate) fn no_such_message<'a>(
        message: &MessageDescriptor,
        defined: impl Iterator<Item = &'a &'static str>,
    ) -> Self {
        let message = message.name;
        Self::NoSuchMessage {
            message,
            nearest: nearest(message, defined.copied()),
        }
    }

    /// The message is not one of the `messages` of the endpoint, but one of others.
    pub(crate) fn not_defined_at(
        message: &MessageDescriptor,
        endpoint: EndpointId,
        defined_at: &[&'static str],
        messages: impl Iterator<Item = MessageDescriptor>,
    ) -> Self {
        let message = message.name;
        Self::NotDefinedAt {
            message,
            endpoint: endpoint.name(),
            defined_at: defined_at.to_vec(),
            nearest: nearest(message, messages.map(|other| other.name)),
        }
    }
}
