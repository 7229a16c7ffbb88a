//! Exit codes and reports tell the truth.

use crate::session::{Session, text};

#[test]
fn all_passed_is_0() {
    let session = Session::new();
    session.script("suite/passes", "exit 0");
    let ended = session.zk2(&["run", "suite"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(
        session.verdicts().into_values().collect::<Vec<_>>(),
        ["passed"]
    );
}

#[test]
fn a_failure_is_1_and_names_the_exit_status() {
    let session = Session::new();
    session.script("suite/fails", "echo expected 1, got 2; exit 7");
    session.script("suite/passes", "exit 0");
    let ended = session.zk2(&["run", "suite"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let failed = session.finished_case("fails");
    assert_eq!(text(&failed, "verdict"), "failed");
    assert!(text(&failed, "reason").contains('7'), "{failed}");
    assert!(
        ended.stdout.contains("expected 1, got 2"),
        "{}",
        ended.stdout
    );
    assert!(ended.stdout.contains("exit 1"), "{}", ended.stdout);
}

#[test]
fn skipped_cases_count_as_neither() {
    let session = Session::new();
    session.script("suite/skips", "exit 77");
    assert_eq!(session.zk2(&["run", "suite"]).code, Some(0));
    assert_eq!(
        session.verdicts().into_values().collect::<Vec<_>>(),
        ["skipped"]
    );
    let ended = session.zk2(&["run", "suite", "--tests-skip-codes", "3"]);
    assert_eq!(
        ended.code,
        Some(1),
        "77 is an ordinary failure when 3 is the skip code: {ended:?}"
    );
}

#[test]
fn a_time_limit_is_a_verdict_of_its_own() {
    let session = Session::new();
    session.script("suite/hangs", "exec sleep 300");
    let ended = session.zk2(&["run", "suite", "--tests-timeout", "100ms"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(
        session.verdicts().into_values().collect::<Vec<_>>(),
        ["timed-out"]
    );
}

#[test]
fn a_case_killed_by_a_signal_names_it() {
    let session = Session::new();
    session.script("suite/dies", "kill -SEGV $$");
    assert_eq!(session.zk2(&["run", "suite"]).code, Some(1));
    assert!(text(&session.finished_case("dies"), "reason").contains("SIGSEGV"));
}

#[test]
fn nothing_selected_is_4() {
    let session = Session::new();
    session.script("suite/passes", "exit 0");
    let ended = session.zk2(&["run", "suite", "--tests-include", "nowhere"]);
    assert_eq!(ended.code, Some(4), "{ended:?}");
    assert!(
        ended.stderr.contains("1 test case"),
        "says how many were filtered out: {}",
        ended.stderr
    );
    assert!(
        !session.path().join("output").exists(),
        "an empty run leaves nothing behind"
    );
}

#[test]
fn abort_on_fail_runs_nothing_after_the_first_failure_and_is_5() {
    let session = Session::new();
    session.script("suite/a-fails", "exit 1");
    for n in 0..5 {
        session.script(&format!("suite/b-{n}"), "exit 0");
    }
    let ended = session.zk2(&["run", "suite", "--abort-on-fail", "--parallel-workers", "1"]);
    assert_eq!(ended.code, Some(5), "{ended:?}");
    let verdicts = session.verdicts();
    assert_eq!(verdicts.len(), 6);
    assert_eq!(
        verdicts
            .values()
            .filter(|verdict| *verdict == "not-run")
            .count(),
        5
    );
}

#[test]
fn a_pass_after_a_failure_is_flaky_and_every_attempt_is_recorded() {
    let session = Session::new();
    session.script("suite/flaky", "test -e seen || { touch seen; exit 1; }");
    let ended = session.zk2(&["run", "suite", "--tests-retries", "2"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.contains("FLAKY"), "{}", ended.stdout);
    let attempts: Vec<_> = session
        .finished()
        .iter()
        .map(|record| text(record, "verdict"))
        .collect();
    assert_eq!(attempts, ["failed", "passed"]);
}

#[test]
fn a_second_run_is_kept_beside_the_first() {
    let session = Session::new();
    session.script("suite/passes", "exit 0");
    session.zk2(&["run", "suite"]);
    let first = session.latest().canonicalize().unwrap();
    session.zk2(&["run", "suite"]);
    let second = session.latest().canonicalize().unwrap();
    assert_ne!(first, second);
    assert!(first.join("events.jsonl").exists());
}

#[test]
fn junit_is_written_when_asked_for_and_counts_every_case() {
    let session = Session::new();
    session.script("suite/fails", "printf 'a\\001<b>&]]>\\377\\n'; exit 1");
    session.script("suite/passes", "exit 0");
    session.script("suite/skips", "exit 77");
    let ended = session.zk2(&[
        "run",
        "suite",
        "--reports-junit",
        "--reports-junit-file",
        "junit.xml",
    ]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let xml = std::fs::read_to_string(session.path().join("junit.xml")).unwrap();
    assert_eq!(xml.matches("<testcase").count(), 3, "{xml}");
    assert_eq!(xml.matches("<failure").count(), 1, "{xml}");
    assert_eq!(xml.matches("<skipped").count(), 1, "{xml}");
}

#[test]
fn a_report_that_cannot_be_written_is_6_and_the_verdicts_stay() {
    let session = Session::new();
    session.script("suite/fails", "exit 1");
    let ended = session.zk2(&[
        "run",
        "suite",
        "--reports-junit",
        "--reports-junit-file",
        "/proc/no/such/place/junit.xml",
    ]);
    assert_eq!(ended.code, Some(6), "{ended:?}");
    assert_eq!(
        session.verdicts().into_values().collect::<Vec<_>>(),
        ["failed"]
    );
    assert!(
        ended.stdout.contains("junit") || ended.stderr.contains("junit"),
        "{ended:?}"
    );
}

#[test]
fn nothing_to_run_says_what_to_do() {
    let session = Session::new();
    std::fs::create_dir(session.path().join("empty")).unwrap();
    let ended = session.zk2(&["run"]);
    assert_eq!(ended.code, Some(4), "{ended:?}");
    assert!(
        ended.stderr.contains("name files or directories"),
        "{ended:?}"
    );
    let ended = session.zk2(&["run", "empty"]);
    assert_eq!(ended.code, Some(4), "{ended:?}");
    assert!(ended.stderr.contains("executable"), "{ended:?}");
}
