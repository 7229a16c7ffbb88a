//! How a process ended.

use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::CapturedOutput;
use crate::case::Phase;

/// What the system says about the end of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExitStatus {
    /// It ended with this code.
    Code(i32),
    /// A signal ended it.
    Signal {
        /// Number of the signal.
        number: i32,
        /// Whether memory was dumped.
        core: bool,
    },
}

impl ExitStatus {
    pub(super) fn from_std(status: std::process::ExitStatus) -> Self {
        match status.signal() {
            Some(number) => Self::Signal {
                number,
                core: status.core_dumped(),
            },
            None => Self::Code(status.code().unwrap_or(-1)),
        }
    }
}

impl fmt::Display for ExitStatus {
    /// For example `exit code 7` or `signal 11 SIGSEGV (core dumped)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal { number, core } => {
                write!(f, "signal {number}")?;
                if let Some(name) = signal_name(number) {
                    write!(f, " {name}")?;
                }
                if core {
                    f.write_str(" (core dumped)")?;
                }
                Ok(())
            }
        }
    }
}

/// Name of a signal that ends processes; none for others.
pub fn signal_name(number: i32) -> Option<&'static str> {
    use rustix::process::Signal;
    let names = [
        (Signal::HUP, "SIGHUP"),
        (Signal::INT, "SIGINT"),
        (Signal::QUIT, "SIGQUIT"),
        (Signal::ILL, "SIGILL"),
        (Signal::TRAP, "SIGTRAP"),
        (Signal::ABORT, "SIGABRT"),
        (Signal::BUS, "SIGBUS"),
        (Signal::FPE, "SIGFPE"),
        (Signal::KILL, "SIGKILL"),
        (Signal::USR1, "SIGUSR1"),
        (Signal::SEGV, "SIGSEGV"),
        (Signal::USR2, "SIGUSR2"),
        (Signal::PIPE, "SIGPIPE"),
        (Signal::ALARM, "SIGALRM"),
        (Signal::TERM, "SIGTERM"),
        (Signal::XCPU, "SIGXCPU"),
        (Signal::XFSZ, "SIGXFSZ"),
        (Signal::SYS, "SIGSYS"),
    ];
    names
        .iter()
        .find(|(signal, _)| signal.as_raw() == number)
        .map(|&(_, name)| name)
}

/// Who decided that the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndedBy {
    /// It ended before any signal of ours went out.
    Itself,
    /// It used up its time.
    Timeout(Duration),
    /// A part of what it does used up the time of that part.
    PhaseTimeout {
        /// Which part.
        phase: Phase,
        /// Its time.
        limit: Duration,
    },
    /// The run was cancelled.
    Cancellation,
}

/// A process that outlived the case that started it, and was killed for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeakedProcess {
    /// Its process id.
    pub pid: u32,
    /// Its command line, or its name where that cannot be read.
    pub command: String,
}

/// Everything about the end of a process.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ProcessEnd {
    /// What the system says; `None` if it could not be killed, see [`ProcessEnd::unkillable`].
    pub exit: Option<ExitStatus>,
    /// Who decided. Only after [`EndedBy::Itself`] may a case pass, whatever its exit code says.
    pub ended_by: EndedBy,
    /// SIGKILL was needed.
    pub killed: bool,
    /// It was stopped (SIGSTOP or the like) when its time was over.
    pub stopped: bool,
    /// Its pid, if it still existed ten seconds after SIGKILL: the kernel keeps it.
    pub unkillable: Option<u32>,
    /// Those of `leaked` that still existed five seconds after SIGKILL, in order of their pids.
    pub unkillable_leaked: Vec<u32>,
    /// Standard output.
    pub stdout: CapturedOutput,
    /// Standard error.
    pub stderr: CapturedOutput,
    /// Processes that it left behind; each was sent SIGKILL. In order of their pids.
    pub leaked: Vec<LeakedProcess>,
    /// From its start to its end on the monotonic clock, without the wait for what it left behind.
    pub duration: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_said_in_words() {
        let core = ExitStatus::Signal {
            number: 11,
            core: true,
        };
        assert_eq!(core.to_string(), "signal 11 SIGSEGV (core dumped)");
        assert_eq!(ExitStatus::Code(7).to_string(), "exit code 7");
    }
}
