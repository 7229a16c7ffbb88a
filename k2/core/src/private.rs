//! What the output of `#[k2::test_case]` refers to. Not for people: it may change in any release.

pub use linkme;
pub use zaf_core::component::{ComponentError, Requirement};

use crate::case::Phase;
pub use crate::case::check::{check_failed, comparison_failed};
pub use crate::case::{IntoOutcome, Isolation, Outcome, TestCaseDescriptor, TestContext};
pub use crate::sut::Each;

/// Test cases of all crates that are linked, in the linker's order.
#[linkme::distributed_slice]
pub static K2_TEST_CASES: [TestCaseDescriptor];

/// All combinations of the values of several parameters, the first changing slowest; one empty row without parameters.
pub fn product(parameters: &[(&'static str, &[&'static str])]) -> Vec<Vec<(&'static str, String)>> {
    parameters
        .iter()
        .fold(vec![Vec::new()], |rows, (name, values)| {
            rows.iter()
                .flat_map(|row| {
                    values.iter().map(|value| {
                        let mut row: Vec<(&'static str, String)> = row.clone();
                        row.push((name, (*value).to_owned()));
                        row
                    })
                })
                .collect()
        })
}

/// Notes that all that the function asks for is there, and it is called now.
pub fn body_begins(cx: &TestContext) {
    cx.evidence().enter(Phase::Body);
}

/// One of several values.
///
/// # Panics
/// If there are not that many: the row does not belong to the product of this case.
pub fn pick<T, const N: usize>(values: [T; N], index: usize) -> T {
    values
        .into_iter()
        .nth(index)
        .expect("invariant: the index is taken modulo the number of values")
}

/// The outcome of a case that asks for a component which cannot be had.
pub fn component_missing(error: ComponentError) -> Outcome {
    let error = zaf_core::Error::from(error);
    Outcome::Error {
        reason: format!("{error:#}"),
    }
}

/// The outcome that a test function's return value stands for.
pub fn outcome<T: IntoOutcome>(returned: T) -> Outcome {
    returned.into_outcome()
}
