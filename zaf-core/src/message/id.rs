//! Names of messages and endpoints: constants, typed by what they carry.
//!
//! Identity is the name alone: two ids with one name and different descriptions are the same message.
//! A message may be declared portable; only then do its payload and its answer have to be serde types.
//! Endpoints, events and requests are different types, so none can be taken for another.

use std::any::TypeId;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::portable::{MessageCodec, codec_of};

/// Where messages are defined: sender of events, receiver of requests.
#[doc = include_str!("doc/endpoint.md")]
#[derive(Clone, Copy)]
pub struct EndpointId {
    name: &'static str,
    description: &'static str,
}

impl EndpointId {
    /// Declares an endpoint. `name` is unique within an application, lower case with dashes by custom.
    pub const fn new(name: &'static str, description: &'static str) -> Self {
        Self { name, description }
    }

    /// Name that identifies the endpoint.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// One sentence for lists and documentation.
    pub const fn description(&self) -> &'static str {
        self.description
    }
}

impl PartialEq for EndpointId {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for EndpointId {}

impl Hash for EndpointId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl fmt::Debug for EndpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EndpointId({})", self.name)
    }
}

impl fmt::Display for EndpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Whether somebody owes an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MessageKind {
    /// Nobody answers.
    Event,
    /// Each dispatcher that gets it answers once.
    Request,
}

/// What is known about a message without its types: for registries, lists and checks.
#[derive(Clone, Copy)]
pub struct MessageDescriptor {
    /// Name that identifies the message, upper case with underscores by custom.
    pub name: &'static str,
    /// One sentence for lists and documentation.
    pub description: &'static str,
    /// Event or request.
    pub kind: MessageKind,
    /// Type of the payload.
    pub payload: fn() -> TypeId,
    /// Name of the payload's type, for error messages.
    pub payload_name: fn() -> &'static str,
    /// Type of the reply; `()` for events.
    pub reply: fn() -> TypeId,
    /// Name of the reply's type, for error messages.
    pub reply_name: fn() -> &'static str,
    /// How payload and answer become bytes; none unless the declaration says that the message is portable.
    pub codec: Option<&'static MessageCodec>,
}

impl MessageDescriptor {
    /// Whether the message can be put into bytes.
    pub const fn is_portable(&self) -> bool {
        self.codec.is_some()
    }

    fn written_as(&self) -> String {
        let Some(codec) = self.codec else {
            return String::new();
        };
        let formats = codec.formats().iter().map(|format| format.name());
        format!(", as {}", formats.collect::<Vec<_>>().join(" or "))
    }
}

impl PartialEq for MessageDescriptor {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for MessageDescriptor {}

impl fmt::Debug for MessageDescriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?}({}: {} -> {}{})",
            self.kind,
            self.name,
            (self.payload_name)(),
            (self.reply_name)(),
            self.written_as(),
        )
    }
}

/// An event or a request. Implemented by [`EventId`] and [`RequestId`] only.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a message",
    label = "expected the constant of an `EventId<P>` or a `RequestId<P, R>`"
)]
pub trait MessageId: Copy + Send + Sync + 'static + sealed::Sealed {
    /// What the message carries.
    type Payload: Send + Sync + 'static;
    /// What each receiver answers; `()` for events.
    type Reply: Send + 'static;

    /// The message without its types.
    fn descriptor(&self) -> MessageDescriptor;
}

mod sealed {
    /// Closes [`super::MessageId`]: the bus relies on there being two kinds of message.
    pub trait Sealed {}
    impl<P> Sealed for super::EventId<P> {}
    impl<P, R> Sealed for super::RequestId<P, R> {}
}

/// A message that nobody answers, carrying a `P`.
///
/// `const` and cheap to copy; holds no payload.
#[doc = include_str!("doc/event.md")]
pub struct EventId<P> {
    name: &'static str,
    description: &'static str,
    codec: Option<&'static MessageCodec>,
    payload: PhantomData<fn() -> Box<P>>,
}

