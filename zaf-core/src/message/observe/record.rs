//! What an observation writes down of each message.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use super::super::{DispatcherKind, EndpointId, Entity, MessageDescriptor};

/// A thread as an observation names it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ThreadLabel {
    /// From 1, unique in the process, in the order in which threads were first seen.
    pub number: u64,
    /// Its name; `thread-N` if it has none.
    pub name: Arc<str>,
}

impl fmt::Display for ThreadLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// A message that was sent.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ObservedMessage {
    /// From 1, unique in the process, growing in the order of sending.
    pub number: u64,
    /// Which message.
    pub id: MessageDescriptor,
    /// Sender of an event, receiver of a request; none for a request to all endpoints.
    pub endpoint: Option<EndpointId>,
    /// What it is about.
    pub entity: Option<Entity>,
    /// Name of the dispatcher whose handler sent it; none if it was no handler, or one of a destroyed dispatcher.
    pub sender: Option<Arc<str>>,
    /// Number of the message that was being handled by the sender; none if it was no handler, or if that message was sent
    /// before the observation began.
    pub parent: Option<u64>,
    /// The sender's thread.
    pub thread: ThreadLabel,
    /// When it was sent.
    pub sent: Instant,
}

/// What became of a message at one of its receivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// The handler succeeded.
    Handled,
    /// The handler returned an error.
    Failed,
    /// The handler panicked.
    Panicked,
    /// The dispatcher was destroyed before its handler began.
    Cancelled,
    /// Pushed out of the queue by a newer message.
    Dropped,
    /// The queue was full.
    Rejected,
}

impl Outcome {
    /// One word, lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Handled => "handled",
            Self::Failed => "failed",
            Self::Panicked => "panicked",
            Self::Cancelled => "cancelled",
            Self::Dropped => "dropped",
            Self::Rejected => "rejected",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A message at one of its receivers, from hand-over to end.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Delivery {
    /// The message.
    pub message: Arc<ObservedMessage>,
    /// Name of the dispatcher.
    pub receiver: Arc<str>,
    /// Its kind.
    pub kind: DispatcherKind,
    /// When it was handed over: to the handler of a callback, or to the queue.
    pub accepted: Instant,
    /// When its handler began, and on which thread; none if it never did.
    pub begun: Option<(Instant, ThreadLabel)>,
    /// When its handler had ended, or when it was clear that there would be none.
    pub ended: Instant,
    /// How it ended.
    pub outcome: Outcome,
    /// The error with its causes on one line, the text of the panic, or why it was rejected.
    pub error: Option<String>,
    /// Messages in the receiver's queue, this one included, when it had been put there; 0 for callbacks.
    pub queued: usize,
    /// Messages in the receiver's queue when the handler began; 0 for callbacks.
    pub queued_at_begin: usize,
}

/// One entry of an observation.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Observed {
    /// A message has been handed over to all its receivers. Comes after the [`Delivered`](Self::Delivered) of its callbacks;
    /// those of queues may come before or after it.
    Sent {
        /// The message.
        message: Arc<ObservedMessage>,
        /// Names of the dispatchers that were to get it, in order of hand-over; empty if nobody was.
        receivers: Vec<Arc<str>>,
        /// When the last of them had it.
        handed_over: Instant,
    },
    /// A message has come to its end at one receiver.
    Delivered(Delivery),
    /// A message was not taken at all, and its sender got an error: nobody defined it, or not like this; it was one inside too
    /// many others; the bus has ended.
    Refused {
        /// The message, with the names and types that its sender used.
        message: Arc<ObservedMessage>,
        /// The error that the sender got.
        error: String,
    },
}
