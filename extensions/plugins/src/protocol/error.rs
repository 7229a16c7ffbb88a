//! What is wrong with a frame, and why a host does not do what a plugin asks for.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use zaf_core::message::{EncodedReplyError, PortableError};

/// Bytes are not a frame of the protocol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// Longer than [`limits::FRAME`](super::limits::FRAME).
    #[error("a frame of {actual} bytes, but at most {limit} are allowed")]
    TooLong {
        /// Its length, as far as it was read or as it says.
        actual: usize,
        /// The longest that is allowed.
        limit: usize,
    },
    /// Deeper than [`limits::DEPTH`](super::limits::DEPTH).
    #[error("more than {limit} objects and lists in one another, at byte {at}")]
    TooDeep {
        /// Where, from 0.
        at: usize,
        /// The deepest that is allowed.
        limit: usize,
    },
    /// A string longer than [`limits::STRING`](super::limits::STRING).
    #[error("a string of {actual} bytes at byte {at}, but at most {limit} are allowed")]
    LongString {
        /// Where it begins, from 0.
        at: usize,
        /// Its length.
        actual: usize,
        /// The longest that is allowed.
        limit: usize,
    },
    /// Not a JSON object with the fields of a frame.
    #[error("not a JSON object with the fields of a frame: {problem}")]
    NotJson {
        /// What the parser says.
        problem: String,
    },
    /// A type of frame that there is not, or not in this direction.
    #[error("no frame is of type `{found}`; there are {expected}")]
    UnknownType {
        /// What was found.
        found: String,
        /// The types of this direction.
        expected: &'static str,
    },
    /// A frame lacks a field.
    #[error("a frame of type `{frame}` needs the field `{field}`")]
    Missing {
        /// Type of the frame.
        frame: &'static str,
        /// What it lacks.
        field: &'static str,
    },
    /// A field has a wrong value.
    #[error("the field `{field}` of a frame of type `{frame}` is wrong: {problem}")]
    Wrong {
        /// Type of the frame.
        frame: &'static str,
        /// Which field, with the way to it: `plugin.options[2].type`.
        field: Cow<'static, str>,
        /// What is wrong with it.
        problem: String,
    },
    /// It speaks another version of the protocol.
    #[error("version {found} of the plugin protocol, where version {expected} is spoken")]
    OtherProtocol {
        /// What was found.
        found: u32,
        /// What was expected.
        expected: u32,
    },
    /// A binary frame ends within a field.
    #[error("ends within {what}")]
    Truncated {
        /// Which field.
        what: &'static str,
    },
    /// A text of a binary frame is not UTF-8.
    #[error("{what} is not UTF-8, wrong at byte {at} of it")]
    NotUtf8 {
        /// Which field.
        what: &'static str,
        /// How many bytes of it are.
        at: usize,
    },
    /// What is to be written cannot be written with this codec.
    #[error("a payload in {format} cannot be written with the codec `json`")]
    Unwritable {
        /// Format of the payload.
        format: &'static str,
    },
}

/// Why the host did not do what a plugin asked for, or has no answer for it: data for the plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{text}")]
#[non_exhaustive]
pub struct CallError {
    /// Word for the kind of error, the same in all versions: those of [`PortableError::code`], `timed-out`, `panicked`, `failed`
    /// and so on for answers, `refused` for everything else.
    pub code: String,
    /// What happened.
    pub text: String,
}

impl CallError {
    /// An error of this kind.
    pub fn new(code: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            text: text.into(),
        }
    }
}

impl From<&PortableError> for CallError {
    fn from(error: &PortableError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl From<&EncodedReplyError> for CallError {
    fn from(error: &EncodedReplyError) -> Self {
        let code = match error {
            EncodedReplyError::Abandoned => "abandoned",
            EncodedReplyError::Panicked { .. } => "panicked",
            EncodedReplyError::Failed { .. } => "failed",
            EncodedReplyError::Cancelled => "cancelled",
            EncodedReplyError::Rejected { .. } => "rejected",
            EncodedReplyError::TimedOut { .. } => "timed-out",
            EncodedReplyError::WouldDeadlock => "would-deadlock",
            EncodedReplyError::TooLarge { .. } => "too-large",
            EncodedReplyError::Unencodable { .. } => "unencodable",
            _ => "refused",
        };
        Self::new(code, error.to_string())
    }
}
