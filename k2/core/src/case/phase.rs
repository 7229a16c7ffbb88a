//! The parts of a test function's time.

use std::fmt;

/// What is going on between the start of a case and its verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
