//! A case that runs `zk2` itself.

use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::session::{Session, fixture, text, wait};
use crate::stopping::{fifo, read};

/// The command line of a run in the run, into an output directory of its own.
fn inner(arguments: &str) -> String {
    let zk2 = env!("CARGO_BIN_EXE_zk2");
    format!("exec '{zk2}' run {arguments} --output-dir inner-output")
}

#[test]
fn a_run_inside_a_case_does_not_mind_the_variables_of_the_case() {
    let session = Session::new();
    session.script("passes", "echo \"id $K2_CASE_ID\"");
    session.script("suite/nested", &inner("passes"));
    let ended = session.zk2(&["run", "suite"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let record = session.finished_case("nested");
    assert_eq!(record.get("stderr"), None, "{record:#}");
    let output = text(record.get("stdout").unwrap(), "head");
    assert!(output.contains("1 passed"), "{output}");
}

#[test]
fn e5_what_an_inner_run_leaves_behind_when_it_is_killed_is_found() {
    let session = Session::new();
    let ready = fifo(&session, "ready");
    // Deaf from the beginning: what is ignored stays so in the program.
    let deaf = format!(
        "trap '' TERM; echo $$ >> left-behind; echo > ready; exec '{}' ignore-term",
        fixture().display()
    );
    session.script("deaf", &deaf);
    session.script("suite/nested", &inner("./deaf --tests-grace 5m"));
    let mut run = session.command(&["run", "suite", "--tests-grace", "100ms"]);
    let run = run.spawn().unwrap();
    read(&ready);
    kill_process(Pid::from_child(&run), Signal::TERM).unwrap();
    let ended = wait(run);
    assert_eq!(ended.signal, Some(15), "{ended:?}");
    let record = session.finished_case("nested");
    assert_eq!(text(&record, "verdict"), "aborted");
    let leaked = record.get("leaked").and_then(|leaked| leaked.as_array());
    assert_eq!(leaked.map(Vec::len), Some(1), "{record:#}");
    session.assert_nothing_left();
}

#[test]
fn a_run_whose_session_began_outside_its_pid_namespace_finds_what_is_left_behind() {
    let session = Session::new();
    session.fixture("suite/daemon", "double-fork");
    session.script("suite/passes", "exit 0");
    // As in a container: the leader of the session has no number there. Without privileges a user namespace has to be made first.
    let namespace = |flags: &str| {
        let mut command = Command::new("unshare");
        command.args([flags, "--mount-proc"]);
        command
    };
    let may = |flags| {
        let quiet = Stdio::null;
        let status = namespace(flags).arg("true").stderr(quiet()).status();
        status.is_ok_and(|status| status.success())
    };
    let Some(flags) = ["-pf", "-rpf"].into_iter().find(|flags| may(flags)) else {
        let notice =
            b"NOTICE: PID namespaces are not allowed here: a run within one is not tested\n";
        let _ = rustix::io::write(rustix::stdio::stderr(), notice);
        return;
    };
    let mut command = namespace(flags);
    command
        .args([env!("CARGO_BIN_EXE_zk2"), "run", "suite"])
        .current_dir(session.path())
        .env("HOME", session.path());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(text(&session.finished_case("passes"), "verdict"), "passed");
    let daemon = session.finished_case("daemon");
    let leaked = daemon.get("leaked").and_then(|leaked| leaked.as_array());
    assert_eq!(leaked.map(Vec::len), Some(1), "{daemon:#}");
}
