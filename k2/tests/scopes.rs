//! Components in the scopes between a run and a case: when they come and go, who shares them, and what becomes of those that cannot.

use std::collections::{BTreeMap, BTreeSet};

use crate::session::{Ended, Session, example, text, wait};

const BROKEN: &str = "zk2_scopes::broken";

pub(crate) fn scopes(session: &Session, arguments: &[&str]) -> Ended {
    let program = example("zk2-scopes");
    let program = program
        .to_str()
        .expect("invariant: paths of builds are UTF-8");
    wait(session.program(program, arguments).spawn().unwrap())
}

/// What came and went, each with its thread.
fn trace(session: &Session) -> Vec<(String, String)> {
    let trace = std::fs::read_to_string(session.path().join("trace")).unwrap();
    let lines = trace.lines().map(|line| {
        let (what, thread) = line.rsplit_once(' ').unwrap();
        (what.to_owned(), thread.to_owned())
    });
    lines.collect()
}

#[test]
fn f9_components_go_last_made_first_and_with_the_last_case_of_their_scope() {
    let session = Session::new();
    let arguments = ["run", "--tests-tags", "chain", "--parallel-workers", "1"];
    let ended = scopes(&session, &arguments);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let trace = trace(&session);
    let what: Vec<&str> = trace.iter().map(|(what, _)| what.as_str()).collect();
    assert_eq!(
        what,
        [
            "+run",
            "+module",
            "+also-module",
            "+class",
            "+test",
            "+also-test",
            "case first",
            "-also-test",
            "-test",
            "case second",
            "-class",
            "+class",
            "case third",
            "-class",
            "case fourth",
            "-also-module",
            "-module",
            "case fifth",
            "-run",
        ]
    );
}

#[test]
fn f8_cases_that_share_a_component_of_their_module_run_on_one_worker() {
    let session = Session::new();
    let arguments = ["run", "--tests-tags", "many", "--parallel-workers", "4"];
    let ended = scopes(&session, &arguments);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let mut made: BTreeMap<String, i32> = BTreeMap::new();
    for (what, thread) in trace(&session) {
        match what.as_str() {
            "+module" => *made.entry(thread).or_default() += 1,
            // On the thread that it was made on.
            "-module" => *made.entry(thread).or_default() -= 1,
            _ => {}
        }
    }
    // Whatever was made is gone, on every worker.
    assert!(made.values().all(|count| *count == 0), "{made:?}");
    let mut workers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for record in session.finished() {
        let case = text(&record, "case");
        let module = case.split_once("::numbered").unwrap().0.to_owned();
        let worker = record["worker"].to_string();
        workers.entry(module).or_default().insert(worker);
    }
    assert_eq!(workers.len(), 4);
    // A worker that would be idle takes from the others, so more than one per module is possible; without affinity every worker
    // would have had every module.
    let pairs: usize = workers.values().map(BTreeSet::len).sum();
    assert!(pairs < 16, "{workers:?}");
}

#[test]
fn f12_what_cannot_be_taken_down_is_told_and_the_run_goes_on() {
    let session = Session::new();
    let arguments = ["run", "--tests-tags", "teardown", "--parallel-workers", "1"];
    let ended = scopes(&session, &arguments);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let verdicts = session.verdicts();
    let short: Vec<_> = verdicts
        .iter()
        .map(|(case, verdict)| format!("{} {verdict}", case.replace(BROKEN, "")))
        .collect();
    assert_eq!(
        short,
        [
            "(teardown of the run) error",
            " (teardown of the module) error",
            "::Plugs (teardown of the class) error",
            "::Plugs::passes passed",
            "::fails_anyway failed",
            "::fails_as_expected error",
            "::is_spoiled error",
            "::is_spoiled_apart error",
        ]
    );
    let reason = |end: &str| text(&session.finished_case(end), "reason");
    assert!(reason("of the module)").contains("the board does not come loose"));
    assert!(reason("of the class)").contains("the plug does not come loose"));
    assert!(reason("of the run)").contains("the rack does not come loose"));
    assert!(reason("::is_spoiled").contains("the cable does not come loose"));
    assert!(reason("::is_spoiled_apart").contains("the cable does not come loose"));
    assert!(reason("::fails_anyway").contains("sums"));
    assert!(reason("::fails_as_expected").contains("the cable does not come loose"));
    let detail = text(&session.finished_case("::fails_anyway"), "detail");
    assert!(detail.contains("the cable does not come loose"), "{detail}");
    assert!(
        ended.stdout.contains("the board does not come loose"),
        "{ended:?}"
    );
}

