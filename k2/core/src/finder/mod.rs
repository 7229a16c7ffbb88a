//! From sources to test cases.
//!
//! ```text
//! what the user typed ─► SourceSpec ─► expand ─► SourceFile (a file of a known kind) ─► cases_of_file ─► Found
//!                                        │                                                            ▲
//!                                        └─ `rust:` ──────────────────────────────► linked ───────────┘
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
mod interpret;
mod kinds;
pub mod libtest;
mod linked;
mod listing;
mod request;
mod source;
pub mod tap;

pub use expand::{Expanded, SourceFile, expand};
pub use found::{Found, Problem, duplicates};
pub use interpret::{Interpretation, interpret, interpret_end};
pub use kinds::{Executables, GoogleTestBinaries, LibtestBinaries, LinkedCases, TapProducers};
pub use linked::{linked, linked_from};
pub use listing::{FindOptions, cases_of_file};
pub use request::{FIND_TEST_CASES, FINDER, FindTestCases, FoundUnit, Unit};
pub use source::{SourceKind, SourceSpec};

use crate::supervisor::Cancellation;

/// Finds everything that the sources stand for; without any source, the linked cases. Cases come in the order of the
/// sources, files of a directory in the order of their names.
pub fn find(sources: &[SourceSpec], options: &FindOptions, cancellation: &Cancellation) -> Found {
    let mut found = Found::default();
    if sources.is_empty() {
        found.cases = linked("");
        return found;
    }
    for source in sources {
        if source.kind == SourceKind::Linked {
            found.extend(linked::of_source(source));
            continue;
        }
        let expanded = expand(std::slice::from_ref(source));
        found.problems.extend(expanded.problems);
        for file in &expanded.files {
            found.extend(cases_of_file(file, options, cancellation));
        }
    }
    found
}

#[cfg(test)]
mod tests;
