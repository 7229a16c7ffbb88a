//! Signals that stop a run, continue it and end it, in every order in which they can come: to the guard alone, as by `kill`, and to both processes, as by a
//! terminal or `kill` of a job. After each of them holds what holds after every run.

use std::fs;
use std::thread;
use std::time::Duration;

use rustix::process::{Signal, kill_process, kill_process_group};

use crate::aftermath::{Aftermath, Witness};
use crate::guard::{Guarded, ONE_BY_ONE, patient_session, state, stops, told};
use crate::nth_fault::can_inject;
use crate::pausing::wait_until;
use crate::stopping::read;

const SIGINT: i32 = 2;
const SIGTERM: i32 = 15;

/// What happens next.
#[derive(Debug, Clone, Copy)]
enum Step {
    Send(Signal),
    /// The run stops, and has stopped then.
    Stops,
    /// The run goes on, and its runner does by then.
    GoesOn,
    /// The case is asked to end.
    Asked,
    /// The case ends.
    LetGo,
}
use Step::{Asked, GoesOn, LetGo, Send, Stops};

const STOP: Step = Send(Signal::TSTP);
const GO_ON: Step = Send(Signal::CONT);
const TERM: Step = Send(Signal::TERM);
const INT: Step = Send(Signal::INT);

/// How the run ends.
#[derive(Debug, Clone, Copy)]
struct End {
    signal: Option<i32>,
    /// How often it was told of a signal.
    told: usize,
    verdicts: [&'static str; 2],
}

const WELL: End = End {
    signal: None,
    told: 0,
    verdicts: ["passed", "passed"],
};

const fn by(signal: i32, told: usize) -> End {
    End {
        signal: Some(signal),
        told,
        verdicts: ["aborted", "not-run"],
    }
}

/// Has the steps happen to a run of two cases, the first of which runs, ends when it is let go, and does not end when it is asked to; once with signals to
/// the guard alone, and once with signals to both.
fn assert_ends(grace: &str, steps: &[Step], end: End) {
    for both in [false, true] {
        assert_ends_by(both, grace, steps, end);
    }
}

fn assert_ends_by(both: bool, grace: &str, steps: &[Step], end: End) {
    let session = patient_session();
    let line = [ONE_BY_ONE.as_slice(), &["--tests-grace", grace, "suite"]].concat();
    let command = session.command(&line);
    let run = Guarded::start(session, command);
    for &step in steps {
        match step {
            Send(signal) if both => kill_process_group(run.pid(), signal).unwrap(),
            Send(signal) => kill_process(run.pid(), signal).unwrap(),
            Stops => {
                assert!(stops(run.pid()), "{steps:?}, {both}: ended");
                // One that was continued by somebody else, in between, stops once more.
                wait_until(|| state(run.runner) == Some('T'));
            }
            GoesOn => wait_until(|| state(run.runner) != Some('T')),
            Asked => read(&run.session.path().join("asked")),
            LetGo => fs::write(run.session.path().join("go"), "\n").unwrap(),
        }
    }
    let (session, ended) = run.end();
    assert_eq!(ended.signal, end.signal, "{steps:?}, {both}: {ended:?}");
    assert_eq!(told(&ended).len(), end.told, "{steps:?}, {both}: {ended:?}");
    let verdicts: Vec<_> = session.verdicts().into_values().collect();
    assert_eq!(verdicts, end.verdicts, "{steps:?}, {both}");
    Aftermath {
        session: &session,
        code: ended.code,
        signal: ended.signal,
        selected: 2,
        witness: Witness::Alive,
        files: &["asked", "go", "ran", "ready", "suite"],
    }
    .assert_sound();
}

/// Longer than a test may take.
const LONG: &str = "5m";

#[test]
fn d7_a_run_that_is_asked_to_end_while_it_is_stopped_ends_when_it_goes_on() {
    for (asked, signal) in [(TERM, SIGTERM), (INT, SIGINT)] {
        assert_ends(
            LONG,
            &[STOP, Stops, asked, GO_ON, Asked, LetGo],
            by(signal, 1),
        );
    }
}

#[test]
fn d7_a_run_that_is_asked_twice_while_it_is_stopped_ends_at_once_when_it_goes_on() {
    // Two of different kinds: of one kind the kernel keeps one.
    assert_ends(LONG, &[STOP, Stops, INT, TERM, GO_ON], by(SIGINT, 2));
}

#[test]
fn d7_two_wishes_to_stop_are_one() {
    assert_ends(LONG, &[STOP, STOP, Stops, GO_ON, LetGo], WELL);
    assert_ends(LONG, &[STOP, Stops, STOP, GO_ON, LetGo], WELL);
}

#[test]
fn d7_a_run_stops_and_goes_on_as_often_as_it_is_told_to() {
    let once = [STOP, Stops, GO_ON, GoesOn];
    let steps = [&once[..], &once, &once, &[LetGo]].concat();
    // When the runner goes on by the guard alone, the guard has seen that it was continued: a stop behind that is another one.
    assert_ends_by(false, LONG, &steps, WELL);
}

#[test]
fn d7_to_go_on_without_having_stopped_changes_nothing() {
    assert_ends(LONG, &[GO_ON, LetGo], WELL);
    assert_ends(LONG, &[GO_ON, GO_ON, TERM, Asked, LetGo], by(SIGTERM, 1));
}

#[test]
fn d7_a_run_that_is_continued_goes_on_however_close_the_stop_was() {
    for _ in 0..10 {
        assert_ends(LONG, &[STOP, GO_ON, LetGo], WELL);
    }
}

#[test]
fn d7_the_last_of_many_wishes_counts_however_close_they_are() {
    for wishes in 0_u32..32 {
        let bits = (0..5).map(|bit| if wishes >> bit & 1 == 0 { STOP } else { GO_ON });
        let end = [STOP, Stops, GO_ON, LetGo];
        // A run that nobody wants to stop has nothing to wait for before it is continued.
        let end = if wishes < 16 { &end[..] } else { &end[2..] };
        let steps: Vec<Step> = bits.chain(end.iter().copied()).collect();
        assert_ends_by(wishes % 2 == 0, LONG, &steps, WELL);
    }
}

#[test]
fn d7_a_stop_and_a_wish_to_end_both_count_however_close_they_are() {
    for (asked, signal) in [(TERM, SIGTERM), (INT, SIGINT)] {
        for first in [[STOP, asked], [asked, STOP]] {
            let rest = [Stops, GO_ON, Asked, LetGo];
            assert_ends(LONG, &[&first[..], &rest].concat(), by(signal, 1));
        }
    }
}

#[test]
fn d7_a_run_can_be_stopped_while_it_ends() {
    let steps = [TERM, Asked, STOP, Stops, GO_ON];
    assert_ends(LONG, &[&steps[..], &[LetGo]].concat(), by(SIGTERM, 1));
    // The grace goes on with it.
    assert_ends("1s", &steps, by(SIGTERM, 1));
}

#[test]
fn d7_a_second_wish_to_end_is_heard_by_a_run_that_was_stopped_while_it_ends() {
    // A SIGTERM right behind another one would be the same wish.
    for second in [TERM, INT] {
        let steps = [INT, Asked, STOP, Stops, second, GO_ON];
        assert_ends(LONG, &steps, by(SIGINT, 2));
    }
}

/// A run that is stopped by `stop` and has lost its guard then goes on to its end.
fn assert_ends_without_its_guard(stop: Signal) {
    let line = [ONE_BY_ONE.as_slice(), &["--tests-grace", "100ms", "suite"]].concat();
    let run = Guarded::start_in_a_session(patient_session(), &line);
    kill_process(run.pid(), stop).unwrap();
    wait_until(|| state(run.runner) == Some('T'));
    kill_process(run.pid(), Signal::KILL).unwrap();
    let (session, ended) = run.end();
    assert_eq!(told(&ended).len(), 1, "{ended:?}");
    let verdicts: Vec<_> = session.verdicts().into_values().collect();
    assert_eq!(verdicts, ["aborted", "not-run"], "{ended:?}");
    Aftermath {
        session: &session,
        code: ended.code,
        signal: ended.signal,
        selected: 2,
        witness: Witness::Alive,
        files: &["asked", "go", "ran", "ready", "suite"],
    }
    .assert_sound();
}

#[test]
fn d18_a_stopped_runner_whose_guard_is_killed_goes_on_to_its_end() {
    assert_ends_without_its_guard(Signal::TSTP);
    assert_ends_without_its_guard(Signal::STOP);
}

#[test]
fn d7_where_no_shell_stands_behind_a_run_its_runner_stops_and_its_guard_waits() {
    let run = Guarded::start_in_a_session(
        patient_session(),
        &[ONE_BY_ONE.as_slice(), &["suite"]].concat(),
    );
    for _ in 0..2 {
        kill_process(run.pid(), Signal::TSTP).unwrap();
        wait_until(|| state(run.runner) == Some('T'));
        assert_ne!(state(run.pid()), Some('T'));
        kill_process(run.pid(), Signal::CONT).unwrap();
        wait_until(|| state(run.runner) != Some('T'));
    }
    fs::write(run.session.path().join("go"), "\n").unwrap();
    let (session, ended) = run.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(session.verdicts().len(), 2);
}

#[test]
fn d7_a_runner_that_is_continued_alone_stops_nevertheless() {
    for _ in 0..10 {
        let session = patient_session();
        let command = session.command(&[ONE_BY_ONE.as_slice(), &["suite"]].concat());
        let run = Guarded::start(session, command);
        kill_process_group(run.pid(), Signal::TSTP).unwrap();
        for _ in 0..20 {
            kill_process(run.runner, Signal::CONT).unwrap();
        }
        assert!(stops(run.pid()));
        wait_until(|| state(run.runner) == Some('T'));
        kill_process_group(run.pid(), Signal::CONT).unwrap();
        fs::write(run.session.path().join("go"), "\n").unwrap();
        let (session, ended) = run.end();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert_eq!(session.verdicts().len(), 2);
    }
}

/// Every signal that is sent by the run is kept waiting at the door of the kernel: so long is the way from the wish to the stop that a continuation meets
/// each part of it.
#[test]
fn d7_a_continuation_counts_wherever_it_meets_the_stop() {
    if !can_inject() {
        return;
    }
    for both in [false, true] {
        for late in 0..12 {
            let session = patient_session();
            let program = ["-DDD", "-f", "-qq", "-o", "/dev/null", "-e", "trace=kill"];
            let slow = [
                "-e",
                "inject=kill:delay_enter=30000",
                env!("CARGO_BIN_EXE_zk2"),
            ];
            let line = [program.as_slice(), &slow, &ONE_BY_ONE, &["suite"]].concat();
            let command = session.program("strace", &line);
            let run = Guarded::start(session, command);
            let send = |signal| {
                if both {
                    kill_process_group(run.pid(), signal).unwrap();
                } else {
                    kill_process(run.pid(), signal).unwrap();
                }
            };
            send(Signal::TSTP);
            thread::sleep(Duration::from_millis(10) * late);
            send(Signal::CONT);
            fs::write(run.session.path().join("go"), "\n").unwrap();
            let (session, ended) = run.end();
            assert_eq!(ended.code, Some(0), "{both}, {late}: {ended:?}");
            assert_eq!(session.verdicts().len(), 2);
        }
    }
}
