//! How a runner ended, in words.

use rustix::process::Signal;

use crate::supervisor::signal_name;

/// Signals by which a process kills itself, by a mistake of its own.
const FAULTS: [Signal; 6] = [
    Signal::ABORT,
    Signal::SEGV,
    Signal::BUS,
    Signal::ILL,
    Signal::FPE,
    Signal::SYS,
];

/// Signals by which somebody asks a run to end.
const REQUESTS: [Signal; 4] = [Signal::HUP, Signal::INT, Signal::QUIT, Signal::TERM];

/// How the runner ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    Code(u8),
    Signal(i32),
}

impl Ended {
    /// The signal by which somebody asked it to end, if it ended of that.
    pub(super) fn request(self) -> Option<i32> {
        let signal = match self {
            Self::Signal(signal) => signal,
            // A runner that cannot end in good order is ended by the third signal, with this code.
            Self::Code(code) => i32::from(code) - 128,
        };
        let is_request = REQUESTS.iter().any(|request| request.as_raw() == signal);
        is_request.then_some(signal)
    }

    /// Whether it may be the doing of a case: nobody kills himself with SIGKILL, people and the system do.
    pub(super) fn may_be_a_case(self) -> bool {
        self != Self::Signal(Signal::KILL.as_raw()) && self.request().is_none()
    }

    /// `crashed (SIGSEGV)`, `was killed (SIGKILL)`, `exited with 0`.
    pub(super) fn how(self) -> String {
        let signal = match self {
            Self::Code(code) => return format!("exited with {code}"),
            Self::Signal(signal) => signal,
        };
        let name = name(signal);
        if signal == Signal::ABORT.as_raw() {
            format!("aborted ({name})")
        } else if FAULTS.iter().any(|fault| fault.as_raw() == signal) {
            format!("crashed ({name})")
        } else {
            format!("was killed ({name})")
        }
    }

    /// `runner crashed (SIGSEGV)`.
    pub(super) fn of_runner(self) -> String {
        format!("runner {}", self.how())
    }

    /// What is said of the case that did it: `killed the runner (SIGSEGV)`.
    pub(super) fn guilt(self) -> String {
        match self {
            Self::Code(code) => format!("exited with {code}, and the runner with it"),
            Self::Signal(signal) => format!("killed the runner ({})", name(signal)),
        }
    }
}

/// Name of a signal: `SIGSEGV`.
pub(super) fn name(signal: i32) -> String {
    signal_name(signal).map_or_else(|| format!("signal {signal}"), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_case_may_have_done_is_no_request_of_anybody() {
        for (ended, may_be, how) in [
            (Ended::Signal(11), true, "crashed (SIGSEGV)"),
            (Ended::Signal(6), true, "aborted (SIGABRT)"),
            (Ended::Signal(13), true, "was killed (SIGPIPE)"),
            (Ended::Code(0), true, "exited with 0"),
            (Ended::Code(255), true, "exited with 255"),
            (Ended::Signal(9), false, "was killed (SIGKILL)"),
            (Ended::Signal(15), false, "was killed (SIGTERM)"),
            (Ended::Code(130), false, "exited with 130"),
        ] {
            assert_eq!(ended.may_be_a_case(), may_be, "{ended:?}");
            assert_eq!(ended.how(), how);
        }
    }
}
