//! The library of k2: what a test case is, how cases are found, scheduled and run, how their processes are supervised, and how
//! results are kept.
//!
//! Extensions and products see it as `k2`. A run goes through it from left to right, each step an extension on the message bus:
//! [`finder`] → [`scheduler`] → [`runner`] (with [`supervisor`]) → [`results`] → reports.
//!
//! All of it, for one case that is a function; a real `main` returns `k2::application("acme").run()`:
//!
//! ```
//! # extern crate k2_core as k2;
//! use zaf_core::application::{Console, ExitCode};
//! use zaf_core::command::Invocation;
//!
//! #[k2::test_case(tags = ["smoke"])]
//! /// Sums are what they are.
//! fn sums() {
//!     assert_eq!(2 + 2, 4);
//! }
//!
//! fn main() -> k2::TestResult {
//!     let output = tempfile::tempdir()?;
//!     let line = ["run".into(), "--output-dir".into(), output.path().as_os_str().to_owned()];
//!     let (console, printed) = Console::captured();
//!     let code = k2::application("acme").run_with(Invocation::new(line), &console);
//!     assert_eq!(code, ExitCode::Success, "{}", printed.stderr());
//!     let log = std::fs::read_to_string(output.path().join("latest/events.jsonl"))?;
//!     assert!(log.contains("::sums\"") && log.contains("\"verdict\":\"passed\""), "{log}");
//!     Ok(())
//! }
//! ```

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
