//! What is to be done when a runner has died: by whom it was killed, and what the next one is told.
//!
//! Pure: takes how it ended and what the log says, and decides.
//!
//! | What ran in the runner itself | Who is guilty |
//! | --- | --- |
//! | one function | that one: it is *error*, and not run again unless that was asked for |
//! | several | one of them: each is run again in a process of its own, where the guilty one ends only itself |
//! | none | no case: an extension, k2 itself or somebody outside; the run ends |

use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Ended;
use crate::case::CaseId;
use crate::case::journal::CaseFiles;
use crate::results::Progress;

/// How many runners may die before functions are no longer run in the runner: then none can kill it.
///
/// Source: reliability, E31.
const TOGETHER: u32 = 3;

/// What a new runner is told about the run that it goes on with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Continuation {
    /// The directory of the run.
    pub(crate) directory: Utf8PathBuf,
    /// The how-manieth runner it is, from 2.
    pub(crate) runner: u32,
    /// How the one before ended: `runner crashed (SIGSEGV)`.
    pub(crate) reason: String,
    /// The same of what is guilty of it: `killed the runner (SIGSEGV)`.
    pub(crate) guilt: String,
    /// Attempts that ended with it, and of which the log does not say so.
    pub(crate) broken_off: Vec<BrokenOff>,
    /// How long the run had gone on when that one ended, without the time for which it was stopped.
    pub(crate) spent: Duration,
    /// Since when this process knows of it: a runner reads it first of all.
    #[serde(skip, default = "Instant::now")]
    pub(crate) known_since: Instant,
    /// Whether all functions run in processes of their own from now on.
    pub(crate) apart: bool,
}

/// An attempt that ended with its runner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BrokenOff {
    pub(crate) execution: u64,
    pub(crate) case: CaseId,
    pub(crate) attempt: u32,
    pub(crate) started: Timestamp,
    /// See [`TestCaseStarted::clock`](crate::messages::TestCaseStarted).
    #[serde(default)]
    pub(crate) clock: Option<Duration>,
    pub(crate) worker: u32,
    pub(crate) part: Part,
    /// Why it ended, in one line.
    pub(crate) reason: String,
}

impl Continuation {
    /// How long the run has gone on by now.
    pub(crate) fn spent(&self) -> Duration {
        self.spent + self.known_since.elapsed()
    }
}

impl BrokenOff {
    /// What names its files.
    pub(crate) fn which(&self) -> CaseFiles<'_> {
        CaseFiles {
            number: self.execution,
            attempt: self.attempt,
            case: &self.case,
        }
    }
}

/// What an attempt has to do with the death of the runner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Part {
    /// It was the only one that can have done it.
    Guilty,
    /// It or another one.
    Suspect,
    /// It ran in a process of its own, which was ended with the runner.
    Bystander,
}

/// What the next runner is told, if there is to be one: not if no case can have killed this one.
///
/// `before` is what this one was told: what it did not come to say is still to be said.
pub(super) fn after(
    ended: Ended,
    directory: &camino::Utf8Path,
    progress: &Progress,
    spent: Duration,
    before: Option<&Continuation>,
) -> Option<Continuation> {
    let untold = |execution: u64, started: Timestamp| {
        let known = before.iter().flat_map(|before| &before.broken_off);
        let mut known = known.filter(move |known| known.execution == execution);
        known.find(|known| known.started == started).cloned()
    };
    let mut broken_off = Vec::new();
    let mut fresh = Vec::new();
    for case in &progress.running {
        match untold(case.execution, case.started) {
            Some(known) => broken_off.push(known),
            None => fresh.push(case),
        }
    }
    let suspects = fresh.iter().filter(|case| case.in_process).count();
    if suspects == 0 {
        return None;
    }
    let runner = before.map_or(1, |before| before.runner) + 1;
    let guilt = ended.guilt();
    let reason = ended.of_runner();
    broken_off.extend(fresh.into_iter().map(|case| {
        let (part, reason) = match (case.in_process, suspects) {
            (true, 1) => (Part::Guilty, guilt.clone()),
            (true, _) => {
                let others = many_others(suspects - 1);
                let reason = format!("ran when the {reason}, beside {others}; runs again apart");
                (Part::Suspect, reason)
            }
            (false, _) => {
                let reason = format!("was ended because the {reason}; runs again");
                (Part::Bystander, reason)
            }
        };
        BrokenOff {
            execution: case.execution,
            case: case.case.clone(),
            attempt: case.attempt,
            started: case.started,
            clock: case.clock,
            worker: case.worker,
            part,
            reason,
        }
    }));
    Some(Continuation {
        directory: directory.to_owned(),
        runner,
        reason,
        guilt,
        broken_off,
        spent,
        known_since: Instant::now(),
        apart: runner > TOGETHER,
    })
}

fn many_others(count: usize) -> String {
    match count {
        1 => "1 other function".to_owned(),
        count => format!("{count} other functions"),
    }
}
