//! `report DIR`: the reports of a run made anew from its event log, whatever became of the run.

use std::fs;
use std::io::Read;

use crate::session::{Ended, Session, wait};

fn report_text(session: &Session) -> String {
    fs::read_to_string(session.latest().join("report.txt")).unwrap()
}

/// A run of three cases one after another, of which the second kills guard and runner: the first has a verdict, the second
/// was running, the third had not begun.
fn killed(session: &Session) -> Ended {
    session.script("suite/a-passes", "exit 0");
    session.script(
        "suite/b-kills",
        "kill -9 $PPID; exec sleep 300 <&- >&- 2>&-",
    );
    session.script("suite/c-waits", "exit 0");
    let line = ["run", "suite", "--parallel-workers", "1", "--no-guard"];
    let mut child = session.command(&line).spawn().unwrap();
    let mut output = String::new();
    let stdout = child.stdout.take();
    stdout.unwrap().read_to_string(&mut output).unwrap();
    wait(child)
}

#[test]
fn k2_f25_p2_the_reports_of_a_killed_run_have_every_case() {
    let session = Session::new();
    let ended = killed(&session);
    assert_eq!(ended.signal, Some(9), "{ended:?}");
    assert!(!session.latest().join("report.txt").exists());

    let ended = session.zk2(&["report", "output/latest", "--reports-junit", "true"]);
    assert_eq!(ended.code, Some(5), "{ended:?}");
    assert!(ended.stdout.contains("1 passed · 2 not run"), "{ended:?}");
    assert!(ended.stdout.contains("it was killed"), "{ended:?}");
    let text = report_text(&session);
    assert!(
        text.contains("was running when the event log ends"),
        "{text}"
    );
    assert!(text.contains("the run ended before its turn"), "{text}");
    let junit = fs::read_to_string(session.latest().join("junit.xml")).unwrap();
    assert_eq!(junit.matches("<testcase ").count(), 3, "{junit}");
}

#[test]
fn f6_a_torn_log_is_read_to_its_last_whole_record_and_that_is_said() {
    let session = Session::new();
    session.script("suite/a", "exit 0");
    session.script("suite/b", "exit 0");
    assert_eq!(session.zk2(&["run", "suite"]).code, Some(0));
    let log = session.latest().join("events.jsonl");
    let whole = fs::read(&log).unwrap();
    let lines: Vec<&[u8]> = whole.split_inclusive(|&byte| byte == b'\n').collect();
    let [rest @ .., last_case, _end] = lines.as_slice() else {
        panic!("a run has more than two records")
    };
    let torn = [&rest.concat(), &last_case[..last_case.len() / 2]].concat();
    fs::write(&log, torn).unwrap();

    let ended = session.zk2(&["report"]);
    assert_eq!(ended.code, Some(5), "{ended:?}");
    assert!(ended.stdout.contains("1 passed · 1 not run"), "{ended:?}");
    assert!(report_text(&session).contains("in the middle of a record"));
}

#[test]
fn a_report_is_what_the_run_wrote_and_ends_as_the_run_did() {
    let session = Session::new();
    session.script("suite/fails", "echo no; exit 3");
    session.script("suite/passes", "exit 0");
    assert_eq!(session.zk2(&["run", "suite"]).code, Some(1));
    let written = report_text(&session);
    let id = fs::read_link(session.latest()).unwrap();
    let directory = format!("output/{}", id.display());
    // The directory, its link, the event log itself, the directory of all runs, and the newest of the default.
    for place in [
        vec![directory.clone()],
        vec!["output/latest".to_owned()],
        vec!["output/latest/".to_owned()],
        vec![format!("{directory}/events.jsonl")],
        vec!["output".to_owned()],
        vec![],
    ] {
        fs::remove_file(session.latest().join("report.txt")).unwrap();
        let mut line = vec!["report"];
        line.extend(place.iter().map(String::as_str));
        let ended = session.zk2(&line);
        assert_eq!(ended.code, Some(1), "{line:?}: {ended:?}");
        assert!(ended.stdout.contains("exit 1"), "{ended:?}");
        assert_eq!(report_text(&session), written, "{line:?}");
    }
    assert_eq!(session.finished().len(), 2, "nothing is added to the log");
}

