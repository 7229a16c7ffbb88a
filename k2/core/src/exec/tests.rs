//! Commands of this machine, by the programs that every Linux has.

use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::supervisor::{Cancellation, ExitStatus, OutputStream};

const LONG: Duration = Duration::from_mins(1);
/// Number of SIGUSR1, which nobody ignores for its children as `nohup` does SIGHUP.
const USR1: i32 = 10;

fn exec() -> Exec {
    exec_with(&Cancellation::new().unwrap())
}

fn exec_with(cancellation: &Cancellation) -> Exec {
    Exec::new(Arc::new(Host::new()), cancellation.clone())
}

fn is_alive(pid: &str) -> bool {
    // A zombie that nobody has reaped yet does not count.
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or("").starts_with(" Z"))
}

#[test]
fn both_outputs_and_the_end_are_told() {
    let finished = exec()
        .run(&Command::shell("echo out; echo err >&2"))
        .unwrap();
    assert_eq!((&*finished.stdout, &*finished.stderr), ("out\n", "err\n"));
    assert_eq!(finished.exit, ExitStatus::Code(0));
}

#[test]
fn arguments_reach_the_program_as_they_are() {
    let finished = exec()
        .run(&Command::new("printf").arguments(["%s|", "a b", "$HOME", "'*'"]))
        .unwrap();
    assert_eq!(finished.stdout, "a b|$HOME|'*'|");
}

#[test]
fn an_unexpected_end_is_a_failure_that_shows_what_was_written() {
    let error = exec()
        .run(&Command::shell("echo no such board >&2; exit 3"))
        .unwrap_err();
    assert!(error.is_failure());
    assert_eq!(
        error.to_string(),
        "`sh -c 'echo no such board >&2; exit 3'` ended with exit code 3, expected was exit code 0\nit wrote:\n  no such board"
    );
    for expected in [Expected::Code(3), Expected::Failure, Expected::Anything] {
        let finished = exec().run(&Command::shell("exit 3").expect(expected));
        assert_eq!(finished.unwrap().exit, ExitStatus::Code(3));
    }
    let error = exec().run(&Command::new("true").expect(Expected::Failure));
    assert!(error.is_err());
}

#[test]
fn what_cannot_be_started_is_no_failure_of_what_is_tested() {
    let error = exec().run(&Command::new("/no/such/program")).unwrap_err();
    assert!(!error.is_failure(), "{error}");
    assert!(error.to_string().contains("/no/such/program"), "{error}");
}

#[test]
fn a_command_that_takes_too_long_is_ended_with_all_that_it_started() {
    let command = Command::shell("sleep 600 & echo $!; wait").timeout(Duration::from_millis(300));
    let error = exec().run(&command).unwrap_err();
    let ExecError::TimedOut { output, limit, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!(*limit, Duration::from_millis(300));
    assert!(!is_alive(output.trim()), "{error}");
}

#[test]
fn a_conversation_goes_on_behind_what_was_found() {
    let exec = exec();
    let process = exec.start(&Command::new("cat")).unwrap();
    for round in ["one", "two"] {
        process.write(format!("say {round}\n")).unwrap();
        let found = process
            .wait_for_next(OutputStream::Stdout, r"say (\w+)\n", LONG)
            .unwrap();
        assert_eq!(found.groups, [Some(round.to_owned())]);
    }
    // From the beginning on, it is still there.
    let first = process.wait_for(OutputStream::Stdout, r"say \w+", LONG);
    assert_eq!(first.unwrap().text, "say one");
    process.close_input();
    assert_eq!(process.wait().unwrap().exit, ExitStatus::Code(0));
    let error = process.write("too late").unwrap_err();
    assert!(matches!(error, ExecError::InputClosed { .. }), "{error}");
}

#[test]
fn input_that_is_given_is_all_there_is() {
    let long = "x".repeat(300_000);
    let finished = exec()
        .run(&Command::new("cat").input(long.clone()))
        .unwrap();
    assert_eq!(finished.stdout, long);
    // One that does not read it is no worse for it.
    exec().run(&Command::new("true").input(long)).unwrap();
}

#[test]
fn what_is_never_written_is_named_with_what_was() {
    let exec = exec();
    let process = exec.start(&Command::shell("echo booting; cat")).unwrap();
    process
        .wait_for(OutputStream::Stdout, "booting", LONG)
        .unwrap();
    let error = process
        .wait_for(OutputStream::Stdout, "ready", Duration::ZERO)
        .unwrap_err();
    assert!(error.is_failure());
    assert!(error.to_string().contains("`ready`") && error.to_string().contains("booting"));
    process.close_input();
    let error = process
        .wait_for(OutputStream::Stdout, "ready", LONG)
        .unwrap_err();
    assert!(matches!(error, ExecError::EndedFirst { .. }), "{error}");
    let error = process
        .wait_for(OutputStream::Stdout, "(", LONG)
        .unwrap_err();
    assert!(error.to_string().contains("`(`"), "{error}");
}

#[test]
fn dropping_a_process_ends_it_and_all_that_it_started() {
    let exec = exec();
    let command = Command::shell("sleep 600 & echo $! $$; wait").without_timeout();
    let process = exec.start(&command).unwrap();
    let found = process
        .wait_for(OutputStream::Stdout, r"(\d+) (\d+)\n", LONG)
        .unwrap();
    drop(process);
    for pid in found.groups.into_iter().flatten() {
        assert!(!is_alive(&pid));
    }
}

#[test]
fn the_end_of_one_command_leaves_the_others_of_the_case_alone() {
    let host = Host::new().execution(format!("exec-test-{}", std::process::id()));
    let exec = Exec::new(Arc::new(host), Cancellation::new().unwrap());
    let server = exec.start(&Command::new("cat").without_timeout()).unwrap();
    exec.run(&Command::shell("true")).unwrap();
    server.write("still here\n").unwrap();
    server
        .wait_for(OutputStream::Stdout, "still here", LONG)
        .unwrap();
}

#[test]
fn signals_reach_the_whole_group() {
    let exec = exec();
    // Both die by it: a trap in the shell would run only between two of its commands.
    let command = Command::shell("sleep 600 & echo $!; exec sleep 600").expect(Expected::Anything);
    let process = exec.start(&command).unwrap();
    let found = process
        .wait_for(OutputStream::Stdout, r"(\d+)\n", LONG)
        .unwrap();
    process.signal(USR1).unwrap();
    let exit = process.wait().unwrap().exit;
    assert!(
        matches!(exit, ExitStatus::Signal { number: USR1, .. }),
        "{exit}"
    );
    assert!(!is_alive(found.groups[0].as_deref().unwrap_or("1")));
    let error = process.signal(USR1).unwrap_err().to_string();
    assert!(error.ends_with("it has ended"), "{error}");
}

#[test]
fn whoever_waits_returns_when_the_case_is_asked_to_end() {
    let cancellation = Cancellation::new().unwrap();
    let exec = exec_with(&cancellation);
    let process = exec.start(&Command::new("cat").without_timeout()).unwrap();
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| process.wait());
        cancellation.request(15);
        let error = waits.join().unwrap().unwrap_err();
        assert!(matches!(error, ExecError::Cancelled { .. }), "{error}");
    });
}

