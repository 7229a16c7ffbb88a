//! Waiting, as a component of test cases: until a predicate holds, a file or a log has a line, a server answers.
//!
//! ```
//! use std::time::Duration;
//!
//! use k2::prelude::*;
//! use k2_waitfor::WaitFor;
//!
//! #[k2::test_case]
//! fn the_service_comes_up(wait: &WaitFor) -> TestResult {
//!     let wait = wait.timeout(Duration::from_secs(20));
//!     wait.http("http://127.0.0.1:8080/health").body("\"status\": *\"ok\"").get()?;
//!     let found = wait.file("/run/service.log").matches(r"listening on (\S+)")?;
//!     assert_eq!(found.groups[0].as_deref(), Some("127.0.0.1:8080"));
//!     Ok(())
//! }
//! # fn main() {}
//! ```
//!
//! Whatever is waited for is looked at at least once, also with a time-out of zero, and a last time when the time is over; the error says what was
//! seen last. Who waits returns at once when the case is asked to end. A wait that ends without success makes the case *failed*.

mod error;
mod file;
mod http;
mod log_line;
mod wait;

#[cfg(test)]
mod tests;

use k2::case::CaseRun;
use zaf_core::prelude::*;

pub use error::WaitError;
pub use file::WaitForFile;
pub use http::{Answer, WaitForHttp};
pub use log_line::WaitForLogLine;
pub use wait::{Matched, WaitFor};

/// Waits for what a case needs.
#[component(name = "wait-for", scope = "test")]
fn wait_for(run: &CaseRun) -> WaitFor {
    WaitFor::new(run.cancellation.clone())
}
