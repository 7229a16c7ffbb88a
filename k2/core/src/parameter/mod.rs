//! The parameters of cases: what a run gives, what it leaves out, and the variants that come of both.
//!
//! ```text
//! -p NAME=VALUE, exclusions, limit ─► GivenParameters ─┐
//! finders ─► cases that declare parameters ────────────┴─► expand ─► a case per combination
//! ```
//!
//! Pure: finders only say what a case declares, and whoever asked them has the variants made, so that cases of every kind are
//! treated alike.
//!
//! ```
//! # use k2_core as k2;
//! use std::sync::Arc;
//! use k2::case::{CaseAction, CaseId, Parameter, ProcessCase, Protocol, TestCase, Variants};
//! use k2::parameter::variable;
//!
//! let process = ProcessCase {
//!     program: "/bin/ping".into(),
//!     arguments: Vec::new(),
//!     environment: Vec::new(),
//!     directory: None,
//!     protocol: Protocol::ExitCode,
//! };
//! let mut case = TestCase::new(CaseId::new("net::ping"), CaseAction::Process(Box::new(process)));
//! let parameters = [Parameter::new("host", ["a", "b"]), Parameter::new("frame-size", ["9000"])];
//! case.variants = Some(Arc::new(Variants::of(parameters)));
//! // As `-p frame-size=64 -p frame-size=1500` says; at most 100 variants.
//! let given = ["frame-size=64".to_owned(), "frame-size=1500".to_owned()];
//! let given = k2::parameter::GivenParameters::of(&given, &[], 100).expect("they can be read");
//! let all = given.expand_known(vec![case]);
//! let ids: Vec<_> = all.iter().map(|case| case.id.as_str()).collect();
//! assert_eq!(ids[..2], ["net::ping[host=a,frame-size=64]", "net::ping[host=a,frame-size=1500]"]);
//! assert_eq!(ids.len(), 4);
//! // Processes find their value in a variable.
//! assert_eq!(variable("frame-size"), "K2_PARAM_FRAME_SIZE");
//! ```

mod assignment;
mod exclusion;
mod expand;
mod options;
#[doc(hidden)]
pub mod read;

pub use assignment::{Assignment, AssignmentError};
pub use exclusion::{Exclusion, ExclusionError};
pub(crate) use expand::VARIABLES_OF_PARAMETERS;
pub use expand::{Expanded, GivenParameters, VARIABLE_PREFIX, variable};
pub use options::{EXCLUDE, LIMIT, PARAMETER, ParameterError, ParameterErrors};

#[cfg(test)]
mod tests;
