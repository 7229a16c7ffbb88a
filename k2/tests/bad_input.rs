//! Wrong input gets one clear error and exit code 2, before any case runs; tests that misbehave are contained.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::session::{Ended, Session, text};

/// Asserts a refusal: exit code 2, every word in the error, nothing run.
fn assert_refused(session: &Session, ended: &Ended, words: &[&str]) {
    assert_eq!(ended.code, Some(2), "{ended:?}");
    for word in words {
        assert!(
            ended.stderr.contains(word),
            "`{word}` is missing in: {}",
            ended.stderr
        );
    }
    assert!(
        !session.path().join("ran").exists(),
        "a case ran: {ended:?}"
    );
}

fn session_with_a_case() -> Session {
    let session = Session::new();
    session.script("suite/marks", "touch ran");
    session
}

#[test]
fn a_missing_file_names_the_nearest() {
    let session = session_with_a_case();
    assert_refused(
        &session,
        &session.zk2(&["run", "suite", "suite/mraks"]),
        &["suite/mraks", "marks"],
    );
}

#[test]
fn a_file_that_is_not_executable_says_how_to_make_it_so() {
    let session = session_with_a_case();
    session.write("plain.sh", "exit 0\n");
    assert_refused(
        &session,
        &session.zk2(&["run", "plain.sh"]),
        &["plain.sh", "chmod +x"],
    );
}

#[test]
fn a_directory_without_cases_names_the_script_that_lacks_the_permission() {
    let session = Session::new();
    session.write("suite/a data", "#no script");
    std::os::unix::fs::symlink("../outside.sh", session.path().join("suite/a link")).unwrap();
    session.write("outside.sh", "#!/bin/sh\n");
    let rule = "of a directory, the files that are executable are test cases";
    for command in ["run", "list"] {
        let ended = session.zk2(&[command, "suite"]);
        assert_eq!(ended.code, Some(4), "{ended:?}");
        assert!(
            ended.stderr.contains(&format!("{rule}\n")),
            "{}",
            ended.stderr
        );
    }
    session.write("suite/below/it is.sh", "#!/bin/sh\n");
    session.write("suite/later.sh", "#!/bin/sh\n");
    for command in ["run", "list"] {
        let ended = session.zk2(&[command, "suite"]);
        assert_eq!(ended.code, Some(4), "{ended:?}");
        let hint = format!("{rule}: chmod +x 'suite/below/it is.sh'\n");
        assert!(ended.stderr.contains(&hint), "{}", ended.stderr);
    }
}

#[test]
fn who_types_no_command_is_told_which_there_are() {
    let session = Session::new();
    let ended = session.zk2(&[]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    for part in [
        "a command is missing",
        "one of addon, ",
        " run, ",
        "`zk2 --help` says what each does",
    ] {
        assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
    }
    let timeout = session.zk2(&["run", "--timeout", "3s"]);
    assert!(
        timeout.stderr.contains("did you mean one of `"),
        "{}",
        timeout.stderr
    );
    assert!(
        timeout.stderr.contains("`--tests-timeout`"),
        "{}",
        timeout.stderr
    );
}

/// Runs `zk2`; where the tests' own user reads everything, without the two rights that let the superuser do so.
fn as_somebody_else(session: &Session, reads_everything: bool, arguments: &[&str]) -> Ended {
    let mut words = vec![env!("CARGO_BIN_EXE_zk2")];
    words.extend(arguments);
    if reads_everything {
        words.splice(
            0..0,
            ["setpriv", "--bounding-set=-dac_override,-dac_read_search"],
        );
    }
    let mut command = session.program(words[0], &words[1..]);
    crate::session::wait(command.spawn().unwrap())
}

#[test]
fn h21_a_file_without_the_right_to_read_is_a_warning_or_if_named_an_error() {
    let session = session_with_a_case();
    let file = session.write("k2.yaml", "output.dir: out\n");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    let can_read = fs::read(&file).is_ok();
    let usual = as_somebody_else(&session, can_read, &["noop"]);
    assert_eq!(usual.code, Some(0), "{usual:?}");
    for word in ["warning", "k2.yaml", "ermission denied"] {
        assert!(usual.stderr.contains(word), "`{word}`: {}", usual.stderr);
    }
    let line = ["run", "suite", "--config-file-pattern", "k2.yaml"];
    let named = as_somebody_else(&session, can_read, &line);
    assert_refused(&session, &named, &["k2.yaml", "ermission denied"]);
}

#[test]
fn h4_hostile_files_are_refused_in_little_memory() {
    let session = session_with_a_case();
    let mut bomb = "a0: &a0 {x: 1, y: 2}\n".to_owned();
    for level in 1..40 {
        let before = level - 1;
        writeln!(bomb, "a{level}: &a{level} {{x: *a{before}, y: *a{before}}}").unwrap();
    }
    session.write("aliases.yaml", &bomb);
    session.write("deep.yaml", &"[".repeat(200_000));
    session.write("deep.json", &"[".repeat(200_000));
    let large = fs::File::create(session.path().join("large.yaml")).unwrap();
    large.set_len(100 << 20).unwrap();
    for file in ["aliases.yaml", "deep.yaml", "deep.json", "large.yaml"] {
        let zk2 = env!("CARGO_BIN_EXE_zk2");
        let limit = format!("--as={}", 256 << 20);
        let line = [&limit, zk2, "run", "suite", "--config-file-pattern", file];
        let ended = crate::session::wait(session.program("prlimit", &line).spawn().unwrap());
        assert_refused(&session, &ended, &[file]);
    }
}

#[test]
fn an_unreadable_directory_is_named() {
    let session = session_with_a_case();
    let directory = session.path().join("closed");
    fs::create_dir(&directory).unwrap();
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o000)).unwrap();
    let can_read = fs::read_dir(&directory).is_ok();
    let ended = as_somebody_else(&session, can_read, &["run", "suite", "closed"]);
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).unwrap();
    assert_refused(&session, &ended, &["closed", "ermission denied"]);
}

