//! From sources to test cases.
//!
//! ```text
//! what the user typed ─► SourceSpec ─► FindTestCases: a Unit per file of a known kind, or for linked cases
//!                                            │ FIND_TEST_CASES, answered by the finder of each kind, also those of extensions
//!                                            ▼
//!                                      Found per Unit ─► FindTestCases::merge ─► cases in the order of the sources
//! ```
//!
//! Whatever cannot be used becomes a [`Problem`] that says what to do, or, where something that is known to hold test cases
//! cannot be listed, a case that ends in error: nothing vanishes. Only test binaries that were recognised as such without
//! being run, or that the user named as such, are asked for their list ([`detect`] reads files, it never runs one).
//!
//! How the end of a case's process is read stands in [`interpret`], which is pure like the parsers.

pub mod detect;
mod executable;
mod expand;
mod found;
pub mod googletest;
mod header;
mod interpret;
mod kinds;
pub mod libtest;
mod linked;
mod listing;
mod request;
mod source;
pub mod tap;
mod wire;

pub use expand::{Expanded, SourceFile, expand};
pub use found::{Found, Problem, duplicates};
pub use interpret::{Interpretation, interpret, interpret_end};
pub use kinds::{
    Executables, GoogleTestBinaries, LIST_TIMEOUT, LibtestBinaries, LinkedCases, TapProducers,
    TestFinder,
};
pub use linked::{linked, linked_from};
pub use listing::{FindOptions, cases_of_file};
pub use request::{FIND_TEST_CASES, FINDER, FindTestCases, FoundUnit, Recipe, Unit};
pub use source::{SourceKind, SourceSpec};

#[cfg(test)]
mod tests;
