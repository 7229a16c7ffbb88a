//! A function that kills the runner is its own error; the rest of the run goes on in a new runner.

use std::fs;

use rustix::process::{Signal, kill_process};
use serde_json::Value;

use crate::guard::{Guarded, assert_clean, assert_has, dying};
use crate::session::{Ended, Session, example, text, wait};

/// Runs these cases of the command that dies one by one, with more options.
fn run(cases: &[&str], options: &[&str]) -> (Session, Ended) {
    let session = Session::new();
    let mut command = dying(&session, cases);
    let ended = wait(command.args(options).spawn().unwrap());
    (session, ended)
}

/// The numbers of the records have no gap, and a new runner has noted itself `runners` times.
fn assert_log(session: &Session, runners: usize) {
    let records = session.records();
    let numbers: Vec<u64> = records
        .iter()
        .map(|record| record.get("seq").and_then(Value::as_u64).unwrap())
        .collect();
    assert!(numbers.iter().copied().eq(1..=records.len() as u64));
    let of_kind = |kind: &str| records.iter().filter(|r| text(r, "kind") == kind).count();
    assert_eq!(of_kind("run-started"), 1);
    assert_eq!(of_kind("cases-selected"), 1);
    assert_eq!(of_kind("run-resumed"), runners);
    assert_eq!(of_kind("run-finished"), 1);
    assert_eq!(text(records.last().unwrap(), "kind"), "run-finished");
}

fn verdicts(session: &Session) -> Vec<String> {
    session.verdicts().into_values().collect()
}

#[test]
fn av1_e31_a_function_that_kills_the_runner_is_an_error_and_the_rest_goes_on() {
    for (case, how, guilt) in [
        (
            "c_aborts",
            "aborted (SIGABRT)",
            "killed the runner (SIGABRT)",
        ),
        (
            "c_overflows",
            "aborted (SIGABRT)",
            "killed the runner (SIGABRT)",
        ),
        (
            "c_crashes",
            "crashed (SIGSEGV)",
            "killed the runner (SIGSEGV)",
        ),
        (
            "c_exits",
            "exited with 0",
            "exited with 0, and the runner with it",
        ),
        (
            "c_exits_elsewhere",
            "exited with 0",
            "exited with 0, and the runner with it",
        ),
    ] {
        let (session, ended) = run(&["a_passes", case, "d_comes_last"], &[]);
        assert_eq!(ended.code, Some(1), "{case}: {ended:?}");
        assert_has(
            &ended.stderr,
            &[
                &format!("error: runner {how};"),
                &format!("  error    zk2_dying::{case}: {guilt}\n"),
                "  the run goes on in a new runner with 1 case\n",
            ],
        );
        assert_has(
            &ended.stdout,
            &[
                "runner 2 goes on · 1/3 cases are done",
                "1 error",
                "2 passed",
            ],
        );
        assert_eq!(verdicts(&session), ["passed", "error", "passed"], "{case}");
        let record = session.finished_case(case);
        assert_eq!(text(&record, "reason"), guilt);
        assert!(record.get("location").is_some(), "{record:#}");
        assert!(session.path().join("ran").exists());
        let xml = fs::read_to_string(session.latest().join("junit.xml")).unwrap();
        assert_eq!(xml.matches("<testcase").count(), 3, "{xml}");
        assert_eq!(xml.matches(guilt).count(), 1, "{xml}");
        assert_log(&session, 1);
        assert_clean(&session);
    }
}

#[test]
fn e31_each_of_several_killers_has_its_own_verdict() {
    let killers = [
        "c_aborts",
        "c_crashes",
        "c_exits",
        "c_exits_elsewhere",
        "c_overflows",
    ];
    let (session, ended) = run(
        &[&["a_passes"], killers.as_slice(), &["d_comes_last"]].concat(),
        &[],
    );
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let verdicts = verdicts(&session);
    assert_eq!(
        verdicts.iter().filter(|v| *v == "error").count(),
        5,
        "{ended:?}"
    );
    assert_eq!(verdicts.iter().filter(|v| *v == "passed").count(), 2);
    assert_clean(&session);
}

#[test]
fn e31_a_killer_is_not_tried_again_unless_that_is_asked_for() {
    let retries = ["--tests-retries", "2"];
    let (session, ended) = run(&["c_recovers"], &retries);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(verdicts(&session), ["error"]);
    assert_eq!(
        fs::read_to_string(session.path().join("attempts")).unwrap(),
        "I"
    );

    let (session, ended) = run(
        &["c_recovers"],
        &[&retries, ["--tests-retry-killers"].as_slice()].concat(),
    );
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(verdicts(&session), ["passed"]);
    let attempts: Vec<_> = session
        .finished()
        .iter()
        .map(|r| text(r, "verdict"))
        .collect();
    assert_eq!(attempts, ["error", "error", "passed"]);
    assert_has(&ended.stdout, &["FLAKY"]);
    assert_clean(&session);
}

