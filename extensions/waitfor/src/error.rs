//! Why a wait ended without what was waited for.

use std::time::Duration;

use thiserror::Error;
use zaf_core::Error;

/// A wait that was in vain.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WaitError {
    /// The time is over.
    #[error("{what} did not come within {limit:?}: {last}")]
    TimedOut {
        /// What was waited for.
        what: String,
        /// How long.
        limit: Duration,
        /// What was seen last.
        last: String,
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
    /// An address that is none, or one that this cannot speak to: asking again would not help.
    #[error("`{url}` cannot be asked: {reason}")]
    Address {
        /// The address.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A log that cannot be followed.
    #[error("cannot follow `{path}`")]
    Log {
        /// The file.
        path: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The case or the run was asked to end meanwhile.
    #[error("the case was asked to end while it waited for {what}")]
    Cancelled {
        /// What was waited for.
        what: String,
    },
}

impl WaitError {
    /// As the error of a test function: what did not come is a failure, everything else an error.
    pub(crate) fn judged(self) -> Error {
        match self {
            Self::TimedOut { .. } => k2::fail(self.to_string()),
            other => other.into(),
        }
    }
}
