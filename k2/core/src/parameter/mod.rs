//! The parameters of cases: what a run gives, what it leaves out, and the variants that come of both.
//!
//! ```text
//! -p NAME=VALUE, exclusions, limit ─► GivenParameters ─┐
//! finders ─► cases that declare parameters ────────────┴─► expand ─► a case per combination
//! ```
//!
//! Pure: finders only say what a case declares, and whoever asked them has the variants made, so that cases of every kind are
//! treated alike.

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