#[test]
fn e31_of_two_functions_that_ran_only_the_one_that_kills_is_an_error() {
    let session = Session::new();
    let program = example("zk2-dying");
    let arguments = [
        "run",
        "rust:zk2_dying::p_bystands",
        "rust:zk2_dying::p_kills",
    ];
    let mut command = session.program(program.to_str().unwrap(), &arguments);
    let ended = wait(command.args(["--parallel-workers", "2"]).spawn().unwrap());
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_has(
        &ended.stderr,
        &["beside 1 other function; runs again apart"],
    );
    assert_eq!(verdicts(&session), ["passed", "error"]);
    let killer = session.finished();
    let killer = killer
        .iter()
        .rfind(|r| text(r, "case").ends_with("p_kills"))
        .unwrap();
    assert_eq!(text(killer, "reason"), "killed by SIGABRT");
    assert!(!ended.stdout.contains("FLAKY"), "{}", ended.stdout);
    assert_log(&session, 1);
    assert_clean(&session);
}

#[test]
fn e31_a_process_that_ran_beside_a_killer_runs_again() {
    let session = Session::new();
    session.script(
        "suite/beside",
        "test -e met && exit 0; echo $$ >> left-behind; touch met; exec sleep 300",
    );
    let program = example("zk2-dying");
    let arguments = ["run", "suite", "rust:zk2_dying::p_kills"];
    let mut command = session.program(program.to_str().unwrap(), &arguments);
    let ended = wait(command.args(["--parallel-workers", "2"]).spawn().unwrap());
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_has(
        &ended.stderr,
        &["was ended because the runner aborted (SIGABRT); runs again"],
    );
    assert_eq!(verdicts(&session), ["passed", "error"]);
    assert_log(&session, 1);
    assert_clean(&session);
}

/// Names and details of the parts of a case.
fn steps(record: &Value) -> Vec<[String; 3]> {
    let list = record.get("steps").and_then(Value::as_array);
    let step = |one: &Value| ["name", "detail", "verdict"].map(|key| text(one, key));
    list.into_iter().flatten().map(step).collect()
}

/// Content, name and type of what a case has attached.
fn attached(session: &Session, record: &Value) -> Vec<[String; 3]> {
    let list = record.get("attachments").and_then(Value::as_array);
    let one = |one: &Value| {
        let file = session.latest().join(text(one, "file"));
        let content = fs::read_to_string(file).unwrap();
        [content, text(one, "name"), text(one, "media_type")]
    };
    list.into_iter().flatten().map(one).collect()
}

fn assert_nothing_is_noted(session: &Session) {
    for entry in fs::read_dir(session.latest().join("outputs")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(!name.ends_with(".told"), "{name}");
    }
}

#[test]
fn e31_what_a_function_had_told_and_attached_is_not_lost_when_it_kills_the_runner() {
    let reports = [
        "--reports-json=true",
        "--reports-markdown=true",
        "--reports-text=true",
    ];
    for (how, guilt) in [
        ("abort", "killed the runner (SIGABRT)"),
        ("segv", "killed the runner (SIGSEGV)"),
        ("exit", "exited with 0, and the runner with it"),
        ("overflow", "killed the runner (SIGABRT)"),
    ] {
        let parameter = format!("how={how}");
        let options = [reports.as_slice(), &["-p", &parameter]].concat();
        let (session, ended) = run(&["e_tells_and_dies*", "d_comes_last"], &options);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert_eq!(session.verdicts().len(), 2);
        let record = session.finished_case(&format!("e_tells_and_dies[how={how}]"));
        assert_eq!(text(&record, "verdict"), "error");
        assert_eq!(text(&record, "reason"), guilt);
        let [equal, by] = &steps(&record)[..] else {
            panic!("{record:#}");
        };
        assert_eq!(equal[0], "how.len() == 0");
        assert!(equal[1].contains("before the end"), "{equal:?}");
        assert_eq!(*by, ["false", &format!("by {how}"), "failed"]);
        let file = [how, "odd name.bin", "application/x-core"].map(str::to_owned);
        assert_eq!(attached(&session, &record), [file]);
        for report in [
            "report.txt",
            "junit.xml",
            "report.json",
            "summary.md",
            "report.html",
        ] {
            let shown = fs::read_to_string(session.latest().join(report)).unwrap();
            assert!(shown.contains(&format!("by {how}")), "{report}: {shown}");
        }
        assert_nothing_is_noted(&session);
        assert_clean(&session);
    }
}

#[test]
fn d17_what_a_function_had_told_is_not_lost_when_somebody_kills_the_runner() {
    let session = Session::new();
    let command = dying(&session, &["e_tells_and_waits"]);
    let run = Guarded::start(session, command);
    kill_process(run.runner, Signal::KILL).unwrap();
    let (session, ended) = run.end();
    assert_eq!(ended.signal, Some(9), "{ended:?}");
    let record = session.finished_case("e_tells_and_waits");
    assert_eq!(text(&record, "verdict"), "error");
    let step = ["false", "still running", "failed"].map(str::to_owned);
    assert_eq!(steps(&record), [step]);
    let file = ["as it was", "screen.txt", "text/plain"].map(str::to_owned);
    assert_eq!(attached(&session, &record), [file]);
    assert_nothing_is_noted(&session);
    assert_clean(&session);
}
