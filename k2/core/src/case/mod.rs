//! What a test case is: its definition, what it can ask for while it runs, and how it can end.
//!
//! A finder makes [`TestCase`]s, the scheduler orders them, the runner executes their [`CaseAction`] and turns the
//! [`Outcome`] of a try into a [`Verdict`]. Nothing here starts a process or knows of the message bus.
//!
//! ```
//! # use k2_core as k2;
//! use k2::case::{CaseAction, CaseId, Outcome, ProcessCase, Protocol, TestCase, Verdict};
//!
//! let id = CaseId::with_parameters("suite::net::ping", &[("host".into(), "a".into())]);
//! let process = ProcessCase {
//!     program: "/bin/ping".into(),
//!     arguments: vec!["a".into()],
//!     environment: Vec::new(),
//!     directory: None,
//!     protocol: Protocol::ExitCode,
//! };
//! let case = TestCase::new(id, CaseAction::Process(Box::new(process)));
//! assert_eq!(case.id.as_str(), "suite::net::ping[host=a]");
//! assert_eq!((case.module(), case.name()), ("suite::net", "suite::net::ping"));
//! // How a function ends: by what it returns, or by a panic.
//! let outcome: Outcome = k2::case::catch(|| assert_eq!(1, 2, "sums"));
//! assert_eq!(outcome.verdict(), Verdict::Failed);
//! assert!(Verdict::Failed.is_failure() && !Verdict::Skipped.is_failure());
//! ```

pub(crate) mod artefacts;
mod attachment;
mod case_run;
pub(crate) mod check;
pub(crate) mod collect;
mod context;
mod declaration;
mod definition;
mod descriptor;
mod evidence;
mod expectation;
pub(crate) mod journal;
mod location;
mod media_type;
mod outcome;
mod panic_hook;
mod parameter;
mod parameters;
mod phase;
mod step;
mod teardown;
mod verdict;

pub use attachment::{AttachError, Attachment, AttachmentLimits};
pub use case_run::CaseRun;
pub use context::{CaseComponents, TestContext};
pub use declaration::Declaration;
pub use definition::{
    CaseAction, CaseFunction, CaseId, Isolation, ProcessCase, Protocol, TestCase,
};
pub use descriptor::{TestCaseDescriptor, TestModuleDescriptor};
pub use evidence::Evidence;
pub(crate) use evidence::{Entry, PhaseListener, Told};
pub use expectation::ExpectedToFail;
pub use location::Location;
pub use outcome::{Fail, IntoOutcome, Outcome, Skip, catch, fail, skip};
pub use parameter::{
    BindParameters, Parameter, ParameterDescriptor, ParameterValue, ReadParameter, Variants,
};
pub use parameters::Parameters;
pub use phase::Phase;
pub(crate) use phase::PhaseLimits;
pub use step::Step;
pub(crate) use teardown::take_down;
pub use verdict::Verdict;
/// The scopes that components of test functions live in, the outermost first.
pub const SCOPES: [&str; 5] = ["session", "runner", "module", "class", "test"];

/// What a test function returns: `Ok(())` has passed, an error is the verdict *error* unless it was made by [`fail`] or [`skip`].
pub use zaf_core::TestResult;
