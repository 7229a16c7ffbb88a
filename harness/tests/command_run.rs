//! Commands in a whole application.

use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;
use zaf_core::application::Console;
use zaf_core::clock::Clock;
use zaf_core::prelude::*;
use zaf_harness::prelude::*;

/// How often it greets.
const TIMES: OptionId<u64> = OptionId::count("greeting.times")
    .describe("How often.")
    .default(1);

/// Whom it greets; provided by tests.
#[derive(Debug)]
struct Guest(&'static str);

/// When it greeted; provided by tests that want to know.
#[derive(Debug, Default)]
struct Moment(Mutex<Option<Instant>>);

/// Greets a guest.
#[command(name = "greet", config_options = [TIMES.required()])]
fn greet(cx: &CommandContext<'_>) -> Result<ExitCode> {
    let guest = cx.component::<Guest>()?;
    if guest.0.is_empty() {
        return Err(Error::msg("nobody is there"));
    }
    let console = cx.component::<Console>()?;
    for _ in 0..cx.config().get(TIMES)? {
        writeln!(console.stdout(), "Hello, {}!", guest.0)?;
    }
    if let Ok(moment) = cx.component::<Moment>() {
        *moment.0.lock() = Some(cx.component::<Clock>()?.now());
    }
    tracing::info!("greeted");
    Ok(ExitCode::Success)
}

#[framework_extension(name = "greeter", load_order = 101, commands = [GREET_COMMAND])]
#[derive(Debug)]
struct Greeter;

impl Extension for Greeter {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }
}

fn greeter(guest: &'static str) -> zaf_harness::HarnessBuilder<Greeter> {
    ExtensionTestHarness::builder().component(Arc::new(Guest(guest)))
}

#[test]
fn a_command_has_the_clock_of_the_test() -> TestResult {
    let clock = FakeClock::new();
    let begin = clock.clock().now();
    clock.advance(Duration::from_hours(3));
    let moment = Arc::new(Moment::default());
    let run = greeter("reader")
        .clock(&clock)
        .component(Arc::clone(&moment));
    run.run_command(["greet"])?.expect_success()?;
    assert_eq!(*moment.0.lock(), begin.checked_add(Duration::from_hours(3)));
    Ok(())
}

#[test]
fn a_command_has_its_output_its_code_and_its_logs() -> TestResult {
    let run = greeter("reader").run_command(["greet"])?.expect_success()?;
    assert_eq!(run.stdout, "Hello, reader!\n");
    assert_eq!(run.stderr, "");
    assert_eq!(
        run.logs.expect(Level::INFO, "greeted")?.extension,
        Some("greeter")
    );
    Ok(())
}

#[test]
fn arguments_win_over_the_configuration_of_the_harness() -> TestResult {
    let run = greeter("you").config(TIMES, 2).run_command(["greet"])?;
    assert_eq!(run.stdout.lines().count(), 2, "{run}");
    let run = greeter("you")
        .config(TIMES, 2)
        .run_command(["greet", "--greeting-times", "3"])?;
    assert_eq!(run.stdout.lines().count(), 3, "{run}");
    Ok(())
}

#[test]
fn wrong_use_and_failures_are_what_a_user_sees() -> TestResult {
    let run = greeter("you").run_command(["greet", "--greeting-time", "3"])?;
    let run = run.expect_code(ExitCode::Usage)?;
    assert!(run.stderr.contains("--greeting-times"), "{run}");
    let run = greeter("").run_command(["greet"])?;
    let error = run.expect_success().expect_err("it fails");
    let text = error.to_string();
    assert!(text.starts_with("expected exit code 0, got "), "{text}");
    assert!(text.contains("nobody is there"), "{text}");
    let run = ExtensionTestHarness::<Greeter>::builder().run_command(["greet"])?;
    assert_ne!(
        run.code,
        ExitCode::Success,
        "nobody provides `Guest`: {run}"
    );
    Ok(())
}
