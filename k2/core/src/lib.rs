//! The library of k2: what a test case is, how cases are found, and how the processes of cases are run.

pub mod case;
pub mod finder;
#[doc(hidden)]
pub mod private;
pub mod supervisor;

pub use case::{IntoOutcome, TestContext, TestResult, fail, skip};
