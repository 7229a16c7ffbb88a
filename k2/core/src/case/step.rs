//! Parts of a test case that have a verdict of their own.

use serde::{Deserialize, Serialize};

use super::{Location, Verdict};

/// One part of a case that reports parts: a point of a TAP producer, or a check that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What the producer called it; parts of parts are joined by ` / `.
    pub name: String,
    /// How this part ended. It is evidence, not the verdict of the case.
    pub verdict: Verdict,
    /// Reason or diagnostics, if there are any.
    pub detail: Option<String>,
    /// Where it is written, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
}
