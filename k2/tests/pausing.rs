//! A run that is stopped: what it has started stops too, and no time limit goes on, whichever of the processes was stopped.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

use rustix::event::{Timespec, poll};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::guard::{Guarded, state, stops};
use crate::job_control::outlast;
use crate::nth_fault::can_inject;
use crate::session::{Ended, Session, example, text, wait};
use crate::stopping::fifo;

/// Time limit of the cases. They are stopped for longer than that, which is what is tested.
const LIMIT: &str = "--tests-timeout=5s";
const LIMIT_MICROSECONDS: u64 = 5_000_000;

/// A run of a script and a function that both wait until they are told to end.
struct Waiting {
    run: Guarded,
    script: Pid,
}

impl Waiting {
    fn start() -> Self {
        let session = Session::new();
        for pipe in ["go", "done", "number"] {
            fifo(&session, pipe);
        }
        let number = session.path().join("number");
        session.script("suite/waits", "echo $$ > number; read _ < go");
        let program = example("zk2-dying");
        let sources = ["run", "suite", "rust:zk2_dying::j_waits"];
        let mut command = session.program(program.to_str().unwrap(), &sources);
        command.args(["--parallel-workers", "2", LIMIT]);
        let run = Guarded::start(session, command);
        let script = fs::read_to_string(number).unwrap();
        let script = Pid::from_raw(script.trim().parse().unwrap()).unwrap();
        Self { run, script }
    }

    fn let_go(self) -> (Session, Ended) {
        for pipe in ["done", "go"] {
            fs::write(self.run.session.path().join(pipe), "\n").unwrap();
        }
        self.run.end()
    }
}

/// Waits until a process that is nobody's child here stops, or goes on: no call waits for that, so it is looked for.
pub(crate) fn wait_until(mut is_so: impl FnMut() -> bool) {
    let pause = Timespec::try_from(Duration::from_millis(10)).unwrap();
    while !is_so() {
        let _ = poll(&mut [], Some(&pause));
    }
}

/// Stops the run by `stop`, and continues it by its first process when its cases would have used up their time.
fn assert_pauses(stop: impl FnOnce(&Guarded)) {
    let waiting = Waiting::start();
    let (run, script) = (&waiting.run, waiting.script);
    stop(run);
    assert!(stops(run.pid()));
    wait_until(|| state(run.runner) == Some('T'));
    wait_until(|| state(script) == Some('T'));
    outlast(LIMIT);
    kill_process(run.pid(), Signal::CONT).unwrap();
    wait_until(|| state(script) != Some('T'));
    let (session, ended) = waiting.let_go();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(session.verdicts().len(), 2);
    let record = session.finished_case("waits");
    let took = record
        .get("duration_us")
        .and_then(serde_json::Value::as_u64);
    assert!(took.unwrap() < LIMIT_MICROSECONDS, "{record:#}");
    assert_eq!(text(&record, "verdict"), "passed");
    session.assert_nothing_left();
}

#[test]
fn d7_time_limits_and_cases_stop_with_the_run() {
    assert_pauses(|run| kill_process(run.pid(), Signal::TSTP).unwrap());
}

#[test]
fn d7_a_guard_that_is_stopped_by_force_takes_the_run_with_it() {
    assert_pauses(|run| kill_process(run.pid(), Signal::STOP).unwrap());
}

#[test]
fn d7_a_stop_that_comes_to_both_counts_once() {
    assert_pauses(|run| {
        kill_process_group(run.pid(), Signal::TSTP).unwrap();
    });
}

/// A run of many processes that is stopped and continued whenever one of them has passed.
fn assert_survives_a_storm(mut command: Command, session: &Session, cases: usize) {
    let mut run = command.process_group(0).spawn().unwrap();
    let pid = Pid::from_child(&run);
    let lines = BufReader::new(run.stdout.take().unwrap()).lines();
    for line in lines.map_while(Result::ok) {
        if line.contains("PASS") {
            kill_process_group(pid, Signal::TSTP).unwrap();
            if !stops(pid) {
                break;
            }
            kill_process_group(pid, Signal::CONT).unwrap();
        }
    }
    let ended = wait(run);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(session.verdicts().len(), cases);
    session.assert_nothing_left();
}

fn many(cases: usize) -> Session {
    let session = Session::new();
    for case in 0..cases {
        session.script(&format!("suite/{case:03}"), "exit 0");
    }
    session
}

#[test]
fn d8_a_storm_of_stops_while_processes_are_started_hangs_nothing() {
    let session = many(200);
    let command = session.command(&["run", "suite"]);
    assert_survives_a_storm(command, &session, 200);
}

/// The terminal stops the whole process group, and with it a process that has been forked and is not yet in a group of its own.
#[test]
fn d8_a_process_that_is_stopped_before_it_is_anything_hangs_nothing() {
    if !can_inject() {
        return;
    }
    let session = many(30);
    let slow = "inject=setpgid:delay_enter=20000";
    let strace = [
        // The run itself is what is started here; who traces it is no part of its process group.
        "-DDD",
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        "trace=setpgid",
        "-e",
        slow,
    ];
    let run = [env!("CARGO_BIN_EXE_zk2"), "run", "suite"];
    let command = session.program("strace", &[strace.as_slice(), &run].concat());
    assert_survives_a_storm(command, &session, 30);
}

#[test]
fn g2_a_runner_that_is_stopped_by_force_has_not_used_the_time_of_its_cases() {
    let waiting = Waiting::start();
    let run = &waiting.run;
    kill_process(run.runner, Signal::STOP).unwrap();
    assert!(stops(run.pid()));
    outlast(LIMIT);
    kill_process(run.pid(), Signal::CONT).unwrap();
    let (session, ended) = waiting.let_go();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(session.verdicts().len(), 2);
}
