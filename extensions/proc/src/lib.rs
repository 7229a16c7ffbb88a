//! Commands of this machine, as components of test cases.
//!
//! ```
//! use k2::exec::Command;
//! use k2::prelude::*;
//! use k2_proc::ProcessRunner;
//!
//! #[k2::test_case]
//! fn the_disk_has_room(processes: &ProcessRunner) -> TestResult {
//!     let finished = processes.run(&Command::shell("df --output=avail / | tail -1"))?;
//!     assert!(finished.stdout.trim() != "0");
//!     Ok(())
//! }
//! # fn main() {}
//! ```
//!
//! Three components of the scope `test`: [`ProcessRunner`] for those who want a wrong exit code to fail the case, the
//! [`Exec`] with the capability `host` for those who do not care where a command runs, and the [`Environment`] that both start
//! commands in. What they start ends with the case.

use std::sync::Arc;

use k2::case::CaseRun;
use k2::exec::{Environment, Exec, Host};
use zaf_core::prelude::*;

mod process_runner;

pub use process_runner::{ProcessRunner, RunningProcess};

/// Variables for the commands of a case; starts without any change.
#[component(name = "environment", scope = "test")]
fn environment() -> Environment {
    Environment::default()
}

/// Runs commands on this machine; they end with the case.
#[component(name = "host-exec", scope = "test", can = ["host"])]
fn host_exec(run: &CaseRun, environment: &Environment) -> Exec {
    let host = Host::new()
        .execution(run.execution())
        .environment(environment);
    Exec::new(Arc::new(host), run.cancellation.clone())
}

/// Runs commands on this machine and fails the case if one does not end as it should.
#[component(name = "process-runner", scope = "test")]
#[requires(exec, can = ["host"])]
fn process_runner(exec: &Exec) -> ProcessRunner {
    ProcessRunner::new(exec.clone())
}
