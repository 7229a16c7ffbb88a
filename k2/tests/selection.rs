//! `list` and the filters.

use crate::session::{Session, wait};

fn three() -> Session {
    let session = Session::new();
    for name in ["git/log", "git/merge", "net/ping"] {
        session.script(&format!("suite/{name}"), "exit 0");
    }
    session
}

fn listed(session: &Session, options: &[&str]) -> Vec<String> {
    let ended = session.zk2(&[&["list", "suite"], options].concat());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    ended.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn list_shows_what_run_would_run_and_runs_nothing() {
    let session = three();
    let listed = listed(&session, &[]);
    assert!(!session.path().join("output").exists());
    assert_eq!(session.zk2(&["run", "suite"]).code, Some(0));
    let mut ran: Vec<_> = session.verdicts().into_keys().collect();
    ran.sort();
    assert_eq!(listed, ran);
}

#[test]
fn cases_are_included_and_excluded_by_prefix_glob_and_regex() {
    let session = three();
    let all = listed(&session, &[]);
    let log = all.iter().find(|id| id.ends_with("log")).unwrap();
    assert_eq!(
        listed(&session, &["--tests-include", log]),
        std::slice::from_ref(log)
    );
    assert_eq!(listed(&session, &["--tests-include", "*ping"]).len(), 1);
    assert_eq!(listed(&session, &["--tests-exclude", "*git*"]).len(), 1);
    assert_eq!(
        listed(&session, &["--tests-include-regex", "l.g$"]),
        std::slice::from_ref(log)
    );
    assert_eq!(
        listed(&session, &["--tests-exclude-regex", "log|merge"]).len(),
        1
    );
    let both = ["--tests-include", "*log", "--tests-include", "*ping"];
    assert_eq!(listed(&session, &both).len(), 2);
}

#[test]
fn options_are_accepted_before_and_after_the_command() {
    let session = three();
    let before = session.zk2(&["--output-dir", "a", "run", "suite"]);
    let after = session.zk2(&["run", "suite", "--output-dir", "b"]);
    assert_eq!(
        (before.code, after.code),
        (Some(0), Some(0)),
        "{before:?} {after:?}"
    );
    assert!(session.path().join("a/latest/events.jsonl").exists());
    assert!(session.path().join("b/latest/events.jsonl").exists());
}

#[test]
fn the_command_line_wins_over_the_environment_and_that_over_files() {
    let session = three();
    session.write("k2.yaml", "output:\n  dir: file\n");
    session.zk2(&["run", "suite"]);
    assert!(session.path().join("file/latest").exists());
    wait(
        session
            .command(&["run", "suite"])
            .env("K2_OUTPUT_DIR", "env")
            .spawn()
            .unwrap(),
    );
    assert!(session.path().join("env/latest").exists());
    let mut command = session.command(&["run", "suite", "--output-dir", "flag"]);
    wait(command.env("K2_OUTPUT_DIR", "env2").spawn().unwrap());
    assert!(session.path().join("flag/latest").exists());
    assert!(!session.path().join("env2").exists());
}

#[test]
fn a_file_named_on_the_command_line_replaces_the_default_files() {
    let session = three();
    session.write("k2.yaml", "output.dir: local\n");
    session.write("other.toml", "output.dir = \"other\"\n");
    let ended = session.zk2(&["run", "suite", "--config-file-pattern", "other.toml"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(session.path().join("other/latest").exists());
    assert!(!session.path().join("local").exists());
}

#[test]
fn noop_does_nothing_and_help_explains_run() {
    let session = Session::new();
    let noop = session.zk2(&["noop"]);
    assert_eq!(
        (noop.code, noop.stdout.as_str(), noop.stderr.as_str()),
        (Some(0), "", "")
    );
    let help = session.zk2(&["run", "--help"]);
    assert_eq!(help.code, Some(0));
    for option in [
        "--output-dir",
        "--parallel-workers",
        "--tests-include",
        "--tests-include-regex",
        "--tests-exclude",
        "--tests-exclude-regex",
        "--tests-timeout",
        "--tests-grace",
        "--tests-skip-codes",
        "--abort-on-fail",
        "--[no-]reports-text",
        "--reports-junit",
        "--reports-junit-file",
        "--log-level",
        "--config-file-pattern",
    ] {
        assert!(
            help.stdout.contains(option),
            "{option} is missing in: {}",
            help.stdout
        );
    }
}
