//! The extension on a bus: what the runner says goes in; `ABORT` comes out, or does not.

use k2::case::{CaseId, Verdict};
use k2::messages::{RUNNER, TEST_CASE_FINISHED, TestCaseFinished};
use k2_abort::{ABORT_ON_FAIL, ABORT_ON_FAIL_ENDPOINT, AbortOnFail};
use zaf_core::application::ABORT;
use zaf_harness::prelude::*;

fn start(option: bool) -> zaf_core::Result<ExtensionTestHarness<AbortOnFail>> {
    ExtensionTestHarness::<AbortOnFail>::builder()
        .config(ABORT_ON_FAIL, option)
        .define(RUNNER, [TEST_CASE_FINISHED])
        .start()
}

fn ended(name: &str, verdict: Verdict) -> TestCaseFinished {
    let mut finished = TestCaseFinished::example();
    finished.case = CaseId::new(name);
    finished.verdict = verdict;
    finished
}

#[test]
fn the_first_failure_aborts_and_says_why() -> TestResult {
    let harness = start(true)?;
    let aborts = harness.message_queue([ABORT])?;
    harness.trigger_event(TEST_CASE_FINISHED, RUNNER, ended("a", Verdict::Passed))?;
    harness.trigger_event(TEST_CASE_FINISHED, RUNNER, ended("b", Verdict::Failed))?;
    let abort = aborts.recv_timeout(Duration::from_secs(10))?;
    assert_eq!(abort.data().to_string(), "b ended as failed");
    assert_eq!(abort.data().signal, None);
    assert_eq!(abort.endpoint(), Some(ABORT_ON_FAIL_ENDPOINT));
    Ok(())
}

#[test]
fn one_abort_is_enough() -> TestResult {
    let harness = start(true)?;
    let aborts = harness.message_queue([ABORT])?;
    for name in ["a", "b", "c"] {
        harness.trigger_event(TEST_CASE_FINISHED, RUNNER, ended(name, Verdict::Failed))?;
    }
    harness.wait_until_idle()?;
    assert_eq!(aborts.len(), 1);
    Ok(())
}

#[test]
fn every_verdict_that_is_a_failure_aborts_and_no_other() -> TestResult {
    use Verdict::{Aborted, Error, Failed, Ignored, NotRun, Passed, Skipped, TimedOut};
    let verdicts = [
        (Passed, false),
        (Skipped, false),
        (Ignored, false),
        (Aborted, false),
        (NotRun, false),
        (Failed, true),
        (Error, true),
        (TimedOut, true),
    ];
    for (verdict, aborts) in verdicts {
        let harness = start(true)?;
        let queue = harness.message_queue([ABORT])?;
        harness.trigger_event(TEST_CASE_FINISHED, RUNNER, ended("a", verdict))?;
        harness.wait_until_idle()?;
        assert_eq!(queue.len(), usize::from(aborts), "{verdict}");
    }
    Ok(())
}

#[test]
fn an_attempt_that_is_tried_again_does_not_abort_but_the_last_one_does() -> TestResult {
    let harness = start(true)?;
    let aborts = harness.message_queue([ABORT])?;
    let mut first = ended("a", Verdict::Failed);
    first.retried = true;
    harness.trigger_event(TEST_CASE_FINISHED, RUNNER, first)?;
    harness.wait_until_idle()?;
    assert!(aborts.is_empty());

    let mut last = ended("a", Verdict::Failed);
    last.attempt = 2;
    harness.trigger_event(TEST_CASE_FINISHED, RUNNER, last)?;
    harness.wait_until_idle()?;
    assert_eq!(aborts.len(), 1);
    Ok(())
}

#[test]
fn without_the_option_it_does_not_even_listen() -> TestResult {
    let harness = start(false)?;
    assert!(!harness.is_active());
    let aborts = harness.message_queue([ABORT])?;
    let report = harness.trigger_event(TEST_CASE_FINISHED, RUNNER, ended("a", Verdict::Failed))?;
    harness.wait_until_idle()?;
    assert_eq!(report.delivered, 0);
    assert!(aborts.is_empty());
    Ok(())
}
