//! `--trace FILE`, by running `examples/watched.rs` as a process.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// The example, which is built together with the tests.
fn command(line: &[&str]) -> Command {
    let own = std::env::current_exe().unwrap();
    let profile = own.parent().and_then(Path::parent).unwrap();
    let program = profile.join("examples/watched");
    assert!(
        program.exists(),
        "{} is missing; `cargo build -p zaf-core --examples` makes it",
        program.display()
    );
    #[expect(
        clippy::disallowed_methods,
        reason = "the process under test is this application itself"
    )]
    let mut command = Command::new(program);
    command
        .args(line)
        .env_clear()
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn run(line: &[&str]) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = command(line).output().unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

/// Starts it and waits until it has said this.
fn start(line: &[&str], said: &str) -> Child {
    let mut child = command(line).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), said);
    child
}

fn directory() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("trace.json");
    (directory, file)
}

fn nanos(value: &Value) -> u64 {
    let micros = value.as_f64().unwrap();
    assert!(micros >= 0.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a few seconds of nanoseconds"
    )]
    let nanos = (micros * 1000.0).round() as u64;
    nanos
}

fn text<'a>(event: &'a Value, key: &str) -> &'a str {
    event[key].as_str().unwrap_or_default()
}

fn of_phase<'a>(events: &'a [Value], phase: &str) -> Vec<&'a Value> {
    events
        .iter()
        .filter(|event| text(event, "ph") == phase)
        .collect()
}

/// What a viewer relies on.
fn check(events: &[Value]) {
    for event in events {
        assert!(
            event["pid"].is_u64() && event["tid"].is_u64() && event["ts"].is_number(),
            "{event}"
        );
        assert!(!text(event, "name").is_empty(), "{event}");
    }
    assert_eq!(text(&events[0], "name"), "process_name");
    // Every thread that something happens on has one name.
    let mut names: BTreeMap<u64, u32> = BTreeMap::new();
    for event in of_phase(events, "M") {
        if text(event, "name") == "thread_name" {
            *names.entry(event["tid"].as_u64().unwrap()).or_default() += 1;
        }
    }
    assert!(names.values().all(|count| *count == 1), "{names:?}");
    // Slices of one thread lie one inside the other or one after the other.
    let mut threads: BTreeMap<u64, Vec<(u64, u64)>> = BTreeMap::new();
    for event in of_phase(events, "X") {
        let tid = event["tid"].as_u64().unwrap();
        assert!(names.contains_key(&tid), "{event}");
        let begin = nanos(&event["ts"]);
        let slices = threads.entry(tid).or_default();
        slices.push((begin, begin + nanos(&event["dur"])));
    }
    for slices in threads.values_mut() {
        slices.sort_by_key(|&(begin, end)| (begin, std::cmp::Reverse(end)));
        let mut open: Vec<(u64, u64)> = Vec::new();
        for &(begin, end) in &*slices {
            while open.last().is_some_and(|&(_, last)| last <= begin) {
                open.pop();
            }
            assert!(open.last().is_none_or(|&(_, last)| end <= last));
            open.push((begin, end));
        }
    }
    // Every arrow has one beginning and one end, each inside a slice of its thread.
    let mut arrows: BTreeMap<u64, [Vec<u64>; 2]> = BTreeMap::new();
    for (index, phase) in ["s", "f"].into_iter().enumerate() {
        for event in of_phase(events, phase) {
            let at = nanos(&event["ts"]);
            let slices = &threads[&event["tid"].as_u64().unwrap()];
            assert!(
                slices.iter().any(|&(begin, end)| begin <= at && at <= end),
                "{event}"
            );
            arrows.entry(event["id"].as_u64().unwrap()).or_default()[index].push(at);
        }
    }
    for [begins, ends] in arrows.values() {
        let ([begin], [end]) = (&**begins, &**ends) else {
            panic!("an arrow with the ends {begins:?} and {ends:?}");
        };
        assert!(begin <= end);
    }
}

