//! An own test command in one file: one extension, one test case. Try `cargo run -p k2 --example own_cli -- run`.

use std::process::ExitCode;

use k2::messages::{TEST_CASE_FINISHED, TestCaseFinished};
use k2::prelude::*;

fn main() -> ExitCode {
    k2::application("acme").version("1.0.0").run()
}

/// Says in the log whom to call when a case did not pass.
#[command_extension(name = "on-call", extends = [k2::RUN_COMMAND])]
#[derive(Debug)]
struct OnCall;

impl Extension for OnCall {
    fn new(_cx: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }
}

#[dispatchers]
impl OnCall {
    #[sequential_dispatcher(TEST_CASE_FINISHED)]
    fn on_finished(&self, message: &Message<TestCaseFinished>) {
        if message.data().verdict.is_failure() {
            tracing::warn!("{} did not pass: call 555-0100", message.data().case);
        }
    }
}

/// The kernel of this machine is the one that the product is made for.
#[k2::test_case(tags = ["machine"])]
fn runs_on_linux() -> TestResult {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/ostype")?;
    assert_eq!(kernel.trim(), "Linux");
    Ok(())
}
