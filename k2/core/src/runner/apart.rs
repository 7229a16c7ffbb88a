//! A test function in a process of its own: how it is started, and what its end means.

use std::path::PathBuf;

use crate::case::{self, Outcome, ProcessCase, Protocol, Verdict};
use crate::finder::interpret_end;
use crate::supervisor::apart::Note;
use crate::supervisor::{EndedBy, ExitStatus, ProcessEnd, signal_name};

/// How the case ended.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) verdict: Verdict,
    pub(super) reason: Option<String>,
    pub(super) detail: String,
    pub(super) problems: Vec<String>,
}

/// This program with the same arguments, to be started with a note as its input.
pub(super) fn process() -> ProcessCase {
    ProcessCase {
        // Also if it was replaced since it was started.
        program: PathBuf::from("/proc/self/exe"),
        arguments: std::env::args_os().skip(1).collect(),
        environment: Vec::new(),
        directory: None,
        protocol: Protocol::ExitCode,
    }
}

/// What the case said counts if its process then ended well by itself. `evidence` is what it told before.
pub(super) fn outcome(note: &Note, end: &ProcessEnd, evidence: &case::Told) -> Told {
    let (outcome, problems) = match note.done() {
        Some(done) => (Some(evidence.weigh(done.outcome)), done.problems),
        None => (None, Vec::new()),
    };
    let plain = |verdict, reason| Told {
        verdict,
        reason,
        detail: String::new(),
        problems: Vec::new(),
    };
    if end.ended_by != EndedBy::Itself || end.exit.is_none() {
        let forced = interpret_end(Protocol::ExitCode, end, &[]);
        return Told {
            problems,
            ..plain(forced.verdict, forced.reason)
        };
    }
    match (outcome, end.exit) {
        (Some(outcome), Some(ExitStatus::Code(0))) => Told {
            reason: outcome.reason().map(str::to_owned),
            detail: match &outcome {
                Outcome::Failed { detail, .. } => detail.clone(),
                _ => String::new(),
            },
            problems,
            verdict: outcome.verdict(),
        },
        (outcome, exit) => {
            let how = match exit {
                Some(ExitStatus::Signal { number, .. }) => format!(
                    "killed by {}",
                    signal_name(number).map_or_else(|| format!("signal {number}"), str::to_owned)
                ),
                Some(ExitStatus::Code(code)) => format!("exited with {code}"),
                None => "nothing is known about its end".to_owned(),
            };
            let reason = match outcome {
                Some(outcome) => format!("{how} after it had {}", outcome.verdict()),
                None => how,
            };
            Told {
                problems,
                ..plain(Verdict::Error, Some(reason))
            }
        }
    }
}
