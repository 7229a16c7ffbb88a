//! What happens in a run: payloads of the runner's messages and bodies of the event log's records.
//!
//! All are cheap to clone (texts are shared), and a reader of another version must cope with them: fields are only added,
//! each new one with a default.

mod around_cases;
mod case;
mod microseconds;
mod output;
mod process;
mod run;

pub use around_cases::{HookFailed, SutRecovery};
pub use case::{ExpectedFailure, TestCaseFinished, TestCaseStarted};
pub use output::CapturedOutput;
pub use process::{ExitStatus, LeakedProcess};
pub use run::{CasesSelected, RunEnd, RunFinished, RunMerged, RunResumed, RunStarted};

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
