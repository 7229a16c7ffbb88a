//! The components as cases get them.

use std::sync::Arc;

use k2::case::{CaseId, CaseRun};
use k2::supervisor::Cancellation;
use k2_workspace::{FreePorts, Workspace};
use zaf_harness::{ComponentTestHarness, TestResult};

#[test]
fn each_attempt_has_a_directory_of_its_own_and_keeps_it() -> TestResult {
    let outputs = tempfile::tempdir()?;
    let outputs = outputs
        .path()
        .to_str()
        .expect("temporary directories are UTF-8");
    let mut files = Vec::new();
    for attempt in [1, 2] {
        let harness = ComponentTestHarness::in_scopes(["session", "test"])?;
        let mut case = CaseRun::new(CaseId::new("a"), "r", outputs, Cancellation::new()?);
        case.attempt = attempt;
        harness.provide(Arc::new(case))?;
        let workspace = harness.resolve::<Workspace>()?;
        let file = workspace.create_file("notes", "same name")?;
        drop(workspace);
        harness.end()?;
        files.push(file);
    }
    assert_ne!(files[0], files[1]);
    for file in files {
        assert!(file.starts_with(outputs), "{file}");
        assert_eq!(std::fs::read_to_string(file)?, "same name");
    }
    Ok(())
}

#[test]
fn two_cases_have_different_ports() -> TestResult {
    let harness = || ComponentTestHarness::in_scopes(["session", "test"]);
    let (one, other) = (harness()?, harness()?);
    let one = one.resolve::<FreePorts>()?.tcp()?;
    let other = other.resolve::<FreePorts>()?.tcp()?;
    assert_ne!(one.number(), other.number());
    Ok(())
}
