//! What `zk2` says about itself: in pipes, at terminals, and with broken extensions beside it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;

use serde_json::Value;

use crate::session::{Session, wait};
use crate::terminal::Terminal;

const LISTS: [&str; 6] = [
    "commands",
    "components",
    "endpoints",
    "extensions",
    "messages",
    "plugins",
];

fn parsed(session: &Session, line: &[&str]) -> Value {
    let ended = session.zk2(&[line, &["--format", "json"]].concat());
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    serde_json::from_str(&ended.stdout).unwrap()
}

/// Rows of a list by name.
fn by_name(list: &Value, rows: &str) -> BTreeMap<String, Value> {
    let rows = list[rows].as_array().unwrap().iter();
    rows.map(|row| (row["name"].as_str().unwrap().to_owned(), row.clone()))
        .collect()
}

#[test]
fn lists_fit_every_terminal_and_have_colours_only_there() {
    let session = Session::new();
    for list in LISTS {
        for columns in [80, 120] {
            for colours in [true, false] {
                let line = [env!("CARGO_BIN_EXE_zk2"), list];
                let mut variables = vec![("TERM", "xterm-256color")];
                if !colours {
                    variables.push(("NO_COLOR", "1"));
                }
                let terminal = Terminal::new(columns);
                let (master, child) = terminal.start_program(&session, &line, &variables);
                let mut bytes = Vec::new();
                // A terminal without anybody at its other end is an error (EIO), not an end.
                drop(File::from(master).read_to_end(&mut bytes));
                let screen = String::from_utf8(bytes).unwrap();
                assert_eq!(wait(child).code, Some(0), "{screen}");
                assert_eq!(screen.contains("\u{1b}["), colours, "{list}: {screen:?}");
                let plain = screen.replace("\r\n", "\n");
                let mut widest = 0;
                for line in plain.lines() {
                    let width = without_colours(line).chars().count();
                    assert!(width <= usize::from(columns), "{list}: {line}");
                    widest = widest.max(width);
                }
                assert!(widest > 20, "{list}: {plain}");
            }
        }
        let piped = session.zk2(&[list]);
        assert!(!piped.stdout.contains('\u{1b}'), "{piped:?}");
    }
}

fn without_colours(line: &str) -> String {
    let mut parts = line.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        text + part.split_once('m').map_or(part, |(_, rest)| rest)
    })
}

#[test]
fn the_messages_of_run_are_those_of_its_extensions() {
    let session = Session::new();
    let of_run = by_name(
        &parsed(&session, &["messages", "--target-command", "run"]),
        "messages",
    );
    let finished = &of_run["TEST_CASE_FINISHED"];
    assert_eq!(finished["kind"], "event");
    assert_eq!(finished["portable"], true);
    assert_eq!(finished["endpoints"], serde_json::json!(["runner"]));
    assert_eq!(finished["listeners"][0]["extension"], "eventlog");
    assert_eq!(finished["listeners"][0]["priority"], 1000);
    assert_eq!(of_run["WRITE_REPORTS"]["kind"], "request");
    // `list` finds cases and runs none.
    let of_list = by_name(
        &parsed(&session, &["messages", "--target-command", "list"]),
        "messages",
    );
    assert!(of_list.contains_key("FIND_TEST_CASES"));
    assert!(!of_list.contains_key("TEST_RUN_STARTED"));
    assert!(of_list.contains_key("BEFORE_COMMAND"));
}

#[test]
fn what_a_run_would_do_depends_on_the_configuration() {
    let session = Session::new();
    let state = |extension: &str| {
        let list = parsed(&session, &["extensions", "--target-command", "run"]);
        let row = by_name(&list, "extensions")[extension].clone();
        (row["state"].clone(), row["reason"].clone())
    };
    assert_eq!(
        state("junit"),
        ("inactive".into(), "reports.junit is false".into())
    );
    session.write(
        "k2.yaml",
        "reports.junit: true\next:\n  summary:\n    enabled: false\n",
    );
    assert_eq!(state("junit"), ("active".into(), Value::Null));
    assert_eq!(
        state("summary"),
        (
            "disabled".into(),
            "disabled by ext.summary.enabled (k2.yaml:4:14)".into()
        )
    );
    let plugins = session.zk2(&["plugins"]);
    let line = plugins
        .stdout
        .lines()
        .find(|line| line.starts_with("summary"));
    assert!(line.unwrap().contains("disabled"), "{plugins:?}");
    let commands = by_name(&parsed(&session, &["commands"]), "commands");
    let extended_by = commands["run"]["extended_by"].to_string();
    assert!(extended_by.contains("junit") && !extended_by.contains("summary"));
}

#[test]
fn a_command_that_zk2_does_not_have_is_refused_by_every_list() {
    let session = Session::new();
    for list in LISTS {
        let ended = session.zk2(&[list, "--target-command", "rnu"]);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""));
        assert!(ended.stderr.contains("did you mean `run`?"), "{ended:?}");
    }
}

#[test]
fn a_wrong_configuration_stops_lists_with_the_line_that_is_wrong() {
    let session = Session::new();
    session.write("k2.yaml", "reports.junti: true\n");
    for list in LISTS {
        let ended = session.zk2(&[list]);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""));
        assert!(ended.stderr.contains("k2.yaml:1:1"), "{ended:?}");
    }
}
