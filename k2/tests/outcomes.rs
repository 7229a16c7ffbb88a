//! What is between passed and failed: known faults, checks that go on, attachments, and time limits of parts and of the whole.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::Value;

use crate::linked::linked;
use crate::session::{Ended, Session, text, wait};

const CASES: &str = "zk2_linked_cases::outcomes";

fn run(session: &Session, cases: &[&str], options: &[&str]) -> Ended {
    let mut arguments = vec!["run".to_owned(), "--tests-grace=100ms".to_owned()];
    for case in cases {
        arguments.push(format!("--tests-include={CASES}::{case}"));
    }
    arguments.extend(options.iter().map(|&option| option.to_owned()));
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    linked(session, &arguments)
}

fn expected<'a>(record: &'a Value, key: &str) -> &'a str {
    let expected = record.get("expected_failure");
    let value = expected.and_then(|expected| expected.get(key));
    value.and_then(Value::as_str).unwrap_or_default()
}

fn attachments(record: &Value) -> Vec<(String, String)> {
    let list = record.get("attachments").and_then(Value::as_array);
    let name = |one: &Value| (text(one, "name"), text(one, "media_type"));
    list.into_iter().flatten().map(name).collect()
}

fn steps(record: &Value) -> Vec<(String, String)> {
    let list = record.get("steps").and_then(Value::as_array);
    let step = |one: &Value| (text(one, "name"), text(one, "detail"));
    list.into_iter().flatten().map(step).collect()
}

