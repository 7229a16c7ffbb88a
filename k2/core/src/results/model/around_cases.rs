//! What happens before, after and between the cases.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{is_default, microseconds};

/// Something about an attempt to bring a system under test back. Since schema 1.4.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SutRecovery {
    /// Name of the system.
    pub sut: Arc<str>,
    /// When that was.
    pub at: Timestamp,
    /// How long the attempt took, by the monotonic clock; whole microseconds in the log. None if it only begins.
    #[serde(
        rename = "duration_us",
        default,
        with = "microseconds::optional",
        skip_serializing_if = "Option::is_none"
    )]
    pub duration: Option<Duration>,
}

/// A hook before or after the tests has failed, or what readies a system under test or puts it away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookFailed {
    /// Which request it was asked: `PRE_JOB`, `PRE_TESTS`, `POST_TESTS` or `POST_JOB`; since schema 1.5 also which event about a
    /// system it handled: `PRE_INITIALIZE_SUT`, `INITIALIZE_SUT`, `POST_INITIALIZE_SUT` or `UNINITIALIZE_SUT`.
    pub phase: Arc<str>,
    /// Name of the extension; none if nobody can be blamed by name.
    #[serde(default, skip_serializing_if = "is_default")]
    pub hook: Arc<str>,
    /// What went wrong, with its causes, in one line.
    pub reason: Arc<str>,
}

impl fmt::Display for HookFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            phase,
            hook,
            reason,
        } = self;
        match &**hook {
            "" => write!(f, "{phase}: {reason}"),
            hook => write!(f, "{phase}: {hook}: {reason}"),
        }
    }
}
