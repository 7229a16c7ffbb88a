//! The components as a case gets them.

use std::sync::Arc;

use k2::case::{CaseId, CaseRun};
use k2::exec::{Command, Environment, Exec};
use k2::supervisor::Cancellation;
use k2_proc::ProcessRunner;
use zaf_core::component::Requirement;
use zaf_harness::{ComponentTestHarness, TestResult};

fn of_a_case() -> zaf_core::Result<ComponentTestHarness> {
    let harness = ComponentTestHarness::in_scopes(["session", "test"])?;
    let case = CaseRun::new(CaseId::new("a"), "r", "/nowhere", Cancellation::new()?);
    harness.provide(Arc::new(case))?;
    Ok(harness)
}

#[test]
fn commands_run_in_the_environment_of_the_case_and_carry_its_mark() -> TestResult {
    let harness = of_a_case()?;
    let environment = harness.resolve::<Environment>()?;
    let _guard = environment.set("COLOUR", "green");
    let processes = harness.resolve::<ProcessRunner>()?;
    let finished = processes.run(&Command::shell("echo $COLOUR $K2_EXECUTION"))?;
    assert!(finished.stdout.starts_with("green r-1-1/"), "{finished:?}");
    Ok(())
}

#[test]
fn a_wrong_exit_code_is_an_error_and_the_machine_is_asked_for_by_what_it_can() -> TestResult {
    let harness = of_a_case()?;
    let processes = harness.resolve::<ProcessRunner>()?;
    assert!(processes.run(&Command::shell("exit 3")).is_err());
    let host = Requirement::of::<Exec>("exec").can(&["host"]);
    let exec = harness.resolve_as::<Exec>(&host)?;
    assert_eq!(
        exec.run(&Command::shell("echo here"))?.stdout.trim(),
        "here"
    );
    let elsewhere = Requirement::of::<Exec>("exec").can(&["target"]);
    assert!(harness.resolve_as::<Exec>(&elsewhere).is_err());
    Ok(())
}
