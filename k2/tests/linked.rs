//! Test functions that are linked into the command.

use std::process::Command;

use crate::session::{Ended, Session, example, text, wait};

/// Cases that only tests of their own run.
const HOSTILE: &str = "zk2_linked_cases::hostile";
const EQUIPMENT: &str = "zk2_linked_cases::equipment";
const OUTCOMES: &str = "zk2_linked_cases::outcomes";

pub(crate) fn linked(session: &Session, arguments: &[&str]) -> Ended {
    let mut command = Command::new(example("zk2-linked-cases"));
    command
        .args(arguments)
        .current_dir(session.path())
        .env_clear()
        .env("HOME", session.path())
        .env("NO_COLOR", "1")
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    wait(command.spawn().unwrap())
}

#[test]
fn functions_end_in_every_verdict() {
    let session = Session::new();
    let ended = linked(
        &session,
        &[
            "run",
            "--parallel-workers",
            "1",
            "--tests-exclude",
            HOSTILE,
            "--tests-exclude",
            EQUIPMENT,
            "--tests-exclude",
            OUTCOMES,
        ],
    );
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let verdicts = session.verdicts();
    let short: Vec<_> = verdicts
        .iter()
        .map(|(case, verdict)| {
            format!(
                "{} {verdict}",
                case.trim_start_matches("zk2_linked_cases::")
            )
        })
        .collect();
    assert_eq!(
        short,
        [
            "asks_for_the_impossible error",
            "blocks timed-out",
            "errs error",
            "gives_in timed-out",
            "has_variants[flag=-r,count=1] passed",
            "has_variants[flag=-r,count=2] passed",
            "has_variants[flag=-s,count=1] passed",
            "has_variants[flag=-s,count=2] passed",
            "is_disabled ignored",
            "panics failed",
            "passes passed",
            "shared::first passed",
            "shared::second passed",
            "skips skipped",
        ]
    );
    assert!(text(&session.finished_case("panics"), "reason").contains("sums"));
    assert!(text(&session.finished_case("asks_for_the_impossible"), "reason").contains("Unicorn"));
    assert_eq!(
        text(&session.finished_case("skips"), "reason"),
        "not on a Sunday"
    );
}

#[test]
fn a_product_has_its_own_prefix_for_the_environment() {
    let session = Session::new();
    let mut command = Command::new(example("zk2-linked-cases"));
    command
        .args(["list", "--tests-include", "zk2_linked_cases::passes"])
        .current_dir(session.path());
    command.env("LINKED_TESTS_EXCLUDE_REGEX", "passes");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(4), "{output:?}");
}

#[test]
fn the_own_cli_of_the_examples_works() {
    let session = Session::new();
    let mut command = Command::new(example("own_cli"));
    let output = command
        .args(["run"])
        .current_dir(session.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(session.verdicts().len(), 1);
}

#[test]
fn e31_a_function_that_ends_the_process_does_not_end_it_as_if_all_were_well() {
    let session = Session::new();
    let arguments = [
        "run",
        "rust:zk2_linked_cases::hostile",
        "--tests-include",
        "**::exits",
        "--no-guard",
    ];
    let ended = linked(&session, &arguments);
    assert_eq!(ended.code, Some(5), "{ended:?}");
    assert!(
        ended
            .stderr
            .contains("hostile::exits has ended the whole process"),
        "{ended:?}"
    );
    // The log says that the case began, and no more.
    assert!(session.finished().is_empty());
}

#[test]
fn e31_a_panic_on_another_thread_is_no_verdict() {
    let session = Session::new();
    let arguments = [
        "run",
        "rust:zk2_linked_cases::hostile",
        "--tests-exclude",
        "**::exits",
    ];
    let ended = linked(&session, &arguments);
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[test]
fn components_list_the_cases_that_ask_for_them() {
    let session = Session::new();
    let ended = linked(&session, &["components", "--format", "json"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let list: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    let components = list["components"].as_array().unwrap();
    let ticket = components
        .iter()
        .find(|one| one["name"] == "ticket")
        .unwrap();
    let needed_by: Vec<String> = ticket["needed_by"]
        .as_array()
        .unwrap()
        .iter()
        .map(|need| format!("{} {} {}", need["by"], need["name"], need["parameter"]))
        .collect();
    assert_eq!(
        needed_by,
        [
            r#""test case" "zk2_linked_cases::shared::first" "ticket""#,
            r#""test case" "zk2_linked_cases::shared::second" "ticket""#,
        ]
    );
}

#[test]
fn what_comes_with_k2_works_in_cases_and_ends_with_them() {
    let session = Session::new();
    let arguments = [
        "run",
        "--artefacts-keep=always",
        "--tests-include",
        EQUIPMENT,
    ];
    let ended = linked(&session, &arguments);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let verdicts = session.verdicts();
    let short: Vec<_> = verdicts
        .iter()
        .map(|(case, verdict)| format!("{} {verdict}", &case[EQUIPMENT.len() + 2..]))
        .collect();
    assert_eq!(
        short,
        [
            "a_missing_program_is_an_error error",
            "a_wait_ends_with_the_case timed-out",
            "a_wrong_end_fails failed",
            "everything_works_together passed",
            "leaves_a_program_running passed",
        ],
        "{ended:?}"
    );
    let reason = |case: &str| text(&session.finished_case(case), "reason");
    assert_eq!(
        reason("a_wrong_end_fails"),
        "`sh -c 'echo no paper >&2; exit 7'` ended with exit code 7, expected was exit code 0"
    );
    let detail = text(&session.finished_case("a_wrong_end_fails"), "detail");
    assert!(detail.contains("no paper"), "{detail}");
    assert!(reason("a_missing_program_is_an_error").contains("/no/such/program"));
    session.assert_nothing_left();
    // It is in the directory of its case, and says who has to be gone.
    let outputs = session.latest().join("outputs");
    let mut pids = std::fs::read_dir(outputs).unwrap().filter_map(|entry| {
        std::fs::read_to_string(entry.unwrap().path().join("workspace/pids")).ok()
    });
    let pids = pids.next().expect("invariant: the case has noted them");
    for pid in pids.split_whitespace() {
        assert!(!std::path::Path::new("/proc").join(pid).exists(), "{pid}");
    }
}
