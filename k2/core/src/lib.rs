//! The library of k2: what a test case is, how cases are found, how their processes are run, and
//! how results are kept.

// What `#[test_case]` emits says `::k2`, here too.
extern crate self as k2;

pub mod case;
pub mod finder;
pub mod messages;
#[doc(hidden)]
pub mod private;
pub mod results;
pub mod supervisor;

pub use case::{IntoOutcome, TestContext, TestResult, fail, skip};
pub use zaf_macros::test_case;
