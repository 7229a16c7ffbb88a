//! The message bus: typed events and requests between dispatchers of one process.
//!
#![doc = include_str!("doc/guide.md")]
//!
//! # Where what is
//! `routing` decides who gets a message (pure) · `registry` and `inventory` know what is defined and registered · `snapshot` and `route` are what
//! senders read, and `kept` is where each thread keeps it · `trigger`, `request`, `send`, `everywhere` and `enqueue` deliver, `failure` tells of what went wrong · `presence` and `activity` know what is going on · `dispatcher` has the four kinds, their
//! queues and the pool · `reply_set` and `reply` carry answers · `codec` and [`portable`] are for messages that cross a border.
//! `observe` watches.

mod activity;
mod answer;
mod bus;
mod carried;
mod codec;
pub(crate) mod current;
mod definition;
mod dispatcher;
mod enqueue;
mod entity;
mod error;
mod everywhere;
mod failure;
mod handler;
mod handling;
mod id;
mod inventory;
mod kept;
mod limits;
#[expect(clippy::module_inception, reason = "one concept per file: the message")]
mod message;
mod observe;
pub mod portable;
mod presence;
mod publish;
mod queue;
mod registration;
mod registry;
mod reply;
mod reply_set;
mod report;
mod request;
mod route;
mod route_definition;
mod routing;
mod send;
mod snapshot;
mod trigger;
mod undefined;

pub use bus::MessageBus;
pub use codec::WireFormat;
pub use dispatcher::{Dispatcher, DispatcherBuilder, DispatcherKind, QueuePolicy};
pub use entity::Entity;
pub use error::{BusError, ReplyError};
pub use id::{EndpointId, EventId, MessageDescriptor, MessageId, MessageKind, RequestId};
pub use inventory::Listening;
pub use limits::BusLimits;
pub use message::Message;
pub use observe::{
    Delivery, Measurement, Observation, Observed, ObservedMessage, Outcome, ThreadLabel,
};
pub use portable::{
    EncodedMessage, EncodedPayload, EncodedReplies, EncodedReply, EncodedReplyError, MessageCodec,
    PortableError,
};
pub use queue::{MessageQueue, MessageQueueBuilder};
pub use reply::{AsCompleted, Replies, Reply};
pub use report::{
    APPLICATION_ENDPOINT, BusState, Counters, DispatchReport, DispatcherState, HANDLER_FAILED,
    HandlerFailed, HandlerPanicked, SLOW_HANDLER, SlowHandler, Undelivered,
};
