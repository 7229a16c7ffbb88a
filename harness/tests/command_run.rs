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

/// Options that have a file of their own as their value, and what is in it then.
const FILE: &str = "greeting.times: 4\n";

#[test]
fn the_built_in_extensions_are_there_in_every_run() -> TestResult {
    for (line, said) in [
        (&["commands"][..], "greet"),
        (&["extensions"], "greeter"),
        (&["components"], "COMPONENT"),
        (&["messages"], "ABORT"),
        (&["endpoints"], "application"),
        (&["plugins"], "greeter"),
        (&["config"], "greeting"),
        (&["help", "greeting.times"], "How often."),
        (&["why", "greeter"], "greeter"),
        (&["man"], "greet"),
        (&["completion", "bash"], "complete"),
        (&["greet", "--help"], "--greeting-times"),
        (&["noop"], ""),
    ] {
        let run = greeter("you").run_command(line.iter().copied())?;
        let run = run.expect_success()?;
        assert!(run.stdout.contains(said), "{line:?}: {run}");
    }
    let run = greeter("you").run_command(["extensions"])?;
    let listed = run.expect_success()?.stdout;
    for name in [
        "cli",
        "configfiles",
        "configvalidator",
        "environment",
        "logging",
        "output",
        "slowhandlers",
        "trace",
    ] {
        let has_it = |line: &str| line.contains("active") && line.contains(name);
        assert!(listed.lines().any(has_it), "{name}: {listed}");
    }
    let directory = tempfile::tempdir()?;
    let path = |name: &str| directory.path().join(name).display().to_string();
    std::fs::write(path("settings.yaml"), FILE)?;
    let run = greeter("you").run_command([
        "greet".to_owned(),
        "--config-file-pattern".to_owned(),
        path("settings.yaml"),
        "--trace".to_owned(),
        path("trace.json"),
        "--log-level".to_owned(),
        "info".to_owned(),
    ])?;
    let run = run.expect_success()?;
    // Settings of files count, what is logged is told with its level, and the messages are written down.
    assert_eq!(run.stdout.lines().count(), 4, "{run}");
    run.logs.expect(Level::INFO, "greeted")?;
    assert!(std::fs::read_to_string(path("trace.json"))?.contains('{'));
    std::fs::write(path("settings.yaml"), "greeting.timse: 4\n")?;
    let run =
        greeter("you").run_command(["greet", "--config-file-pattern", &path("settings.yaml")])?;
    let run = run.expect_code(ExitCode::Usage)?;
    assert!(run.stderr.contains("greeting.times"), "{run}");
    let run = greeter("you").run_command(["docs".to_owned(), "--dir".to_owned(), path("docs")])?;
    run.expect_success()?;
    assert!(std::fs::read_to_string(path("docs/commands.md"))?.contains("greet"));
    Ok(())
}
