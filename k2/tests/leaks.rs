//! Processes that are hard to recognise as left behind.

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind};
use std::process::{Child, Command};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::nth_fault::can_inject;
use crate::session::{Ended, Session, text, wait};
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

/// A stopped tracer: what it holds on to cannot be killed, like what hangs in the kernel.
struct Tracer(Child);

impl Tracer {
    /// None if nothing can be held here.
    fn hold(session: &Session, pid: &str) -> Option<Self> {
        let mut tracer = session.program("strace", &["-o", "calls", "-p", pid]);
        let mut tracer = Self(tracer.spawn().unwrap());
        let mut said = String::new();
        let stderr = tracer.0.stderr.take().unwrap();
        BufReader::new(stderr).read_line(&mut said).unwrap();
        if !said.contains("attached") {
            let notice = format!("NOTICE: {said}: nothing can be held here; E17 is not tested\n");
            let _ = rustix::io::write(rustix::stdio::stderr(), notice.as_bytes());
            return None;
        }
        kill_process(Pid::from_child(&tracer.0), Signal::STOP).unwrap();
        Some(tracer)
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// What is told of a run in which the process `pid` of the case `case` could not be killed.
fn assert_told_everywhere(session: &Session, ended: &Ended, pid: &str, case: &str) {
    let told = format!("  left     1 process could not be killed: pid {pid} of case {case}\n");
    let meaning = "  exit 5   incomplete: a process could not be killed\n";
    assert_eq!(ended.code, Some(5), "{ended:?}");
    assert!(ended.stdout.contains(&told), "{ended:?}");
    assert!(ended.stdout.contains(meaning), "{ended:?}");
    let record = session.finished_case(case);
    let number: u32 = pid.parse().unwrap();
    assert_eq!(
        record["unkillable"],
        serde_json::json!([number]),
        "{record}"
    );
    let reports = [
        "--reports-json=true",
        "--reports-text=true",
        "--reports-html=true",
    ];
    let again = session.zk2(&[&["report"][..], &reports].concat());
    assert_eq!(again.code, Some(5), "{again:?}");
    assert!(again.stdout.contains(&told), "{again:?}");
    let report = |name| fs::read_to_string(session.latest().join(name)).unwrap();
    let json: Value = serde_json::from_str(&report("report.json")).unwrap();
    assert_eq!(json["summary"]["exit_code"], 5);
    let mut cases = json["cases"].as_array().unwrap().iter();
    let told = cases.find(|told| text(told, "id").ends_with(case)).unwrap();
    assert_eq!(told["unkillable"], serde_json::json!([number]));
    for name in ["report.txt", "report.html"] {
        let report = report(name);
        let said = report.contains(&format!("1 process could not be killed: pid {pid} of case"));
        assert!(said, "{name}: {report}");
    }
    let imported = session.zk2(&["results", "import", "output/latest"]);
    assert_eq!(imported.code, Some(0), "{imported:?}");
    let runs = session.zk2(&["results", "list", "--format", "json"]);
    let runs: Value = serde_json::from_str(&runs.stdout).unwrap();
    assert_eq!(runs["runs"][0]["exit"], 5, "{runs}");
    // Together with a run in which all went well.
    let bad = fs::canonicalize(session.latest()).unwrap();
    session.script("good", "exit 0");
    assert_eq!(session.zk2(&["run", "good"]).code, Some(0));
    let good = fs::canonicalize(session.latest()).unwrap();
    let both = session.zk2(&["report", bad.to_str().unwrap(), good.to_str().unwrap()]);
    assert_eq!(both.code, Some(5), "{both:?}");
}

#[test]
fn e17_a_process_that_cannot_be_killed_is_an_error_that_names_it_the_run_goes_on_and_ends_with_5() {
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
    let tracer = Tracer::hold(&session, pid);
    let ended = wait(run);
    if tracer.is_none() {
        return;
    }
    drop(tracer);
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
    assert_told_everywhere(&session, &ended, pid, "suite::a-hangs");
}

#[test]
fn e17_what_a_case_leaves_behind_and_cannot_be_killed_is_named_and_the_run_ends_with_5() {
    if !can_inject() {
        return;
    }
    let session = Session::new();
    let (ready, go) = (fifo(&session, "ready"), fifo(&session, "go"));
    session.script(
        "suite/leaves",
        "setsid sleep 300 & echo $! > ready; read line < go",
    );
    let mut run = session.command(&["run", "suite"]);
    let run = run.spawn().unwrap();
    let pid = fs::read_to_string(&ready).unwrap();
    let pid = pid.trim();
    let tracer = Tracer::hold(&session, pid);
    fs::write(&go, "go\n").unwrap();
    let ended = wait(run);
    if tracer.is_none() {
        return;
    }
    drop(tracer);
    let left = session.finished_case("leaves");
    assert_eq!(text(&left, "verdict"), "passed", "{left}");
    assert_told_everywhere(&session, &ended, pid, "suite::leaves");
}
