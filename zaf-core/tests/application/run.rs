//! Runs inside this process.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::Mutex;
use zaf_core::Result;
use zaf_core::application::{BEFORE_COMMAND, CommandStarting};
use zaf_core::command::Invocation;
use zaf_core::extension::{Extension, ExtensionContext};
use zaf_core::message::{APPLICATION_ENDPOINT, Dispatcher, DispatcherKind, Message, MessageBus};

use super::recorder::{PASS, application, describe, run, run_line};

#[test]
fn a_run_is_before_command_after_and_the_end_of_everything() {
    assert_eq!(
        run_line(&["pass"]),
        (
            0,
            "before pass\nrunning\nafter 0\ndestroyed\n".to_owned(),
            String::new()
        )
    );
}

#[test]
fn f42_after_command_follows_a_failed_before_command_and_the_command_is_not_run() {
    let (code, stdout, stderr) = run_line(&["pass", "--break-before"]);
    assert_eq!(stdout, "before pass\nafter 7\ndestroyed\n");
    assert_eq!(code, 7, "{stderr}");
    assert!(stderr.contains("broken as asked"), "{stderr}");
}

#[test]
fn f42_after_command_follows_a_failed_command() {
    assert_eq!(
        run_line(&["fail"]),
        (
            1,
            "before fail\nafter 1\ndestroyed\n".to_owned(),
            "error: no luck\n".to_owned()
        )
    );
}

#[test]
fn an_error_of_a_command_may_carry_its_exit_code() {
    let (code, _, stderr) = run_line(&["report"]);
    assert_eq!((code, stderr.as_str()), (6, "error: disk full\n"));
}

#[test]
fn a_panic_of_a_command_is_an_internal_error_and_everything_is_taken_down() {
    let (code, stdout, stderr) = run_line(&["panic"]);
    assert_eq!(code, 70);
    assert_eq!(stdout, "before panic\nafter 70\ndestroyed\n");
    assert!(stderr.contains("out of luck") && stderr.contains("please report it"));
}

#[test]
fn f41_help_and_usage_errors_take_everything_down() {
    // The recorder speaks only after it was given the console, so it counts the instances that are left.
    for (line, code) in [
        (&["--help"][..], 0),
        (&["--bogus"], 2),
        (&["noop", "-h"], 0),
    ] {
        COUNTED.with_extension(|application| {
            let (ended, _, stderr) = run(application, Invocation::new(line));
            assert_eq!(ended, code, "{stderr}");
        });
    }
}

/// Counts how many instances of [`Counted`] exist.
struct Counter(Mutex<i64>);

static COUNTED: Counter = Counter(Mutex::new(0));

impl Counter {
    fn with_extension(&self, test: impl FnOnce(zaf_core::application::Application)) {
        test(application([describe::<Counted>("counted", &[], &[])]));
        assert_eq!(*self.0.lock(), 0, "an instance was not destroyed");
    }
}

struct Counted;

impl Extension for Counted {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        *COUNTED.0.lock() += 1;
        Ok(Self)
    }

    fn destroy(&self) -> Result<()> {
        *COUNTED.0.lock() -= 1;
        Ok(())
    }
}

#[test]
fn f40_a_chosen_command_runs_without_a_command_line() {
    let (code, stdout, stderr) = run(
        application([]).always(&PASS),
        Invocation::new(["--bogus", "--help", "fail"]),
    );
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("before pass\nrunning\n"), "{stdout}");
}

#[test]
fn f57_a_handler_that_never_ends_cannot_keep_the_run_from_ending() {
    let (code, stdout, stderr) = run(
        application([describe::<Stuck>("stuck", &[], &[])]),
        Invocation::new(["pass", "--application-teardown-timeout", "50ms"]),
    );
    GATE.open();
    assert_eq!(code, 3, "{stderr}");
    assert!(stdout.ends_with("destroyed\n"), "{stdout}");
    assert!(stderr.contains("stuck"), "the handler is named: {stderr}");
    assert!(
        stderr.contains("--application-teardown-timeout"),
        "{stderr}"
    );
}

struct Gate(Mutex<Option<(Sender<()>, Receiver<()>)>>);

static GATE: Gate = Gate(Mutex::new(None));

impl Gate {
    fn open(&self) {
        drop(self.0.lock().take());
    }
}

/// Has a handler that waits until the gate is open.
struct Stuck;

impl Extension for Stuck {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        *GATE.0.lock() = Some(bounded(0));
        Ok(Self)
    }

    fn register_dispatchers(self: Arc<Self>, bus: &MessageBus) -> Result<Vec<Dispatcher>> {
        let gate = GATE
            .0
            .lock()
            .as_ref()
            .map(|(_, receiver)| receiver.clone())
            .expect("made before");
        let dispatcher = bus
            .dispatcher(DispatcherKind::Sequential, "stuck")
            .endpoints([APPLICATION_ENDPOINT])
            .on(BEFORE_COMMAND, move |_: &Message<CommandStarting>, _| {
                // A limit in case the test fails before it opens the gate.
                let _ = gate.recv_timeout(Duration::from_secs(30));
                Ok(())
            })
            .register()?;
        Ok(vec![dispatcher])
    }
}

#[test]
fn f44_a_flag_that_says_the_default_is_recorded() {
    let (_, stdout, _) = run_line(&["print", "--output-dir", "output"]);
    assert!(stdout.contains("100 --output-dir\n"), "{stdout}");
}

#[test]
fn f45_help_words_behind_the_double_dash_do_not_keep_the_command_from_running() {
    let (code, stdout, _) = run_line(&["print", "--words=--help"]);
    assert_eq!(code, 0);
    assert!(stdout.contains("words --help\n"), "{stdout}");
}

#[test]
fn h20_usage_errors_end_with_2_and_nothing_is_run() {
    for line in [
        &["pass", "--bogus"][..],
        &["bogus"],
        &[],
        &["print", "--output-dir="],
    ] {
        let (code, stdout, stderr) = run_line(line);
        assert_eq!((code, stdout.as_str()), (2, ""), "{line:?}");
        assert!(stderr.starts_with("error: "), "{stderr}");
    }
}

#[test]
fn version_and_help_go_to_standard_output() {
    assert_eq!(
        run_line(&["--version"]),
        (0, "demo 1.2.3\n".to_owned(), String::new())
    );
    let (code, stdout, stderr) = run_line(&["help", "print"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(stdout.contains("Usage: demo print [OPTIONS]"), "{stdout}");
}
