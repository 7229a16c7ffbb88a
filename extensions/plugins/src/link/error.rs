//! What can go wrong with a running plugin, and with what it asks of its host.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::Refusal;
use crate::protocol::FrameError;

/// A plugin did not do what it should: which one, when, what happened, and what it last said on its standard error.
#[derive(Debug, Clone)]
pub struct LinkError {
    /// Name of the plugin; its file as long as it has not said its name.
    pub plugin: Arc<str>,
    /// What it was to do.
    pub step: Step,
    /// What happened.
    pub problem: Arc<LinkProblem>,
    /// The last lines of its standard error, oldest first.
    pub stderr: Vec<String>,
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            plugin,
            step,
            problem,
            stderr,
        } = self;
        write!(f, "plugin `{plugin}`, {step}: {problem}")?;
        if stderr.is_empty() {
            return Ok(());
        }
        f.write_str("; the last lines of its standard error:")?;
        stderr.iter().try_for_each(|line| write!(f, "\n  {line}"))
    }
}

impl std::error::Error for LinkError {
    /// What is behind the problem, which the text has told already.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.problem.source()
    }
}

impl LinkError {
    /// Whether it runs on and cannot be ended, so that it must not be started again beside itself.
    pub fn is_stuck(&self) -> bool {
        matches!(*self.problem, LinkProblem::Stuck { .. })
    }

    /// Whether the plugin is gone. If not, it can be given the next message.
    pub fn is_fatal(&self) -> bool {
        !matches!(
            *self.problem,
            LinkProblem::Refused { .. }
                | LinkProblem::Panicked { .. }
                | LinkProblem::Busy { .. }
                | LinkProblem::Frame(_)
        )
    }
}

/// What a plugin was to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Its file was looked at, and it was started as a process or loaded.
    Launch,
    /// Say what it is.
    Describe,
    /// Begin.
    Start,
    /// Handle this message.
    Deliver {
        /// Name of the message.
        message: String,
    },
    /// End.
    Stop,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Launch => f.write_str("when it was loaded"),
            Self::Describe => f.write_str("asked what it is"),
            Self::Start => f.write_str("when it was started"),
            Self::Deliver { message } => write!(f, "given `{message}`"),
            Self::Stop => f.write_str("when it was stopped"),
        }
    }
}

/// Where something is in all that a plugin has written to its standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Written {
    /// Line, from 1.
    Line(u64),
    /// Binary frame.
    Frame {
        /// Which one, from 1; the description, a line, is the first.
        number: u64,
        /// Where its length begins, in bytes from 0.
        byte: u64,
    },
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(number) => write!(f, "line {number} of what it wrote"),
            Self::Frame { number, byte } => {
                write!(f, "frame {number} of what it wrote, at byte {byte}")
            }
        }
    }
}

fn shown_place(at: Option<&Written>) -> String {
    at.map_or_else(String::new, |at| format!(" ({at})"))
}

/// What happened to a plugin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinkProblem {
    /// It answered with an error; it is still there.
    #[error("{text}")]
    Refused {
        /// What it says.
        text: String,
        /// More of it, from the outer to the inner cause.
        causes: Vec<String>,
    },
    /// It takes one message at a time, and is at one that waits for this one.
    #[error(
        "it takes one message at a time and waits for what this one is a part of; a plugin that says `\"concurrent\": true` can be given both"
    )]
    Busy {},
    /// The program could not be started.
    #[error("could not be started")]
    Spawn(#[source] io::Error),
    /// It ended.
    #[error("ended with exit code {code}")]
    Exited {
        /// Its exit code.
        code: i32,
    },
    /// It was ended by a signal.
    #[error("ended by signal {signal} ({name})")]
    Signalled {
        /// Number of the signal.
        signal: i32,
        /// Its name, `SIGSEGV`.
        name: &'static str,
    },
    /// It did not answer in time and was ended.
    #[error("no answer within {after:?}; it was ended")]
    TimedOut {
        /// How long was waited.
        after: Duration,
    },
    /// A function of a library did not return in time. Nobody can end it, so it is left on its thread, and no other is called.
    #[error(
        "did not return within {after:?}; a library cannot be ended: it is left behind and not called again"
    )]
    Stuck {
        /// How long was waited.
        after: Duration,
    },
    /// It wrote what is no frame of the protocol.
    #[error("wrote what is not the protocol{}: {problem}: {found}", shown_place(at.as_ref()))]
    Garbage {
        /// Where; none for what a library gives.
        at: Option<Written>,
        /// What is wrong with it.
        problem: String,
        /// The beginning of what it wrote, made printable.
        found: String,
    },
    /// It wrote a frame that does not belong there.
    #[error("wrote a frame that is wrong there: {problem}")]
    OutOfOrder {
        /// What is wrong with it.
        problem: String,
    },
    /// It speaks another protocol.
    #[error(
        "speaks version {found} of the plugin protocol, this program speaks version {expected}"
    )]
    OtherProtocol {
        /// What it said.
        found: u32,
        /// What is expected.
        expected: u32,
    },
    /// Its description is not accepted.
    #[error("its description is wrong: {}", problems.join("; "))]
    Description {
        /// All that is wrong with it.
        problems: Vec<String>,
    },
    /// What it was to be given cannot be written as a frame; it got nothing of it.
    #[error("{0}")]
    Frame(FrameError),
    /// It does not read what it is given, and was ended.
    #[error("does not read its standard input; it was ended")]
    DoesNotRead {
        /// How long was waited.
        after: Duration,
    },
    /// It closed its standard input.
    #[error("closed its standard input; it was ended")]
    ClosedInput {},
    /// It closed its standard output and did not end.
    #[error("closed its standard output; it was ended")]
    ClosedOutput {},
    /// It was killed and is still there: the kernel holds it.
    #[error("does not end though it was killed")]
    Unkillable {},
    /// It was looked at, and is not opened.
    #[error("{0}")]
    Library(Refusal),
    /// The system's loader refused it, or it is not what its note says.
    #[error("{text}")]
    Loader {
        /// What is wrong.
        text: String,
    },
    /// Its handler panicked and said so; it is still there.
    #[error("panicked: {text}")]
    Panicked {
        /// What it says.
        text: String,
    },
    /// What the host does for it panicked: it was given up and ended, because what it wrote may be lost.
    #[error("what this program does for it panicked: {text}; it was ended")]
    HostPanicked {
        /// Text of the panic.
        text: String,
    },
    /// It has been stopped.
    #[error("it has been stopped")]
    Stopped {},
    /// Reading from it or writing to it failed.
    #[error("reading or writing failed")]
    Io(#[source] io::Error),
}
