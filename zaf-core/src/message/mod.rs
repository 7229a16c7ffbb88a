//! The message bus: typed events and requests between dispatchers of one process.
//!
//! An **endpoint** is where messages are defined. An **event** is triggered *by* an endpoint and reaches every dispatcher
//! that matches; a **request** is sent *to* an endpoint, and each dispatcher that matches answers once. A dispatcher is
//! registered for messages, at all or some endpoints, for all or some entities, with a priority, and decides on which
//! thread its handler runs.
//!
//! ```
//! use std::time::Duration;
//! use zaf_core::message::{DispatcherKind, EndpointId, EventId, MessageBus, RequestId};
//!
//! const KITCHEN: EndpointId = EndpointId::new("kitchen", "Where meals come from.");
//! const SERVED: EventId<u32> = EventId::new("SERVED", "A table got its meal.");
//! const PRICE: RequestId<&'static str, u32> = RequestId::new("PRICE", "What a meal costs.");
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let bus = MessageBus::new();
//! bus.define(KITCHEN, &[SERVED.descriptor(), PRICE.descriptor()])?;
//! bus.dispatcher(DispatcherKind::Callback, "menu")
//!     .on(PRICE, |message, _bus| Ok(message.data().len() as u32))
//!     .register()?;
//!
//! let served = bus.message_queue(SERVED, KITCHEN)?;
//! bus.trigger_event(SERVED, KITCHEN, 7)?;
//! assert_eq!(*served.recv()?.data(), 7);
//!
//! let prices = bus.send_request(PRICE, KITCHEN, "soup")?;
//! assert_eq!(prices.values(Duration::from_secs(1))?, [4]);
//! bus.shutdown(Duration::from_secs(1))?;
//! # Ok(())
//! # }
//! ```
//!
//! # Promises
//! - No lock of the bus is held while foreign code runs: handlers, filters, and the `Drop` of payloads, answers and handlers.
//!   So a handler may trigger, send, register, deregister and destroy, itself included. The message in flight goes on with
//!   the receivers that it had at its start, minus those destroyed meanwhile.
//! - A handler that fails or panics never hides a message from the others, and its sender is not unwound.
//! - When `destroy` returns, no handler of that dispatcher runs or will start.
//! - Nothing grows without limit, and nothing is dropped without a counter.
//! - A wait inside a handler that could never end is refused ([`BusError::WouldDeadlock`], [`ReplyError::WouldDeadlock`]).
//!
//! # Where what is
//! `routing` decides who gets a message (pure) · `registry` knows what is defined and registered · `snapshot` and `route` are what
//! senders read · `send` and `enqueue` deliver, `failure` tells of what went wrong · `presence` and `activity` know what is going on · `dispatcher` has the four kinds, their
//! queues and the pool · `reply_set` and `reply` carry answers ·
//! `observe` watches.

mod activity;
mod bus;
mod current;
mod dispatcher;
mod enqueue;
mod entity;
mod error;
mod failure;
mod id;
mod limits;
#[expect(clippy::module_inception, reason = "one concept per file: the message")]
mod message;
mod observe;
mod presence;
mod publish;
mod queue;
mod registration;
mod registry;
mod reply;
mod reply_set;
mod report;
mod route;
mod route_definition;
mod routing;
mod send;
mod snapshot;

pub use bus::MessageBus;
pub use dispatcher::{Dispatcher, DispatcherBuilder, DispatcherKind, QueuePolicy};
pub use entity::Entity;
pub use error::{BusError, ReplyError};
pub use id::{EndpointId, EventId, MessageDescriptor, MessageId, MessageKind, RequestId};
pub use limits::BusLimits;
pub use message::Message;
pub use observe::{
    Delivery, Measurement, Observation, Observed, ObservedMessage, Outcome, ThreadLabel,
};
pub use queue::{MessageQueue, MessageQueueBuilder};
pub use reply::{AsCompleted, Replies, Reply};
pub use report::{
    APPLICATION_ENDPOINT, BusState, Counters, DispatchReport, DispatcherState, HANDLER_FAILED,
    HandlerFailed, HandlerPanicked, SLOW_HANDLER, SlowHandler, Undelivered,
};
