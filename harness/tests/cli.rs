//! Programs in a home of their own: files, environment, terminal, signals, limits, and nothing left.

use std::path::Path;

use zaf_harness::prelude::*;
use zaf_harness::{CliHarness, CliSignal, HarnessError};

fn shell() -> Result<CliHarness, HarnessError> {
    CliHarness::new("/bin/sh")
}

#[test]
fn a_program_sees_its_files_and_its_environment_and_nothing_else() -> TestResult {
    let cli = shell()?;
    cli.write("deep/input", "given")?;
    cli.script("tool", "echo tooled")?;
    let body = "cat deep/input; ./tool; echo $MINE; test -z \"$CARGO\" && echo clean; \
                echo $HOME; echo made > out; echo bad >&2; exit 4";
    let ended = cli
        .command(["-c", body])
        .env("MINE", "set")
        .start()?
        .wait()?;
    let home = cli.home().display();
    assert_eq!(ended.stdout, format!("giventooled\nset\nclean\n{home}\n"));
    assert_eq!(
        (ended.code, ended.signal, ended.stderr.as_str()),
        (Some(4), None, "bad\n")
    );
    assert_eq!(cli.read("out")?, "made\n");
    Ok(())
}

#[test]
fn a_terminal_has_its_size_its_keys_and_its_control_characters() -> TestResult {
    let cli = shell()?;
    let body = "trap 'stty size; exit 5' INT; stty size; read line; echo got:$line; while :; do read line; done";
    let mut session = cli.command(["-c", body]).terminal(97, 31).start()?;
    session.wait_for("31 97")?;
    session.type_in("hello\n")?;
    session.wait_for("got:hello")?;
    session.resize(55, 22)?;
    session.type_in("\u{3}")?;
    let ended = session.wait()?;
    assert_eq!(ended.code, Some(5), "{ended}");
    assert!(ended.stdout.contains("22 55"), "{ended}");
    Ok(())
}

#[test]
fn signals_reach_the_program() -> TestResult {
    let cli = shell()?;
    let body = "trap 'echo asked; exit 6' TERM; echo ready; while :; do :; done";
    let session = cli.command(["-c", body]).start()?;
    session.wait_for("ready")?;
    session.signal(CliSignal::Terminate)?;
    let ended = session.wait()?;
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (Some(6), "ready\nasked\n")
    );
    let session = cli
        .command(["-c", "echo ready; while :; do :; done"])
        .start()?;
    session.wait_for("ready")?;
    session.signal(CliSignal::Hangup)?;
    assert_eq!(session.wait()?.signal, Some(1));
    Ok(())
}

#[test]
fn a_program_that_does_not_end_is_killed_with_its_children() -> TestResult {
    let cli = shell()?;
    let body = "sleep 1000 & echo $! > child; echo waiting; wait";
    let session = cli
        .command(["-c", body])
        .limit(Duration::from_millis(500))
        .start()?;
    let error = session.wait().expect_err("it never ends");
    assert!(
        error
            .to_string()
            .starts_with("it was killed after 500ms: signal 9;"),
        "{error}"
    );
    assert_gone(&cli)
}

#[test]
fn what_is_left_behind_is_killed_and_named() -> TestResult {
    let cli = shell()?;
    let body = "setsid sh -c 'echo $$ > child; exec sleep 1000' >/dev/null 2>&1 & \
                while ! test -s child; do :; done; read -r pid < child; \
                until grep -qa ^sleep /proc/$pid/cmdline; do :; done; exit 0";
    let error = cli.run(["-c", body]).expect_err("a process is left");
    let text = error.to_string();
    assert!(text.starts_with("it left behind: "), "{text}");
    assert!(text.contains("(sleep 1000); exit code 0;"), "{text}");
    assert_gone(&cli)
}

#[test]
fn a_dropped_session_leaves_nothing() -> TestResult {
    let cli = shell()?;
    let body = "sleep 1000 & echo $! > child; echo ready; wait";
    let session = cli.command(["-c", body]).start()?;
    session.wait_for("ready")?;
    drop(session);
    assert_gone(&cli)
}

#[test]
fn failures_say_what_the_program_wrote() -> TestResult {
    let cli = shell()?;
    let session = cli
        .command(["-c", "echo something; echo why >&2"])
        .start()?;
    let error = session.wait_for("another thing").expect_err("it ended");
    let text = error.to_string();
    assert!(
        text.starts_with(
            "expected \"another thing\" on standard output; got: stdout: \"something\\n\""
        ),
        "{text}"
    );
    let error = CliHarness::new("/nowhere/program")?
        .run([""; 0])
        .expect_err("no such program");
    assert_eq!(error.to_string(), "`/nowhere/program` cannot be started");
    Ok(())
}

/// Makes sure that the process whose number is in the file `child` has ended.
fn assert_gone(cli: &CliHarness) -> TestResult {
    let child = cli.read("child")?;
    let stat = std::fs::read_to_string(Path::new("/proc").join(child.trim()).join("stat"));
    // A zombie whose parent does not wait is an end too.
    let is_alive = stat.is_ok_and(|stat| !stat.contains(") Z") && stat.contains("(sleep)"));
    assert!(!is_alive, "process {child} is alive");
    Ok(())
}
