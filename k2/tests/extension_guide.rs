//! Triggers `MY_MESSAGE` with a configured value each time a test case has finished.
//!
//! The file that the extension guide shows, then its command, its component and its test case, and at the end the proof that
//! all of them work in an application.

#![expect(
    unreachable_pub,
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

/// Runs programs.
#[derive(Debug)]
pub struct Shell {
    greeting: String,
}

impl Shell {
    fn output(&self, program: &str, argument: &str) -> Result<String> {
        let output = std::process::Command::new(program).arg(argument).output()?;
        Ok(format!(
            "{}{}",
            self.greeting,
            String::from_utf8(output.stdout)?
        ))
    }
}

#[component(scope = "session", can = ["host"])]
/// A shell on this machine.
fn host_shell(config: &ConfigView) -> Result<Shell> {
    Ok(Shell {
        greeting: format!("{}: ", config.get(VALUE)?),
    })
}

#[k2::test_case(tags = ["smoke"], timeout = "5s")]
/// The kernel reports its name.
fn kernel_name(shell: &Shell, #[foreach(["-s", "-r"])] flag: &str) -> k2::TestResult {
    let printed = shell.output("uname", flag)?;
    if flag == "-s" && printed != "7: Linux\n" {
        return Err(k2::fail(format!("`uname -s` printed {printed:?}")));
    }
    Ok(())
}

#[cfg(test)]
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
}

/// What the guide's file does in an application, by its own binary: this one.
mod in_an_application {
    use std::sync::atomic::{AtomicI64, Ordering};

    use zaf_core::application::Console;
    use zaf_core::command::Invocation;

    use super::*;

    /// Adds the guide's command.
    #[framework_extension(name = "mycommands", commands = [MYCOMMAND_COMMAND])]
    #[derive(Debug)]
    struct MyCommands;

    impl Extension for MyCommands {
        fn new(_cx: &ExtensionContext<'_>) -> Result<Self> {
            Ok(Self)
        }
    }

    /// Sum of the values that came with `MY_MESSAGE`.
    static SUM: AtomicI64 = AtomicI64::new(0);

    /// Listens to what the guide's extension says.
    #[command_extension(name = "mylistener", extends = [k2::RUN_COMMAND])]
    #[derive(Debug)]
    struct MyListener;

    impl Extension for MyListener {
        fn new(_cx: &ExtensionContext<'_>) -> Result<Self> {
            Ok(Self)
        }
    }

    #[dispatchers]
    impl MyListener {
        #[callback_dispatcher(MY_MESSAGE, endpoints = [MY_ENDPOINT])]
        fn on_my_message(&self, message: &Message<i64>) {
            SUM.fetch_add(*message.data(), Ordering::SeqCst);
        }
    }

    #[test]
    fn both_cases_pass_and_each_triggers_the_message() {
        let directory = tempfile::tempdir().unwrap();
        let output = directory.path().to_str().unwrap();
        let (console, printed) = Console::captured();
        let arguments = ["run", "--my-config-option", "7", "--output-dir", output];
        let code = k2::application("guide").run_with(Invocation::new(arguments), &console);
        assert_eq!(code, ExitCode::Success, "{}", printed.stderr());
        assert_eq!(SUM.load(Ordering::SeqCst), 14);
        let log = std::fs::read_to_string(directory.path().join("latest/events.jsonl")).unwrap();
        for case in ["kernel_name[flag=-s]", "kernel_name[flag=-r]"] {
            assert!(log.contains(case), "{case}");
        }
    }

    #[test]
    fn the_command_runs_and_says_what_it_uses() {
        let (console, printed) = Console::captured();
        let code = k2::application("guide").run_with(Invocation::new(["mycommand"]), &console);
        assert_eq!(code, ExitCode::Success, "{}", printed.stderr());
        assert_eq!(MYCOMMAND_COMMAND.description, "Runs my command.");
        assert_eq!(MYCOMMAND_COMMAND.uses, ["capability_a", "capability_b"]);
    }
}