#[test]
fn a_log_that_was_moved_is_reported_where_it_is() {
    let session = Session::new();
    session.script("suite/passes", "exit 0");
    assert_eq!(session.zk2(&["run", "suite"]).code, Some(0));
    fs::create_dir(session.path().join("elsewhere")).unwrap();
    let log = session.latest().join("events.jsonl");
    fs::copy(log, session.path().join("elsewhere/events.jsonl")).unwrap();
    let ended = session.zk2(&["report", "elsewhere"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(session.path().join("elsewhere/report.txt").exists());
}

#[test]
fn what_is_no_run_is_refused_and_named() {
    let session = Session::new();
    session.write("a-file", "");
    session.write("empty/keep", "");
    session.write("broken/events.jsonl", "{\"a\":1}\n");
    session.write(
        "newer/events.jsonl",
        "{\"schema\":\"9.0\",\"seq\":1,\"time\":\"2026-11-21T02:10:00Z\",\"kind\":\"x\",\"data\":{}}\n",
    );
    for (place, message) in [
        ("nowhere", "`nowhere` does not exist"),
        ("a-file", "`a-file` is a file, not the directory of a run"),
        ("empty", "`empty` is not the directory of a run"),
        ("broken", "line 1 is not a record"),
        ("newer", "schema version 9.0"),
    ] {
        let ended = session.zk2(&["report", place]);
        assert_eq!(ended.code, Some(2), "{place}: {ended:?}");
        assert!(ended.stderr.contains(message), "{place}: {ended:?}");
        assert!(!session.path().join(place).join("report.txt").exists());
    }
    let ended = session.zk2(&["report"]);
    assert_eq!(
        ended.code,
        Some(2),
        "there is no output directory: {ended:?}"
    );
}

#[test]
fn p2_a_run_that_was_killed_before_its_first_record_has_a_report_too() {
    let session = Session::new();
    session.write("begun/events.jsonl", "");
    let ended = session.zk2(&["report", "begun"]);
    assert_eq!(ended.code, Some(5), "{ended:?}");
    assert!(session.path().join("begun/report.txt").exists());
}

#[test]
fn k2_f10_f7_a_report_that_cannot_be_written_hinders_no_other_and_is_exit_6() {
    let session = Session::new();
    session.script("suite/passes", "exit 0");
    assert_eq!(session.zk2(&["run", "suite"]).code, Some(0));
    fs::remove_file(session.latest().join("report.txt")).unwrap();
    let file = "suite/passes/junit.xml";
    let line = [
        "report",
        "--reports-junit",
        "true",
        "--reports-junit-file",
        file,
    ];
    let ended = session.zk2(&line);
    assert_eq!(ended.code, Some(6), "{ended:?}");
    assert!(ended.stdout.contains("missing  junit"), "{ended:?}");
    assert!(session.latest().join("report.txt").exists());
}

#[test]
fn every_report_is_written_by_the_run_and_by_report_alike() {
    const FILES: [&str; 8] = [
        "junit.xml",
        "testng-results.xml",
        "results.tap",
        "report.json",
        "ctrf.json",
        "summary.md",
        "report.txt",
        "report.html",
    ];
    let session = Session::new();
    session.script("suite/fails", "echo no; exit 3");
    session.script("suite/passes", "exit 0");
    let mut line = vec!["run", "suite"];
    for name in [
        "junit", "testng", "tap", "json", "ctrf", "markdown", "github",
    ] {
        line.extend([&*format!("--reports-{name}").leak(), "true"]);
    }
    let ended = session.zk2(&line);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("\n::error file="), "{ended:?}");
    let read = |name: &str| fs::read_to_string(session.latest().join(name)).unwrap();
    let written = FILES.map(read);
    for name in FILES {
        fs::remove_file(session.latest().join(name)).unwrap();
    }
    line.splice(0..2, ["report", "output/latest"]);
    assert_eq!(session.zk2(&line).code, Some(1));
    // The page has another number each time, which nobody can guess.
    let same = |text: &str| {
        text.lines()
            .filter(|line| !line.contains("nonce"))
            .collect::<Vec<_>>()
            .join("\n")
    };
    for (name, before) in FILES.iter().zip(written) {
        assert_eq!(same(&read(name)), same(&before), "{name}");
    }
}

#[test]
fn one_report_may_have_standard_output_for_itself() {
    let session = Session::new();
    session.script("suite/passes", "exit 0");
    let line = [
        "run",
        "suite",
        "--reports-json",
        "true",
        "--reports-json-file",
        "-",
    ];
    let ended = session.zk2(&line);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let document: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(document["cases"][0]["verdict"], "passed");
    assert!(ended.stderr.contains("1 passed"), "{ended:?}");
    assert!(!session.path().join("-").exists());

    let more = [
        &line[..],
        &["--reports-tap", "true", "--reports-tap-file", "-"],
    ]
    .concat();
    let ended = session.zk2(&more);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(
        ended.stderr.contains("standard output takes one report"),
        "{ended:?}"
    );
}

#[test]
fn the_summary_of_a_job_is_added_to_what_is_there() {
    let session = Session::new();
    session.script("suite/fails", "exit 3");
    let file = session.write("summary", "before\n");
    let line = [
        "run",
        "suite",
        "--reports-github",
        "true",
        "--reports-github-summary",
        "summary",
    ];
    assert_eq!(session.zk2(&line).code, Some(1));
    let text = fs::read_to_string(file).unwrap();
    assert!(text.starts_with("before\n## ❌ failed\n"), "{text}");
}
