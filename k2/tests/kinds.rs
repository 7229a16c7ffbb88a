//! Every kind of source: executables, TAP producers, Rust test binaries, `GoogleTest` binaries, several at once.

use std::path::Path;
use std::process::Command;

use crate::session::{Session, fixture, text};

#[test]
fn a_tap_producer_is_one_case_with_its_points_as_steps() {
    let session = Session::new();
    session.script(
        "suite/points.tap",
        "printf '1..3\\nok 1 - a\\nnot ok 2 - b\\nok 3 - c # SKIP later\\n'",
    );
    let ended = session.zk2(&["run", "suite"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let record = session.finished_case("points.tap");
    let steps = record
        .get("steps")
        .and_then(|steps| steps.as_array())
        .unwrap();
    let verdicts: Vec<_> = steps.iter().map(|step| text(step, "verdict")).collect();
    assert_eq!(verdicts, ["passed", "failed", "skipped"]);
    assert!(text(&record, "reason").contains('b'), "{record}");
}

#[test]
fn a_tap_producer_that_breaks_off_does_not_pass() {
    let session = Session::new();
    session.fixture("suite/half.tap", "partial-tap");
    assert_eq!(session.zk2(&["run", "suite"]).code, Some(1));
    assert_ne!(
        text(&session.finished_case("half.tap"), "verdict"),
        "passed"
    );
}

#[test]
fn the_kind_can_be_forced() {
    let session = Session::new();
    session.script("points", "printf '1..1\\nnot ok 1 - a\\n'");
    assert_eq!(session.zk2(&["run", "exec:points"]).code, Some(0));
    assert_eq!(session.zk2(&["run", "tap:points"]).code, Some(1));
}

#[test]
fn each_test_of_a_rust_test_binary_is_a_case() {
    let session = Session::new();
    let source = session.write(
        "sample.rs",
        "#[test] fn passes() {}\n\
         mod inner { #[test] fn fails() { println!(\"a clue\"); assert_eq!(1, 2, \"sums\"); }\n\
         #[test] #[ignore = \"slow\"] fn waits() {} }\n",
    );
    compile(&source, &session.path().join("sample"));
    let ended = session.zk2(&["run", "sample"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let verdicts = session.verdicts();
    let verdict = |end: &str| {
        let found = verdicts.iter().find(|(case, _)| case.ends_with(end));
        found.map_or("none", |(_, verdict)| verdict.as_str())
    };
    assert_eq!(verdict("passes"), "passed", "{verdicts:?}");
    assert_eq!(verdict("inner::fails"), "failed", "{verdicts:?}");
    assert_eq!(verdict("inner::waits"), "ignored", "{verdicts:?}");
    let reason = text(&session.finished_case("inner::fails"), "reason");
    assert!(
        reason.contains("sums") && reason.contains("sample.rs:2"),
        "{reason}"
    );
    assert!(ended.stdout.contains("sums"), "{}", ended.stdout);
}

fn compile(source: &Path, target: &Path) {
    let rustc = option_env!("RUSTC").unwrap_or("rustc");
    let status = Command::new(rustc)
        .args(["--test", "-Cdebuginfo=0", "--edition=2024"])
        .arg(source)
        .arg("-o")
        .arg(target)
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
fn each_test_of_a_googletest_binary_is_a_case() {
    let session = Session::new();
    let binary = format!("gtest:{}", fixture().display());
    let ended = session.zk2(&["run", &binary]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let verdicts: Vec<_> = session
        .verdicts()
        .into_iter()
        .map(|(case, verdict)| {
            format!("{} {verdict}", case.rsplit("::").next().unwrap_or_default())
        })
        .collect();
    let expects = |line: &str| assert!(verdicts.iter().any(|v| v == line), "{line}: {verdicts:?}");
    expects("Plain.Passes passed");
    expects("Plain.Fails failed");
    expects("Plain.Skips skipped");
}

#[test]
fn a_test_binary_that_cannot_be_listed_is_a_case_in_error() {
    let session = Session::new();
    session.script("broken", "echo no such option >&2; exit 3");
    let ended = session.zk2(&["run", "libtest:broken", "--tests-exclude", "broken"]);
    assert_eq!(ended.code, Some(1), "a filter cannot hide it: {ended:?}");
    assert_eq!(
        session.verdicts().into_values().collect::<Vec<_>>(),
        ["error"]
    );
}