#[test]
fn asked_to_end_it_says_how_it_did() {
    let exec = exec();
    let start = || exec.start(&Command::new("cat").without_timeout()).unwrap();
    let signal = |number| ExitStatus::Signal {
        number,
        core: false,
    };
    assert_eq!(start().stop().unwrap(), signal(15));
    assert_eq!(start().kill().unwrap(), signal(9));
    assert!(!start().output(OutputStream::Stderr).contains('x'));
}

#[test]
fn variables_and_directory_are_those_of_the_command() {
    let directory = tempfile::tempdir().unwrap();
    let environment = Environment::default();
    let host = Host::new().environment(&environment);
    let exec = Exec::new(Arc::new(host), Cancellation::new().unwrap());
    let _from = environment.set("FROM", "case");
    let _only = environment.set("ONLY", "case");
    let command = Command::shell("echo $FROM $ONLY ${PATH-none}; pwd -P")
        .variable("FROM", "command")
        .directory(directory.path());
    let without = environment.remove("PATH");
    let lines = exec.run(&command).unwrap().stdout;
    let path = directory.path().canonicalize().unwrap();
    // A shell without a PATH has one of its own.
    let rest = lines.strip_prefix("command case ").expect(&lines);
    assert!(
        rest.ends_with(&format!("\n{}\n", path.display())),
        "{lines}"
    );
    drop(without);
    let shown = exec.run(&Command::shell("echo $FROM")).unwrap().stdout;
    assert_eq!(shown, "case\n");
}

#[test]
fn a_guard_gives_back_what_was_set_before_it() {
    let environment = Environment::default();
    let exec = Exec::new(
        Arc::new(Host::new().environment(&environment)),
        Cancellation::new().unwrap(),
    );
    let command = Command::shell("echo ${WHO-nobody}");
    let shown = || exec.run(&command).unwrap().stdout;
    let outer = environment.set("WHO", "outer");
    let inner = environment.set("WHO", "inner");
    assert_eq!(shown(), "inner\n");
    // Guards may go in any order: the youngest that is left decides.
    drop(outer);
    assert_eq!(shown(), "inner\n");
    let gone = environment.remove("WHO");
    assert_eq!(shown(), "nobody\n");
    assert_eq!(environment.get("WHO"), Some(None));
    drop(gone);
    drop(inner);
    assert_eq!(
        (shown().as_str(), environment.get("WHO")),
        ("nobody\n", None)
    );
}

#[test]
fn long_output_keeps_its_end() {
    let finished = exec()
        .run(&Command::shell("yes | head -c 4000000; echo end"))
        .unwrap();
    assert!(finished.stdout.len() <= 2 * 1024 * 1024);
    assert!(finished.stdout.ends_with("end\n"));
}
