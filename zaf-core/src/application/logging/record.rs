//! One log record: what was logged, collected once for all sinks that want it.

use std::error::Error as StdError;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use jiff::Timestamp;
use tracing::field::{Field, Visit};
use tracing::{Event, Level};

use super::mask::Masks;

/// Stands for a value whose `Debug` or `Display` panicked.
const PANICKED: &str = "(panicked while it was formatted)";

/// Largest whole number that every reader of JSON gets right.
const LARGEST_EXACT: u64 = 1 << 53;

/// What was logged.
#[derive(Debug)]
pub(super) struct Record<'a> {
    pub(super) time: Timestamp,
    pub(super) level: Level,
    /// Module, or what the author put in its place.
    pub(super) target: &'a str,
    /// The extension that logged it.
    pub(super) extension: Option<&'static str>,
    /// What the file is about that it belongs to: the id of a case.
    pub(super) scope: Option<&'a str>,
    /// Name of the thread; empty if it has none.
    pub(super) thread: String,
    pub(super) message: String,
    pub(super) fields: Vec<(&'static str, Value)>,
}

/// Value of a field.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// A text that was given as one.
    Text(String),
    /// What `Debug` or `Display` say.
    Formatted(String),
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    Flag(bool),
}

impl<'a> Record<'a> {
    /// Formats everything that `event` carries; secrets are hidden.
    pub(super) fn of(
        event: &'a Event<'_>,
        extension: Option<&'static str>,
        scope: Option<&'a str>,
        masks: &Masks,
    ) -> Self {
        let metadata = event.metadata();
        let mut collected = Collected {
            message: String::new(),
            fields: Vec::new(),
            masks,
        };
        // A value that panics costs itself and what stands behind it, not whoever logs.
        if catch_unwind(AssertUnwindSafe(|| event.record(&mut collected))).is_err() {
            collected.panicked();
        }
        let thread = std::thread::current();
        Self {
            time: Timestamp::now(),
            level: *metadata.level(),
            target: metadata.target(),
            extension,
            scope,
            thread: thread.name().unwrap_or_default().to_owned(),
            message: collected.message,
            fields: collected.fields,
        }
    }
}

impl Value {
    /// As people read it.
    pub(super) fn shown(&self) -> String {
        match self {
            // With quotes, so that it cannot look like further fields.
            Self::Text(text) => format!("{text:?}"),
            Self::Formatted(text) => text.clone(),
            Self::Signed(number) => number.to_string(),
            Self::Unsigned(number) => number.to_string(),
            Self::Float(number) => number.to_string(),
            Self::Flag(flag) => flag.to_string(),
        }
    }

    /// As programs read it. Numbers that readers of JSON would round are texts.
    pub(super) fn json(&self) -> serde_json::Value {
        match self {
            Self::Text(text) | Self::Formatted(text) => text.as_str().into(),
            Self::Signed(number) if number.unsigned_abs() > LARGEST_EXACT => {
                number.to_string().into()
            }
            Self::Unsigned(number) if *number > LARGEST_EXACT => number.to_string().into(),
            Self::Signed(number) => (*number).into(),
            Self::Unsigned(number) => (*number).into(),
            Self::Float(number) => serde_json::Number::from_f64(*number)
                .map_or_else(|| number.to_string().into(), serde_json::Value::Number),
            Self::Flag(flag) => (*flag).into(),
        }
    }
}

/// Collects the message and the other fields, in their order.
struct Collected<'a> {
    message: String,
    fields: Vec<(&'static str, Value)>,
    masks: &'a Masks,
}

impl Collected<'_> {
    fn text(&mut self, field: &Field, text: &str, value: fn(String) -> Value) {
        let text = self.masks.hide(text).into_owned();
        if self.is_message(field) {
            self.message = text;
        } else {
            self.fields.push((name_of(field), value(text)));
        }
    }

    fn value(&mut self, field: &Field, value: Value) {
        if self.is_message(field) {
            self.message = value.shown();
        } else {
            self.fields.push((name_of(field), value));
        }
    }

    /// The text comes first; who calls a field `message` too means that one.
    fn is_message(&self, field: &Field) -> bool {
        field.name() == "message" && self.message.is_empty() && self.fields.is_empty()
    }

    fn panicked(&mut self) {
        if self.message.is_empty() {
            PANICKED.clone_into(&mut self.message);
        } else {
            self.fields.push(("?", Value::Formatted(PANICKED.into())));
        }
    }
}

/// `type` is written `r#type` in code.
fn name_of(field: &Field) -> &'static str {
    let name = field.name();
    name.strip_prefix("r#").unwrap_or(name)
}

impl Visit for Collected<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field, &format!("{value:?}"), Value::Formatted);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value, Value::Text);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn StdError + 'static)) {
        let mut text = value.to_string();
        let mut next = value.source();
        while let Some(cause) = next {
            text.extend([": ", &cause.to_string()]);
            next = cause.source();
        }
        self.text(field, &text, Value::Formatted);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.value(field, Value::Signed(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.value(field, Value::Unsigned(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.value(field, Value::Float(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.value(field, Value::Flag(value));
    }
}
