//! The way into the bus and out of it for those who know messages by name and carry bytes.

use std::sync::Arc;

use super::super::dispatcher::DispatcherBuilder;
use super::super::{
    BusError, DispatchReport, EndpointId, MessageBus, MessageDescriptor, MessageKind, WireFormat,
};
use super::codec_of::{Direction, EncodedHandler, Incoming, MessageCodec};
use super::{EncodedMessage, EncodedPayload, EncodedReplies, PortableError};
use crate::error::Result as HandlerResult;
use crate::nearest::nearest;

impl MessageBus {
    /// The portable messages with the endpoints that define them, both in order of definition: what a bridge can offer.
    pub fn portable_messages(&self) -> Vec<(MessageDescriptor, Vec<EndpointId>)> {
        let mut messages = self.messages();
        messages.retain(|(message, _)| message.is_portable());
        messages
    }

    /// Triggers an event that somebody has as bytes. From here on it is a message as any other: who gets it, in which order and
    /// on which thread is what [`trigger_event`](Self::trigger_event) says, and the handlers of both see the same.
    ///
    /// # Errors
    /// [`PortableError::UnknownMessage`], [`PortableError::NotPortable`], [`PortableError::WrongKind`] for a request,
    /// [`PortableError::EndpointMissing`], [`PortableError::UnknownEndpoint`], [`PortableError::UnsupportedFormat`],
    /// [`PortableError::TooLarge`], [`PortableError::Undecodable`], [`PortableError::TrailingBytes`], and
    /// [`PortableError::Bus`] with what [`trigger_event`](Self::trigger_event) says; then nobody got it.
    pub fn trigger_encoded(&self, event: &EncodedMessage) -> Result<DispatchReport, PortableError> {
        let (incoming, codec) = self.find(event)?;
        match codec.call {
            Direction::Event(trigger) => trigger(&incoming),
            Direction::Request(_) => Err(wrong_kind(&incoming.descriptor, MessageKind::Event)),
        }
    }

    /// Sends a request that somebody has as bytes, to its endpoint or, if it names none, to all that define it. One answer comes
    /// from each dispatcher that gets it, in the format of the request.
    ///
    /// # Errors
    /// As [`trigger_encoded`](Self::trigger_encoded), where an event is of the wrong kind, and [`PortableError::Bus`] with what
    /// [`send_request`](Self::send_request) and [`send_request_everywhere`](Self::send_request_everywhere) say.
    pub fn send_encoded(&self, request: &EncodedMessage) -> Result<EncodedReplies, PortableError> {
        let (incoming, codec) = self.find(request)?;
        match codec.call {
            Direction::Request(send) => send(&incoming),
            Direction::Event(_) => Err(wrong_kind(&incoming.descriptor, MessageKind::Request)),
        }
    }

    /// Finds the message by its name. Looks at no payload.
    fn find<'a>(
        &'a self,
        message: &'a EncodedMessage,
    ) -> Result<(Incoming<'a>, &'static MessageCodec), PortableError> {
        let (descriptor, endpoint) = self.names(message)?;
        let codec = codec(&descriptor)?;
        supported(&descriptor, codec, message.payload().format())?;
        let incoming = Incoming {
            bus: self,
            descriptor,
            endpoint,
            entity: message.entity(),
            payload: message.payload(),
        };
        Ok((incoming, codec))
    }

    fn names(
        &self,
        message: &EncodedMessage,
    ) -> Result<(MessageDescriptor, Option<EndpointId>), PortableError> {
        let name = message.name();
        let snapshot = self.current_snapshot();
        match message.endpoint() {
            Some(endpoint) => match snapshot.find_texts(name, endpoint) {
                Some(route) => Ok((route.descriptor, Some(route.endpoint))),
                None => Err(self.explain_names(name, Some(endpoint))),
            },
            None => match snapshot.routes_of(name).next() {
                Some(route) => Ok((route.descriptor, None)),
                None => Err(self.explain_names(name, None)),
            },
        }
    }

    /// What is wrong with names that lead nowhere.
    #[cold]
    fn explain_names(&self, name: &str, endpoint: Option<&str>) -> PortableError {
        if self.is_closed() {
            let what = "the bus".to_owned();
            return BusError::Closed { what }.into();
        }
        let (descriptor, defined_at) = match self.named(name) {
            Ok(found) => found,
            Err(error) => return error,
        };
        let Some(endpoint) = endpoint else {
            // Defined since the snapshot was read.
            return BusError::no_such_message(&descriptor, std::iter::empty()).into();
        };
        let endpoints = self.endpoints();
        let names = endpoints.iter().map(|(id, _)| id.name());
        match endpoints.iter().find(|(id, _)| id.name() == endpoint) {
            Some((id, messages)) => {
                let at: Vec<&str> = defined_at.iter().map(EndpointId::name).collect();
                let there = messages.iter().copied();
                BusError::not_defined_at(&descriptor, *id, &at, there).into()
            }
            None => PortableError::UnknownEndpoint {
                endpoint: endpoint.to_owned(),
                nearest: nearest(endpoint, names),
            },
        }
    }

    /// A message by its name, with the endpoints that define it.
    fn named(&self, name: &str) -> Result<(MessageDescriptor, Vec<EndpointId>), PortableError> {
        let messages = self.messages();
        if let Some(found) = messages.iter().find(|(message, _)| message.name == name) {
            return Ok(found.clone());
        }
        let portable = messages.iter().filter(|(message, _)| message.is_portable());
        Err(PortableError::UnknownMessage {
            message: name.to_owned(),
            nearest: nearest(name, portable.map(|(message, _)| message.name)),
        })
    }
}

