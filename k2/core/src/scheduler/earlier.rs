//! What an earlier run says about cases: their verdicts and how long they took.

use std::collections::BTreeMap;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use thiserror::Error;

use super::repetition::base_id;
use crate::case::{CaseId, Verdict};
use crate::results::event_log::{EventLogReader, ReadError};
use crate::results::{EVENT_LOG_FILE, RecordBody, TestCaseFinished};

/// Verdicts and durations of an earlier run, from its event log. A case that ran several times counts with its worst verdict and its
/// longest duration.
#[derive(Debug, Default)]
pub struct EarlierRun {
    cases: BTreeMap<CaseId, Earlier>,
}

#[derive(Debug, Clone, Copy)]
struct Earlier {
    verdict: Option<Verdict>,
    /// Whether it failed as expected, or passed unexpectedly.
    expected: Expected,
    duration: Option<Duration>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Expected {
    failure: bool,
    pass: bool,
}

/// The log of an earlier run cannot be used.
#[derive(Debug, Error)]
#[error("cannot read the earlier run in `{directory}`")]
pub struct EarlierRunError {
    directory: Utf8PathBuf,
    source: ReadError,
}

/// Which verdicts of an earlier run are meant: one, or those of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rerun {
    /// All that did not pass, and were not left out on purpose; those without a verdict too.
    Failed,
    /// Those without a verdict, not run, or aborted.
    Unfinished,
    /// Exactly this one; failures that were expected are not among the skipped ones.
    Verdict(Verdict),
    /// Those that failed and were expected to.
    ExpectedFailure,
    /// Those that passed and were expected to fail.
    UnexpectedPass,
}

impl EarlierRun {
    /// Reads what is in `directory`.
    ///
    /// # Errors
    /// When there is no event log, or it is none.
    pub fn read(directory: &Utf8Path) -> Result<Self, EarlierRunError> {
        let failed = |source| EarlierRunError {
            directory: directory.to_owned(),
            source,
        };
        let log = EventLogReader::open(&directory.join(EVENT_LOG_FILE)).map_err(failed)?;
        let mut run = Self::default();
        for record in log.without_starts() {
            match record.map_err(failed)?.body {
                RecordBody::CasesSelected(selected) => {
                    for case in &*selected.cases {
                        run.note(case, None);
                    }
                }
                RecordBody::CaseFinished(case) if !case.retried => {
                    run.note(&case.case, Some(&case));
                }
                _ => {}
            }
        }
        Ok(run)
    }

    fn note(&mut self, case: &CaseId, finished: Option<&TestCaseFinished>) {
        let known = self.cases.entry(base_id(case)).or_insert(Earlier {
            verdict: None,
            expected: Expected::default(),
            duration: None,
        });
        let Some(finished) = finished else { return };
        known.verdict = known.verdict.max(Some(finished.verdict));
        known.duration = known.duration.max(finished.duration);
        known.expected.failure |= finished.is_expected_failure();
        known.expected.pass |= finished.is_unexpected_pass();
    }

    /// Whether `rerun` means this case; not if the earlier run did not know it.
    pub fn is_meant(&self, case: &CaseId, rerun: Rerun) -> bool {
        self.cases
            .get(case)
            .is_some_and(|earlier| rerun.means(earlier.verdict, earlier.expected))
    }

    /// Whether the run knew this case.
    pub fn knows(&self, case: &CaseId) -> bool {
        self.cases.contains_key(case)
    }

    /// How long the case took.
    pub fn duration(&self, case: &CaseId) -> Option<Duration> {
        self.cases.get(case)?.duration
    }

    /// The middle one of all durations: what a case that is not known is taken for.
    pub fn usual_duration(&self) -> Duration {
        let mut all: Vec<_> = self.cases.values().filter_map(|one| one.duration).collect();
        all.sort_unstable();
        all.get(all.len() / 2).copied().unwrap_or_default()
    }
}

impl Rerun {
    /// All of them, for option choices.
    pub const WORDS: &'static [&'static str] = &[
        "failed",
        "unfinished",
        "passed",
        "error",
        "timed-out",
        "skipped",
        "ignored",
        "expected-failure",
        "unexpected-pass",
    ];

    /// What the word means; one of [`WORDS`](Self::WORDS).
    pub fn of_word(word: &str) -> Option<Self> {
        match word {
            "failed" => Some(Self::Failed),
            "unfinished" => Some(Self::Unfinished),
            "expected-failure" => Some(Self::ExpectedFailure),
            "unexpected-pass" => Some(Self::UnexpectedPass),
            other => Verdict::ALL
                .into_iter()
                .find(|verdict| verdict.as_str() == other)
                .map(Self::Verdict),
        }
    }

    fn means(self, verdict: Option<Verdict>, expected: Expected) -> bool {
        let unfinished = matches!(verdict, None | Some(Verdict::NotRun | Verdict::Aborted));
        match self {
            Self::Failed => unfinished || verdict.is_some_and(Verdict::is_failure),
            Self::Unfinished => unfinished,
            Self::Verdict(Verdict::Skipped) => {
                verdict == Some(Verdict::Skipped) && !expected.failure
            }
            Self::Verdict(wanted) => verdict == Some(wanted),
            Self::ExpectedFailure => expected.failure,
            Self::UnexpectedPass => expected.pass,
        }
    }
}
