//! The plugins of `docs/examples/plugins`, installed and run as their readers would.

#![expect(clippy::print_stderr, reason = "what cannot be tested here is said")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::plugins::assert_ended;
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
    for directory in [
        session.path(),
        session.path().join("plugins"),
        folder.clone(),
    ] {
        fs::set_permissions(directory, Permissions::from_mode(0o755)).unwrap();
    }
    (session, folder)
}

/// Builds a C file of a folder; false, with a notice, where there is no compiler.
fn built(folder: &Path, source: &str, result: &str, more: &[&str]) -> bool {
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
    let (session, _) = installed("python");
    let ended = run(
        &session,
        &["--slowest-limit", "0.000001", "--trace", "trace.jsonl"],
    );
    assert_ended(&ended, 0, &[]);
    assert_eq!(ended.stderr, "");
    let trace = fs::read_to_string(session.path().join("trace.jsonl")).unwrap();
    assert!(trace.contains("SLOW_CASE"), "{trace}");
    // Its folder is as it was.
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