#[test]
fn an_unknown_option_names_the_nearest() {
    let session = session_with_a_case();
    let ended = session.zk2(&["run", "suite", "--tests-includ", "x"]);
    assert_refused(&session, &ended, &["--tests-includ", "--tests-include"]);
}

#[test]
fn an_unknown_command_names_the_nearest() {
    let session = session_with_a_case();
    assert_refused(&session, &session.zk2(&["rnu", "suite"]), &["rnu", "run"]);
}

#[test]
fn a_wrong_type_on_the_command_line_says_what_was_expected() {
    let session = session_with_a_case();
    let ended = session.zk2(&["run", "suite", "--parallel-workers", "many"]);
    assert_refused(&session, &ended, &["parallel", "many", "whole number"]);
}

#[test]
fn a_wrong_type_in_a_file_shows_the_line() {
    let session = session_with_a_case();
    session.write("k2.yaml", "output.dir: out\nparallel.workers: \"many\"\n");
    let ended = session.zk2(&["run", "suite"]);
    assert_refused(
        &session,
        &ended,
        &["k2.yaml:2", "parallel.workers", "whole number"],
    );
}

#[test]
fn an_unknown_key_names_the_nearest_and_all_problems_come_at_once() {
    let session = session_with_a_case();
    session.write(
        "k2.yaml",
        "reports.junti.file: out.xml\nparallel.workers: -1\n",
    );
    let ended = session.zk2(&["run", "suite"]);
    assert_refused(
        &session,
        &ended,
        &[
            "reports.junti.file",
            "reports.junit.file",
            "k2.yaml:1",
            "k2.yaml:2",
            "2 problems",
        ],
    );
}

#[test]
fn a_wrong_environment_variable_is_named() {
    let session = session_with_a_case();
    let child = session
        .command(&["run", "suite"])
        .env("K2_TESTS_TIMEOUT", "5")
        .spawn()
        .unwrap();
    assert_refused(
        &session,
        &crate::session::wait(child),
        &["K2_TESTS_TIMEOUT", "5s"],
    );
}

#[test]
fn a_wrong_filter_is_shown() {
    let session = session_with_a_case();
    let ended = session.zk2(&["run", "suite", "--tests-include-regex", "("]);
    assert_refused(&session, &ended, &["tests.include.regex", "("]);
    assert!(
        ended
            .stderr
            .starts_with("error: option `tests.include.regex`: "),
        "{}",
        ended.stderr
    );
}

#[test]
fn what_two_extensions_refuse_is_told_once_and_words_that_no_flag_takes_are_explained() {
    let session = session_with_a_case();
    let both = [
        "--reports-junit=true",
        "--reports-junit-file=-",
        "--reports-tap=true",
        "--reports-tap-file=-",
    ];
    let ended = session.zk2(&[&["run", "suite"], &both[..]].concat());
    assert_refused(&session, &ended, &["standard output takes one report"]);
    assert_eq!(
        ended.stderr.matches("error: ").count(),
        1,
        "{}",
        ended.stderr
    );
    let ended = session.zk2(&["run", "--reports-junit", "yes", "suite"]);
    let told = "`yes` does not exist (it is taken for a source: what a flag takes behind it is `true` or `false`)";
    assert_refused(&session, &ended, &[told]);
}

#[test]
fn a_filter_that_names_what_no_case_has_says_what_is_near() {
    let session = Session::new();
    session.script("till/adds_up", "# k2-tags: sums\n# k2-owner: till team");
    for (filter, near) in [
        (
            ["--tests-include", "til"],
            "--tests-include: no id begins with the whole parts of `til`, or fits it; did you mean `till`?",
        ),
        (
            ["--tests-tags", "sum"],
            "--tests-tags: no case has the tag `sum`; did you mean `sums`?",
        ),
        (
            ["--tests-owner", "tell team"],
            "--tests-owner: no case has the owner `tell team`; did you mean `till team`?",
        ),
        (
            ["--tests-exclude", "till"],
            "without filters, `list` names them",
        ),
    ] {
        for command in ["run", "list"] {
            let ended = session.zk2(&[&[command, "till"], &filter[..]].concat());
            assert_eq!(ended.code, Some(4), "{ended:?}");
            let expected = format!("it is filtered out\n  hint: {near}\n");
            assert!(ended.stderr.contains(&expected), "{}", ended.stderr);
        }
    }
}

