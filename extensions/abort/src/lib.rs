//! Conditions that abort a run.
//!
//! [`AbortOnFail`], [`FailFast`] and [`AbortOnUnexpectedSutReset`]. They only trigger `ABORT` or `CRITICAL_ABORT`; what that means for queue, cases and reports is decided by those who
//! listen to it.
//!
//! A product has them by linking this crate. Here the first of three cases fails, and no other is run:
//!
//! ```
//! use k2_abort as _;
//! use zaf_core::application::{Console, ExitCode};
//! use zaf_core::command::Invocation;
//!
//! fn main() -> zaf_core::TestResult {
//!     let directory = tempfile::tempdir()?;
//!     let suite = directory.path().join("suite");
//!     std::fs::create_dir(&suite)?;
//!     for (name, program) in [("a", "/bin/false"), ("b", "/bin/true"), ("c", "/bin/true")] {
//!         std::os::unix::fs::symlink(program, suite.join(name))?;
//!     }
//!     let output = directory.path().join("output");
//!     let line = ["run".into(), suite.into_os_string(), "--output-dir".into(), output.clone().into_os_string()];
//!     let more = ["--abort-on-fail".into(), "--parallel-workers=1".into()];
//!     let (console, printed) = Console::captured();
//!     let line = Invocation::new(line.into_iter().chain(more));
//!     let code = k2::application("acme").run_with(line, &console);
//!     assert_eq!(code, ExitCode::Incomplete, "{}", printed.stderr());
//!     let log = std::fs::read_to_string(output.join("latest/events.jsonl"))?;
//!     assert_eq!(log.matches("\"verdict\":\"not-run\"").count(), 2, "{log}");
//!     Ok(())
//! }
//! ```

mod fail_fast;
mod sut_reset;

use std::sync::atomic::{AtomicBool, Ordering};

use k2::messages::{TEST_CASE_FINISHED, TestCaseFinished};
use zaf_core::application::{ABORT, Abort};
use zaf_core::prelude::*;

pub use fail_fast::{FAIL_FAST, FAIL_FAST_ENDPOINT, FailFast};
pub use sut_reset::{
    ABORT_ON_UNEXPECTED_SUT_RESET, ABORT_ON_UNEXPECTED_SUT_RESET_ENDPOINT,
    AbortOnUnexpectedSutReset,
};

/// Where the abort comes from.
pub const ABORT_ON_FAIL_ENDPOINT: EndpointId =
    EndpointId::new("abortonfail", "Aborts the run at the first failure.");

/// Stops the run at the first case that fails: running cases end, the others are not run.
///
/// CLI `--abort-on-fail`, environment `K2_ABORT_ON_FAIL`, default false.
pub const ABORT_ON_FAIL: OptionId<bool> = OptionId::flag("abort.on.fail")
    .describe("Stop the run at the first case that fails")
    .default(false);

/// Triggers `ABORT` when a case has failed, timed out or ended in error.
#[command_extension(
    name = "abortonfail",
    extends = [k2::RUN_COMMAND],
    config_options = [ABORT_ON_FAIL.required()],
    endpoints_and_messages = { ABORT_ON_FAIL_ENDPOINT: [ABORT] },
    activate_on = [ABORT_ON_FAIL],
)]
#[derive(Debug)]
pub struct AbortOnFail {
    triggered: AtomicBool,
}

impl Extension for AbortOnFail {
    fn new(_cx: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self {
            triggered: AtomicBool::new(false),
        })
    }
}

#[dispatchers]
impl AbortOnFail {
    #[callback_dispatcher(TEST_CASE_FINISHED)]
    fn on_finished(&self, message: &Message<TestCaseFinished>, bus: &MessageBus) -> Result<()> {
        let finished = message.data();
        // An attempt that is tried again is no failure yet; and one abort is enough.
        let failed = finished.verdict.is_failure() && !finished.retried;
        if failed && !self.triggered.swap(true, Ordering::Relaxed) {
            let reason = format!("{} ended as {}", finished.case, finished.verdict);
            bus.trigger_event(ABORT, ABORT_ON_FAIL_ENDPOINT, Abort::because(reason))?;
        }
        Ok(())
    }
}
