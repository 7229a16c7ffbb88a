//! Aborting a run after a number of failures.

use std::sync::atomic::{AtomicU64, Ordering};

use k2::messages::{TEST_CASE_FINISHED, TestCaseFinished};
use zaf_core::application::{ABORT, Abort};
use zaf_core::prelude::*;

/// Where the abort comes from.
pub const FAIL_FAST_ENDPOINT: EndpointId =
    EndpointId::new("failfast", "Aborts the run after a number of failures.");

/// Stops the run when so many cases have failed: running cases end, the others are not run.
///
/// CLI `--fail-fast 3`, environment `K2_FAIL_FAST`, no default (the run goes on).
pub const FAIL_FAST: OptionId<u64> =
    OptionId::count("fail.fast").describe("Stop the run when so many cases have failed");

/// Triggers `ABORT` when enough cases have failed, timed out or ended in error.
#[command_extension(
    name = "failfast",
    extends = [k2::RUN_COMMAND],
    config_options = [FAIL_FAST.optional()],
    endpoints_and_messages = { FAIL_FAST_ENDPOINT: [ABORT] },
    activate_on = [FAIL_FAST],
)]
#[derive(Debug)]
pub struct FailFast {
    limit: u64,
    failures: AtomicU64,
}

impl Extension for FailFast {
    fn new(cx: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self {
            limit: cx.config().get_optional(FAIL_FAST)?.unwrap_or(u64::MAX),
            failures: AtomicU64::new(0),
        })
    }
}

#[dispatchers]
impl FailFast {
    #[callback_dispatcher(TEST_CASE_FINISHED)]
    fn on_finished(&self, message: &Message<TestCaseFinished>, bus: &MessageBus) -> Result<()> {
        let finished = message.data();
        // An attempt that is tried again is no failure yet.
        if !finished.verdict.is_failure() || finished.retried {
            return Ok(());
        }
        let failures = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
        // One abort is enough, also when cases that were running fail meanwhile.
        if failures == self.limit {
            let reason = match failures {
                1 => format!("{} has failed", finished.case),
                _ => format!("{failures} cases have failed, {} the last", finished.case),
            };
            bus.trigger_event(ABORT, FAIL_FAST_ENDPOINT, Abort::because(reason))?;
        }
        Ok(())
    }
}
