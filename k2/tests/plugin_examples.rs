//! The plugins of `docs/examples/plugins`, installed and run as their readers would.

#![expect(clippy::print_stderr, reason = "what cannot be tested here is said")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::plugins::{assert_ended, only_own_may_write};
use crate::session::{Ended, Session};

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/examples/plugins")
}

/// A session with one case and the files of an example in `plugins/one`, and its folder.
fn installed(example: &str) -> (Session, PathBuf) {
    let session = Session::new();
    session.script("case.sh", "exit 0");
    let folder = session.path().join("plugins/one");
    fs::create_dir_all(&folder).unwrap();
    for entry in fs::read_dir(examples().join(example)).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let copy = folder.join(path.file_name().unwrap());
            fs::copy(&path, &copy).unwrap();
            let is_executable = fs::metadata(&path).unwrap().permissions().mode() & 0o111 != 0;
            let mode = if is_executable { 0o755 } else { 0o644 };
            fs::set_permissions(&copy, Permissions::from_mode(mode)).unwrap();
        }
    }
    only_own_may_write(&session, &folder);
    (session, folder)
}

/// Builds a C file of a folder; false, with a notice, where there is no compiler.
pub(crate) fn built(folder: &Path, source: &str, result: &str, more: &[&str]) -> bool {
    let mut compiler = Command::new("cc");
    compiler
        .args(["-O1", "-pthread"])
        .args(more)
        .arg("-I")
        .arg(examples().join("include"))
        .args(["-o", result, source])
        .current_dir(folder);
    let Ok(output) = compiler.output() else {
        eprintln!("NOTICE: cc is not installed: this test shows nothing here");
        return false;
    };
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    fs::set_permissions(folder.join(result), Permissions::from_mode(0o755)).unwrap();
    true
}

fn run(session: &Session, more: &[&str]) -> Ended {
    session.zk2(&[&["run", "case.sh", "--plugins-paths", "plugins"], more].concat())
}

#[test]
fn the_example_in_python_warns_of_a_slow_case() {
    if Command::new("/usr/bin/python3")
        .arg("--version")
        .output()
        .is_err()
    {
        eprintln!("NOTICE: python3 is not installed: this test shows nothing here");
        return;
    }
    let (session, folder) = installed("python");
    let files = || {
        let entries = fs::read_dir(&folder).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name());
        names.collect::<std::collections::BTreeSet<_>>()
    };
    let before = files();
    let ended = run(
        &session,
        &["--slowest-limit", "0.000001", "--trace", "trace.jsonl"],
    );
    assert_ended(&ended, 0, &[]);
    assert_eq!(ended.stderr, "");
    let trace = fs::read_to_string(session.path().join("trace.jsonl")).unwrap();
    assert!(trace.contains("SLOW_CASE"), "{trace}");
    // Its folder is as it was, without `__pycache__` of what it imports.
    assert_eq!(files(), before);
    assert_ended(&session.zk2(&["trust", "plugins"]), 0, &[]);
    let before = session.zk2(&["trust", "--list"]).stdout;
    assert_ended(&run(&session, &[]), 0, &[]);
    assert_ended(&session.zk2(&["trust", "plugins"]), 0, &[]);
    assert_eq!(session.zk2(&["trust", "--list"]).stdout, before);
}

#[test]
fn the_example_in_shell_says_that_the_run_has_ended() {
    let (session, _) = installed("shell");
    let file = session.path().join("ended.txt");
    let ended = run(&session, &["--notify-file", file.to_str().unwrap()]);
    assert_ended(&ended, 0, &[]);
    assert_eq!(fs::read_to_string(file).unwrap(), "the run has ended\n");
}

#[test]
fn the_example_of_a_library_in_c_is_opened_in_a_child_first() {
    let (session, folder) = installed("c-library");
    if !built(&folder, "counter.c", "counter.so", &["-shared", "-fPIC"]) {
        return;
    }
    let ended = run(&session, &[]);
    assert_ended(&ended, 0, &[]);
    assert_eq!(ended.stderr, "");
    let list = session.zk2(&["--plugins-paths", "plugins", "why", "counter"]);
    assert!(list.stdout.contains("plugins/one/plugin.toml"), "{list:?}");
}

#[test]
fn c20_a_library_that_crashes_when_it_is_opened_kills_a_child_only() {
    let (session, folder) = installed("c-library");
    let source = fs::read_to_string(folder.join("counter.c")).unwrap();
    let crash = "__attribute__((constructor)) static void crash(void) { __builtin_trap(); }\n";
    fs::write(folder.join("counter.c"), source + crash).unwrap();
    if !built(&folder, "counter.c", "counter.so", &["-shared", "-fPIC"]) {
        return;
    }
    let ended = run(&session, &[]);
    assert_ended(&ended, 7, &["plugins/one/counter.so", "ended by signal"]);
    assert!(!session.latest().exists());
}

