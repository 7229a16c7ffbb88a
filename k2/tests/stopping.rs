//! Signals: what runs ends, what waits is told as not run, reports are complete, and the shell sees the signal.

use std::io::{BufRead, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Child;

use rustix::fs::Mode;
use rustix::process::{Pid, Signal, kill_process};

use crate::session::{Ended, Session, wait};

const SIGINT: i32 = 2;
const SIGTERM: i32 = 15;

/// A run of one worker whose first case says that it runs, through a pipe, and whose second waits.
struct Running {
    session: Session,
    child: Child,
}

fn start(body: &str, options: &[&str]) -> Running {
    let session = Session::new();
    let ready = fifo(&session, "ready");
    session.script(
        "suite/a-runs",
        &format!("echo $$ >> left-behind\necho > ready\n{body}"),
    );
    session.script("suite/b-waits", "touch ran");
    let common = ["run", "suite", "--parallel-workers", "1", "--reports-junit"];
    let child = session
        .command(&[common.as_slice(), options].concat())
        .spawn()
        .unwrap();
    read(&ready);
    Running { session, child }
}

/// A pipe with a name, by which a script says how far it is.
pub(crate) fn fifo(session: &Session, name: &str) -> PathBuf {
    let path = session.path().join(name);
    let mode = Mode::RUSR | Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    path
}

/// Waits until a script has written to the pipe.
pub(crate) fn read(fifo: &Path) {
    let mut line = String::new();
    std::fs::File::open(fifo)
        .unwrap()
        .read_to_string(&mut line)
        .unwrap();
}

impl Running {
    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    fn end(self) -> (Session, Ended) {
        (self.session, wait(self.child))
    }
}

fn assert_ended_by(session: &Session, ended: &Ended, signal: i32) {
    assert_eq!(ended.signal, Some(signal), "{ended:?}");
    let shown = format!("exit {}", 128 + signal);
    assert!(ended.stdout.contains(&shown), "{}", ended.stdout);
    let verdicts: Vec<_> = session.verdicts().into_values().collect();
    assert_eq!(verdicts, ["aborted", "not-run"], "{ended:?}");
    assert!(!session.path().join("ran").exists());
    let xml = std::fs::read_to_string(session.latest().join("junit.xml")).unwrap();
    assert_eq!(xml.matches("<testcase").count(), 2, "{xml}");
    session.assert_nothing_left();
}

#[test]
fn d1_sigint_ends_what_runs_and_reports_everything() {
    let running = start("exec sleep 300", &[]);
    running.signal(Signal::INT);
    let (session, ended) = running.end();
    assert_ended_by(&session, &ended, SIGINT);
}

#[test]
fn d2_a_second_sigint_does_not_wait_for_the_grace() {
    let body = "trap 'echo > asked' INT; trap '' TERM; while :; do sleep 0.05; done";
    let running = start(body, &["--tests-grace", "5m"]);
    let asked = fifo(&running.session, "asked");
    running.signal(Signal::INT);
    read(&asked);
    running.signal(Signal::INT);
    let (session, ended) = running.end();
    assert_ended_by(&session, &ended, SIGINT);
}

#[test]
fn av3_d4_sigterm_ends_what_runs_and_reports_everything() {
    let running = start("exec sleep 300", &[]);
    running.signal(Signal::TERM);
    let (session, ended) = running.end();
    assert_ended_by(&session, &ended, SIGTERM);
}

/// A pipe that takes nothing any more and that nobody reads, and its other end.
pub(crate) fn full_pipe() -> (std::io::PipeReader, std::io::PipeWriter) {
    let (reader, mut writer) = std::io::pipe().unwrap();
    rustix::io::ioctl_fionbio(&writer, true).unwrap();
    while writer.write(&[b'.'; 4096]).is_ok() {}
    rustix::io::ioctl_fionbio(&writer, false).unwrap();
    (reader, writer)
}

/// Reads `stderr` up to the line that contains `words`.
fn read_up_to(stderr: &mut impl BufRead, words: &str) {
    let mut line = String::new();
    while !line.contains(words) {
        line.clear();
        assert_ne!(stderr.read_line(&mut line).unwrap(), 0, "no `{words}`");
    }
}

#[test]
fn k2_f6_d3_a_third_sigint_ends_at_once_what_cannot_end() {
    let session = Session::new();
    let ready = fifo(&session, "ready");
    let held = fifo(&session, "held");
    session.script("suite/runs", "exec 3> held; echo > ready; exec sleep 300");
    // The run ends, but waits for ever for the terminal to take its lines.
    let (_reader, stuck) = full_pipe();
    let mut command = session.command(&["run", "suite"]);
    let mut child = command.stdout(stuck).spawn().unwrap();
    let mut stderr = std::io::BufReader::new(child.stderr.take().unwrap());
    let mut held = std::fs::File::open(held).unwrap();
    read(&ready);
    let pid = Pid::from_child(&child);
    kill_process(pid, Signal::INT).unwrap();
    read_up_to(&mut stderr, "SIGINT received:");
    // Until the case has ended.
    assert_eq!(held.read(&mut [0]).unwrap(), 0);
    kill_process(pid, Signal::INT).unwrap();
    read_up_to(&mut stderr, "SIGINT received again:");
    kill_process(pid, Signal::INT).unwrap();
    let ended = wait(child);
    assert_eq!(ended.code, Some(130), "{ended:?}");
    // What was recorded by then can be read, whole records all.
    assert!(!session.records().is_empty());
}

#[test]
fn e15_a_case_that_exits_0_when_it_is_asked_to_end_has_not_passed() {
    let running = start("trap 'exit 0' INT TERM; while :; do sleep 0.05; done", &[]);
    running.signal(Signal::INT);
    let (session, ended) = running.end();
    assert_ended_by(&session, &ended, SIGINT);
}

#[test]
fn d9_a_closed_pipe_does_not_stop_the_run() {
    let session = Session::new();
    for n in 0..20 {
        session.script(&format!("suite/{n}"), "exit 0");
    }
    session.script("suite/z-fails", "exit 1");
    let mut child = session.command(&["run", "suite"]).spawn().unwrap();
    drop(child.stdout.take());
    drop(child.stderr.take());
    let ended = wait(child);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(session.verdicts().len(), 21);
}

#[test]
fn m5_closed_standard_streams_are_no_reason_to_fail() {
    let session = Session::new();
    session.script("suite/passes", "exit 0");
    let script = format!("exec {} run suite >&- 2>&- <&-", env!("CARGO_BIN_EXE_zk2"));
    session.script("closed", &script);
    let status = std::process::Command::new("./closed")
        .current_dir(session.path())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(0));
    assert_eq!(
        session.verdicts().into_values().collect::<Vec<_>>(),
        ["passed"]
    );
}
