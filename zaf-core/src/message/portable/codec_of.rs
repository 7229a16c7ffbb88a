//! The codec of a message: the only place where the types of a payload and the bytes of a peer meet.
//!
//! A codec is a table of functions that were made for the types of one message. A call by name finds the table in the
//! descriptor; behind it everything goes the typed way.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::super::codec::{decode, encode};
use super::super::handler::Handler;
use super::super::message::{Body, Message};
use super::super::registration::Subscription;
use super::super::{
    DispatchReport, EndpointId, Entity, EventId, MessageBus, MessageDescriptor, RequestId,
    WireFormat,
};
use super::error::Subject;
use super::reply::Writing;
use super::{EncodedMessage, EncodedPayload, EncodedReplies, PortableError};
use crate::error::Result as HandlerResult;

/// What a handler of encoded messages does. Of what one for events returns, nothing is used.
pub(crate) type EncodedHandler = Arc<
    dyn Fn(&EncodedMessage, &MessageBus) -> HandlerResult<Option<EncodedPayload>> + Send + Sync,
>;

type Trigger = fn(&Incoming<'_>) -> Result<DispatchReport, PortableError>;
type Ask = fn(&Incoming<'_>) -> Result<EncodedReplies, PortableError>;
type Subscribe = fn(MessageDescriptor, WireFormat, EncodedHandler) -> Subscription;

/// How payload and answer of a message become bytes. Made by declaring the message portable; see [the module](super).
pub struct MessageCodec {
    formats: &'static [WireFormat],
    pub(crate) call: Direction,
    pub(crate) subscribe: Subscribe,
}

/// The way into the bus.
#[derive(Clone, Copy)]
pub(crate) enum Direction {
    Event(Trigger),
    Request(Ask),
}

/// A message from outside whose name has been found.
pub(crate) struct Incoming<'a> {
    pub(crate) bus: &'a MessageBus,
    pub(crate) descriptor: MessageDescriptor,
    /// None for requests to all endpoints.
    pub(crate) endpoint: Option<EndpointId>,
    pub(crate) entity: Option<&'a Entity>,
    pub(crate) payload: &'a EncodedPayload,
}

const ALL_FORMATS: &[WireFormat] = &[WireFormat::Postcard, WireFormat::Json];
const NAMED_FORMATS: &[WireFormat] = &[WireFormat::Json];

impl MessageCodec {
    /// Formats in which it can be written, the usual one first; never empty.
    pub const fn formats(&self) -> &'static [WireFormat] {
        self.formats
    }

    /// Whether it can be written in this format.
    pub fn supports(&self, format: WireFormat) -> bool {
        self.formats.contains(&format)
    }
}

impl fmt::Debug for MessageCodec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageCodec")
            .field("formats", &self.formats)
            .finish_non_exhaustive()
    }
}

/// A place for constants that depend on a type.
struct Codecs<P, R>(std::marker::PhantomData<fn(P) -> R>);

impl<P> Codecs<P, ()>
where
    P: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    const EVENT: &'static MessageCodec = &Self::event(ALL_FORMATS);
    const NAMED_EVENT: &'static MessageCodec = &Self::event(NAMED_FORMATS);

    const fn event(formats: &'static [WireFormat]) -> MessageCodec {
        MessageCodec {
            formats,
            call: Direction::Event(trigger::<P>),
            subscribe: subscribe_event::<P>,
        }
    }
}

impl<P, R> Codecs<P, R>
where
    P: Serialize + DeserializeOwned + Send + Sync + 'static,
    R: Serialize + DeserializeOwned + Send + 'static,
{
    const REQUEST: &'static MessageCodec = &Self::request(ALL_FORMATS);
    const NAMED_REQUEST: &'static MessageCodec = &Self::request(NAMED_FORMATS);

    const fn request(formats: &'static [WireFormat]) -> MessageCodec {
        MessageCodec {
            formats,
            call: Direction::Request(send::<P, R>),
            subscribe: subscribe_request::<P, R>,
        }
    }
}

pub(crate) const fn event<P>() -> &'static MessageCodec
where
    P: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    Codecs::<P, ()>::EVENT
}

pub(crate) const fn json_event<P>() -> &'static MessageCodec
where
    P: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    Codecs::<P, ()>::NAMED_EVENT
}

pub(crate) const fn request<P, R>() -> &'static MessageCodec
where
    P: Serialize + DeserializeOwned + Send + Sync + 'static,
    R: Serialize + DeserializeOwned + Send + 'static,
{
    Codecs::<P, R>::REQUEST
}

pub(crate) const fn json_request<P, R>() -> &'static MessageCodec
where
    P: Serialize + DeserializeOwned + Send + Sync + 'static,
    R: Serialize + DeserializeOwned + Send + 'static,
{
    Codecs::<P, R>::NAMED_REQUEST
}