impl<P: Send + Sync + 'static> EventId<P> {
    /// Declares an event. `name` is unique within an application.
    pub const fn new(name: &'static str, description: &'static str) -> Self {
        Self {
            name,
            description,
            codec: None,
            payload: PhantomData,
        }
    }

    pub(crate) const fn is_portable(&self) -> bool {
        self.codec.is_some()
    }

    /// Like what was declared as `descriptor`, which has a `P`.
    pub(crate) const fn from_descriptor(descriptor: &MessageDescriptor) -> Self {
        Self {
            name: descriptor.name,
            description: descriptor.description,
            codec: descriptor.codec,
            payload: PhantomData,
        }
    }

    /// Makes the message portable: bridges, plugins in other processes and handlers in other languages can send and get it
    /// as an [`EncodedMessage`](super::EncodedMessage), in each [`WireFormat`](super::WireFormat). Its name and the layout of
    /// its payload are a promise from then on: see [the module](super::portable) for what may be changed.
    ///
    /// For payloads with `#[serde(tag)]`, `untagged`, `flatten` or `skip_serializing_if`, for recursive ones, and for those
    /// that grow over time: [`portable_as_json`](Self::portable_as_json).
    #[must_use]
    pub const fn portable(mut self) -> Self
    where
        P: Serialize + DeserializeOwned,
    {
        self.codec = Some(codec_of::event::<P>());
        self
    }

    /// As [`portable`](Self::portable), but only as [`WireFormat::Json`](super::WireFormat::Json), which writes the names of
    /// fields: any serde type can be read again, and a field with a default can be added.
    #[must_use]
    pub const fn portable_as_json(mut self) -> Self
    where
        P: Serialize + DeserializeOwned,
    {
        self.codec = Some(codec_of::json_event::<P>());
        self
    }

    /// Name that identifies the message.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The message without its types, usable in constants.
    pub const fn descriptor(&self) -> MessageDescriptor {
        MessageDescriptor {
            name: self.name,
            description: self.description,
            kind: MessageKind::Event,
            payload: TypeId::of::<P>,
            payload_name: std::any::type_name::<P>,
            reply: TypeId::of::<()>,
            reply_name: std::any::type_name::<()>,
            codec: self.codec,
        }
    }
}

impl<P: Send + Sync + 'static> MessageId for EventId<P> {
    type Payload = P;
    type Reply = ();

    fn descriptor(&self) -> MessageDescriptor {
        Self::descriptor(self)
    }
}

/// A message that each receiver answers with an `R`, carrying a `P`.
///
/// `const` and cheap to copy; holds no payload.
#[doc = include_str!("doc/request.md")]
pub struct RequestId<P, R> {
    name: &'static str,
    description: &'static str,
    codec: Option<&'static MessageCodec>,
    types: PhantomData<fn(Box<P>) -> Box<R>>,
}

impl<P: Send + Sync + 'static, R: Send + 'static> RequestId<P, R> {
    /// Declares a request. `name` is unique within an application.
    pub const fn new(name: &'static str, description: &'static str) -> Self {
        Self {
            name,
            description,
            codec: None,
            types: PhantomData,
        }
    }

    /// Like what was declared as `descriptor`, which has a `P` and an `R`.
    pub(crate) const fn from_descriptor(descriptor: &MessageDescriptor) -> Self {
        Self {
            name: descriptor.name,
            description: descriptor.description,
            codec: descriptor.codec,
            types: PhantomData,
        }
    }

    /// Makes the message portable, its answers included. See [`EventId::portable`].
    #[must_use]
    pub const fn portable(mut self) -> Self
    where
        P: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
    {
        self.codec = Some(codec_of::request::<P, R>());
        self
    }

    /// Makes the message portable as JSON only, its answers included. See [`EventId::portable_as_json`].
    #[must_use]
    pub const fn portable_as_json(mut self) -> Self
    where
        P: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
    {
        self.codec = Some(codec_of::json_request::<P, R>());
        self
    }

    /// Name that identifies the message.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The message without its types, usable in constants.
    pub const fn descriptor(&self) -> MessageDescriptor {
        MessageDescriptor {
            name: self.name,
            description: self.description,
            kind: MessageKind::Request,
            payload: TypeId::of::<P>,
            payload_name: std::any::type_name::<P>,
            reply: TypeId::of::<R>,
            reply_name: std::any::type_name::<R>,
            codec: self.codec,
        }
    }
}

impl<P: Send + Sync + 'static, R: Send + 'static> MessageId for RequestId<P, R> {
    type Payload = P;
    type Reply = R;

    fn descriptor(&self) -> MessageDescriptor {
        Self::descriptor(self)
    }
}

// Written out: a derive would ask `P` and `R` for the same traits.
impl<P> Clone for EventId<P> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<P> Copy for EventId<P> {}
impl<P> fmt::Debug for EventId<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventId({})", self.name)
    }
}
impl<P, R> Clone for RequestId<P, R> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<P, R> Copy for RequestId<P, R> {}
impl<P, R> fmt::Debug for RequestId<P, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestId({})", self.name)
    }
}
