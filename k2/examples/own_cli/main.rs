//! An own test command: one extension, one test case. Try `cargo run -p k2 --example own_cli -- run`.
use k2::messages::{TEST_CASE_FINISHED, TestCaseFinished};
use k2::prelude::*;

fn main() -> std::process::ExitCode {
    k2::application("acme").version("1.0.0").run()
}

/// Whom to call; `--oncall-number`, `ACME_ONCALL_NUMBER`.
const NUMBER: OptionId<String> = OptionId::text("oncall.number").default("555-0100");

/// Says in the log whom to call when a case did not pass.
#[command_extension(name = "oncall", extends = [k2::RUN_COMMAND], config_options = [NUMBER.required()])]
#[derive(Debug)]
struct OnCall(String);

impl Extension for OnCall {
    fn new(cx: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self(cx.config().get(NUMBER)?))
    }
}

#[dispatchers]
impl OnCall {
    #[sequential_dispatcher(TEST_CASE_FINISHED)]
    fn on_finished(&self, message: &Message<TestCaseFinished>) {
        if message.data().verdict.is_failure() {
            tracing::warn!("{} did not pass: call {}", message.data().case, self.0);
        }
    }
}

/// The product is made for this kernel.
#[k2::test_case(tags = ["machine"])]
fn runs_on_linux() -> TestResult {
    let kernel = std::fs::read("/proc/sys/kernel/ostype")?;
    assert_eq!(kernel, b"Linux\n");
    Ok(())
}
