//! Answers as bytes, and the reasons for having none as data.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::super::codec::encode;
use super::super::{AsCompleted, Replies, Reply, ReplyError, WireFormat};
use super::error::Subject;
use super::{EncodedPayload, PortableError};

/// The answer of one dispatcher as bytes. With serde it crosses a border as it is, errors included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EncodedReply {
    /// Name of the dispatcher.
    pub handler: Arc<str>,
    /// What its handler returned, or why there is nothing.
    pub result: Result<EncodedPayload, EncodedReplyError>,
}

/// Why a request has no value from one of its receivers: a [`ReplyError`] as data, and two that only bytes know.
///
/// A handler that asked another process can return it as its own error; the sender then finds it with
/// [`Error::downcast_ref`](crate::Error::downcast_ref). Variants are only added, at the end: their order is part of the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum EncodedReplyError {
    /// The obligation to answer was dropped.
    #[error("never answered")]
    Abandoned,
    /// The handler panicked.
    #[error("panicked: {message}")]
    Panicked {
        /// Text of the panic.
        message: String,
    },
    /// The handler returned an error.
    #[error("{}", causes.join(": "))]
    Failed {
        /// The error and its causes, outermost first; never empty if it comes from a bus.
        causes: Vec<String>,
        /// The hints of that error.
        hints: Vec<String>,
    },
    /// The dispatcher was destroyed before its handler began.
    #[error("was destroyed before it handled the request")]
    Cancelled,
    /// The queue was full, or the request had to make room for a newer message.
    #[error("did not take the request: its queue of {bound} messages is full")]
    Rejected {
        /// Bound of its queue.
        bound: u64,
    },
    /// No answer in time.
    #[error("did not answer within {after:?}")]
    TimedOut {
        /// How long was waited.
        after: Duration,
    },
    /// The caller ran on the very worker that would have had to answer.
    #[error("would have had to answer the worker that it runs on")]
    WouldDeadlock,
    /// It answered, with more bytes than are allowed: see [`BusLimits::encoded_bound`](super::super::BusLimits).
    #[error("answered with {actual} bytes, but at most {limit} are allowed")]
    TooLarge {
        /// Length of the answer in bytes.
        actual: u64,
        /// The longest that is allowed, in bytes.
        limit: u64,
    },
    /// It answered with something that cannot be put into bytes.
    #[error("answered with what cannot be put into bytes: {problem}")]
    Unencodable {
        /// What is wrong.
        problem: String,
    },
    /// An error that this version of the program does not know.
    #[error("failed: {text}")]
    Other {
        /// What it says.
        text: String,
    },
}

impl From<&ReplyError> for EncodedReplyError {
    fn from(error: &ReplyError) -> Self {
        match error {
            ReplyError::Abandoned { .. } => Self::Abandoned,
            ReplyError::Panicked { message, .. } => Self::Panicked {
                message: message.clone(),
            },
            ReplyError::Failed { source, hints, .. } => {
                let first: &(dyn std::error::Error + 'static) = &**source;
                let chain = std::iter::successors(Some(first), |error| error.source());
                Self::Failed {
                    causes: chain.map(ToString::to_string).collect(),
                    hints: hints.clone(),
                }
            }
            ReplyError::Cancelled { .. } => Self::Cancelled,
            ReplyError::Rejected { bound, .. } => Self::Rejected {
                bound: *bound as u64,
            },
            ReplyError::TimedOut { after, .. } => Self::TimedOut { after: *after },
            ReplyError::WouldDeadlock { .. } => Self::WouldDeadlock,
            ReplyError::Deadlock { .. } => Self::Other {
                text: error.to_string(),
            },
        }
    }
}

impl From<PortableError> for EncodedReplyError {
    fn from(error: PortableError) -> Self {
        match error {
            PortableError::TooLarge { actual, limit, .. } => Self::TooLarge {
                actual: actual as u64,
                limit: limit as u64,
            },
            PortableError::Unencodable { problem, .. } => Self::Unencodable { problem },
            other => Self::Other {
                text: other.to_string(),
            },
        }
    }
}

/// How an answer becomes bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Writing {
    pub(crate) message: &'static str,
    pub(crate) format: WireFormat,
    pub(crate) limit: usize,
}

