//! Messages as bytes: for bridges, plugins in other processes and handlers in other languages.
//!
//! A message whose declaration ends in `.portable()` has a second form, an [`EncodedMessage`]: name, endpoint, entity and the
//! payload as bytes. Whoever has one triggers it ([`MessageBus::trigger_encoded`](super::MessageBus::trigger_encoded)) or sends it
//! ([`MessageBus::send_encoded`](super::MessageBus::send_encoded)); whoever wants one registers for it
//! ([`DispatcherBuilder::on_encoded`](super::DispatcherBuilder::on_encoded),
//! [`answer_encoded`](super::DispatcherBuilder::answer_encoded)). Inside the bus there is only the typed message: routing,
//! priorities, threads and failures are the same for all, and who speaks types does not notice who speaks bytes.
//!
//! A complete bridge between two buses. Between two processes a socket would be in the middle:
//!
//! ```
//! use std::time::Duration;
//!
//! use serde::{Deserialize, Serialize};
//! use zaf_core::message::{
//!     DispatcherKind, EncodedMessage, EndpointId, EventId, MessageBus, RequestId, WireFormat,
//! };
//!
//! #[derive(Debug, PartialEq, Serialize, Deserialize)]
//! struct Order {
//!     table: u32,
//!     meal: String,
//! }
//!
//! const KITCHEN: EndpointId = EndpointId::new("kitchen", "Where meals come from.");
//! const ORDERED: EventId<Order> = EventId::new("ORDERED", "A table wants a meal.").portable();
//! const PRICE: RequestId<String, u32> = RequestId::new("PRICE", "What a meal costs.").portable();
//!
//! /// What a frame may carry.
//! const LIMIT: usize = 1 << 20;
//!
//! fn bus() -> Result<MessageBus, Box<dyn std::error::Error>> {
//!     let bus = MessageBus::new();
//!     bus.define(KITCHEN, &[ORDERED.descriptor(), PRICE.descriptor()])?;
//!     Ok(bus)
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // The far side: ordinary extensions.
//! let far = bus()?;
//! let orders = far.message_queue(ORDERED, KITCHEN)?;
//! far.dispatcher(DispatcherKind::Callback, "menu")
//!     .on(PRICE, |message, _bus| Ok(message.data().len() as u32))
//!     .register()?;
//!
//! // The near side: the bridge knows names, no types.
//! let near = bus()?;
//! let (events, requests) = (far.clone(), far.clone());
//! near.dispatcher(DispatcherKind::Sequential, "bridge")
//!     .endpoints([KITCHEN])
//!     .on_encoded(["ORDERED"], WireFormat::Postcard, move |message, _bus| {
//!         let frame = message.to_bytes(WireFormat::Postcard, LIMIT)?;
//!         // … here the frame would cross the border …
//!         let message = EncodedMessage::from_bytes(&frame, WireFormat::Postcard, LIMIT)?;
//!         events.trigger_encoded(&message)?;
//!         Ok(())
//!     })?
//!     .answer_encoded(["PRICE"], WireFormat::Json, move |message, _bus| {
//!         let mut replies = requests.send_encoded(message)?;
//!         let reply = replies.next(Duration::from_secs(1));
//!         let reply = reply.ok_or_else(|| zaf_core::Error::msg("nobody over there knows the price"))?;
//!         Ok(reply.result?)
//!     })?
//!     .register()?;
//!
//! near.trigger_event(ORDERED, KITCHEN, Order { table: 7, meal: "soup".to_owned() })?;
//! assert_eq!(orders.recv()?.data(), &Order { table: 7, meal: "soup".to_owned() });
//!
//! let prices = near.send_request(PRICE, KITCHEN, "soup".to_owned())?;
//! assert_eq!(prices.values(Duration::from_secs(1))?, [4]);
//! # Ok(())
//! # }
//! ```
//!
//! # What is promised on the wire
//! The **name** of a portable message stands for its meaning and its layout. What may change depends on how it is declared:
//!
//! | | [`portable`](super::EventId::portable) | [`portable_as_json`](super::EventId::portable_as_json) |
//! |---|---|---|
//! | formats | postcard, JSON | JSON |
//! | what the payload's type may be | structs, enums, collections; no `#[serde(tag)]`, `untagged`, `flatten`, `skip_serializing_if`; not recursive | any that serde can write and read |
//! | a new field | is a new message | fine with `#[serde(default)]` |
//! | a new variant of an enum | at the end | anywhere; old readers refuse it |
//! | another order of fields | is a new message | fine |
//! | another name of a field | breaks JSON | is a new message |
//!
//! There is no fingerprint of the layout: serde does not show it, and a guess that is wrong in both directions is worse than a
//! test. Keep the bytes of an example in a test of the crate that declares the message.
//!
//! # Limits
//! Bytes come from somebody else. A payload or an answer may have
//! [`BusLimits::encoded_bound`](super::BusLimits) bytes, checked before it is decoded and while it is encoded, so that neither
//! side is made to keep more bytes. What a type makes of its bytes is its own affair: a list takes as many elements as there are bytes
//! for, and an element may be many times larger in memory (a `None` of a large type is one byte). A list of things that take no
//! bytes, `Vec<()>`, has any length that a peer claims, and a type that contains itself goes as deep as the bytes say in postcard
//! (JSON ends at 128): neither belongs into a message that is portable in postcard.
//!
//! # What it costs
//! A message that is not portable: nothing when it is sent, one word more in its constant. A portable one that nobody wants as
//! bytes: no allocation, but its way into the bus now has two callers and is no longer merged into either (some thirty
//! instructions). One that somebody wants: its payload is shared, and encoded once per format by the first of them whose
//! handler runs, on its thread.

mod by_name;
pub(crate) mod codec_of;
mod encoded;
mod encodings;
mod error;
mod reply;

pub use codec_of::MessageCodec;
pub use encoded::{EncodedMessage, EncodedPayload};
pub(crate) use encodings::Encodings;
pub use error::PortableError;
pub use reply::{EncodedReplies, EncodedReply, EncodedReplyError};