#[test]
fn the_example_of_a_program_in_c_is_loaded() {
    let (session, folder) = installed("c-program");
    if !built(&folder, "adder.c", "adder", &[]) {
        return;
    }
    assert_ended(&run(&session, &[]), 0, &[]);
}

fn has_python() -> bool {
    let found = Command::new("/usr/bin/python3").arg("--version").output();
    if found.is_err() {
        eprintln!("NOTICE: python3 is not installed: this test shows nothing here");
    }
    found.is_ok()
}

/// The finder of cases in CSV files, which needs the protocol beside it.
fn csv_cases() -> Option<Session> {
    if !has_python() {
        return None;
    }
    let (session, folder) = installed("csv");
    let protocol = folder.join("zaf_plugin.py");
    fs::copy(examples().join("python/zaf_plugin.py"), &protocol).unwrap();
    fs::set_permissions(protocol, Permissions::from_mode(0o644)).unwrap();
    Some(session)
}

#[test]
fn a_plugin_finds_test_cases_that_are_selected_run_and_reported_like_all_others() {
    let Some(session) = csv_cases() else {
        return;
    };
    session.write(
        "cases.csv",
        "name,command,tags,timeout,disabled\nright,test -e case.sh,smoke,,\nwrong,\"echo no disk; exit 3\",,,\nslow,sleep 99,,0.2,\nlater,exit 1,,,not yet\n",
    );
    let path = ["--plugins-paths", "plugins"];
    let ended = session.zk2(&[&["run", "csv:cases.csv", "case.sh"][..], &path].concat());
    assert_ended(&ended, 1, &[]);
    assert!(ended.stdout.contains("no disk"), "{ended:?}");
    let log = fs::read_to_string(session.latest().join("events.jsonl")).unwrap();
    for (case, verdict) in [
        ("cases.csv::right", "passed"),
        ("cases.csv::wrong", "failed"),
        ("cases.csv::slow", "timed-out"),
        ("cases.csv::later", "ignored"),
        ("case.sh", "passed"),
    ] {
        let case = format!("\"case\":\"{case}\"");
        let finished = log
            .lines()
            .find(|line| line.contains("case-finished") && line.contains(&case));
        let finished = finished.unwrap_or_else(|| panic!("{case} in {log}"));
        assert!(
            finished.contains(&format!("\"verdict\":\"{verdict}\"")),
            "{finished}"
        );
    }
    let smoke = session.zk2(
        &[
            &["run", "csv:cases.csv", "--tests-tags", "smoke"][..],
            &path,
        ]
        .concat(),
    );
    assert_ended(&smoke, 0, &[]);
}

#[test]
fn what_a_finder_cannot_use_is_a_problem_like_all_others() {
    let Some(session) = csv_cases() else {
        return;
    };
    session.write("odd.csv", "title,command\na,true\n");
    let path = ["--plugins-paths", "plugins"];
    let run = |source: &str| session.zk2(&[&["run", source][..], &path].concat());
    assert_ended(&run("csv:odd.csv"), 2, &["`odd.csv`: no column 'name'"]);
    assert_ended(&run("csv:none.csv"), 2, &["No such file"]);
    assert_ended(
        &run("tsv:none.tsv"),
        2,
        &[
            "`tsv:none.tsv` does not exist",
            "no extension finds cases of kind `tsv`",
        ],
    );
    // A command that looks runs no plugin, and finds the rest.
    assert_ended(
        &session.zk2(&[&["list", "case.sh"][..], &path].concat()),
        0,
        &[],
    );
    let listed = session.zk2(&[&["list", "csv:odd.csv"][..], &path].concat());
    assert_ended(&listed, 2, &["plugins do not, where a command only looks"]);
}

#[test]
fn the_example_of_a_hook_prepares_the_run_and_hears_how_it_went() {
    let (session, _) = installed("hook");
    let place = session.path().join("place");
    session.script("case.sh", "test -d place");
    let directory = ["--workplace-directory", place.to_str().unwrap()];
    assert_ended(&run(&session, &directory), 0, &[]);
    let summary = fs::read_to_string(place.join("summary.txt")).unwrap();
    assert_eq!(summary, "1 passed, 0 failed\n");
    // A hook that fails before the tests aborts the run.
    let file = session.write("file", "");
    let ended = run(&session, &["--workplace-directory", file.to_str().unwrap()]);
    assert_ended(
        &ended,
        7,
        &[
            "PRE_TESTS: workplace: plugin `workplace`",
            "the directory cannot be made",
        ],
    );
    assert!(ended.stdout.contains("1 not run"), "{ended:?}");
}
