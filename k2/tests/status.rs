//! What a run says of itself when it is asked by a signal.

use std::fs;
use std::io::{BufRead, BufReader};

use rustix::process::{Signal, kill_process, kill_process_group};

use crate::book::fits;
use crate::guard::{Guarded, assert_clean, assert_has};
use crate::session::{Session, example, wait};
use crate::stopping::{fifo, read};

/// A run whose two workers have a script and a function, which wait for the pipes `go` and `done`.
fn start() -> Guarded {
    let session = Session::new();
    for pipe in ["go", "done"] {
        fifo(&session, pipe);
    }
    let number = fifo(&session, "number");
    session.script("suite/a-waits", "echo $$ > number; read _ < go");
    session.script("suite/b-comes-later", "exit 0");
    let program = example("zk2-dying");
    let arguments = [
        "run",
        "suite/a-waits",
        "rust:zk2_dying::j_waits",
        "suite/b-comes-later",
        "--parallel-workers",
        "2",
        "--reports-junit",
    ];
    let command = session.program(program.to_str().unwrap(), &arguments);
    let run = Guarded::start(session, command);
    read(&number);
    run
}

/// What a dump has of this run, in any order.
const DUMPED: [&str; 9] = [
    " received: 3 cases selected, 2 executions begun, 2 workers\n",
    // Which worker is the first to ask for a case is chance.
    ": suite::a-waits, execution ",
    ", attempt 1, a process, for ",
    ": zk2_dying::j_waits, execution ",
    ", attempt 1, a function, for ",
    "queues: ",
    "threads: ",
    ", worker-1 ",
    ", worker-2 ",
];

#[test]
fn d6_sigquit_writes_what_runs_to_the_log_and_then_ends_it_at_once() {
    // To the first process alone, and to both, as Ctrl-\ does.
    for both in [false, true] {
        let run = start();
        if both {
            kill_process_group(run.pid(), Signal::QUIT).unwrap();
        } else {
            kill_process(run.pid(), Signal::QUIT).unwrap();
        }
        let (session, ended) = run.end();
        assert_eq!(ended.signal, Some(Signal::QUIT.as_raw()), "{ended:?}");
        assert_has(&ended.stderr, &DUMPED);
        let selected = ended.stderr.matches("cases selected").count();
        assert_eq!(selected, 1, "{}", ended.stderr);
        let log = fs::read_to_string(session.latest().join("logs/session.log")).unwrap();
        assert_has(
            &log,
            &["suite::a-waits, execution", "zk2_dying::j_waits, execution"],
        );
        let verdicts: Vec<_> = session.verdicts().into_values().collect();
        assert_eq!(verdicts, ["aborted", "not-run", "aborted"]);
        let xml = fs::read_to_string(session.latest().join("junit.xml")).unwrap();
        assert_eq!(xml.matches("<testcase").count(), 3, "{xml}");
        assert_clean(&session);
    }
}

/// The lines of the page are of the kinds that are told, in that order.
fn assert_is_as_in_the_book(told: &str) {
    const KINDS: [&str; 5] = [
        "warning: SIGUSR1 received: … cases selected, … executions begun, … workers",
        "warning: worker 1: …, execution …, attempt …, a …, for … s",
        "warning: worker 2: …, execution …, attempt …, a …, for … s",
        "warning: queues: testrunner.run: … queued, … active…",
        "warning: threads: bus-watch …, status …, worker-1 …, worker-2 …, zk2… …",
    ];
    let page = include_str!("../../docs/src/when-something-dies.md");
    let (_, block) = page.split_once("```text\nwarning: SIGUSR1").unwrap();
    let block = format!("warning: SIGUSR1{}", block.split_once("```").unwrap().0);
    for text in [&block, told] {
        for (line, kind) in text.lines().zip(KINDS) {
            assert!(fits(kind, line), "{kind}\n{line}\n{told}");
        }
    }
    assert_eq!(block.lines().count(), KINDS.len(), "{block}");
}

#[test]
fn d10_sigusr1_writes_what_runs_to_the_log_and_the_run_goes_on() {
    let mut run = start();
    let mut stderr = BufReader::new(run.guard.stderr.take().unwrap());
    let mut told = String::new();
    for times in 1..=2 {
        kill_process(run.pid(), Signal::USR1).unwrap();
        while told.matches("threads: ").count() < times {
            assert_ne!(stderr.read_line(&mut told).unwrap(), 0, "{told}");
        }
    }
    assert_has(&told, &DUMPED);
    assert_is_as_in_the_book(&told);
    for pipe in ["go", "done"] {
        fs::write(run.session.path().join(pipe), "\n").unwrap();
    }
    let ended = wait(run.guard);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let verdicts: Vec<_> = run.session.verdicts().into_values().collect();
    assert_eq!(verdicts, ["passed", "passed", "passed"]);
    assert_clean(&run.session);
}

#[test]
fn d10_a_run_that_was_started_with_sigusr1_ignored_ignores_it() {
    let session = Session::new();
    let go = fifo(&session, "go");
    session.script("suite/waits", "echo > ready; read _ < go");
    let line = format!(
        "trap '' USR1; exec '{}' run suite",
        env!("CARGO_BIN_EXE_zk2")
    );
    session.script("ignoring", &line);
    let command = session.program("./ignoring", &[]);
    let run = Guarded::start(session, command);
    kill_process_group(run.pid(), Signal::USR1).unwrap();
    fs::write(go, "\n").unwrap();
    let (_, ended) = run.end();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
}
