//! What the output of `#[k2::test_case]` refers to. Not for people: it may change in any release.

pub use linkme;
pub use zaf_core::component::{ComponentError, Requirement};

use crate::case::Phase;
pub use crate::case::check::{check_failed, comparison_failed};
pub use crate::case::{
    IntoOutcome, Isolation, Outcome, ParameterDescriptor, ParameterValue, TestCaseDescriptor,
    TestContext, TestModuleDescriptor,
};
pub use crate::parameter::read::{ReadNothing, ReadParsed, ReadText, Reader};
pub use crate::sut::Each;

/// Test cases of all crates that are linked, in the linker's order.
#[linkme::distributed_slice]
pub static K2_TEST_CASES: [TestCaseDescriptor];

/// What is said about modules of all crates that are linked, in the linker's order.
#[linkme::distributed_slice]
pub static K2_TEST_MODULES: [TestModuleDescriptor];

/// Notes that all that the function asks for is there, and it is called now.
pub fn body_begins(cx: &TestContext) {
    cx.evidence().enter(Phase::Body);
}

/// One of several values.
///
/// # Panics
/// If there are not that many: the index does not belong to this parameter.
pub fn pick<T, const N: usize>(values: [T; N], index: usize) -> T {
    values
        .into_iter()
        .nth(index)
        .expect("invariant: the index is that of a declared value")
}

/// The outcome of a case that asks for a component which cannot be had: an error, whatever the component said, unless it said that
/// what needs it does not apply here.
pub fn component_missing(error: ComponentError) -> Outcome {
    match outcome::<zaf_core::TestResult>(Err(error.into())) {
        Outcome::Failed { reason, detail } if detail.is_empty() => Outcome::Error { reason },
        Outcome::Failed { reason, detail } => Outcome::Error {
            reason: format!("{reason}\n{detail}"),
        },
        outcome => outcome,
    }
}

/// The outcome of a case for which a text was given that cannot be read as its parameter.
pub fn parameter_unreadable(name: &str, why: &str) -> Outcome {
    Outcome::Error {
        reason: format!("the value of its parameter `{name}`: {why}"),
    }
}

/// The outcome of a case that was given a value of a sort that it does not take.
pub fn parameter_unknown(name: &str, value: &ParameterValue) -> Outcome {
    parameter_unreadable(name, &format!("{value:?} is no value of a function"))
}

/// The outcome that a test function's return value stands for.
pub fn outcome<T: IntoOutcome>(returned: T) -> Outcome {
    returned.into_outcome()
}
