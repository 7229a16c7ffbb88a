//! What test programs print, and event logs that somebody else may have written.

use std::collections::BTreeSet;
use std::sync::Arc;

use k2_core::finder::tap::Point;
use k2_core::finder::{googletest, libtest, tap};
use k2_core::parameter::{Assignment, Exclusion, variable};
use k2_core::results::event_log::EventLogReader;
use k2_core::scheduler::TagExpression;

/// A TAP stream: every text is accepted, and what is made of it is not larger than the text.
pub fn tap(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let stream = tap::parse(&text);
    let lines = text.lines().count();
    assert!(stream.other_lines <= lines);
    assert!(points(&stream.points) <= lines);
    for code in [0, 1, 77] {
        drop(stream.verdict(code));
    }
    // A stream without points and plan says nothing by itself; steps are made of points only.
    assert!(stream.steps().len() <= lines);
}

fn points(of: &[Point]) -> usize {
    of.iter().map(|point| 1 + points(&point.children)).sum()
}

/// Lists of tests: names or a sentence, each name once.
pub fn test_lists(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(names) = libtest::parse_list(&text) {
        let different: BTreeSet<&String> = names.iter().collect();
        assert_eq!(different.len(), names.len());
    }
    if let Ok(tests) = googletest::parse_list(&text) {
        assert!(tests.len() <= text.lines().count());
    }
    let (all, ignored) = text.split_at(text.floor_char_boundary(text.len() / 2));
    drop(libtest::parse_lists(all, ignored));
}

/// An event log: its records, then perhaps one error, then the end.
pub fn event_log(data: &[u8]) {
    let mut reader = EventLogReader::new(data);
    let mut records = 0;
    let mut has_failed = false;
    for record in &mut reader {
        assert!(!has_failed, "a record behind an error");
        match record {
            Ok(record) => {
                records += 1;
                let written =
                    serde_json::to_vec(&record).expect("invariant: records can be written");
                let mut line = written.clone();
                line.push(b'\n');
                let again = EventLogReader::new(line.as_slice())
                    .next()
                    .expect("invariant: what was written is a record")
                    .unwrap_or_else(|error| panic!("{error}: {error:?}"));
                let rewritten =
                    serde_json::to_vec(&again).expect("invariant: records can be written");
                assert_eq!(rewritten, written);
            }
            Err(error) => {
                has_failed = true;
                drop(error.to_string());
            }
        }
    }
    assert!(reader.next().is_none());
    assert!(records <= data.iter().filter(|byte| **byte == b'\n').count());
    assert!(reader.torn_bytes() <= data.len() as u64);
}

/// Any text as a value for a parameter, and as an exclusion: what is shown of them reads back as the same.
pub fn parameters(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(assignment) = text.parse::<Assignment>() {
        assert_eq!(assignment.to_string(), text);
        let variable = variable(&assignment.name);
        assert!(
            variable
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        );
    }
    let Ok(exclusion) = text.parse::<Exclusion>() else {
        return;
    };
    let shown = exclusion.to_string();
    let again: Exclusion = shown
        .parse()
        .expect("invariant: what is shown is an exclusion");
    assert_eq!(again.to_string(), shown);
    let values = ["", "1", &text];
    for value in values {
        let row: Vec<(Arc<str>, Arc<str>)> = exclusion
            .names()
            .map(|name| (name.into(), value.into()))
            .collect();
        assert_eq!(
            exclusion.matches("a::b", &row),
            again.matches("a::b", &row)
        );
    }
    assert!(!exclusion.matches("a::b", &[]));
}

/// Any text as a tag expression: what is shown of it reads back as the same, and selects the same.
pub fn tag_expression(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let Ok(expression) = TagExpression::parse(&text) else {
        return;
    };
    let shown = expression.to_string();
    let again = TagExpression::parse(&shown).expect("invariant: what is shown is an expression");
    assert_eq!(again.to_string(), shown);
    let words: Vec<String> = text
        .split_whitespace()
        .step_by(2)
        .map(str::to_owned)
        .collect();
    assert_eq!(again.matches(&words), expression.matches(&words));
}
