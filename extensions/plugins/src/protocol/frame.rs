//! The frames of both directions, without a word about how they are written.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use zaf_core::message::{EncodedMessage, EncodedPayload, EncodedReply, MessageKind};

use super::{CallError, Codec, Description};

/// What the host writes. Ids are the host's: the plugin repeats one in what it answers.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ToPlugin<'a> {
    /// What are you? Always the first frame, always as a line of JSON, always with id 1.
    Describe {
        /// To be repeated in the description.
        id: u64,
        /// The version that the host speaks.
        protocol: u32,
        /// Who asks.
        host: HostName,
        /// How frames may be written from then on.
        codecs: Vec<Codec>,
    },
    /// Begin. Answered with done or error.
    Start {
        /// To be repeated in the answer.
        id: u64,
        /// Values of options by key.
        config: Cow<'a, BTreeMap<String, Value>>,
        /// The entity that this instance is for.
        entity: Option<Cow<'a, str>>,
    },
    /// An event, answered with done or error, or a request, answered with reply or error.
    Message {
        /// To be repeated in the answer.
        id: u64,
        /// Which of the two.
        kind: MessageKind,
        /// For which dispatcher of the plugin.
        dispatcher: Cow<'a, str>,
        /// Name, endpoint, entity and payload.
        message: Cow<'a, EncodedMessage>,
    },
    /// All answers to a request that the plugin sent.
    Replies {
        /// The plugin's id of its call.
        id: u64,
        /// One for each dispatcher that got it, in order of execution.
        replies: Vec<ReplyEntry>,
    },
    /// An event that the plugin triggered has been triggered.
    Done {
        /// The plugin's id of its call.
        id: u64,
    },
    /// The plugin's call was not carried out.
    Error {
        /// The plugin's id of its call.
        id: u64,
        /// Why.
        error: CallError,
    },
    /// End. Answered with stopped, after which the plugin ends.
    Stop {
        /// To be repeated in the answer.
        id: u64,
    },
}

/// Who asks a plugin what it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostName {
    /// Name of the program.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// The answer of one dispatcher to a request that a plugin sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyEntry {
    /// Name of the dispatcher.
    pub handler: String,
    /// What it answered, or why it did not.
    pub result: Result<EncodedPayload, CallError>,
}

impl From<EncodedReply> for ReplyEntry {
    fn from(reply: EncodedReply) -> Self {
        Self {
            handler: reply.handler.to_string(),
            result: reply.result.map_err(|error| CallError::from(&error)),
        }
    }
}

/// What a plugin writes. The ids of its calls are its own.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum FromPlugin {
    /// What it is. Always as a line of JSON; its codec is that of all frames behind it, in both directions.
    Description {
        /// That of describe.
        id: u64,
        /// What it is.
        plugin: Box<Description>,
    },
    /// It has begun, or handled an event.
    Done {
        /// That of start or event.
        id: u64,
    },
    /// Its answer to a request.
    Reply {
        /// That of the request.
        id: u64,
        /// The answer.
        payload: EncodedPayload,
    },
    /// It did not do what it was asked to.
    Error {
        /// That of what it is about; none for a frame that it did not understand.
        id: Option<u64>,
        /// What happened.
        text: String,
        /// More of it, from the outer to the inner cause.
        causes: Vec<String>,
    },
    /// Trigger an event. With an id answered with done or error; without one an error is written to the log.
    Trigger {
        /// Its own.
        id: Option<u64>,
        /// Id of the message on whose behalf it is.
        during: Option<u64>,
        /// Name, endpoint, entity and payload.
        message: EncodedMessage,
    },
    /// Send a request. Answered with replies or error.
    Send {
        /// Its own.
        id: u64,
        /// Id of the message on whose behalf it is.
        during: Option<u64>,
        /// Name, endpoint, entity and payload.
        message: EncodedMessage,
        /// How long to wait for answers.
        timeout: Option<Duration>,
    },
    /// Write to the log.
    Log {
        /// How bad it is.
        level: LogLevel,
        /// What is to be written.
        text: String,
    },
    /// It ends.
    Stopped {
        /// That of stop.
        id: u64,
    },
}

impl FromPlugin {
    /// Its type, for texts.
    pub(crate) fn article_and_type(&self) -> &'static str {
        match self {
            Self::Description { .. } => "a `description`",
            Self::Done { .. } => "a `done`",
            Self::Reply { .. } => "a `reply`",
            Self::Error { .. } => "an `error`",
            Self::Trigger { .. } => "a `trigger`",
            Self::Send { .. } => "a `send`",
            Self::Log { .. } => "a `log`",
            Self::Stopped { .. } => "a `stopped`",
        }
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum LogLevel {
    /// For authors, each step.
    Trace,
    /// For authors.
    Debug,
    /// For users.
    Info,
    /// Something is not as it should be.
    Warn,
    /// Something failed.
    Error,
}
