//! How the execution of a test case ended.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The one word that every selected case ends with.
///
/// The order is from harmless to serious, so that the verdict of a whole is the maximum of its parts: see
/// [`Verdict::worst`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Switched off in its source (`disabled`, `#[ignore]`, `DISABLED_`); it was not started.
    Ignored,
    /// The case itself said that it cannot say anything here and now.
    Skipped,
    /// It did what it should.
    Passed,
    /// Selected, but the run ended before it was started.
    NotRun,
    /// It was started, and the run was aborted before it ended.
    Aborted,
    /// It used up its time and was ended.
    TimedOut,
    /// It said that something is wrong.
    Failed,
    /// It could not say anything: it did not start, broke off, or could not be loaded.
    Error,
}

impl Verdict {
    /// All verdicts, harmless first.
    pub const ALL: [Self; 8] = [
        Self::Ignored,
        Self::Skipped,
        Self::Passed,
        Self::NotRun,
        Self::Aborted,
        Self::TimedOut,
        Self::Failed,
        Self::Error,
    ];

    /// The more serious of two. Commutative, associative and idempotent: the order of merging does not matter.
    #[must_use]
    pub fn worst(self, other: Self) -> Self {
        self.max(other)
    }

    /// True for what must make a run fail: failed, error and timed out.
    pub fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::Error | Self::TimedOut)
    }

    /// True where the run could not finish its plan: aborted and not run.
    pub fn is_incomplete(self) -> bool {
        matches!(self, Self::Aborted | Self::NotRun)
    }

    /// The word as it stands in records and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ignored => "ignored",
            Self::Skipped => "skipped",
            Self::Passed => "passed",
            Self::NotRun => "not-run",
            Self::Aborted => "aborted",
            Self::TimedOut => "timed-out",
            Self::Failed => "failed",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_of_verdicts_does_not_depend_on_their_order() {
        for a in Verdict::ALL {
            assert_eq!(a.worst(a), a);
            for b in Verdict::ALL {
                assert_eq!(a.worst(b), b.worst(a));
                for c in Verdict::ALL {
                    assert_eq!(a.worst(b).worst(c), a.worst(b.worst(c)));
                }
            }
        }
    }

    #[test]
    fn a_failure_is_never_hidden_by_a_harmless_verdict() {
        for a in Verdict::ALL {
            for b in Verdict::ALL {
                assert_eq!(a.worst(b).is_failure(), a.is_failure() || b.is_failure());
            }
        }
    }

    #[test]
    fn records_use_the_word_that_is_displayed() {
        for verdict in Verdict::ALL {
            let json = serde_json::to_string(&verdict).unwrap();
            assert_eq!(json, format!("\"{verdict}\""));
            assert_eq!(serde_json::from_str::<Verdict>(&json).unwrap(), verdict);
        }
    }
}
