//! What the end of a case's process means.

use super::{googletest, libtest, tap};
use crate::case::{Protocol, Step, Verdict};
use crate::supervisor::{CapturedOutput, EndedBy, ExitStatus, ProcessEnd};

/// What an end means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interpretation {
    /// The verdict of this try.
    pub verdict: Verdict,
    /// Why; for everything but a pass.
    pub reason: Option<String>,
    /// Parts with verdicts of their own, in their order.
    pub steps: Vec<Step>,
}

impl Interpretation {
    fn new(verdict: Verdict, reason: impl Into<String>) -> Self {
        Self {
            verdict,
            reason: Some(reason.into()),
            steps: Vec::new(),
        }
    }
}

/// [`interpret`] with the standard output that the end has kept. TAP that is longer than what was kept is an error.
pub fn interpret_end(protocol: Protocol, end: &ProcessEnd, skip_codes: &[i32]) -> Interpretation {
    match end.stdout.complete() {
        Ok(output) => interpret(protocol, end, &String::from_utf8_lossy(&output), skip_codes),
        // Of these, only the end of the output is looked at, or none.
        Err(_) if protocol != Protocol::Tap => {
            interpret(protocol, end, &end.stdout.text(), skip_codes)
        }
        Err(error) => {
            let text = end.stdout.text();
            let found = interpret(protocol, end, &text, skip_codes);
            match found.verdict {
                Verdict::TimedOut | Verdict::Aborted => found,
                _ => Interpretation::new(Verdict::Error, format!("cannot read its TAP: {error}")),
            }
        }
    }
}

/// Turns the end of a process into a verdict. Pure.
///
/// In this order: a process that could not be killed is an error; one that was ended by us has timed out or was aborted,
/// whatever its exit code says; a signal of somebody else has failed it; an exit code of `skip_codes` has skipped it; and
/// then the protocol decides.
pub fn interpret(
    protocol: Protocol,
    end: &ProcessEnd,
    output: &str,
    skip_codes: &[i32],
) -> Interpretation {
    let stream = (protocol == Protocol::Tap).then(|| tap::parse(output));
    let mut result = match (forced(end), end.exit) {
        (Some(forced), _) => forced,
        (None, Some(ExitStatus::Code(code))) if code != 0 && skip_codes.contains(&code) => {
            Interpretation::new(Verdict::Skipped, skip_reason(code, output))
        }
        (None, Some(ExitStatus::Code(code))) => match &stream {
            Some(stream) => {
                let (verdict, reason) = stream.verdict(code);
                Interpretation {
                    verdict,
                    reason,
                    steps: Vec::new(),
                }
            }
            None => by_exit_code(protocol, code, output, &end.stderr),
        },
        (None, Some(signal @ ExitStatus::Signal { .. })) => {
            Interpretation::new(Verdict::Failed, format!("ended by {signal}"))
        }
        (None, None) => Interpretation::new(Verdict::Error, "nothing is known about its end"),
    };
    if let Some(stream) = stream {
        result.steps = stream.steps();
    }
    result
}

/// Ends that the process did not choose.
fn forced(end: &ProcessEnd) -> Option<Interpretation> {
    if let Some(pid) = end.unkillable {
        let reason = format!("process {pid} cannot be killed: the kernel does not let go of it");
        return Some(Interpretation::new(Verdict::Error, reason));
    }
    let suspended = if end.stopped {
        "; it was suspended at that time"
    } else {
        ""
    };
    let by = if end.killed {
        "TERM, then KILL"
    } else {
        "TERM"
    };
    match end.ended_by {
        EndedBy::Itself => None,
        EndedBy::Timeout(limit) => Some(Interpretation::new(
            Verdict::TimedOut,
            format!("not done after {limit:?}, ended by {by}{suspended}"),
        )),
        EndedBy::PhaseTimeout { phase, limit } => Some(Interpretation::new(
            Verdict::TimedOut,
            format!("{phase} still running after {limit:?}; ended by {by}{suspended}"),
        )),
        EndedBy::Cancellation => Some(Interpretation::new(
            Verdict::Aborted,
            format!(
                "the run was aborted{}{suspended}",
                if end.killed {
                    ", it had to be killed"
                } else {
                    ""
                }
            ),
        )),
    }
}

fn by_exit_code(
    protocol: Protocol,
    code: i32,
    output: &str,
    errors: &CapturedOutput,
) -> Interpretation {
    if code != 0 {
        let reason = match protocol {
            Protocol::Libtest => libtest::failure_reason(&errors.text()),
            Protocol::GoogleTest => googletest::failure_reason(output),
            Protocol::ExitCode | Protocol::Tap => None,
        };
        let reason = reason.unwrap_or_else(|| format!("exit code {code}"));
        return Interpretation::new(Verdict::Failed, reason);
    }
    let (verdict, reason) = match protocol {
        Protocol::ExitCode | Protocol::Tap => (Verdict::Passed, None),
        Protocol::Libtest => libtest::verdict_of_success(output),
        Protocol::GoogleTest => googletest::verdict_of_success(output),
    };
    Interpretation {
        verdict,
        reason,
        steps: Vec::new(),
    }
}

/// The last line that a script wrote is usually why it gave up.
fn skip_reason(code: i32, output: &str) -> String {
    let last = output
        .lines()
        .rev()
        .map(str::trim)
        .find(|line| !line.is_empty());
    match last {
        Some(line) => line.chars().take(200).collect(),
        None => format!("exit code {code}"),
    }
}
