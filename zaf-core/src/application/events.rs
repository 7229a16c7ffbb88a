//! Events of the application itself, on [`APPLICATION_ENDPOINT`](crate::message::APPLICATION_ENDPOINT).
//!
//! Order of one run: [`BEFORE_COMMAND`], the command, [`AFTER_COMMAND`]; the latter always, also when the command or a
//! handler of the former failed. [`ABORT`] and [`CRITICAL_ABORT`] can come at any time in between and are triggered on a
//! thread of their own, so a handler may block without delaying the next signal.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::ExitCode;
use crate::message::EventId;

/// The command is about to run.
pub const BEFORE_COMMAND: EventId<CommandStarting> =
    EventId::new("BEFORE_COMMAND", "The command is about to run.").portable_as_json();

/// The command has ended; components of the session still exist.
pub const AFTER_COMMAND: EventId<CommandEnded> =
    EventId::new("AFTER_COMMAND", "The command has ended.").portable_as_json();

/// Stop early: finish what runs, start nothing new. First SIGINT, SIGTERM or SIGHUP, or somebody's wish.
pub const ABORT: EventId<Abort> = EventId::new(
    "ABORT",
    "Finish what runs, start nothing new, then end the command.",
)
.portable_as_json();

/// Stop at once: kill what runs, keep only what is needed to report. Second signal, SIGQUIT, or the grace after SIGTERM is over.
pub const CRITICAL_ABORT: EventId<Abort> = EventId::new(
    "CRITICAL_ABORT",
    "Kill what runs and end the command as fast as reports allow.",
)
.portable_as_json();

/// Payload of [`BEFORE_COMMAND`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandStarting {
    /// Words of the command from the outermost parent, with blanks between.
    pub command: Arc<str>,
}

/// Payload of [`AFTER_COMMAND`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandEnded {
    /// Words of the command from the outermost parent, with blanks between.
    pub command: Arc<str>,
    /// How it ended, as far as is known before the teardown.
    pub exit_code: ExitCode,
}

/// Payload of [`ABORT`] and [`CRITICAL_ABORT`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Abort {
    /// Why, as a fragment for a person: "SIGINT received", "a case failed and abort.on.fail is set".
    pub reason: Arc<str>,
    /// Number of the signal that asked for it, if one did.
    #[serde(default)]
    pub signal: Option<i32>,
}

impl Abort {
    /// A wish to abort that no signal caused.
    pub fn because(reason: impl Into<Arc<str>>) -> Self {
        Self {
            reason: reason.into(),
            signal: None,
        }
    }
}

impl fmt::Display for Abort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}
