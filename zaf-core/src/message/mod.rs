//! The message bus: typed events and requests between dispatchers of one process.

mod entity;
mod id;

pub use entity::Entity;
pub use id::{EndpointId, EventId, MessageDescriptor, MessageId, MessageKind, RequestId};

/// On which thread a handler runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DispatcherKind {
    /// The sender's, before the trigger returns.
    Callback,
    /// One at a time, in the order received.
    Sequential,
    /// A fixed number of workers.
    ThreadPool,
    /// One at once for each message, from a shared elastic pool.
    Concurrent,
}

/// A dispatcher under construction.
#[derive(Debug)]
pub struct DispatcherBuilder {}
