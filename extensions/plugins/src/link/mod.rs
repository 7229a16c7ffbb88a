//! One running plugin, whatever it is made of.
//!
//! A link knows the protocol and what runs behind it, nothing of the bus: what a plugin asks of its host goes to [`Calls`]. It is
//! made from a [`Launch`].

mod check;
mod command;
mod error;
mod gate;
mod launch;
mod library;
mod patience;
mod printable;
mod process;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use zaf_core::message::{EncodedMessage, EncodedPayload, EncodedReply, MessageKind};

pub use check::{CheckReport, Finding, KindOf, Outcome, check_library_plugin, check_program};
pub use command::{
    CHECKED_PLUGIN, PLUGIN_CHECK_COMMAND, PLUGIN_COMMAND, PluginCheck, plugin, plugin_check,
};
pub use error::{LinkError, LinkProblem, Step, Written};
pub use launch::{Deadlines, Launch};
pub use library::{ABI, LibraryLink, Refusal, check as check_library, serve_probe};
pub use process::ProcessLink;

use crate::protocol::Description;
pub use crate::protocol::{CallError, LogLevel};

/// One running plugin: a process that speaks the protocol on its standard input and output, or a C library.
///
/// All functions block until the plugin is done, or the deadline of that step has passed. They may be called by several threads at
/// once. After an error that [is fatal](LinkError::is_fatal) the plugin is gone and nothing of it is left: every further call
/// returns the same reason at once, and the host may make another link.
pub trait Link: Send + Sync + fmt::Debug {
    /// What the plugin said about itself; validated.
    fn description(&self) -> &Description;

    /// Begins: from here on messages may be delivered, and the plugin may call. Once, before the first delivery.
    ///
    /// # Errors
    /// [`LinkProblem::Refused`] with what the plugin says, and all that kills it.
    fn start(&self, start: &Start, calls: Arc<dyn Calls>) -> Result<(), LinkError>;

    /// Hands one message to one of the plugin's dispatchers and waits until it has been handled. Returns the answer to a request,
    /// none for an event.
    ///
    /// What the plugin asks of the host on behalf of this message is carried out by the calling thread before this returns.
    ///
    /// # Errors
    /// [`LinkProblem::Refused`] if the handler failed, which is not fatal; and all that kills the plugin.
    fn deliver(&self, delivery: &Delivery<'_>) -> Result<Option<EncodedPayload>, LinkError>;

    /// Ends: asks the plugin to, and if it does not within its deadline, ends it. Nothing of it is left afterwards, whatever is
    /// returned. A second call does nothing.
    ///
    /// # Errors
    /// How it ended, if not as it should.
    fn stop(&self) -> Result<(), LinkError>;
}

/// What a plugin asks of its host. Called by the thread that waits in [`Link::deliver`] for the message on whose behalf it is, or
/// by a thread of the link.
pub trait Calls: Send + Sync {
    /// Triggers an event.
    ///
    /// # Errors
    /// Why not; given to the plugin.
    fn trigger(&self, event: &EncodedMessage) -> Result<(), CallError>;

    /// Sends a request and waits for all answers, at most `timeout` (none: as long as the host thinks right).
    ///
    /// # Errors
    /// Why not; given to the plugin.
    fn send(
        &self,
        request: &EncodedMessage,
        timeout: Option<Duration>,
    ) -> Result<Vec<EncodedReply>, CallError>;

    /// Writes to the log in the name of the plugin: what it says in frames, and the lines of its standard error.
    fn log(&self, level: LogLevel, text: &str);
}

/// What a plugin is given when it starts.
#[derive(Clone, Default)]
pub struct Start {
    /// Values of the options that it asked for, by key; those without a value are missing.
    pub config: BTreeMap<String, Value>,
    /// The entity that this instance is for.
    pub entity: Option<String>,
}

impl fmt::Debug for Start {
    /// Without the values: there may be secrets among them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Start")
            .field("config", &self.config.keys())
            .field("entity", &self.entity)
            .finish()
    }
}

/// A message for one dispatcher of a plugin.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    /// Name of the dispatcher in the description.
    pub dispatcher: &'a str,
    /// Whether an answer is expected.
    pub kind: MessageKind,
    /// Name, endpoint, entity and payload.
    pub message: &'a EncodedMessage,
}
