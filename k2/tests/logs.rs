//! What is logged, where it goes, and what that costs.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::session::{Ended, Session, example, wait};

/// A test command whose cases and extension log: `logging/main.rs`.
fn logging(session: &Session, arguments: &[&str]) -> Ended {
    let program = example("zk2-logging");
    let command = session
        .program(program.to_str().unwrap(), arguments)
        .spawn();
    wait(command.unwrap())
}

/// Texts of all log files of the newest run, by name without execution and hash.
fn logs(session: &Session) -> BTreeMap<String, String> {
    logs_in(&session.latest().join("logs"))
}

fn logs_in(directory: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for folder in [directory.to_owned(), directory.join("cases")] {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                let name = name
                    .split_once("zk2_logging.")
                    .map_or(name.clone(), |(_, id)| {
                        id.rsplit_once('-').map_or(id, |(id, _)| id).to_owned()
                    });
                found.insert(name, fs::read_to_string(path).unwrap());
            }
        }
    }
    found
}

#[test]
fn a_case_that_fails_keeps_its_log_and_the_others_leave_none() {
    let session = Session::new();
    let ended = logging(&session, &["run"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let logs = logs(&session);
    let names: Vec<&str> = logs.keys().map(String::as_str).collect();
    assert_eq!(names, ["fails", "session.log"]);
    let text = &logs["fails"];
    assert_eq!(text.lines().count(), 2, "nobody forges a line: {text}");
    assert!(
        text.lines()
            .next()
            .unwrap()
            .contains("Z INFO [-] zk2_logging (worker-"),
        "{text}"
    );
    assert!(text.ends_with(": look here\n"), "{text}");
    let session_log = &logs["session.log"];
    assert!(
        session_log.contains(" INFO [chatterbox] zk2_logging (worker-"),
        "{session_log}"
    );
    assert!(
        session_log.contains(" DEBUG [chatterbox] zk2_logging (bus-worker-"),
        "{session_log}"
    );
    assert!(session_log.contains("INFO [chatterbox] zk2_logging (extension-teardown): gone"));
    assert!(
        !session_log.contains("round"),
        "what cases log is theirs: {session_log}"
    );
}

#[test]
fn k2_f18_cases_on_several_workers_at_once_do_not_mix() {
    let session = Session::new();
    let arguments = ["run", "--log-cases", "all", "--parallel-workers", "8"];
    logging(&session, &arguments);
    let logs = logs(&session);
    for number in 1..=8 {
        let text = &logs[&format!("mixes.number.{number}")];
        assert_eq!(text.lines().count(), 50, "{text}");
        for (round, line) in text.lines().enumerate() {
            assert!(
                line.ends_with(&format!(": <{number}> round {round}")),
                "{line}"
            );
        }
    }
    assert!(logs["passes"].contains(": a detail\n"));
    assert!(
        !logs.contains_key("fails_silently"),
        "no file without a record"
    );
}

#[test]
fn attempts_have_logs_of_their_own() {
    let session = Session::new();
    let arguments = [
        "run",
        "--tests-retries",
        "1",
        "--tests-include",
        "zk2_logging::fails",
    ];
    logging(&session, &arguments);
    let cases = fs::read_dir(session.latest().join("logs/cases")).unwrap();
    let mut names: Vec<String> = cases
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(
        names[0].starts_with("1-1-") && names[1].starts_with("1-2-"),
        "{names:?}"
    );
}

#[test]
fn levels_are_those_that_were_asked_for() {
    let session = Session::new();
    let passes = ["run", "--tests-include", "zk2_logging::passes"];
    let shown = |more: &[&str]| {
        let ended = logging(&session, &[&passes, more].concat());
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.stderr
    };
    let case = "something of the passing one answer=42";
    assert_eq!(shown(&[]), "");
    let verbose = shown(&["-v"]);
    assert!(
        verbose.contains(&format!("info zk2_logging: {case}\n")),
        "{verbose}"
    );
    assert!(
        verbose.contains("info[chatterbox] zk2_logging: heard of"),
        "{verbose}"
    );
    assert!(!verbose.contains("a detail"), "{verbose}");
    assert!(shown(&["-vv"]).contains("debug zk2_logging: a detail\n"));
    assert_eq!(shown(&["-vvq", "--quiet"]), "");
    let special = shown(&["--log-for", "chatterbox=debug"]);
    assert!(
        special.contains("debug[chatterbox] zk2_logging: made\n"),
        "{special}"
    );
    assert!(!special.contains(case), "{special}");
    let special = shown(&["--ext-chatterbox@log-level", "info"]);
    assert!(
        special.contains("info[chatterbox] zk2_logging: heard of"),
        "{special}"
    );
    assert!(!special.contains("made"), "{special}");
    let module = shown(&[
        "--log-for",
        "zk2_logging=info",
        "--log-for",
        "chatterbox=off",
    ]);
    assert!(
        module.contains(case) && !module.contains("heard"),
        "{module}"
    );

    session.write(
        "logging.yaml",
        "ext:\n  chatterbox:\n    log.level: info\nlog.format: json\n",
    );
    let lines = shown(&[]);
    let record: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&record["extension"], &record["level"]),
        (&"chatterbox".into(), &"info".into())
    );
}

