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
//!
//! The way of a source that no finder of k2 knows:
//!
//! ```
//! # use k2_core as k2;
//! use k2::finder::{FindTestCases, SourceSpec, Unit};
//!
//! let sources: Vec<SourceSpec> = ["csv:cases.csv"].map(|text| text.parse().expect("never fails")).into();
//! let (asked, problems) = FindTestCases::of(&sources);
//! assert_eq!(problems, []);
//! // What a finder for this kind answers for: it says which position each of its answers belongs to.
//! let mine: Vec<_> = asked.recipes("csv").collect();
//! assert_eq!((mine.len(), mine[0].0, mine[0].1.text.as_str()), (1, 0, "cases.csv"));
//! // One that is no file and of no kind is a problem at once.
//! let (asked, problems) = FindTestCases::of(&["no/such/file".parse().expect("never fails")]);
//! assert!(asked.units.is_empty() && problems.len() == 1);
//! # let _ = |unit: &Unit| unit.kind_word().to_owned();
//! ```

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
