//! What can be wrong with a message that somebody has as bytes.

use super::super::codec::CodecError;
use super::super::{BusError, MessageKind, WireFormat};

/// A message could not be taken from its bytes, or not be put into bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PortableError {
    /// The message is defined, but its declaration does not say that it may be put into bytes.
    #[error("message `{message}` is not portable; add `.portable()` where it is declared")]
    NotPortable {
        /// Name of the message.
        message: &'static str,
    },
    /// No endpoint defines a message of that name.
    #[error("message `{message}` is not defined{}", suggest(*nearest))]
    UnknownMessage {
        /// The name that was given.
        message: String,
        /// The portable message that is called nearly the same.
        nearest: Option<&'static str>,
    },
    /// Nobody defined an endpoint of that name.
    #[error("endpoint `{endpoint}` is not defined{}", suggest(*nearest))]
    UnknownEndpoint {
        /// The name that was given.
        endpoint: String,
        /// The endpoint that is called nearly the same.
        nearest: Option<&'static str>,
    },
    /// An event says which endpoint triggers it, and this one does not.
    #[error("event `{message}` names no endpoint; only a request may leave it out")]
    EndpointMissing {
        /// Name of the message.
        message: &'static str,
    },
    /// An event was to be sent, or a request triggered.
    #[error("message `{message}` is {} and not {}", kind(*actual), kind(*expected))]
    WrongKind {
        /// Name of the message.
        message: &'static str,
        /// What it is.
        actual: MessageKind,
        /// What it would have to be.
        expected: MessageKind,
    },
    /// The payload of the message has to be written in another format.
    #[error(
        "message `{message}` is declared with `.portable_as_json()`: it cannot be written as {format}, only as JSON"
    )]
    UnsupportedFormat {
        /// Name of the message.
        message: &'static str,
        /// The format that was asked for.
        format: WireFormat,
    },
    /// Payload, answer or frame is longer than allowed: see [`BusLimits::encoded_bound`](super::super::BusLimits).
    #[error("{what}: {actual} bytes, but at most {limit} are allowed")]
    TooLarge {
        /// What was too long, with the name of its message.
        what: String,
        /// Its length in bytes.
        actual: usize,
        /// The longest that is allowed, in bytes.
        limit: usize,
    },
    /// The bytes are no value of the type.
    #[error("{what}: not {expected} in {format}, wrong behind byte {at}: {problem}")]
    Undecodable {
        /// What was to be read, with the name of its message.
        what: String,
        /// The type that was expected.
        expected: &'static str,
        /// The format of the bytes.
        format: WireFormat,
        /// How many bytes were understood, or nearly so.
        at: usize,
        /// What is wrong there.
        problem: String,
    },
    /// A value was read, and something is left behind it.
    #[error("{what}: {extra} bytes too many behind {expected} in {format}")]
    TrailingBytes {
        /// What was read, with the name of its message.
        what: String,
        /// The type that was expected.
        expected: &'static str,
        /// The format of the bytes.
        format: WireFormat,
        /// How many bytes are left.
        extra: usize,
    },
    /// The value cannot be written in this format.
    #[error("{what}: {found} cannot be written as {format}: {problem}")]
    Unencodable {
        /// What was to be written, with the name of its message.
        what: String,
        /// Its type.
        found: &'static str,
        /// The format.
        format: WireFormat,
        /// What is wrong.
        problem: String,
    },
    /// The bus refused, as it would have refused the typed call.
    #[error(transparent)]
    Bus(#[from] BusError),
}

impl PortableError {
    /// Word for the kind of error, the same in all versions: for a peer that gets it over a wire together with the text.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotPortable { .. } => "not-portable",
            Self::UnknownMessage { .. } | Self::Bus(BusError::NoSuchMessage { .. }) => {
                "unknown-message"
            }
            Self::UnknownEndpoint { .. } | Self::Bus(BusError::NoSuchEndpoint { .. }) => {
                "unknown-endpoint"
            }
            Self::EndpointMissing { .. } => "endpoint-missing",
            Self::WrongKind { .. } => "wrong-kind",
            Self::UnsupportedFormat { .. } => "unsupported-format",
            Self::TooLarge { .. } => "too-large",
            Self::Undecodable { .. } => "undecodable",
            Self::TrailingBytes { .. } => "trailing-bytes",
            Self::Unencodable { .. } => "unencodable",
            Self::Bus(BusError::NotDefinedAt { .. }) => "not-defined-at",
            Self::Bus(BusError::NoReceiver { .. }) => "no-receiver",
            Self::Bus(BusError::RecursionLimit { .. }) => "recursion-limit",
            Self::Bus(BusError::Closed { .. }) => "closed",
            Self::Bus(_) => "refused",
        }
    }

    /// The error of a codec, told with what was being written or read.
    pub(crate) fn from_codec(error: CodecError, subject: &Subject<'_>) -> Self {
        let what = subject.to_string();
        let Subject { ty, format, .. } = *subject;
        match error {
            CodecError::TooLarge { actual } => Self::TooLarge {
                what,
                actual,
                limit: subject.limit,
            },
            CodecError::Unwritable { problem } => Self::Unencodable {
                what,
                found: ty,
                format,
                problem,
            },
            CodecError::Unreadable { at, problem } => Self::Undecodable {
                what,
                expected: ty,
                format,
                at,
                problem,
            },
            CodecError::Trailing { extra } => Self::TrailingBytes {
                what,
                expected: ty,
                format,
                extra,
            },
        }
    }
}

/// What is written or read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Subject<'a> {
    /// `payload`, `reply`, `frame`.
    pub(crate) part: &'static str,
    /// Name of the message; empty if there is none yet.
    pub(crate) message: &'a str,
    /// Name of the type.
    pub(crate) ty: &'static str,
    pub(crate) format: WireFormat,
    pub(crate) limit: usize,
}

impl std::fmt::Display for Subject<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.message.is_empty() {
            return f.write_str(self.part);
        }
        write!(f, "{} of `{}`", self.part, self.message)
    }
}

fn suggest(nearest: Option<&'static str>) -> String {
    nearest.map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

fn kind(kind: MessageKind) -> &'static str {
    match kind {
        MessageKind::Event => "an event",
        MessageKind::Request => "a request",
    }
}