#[test]
fn two_cases_with_one_id_are_refused_with_both_sources() {
    let session = session_with_a_case();
    let ended = session.zk2(&["run", "suite", "./suite/marks", "suite/marks"]);
    assert_refused(&session, &ended, &["suite/marks"]);
    // The same file by another name has not to be renamed.
    let ended = session.zk2(&["run", "suite/marks", "./suite/marks"]);
    assert_refused(
        &session,
        &ended,
        &["the same source is named more than once"],
    );
}

#[test]
fn an_output_directory_that_is_a_file_is_refused_before_any_case() {
    let session = session_with_a_case();
    session.write("taken", "");
    let ended = session.zk2(&["run", "suite", "--output-dir", "taken"]);
    assert_refused(&session, &ended, &["taken"]);
}

#[test]
fn an_output_directory_that_cannot_be_written_is_refused_before_any_case() {
    let session = session_with_a_case();
    let ended = session.zk2(&["run", "suite", "--output-dir", "/proc/k2"]);
    assert_refused(&session, &ended, &["/proc"]);
}

#[test]
fn output_without_measure_is_capped_with_head_and_tail_kept() {
    let session = Session::new();
    session.fixture("suite/floods", "flood 1073741824");
    let ended = session.zk2(&["run", "suite"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let record = session.finished_case("floods");
    let stdout = record.get("stdout").unwrap();
    assert_eq!(stdout.get("bytes").unwrap(), 1_073_741_824);
    assert_eq!(stdout.get("truncated").unwrap(), true);
    let kept = text(stdout, "head").len() + text(stdout, "tail").len();
    assert!(kept <= 128 * 1024, "{kept}");
    let log = fs::metadata(session.latest().join("events.jsonl"))
        .unwrap()
        .len();
    assert!(log < 1024 * 1024, "{log}");
}

#[test]
fn invalid_utf8_is_kept_raw_and_marked() {
    let session = Session::new();
    session.fixture("suite/odd", "bad-utf8");
    assert_eq!(session.zk2(&["run", "suite"]).code, Some(0));
    let record = session.finished_case("odd");
    assert_eq!(record.get("stdout").unwrap().get("lossy").unwrap(), true);
}

#[test]
fn grandchildren_that_hold_the_pipes_are_named_and_ended() {
    let session = Session::new();
    session.fixture("suite/leaves", "fork");
    let ended = session.zk2(&["run", "suite"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let record = session.finished_case("leaves");
    assert_eq!(
        record
            .get("leaked")
            .and_then(|leaked| leaked.as_array())
            .map(Vec::len),
        Some(1)
    );
    session.assert_nothing_left();
}

#[test]
fn a_daemon_is_found_and_ended() {
    let session = Session::new();
    session.fixture("suite/daemon", "double-fork");
    assert_eq!(session.zk2(&["run", "suite"]).code, Some(0));
    session.assert_nothing_left();
}

#[test]
fn a_case_that_ignores_term_is_killed_after_the_grace() {
    let session = Session::new();
    session.fixture("suite/deaf", "ignore-term");
    let limits = ["--tests-timeout", "300ms", "--tests-grace", "100ms"];
    let ended = session.zk2(&[&["run", "suite"], limits.as_slice()].concat());
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(text(&session.finished_case("deaf"), "verdict"), "timed-out");
}

#[test]
fn hostile_output_does_not_reach_the_terminal_raw() {
    let session = Session::new();
    session.fixture("suite/hostile", "nul-ansi");
    session.script(
        "suite/fails",
        "printf 'x\\033]52;c;aGk=\\007\\033[31m\\n'; exit 1",
    );
    let ended = session.zk2(&["run", "suite"]);
    assert_eq!(ended.code, Some(1));
    for stream in [&ended.stdout, &ended.stderr] {
        assert!(
            !stream.contains('\x1b') && !stream.contains('\x07'),
            "{stream:?}"
        );
    }
}

#[test]
fn e11_hostile_names_do_not_reach_the_terminal_raw_and_many_problems_are_cut() {
    let session = Session::new();
    session.script("suite/a\u{1b}[31m", "exit 0");
    for n in 0..30 {
        session.script(&format!("suite/{n}"), "exit 0");
    }
    let mut command = session.command(&["run", "suite", "suite"]);
    // So that nothing on the way takes escape sequences out.
    command.env_remove("NO_COLOR").env("CLICOLOR_FORCE", "1");
    let ended = crate::session::wait(command.spawn().unwrap());
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(!ended.stderr.contains("a\u{1b}"), "{ended:?}");
    assert!(ended.stderr.contains("and 11 more problems"), "{ended:?}");
}
