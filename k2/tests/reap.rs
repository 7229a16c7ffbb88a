//! What is left when both processes of a run are killed in the same moment is found and ended, and nothing else is.

use std::fs;

use rustix::process::{Signal, kill_process, kill_process_group};

use crate::guard::{assert_clean, patient_run, run_suite};
use crate::session::{Ended, Session};

/// A session whose run was killed with its guard, and what of it still runs.
fn dead_run() -> (Session, Vec<u32>) {
    let run = run_suite(&[]);
    kill_process_group(run.pid(), Signal::KILL).unwrap();
    let (session, ended) = run.end();
    assert_eq!(ended.signal, Some(9), "{ended:?}");
    let pids = fs::read_to_string(session.path().join("left-behind")).unwrap();
    let pids = pids.split_whitespace().map(|pid| pid.parse().unwrap());
    (session, pids.filter(|pid| is_alive(*pid)).collect())
}

fn is_alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    !(state.is_empty() || state.starts_with('Z'))
}

fn lists(ended: &Ended, word: &str, pid: u32) -> bool {
    let lines = ended.stdout.lines();
    lines
        .filter_map(|line| line.strip_prefix(word))
        .any(|line| line.split_whitespace().next() == Some(&pid.to_string()))
}

#[test]
fn d19_what_a_run_leaves_that_was_killed_with_its_guard_is_reaped() {
    let living = patient_run();
    let (session, left) = dead_run();
    assert!(left.len() > 3, "{left:?}");

    let ended = session.zk2(&["reap", "--dry-run"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    for &pid in &left {
        // Another session may have been quicker.
        assert!(
            lists(&ended, "found", pid) || !is_alive(pid),
            "{pid}: {ended:?}"
        );
    }
    let ended = session.zk2(&["reap"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    // Who comes second is told that nobody has left anything.
    let mut lines = ended.stdout.lines();
    assert!(!lines.any(|line| line.starts_with("left ")), "{ended:?}");
    assert_clean(&session);

    // The one that goes on was left alone.
    assert!(!lists(&ended, "killed", living.guard.id()));
    kill_process(living.pid(), Signal::TERM).unwrap();
    crate::stopping::read(&living.session.path().join("asked"));
    fs::write(living.session.path().join("go"), "\n").unwrap();
    let (session, ended) = living.end();
    assert_eq!(ended.signal, Some(15), "{ended:?}");
    assert_eq!(session.verdicts().len(), 2);
}

#[test]
fn d19_the_next_run_ends_what_the_last_one_left() {
    let (session, _) = dead_run();
    session.script("next", "exit 0");
    let ended = session.zk2(&["run", "next"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_clean(&session);
    // And says nothing if there is nothing.
    let ended = session.zk2(&["run", "next"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
}

#[test]
fn d19_without_a_guard_too() {
    let session = Session::new();
    let ready = crate::stopping::fifo(&session, "ready");
    session.script(
        "suite/a-runs",
        "echo $$ >> left-behind; echo > ready; exec sleep 300",
    );
    let command = session.command(&["run", "suite", "--no-guard"]).spawn();
    let mut child = command.unwrap();
    crate::stopping::read(&ready);
    child.kill().unwrap();
    child.wait().unwrap();
    session.script("next", "exit 0");
    let ended = session.zk2(&["run", "next"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_clean(&session);
}
