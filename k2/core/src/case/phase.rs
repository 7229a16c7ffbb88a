//! The parts of a test function's time.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What is going on between the start of a case and its verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// What the function asks for is made.
    SetUp,
    /// The function runs.
    Body,
    /// What was made for the case is taken down.
    Teardown,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SetUp => "set-up",
            Self::Body => "body",
            Self::Teardown => "teardown",
        })
    }
}

/// Limits of the parts of a case.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PhaseLimits {
    pub(crate) setup: Option<Duration>,
    pub(crate) body: Option<Duration>,
    pub(crate) teardown: Option<Duration>,
}

impl PhaseLimits {
    /// That of one part.
    pub(crate) fn of(&self, phase: Phase) -> Option<Duration> {
        match phase {
            Phase::SetUp => self.setup,
            Phase::Body => self.body,
            Phase::Teardown => self.teardown,
        }
    }

    /// Whether there is any.
    pub(crate) fn is_any(&self) -> bool {
        self.setup.or(self.body).or(self.teardown).is_some()
    }
}
