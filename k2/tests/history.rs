//! The history of runs, as a user sees it: the file, `results`, `rerun`.

use std::fs;
use std::path::PathBuf;

use rustix::fs::{FlockOperation, flock};
use serde_json::Value;

use crate::session::{Ended, Session, text, wait};

/// Three cases, of which one fails unless there is a file `ok`.
fn three() -> Session {
    let session = Session::new();
    session.script("suite/always", "exit 0");
    session.script("suite/mostly", "test -f ok");
    session.script("suite/skipped", "exit 77");
    session
}

fn ok(session: &Session, is_ok: bool) {
    let file = session.path().join("ok");
    if is_ok {
        fs::write(file, "").unwrap();
    } else {
        drop(fs::remove_file(file));
    }
}

/// Runs the suite with the case good or bad.
fn run(session: &Session, is_ok: bool) -> Ended {
    ok(session, is_ok);
    let ended = session.zk2(&["run", "suite"]);
    assert_eq!(ended.code, Some(i32::from(!is_ok)), "{ended:?}");
    assert_eq!(ended.stderr, "");
    ended
}

fn history(session: &Session) -> PathBuf {
    session.path().join("output/history.sqlite")
}

fn json(session: &Session, arguments: &[&str]) -> Value {
    let ended = session.zk2(&[&["results"], arguments, &["--format", "json"]].concat());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let document: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(document["schema"], "1.0");
    document
}

fn runs(session: &Session) -> Vec<Value> {
    json(session, &["list", "--limit", "0"])["runs"]
        .as_array()
        .unwrap()
        .clone()
}

/// Ids of the runs, newest first.
fn ids(session: &Session) -> Vec<String> {
    runs(session).iter().map(|run| text(run, "run")).collect()
}

fn shown(session: &Session, arguments: &[&str]) -> String {
    let ended = session.zk2(&[&["results"], arguments].concat());
    assert_eq!(
        (ended.code, ended.stderr.as_str()),
        (Some(0), ""),
        "{ended:?}"
    );
    ended.stdout
}

fn refused(session: &Session, arguments: &[&str]) -> String {
    let ended = session.zk2(arguments);
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (Some(2), ""),
        "{ended:?}"
    );
    ended.stderr
}

#[test]
fn runs_are_listed_newest_first_with_what_became_of_them() {
    let session = three();
    for is_ok in [true, false] {
        run(&session, is_ok);
    }
    let listed = runs(&session);
    assert_eq!(listed.len(), 2);
    assert!(text(&listed[0], "run") > text(&listed[1], "run"));
    assert_eq!(listed[0]["cases"]["failed"], 1);
    assert_eq!(listed[0]["exit"], 1);
    assert_eq!(listed[1]["cases"]["passed"], 2);
    assert_eq!(listed[1]["cases"]["skipped"], 1);
    assert_eq!(text(&listed[1], "ending"), "completed");
    let table = shown(&session, &["list", "--limit", "1"]);
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("RUN  "), "{table}");
    assert!(lines[1].starts_with(&text(&listed[0], "run")), "{table}");
    assert!(lines[1].contains(" run suite"), "{table}");
    assert_eq!(lines[2..], ["and 1 more: --limit 0 shows all"]);
}

#[test]
fn a_run_is_shown_by_its_id_a_part_of_it_latest_or_how_far_back_it_is() {
    let session = three();
    run(&session, true);
    run(&session, false);
    let ids = ids(&session);
    let of = |word: &str| text(&json(&session, &["show", word])["run"], "run");
    assert_eq!(of("latest"), ids[0]);
    assert_eq!(of("-0"), ids[0]);
    assert_eq!(of("-1"), ids[1]);
    assert_eq!(of(&ids[1]), ids[1]);
    assert_eq!(of(&ids[1][ids[1].len() - 4..]), ids[1]);
    let page = shown(&session, &["show"]);
    assert!(
        page.contains("suite::mostly") && page.contains("exit code 1"),
        "{page}"
    );
    assert!(!page.contains("suite::always"), "{page}");
    assert!(shown(&session, &["show", "--all"]).contains("suite::always"));

    let stderr = refused(&session, &["results", "show", "latset"]);
    assert!(stderr.contains("did you mean `latest`?"), "{stderr}");
    let stderr = refused(&session, &["results", "show", "-7"]);
    assert!(stderr.contains("the history has 2"), "{stderr}");
    // All ids of a day begin alike.
    let stderr = refused(&session, &["results", "show", "0"]);
    assert!(
        stderr.contains(&ids[0]) && stderr.contains(&ids[1]),
        "{stderr}"
    );
}