impl DispatcherBuilder {
    /// Calls `handler` with each of these events as bytes. Kind, priority, endpoints, entities and queue are those of the builder,
    /// and events and requests, typed and encoded, can be mixed in one dispatcher.
    ///
    /// A payload is encoded once for all who want it in one format, when the first of them is called. One that cannot be
    /// encoded, or is longer than [`BusLimits::encoded_bound`](super::super::BusLimits), is a failure of the handler: it is
    /// not called, and the failure is reported as any other.
    ///
    /// # Errors
    /// [`PortableError::UnknownMessage`] (also for a builder that is [`optional`](Self::optional): names come from a peer, and
    /// [`MessageBus::portable_messages`] knows which there are), [`PortableError::NotPortable`],
    /// [`PortableError::WrongKind`] for requests, [`PortableError::UnsupportedFormat`], [`PortableError::Bus`] with
    /// [`BusError::Closed`].
    pub fn on_encoded<N: AsRef<str>>(
        self,
        names: impl IntoIterator<Item = N>,
        format: WireFormat,
        handler: impl Fn(&EncodedMessage, &MessageBus) -> HandlerResult<()> + Send + Sync + 'static,
    ) -> Result<Self, PortableError> {
        let handler: EncodedHandler =
            Arc::new(move |message, bus| handler(message, bus).map(|()| None));
        self.by_name(names, MessageKind::Event, format, &handler)
    }

    /// As [`on_encoded`](Self::on_encoded) for requests: what `handler` returns is decoded and is the answer of the dispatcher.
    /// It may be in any format that the message supports.
    ///
    /// An answer that is too long or cannot be decoded is [`ReplyError::Failed`](super::super::ReplyError) with a
    /// [`PortableError`]; so is a payload that cannot be encoded.
    ///
    /// # Errors
    /// As [`on_encoded`](Self::on_encoded), where events are of the wrong kind.
    pub fn answer_encoded<N: AsRef<str>>(
        self,
        names: impl IntoIterator<Item = N>,
        format: WireFormat,
        handler: impl Fn(&EncodedMessage, &MessageBus) -> HandlerResult<EncodedPayload>
        + Send
        + Sync
        + 'static,
    ) -> Result<Self, PortableError> {
        let handler: EncodedHandler = Arc::new(move |message, bus| handler(message, bus).map(Some));
        self.by_name(names, MessageKind::Request, format, &handler)
    }

    fn by_name<N: AsRef<str>>(
        mut self,
        names: impl IntoIterator<Item = N>,
        kind: MessageKind,
        format: WireFormat,
        handler: &EncodedHandler,
    ) -> Result<Self, PortableError> {
        let bus = self.bus()?;
        for name in names {
            let (descriptor, _) = bus.named(name.as_ref())?;
            let codec = codec(&descriptor)?;
            if descriptor.kind != kind {
                return Err(wrong_kind(&descriptor, kind));
            }
            supported(&descriptor, codec, format)?;
            let subscription = (codec.subscribe)(descriptor, format, Arc::clone(handler));
            self = self.with_subscription(subscription);
        }
        Ok(self)
    }
}

fn codec(descriptor: &MessageDescriptor) -> Result<&'static MessageCodec, PortableError> {
    let message = descriptor.name;
    descriptor
        .codec
        .ok_or(PortableError::NotPortable { message })
}

fn supported(
    descriptor: &MessageDescriptor,
    codec: &MessageCodec,
    format: WireFormat,
) -> Result<(), PortableError> {
    if codec.supports(format) {
        return Ok(());
    }
    let message = descriptor.name;
    Err(PortableError::UnsupportedFormat { message, format })
}

fn wrong_kind(descriptor: &MessageDescriptor, expected: MessageKind) -> PortableError {
    PortableError::WrongKind {
        message: descriptor.name,
        actual: descriptor.kind,
        expected,
    }
}
