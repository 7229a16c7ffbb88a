//! Processes that are hard to recognise as left behind.

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind};
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};

use crate::nth_fault::can_inject;
use crate::session::{Session, text, wait};
use crate::stopping::fifo;

/// A process of two threads of which the first ends: the state that the system shows is that of the first.
const FIRST_THREAD_ENDS: &str = r"
#include <pthread.h>
#include <unistd.h>
static void *wait_on(void *nothing) { for (;;) pause(); return nothing; }
int main(void) {
    pthread_t thread;
    setsid();
    if (pthread_create(&thread, 0, wait_on, 0)) return 1;
    pthread_exit(0);
}
";

#[test]
fn e5_a_process_whose_first_thread_has_ended_is_found_and_killed() {
    let session = Session::new();
    session.write("lives.c", FIRST_THREAD_ENDS);
    let compiler = Command::new("cc")
        .args(["-pthread", "-o", "lives", "lives.c"])
        .current_dir(session.path())
        .status();
    assert!(compiler.unwrap().success());
    session.script(
        "case.sh",
        "./lives > said 2>&1 & echo $! > number
        until grep -q ') Z ' /proc/$!/stat; do :; done",
    );
    let ended = session.zk2(&["run", "case.sh"]);
    let record = session.finished_case("case.sh");
    let leaked = record.get("leaked").and_then(|leaked| leaked.as_array());
    assert_eq!(leaked.map(Vec::len), Some(1), "{ended:?}: {record:#}");
    let number = fs::read_to_string(session.path().join("number")).unwrap();
    let threads = fs::read_dir(format!("/proc/{}/task", number.trim()));
    assert!(threads.is_err_and(|error| error.kind() == ErrorKind::NotFound));
}

/// What a tracer that is stopped holds on to cannot be killed, like what hangs in the kernel.
#[test]
fn e17_a_process_that_cannot_be_killed_is_an_error_that_names_it_and_the_run_goes_on() {
    if !can_inject() {
        return;
    }
    let session = Session::new();
    let ready = fifo(&session, "ready");
    session.script("suite/a-hangs", "echo $$ > ready; exec sleep 300");
    session.script("suite/b-goes-on", "exit 0");
    let line = ["run", "suite", "--parallel-workers", "1"];
    let limits = ["--tests-timeout", "3s", "--tests-grace", "100ms"];
    let mut run = session.command(&[&line[..], &limits].concat());
    let run = run.spawn().unwrap();
    let pid = fs::read_to_string(&ready).unwrap();
    let pid = pid.trim();
    let mut tracer = session.program("strace", &["-o", "calls", "-p", pid]);
    let mut tracer = tracer.spawn().unwrap();
    let mut said = String::new();
    let stderr = tracer.stderr.take().unwrap();
    BufReader::new(stderr).read_line(&mut said).unwrap();
    let is_held = said.contains("attached");
    if is_held {
        kill_process(Pid::from_child(&tracer), Signal::STOP).unwrap();
    }
    let ended = wait(run);
    tracer.kill().unwrap();
    tracer.wait().unwrap();
    if !is_held {
        let notice = format!("NOTICE: {said}: nothing can be held here; E17 is not tested\n");
        let _ = rustix::io::write(rustix::stdio::stderr(), notice.as_bytes());
        return;
    }
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let held = session.finished_case("a-hangs");
    assert_eq!(text(&held, "verdict"), "error", "{held}");
    let reason = text(&held, "reason");
    assert!(
        reason.starts_with(&format!("process {pid} cannot be killed")),
        "{reason}"
    );
    assert_eq!(
        text(&session.finished_case("b-goes-on"), "verdict"),
        "passed"
    );
}
