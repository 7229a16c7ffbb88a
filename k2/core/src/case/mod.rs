//! What a test case is: its definition, what it can ask for while it runs, and how it can end.
//!
//! A finder makes [`TestCase`]s, the scheduler orders them, the runner executes their [`CaseAction`] and turns the
//! [`Outcome`] of a try into a [`Verdict`]. Nothing here starts a process or knows of the message bus.

mod case_run;
mod context;
mod definition;
mod descriptor;
mod location;
mod outcome;
mod panic_hook;
mod parameter;
mod step;
mod teardown;
mod verdict;

pub use case_run::CaseRun;
pub use context::TestContext;
pub use definition::{
    CaseAction, CaseFunction, CaseId, Isolation, ProcessCase, Protocol, TestCase,
};
pub use descriptor::{TestCaseDescriptor, TestModuleDescriptor};
pub use location::Location;
pub use outcome::{Fail, IntoOutcome, Outcome, Skip, catch, fail, skip};
pub use parameter::{
    BindParameters, Parameter, ParameterDescriptor, ParameterValue, ReadParameter, Variants,
};
pub use step::Step;
pub(crate) use teardown::take_down;
pub use verdict::Verdict;
/// What a test function returns: `Ok(())` has passed, an error is the verdict *error* unless it was made by [`fail`] or [`skip`].
pub use zaf_core::TestResult;