impl Writing {
    fn reply<R: Serialize>(self, reply: Reply<R>) -> EncodedReply {
        let Reply { handler, result } = reply;
        let result = match &result {
            Ok(value) => self.value(value).map_err(EncodedReplyError::from),
            Err(error) => Err(EncodedReplyError::from(error)),
        };
        EncodedReply { handler, result }
    }

    fn value<R: Serialize>(self, value: &R) -> Result<EncodedPayload, PortableError> {
        let Self {
            message,
            format,
            limit,
        } = self;
        let subject = Subject {
            part: "reply",
            message,
            ty: std::any::type_name::<R>(),
            format,
            limit,
        };
        let bytes = encode(value, format, limit)
            .map_err(|error| PortableError::from_codec(error, &subject))?;
        Ok(EncodedPayload::new(format, bytes))
    }
}

/// [`Replies`] of a type that is not known here.
trait AnyReplies: Send {
    fn len(&self) -> usize;
    fn next(&mut self, timeout: Duration) -> Option<EncodedReply>;
    fn all(self: Box<Self>, timeout: Duration) -> Vec<EncodedReply>;
    fn as_completed(
        self: Box<Self>,
        timeout: Duration,
    ) -> Box<dyn Iterator<Item = EncodedReply> + Send>;
}

struct Typed<R> {
    replies: Replies<R>,
    writing: Writing,
}

impl<R: Serialize + Send + 'static> AnyReplies for Typed<R> {
    fn len(&self) -> usize {
        self.replies.len()
    }

    fn next(&mut self, timeout: Duration) -> Option<EncodedReply> {
        let reply = self.replies.next(timeout)?;
        Some(self.writing.reply(reply))
    }

    fn all(self: Box<Self>, timeout: Duration) -> Vec<EncodedReply> {
        let replies = self.replies.all(timeout).into_iter();
        replies.map(|reply| self.writing.reply(reply)).collect()
    }

    fn as_completed(
        self: Box<Self>,
        timeout: Duration,
    ) -> Box<dyn Iterator<Item = EncodedReply> + Send> {
        let writing = self.writing;
        let replies: AsCompleted<R> = self.replies.as_completed(timeout);
        Box::new(replies.map(move |reply| writing.reply(reply)))
    }
}

/// All answers to one encoded request, one for each dispatcher that got it, in the format of the request's payload.
///
/// Order, time-outs and what happens to late answers are those of [`Replies`]. Answers are encoded when they are taken.
pub struct EncodedReplies {
    inner: Box<dyn AnyReplies>,
}

impl EncodedReplies {
    pub(crate) fn new<R: Serialize + Send + 'static>(
        replies: Replies<R>,
        writing: Writing,
    ) -> Self {
        Self {
            inner: Box::new(Typed { replies, writing }),
        }
    }

    /// Number of answers that have not been taken.
    pub fn len(&self) -> usize {
        self.inner.len()
    }

    /// Whether all answers have been taken.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The next answer in order of execution. See [`Replies::next`].
    pub fn next(&mut self, timeout: Duration) -> Option<EncodedReply> {
        self.inner.next(timeout)
    }

    /// All answers that have not been taken, in order of execution. See [`Replies::all`].
    pub fn all(self, timeout: Duration) -> Vec<EncodedReply> {
        self.inner.all(timeout)
    }

    /// The answers in order of completion. See [`Replies::as_completed`].
    pub fn as_completed(self, timeout: Duration) -> impl Iterator<Item = EncodedReply> + Send {
        self.inner.as_completed(timeout)
    }
}

impl fmt::Debug for EncodedReplies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncodedReplies")
            .field("expected", &self.len())
            .finish_non_exhaustive()
    }
}
