//! A test command that dies in the middle of a run: by an extension's handler, or by a test function.
#![expect(
    clippy::disallowed_methods,
    clippy::exit,
    reason = "it does what kills a process, and leaves processes behind"
)]

mod brittle;
mod files;

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use k2::messages::{TEST_CASE_FINISHED, TestCaseFinished};
use k2::prelude::*;
use k2::{check, check_eq};
use rustix::process::{Signal, getpid, kill_process};

fn main() -> ExitCode {
    k2::application("dying").version("1.0.0").run()
}

/// How the handler dies when the first case has finished.
const DEATH: OptionId<String> =
    OptionId::choice("death", &["none", "panic", "unwinding", "overflow"]).default("none");

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
            "panic" => panic!("as asked"),
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

/// Ends this process.
fn die(how: &str) -> TestResult {
    match how {
        "abort" => std::process::abort(),
        "overflow" => drop(recurse(1)),
        "exit" => std::process::exit(0),
        // The first one only removes the handler by which the runtime detects stack overflows.
        _ => loop {
            kill_process(getpid(), Signal::SEGV)?;
        },
    }
    Ok(())
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

/// Ends the process with the code of a good run.
#[k2::test_case]
fn c_exits() -> TestResult {
    leave_processes()?;
    std::process::exit(0);
}

/// The same on a thread that nobody watches.
#[k2::test_case]
fn c_exits_elsewhere() -> TestResult {
    leave_processes()?;
    let thread = std::thread::spawn(|| std::process::exit(0));
    // It does not come back.
    drop(thread.join());
    Ok(())
}

/// Tells and attaches something before it kills the runner.
#[k2::test_case]
fn e_tells_and_dies(
    cx: &TestContext,
    #[foreach(["abort", "segv", "exit", "overflow"])] how: &str,
) -> TestResult {
    check_eq!(how.len(), 0, "before the end");
    check!(false, "by {how}");
    cx.attach("odd name.bin", "application/x-core", how)?;
    die(how)
}

/// Tells something, and waits for somebody to kill the runner.
#[k2::test_case]
fn e_tells_and_waits(cx: &TestContext) -> TestResult {
    check!(false, "still running");
    cx.attach("screen.txt", "", "as it was")?;
    fs::write("ready", "\n")?;
    cx.cancellation().wait(std::time::Duration::from_mins(5));
    Ok(())
}

/// Kills the runner at its first two attempts, and passes then.
#[k2::test_case]
fn c_recovers() -> TestResult {
    let attempts = fs::read_to_string("attempts").unwrap_or_default() + "I";
    fs::write("attempts", &attempts)?;
    if attempts.len() < 3 {
        std::process::abort();
    }
    Ok(())
}

/// Passes once [`p_kills`] has killed the runner in which both were.
#[k2::test_case]
fn p_bystands() -> TestResult {
    if !Path::new("met").exists() {
        fs::write("met", "")?;
        loop {
            std::thread::park();
        }
    }
    Ok(())
}

/// Waits until [`p_bystands`] runs, and then kills the runner.
#[k2::test_case]
fn p_kills() {
    while !Path::new("met").exists() {
        std::thread::yield_now();
    }
    std::process::abort();
}

/// Aborts the process that it has for itself, whatever the run says.
#[k2::test_case(isolation = "process")]
fn i_aborts_alone() -> TestResult {
    leave_processes()?;
    std::process::abort();
}

/// Never ends, and does not ask whether it should.
#[k2::test_case(isolation = "process", timeout = "300ms")]
fn i_never_ends() -> TestResult {
    leave_processes()?;
    loop {
        std::thread::park();
    }
}

/// Writes to both outputs what looks like the end of a case, and what a process that was given something to read would find.
#[k2::test_case]
fn i_talks() -> TestResult {
    let mut input = String::new();
    io::stdin().read_to_string(&mut input)?;
    writeln!(io::stdout(), "{{\"outcome\":\"passed\"}} input {input:?}")?;
    writeln!(io::stderr(), "number {}", std::process::id())?;
    Err(fail("it has talked"))
}

/// The variables that the function sees.
#[k2::test_case]
fn i_sees_its_environment() -> TestResult {
    let mut names: Vec<String> = std::env::vars_os()
        .map(|(name, _)| name.to_string_lossy().into_owned())
        .collect();
    names.sort();
    fs::write("environment", names.join("\n"))?;
    Ok(())
}

/// Says through a pipe that it runs, with processes left behind, and waits until it is asked to end.
#[k2::test_case]
fn c_waits(cx: &TestContext) -> TestResult {
    leave_processes()?;
    fs::write("ready", "\n")?;
    cx.cancellation().wait(std::time::Duration::from_mins(5));
    Ok(())
}

/// Says through a pipe that it runs, and waits for somebody to write to another one.
#[k2::test_case]
fn j_waits() -> TestResult {
    fs::write("ready", "\n")?;
    fs::read("done")?;
    Ok(())
}

/// Takes 96 MiB.
#[k2::test_case]
fn m_takes_memory() {
    let memory = vec![1_u8; 96 << 20];
    // It is not left out because nobody looks at it.
    assert_eq!(std::hint::black_box(memory).len(), 96 << 20);
}

/// Is not started if the one before it kills the runner.
#[k2::test_case]
fn d_comes_last() -> TestResult {
    fs::write("ran", "")?;
    Ok(())
}