#[test]
fn what_changed_between_two_runs_is_named() {
    let session = three();
    run(&session, true);
    session.script("suite/new", "exit 0");
    fs::remove_file(session.path().join("suite/skipped")).unwrap();
    run(&session, false);
    let document = json(&session, &["diff"]);
    let changes: Vec<(String, String)> = document["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| (text(change, "change"), text(change, "case")))
        .collect();
    let expected = [
        ("broken", "suite::mostly"),
        ("added", "suite::new"),
        ("removed", "suite::skipped"),
    ];
    let expected = expected.map(|(a, b)| (a.to_owned(), b.to_owned()));
    assert_eq!(changes, expected);
    let back = shown(&session, &["diff", "latest", "-1"]);
    assert!(
        back.contains("fixed    failed  passed   suite::mostly"),
        "{back}"
    );
    let same = shown(&session, &["diff", "latest"]);
    assert!(
        same.contains("still broken  failed  failed  suite::mostly"),
        "{same}"
    );
    assert!(shown(&session, &["diff", "-1", "-1"]).ends_with("no change\n"));
    assert!(refused(&session, &["results", "diff", "a", "b", "c"]).contains("not 3"));
}

#[test]
fn a_case_is_followed_through_the_runs_and_flaky_ones_are_found() {
    let session = three();
    for is_ok in [true, false, true] {
        run(&session, is_ok);
    }
    let document = json(&session, &["trend", "suite::mostly"]);
    let verdicts: Vec<String> = document["executions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|execution| text(execution, "verdict"))
        .collect();
    assert_eq!(verdicts, ["passed", "failed", "passed"]);
    // A part will do, if it is one case's; what is near is named.
    assert!(shown(&session, &["trend", "mostl"]).contains("exit code 1"));
    let last = json(&session, &["trend", "mostly", "--last", "1"]);
    assert_eq!(last["executions"].as_array().unwrap().len(), 1);
    let stderr = refused(&session, &["results", "trend", "mostyl"]);
    assert!(stderr.contains("did you mean `mostly`?"), "{stderr}");
    let stderr = refused(&session, &["results", "trend", "suite"]);
    assert!(
        stderr.contains("`suite::always`, `suite::mostly`"),
        "{stderr}"
    );

    let flaky = json(&session, &["flaky"]);
    let cases = flaky["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 1, "{flaky}");
    assert_eq!(text(&cases[0], "case"), "suite::mostly");
    assert_eq!(
        (&cases[0]["changes"], &cases[0]["failed"]),
        (&2.into(), &1.into())
    );
    let none = shown(&session, &["flaky", "--last", "2"]);
    assert_eq!(none, "no flaky case in the last 2 runs\n");
}

#[test]
fn the_slowest_cases_come_first() {
    let session = three();
    session.script("suite/slow", "sleep 0.2");
    run(&session, true);
    let document = json(&session, &["slowest", "--limit", "2"]);
    let cases = document["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 2);
    assert_eq!(text(&cases[0], "case"), "suite::slow");
    assert!(cases[0]["median_us"].as_u64() >= Some(200_000));
    let table = shown(&session, &["slowest", "--limit", "2"]);
    assert!(table.contains("suite::slow"), "{table}");
    assert!(
        table.ends_with("and 2 more: --limit 0 shows all\n"),
        "{table}"
    );
}

#[test]
fn without_a_history_nothing_is_listed_and_nothing_is_made() {
    let session = Session::new();
    for command in ["list", "flaky", "slowest"] {
        let ended = session.zk2(&["results", command]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(
            ended
                .stderr
                .contains("no run is recorded in output/history.sqlite")
        );
    }
    assert!(refused(&session, &["results", "show"]).contains("no run is recorded"));
    assert!(refused(&session, &["results", "diff"]).contains("no run is recorded"));
    assert!(refused(&session, &["rerun"]).contains("no run is recorded"));
    let stderr = refused(&session, &["results"]);
    assert!(
        stderr.contains("`zk2 results --help` says what each does"),
        "{stderr}"
    );
    let help = session.zk2(&["results", "--help"]);
    assert!(
        help.stdout.contains("Lists the cases that take longest"),
        "{help:?}"
    );
    session.zk2(&["noop"]);
    assert!(!session.path().join("output").exists());
}

#[test]
fn the_history_can_be_switched_off() {
    let session = three();
    ok(&session, true);
    assert_eq!(session.zk2(&["run", "suite", "--no-history"]).code, Some(0));
    let mut command = session.command(&["run", "suite"]);
    assert_eq!(
        wait(command.env("K2_HISTORY", "false").spawn().unwrap()).code,
        Some(0)
    );
    session.write("k2.yaml", "history: false\n");
    assert_eq!(session.zk2(&["run", "suite"]).code, Some(0));
    assert!(!history(&session).exists());
    // And on again by whoever has the last word; the number of runs that are kept is an option beside it.
    for _ in 0..3 {
        let ended = session.zk2(&["run", "suite", "--history", "--history-keep", "2"]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
    }
    assert_eq!(ids(&session).len(), 2);
}

#[test]
fn f4_runs_at_the_same_time_are_all_in_the_history() {
    let session = three();
    ok(&session, true);
    let children: Vec<_> = (0..6)
        .map(|_| session.command(&["run", "suite"]).spawn().unwrap())
        .collect();
    for child in children {
        let ended = wait(child);
        assert_eq!(
            (ended.code, ended.stderr.as_str()),
            (Some(0), ""),
            "{ended:?}"
        );
    }
    assert_eq!(ids(&session).len(), 6);
    let left: Vec<_> = fs::read_dir(session.path().join("output"))
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name().into_string().unwrap())
        .filter(|name| name.starts_with("history"))
        .collect();
    assert_eq!(left, ["history.sqlite"]);
}

#[test]
fn f5_a_damaged_history_is_put_aside_once_and_changes_no_verdict() {
    let session = three();
    run(&session, true);
    session.write("output/history.sqlite", &"garbage ".repeat(1000));
    let stderr = refused(&session, &["results", "list"]);
    assert!(stderr.contains("is damaged"), "{stderr}");
    assert!(stderr.contains("`results import`"), "{stderr}");
    let ended = session.zk2(&["run", "suite"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.stderr.matches("warning").count(), 1, "{ended:?}");
    assert!(
        ended.stderr.contains("history.sqlite.damaged-"),
        "{ended:?}"
    );
    assert_eq!(ids(&session).len(), 1);
    let ended = run(&session, true);
    assert_eq!(ended.stderr, "");
    let imported = shown(&session, &["import"]);
    assert_eq!(imported, "1 imported, 2 known already, 0 failed\n");
    assert_eq!(ids(&session).len(), 3);
}

#[test]
fn whatever_stands_in_the_place_of_the_history_changes_no_verdict() {
    let session = three();
    ok(&session, false);
    fs::create_dir_all(history(&session)).unwrap();
    let ended = session.zk2(&["run", "suite"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(ended.stderr.matches("warning").count(), 1, "{ended:?}");
    assert!(
        ended
            .stderr
            .contains("output/history.sqlite` is not a file"),
        "{ended:?}"
    );

    fs::remove_dir(history(&session)).unwrap();
    std::os::unix::fs::symlink("/dev/full", history(&session)).unwrap();
    let ended = session.zk2(&["run", "suite"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("is not a file"), "{ended:?}");
    assert!(refused(&session, &["results", "list"]).contains("is not a file"));
}

#[test]
fn d13_a_limit_on_the_size_of_files_costs_the_history_not_the_verdict() {
    let session = three();
    run(&session, true);
    // The log of such a run is smaller than that, the history is larger already.
    let script = format!(
        "ulimit -f 16; exec {} run suite --no-reports-html",
        env!("CARGO_BIN_EXE_zk2")
    );
    let ended = wait(session.program("sh", &["-c", &script]).spawn().unwrap());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let told = ended.stderr.matches("the run is not in the history");
    assert_eq!(told.count(), 1, "{ended:?}");
    assert_eq!(ids(&session).len(), 1);
    run(&session, true);
    assert_eq!(ids(&session).len(), 2);
}

#[test]
fn f6_runs_that_were_killed_or_ran_elsewhere_are_imported_once() {
    let session = three();
    run(&session, true);
    session.script("killed/a", "exit 0");
    session.script("killed/b", "kill -9 $PPID");
    let ended = session.zk2(&["run", "killed", "--parallel-workers", "1", "--no-guard"]);
    assert_eq!(ended.signal, Some(9), "{ended:?}");
    assert_eq!(ids(&session).len(), 1);

    let elsewhere = session.path().join("elsewhere");
    let import = |from: &str| {
        shown(
            &session,
            &["import", from, "--output-dir", elsewhere.to_str().unwrap()],
        )
    };
    assert_eq!(
        import("output/latest"),
        "1 imported, 0 known already, 0 failed\n"
    );
    assert_eq!(import("output"), "1 imported, 1 known already, 0 failed\n");
    assert_eq!(import("output"), "0 imported, 2 known already, 0 failed\n");
    let listed = json(&session, &["list", "--output-dir", "elsewhere"]);
    assert_eq!(text(&listed["runs"][0], "ending"), "killed");
    assert_eq!(listed["runs"][0]["cases"]["not-run"], 1);

    session.write("broken/events.jsonl", "not a record\n");
    let ended = session.zk2(&["results", "import", "broken"]);
    assert_eq!(ended.code, Some(6), "{ended:?}");
    assert!(ended.stderr.contains("line 1 is not a record"), "{ended:?}");
    assert!(
        refused(&session, &["results", "import", "suite"]).contains("there is no run in `suite`")
    );
    assert!(refused(&session, &["results", "import", "nowhere"]).contains("cannot read `nowhere`"));
}

#[test]
fn a_run_that_was_put_together_counts_once() {
    let session = Session::new();
    session.script("suite/a", "exit 0");
    let run = |output: &str| session.zk2(&["run", "suite", "--output-dir", output]).code;
    assert_eq!((run("one"), run("two")), (Some(0), Some(0)));
    let whole = session.zk2(&["report", "one", "two", "--output-dir", "whole"]);
    assert_eq!(whole.code, Some(0), "{whole:?}");
    let import = |output: &str, place: &str| {
        let line = ["results", "import", place, "--output-dir", output];
        let ended = session.zk2(&line);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended
    };
    // Its parts are known: in one history both, in the other one of them.
    for (place, parts) in [
        ("one", "1 run of these are"),
        ("both", "2 runs of these are"),
    ] {
        if place == "both" {
            import("both", "one/latest");
            import("both", "two/latest");
        }
        let ended = import(place, "whole/latest");
        assert!(ended.stdout.starts_with("0 imported, 1 known"), "{ended:?}");
        assert!(
            ended.stderr.contains("left out, it is put together"),
            "{ended:?}"
        );
        assert!(ended.stderr.contains(parts), "{ended:?}");
    }
    // And the other way round.
    let ended = import("new", "whole/latest");
    assert!(ended.stdout.starts_with("1 imported"), "{ended:?}");
    let ended = import("new", "one/latest");
    assert!(ended.stdout.starts_with("0 imported, 1 known"), "{ended:?}");
    assert!(ended.stderr.contains("a part of a run"), "{ended:?}");
    let again = import("new", "whole/latest");
    assert!(again.stdout.starts_with("0 imported, 1 known"), "{again:?}");
}

#[test]
fn a_run_that_goes_on_is_not_imported() {
    let session = three();
    run(&session, true);
    fs::remove_file(history(&session)).unwrap();
    let lock = fs::File::open(session.latest().join("run.lock")).unwrap();
    flock(&lock, FlockOperation::NonBlockingLockExclusive).unwrap();
    let ended = session.zk2(&["results", "import"]);
    assert_eq!(ended.stdout, "0 imported, 0 known already, 0 failed\n");
    assert!(
        ended.stderr.contains("left out, the run goes on"),
        "{ended:?}"
    );
}

#[test]
fn e11_hostile_names_do_nothing_to_the_terminal() {
    let session = Session::new();
    session.script("suite/\u{1b}]0;x\u{7}\u{202e}", "sleep 0; exit 1");
    assert_eq!(session.zk2(&["run", "suite"]).code, Some(1));
    session.zk2(&["run", "suite", "--tests-exclude", "\u{1b}]0;y"]);
    for arguments in [
        &["list"][..],
        &["show"],
        &["diff"],
        &["trend", "suite"],
        &["slowest"],
    ] {
        let text = shown(&session, arguments);
        assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{text:?}");
    }
    assert!(shown(&session, &["trend", "suite"]).contains("\\u{1b}]0;x\\u{7}\\u{202e}"));
    assert!(!refused(&session, &["results", "trend", "\u{1b}[2J"]).contains("\u{1b}[2J"));
}

#[test]
fn a_run_is_started_again_whole_or_only_what_failed() {
    let session = three();
    ok(&session, false);
    let options = ["run", "suite", "--tests-exclude", "suite::skipped"];
    assert_eq!(session.zk2(&options).code, Some(1));
    // From another directory, and with the file that was missing.
    ok(&session, true);
    fs::create_dir(session.path().join("below")).unwrap();
    let rerun = |arguments: &[&str]| {
        let mut command = session.command(&[&["rerun"], arguments].concat());
        command.current_dir(session.path().join("below"));
        wait(command.args(["--output-dir", "../output"]).spawn().unwrap())
    };
    let ended = rerun(&["--failed"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(
        session.verdicts().into_keys().collect::<Vec<_>>(),
        ["suite::mostly"]
    );
    // Of the run before, all of it.
    assert_eq!(rerun(&["-1"]).code, Some(0));
    assert_eq!(session.verdicts().len(), 2);
    // And of the one that was cut down, what it had.
    assert_eq!(rerun(&["-1"]).code, Some(0));
    assert_eq!(
        session.verdicts().into_keys().collect::<Vec<_>>(),
        ["suite::mostly"]
    );
    assert_eq!(ids(&session).len(), 4);
    // Nothing failed in the last one.
    assert_eq!(rerun(&["--failed"]).code, Some(4));
    let log = session.latest().join("events.jsonl");
    let gone = fs::canonicalize(log).unwrap();
    fs::remove_file(gone).unwrap();
    let ended = rerun(&["--failed"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("the event log of run"), "{ended:?}");
}

#[test]
fn the_html_report_shows_earlier_runs() {
    let session = three();
    run(&session, false);
    run(&session, true);
    let first = &ids(&session)[1];
    let page = fs::read_to_string(session.latest().join("report.html")).unwrap();
    assert!(page.contains(first.as_str()));
}

#[test]
fn what_became_of_an_expectation_can_be_asked_for() {
    let session = Session::new();
    session.script("suite/broken.sh", "exit 1");
    session.script("suite/good.sh", "exit 0");
    session.write(
        "known.toml",
        "[[expected_failure]]\ncase = \"suite::broken.sh\"\nreason = \"the door\"\n",
    );
    let ended = session.zk2(&["run", "suite", "--tests-expected-failures=known.toml"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let shown = session.zk2(&["results", "show", "--outcome", "expected-failure"]);
    assert_eq!(shown.code, Some(0), "{shown:?}");
    assert!(
        shown.stdout.contains("expected-failure"),
        "{}",
        shown.stdout
    );
    assert!(
        shown.stdout.contains("suite::broken.sh"),
        "{}",
        shown.stdout
    );
    assert!(
        shown.stdout.contains("expected to fail: the door"),
        "{}",
        shown.stdout
    );
    let shown = session.zk2(&["results", "show", "--outcome", "skipped"]);
    assert!(!shown.stdout.contains("broken.sh"), "{}", shown.stdout);
    let trend = session.zk2(&["results", "trend", "broken.sh", "--format", "json"]);
    assert!(
        trend.stdout.contains("\"outcome\": \"expected-failure\"")
            || trend.stdout.contains("\"outcome\":\"expected-failure\""),
        "{}",
        trend.stdout
    );
}
