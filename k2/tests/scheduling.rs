//! Which cases run, in which order, how often, and which at the same time.

use std::collections::BTreeSet;

use crate::linked::linked;
use crate::session::{Ended, Session, text};

/// Names of the executables, in the order in which they began.
fn begun(session: &Session) -> Vec<String> {
    let records = session.records();
    let begun = records
        .iter()
        .filter(|record| text(record, "kind") == "case-started");
    begun.map(|record| text(record, "case")).collect()
}

/// Five cases; `c` fails.
fn five() -> Session {
    let session = Session::new();
    for name in ["a", "b", "c", "d", "e"] {
        let code = i32::from(name == "c");
        session.script(&format!("cases/{name}"), &format!("exit {code}"));
    }
    session
}

fn run(session: &Session, arguments: &[&str]) -> Ended {
    let mut all = vec!["run", "cases", "--parallel-workers", "1"];
    all.extend(arguments);
    session.zk2(&all)
}

fn listed(session: &Session, arguments: &[&str]) -> Vec<String> {
    let mut all = vec!["list", "cases"];
    all.extend(arguments);
    let ended = session.zk2(&all);
    assert!(matches!(ended.code, Some(0 | 4)), "{ended:?}");
    ended.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn a_shuffle_shows_its_seed_and_can_be_repeated() {
    let session = five();
    let ended = run(&session, &["--tests-order", "shuffle"]);
    let first = begun(&session);
    let records = session.records();
    let selected = records
        .iter()
        .find(|record| text(record, "kind") == "cases-selected");
    let seed = selected.unwrap().get("seed").unwrap().to_string();
    assert!(ended.stdout.contains(&format!("seed {seed}")), "{ended:?}");
    run(
        &session,
        &["--tests-order", "shuffle", "--tests-seed", &seed],
    );
    assert_eq!(begun(&session), first);
    let seeds = ["1", "2", "3", "4", "5", "6"];
    let orders: BTreeSet<_> = seeds
        .iter()
        .map(|seed| {
            listed(
                &session,
                &["--tests-order", "shuffle", "--tests-seed", seed],
            )
        })
        .collect();
    assert!(orders.len() > 1, "{orders:?}");
}

#[test]
fn only_what_failed_is_run_again() {
    let session = five();
    assert_eq!(run(&session, &[]).code, Some(1));
    assert_eq!(listed(&session, &["--rerun", "passed"]).len(), 4);
    session.script("cases/c", "exit 0");
    let ended = run(&session, &["--rerun", "failed"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(begun(&session), ["cases::c"]);
    // It passed meanwhile.
    let ended = run(&session, &["--rerun", "failed"]);
    assert_eq!(ended.code, Some(4), "{ended:?}");
    let ended = run(&session, &["--rerun", "failed", "--rerun-from", "nowhere"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("nowhere"), "{ended:?}");
}

#[test]
fn what_took_longest_begins_first() {
    let session = five();
    session.script("cases/d", "sleep 0.3");
    run(&session, &[]);
    let ended = run(&session, &["--tests-order", "longest-first"]);
    assert_eq!(
        begun(&session).first().map(String::as_str),
        Some("cases::d"),
        "{ended:?}"
    );
}

#[test]
fn every_case_is_in_exactly_one_shard() {
    let session = five();
    let mut all = Vec::new();
    for shard in ["1/3", "2/3", "3/3"] {
        let part = listed(&session, &["--tests-shard", shard]);
        assert!((1..=2).contains(&part.len()), "{part:?}");
        all.extend(part);
    }
    all.sort();
    assert_eq!(all, listed(&session, &[]));
}

#[test]
fn parts_of_a_run_take_as_long_as_each_other_by_an_earlier_run() {
    let session = five();
    run(&session, &[]);
    // What each took is said here, not by the load of the machine.
    let log = session.latest().join("events.jsonl");
    let records = std::fs::read_to_string(&log).unwrap();
    let lines = records.lines().map(|line| {
        let mut record: serde_json::Value = serde_json::from_str(line).unwrap();
        let seconds = if record["data"]["case"] == "cases::d" {
            4
        } else {
            1
        };
        if record["kind"] == "case-finished" {
            record["data"]["duration_us"] = (seconds * 1_000_000).into();
        }
        record.to_string() + "\n"
    });
    session.write("earlier/events.jsonl", &lines.collect::<String>());
    let part = |part: &str| {
        let from = ["--tests-shard-from", "earlier", "--tests-shard", part];
        listed(&session, &from)
    };
    let [one, other] = [part("1/2"), part("2/2")];
    assert_eq!(one, ["cases::d"], "{other:?}");
    assert_eq!(
        other,
        ["a", "b", "c", "e"].map(|case| format!("cases::{case}"))
    );
    // Without an earlier run they have as many cases as each other.
    let one = listed(&session, &["--tests-shard", "1/2"]);
    assert_eq!(one.len(), 3, "{one:?}");
}

#[test]
fn rounds_go_on_for_a_time_or_until_a_case_fails() {
    let session = Session::new();
    let body = "echo >> count; sleep 0.05; test $(wc -l < count) -lt 4";
    session.script("cases/fourth", body);
    // The time is over when the first round is.
    let ended = run(&session, &["--tests-repeat-for", "20ms"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(begun(&session).len(), 1);
    let both = ["--tests-repeat-for", "1h", "--tests-repeat-until-failure"];
    let ended = run(&session, &both);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(begun(&session).len(), 3);
}

#[test]
fn repetitions_are_rows_of_their_own() {
    let session = five();
    let ended = run(
        &session,
        &["--tests-repeat", "2", "--tests-include", "cases::a"],
    );
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(
        session.verdicts().into_keys().collect::<Vec<_>>(),
        ["cases::a[repetition=1]", "cases::a[repetition=2]"]
    );
    // Only the name of the repetition differs, so an earlier run knows the case without one.
    assert_eq!(listed(&session, &["--rerun", "passed"]), ["cases::a"]);
}

#[test]
fn rounds_end_with_the_first_failure() {
    let session = Session::new();
    session.script("cases/third", "echo >> count; test $(wc -l < count) -lt 3");
    let ended = run(&session, &["--tests-repeat-until-failure"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(begun(&session).len(), 3);
}

#[test]
fn cases_that_share_a_resource_do_not_run_at_the_same_time() {
    let session = Session::new();
    for name in ["a", "b", "c"] {
        session.script(
            &format!("cases/{name}"),
            "mkdir lock && sleep 0.05 && rmdir lock",
        );
    }
    let ended = session.zk2(&[
        "run",
        "cases",
        "--parallel-workers",
        "3",
        "--tests-resources",
        "cases=lock",
    ]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[test]
fn linked_cases_are_selected_by_tags_and_parameters() {
    let session = Session::new();
    let list = |arguments: &[&str]| {
        let mut all = vec!["list"];
        all.extend(arguments);
        let ended = linked(&session, &all);
        ended.stdout.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(
        list(&["--tests-tags", "good or nosuchtag"]),
        ["zk2_linked_cases::passes"]
    );
    assert!(!list(&["--tests-tags", "not good"]).contains(&"zk2_linked_cases::passes".to_owned()));
    assert_eq!(
        list(&[
            "--tests-parameters",
            "flag=-s",
            "--tests-parameters",
            "count=2"
        ]),
        ["zk2_linked_cases::has_variants[flag=-s,count=2]"]
    );
    assert_eq!(
        list(&[
            "--tests-parameters",
            "count=1",
            "--tests-parameters",
            "count=2"
        ])
        .len(),
        4
    );
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let session = five();
    let ended = run(
        &session,
        &[
            "--tests-tags",
            "a and",
            "--tests-shard",
            "3/2",
            "--tests-parameters",
            "x",
            "--tests-resources",
            "x",
            "--resources-available",
            "x=0",
            "--tests-repeat",
            "0",
            "--tests-seed",
            "1",
            "--tests-shard-from",
            ".",
        ],
    );
    assert_eq!(ended.code, Some(2), "{ended:?}");
    for part in [
        "`a and`: a tag is missing at `the end`",
        "`3/2` is no part of a run",
        "`x` is not of the form NAME=VALUE",
        "`x` is not of the form PATTERN=NAME",
        "`x=0` is not of the form NAME=NUMBER",
        "cannot be run 0 times",
        "`tests.seed` has a meaning only with `--tests-order shuffle`",
    ] {
        assert_eq!(
            ended.stderr.matches(part).count(),
            1,
            "{part}: {}",
            ended.stderr
        );
    }
}

#[test]
fn a_run_ends_after_so_many_failures() {
    let session = Session::new();
    for name in ["a", "b", "c", "d"] {
        session.script(&format!("cases/{name}"), "exit 1");
    }
    let ended = run(&session, &["--fail-fast", "2"]);
    // Cases without a verdict weigh more than cases that failed.
    assert_eq!(ended.code, Some(5), "{ended:?}");
    let verdicts = session.verdicts();
    let of = |verdict: &str| verdicts.values().filter(|&own| own == verdict).count();
    assert_eq!((of("failed"), of("not-run")), (2, 2), "{ended:?}");
    assert!(
        ended
            .stdout
            .contains("2 cases have failed, cases::b the last"),
        "{ended:?}"
    );
}
