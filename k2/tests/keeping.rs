//! Files of workspaces: of which cases they are kept, and how much of them.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::guard::dying;
use crate::session::{Ended, Session, text, wait};

const CASES: [&str; 3] = [
    "fills_its_workspace",
    "fills_its_workspace_and_fails",
    "leaves_its_workspace_empty_and_fails",
];

fn run(options: &[&str]) -> (Session, Ended) {
    let session = Session::new();
    let cases = CASES.map(|case| format!("files::{case}"));
    let cases: Vec<&str> = cases.iter().map(String::as_str).collect();
    let mut command = dying(&session, &cases);
    let ended = wait(command.args(options).spawn().unwrap());
    assert_eq!(ended.code, Some(1), "{ended:?}");
    (session, ended)
}

/// Directories of cases that are there after the run, and what records say of them: case and path.
fn kept(session: &Session) -> Vec<(String, PathBuf)> {
    let mut kept = Vec::new();
    for record in session.finished() {
        let list = record.get("attachments").and_then(Value::as_array);
        for attachment in list.into_iter().flatten() {
            assert_eq!(text(attachment, "media_type"), "inode/directory");
            let directory = session.latest().join(text(attachment, "file"));
            let file = fs::read_to_string(directory.join("workspace/deep/er")).unwrap();
            assert_eq!(
                attachment.get("bytes").and_then(Value::as_u64),
                Some(file.len() as u64)
            );
            let case = text(&record, "case");
            kept.push((case.rsplit("::").next().unwrap().to_owned(), directory));
        }
    }
    kept.sort();
    let outputs = fs::read_dir(session.latest().join("outputs"));
    let found: Vec<_> = outputs.into_iter().flatten().collect();
    assert_eq!(found.len(), kept.len(), "{found:?}");
    kept
}

fn names(kept: &[(String, PathBuf)]) -> Vec<&str> {
    kept.iter().map(|(case, _)| case.as_str()).collect()
}

#[test]
fn files_of_a_workspace_are_kept_by_rule_and_verdict_wherever_the_function_is_called() {
    for isolation in ["in-process", "process"] {
        for (rule, expected) in [
            (None, &CASES[1..2]),
            (Some("failure"), &CASES[1..2]),
            (Some("always"), &CASES[..2]),
            (Some("never"), &CASES[..0]),
        ] {
            let mut options = vec!["--isolation", isolation];
            options.extend(rule.iter().flat_map(|rule| ["--artefacts-keep", rule]));
            let (session, _) = run(&options);
            assert_eq!(names(&kept(&session)), expected, "{isolation} {rule:?}");
        }
    }
}

#[test]
fn reports_say_where_the_files_of_a_case_are() {
    let reports = [
        "--reports-text=true",
        "--reports-json=true",
        "--reports-markdown=true",
    ];
    let (session, ended) = run(&reports);
    let (_, directory) = kept(&session).remove(0);
    let name = directory.file_name().unwrap().to_str().unwrap();
    for report in [
        "report.txt",
        "junit.xml",
        "report.json",
        "summary.md",
        "report.html",
    ] {
        let report = fs::read_to_string(session.latest().join(report)).unwrap();
        assert!(report.contains(name), "{report}");
    }
    assert!(ended.stderr.is_empty(), "{ended:?}");
}

#[test]
fn p8_more_than_the_limit_is_not_kept_and_that_is_told() {
    let (session, ended) = run(&["--artefacts-keep=always", "--artefacts-bytes=1KiB"]);
    assert_eq!(kept(&session).len(), 1);
    let left_out = |record: &Value| record.get("attachments_left_out").and_then(Value::as_u64);
    let left_out: u64 = session.finished().iter().filter_map(left_out).sum();
    assert_eq!(left_out, 1);
    assert!(ended.stderr.contains("artefacts.bytes"), "{ended:?}");
}

#[test]
fn each_attempt_has_its_own_files() {
    let (session, _) = run(&["--tests-retries=1"]);
    assert_eq!(names(&kept(&session)), [CASES[1], CASES[1]]);
}

#[test]
fn files_of_a_case_that_kills_the_runner_are_kept() {
    let session = Session::new();
    let mut command = dying(&session, &["files::fills_its_workspace_and_dies"]);
    let ended = wait(command.spawn().unwrap());
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(names(&kept(&session)), ["fills_its_workspace_and_dies"]);
}
