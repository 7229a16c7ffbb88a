//! Triggers `MY_MESSAGE` with a configured value each time a test case has finished.
//!
//! This is the file that the extension guide shows: an extension with its test, a command and a component.

#![expect(
    unreachable_pub,
    clippy::unnecessary_wraps,
    reason = "the file is shown as an author would write it in a crate of its own"
)]

use k2::messages::{TEST_CASE_FINISHED, TestCaseFinished};
use zaf_core::prelude::*;

pub const MY_ENDPOINT: EndpointId = EndpointId::new("my-endpoint", "Where myextension speaks.");
pub const MY_MESSAGE: EventId<i64> = EventId::new("MY_MESSAGE", "A test case has finished.");

/// Value that is sent with `MY_MESSAGE`.
pub const VALUE: OptionId<i64> = OptionId::integer("my.config.option").default(1);

#[command_extension(
    name = "myextension",
    extends = [k2::RUN_COMMAND],
    config_options = [VALUE.required()],
    endpoints_and_messages = { MY_ENDPOINT: [MY_MESSAGE] },
)]
#[derive(Debug)]
pub struct MyExtension {
    value: i64,
}

impl Extension for MyExtension {
    fn new(cx: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self {
            value: cx.config().get(VALUE)?,
        })
    }
}

#[dispatchers]
impl MyExtension {
    #[sequential_dispatcher(TEST_CASE_FINISHED)]
    fn on_finished(&self, _message: &Message<TestCaseFinished>, bus: &MessageBus) -> Result<()> {
        bus.trigger_event(MY_MESSAGE, MY_ENDPOINT, self.value)?;
        Ok(())
    }
}

#[command(name = "mycommand", uses = ["capability_a", "capability_b"])]
/// Runs my command.
fn mycommand(_cx: &CommandContext<'_>) -> Result<ExitCode> {
    Ok(ExitCode::Success)
}

#[derive(Debug)]
pub struct Shell {
    pub configured: i64,
}

#[component(scope = "extension", can = ["guide-host"])]
/// A shell on this machine.
fn host_shell(config: &ConfigView) -> Result<Shell> {
    Ok(Shell {
        configured: config.get(VALUE)?,
    })
}

mod tests {
    use super::*;
    use zaf_harness::prelude::*;

    #[test]
    fn a_finished_case_triggers_my_message() -> TestResult {
        let harness = ExtensionTestHarness::<MyExtension>::builder()
            .config(VALUE, 5)
            .define(MOCK_ENDPOINT, [TEST_CASE_FINISHED])
            .start()?;
        let queue = harness.message_queue([MY_MESSAGE])?;
        harness.trigger_event(
            TEST_CASE_FINISHED,
            MOCK_ENDPOINT,
            TestCaseFinished::example(),
        )?;
        assert_eq!(*queue.recv_timeout(Duration::from_secs(10))?.data(), 5);
        Ok(())
    }

    #[test]
    fn the_command_says_what_it_uses() {
        assert_eq!(MYCOMMAND_COMMAND.name, "mycommand");
        assert_eq!(MYCOMMAND_COMMAND.description, "Runs my command.");
        assert_eq!(MYCOMMAND_COMMAND.uses, ["capability_a", "capability_b"]);
    }
}