fn trigger<P>(incoming: &Incoming<'_>) -> Result<DispatchReport, PortableError>
where
    P: DeserializeOwned + Send + Sync + 'static,
{
    let event = EventId::<P>::from_descriptor(&incoming.descriptor);
    let Some(endpoint) = incoming.endpoint else {
        let message = incoming.descriptor.name;
        return Err(PortableError::EndpointMissing { message });
    };
    let payload: P = incoming.decode()?;
    let bus = incoming.bus;
    Ok(match incoming.entity {
        None => bus.trigger_event(event, endpoint, payload)?,
        Some(entity) => bus.trigger_event_for(event, endpoint, entity, payload)?,
    })
}

fn send<P, R>(incoming: &Incoming<'_>) -> Result<EncodedReplies, PortableError>
where
    P: DeserializeOwned + Send + Sync + 'static,
    R: Serialize + Send + 'static,
{
    let request = RequestId::<P, R>::from_descriptor(&incoming.descriptor);
    let payload: P = incoming.decode()?;
    let bus = incoming.bus;
    let replies = match (incoming.endpoint, incoming.entity) {
        (None, entity) => bus.send_request_everywhere(request, entity, payload)?,
        (Some(endpoint), None) => bus.send_request(request, endpoint, payload)?,
        (Some(endpoint), Some(entity)) => {
            bus.send_request_for(request, endpoint, entity, payload)?
        }
    };
    let writing = Writing {
        message: incoming.descriptor.name,
        format: incoming.payload.format(),
        limit: bus.limits().encoded_bound.get(),
    };
    Ok(EncodedReplies::new(replies, writing))
}

impl Incoming<'_> {
    fn decode<P: DeserializeOwned>(&self) -> Result<P, PortableError> {
        let limit = self.bus.limits().encoded_bound.get();
        read("payload", self.descriptor.name, self.payload, limit)
    }
}

/// Takes a value from its bytes.
fn read<T: DeserializeOwned>(
    part: &'static str,
    message: &str,
    payload: &EncodedPayload,
    limit: usize,
) -> Result<T, PortableError> {
    let format = payload.format();
    decode(payload.bytes(), format, limit).map_err(|error| {
        let subject = Subject {
            part,
            message,
            ty: std::any::type_name::<T>(),
            format,
            limit,
        };
        PortableError::from_codec(error, &subject)
    })
}

fn subscribe_event<P>(
    descriptor: MessageDescriptor,
    format: WireFormat,
    handler: EncodedHandler,
) -> Subscription
where
    P: Serialize + Send + Sync + 'static,
{
    let call = move |message: &Message<P>, bus: &MessageBus| -> HandlerResult<()> {
        let encoded = encoded(message, format, bus)?;
        handler(&encoded, bus).map(drop)
    };
    Subscription {
        descriptor,
        handler: Arc::new(Handler::<P, ()>::Encoded(Arc::new(call))),
    }
}

fn subscribe_request<P, R>(
    descriptor: MessageDescriptor,
    format: WireFormat,
    handler: EncodedHandler,
) -> Subscription
where
    P: Serialize + Send + Sync + 'static,
    R: DeserializeOwned + Send + 'static,
{
    let call = move |message: &Message<P>, bus: &MessageBus| -> HandlerResult<R> {
        let encoded = encoded(message, format, bus)?;
        let answer =
            handler(&encoded, bus)?.unwrap_or_else(|| EncodedPayload::new(format, Vec::new()));
        let limit = bus.limits().encoded_bound.get();
        Ok(read("reply", descriptor.name, &answer, limit)?)
    };
    Subscription {
        descriptor,
        handler: Arc::new(Handler::<P, R>::Encoded(Arc::new(call))),
    }
}

/// The message as bytes. Its payload is encoded by the first who asks; the others share the bytes.
fn encoded<P: Serialize>(
    message: &Message<P>,
    format: WireFormat,
    bus: &MessageBus,
) -> Result<EncodedMessage, PortableError> {
    let name = message.origin.descriptor.name;
    let write = || {
        let limit = bus.limits().encoded_bound.get();
        let bytes = encode(message.data(), format, limit).map_err(|error| {
            let subject = Subject {
                part: "payload",
                message: name,
                ty: std::any::type_name::<P>(),
                format,
                limit,
            };
            PortableError::from_codec(error, &subject)
        })?;
        Ok(EncodedPayload::new(format, bytes))
    };
    let payload = match &message.body {
        Body::Inline(_) => write()?,
        Body::Shared(shared) => shared.encodings.get(format, write)?,
    };
    Ok(EncodedMessage {
        name: name.into(),
        endpoint: message
            .origin
            .endpoint
            .map(|endpoint| endpoint.name().into()),
        entity: message.entity.clone(),
        payload,
    })
}