#[test]
fn a_failure_that_is_expected_is_none_and_one_that_is_not_counts() {
    let session = Session::new();
    let known = [
        "fails_as_expected",
        "fails_as_said_while_it_ran",
        "known_and_skipped",
        "known_and_slow",
    ];
    let ended = run(&session, &known, &["--tests-retries=2"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let record = session.finished_case("::fails_as_expected");
    assert_eq!(text(&record, "verdict"), "skipped");
    assert_eq!(
        text(&record, "reason"),
        "expected to fail: the board drops every second frame"
    );
    assert!(text(&record, "detail").starts_with("failed: frame 2 is missing\npanicked at "));
    assert_eq!(expected(&record, "ended"), "failed");
    assert_eq!(expected(&record, "by"), "code");
    let record = session.finished_case("while_it_ran");
    assert_eq!(expected(&record, "by"), "run time");
    let record = session.finished_case("known_and_slow");
    assert_eq!(expected(&record, "ended"), "timed-out");
    let record = session.finished_case("known_and_skipped");
    assert_eq!(record.get("expected_failure"), None);
    // Nothing was tried again.
    assert_eq!(session.finished().len(), 4);
    assert!(
        ended.stdout.contains("4 skipped (3 expected to fail)"),
        "{}",
        ended.stdout
    );
}

#[test]
fn a_pass_that_is_not_expected_fails_unless_it_is_only_told() {
    let session = Session::new();
    let ended = run(&session, &["passes_unexpectedly"], &["--tests-retries=2"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let record = session.finished_case("passes_unexpectedly");
    assert_eq!(text(&record, "verdict"), "failed");
    let reason = "passed, but was expected to fail: the fan does not start";
    assert_eq!(text(&record, "reason"), reason);
    assert_eq!(session.finished().len(), 1, "it is not tried again");
    assert!(
        ended.stdout.contains("1 unexpected pass"),
        "{}",
        ended.stdout
    );

    let ended = run(
        &session,
        &["passes_unexpectedly"],
        &["--tests-expected-failures-strict=false"],
    );
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let record = session.finished_case("passes_unexpectedly");
    assert_eq!(text(&record, "verdict"), "passed");
    assert_eq!(text(&record, "reason"), reason);
    assert!(ended.stdout.contains("XPASS"), "{}", ended.stdout);
}

#[test]
fn cases_can_be_asked_for_by_what_became_of_the_expectation() {
    let session = Session::new();
    let all = [
        "fails_as_expected",
        "passes_unexpectedly",
        "known_and_skipped",
    ];
    assert_eq!(run(&session, &all, &[]).code, Some(1));
    let first = fs::canonicalize(session.latest()).unwrap();
    let again = |word: &str| {
        let from = format!("--rerun-from={}", first.display());
        run(&session, &all, &["--rerun", word, &from]);
        let verdicts = session.verdicts().into_keys();
        verdicts
            .map(|case| case.rsplit("::").next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(again("expected-failure"), ["fails_as_expected"]);
    assert_eq!(again("unexpected-pass"), ["passes_unexpectedly"]);
    assert_eq!(again("skipped"), ["known_and_skipped"]);
    assert_eq!(again("failed"), ["passes_unexpectedly"]);
}

#[test]
fn a_list_names_what_is_known_to_fail_of_executables_too() {
    let session = Session::new();
    session.script("suite/broken.sh", "exit 1");
    session.script("suite/good.sh", "exit 0");
    session.script("suite/repaired.sh", "exit 0");
    session.write(
        "known.toml",
        "[[expected_failure]]\ncase = \"suite::broken.sh\"\nreason = \"the door\"\n\
         issue = \"https://tracker.example/7\"\n\
         [[expected_failure]]\ncase = \"suite::rep*\"\nreason = \"the window\"\nstrict = false\n\
         [[expected_failure]]\ncase = \"suite::god.sh\"\nreason = \"typo\"\n\
         [[expected_failure]]\ncase = \"suite::good.sh\"\nreason = \"old\"\nexpires = 2020-01-01\n",
    );
    let list = "--tests-expected-failures=known.toml";
    let ended = session.zk2(&["run", "suite", list]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let told = &ended.stderr;
    assert!(
        told.contains(
            "known.toml:9: `suite::god.sh` matches no test case; did you mean `suite::good.sh`?"
        ),
        "{told}"
    );
    assert!(
        told.contains("known.toml:12: `suite::good.sh` has expired on 2020-01-01"),
        "{told}"
    );
    let record = session.finished_case("broken.sh");
    assert_eq!(
        text(&record, "reason"),
        "expected to fail: the door (https://tracker.example/7)"
    );
    assert_eq!(expected(&record, "by"), "known.toml:1");
    assert_eq!(
        text(&session.finished_case("repaired.sh"), "verdict"),
        "passed"
    );
    let plain = session.zk2(&["run", "suite"]);
    assert_eq!(plain.code, Some(1));
}

#[test]
fn a_list_that_is_wrong_is_refused_with_every_line() {
    let session = Session::new();
    session.script("suite/good.sh", "exit 0");
    session.write(
        "a.toml",
        "[[expected_failure]]\ncaes = \"x\"\nreason = \"y\"\n",
    );
    session.write("b.toml", "nonsense\n");
    let ended = session.zk2(&[
        "run",
        "suite",
        "--tests-expected-failures=a.toml",
        "--tests-expected-failures=b.toml",
        "--tests-expected-failures=none.toml",
    ]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    for line in [
        "a.toml:1: an entry needs `case = \"…\"`",
        "a.toml:2: `caes` is no key of an entry; did you mean `case`?",
        "b.toml:1: this is not TOML",
        "none.toml: cannot be opened",
    ] {
        assert!(ended.stderr.contains(line), "{line}: {}", ended.stderr);
    }
}

#[test]
fn checks_that_fail_do_not_end_a_case_and_are_all_told() {
    let session = Session::new();
    let cases = ["checks", "checks_and_panics", "checks_and_hangs"];
    let ended = run(&session, &cases, &[]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let record = session.finished_case("::checks");
    let reason = text(&record, "reason");
    assert!(
        reason.starts_with("2 checks failed, the first: 6 * 7 == 41 ("),
        "{reason}"
    );
    let told = steps(&record);
    assert_eq!(told[0].1, "the answer\nleft:  42\nright: 41");
    assert_eq!(
        told[1],
        ("text.is_empty()".into(), "\"a\\u{1b}[31m<b>\"".into())
    );
    assert_eq!(attachments(&record).len(), 1, "it went on");
    let place = record.pointer("/steps/0/location/file").unwrap();
    assert!(place.as_str().unwrap().ends_with("outcomes.rs"));
    let record = session.finished_case("checks_and_panics");
    assert_eq!(text(&record, "reason"), "and then this");
    assert_eq!(
        steps(&record),
        [("1 > 2".to_owned(), "one is 1".to_owned())]
    );
    let record = session.finished_case("checks_and_hangs");
    assert_eq!(text(&record, "verdict"), "timed-out");
    assert_eq!(steps(&record)[0].0, "2 > 3");
    assert_eq!(attachments(&record)[0].0, "before.txt");
    for shown in ["6 * 7 == 41", "right: 41", "one is 1", "2 > 3"] {
        assert!(ended.stdout.contains(shown), "{shown}: {}", ended.stdout);
    }
}

#[test]
fn each_try_has_its_own_checks_and_attachments() {
    let session = Session::new();
    let ended = run(&session, &["flaky_with_checks"], &["--tests-retries=1"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let tries = session.finished();
    assert_eq!(tries.len(), 2);
    assert_eq!((steps(&tries[0]).len(), steps(&tries[1]).len()), (1, 0));
    let content = |at: usize| {
        let file = tries[at].pointer("/attachments/0/file").unwrap();
        fs::read_to_string(session.latest().join(file.as_str().unwrap())).unwrap()
    };
    assert_eq!(
        (content(0).as_str(), content(1).as_str()),
        ("first: true", "first: false")
    );
}

#[test]
fn what_a_function_attaches_is_in_its_directory_and_in_the_log() {
    let session = Session::new();
    let reports = [
        "--reports-html=true",
        "--reports-junit=true",
        "--reports-ctrf=true",
    ];
    let ended = run(&session, &["attaches", "attaches_and_aborts"], &reports);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let record = session.finished_case("::attaches");
    assert_eq!(text(&record, "reason"), "look at what is attached");
    let names: Vec<_> = attachments(&record);
    let names: Vec<_> = names
        .iter()
        .map(|(name, kind)| (name.as_str(), kind.as_str()))
        .collect();
    assert_eq!(
        names,
        [
            ("screen.png", "image/png"),
            ("../../../escaped.txt", "text/plain"),
            ("log.txt", "text/plain"),
            ("log.txt", "text/plain"),
            ("passwd", "application/octet-stream"),
        ]
    );
    let directory = session.latest();
    for one in record.get("attachments").unwrap().as_array().unwrap() {
        let file = directory.join(text(one, "file"));
        let bytes = one.get("bytes").and_then(Value::as_u64);
        assert_eq!(fs::metadata(&file).unwrap().len(), bytes.unwrap(), "{one}");
        assert_eq!(text(one, "sha256").len(), 64);
    }
    assert!(!session.path().join("escaped.txt").exists());
    // A process that aborts had told all the same.
    let record = session.finished_case("attaches_and_aborts");
    assert_eq!(text(&record, "verdict"), "error");
    assert_eq!(
        attachments(&record),
        [("odd name.bin".to_owned(), "application/x-core".to_owned())]
    );
    assert_eq!(steps(&record)[0].1, "before the end");
    let junit = fs::read_to_string(directory.join("junit.xml")).unwrap();
    assert_eq!(junit.matches("[[ATTACHMENT|").count(), 6, "{junit}");
    let html = fs::read_to_string(directory.join("report.html")).unwrap();
    assert!(html.contains("iVBORw0KGgo"), "the image is in the page");
    let ctrf = fs::read_to_string(directory.join("ctrf.json")).unwrap();
    assert!(ctrf.contains(r#""contentType":"image/png""#), "{ctrf}");
}

#[test]
fn what_an_executable_leaves_in_its_directory_is_attached() {
    let session = Session::new();
    session.script(
        "suite/leaves.sh",
        "test ! -e \"$K2_ATTACHMENTS_DIR\" || exit 3\n\
         mkdir -p \"$K2_ATTACHMENTS_DIR/sub\" && cd \"$K2_ATTACHMENTS_DIR\" || exit 2\n\
         echo text > plain.txt; echo more > sub/more.log; ln -s /etc/passwd link\n\
         printf x > '<img src=x onerror=alert(1)>.html'",
    );
    session.script("suite/none.sh", "exit 0");
    let ended = session.zk2(&["run", "suite"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let record = session.finished_case("leaves.sh");
    let names: Vec<_> = attachments(&record).into_iter().map(|one| one.0).collect();
    assert_eq!(
        names,
        [
            "<img src=x onerror=alert(1)>.html",
            "plain.txt",
            "sub/more.log"
        ]
    );
    assert_eq!(record.get("attachments_left_out"), Some(&Value::from(1)));
    assert_eq!(session.finished_case("none.sh").get("attachments"), None);
    let directories = fs::read_dir(session.latest().join("outputs"));
    let directories: Vec<_> = directories.into_iter().flatten().collect();
    assert_eq!(directories.len(), 1, "{directories:?}");
}

#[test]
fn attachments_have_limits_and_the_rest_is_told() {
    let session = Session::new();
    let ended = run(
        &session,
        &["attaches"],
        &["--attachments-files=2", "--attachments-bytes=1KiB"],
    );
    let record = session.finished_case("::attaches");
    assert_eq!(attachments(&record).len(), 2);
    assert_eq!(record.get("attachments_left_out"), Some(&Value::from(3)));
    assert!(
        ended.stdout.contains("3 more files left out"),
        "{}",
        ended.stdout
    );
}

#[test]
fn a_report_of_a_run_whose_attachments_are_gone_shows_nothing_else() {
    let session = Session::new();
    run(&session, &["attaches"], &[]);
    let directory = fs::canonicalize(session.latest()).unwrap();
    let record = session.finished_case("::attaches");
    let file = record
        .pointer("/attachments/1/file")
        .unwrap()
        .as_str()
        .unwrap();
    let file = directory.join(file);
    fs::remove_file(&file).unwrap();
    symlink("/etc/hostname", &file).unwrap();
    let ended = session.zk2(&["report", directory.to_str().unwrap(), "--reports-html=true"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let html = fs::read_to_string(directory.join("report.html")).unwrap();
    assert!(
        !html.contains("still here"),
        "it is not read through a link"
    );
}

fn assert_parts_have_limits(isolation: &str, consequence: &str) {
    let session = Session::new();
    let cases = ["slow_set_up", "slow_body", "slow_teardown"];
    let limits = [
        "--tests-setup-timeout=300ms",
        "--tests-body-timeout=400ms",
        "--tests-teardown-timeout=500ms",
        "--tests-timeout=500s",
        "--isolation",
        isolation,
    ];
    let ended = run(&session, &cases, &limits);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    for (case, reason) in [
        ("slow_set_up", "set-up still running after 300ms; "),
        ("slow_body", "body still running after 400ms; "),
        ("slow_teardown", "teardown still running after 500ms; "),
    ] {
        let record = session.finished_case(case);
        assert_eq!(text(&record, "verdict"), "timed-out");
        assert_eq!(text(&record, "reason"), format!("{reason}{consequence}"));
    }
    session.assert_nothing_left();
}

#[test]
fn each_part_of_a_case_has_its_own_limit() {
    assert_parts_have_limits(
        "in-process",
        "a function cannot be stopped, its thread was given up",
    );
}

#[test]
fn each_part_of_a_function_in_a_process_of_its_own_has_its_limit() {
    assert_parts_have_limits("process", "ended by TERM, then KILL");
}

#[test]
fn the_body_of_an_executable_is_all_of_it() {
    let session = Session::new();
    session.script("slow.sh", "sleep 600");
    let ended = session.zk2(&[
        "run",
        "slow.sh",
        "--tests-body-timeout=200ms",
        "--tests-timeout=500s",
    ]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let record = session.finished_case("slow.sh");
    assert_eq!(text(&record, "verdict"), "timed-out");
}

#[test]
fn the_run_ends_at_its_limit_with_a_verdict_for_every_case() {
    let session = Session::new();
    for name in ["suite/a.sh", "suite/b.sh", "suite/c.sh"] {
        session.fixture(name, "hang");
    }
    session.script("suite/0.sh", "exit 0");
    let ended = session.zk2(&[
        "run",
        "suite",
        "--parallel-workers=1",
        "--run-timeout=2s",
        "--tests-grace=100ms",
        "--tests-retries=3",
    ]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    let verdicts: Vec<_> = session.verdicts().into_values().collect();
    assert_eq!(verdicts, ["passed", "aborted", "not-run", "not-run"]);
    let reason = text(&session.finished_case("c.sh"), "reason");
    assert_eq!(reason, "the time limit of the run (2s) was reached");
    let end = session.records().pop().unwrap();
    assert_eq!(end.pointer("/end/how"), Some(&Value::from("time-limit")));
    session.assert_nothing_left();
}

#[test]
fn a_function_that_does_not_end_does_not_hold_up_the_limit_of_the_run() {
    let session = Session::new();
    let ended = run(&session, &["slow_body"], &["--run-timeout=300ms"]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert_eq!(
        text(&session.finished_case("slow_body"), "verdict"),
        "aborted"
    );
}

#[test]
fn a_limit_of_nothing_is_refused() {
    let session = Session::new();
    session.script("a.sh", "exit 0");
    for option in ["run-timeout", "tests-timeout", "tests-setup-timeout"] {
        let ended = session.zk2(&["run", "a.sh", &format!("--{option}=0s")]);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(
            ended.stderr.contains("a time limit of zero"),
            "{}",
            ended.stderr
        );
        let ended = session.zk2(&["run", "a.sh", &format!("--{option}=-1s")]);
        assert_eq!(ended.code, Some(2), "{ended:?}");
    }
}

#[test]
fn a_command_ends_at_its_limit_with_a_code_of_its_own() {
    let session = Session::new();
    session.fixture("suite/a.sh", "hang");
    session.fixture("suite/b.sh", "hang");
    let options = ["--parallel-workers=1", "--reports-junit=true"];
    let ended = session.zk2(
        &[
            ["--command-timeout=2s", "run", "suite"].as_slice(),
            &options,
        ]
        .concat(),
    );
    assert_eq!(ended.code, Some(3), "{ended:?}");
    let verdicts: Vec<_> = session.verdicts().into_values().collect();
    assert_eq!(verdicts, ["aborted", "not-run"]);
    assert!(session.latest().join("junit.xml").exists());
    session.assert_nothing_left();
    let ended = session.zk2(&["--command-timeout=0s", "run", "suite"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
}

#[test]
fn a_command_ends_at_its_limit_also_if_nobody_reads_what_it_says() {
    for guard in ["--guard=true", "--guard=false"] {
        let session = Session::new();
        session.fixture("suite/a.sh", "hang");
        let (_reader, full) = crate::stopping::full_pipe();
        let limits = ["--command-timeout=1s", "--command-timeout-exit-delay=1s"];
        let line = [&limits[..], &["run", "suite", guard]].concat();
        let mut command = session.command(&line);
        // Both: the terminal that somebody has stopped.
        let child = command.stdout(full.try_clone().unwrap()).stderr(full);
        let ended = wait(child.spawn().unwrap());
        assert_eq!(ended.code, Some(3), "{guard}: {ended:?}");
        session.assert_nothing_left();
    }
}

#[test]
fn a_command_that_hangs_is_ended_and_leaves_nothing_behind() {
    for guard in ["--guard=true", "--guard=false"] {
        let session = Session::new();
        session.fixture("suite/a.sh", "hang");
        let script = session.script("hooks/hangs", "sleep 600");
        let hooks = format!("--job-scripts-post={}", script.parent().unwrap().display());
        let ended = session.zk2(&[
            "--command-timeout=1s",
            "--command-timeout-exit-delay=1s",
            "run",
            "suite",
            "--hooks-timeout=500s",
            &hooks,
            guard,
        ]);
        assert_eq!(ended.code, Some(3), "{guard}: {ended:?}");
        assert!(
            ended.stderr.contains("has not ended after 2s"),
            "{}",
            ended.stderr
        );
        session.assert_nothing_left();
    }
}