#[test]
fn what_cannot_be_set_up_is_an_error_of_each_case_that_needs_it_and_of_no_other() {
    let session = Session::new();
    let arguments = ["run", "--tests-tags", "setup", "--parallel-workers", "1"];
    let ended = scopes(&session, &arguments);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let verdicts = session.verdicts();
    let short: Vec<_> = verdicts
        .iter()
        .map(|(case, verdict)| format!("{} {verdict}", case.replace(BROKEN, "")))
        .collect();
    assert_eq!(
        short,
        [
            "::Laboratory::needs_what_skips skipped",
            "::needs_it_too error",
            "::needs_nothing passed",
            "::needs_what_fails error",
            "::needs_what_panics error",
        ]
    );
    let reason = |end: &str| text(&session.finished_case(end), "reason");
    assert!(reason("needs_what_fails").contains("no board on this desk"));
    assert_eq!(reason("needs_what_skips"), "only in the laboratory");
    assert!(reason("needs_what_panics").contains("fuse blown"));
    // Each case has its own chance.
    let tries = trace(&session)
        .iter()
        .filter(|(what, _)| what == "+absent")
        .count();
    assert_eq!(tries, 2);
}

#[test]
fn a_component_that_a_case_needs_and_nobody_makes_is_the_error_of_that_case_alone() {
    let session = Session::new();
    let arguments = [
        "run",
        "--tests-tags",
        "unequipped",
        "--parallel-workers",
        "1",
    ];
    let ended = scopes(&session, &arguments);
    // Nothing was wrong with the program: one code of all for cases that did not pass.
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let verdicts = session.verdicts();
    let verdicts: Vec<_> = verdicts
        .iter()
        .map(|(case, verdict)| (case.rsplit("::").next().unwrap(), verdict.as_str()))
        .collect();
    assert_eq!(
        verdicts,
        [
            ("logs_in", "error"),
            ("logs_in_apart", "error"),
            ("needs_a_local_shell", "passed"),
            ("needs_nothing", "passed"),
        ]
    );
    for case in ["logs_in", "logs_in_apart"] {
        let finished = session.finished_case(case);
        assert_eq!(
            text(&finished, "reason"),
            format!(
                "no component for `_login: zk2_scopes::unequipped::Login`, asked for by test case `zk2_scopes::unequipped::{case}`"
            )
        );
        let tree = text(&finished, "detail");
        let lines: Vec<&str> = tree.lines().collect();
        let [login, shell, local] = lines[..] else {
            panic!("{tree}")
        };
        assert!(
            login.starts_with("  - `login` (k2/tests/scopes/main.rs:"),
            "{tree}"
        );
        assert!(login.ends_with(" cannot be made:"), "{tree}");
        assert_eq!(
            shell,
            "    no `_shell: zk2_scopes::unequipped::Shell` that can `remote`"
        );
        assert!(local.starts_with("      - `local_shell` ("), "{tree}");
        assert!(
            local.ends_with(" cannot `remote`; it can [local]"),
            "{tree}"
        );
        // Whoever looks at the terminal sees it, too.
        assert!(ended.stdout.contains(local.trim()), "{ended:?}");
    }
}

#[test]
fn a_component_that_a_handler_needs_and_nobody_makes_is_told_before_any_case_runs() {
    let session = Session::new();
    let ended = scopes(&session, &["run", "--tests-tags", "unequipped", "--ride"]);
    assert_eq!(ended.code, Some(7), "{ended:?}");
    for part in [
        "riding",
        "ride",
        "no component for `_unicorn: zk2_scopes::unequipped::Unicorn`",
        "- nothing makes or provides this type",
    ] {
        assert!(ended.stderr.contains(part), "{part} in {ended:?}");
    }
    assert!(!ended.stdout.contains("needs_nothing"), "{ended:?}");
}

#[test]
fn a_component_that_hangs_when_it_is_taken_down_costs_its_time_and_not_the_next_case() {
    let session = Session::new();
    let arguments = [
        "run",
        "--tests-tags",
        "hanging",
        "--parallel-workers",
        "1",
        "--tests-timeout",
        "300ms",
    ];
    let ended = scopes(&session, &arguments);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let verdicts = session.verdicts();
    let short: Vec<_> = verdicts
        .iter()
        .map(|(case, verdict)| format!("{} {verdict}", case.replace("zk2_scopes::", "")))
        .collect();
    assert_eq!(
        short,
        [
            "hanging (teardown of the module) timed-out",
            "hanging::passes passed",
            "later::passes_too passed",
        ]
    );
}
