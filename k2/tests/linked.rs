//! Test functions that are linked into the command.

use std::process::Command;

use crate::session::{Ended, Session, example, text, wait};

fn linked(session: &Session, arguments: &[&str]) -> Ended {
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
    let ended = linked(&session, &["run", "--parallel-workers", "1"]);
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
