//! What the output of `#[k2::test_case]` refers to. Not for people: it may change in any release.

pub use linkme;

pub use crate::case::{IntoOutcome, Outcome, TestCaseDescriptor, TestContext};

/// Test cases of all crates that are linked, in the linker's order.
#[linkme::distributed_slice]
pub static K2_TEST_CASES: [TestCaseDescriptor];