#[test]
fn a_level_that_names_nothing_is_refused() {
    let session = Session::new();
    for (word, hint) in [
        ("chatterbox=debg", "did you mean `chatterbox=debug`?"),
        ("chatterbox", "levels are `off`"),
        ("chatter-bos=info", "the name of an extension"),
    ] {
        let ended = logging(&session, &["run", "--log-for", word]);
        assert_eq!(ended.code, Some(2), "{word}: {ended:?}");
        let said = &ended.stderr;
        assert!(
            said.contains("option `log.for` has a value that is not accepted"),
            "{said}"
        );
        assert!(said.contains(hint) && said.contains(word), "{said}");
    }
    session.write(
        "logging.yaml",
        "log.for:\n- chatterbox=debg\nlog.level: loud\n",
    );
    let ended = logging(&session, &["run"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    for expected in [
        "logging.yaml:2:3",
        "2 │ - chatterbox=debg",
        "logging.yaml:3:12",
    ] {
        assert!(ended.stderr.contains(expected), "{}", ended.stderr);
    }
    session.write("logging.yaml", "{}\n");
    let ended = logging(&session, &["noop", "--log-for", "chaterbox=debug"]);
    assert_eq!(ended.code, Some(0));
    assert!(
        ended.stderr.contains("did you mean `chatterbox`?"),
        "{ended:?}"
    );
}

#[test]
fn a_log_directory_of_ones_own_serves_every_command() {
    let session = Session::new();
    let arguments = ["noop", "--log-dir", "kept", "--log-file-level", "trace"];
    assert_eq!(logging(&session, &arguments).code, Some(0));
    assert!(!session.path().join("kept").exists(), "nothing was logged");

    let json = [
        "run",
        "--log-dir=kept",
        "--log-file-format=json",
        "--log-cases=none",
    ];
    logging(&session, &json);
    let logs = logs_in(&session.path().join("kept"));
    assert_eq!(logs.len(), 1, "{:?}", logs.keys());
    let records: Vec<Value> = logs["session.log"]
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(
        records
            .iter()
            .any(|record| record["message"] == "look here")
    );
    let answer = records
        .iter()
        .find(|record| record["message"] == "something of the passing one");
    assert_eq!(answer.unwrap()["fields"]["answer"], 42);
    assert!(!session.latest().join("logs").exists());
}

#[test]
fn a_full_log_is_put_aside() {
    let session = Session::new();
    let arguments = [
        "run",
        "--log-cases=none",
        "--log-file-size=4KiB",
        "--log-file-keep=2",
    ];
    logging(&session, &arguments);
    let logs = logs(&session);
    let names: Vec<&str> = logs.keys().map(String::as_str).collect();
    assert_eq!(names, ["session.log", "session.log.1", "session.log.2"]);
    for (name, text) in &logs {
        assert!(text.len() <= 4096, "{name} has {} bytes", text.len());
        assert!(text.ends_with('\n'), "{name}");
    }
}

#[test]
fn f1_a_log_that_cannot_be_written_is_said_once_and_in_the_exit_code() {
    let session = Session::new();
    session.write("blocked", "");
    let arguments = [
        "run",
        "--log-dir",
        "blocked/below",
        "--tests-include",
        "zk2_logging::passes",
    ];
    let ended = logging(&session, &arguments);
    assert_eq!(ended.code, Some(6), "{ended:?}");
    assert_eq!(
        ended.stderr.matches("warning: log file").count(),
        1,
        "{ended:?}"
    );
    assert!(
        ended.stdout.contains("1 passed"),
        "the run goes on: {ended:?}"
    );
    assert!(ended.stdout.contains("exit 6"), "{ended:?}");
    assert!(ended.stderr.contains("records are missing"), "{ended:?}");
    // Why is said by the warning, and once.
    let reason = ended.stderr.matches("Not a directory");
    assert_eq!(reason.count(), 1, "{ended:?}");

    // Who hears no warnings is told why at the end.
    let ended = logging(
        &session,
        &[&arguments[..], &["--log-level", "error"]].concat(),
    );
    assert_eq!(ended.code, Some(6), "{ended:?}");
    let reason = ended.stderr.matches("Not a directory");
    assert_eq!(reason.count(), 1, "{ended:?}");
}

#[test]
fn a_run_in_which_nobody_logs_has_no_log_files() {
    let session = Session::new();
    session.script("case.sh", "echo out; exit 0");
    let ended = session.zk2(&["run", "case.sh"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!session.latest().join("logs").exists());
    let ended = session.zk2(&["noop"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(
        fs::read_dir(session.path()).unwrap().count(),
        2,
        "case.sh and output"
    );
}
