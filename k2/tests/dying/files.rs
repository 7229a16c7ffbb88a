//! Cases that make files in their workspaces.

use k2::prelude::*;
use k2::workspace::Workspace;

fn fill(workspace: &Workspace) -> TestResult {
    workspace.create_file("deep/er", "x".repeat(600))?;
    Ok(())
}

/// Makes files, and passes.
#[k2::test_case]
fn fills_its_workspace(workspace: &Workspace) -> TestResult {
    fill(workspace)
}

/// Makes files, and fails.
#[k2::test_case]
fn fills_its_workspace_and_fails(workspace: &Workspace) -> TestResult {
    fill(workspace)?;
    Err(fail("look at its files"))
}

/// Makes nothing, and fails.
#[k2::test_case]
fn leaves_its_workspace_empty_and_fails(workspace: &Workspace) -> TestResult {
    workspace.create_dir("empty")?;
    Err(fail("there are no files"))
}

/// Makes files, and kills the runner.
#[k2::test_case]
#[expect(clippy::disallowed_methods, reason = "it kills the runner")]
fn fills_its_workspace_and_dies(workspace: &Workspace) -> TestResult {
    fill(workspace)?;
    std::process::abort();
}
