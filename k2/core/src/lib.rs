//! The library of k2: what a test case is, how cases are found, how their processes are run, and
//! how results are kept.

pub mod case;
pub mod finder;
pub mod messages;
#[doc(hidden)]
pub mod private;
pub mod results;
pub mod supervisor;

pub use case::{IntoOutcome, TestContext, TestResult, fail, skip};
