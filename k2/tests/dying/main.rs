//! A test command that dies in the middle of a run: by an extension's handler, or by a test function.
#![expect(
    clippy::disallowed_methods,
    reason = "it does what kills a process, and leaves processes behind"
)]

use std::fs;
use std::io;
use std::process::{Command, ExitCode, Stdio};

use k2::messages::{TEST_CASE_FINISHED, TestCaseFinished};
use k2::prelude::*;
use rustix::process::{Signal, getpid, kill_process};

fn main() -> ExitCode {
    k2::application("dying").version("1.0.0").run()
}

/// How the handler dies when the first case has finished.
const DEATH: OptionId<String> =
    OptionId::choice("death", &["none", "unwinding", "overflow"]).default("none");

/// Dies in a handler.
#[command_extension(name = "dying", extends = [k2::RUN_COMMAND], config_options = [DEATH.required()])]
#[derive(Debug)]
struct Dying(String);

impl Extension for Dying {
    fn new(cx: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self(cx.config().get(DEATH)?))
    }
}

#[dispatchers]
impl Dying {
    #[sequential_dispatcher(TEST_CASE_FINISHED)]
    fn on_finished(&self, message: &Message<TestCaseFinished>) {
        match self.0.as_str() {
            "unwinding" => {
                let _sore = Sore;
                panic!("after {}", message.data().case);
            }
            "overflow" => {
                recurse(message.data().execution);
            }
            _ => {}
        }
    }
}

/// Panics when it is dropped, even by a panic.
struct Sore;

impl Drop for Sore {
    fn drop(&mut self) {
        panic!("while unwinding");
    }
}

#[expect(unconditional_recursion, reason = "it is to overflow the stack")]
fn recurse(n: u64) -> u64 {
    let large = [n; 1000];
    recurse(n + 1) + large.iter().sum::<u64>()
}

/// Starts processes in sessions of their own, which stay, and notes their numbers.
fn leave_processes() -> io::Result<()> {
    let mut numbers = String::new();
    for _ in 0..3 {
        let mut command = Command::new("setsid");
        command.args(["sleep", "300"]);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let child = command.stderr(Stdio::null()).spawn()?;
        numbers = format!("{numbers}{}\n", child.id());
    }
    fs::write("left-behind", numbers)
}

/// Passes.
#[k2::test_case]
fn a_passes() {}

/// Leaves processes behind.
#[k2::test_case]
fn b_leaves_processes() -> TestResult {
    leave_processes()?;
    Ok(())
}

/// Aborts the process that it is a part of.
#[k2::test_case]
fn c_aborts() -> TestResult {
    leave_processes()?;
    std::process::abort();
}

/// Overflows its stack.
#[k2::test_case]
fn c_overflows() -> TestResult {
    leave_processes()?;
    recurse(1);
    Ok(())
}

/// Is ended by SIGSEGV.
#[k2::test_case]
fn c_crashes() -> TestResult {
    leave_processes()?;
    // The first one only removes the handler by which the runtime detects stack overflows.
    loop {
        kill_process(getpid(), Signal::SEGV)?;
    }
}

/// Says through a pipe that it runs, with processes left behind, and waits until it is asked to end.
#[k2::test_case]
fn c_waits(cx: &TestContext) -> TestResult {
    leave_processes()?;
    fs::write("ready", "\n")?;
    cx.cancellation().wait(std::time::Duration::from_mins(5));
    Ok(())
}

/// Is not started if the one before it kills the runner.
#[k2::test_case]
fn d_comes_last() -> TestResult {
    fs::write("ran", "")?;
    Ok(())
}
