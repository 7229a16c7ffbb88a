//! How a plugin ended.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::Arc;

use rustix::process::Signal;

use super::super::LinkProblem;

/// How a plugin ended, and what it last said on its standard error.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) problem: Arc<LinkProblem>,
    pub(super) stderr: Vec<String>,
    /// It was asked to, and did.
    pub(super) as_asked: bool,
}

/// What an exit status says.
pub(super) fn problem_of(status: ExitStatus) -> LinkProblem {
    match (status.code(), status.signal()) {
        (Some(code), _) => LinkProblem::Exited { code },
        (None, Some(signal)) => LinkProblem::Signalled {
            signal,
            name: signal_name(signal),
        },
        (None, None) => LinkProblem::Exited { code: 0 },
    }
}

/// The name of a signal, with the usual ones for crashes and kills.
pub(in super::super) fn signal_name(number: i32) -> &'static str {
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
        (Signal::SEGV, "SIGSEGV"),
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
        .map_or("another signal", |(_, name)| name)
}
