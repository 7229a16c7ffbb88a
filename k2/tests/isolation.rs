//! Test functions in processes of their own: what they say is the same, and what they break is theirs.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::guard::{assert_clean, dying};
use crate::session::{Ended, Session, example, text, wait};

const APART: [&str; 2] = ["--isolation", "process"];

fn run(cases: &[&str], options: &[&str]) -> (Session, Ended) {
    let session = Session::new();
    let mut command = dying(&session, cases);
    let ended = wait(command.args(options).spawn().unwrap());
    (session, ended)
}

fn has_kind(session: &Session, kind: &str) -> bool {
    session.records().iter().any(|r| text(r, "kind") == kind)
}

#[test]
fn e31_a_function_in_a_process_of_its_own_breaks_only_itself() {
    let killers = [
        "c_aborts",
        "c_crashes",
        "c_exits",
        "c_exits_elsewhere",
        "c_overflows",
    ];
    let cases = [&["a_passes"], killers.as_slice(), &["d_comes_last"]].concat();
    let (session, ended) = run(&cases, &APART);
    assert_eq!(
        (ended.code, ended.stderr.as_str()),
        (Some(1), ""),
        "{ended:?}"
    );
    let reasons: Vec<String> = killers
        .iter()
        .map(|case| text(&session.finished_case(case), "reason"))
        .collect();
    assert_eq!(
        reasons,
        [
            "killed by SIGABRT",
            "killed by SIGSEGV",
            "exited with 0",
            "exited with 0",
            "killed by SIGABRT"
        ]
    );
    let verdicts: Vec<_> = session.verdicts().into_values().collect();
    assert_eq!(verdicts.iter().filter(|v| *v == "error").count(), 5);
    assert_eq!(verdicts.iter().filter(|v| *v == "passed").count(), 2);
    let overflow = session.finished_case("c_overflows");
    let said = text(overflow.get("stderr").unwrap(), "head");
    assert!(said.contains("overflowed its stack"), "{said}");
    assert!(!has_kind(&session, "run-resumed"));
    assert_clean(&session);
}

#[test]
fn e31_a_case_can_ask_for_a_process_of_its_own() {
    let (session, ended) = run(&["i_aborts_alone", "d_comes_last"], &[]);
    assert_eq!(
        (ended.code, ended.stderr.as_str()),
        (Some(1), ""),
        "{ended:?}"
    );
    let record = session.finished_case("i_aborts_alone");
    assert_eq!(text(&record, "reason"), "killed by SIGABRT");
    let leaked = record.get("leaked").and_then(Value::as_array).unwrap();
    assert_eq!(leaked.len(), 3, "{record:#}");
    assert!(!has_kind(&session, "run-resumed"));
    assert_clean(&session);
}

#[test]
fn k2_f4_e6_a_function_that_does_not_ask_is_ended_by_signals_when_its_time_is_up() {
    let (session, ended) = run(&["i_never_ends"], &["--tests-grace", "50ms"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let record = session.finished_case("i_never_ends");
    assert_eq!(text(&record, "verdict"), "timed-out");
    assert_clean(&session);
}

#[test]
fn e32_what_a_function_writes_is_its_output_and_not_its_verdict() {
    let (session, ended) = run(&["i_talks"], &APART);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let record = session.finished_case("i_talks");
    assert_eq!(text(&record, "verdict"), "failed");
    assert_eq!(text(&record, "reason"), "it has talked");
    let said = text(record.get("stdout").unwrap(), "head");
    assert_eq!(said, "{\"outcome\":\"passed\"} input \"\"\n");
    let said = text(record.get("stderr").unwrap(), "head");
    assert!(said.starts_with("number "), "{said}");
}

#[test]
fn i7_a_function_sees_no_variable_of_the_framework_but_those_of_its_case() {
    for (options, own) in [
        ([].as_slice(), ["K2_RUN_COOKIE"].as_slice()),
        (
            &APART,
            &[
                "K2_ATTACHMENTS_DIR",
                "K2_CASE_ID",
                "K2_EXECUTION",
                "K2_RUN_COOKIE",
            ],
        ),
    ] {
        let (session, ended) = run(&["i_sees_its_environment"], options);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let names = fs::read_to_string(session.path().join("environment")).unwrap();
        let ours: Vec<&str> = names
            .lines()
            .filter(|name| {
                name.starts_with("K2_") || name.starts_with("ZK2_") || name.contains("RUNNER")
            })
            .collect();
        assert_eq!(ours, own);
    }
}

/// What each case of the linked example has said.
fn said(options: &[&str]) -> BTreeMap<String, [String; 3]> {
    let session = Session::new();
    let program = example("zk2-linked-cases");
    let mut command = session.program(program.to_str().unwrap(), &["run"]);
    // What a time limit does to a function differs, and with whom it shares its components.
    for excluded in [
        "**::exits",
        "**::blocks",
        "**::gives_in",
        "**::outcomes::*slow*",
        "**::checks_and_hangs",
        "zk2_linked_cases::equipment",
        "zk2_linked_cases::shared",
    ] {
        command.args(["--tests-exclude", excluded]);
    }
    command.args(options);
    let ended = wait(command.spawn().unwrap());
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let finished = session.finished();
    assert!(finished.len() > 5);
    finished
        .iter()
        .map(|record| {
            let of = |key| text(record, key);
            (of("case"), [of("verdict"), of("reason"), of("detail")])
        })
        .collect()
}

#[test]
fn a_function_says_the_same_wherever_it_is_called() {
    let (here, apart) = (said(&[]), said(&APART));
    for (case, said) in &here {
        assert_eq!(apart.get(case), Some(said), "{case}");
    }
    assert_eq!(here.len(), apart.len());
}
