//! The component as a case gets it.

use std::sync::Arc;
use std::time::Duration;

use k2::case::{CaseId, CaseRun};
use k2::supervisor::Cancellation;
use k2_waitfor::WaitFor;
use zaf_harness::{ComponentTestHarness, TestResult};

fn of_a_case(cancellation: Cancellation) -> zaf_core::Result<ComponentTestHarness> {
    let harness = ComponentTestHarness::in_scopes(["session", "test"])?;
    let case = CaseRun::new(CaseId::new("a"), "r", "/nowhere", cancellation);
    harness.provide(Arc::new(case))?;
    Ok(harness)
}

#[test]
fn a_case_waits_for_what_it_asks_for_and_shares_one_component() -> TestResult {
    let harness = of_a_case(Cancellation::new()?)?;
    let wait = harness.resolve::<WaitFor>()?;
    assert!(Arc::ptr_eq(&wait, &harness.resolve::<WaitFor>()?));
    assert_eq!(wait.some("seven", || Some(7))?, 7);
    let error = wait.timeout(Duration::ZERO).is_true("never", || false);
    assert!(
        error
            .expect_err("it never is")
            .to_string()
            .contains("never")
    );
    harness.end()?;
    Ok(())
}

#[test]
fn a_case_that_is_asked_to_end_waits_no_longer() -> TestResult {
    let cancellation = Cancellation::new()?;
    let harness = of_a_case(cancellation.clone())?;
    cancellation.request(15);
    let wait = harness.resolve::<WaitFor>()?;
    let error = wait.timeout(Duration::MAX).is_true("never", || false);
    assert!(error.is_err());
    Ok(())
}

#[test]
fn outside_of_a_case_there_is_none() -> TestResult {
    let harness = ComponentTestHarness::in_scopes(["session"])?;
    let error = harness
        .resolve::<WaitFor>()
        .expect_err("it belongs to a case");
    assert!(error.to_string().contains("WaitFor"), "{error}");
    Ok(())
}
