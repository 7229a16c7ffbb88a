//! Portable messages: bytes that become messages, and messages that become bytes.

mod by_name;
mod frames;
mod limits;
mod properties;
mod subscriptions;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use zaf_core::message::{
    EncodedMessage, EncodedPayload, EndpointId, EventId, MessageBus, RequestId, WireFormat,
};

pub(crate) const KITCHEN: EndpointId = EndpointId::new("kitchen", "Where meals come from.");
pub(crate) const CELLAR: EndpointId = EndpointId::new("cellar", "Where bottles come from.");

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) table: u32,
    pub(crate) meals: Vec<String>,
    pub(crate) note: Option<String>,
}

/// Needs names on the wire.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "kebab-case")]
pub(crate) enum Closing {
    Usual,
    Early { reason: String },
}

/// Defined at the kitchen.
pub(crate) const ORDERED: EventId<Order> =
    EventId::new("ORDERED", "A table wants something.").portable();
/// Defined at both endpoints.
pub(crate) const PRICE: RequestId<String, u64> =
    RequestId::new("PRICE", "What does it cost?").portable();
/// Defined at the kitchen.
pub(crate) const CLOSED: EventId<Closing> =
    EventId::new("CLOSED", "No more orders.").portable_as_json();
/// Defined at the kitchen, and not portable.
pub(crate) const HEATED: EventId<u32> = EventId::new("HEATED", "The stove is hot.");

/// How long a test waits for what has to happen; only a failing test waits that long.
pub(crate) const LONG: Duration = Duration::from_secs(20);

pub(crate) const FORMATS: [WireFormat; 2] = [WireFormat::Postcard, WireFormat::Json];

pub(crate) fn defined(bus: MessageBus) -> MessageBus {
    let kitchen = [
        ORDERED.descriptor(),
        PRICE.descriptor(),
        CLOSED.descriptor(),
        HEATED.descriptor(),
    ];
    bus.define(KITCHEN, &kitchen).unwrap();
    bus.define(CELLAR, &[PRICE.descriptor()]).unwrap();
    bus
}

pub(crate) fn bus() -> MessageBus {
    defined(MessageBus::new())
}

pub(crate) fn order() -> Order {
    Order {
        table: 7,
        meals: vec!["soup".to_owned(), "Klöße".to_owned()],
        note: Some("no salt".to_owned()),
    }
}

/// A value as a peer would encode it: with the libraries of the formats, not with ours.
pub(crate) fn payload<T: Serialize>(value: &T, format: WireFormat) -> EncodedPayload {
    let bytes = match format {
        WireFormat::Postcard => postcard::to_stdvec(value).unwrap(),
        WireFormat::Json => serde_json::to_vec(value).unwrap(),
        other => panic!("no peer knows {other}"),
    };
    EncodedPayload::new(format, bytes)
}

pub(crate) fn ordered(format: WireFormat) -> EncodedMessage {
    EncodedMessage::new("ORDERED", payload(&order(), format)).at("kitchen")
}

pub(crate) fn price(of: &str, format: WireFormat) -> EncodedMessage {
    EncodedMessage::new("PRICE", payload(&of, format)).at("kitchen")
}

/// The value of a payload, as a peer would decode it.
pub(crate) fn value<T: serde::de::DeserializeOwned>(payload: &EncodedPayload) -> T {
    match payload.format() {
        WireFormat::Postcard => postcard::from_bytes(payload.bytes()).unwrap(),
        WireFormat::Json => serde_json::from_slice(payload.bytes()).unwrap(),
        other => panic!("no peer knows {other}"),
    }
}
