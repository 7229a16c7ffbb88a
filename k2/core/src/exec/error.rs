//! What can go wrong with a command.

use std::time::Duration;

use thiserror::Error;

use super::Expected;
use crate::supervisor::{ExitStatus, OutputStream, SpawnError};

/// A command could not be run, or did not do what it should.
///
/// [`Exec`](super::Exec) tells apart what the command did wrong, which makes a case *failed*, from what kept it from being run, which
/// makes it *error*: see [`is_failure`](Self::is_failure).
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ExecError {
    /// It could not be started.
    #[error(transparent)]
    Start(#[from] SpawnError),
    /// An executor could not start it.
    #[error("cannot run `{command}` {place}: {reason}")]
    Executor {
        /// The command.
        command: String,
        /// Where it was to run.
        place: String,
        /// What kept it from being run.
        reason: String,
    },
    /// It ended otherwise than expected.
    #[error(
        "`{command}` ended with {exit}, expected was {expected}{}",
        shown(output)
    )]
    Unexpected {
        /// The command.
        command: String,
        /// How it ended.
        exit: ExitStatus,
        /// How it should have.
        expected: Expected,
        /// The end of what it wrote.
        output: String,
    },
    /// It took longer than its time limit and was ended.
    #[error(
        "`{command}` did not end within {limit:?} and was ended{}",
        shown(output)
    )]
    TimedOut {
        /// The command.
        command: String,
        /// Its time limit.
        limit: Duration,
        /// The end of what it wrote.
        output: String,
    },
    /// What was waited for did not come in time.
    #[error(
        "`{command}` wrote nothing that matches `{pattern}` to its {stream} within {limit:?}{}",
        shown(output)
    )]
    NoMatch {
        /// The command.
        command: String,
        /// What was looked for.
        pattern: String,
        /// Where.
        stream: OutputStream,
        /// How long.
        limit: Duration,
        /// The end of what it wrote there.
        output: String,
    },
    /// It ended before it wrote what was waited for.
    #[error(
        "`{command}` ended{} before it wrote anything that matches `{pattern}` to its {stream}{}",
        exit.map_or_else(String::new, |exit| format!(" with {exit}")),
        shown(output)
    )]
    EndedFirst {
        /// The command.
        command: String,
        /// What was looked for.
        pattern: String,
        /// Where.
        stream: OutputStream,
        /// How it ended.
        exit: Option<ExitStatus>,
        /// The end of what it wrote there.
        output: String,
    },
    /// A pattern that is none.
    #[error("`{pattern}` is not a regular expression")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// Why.
        #[source]
        source: Box<regex::Error>,
    },
    /// It did not get a signal.
    #[error("cannot send signal {signal} to `{command}`: {reason}")]
    Signal {
        /// The command.
        command: String,
        /// The signal.
        signal: i32,
        /// Why.
        reason: String,
    },
    /// Its input was closed, by it or by this side.
    #[error("`{command}` does not read its input any more")]
    InputClosed {
        /// The command.
        command: String,
    },
    /// It did not read what was written to it in time.
    #[error("`{command}` did not read its input within {limit:?}")]
    InputBlocked {
        /// The command.
        command: String,
        /// How long.
        limit: Duration,
    },
    /// The case or the run was asked to end meanwhile.
    #[error("the case was asked to end while it waited for `{command}`")]
    Cancelled {
        /// The command.
        command: String,
    },
}

impl ExecError {
    /// Whether it says something about what is tested, and not about what could not be tried.
    pub fn is_failure(&self) -> bool {
        matches!(
            self,
            Self::Unexpected { .. }
                | Self::TimedOut { .. }
                | Self::NoMatch { .. }
                | Self::EndedFirst { .. }
        )
    }
}

/// Output for the end of a message, below the line that summaries show.
fn shown(output: &str) -> String {
    let mut text = String::new();
    for line in output.trim_end().lines() {
        text.push_str(if text.is_empty() {
            "\nit wrote:\n  "
        } else {
            "\n  "
        });
        text.push_str(line);
    }
    text
}
