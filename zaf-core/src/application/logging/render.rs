//! From a record to the line that a sink writes. Pure.
//!
//! | Form | Line |
//! | --- | --- |
//! | console | `warning: text key=value`; with names: `warning[extension] module: text key=value` |
//! | text | `2026-11-21T08:17:22.123456Z WARN [extension] module (thread): text key=value` |
//! | JSON | one object: `time`, `level`, `extension`, `scope`, `target`, `thread`, `message`, `fields` |

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use tracing::Level;

use super::escape;
use super::record::Record;

/// How a sink writes records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

impl LogFormat {
    /// The line of a record in a file, with its end.
    pub(super) fn line(self, record: &Record<'_>) -> String {
        match self {
            Self::Text => text(record),
            Self::Json => json(record),
        }
    }
}

/// What the lines of a console look like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Look {
    /// Whether there are colours.
    pub(super) coloured: bool,
    /// Whether what stands in the line of a terminal already is erased: the progress of a run, and the `^C` that the terminal
    /// shows behind it.
    pub(super) erases: bool,
    /// Whether each line says who logs. Warnings alone are for people who do not care.
    pub(super) names: bool,
}

/// The lines of a record on a console.
pub(super) fn console(record: &Record<'_>, look: Look) -> String {
    let mut line = String::new();
    if look.erases {
        line.push_str("\r\u{1b}[2K");
    }
    let (word, style) = word(record.level);
    let name = match record.extension {
        Some(extension) if look.names => format!("[{extension}]"),
        _ => String::new(),
    };
    // Writing to a `String` cannot fail.
    let _ = if look.coloured {
        write!(line, "{style}{word}{style:#}{name}")
    } else {
        write!(line, "{word}{name}")
    };
    if look.names {
        line.push(' ');
        escape::one_line(&mut line, record.target);
    }
    line.push_str(": ");
    escape::indented(&mut line, &told(record));
    line.push('\n');
    line
}

fn text(record: &Record<'_>) -> String {
    let mut line = String::new();
    let extension = record.extension.unwrap_or("-");
    let _ = write!(line, "{:.6} {} [{extension}] ", record.time, record.level);
    escape::one_line(&mut line, record.target);
    if !record.thread.is_empty() {
        line.push_str(" (");
        escape::one_line(&mut line, &record.thread);
        line.push(')');
    }
    line.push_str(": ");
    escape::one_line(&mut line, &told(record));
    line.push('\n');
    line
}

/// Message and fields.
fn told(record: &Record<'_>) -> String {
    let mut text = record.message.clone();
    for (name, value) in &record.fields {
        if !text.is_empty() {
            text.push(' ');
        }
        text.extend([*name, "=", &value.shown()]);
    }
    text
}

fn json(record: &Record<'_>) -> String {
    let mut line = String::new();
    // Maps with texts as keys and values that are already JSON cannot fail.
    let object = serde_json::to_string(&Object(record)).unwrap_or_default();
    escape::json(&mut line, &object);
    line.push('\n');
    line
}

struct Object<'a>(&'a Record<'a>);

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let record = self.0;
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("time", &format!("{:.6}", record.time))?;
        object.serialize_entry("level", &record.level.as_str().to_lowercase())?;
        object.serialize_entry("extension", &record.extension)?;
        object.serialize_entry("scope", &record.scope)?;
        object.serialize_entry("target", record.target)?;
        object.serialize_entry("thread", &record.thread)?;
        object.serialize_entry("message", &record.message)?;
        let fields: serde_json::Map<String, serde_json::Value> = record
            .fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.json()))
            .collect();
        object.serialize_entry("fields", &fields)?;
        object.end()
    }
}

fn word(level: Level) -> (&'static str, Style) {
    let colour = |colour: AnsiColor| colour.on_default().bold();
    match level {
        Level::ERROR => ("error", colour(AnsiColor::Red)),
        Level::WARN => ("warning", colour(AnsiColor::Yellow)),
        Level::INFO => ("info", colour(AnsiColor::Green)),
        Level::DEBUG => ("debug", colour(AnsiColor::Blue)),
        _ => ("trace", colour(AnsiColor::Magenta)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::Value;
    use super::*;

    fn record() -> Record<'static> {
        Record {
            time: "2026-11-21T08:17:22.1234567Z".parse().unwrap(),
            level: Level::WARN,
            target: "k2::runner",
            extension: Some("junit"),
            scope: Some("suite::case"),
            thread: "worker-1".to_owned(),
            message: "late\nerror: forged".to_owned(),
            fields: vec![
                ("name", Value::Text("a b\n".to_owned())),
                ("big", Value::Unsigned(u64::MAX)),
                ("nan", Value::Float(f64::NAN)),
                ("ok", Value::Flag(true)),
                ("n", Value::Signed(-3)),
            ],
        }
    }

    #[test]
    fn a_record_is_one_line_of_text() {
        assert_eq!(
            LogFormat::Text.line(&record()),
            "2026-11-21T08:17:22.123456Z WARN [junit] k2::runner (worker-1): late\\nerror: forged name=\"a b\\n\" \
             big=18446744073709551615 nan=NaN ok=true n=-3\n"
        );
    }

    #[test]
    fn lines_look_as_the_book_says() {
        let page = include_str!("../../../../docs/src/logging.md");
        let late = Record {
            target: "k2_reports::junit",
            message: "the report is late".to_owned(),
            fields: vec![("after", Value::Formatted("3s".to_owned()))],
            ..record()
        };
        let line = LogFormat::Text.line(&late);
        assert!(page.contains(&format!("\n```text\n{line}```\n")), "{line}");
        let look = Look {
            names: true,
            ..Look::default()
        };
        let line = console(&late, look);
        assert!(page.contains(&format!("\n```text\n{line}```\n")), "{line}");
    }

    #[test]
    fn f11_a_record_is_one_line_of_json_with_exact_numbers() {
        let line = LogFormat::Json.line(&record());
        assert_eq!(line.matches('\n').count(), 1);
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(
            read,
            serde_json::json!({
                "time": "2026-11-21T08:17:22.123456Z",
                "level": "warn",
                "extension": "junit",
                "scope": "suite::case",
                "target": "k2::runner",
                "thread": "worker-1",
                "message": "late\nerror: forged",
                "fields": {
                    "name": "a b\n", "big": "18446744073709551615", "nan": "NaN", "ok": true, "n": -3,
                },
            })
        );
    }

    #[test]
    fn a_console_names_who_logs_if_it_is_asked_for_details() {
        let plain = console(&record(), Look::default());
        assert!(
            plain.starts_with("warning: late\n    error: forged name="),
            "{plain}"
        );
        let look = Look {
            names: true,
            ..Look::default()
        };
        let named = console(&record(), look);
        assert!(
            named.starts_with("warning[junit] k2::runner: late\n"),
            "{named}"
        );
        let look = Look {
            coloured: true,
            erases: true,
            names: false,
        };
        let coloured = console(&record(), look);
        assert!(coloured.starts_with("\r\u{1b}[2K\u{1b}["), "{coloured:?}");
    }
}
