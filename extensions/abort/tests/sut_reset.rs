//! The extension `abortonreset`: aborting at resets that nobody expected, on a bus.

use k2::sut::{SUT, SUT_RESET_STARTED, SutReset};
use k2_abort::{
    ABORT_ON_UNEXPECTED_SUT_RESET, ABORT_ON_UNEXPECTED_SUT_RESET_ENDPOINT,
    AbortOnUnexpectedSutReset,
};
use zaf_core::application::CRITICAL_ABORT;
use zaf_harness::prelude::*;

#[test]
fn a_reset_that_nobody_expected_ends_the_run_if_that_is_wanted() -> TestResult {
    for is_wanted in [true, false] {
        let harness = ExtensionTestHarness::<AbortOnUnexpectedSutReset>::builder()
            .config(ABORT_ON_UNEXPECTED_SUT_RESET, is_wanted)
            .define(SUT, [SUT_RESET_STARTED])
            .start()?;
        let recorder = harness.record([CRITICAL_ABORT])?;
        harness.trigger_event_for(SUT_RESET_STARTED, SUT, "box", SutReset::EXPECTED)?;
        recorder.expect_nothing_else()?;
        harness.trigger_event_for(SUT_RESET_STARTED, SUT, "box", SutReset::UNEXPECTED)?;
        if is_wanted {
            let abort = recorder
                .expect(CRITICAL_ABORT)
                .from(ABORT_ON_UNEXPECTED_SUT_RESET_ENDPOINT)
                .arrives()?;
            assert_eq!(abort.data().to_string(), "SUT `box` has reset unexpectedly");
        }
        recorder.expect_nothing_else()?;
        harness.destroy()?;
    }
    Ok(())
}
