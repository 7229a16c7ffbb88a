//! What happens when a queue is full.

use std::time::Duration;

/// What happens to a message that finds the queue full.
#[doc = include_str!("../doc/queue_policy.md")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum QueuePolicy {
    /// The sender waits for room, at most this long; then the message is refused.
    Block {
        /// Longest wait.
        deadline: Duration,
    },
    /// The message is refused: an error in the sender's report or reply, and counted.
    Reject,
    /// The oldest queued message makes room and is counted; if it was a request, its reply is an error.
    DropOldest,
}

/// Why a message was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    Full,
    Closed,
    /// Waiting for room would have been waiting for oneself.
    WouldDeadlock,
}
