//! Cases that use what comes with k2: commands, waits, directories and ports.

use std::time::Duration;

use k2::exec::{Command, Environment};
use k2::prelude::*;
use k2::proc::ProcessRunner;
use k2::waitfor::WaitFor;
use k2::workspace::{FreePorts, Workspace};

const LONG: Duration = Duration::from_mins(1);

/// Talks to a program that runs beside it.
#[k2::test_case]
fn everything_works_together(
    processes: &ProcessRunner,
    environment: &Environment,
    workspace: &Workspace,
    ports: &FreePorts,
    wait: &WaitFor,
) -> TestResult {
    let port = ports.tcp()?;
    let _greeting = environment.set("GREETING", "hello");
    let log = workspace.path().join("log");
    let mut lines = wait.log(&log)?;
    let command = Command::shell(r#"echo "$GREETING $0 at $1" >> log; cat"#)
        .arguments(["server".to_owned(), port.number().to_string()])
        .directory(workspace.path())
        .without_timeout();
    let server = processes.start(&command)?;
    let found = lines.line(r"^hello server at (\d+)$")?;
    assert_eq!(found.groups[0], Some(port.number().to_string()));
    server.write_stdin("echo\n")?;
    server.wait_for_match_in_stdout("echo", LONG)?;
    workspace.assert_contains("log", "hello")?;
    Ok(())
}

/// A command ends as it should not.
#[k2::test_case]
fn a_wrong_end_fails(processes: &ProcessRunner) -> TestResult {
    processes.run(&Command::shell("echo no paper >&2; exit 7"))?;
    Ok(())
}

/// A command does not exist.
#[k2::test_case]
fn a_missing_program_is_an_error(processes: &ProcessRunner) -> TestResult {
    processes.run(&Command::new("/no/such/program"))?;
    Ok(())
}

/// Waits for what never comes, in a case whose time is shorter.
#[k2::test_case(timeout = "200ms")]
fn a_wait_ends_with_the_case(wait: &WaitFor) -> TestResult {
    wait.timeout(Duration::from_hours(1))
        .is_true("never", || false)
}

/// Leaves a program running that does not want to end, in a session of its own.
#[k2::test_case]
fn leaves_a_program_running(processes: &ProcessRunner, workspace: &Workspace) -> TestResult {
    let command = Command::shell("trap '' TERM; setsid sleep 600 & echo $! $$; wait")
        .grace(Duration::from_millis(50))
        .without_timeout();
    let process = processes.start(&command)?;
    let pids = process.wait_for_match_in_stdout(r"(\d+) (\d+)\n", LONG)?;
    workspace.create_file("pids", pids.text)?;
    Ok(())
}
