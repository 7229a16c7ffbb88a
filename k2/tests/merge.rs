//! `report` of several runs: parts of one on several machines, and attempts at the same cases.

use std::fs;

use serde_json::Value;

use crate::session::{Session, text};

/// Cases of which one fails as long as there is a file `bad`, and writes much.
fn suite() -> Session {
    let session = Session::new();
    for name in ["a", "b", "c", "d"] {
        session.script(&format!("suite/{name}"), "exit 0");
    }
    let flood = "i=0; while [ $i -lt 4000 ]; do echo 0123456789012345678901234567890123456789; i=$((i+1)); done";
    session.script("suite/e", &format!("{flood}\ntest ! -e bad || exit 7"));
    session
}

/// Runs with these options in an output directory of this name.
fn run(session: &Session, output: &str, options: &[&str]) -> Option<i32> {
    let line = ["run", "suite", "--output-dir", output];
    session.zk2(&[&line[..], options].concat()).code
}

fn json(session: &Session) -> Value {
    let path = session.latest().join("report.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Id, verdict and whether it is a conflict, of all cases; sorted.
fn told(report: &Value) -> Vec<(String, String, bool)> {
    let cases = report["cases"].as_array().unwrap().iter();
    let mut told: Vec<_> = cases
        .map(|case| {
            let is_conflict = case["conflict"].as_bool().unwrap_or_default();
            (text(case, "id"), text(case, "verdict"), is_conflict)
        })
        .collect();
    told.sort();
    told
}

const JSON: [&str; 2] = ["--reports-json", "--reports-junit"];

#[test]
fn f18_parts_of_a_run_become_one_run_with_every_case_once() {
    let session = suite();
    for (output, shard) in [("one", "1/2"), ("two", "2/2")] {
        assert_eq!(run(&session, output, &["--tests-shard", shard]), Some(0));
    }
    let line = [&["report", "one/latest", "two"][..], &JSON].concat();
    let ended = session.zk2(&line);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.contains("5 passed"), "{ended:?}");
    let report = json(&session);
    let ids: Vec<String> = told(&report).into_iter().map(|(id, ..)| id).collect();
    assert_eq!(
        ids,
        ["a", "b", "c", "d", "e"].map(|name| format!("suite::{name}"))
    );
    assert_eq!(
        report["summary"]["filtered_out"], 0,
        "what one part left out is in the other"
    );
    assert_eq!(report["summary"]["end"]["how"], "completed");
    // The outputs came along, and every report is as of any other run.
    let flood = report["cases"]
        .as_array()
        .unwrap()
        .iter()
        .find(|case| case["id"] == "suite::e");
    let file = text(&flood.unwrap()["stdout"], "file");
    let found = session.path().join(&file);
    assert_eq!(fs::metadata(&found).unwrap().len(), 4000 * 41, "{file}");
    for name in ["one", "two"] {
        fs::remove_dir_all(session.path().join(name)).unwrap();
    }
    let again = session.zk2(&["report"]);
    assert_eq!(again.code, Some(0), "{again:?}");
    assert!(session.latest().join("report.html").exists());
    assert!(session.latest().join("junit.xml").exists());
}

#[test]
fn f18_the_order_of_runs_and_what_was_put_together_before_make_no_difference() {
    let session = suite();
    for (output, shard) in [("one", "1/3"), ("two", "2/3"), ("three", "3/3")] {
        run(&session, output, &["--tests-shard", shard]);
    }
    let merged = |places: &[&str], output: &str| {
        let line = [&["report", "--output-dir", output][..], places, &JSON].concat();
        let ended = session.zk2(&line);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        let log =
            fs::read_to_string(session.path().join(output).join("latest/events.jsonl")).unwrap();
        let id = fs::canonicalize(session.path().join(output).join("latest")).unwrap();
        let id = id.file_name().unwrap().to_str().unwrap();
        // All but the name of the run itself, and when each record was written.
        let data = log.lines().map(|line| {
            let record: Value = serde_json::from_str(line).unwrap();
            record["data"]
                .to_string()
                .replace(&format!("{output}/{id}"), "RUN")
                .replace(id, "ID")
        });
        data.collect::<Vec<_>>()
    };
    let all = merged(&["one", "two", "three"], "all");
    assert_eq!(merged(&["three", "one", "two", "one"], "turned"), all);
    merged(&["one", "two"], "some");
    assert_eq!(merged(&["some", "three"], "then"), all);
    assert_eq!(merged(&["all", "two"], "more"), all);
}

#[test]
fn f18_attempts_that_differ_are_a_conflict_of_which_the_worst_counts_and_all_are_shown() {
    let session = suite();
    session.write("bad", "");
    assert_eq!(run(&session, "one", &[]), Some(1));
    fs::remove_file(session.path().join("bad")).unwrap();
    assert_eq!(
        run(
            &session,
            "two",
            &["--rerun", "failed", "--rerun-from", "one/latest"]
        ),
        Some(0)
    );
    let ended = session.zk2(&[&["report", "two", "one"][..], &JSON].concat());
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.stdout.contains("4 passed · 1 failed · 1 conflict"),
        "{ended:?}"
    );
    assert!(ended.stdout.contains("other   passed in run "), "{ended:?}");
    assert!(
        ended
            .stderr
            .contains("1 case of which the runs say different things"),
        "{ended:?}"
    );
    let report = json(&session);
    assert_eq!(
        told(&report).last(),
        Some(&("suite::e".to_owned(), "failed".to_owned(), true))
    );
    let html = fs::read_to_string(session.latest().join("report.html")).unwrap();
    assert!(
        html.contains("\"q\":true"),
        "the page knows of the conflict"
    );
}

#[test]
fn f18_what_a_killed_run_left_is_done_by_another_and_what_is_no_run_is_refused() {
    let session = suite();
    session.script(
        "suite/c",
        "test -e again && exit 0; kill -9 $PPID; exec sleep 300",
    );
    assert_ne!(
        run(&session, "one", &["--no-guard", "--parallel-workers", "1"]),
        Some(0)
    );
    session.write("again", "");
    assert_eq!(
        run(
            &session,
            "two",
            &["--rerun", "unfinished", "--rerun-from", "one/latest"]
        ),
        Some(0)
    );
    let ended = session.zk2(&["report", "one", "two"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.contains("5 passed"), "{ended:?}");

    session.write("elsewhere/readme", "");
    let before = fs::read_dir(session.path().join("output")).unwrap().count();
    let ended = session.zk2(&["report", "one", "elsewhere"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("`elsewhere`"), "{ended:?}");
    let after = fs::read_dir(session.path().join("output")).unwrap().count();
    assert_eq!(before, after, "nothing is made of what cannot be used");
}
