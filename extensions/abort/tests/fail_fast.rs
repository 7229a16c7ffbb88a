//! Stopping after so many failures, on a bus.

use k2::case::{CaseId, Verdict};
use k2::messages::{RUNNER, TEST_CASE_FINISHED, TestCaseFinished};
use k2_abort::{FAIL_FAST, FAIL_FAST_ENDPOINT, FailFast};
use zaf_core::application::ABORT;
use zaf_harness::prelude::*;

fn ended(name: &str, verdict: Verdict, retried: bool) -> TestCaseFinished {
    TestCaseFinished {
        case: CaseId::new(name),
        verdict,
        retried,
        ..TestCaseFinished::example()
    }
}

#[test]
fn the_third_case_that_fails_aborts_and_no_attempt_counts() -> TestResult {
    let harness = ExtensionTestHarness::<FailFast>::builder()
        .config(FAIL_FAST, 3)
        .define(RUNNER, [TEST_CASE_FINISHED])
        .start()?;
    let recorder = harness.record([ABORT])?;
    for (name, verdict, retried) in [
        ("a", Verdict::Failed, false),
        ("b", Verdict::Failed, true),
        ("b", Verdict::Passed, false),
        ("c", Verdict::Error, false),
    ] {
        harness.trigger_event(TEST_CASE_FINISHED, RUNNER, ended(name, verdict, retried))?;
    }
    recorder.expect_nothing_else()?;
    for name in ["d", "e"] {
        let timed_out = ended(name, Verdict::TimedOut, false);
        harness.trigger_event(TEST_CASE_FINISHED, RUNNER, timed_out)?;
    }
    let abort = recorder.expect(ABORT).from(FAIL_FAST_ENDPOINT).arrives()?;
    assert_eq!(abort.data().to_string(), "3 cases have failed, d the last");
    recorder.expect_nothing_else()?;
    harness.destroy()?;
    Ok(())
}

#[test]
fn without_a_number_nobody_listens() -> TestResult {
    let harness = ExtensionTestHarness::<FailFast>::builder()
        .define(RUNNER, [TEST_CASE_FINISHED])
        .start()?;
    assert!(!harness.is_active());
    Ok(())
}
