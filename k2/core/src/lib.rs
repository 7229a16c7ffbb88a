//! The library of k2: what a test case is, how cases are found, scheduled and run, how their processes are supervised, and how
//! results are kept.
//!
//! Extensions and products see it as `k2`. A run goes through it from left to right, each step an extension on the message bus:
//! [`finder`] → [`scheduler`] → [`runner`] (with [`supervisor`]) → [`results`] → reports.

mod application;
pub mod case;
pub mod command;
pub mod exec;
pub mod finder;
pub mod hooks;
pub mod messages;
pub mod parameter;
pub mod prelude;
#[doc(hidden)]
pub mod private;
pub mod results;
pub mod runner;
pub mod scheduler;
pub mod supervisor;
pub mod sut;

#[cfg(test)]
mod extension_tests;

pub use application::application;
pub use case::{IntoOutcome, TestContext, TestResult, fail, skip};
pub use command::{LIST_COMMAND, RUN_COMMAND};
pub use zaf_macros::{test_case, test_module};