#[test]
fn a_run_is_written_with_slices_arrows_and_counters() {
    let (_directory, file) = directory();
    let (code, stderr) = run(&["work", "--trace", file.to_str().unwrap()]);
    assert_eq!(code, Some(0), "{stderr}");
    let events: Vec<Value> = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    check(&events);

    let slices = of_phase(&events, "X");
    let count = |name: &str, category: &str| {
        let same = |event: &&&Value| text(event, "name") == name && text(event, "cat") == category;
        slices.iter().filter(same).count()
    };
    assert_eq!(count("PART", "event"), 20);
    assert_eq!(count("PRICE", "request"), 1);
    assert_eq!(count("office", "handler"), 1);
    assert_eq!(count("bench", "handler"), 21);
    assert_eq!(count("painters", "handler"), 20);
    // One for each message that went through a queue.
    assert_eq!(of_phase(&events, "s").len(), 41);
    let counters = of_phase(&events, "C");
    assert!(
        counters
            .iter()
            .any(|event| text(event, "name") == "queue of bench")
    );
    let failed: Vec<_> = slices
        .iter()
        .filter(|event| event["args"]["outcome"] == "failed")
        .collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0]["args"]["error"], "the drill is broken");
    assert_eq!(failed[0]["args"]["message"], "PART");
    let sender = slices
        .iter()
        .find(|event| text(event, "name") == "PART")
        .unwrap();
    assert_eq!(sender["args"]["sender"], "office");
    assert!(sender["args"]["parent"].is_u64());
    // What nobody defined is in it too.
    let refused = of_phase(&events, "i");
    let refused = refused
        .iter()
        .find(|event| text(event, "name") == "PAINT refused");
    let refused = &refused.unwrap()["args"];
    assert_eq!(text(refused, "sender"), "office");
    assert_eq!(text(refused, "endpoint"), "workshop");
    assert!(text(refused, "error").contains("PAINT"), "{refused}");
    // The whole run: also what the application itself says.
    assert_eq!(count("AFTER_COMMAND", "event"), 0, "nobody listens to it");
    assert_eq!(count("BEFORE_COMMAND", "event"), 1);
}

#[test]
fn the_trace_of_an_aborted_run_is_complete() {
    let (_directory, file) = directory();
    let mut child = start(&["wait", "--trace", file.to_str().unwrap()], "waiting");
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    child.wait().unwrap();
    let events: Vec<Value> = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    check(&events);
    assert!(
        of_phase(&events, "X")
            .iter()
            .any(|event| text(event, "name") == "ABORT")
    );
}

#[test]
fn the_trace_of_a_killed_run_can_be_read() {
    let (_directory, file) = directory();
    let mut child = start(&["wait", "--trace", file.to_str().unwrap()], "waiting");
    // Everything was handled before it said so; the file is written on a thread of its own.
    let read = || std::fs::read_to_string(&file).unwrap();
    let is_there =
        |text: &str| text.matches("\"name\":\"painters\"").count() == 20 && text.ends_with('}');
    let begin = std::time::Instant::now();
    while !is_there(&read()) {
        assert!(begin.elapsed() < crate::bus::LONG);
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // The format allows that the closing bracket is missing.
    let events: Vec<Value> = serde_json::from_str(&(read() + "]")).unwrap();
    check(&events);
}

#[test]
fn a_file_that_cannot_be_created_is_wrong_use() {
    let (directory, _) = directory();
    let file = directory.path().join("missing").join("trace.json");
    let (code, stderr) = run(&["work", "--trace", file.to_str().unwrap()]);
    assert_eq!(code, Some(2), "{stderr}");
    assert!(
        stderr.contains("the trace cannot be written to"),
        "{stderr}"
    );
    assert!(stderr.contains(file.to_str().unwrap()), "{stderr}");
}

#[test]
fn a_file_that_cannot_be_written_later_is_said_and_counts_as_a_lost_report() {
    // Every write to it fails with "no space left".
    let full = Path::new("/dev/full");
    assert!(full.exists(), "this test needs /dev/full");
    let (code, stderr) = run(&["work", "--trace", full.to_str().unwrap()]);
    assert_eq!(code, Some(6), "{stderr}");
    assert!(stderr.contains("/dev/full"), "{stderr}");
    assert!(stderr.contains("could not be written"), "{stderr}");
}

#[test]
fn a9_a_handler_that_blocks_for_ever_is_named_on_standard_error() {
    let line = ["stuck", "--handler-warn", "10ms"];
    let mut child = start(&line, "stuck");
    let mut stderr = BufReader::new(child.stderr.take().unwrap()).lines();
    let warning = stderr.next().unwrap().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(
        warning.contains("handler `office` of STUCK at `workshop` has been running for"),
        "{warning}"
    );
    assert!(warning.contains("on thread `main`"), "{warning}");
}

/// Names of the threads of a process. One that has just begun may still have the name of who started it.
fn threads(process: u32) -> Vec<String> {
    let tasks = std::fs::read_dir(format!("/proc/{process}/task")).unwrap();
    tasks
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok())
        .map(|name| name.trim_end().to_owned())
        .collect()
}

#[test]
fn nobody_looks_for_slow_handlers_where_the_limit_is_nothing() {
    for (limit, looks) in [("1h", true), ("0s", false)] {
        let mut child = start(&["stuck", "--handler-warn", limit], "stuck");
        let is_watch = |name: &String| name == "bus-watch";
        while looks && !threads(child.id()).iter().any(is_watch) {
            std::thread::yield_now();
        }
        let found = threads(child.id());
        assert!(found.len() > 1, "{found:?}");
        assert_eq!(found.iter().any(is_watch), looks, "{limit}: {found:?}");
        let stderr = BufReader::new(child.stderr.take().unwrap());
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(stderr.lines().count(), 0);
    }
}
