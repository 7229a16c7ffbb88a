//! From a parsed text over the border of the `config` crate to the entries of a layer.
//!
//! Parsers hand over [`Flat`] values. They cross as `config::Value`s whose origin is the bytes of key and value; this module
//! writes and reads that origin and nobody else sees it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use config::{ConfigError, File, FileStoredFormat, Map, Source as _, ValueKind};

use super::PROBLEM_LIMIT;
use crate::config::key::Key;
use crate::config::layer::LayerEntry;
use crate::config::problem::{Problem, Problems};
use crate::config::source::{Document, Place, Source};
use crate::config::value::Value;

/// One value of a text under its whole dotted key.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Flat {
    /// The key as written, with a dot where a mapping was nested.
    pub(super) spelling: String,
    pub(super) key: Range<usize>,
    pub(super) value: Value,
    pub(super) span: Range<usize>,
    pub(super) items: Vec<Range<usize>>,
    /// 0 if it stands there itself; higher if a merge key brought it, more for what counts less.
    pub(super) merged: usize,
}

/// What the `config` crate makes of the values of a text: keys with dots, values with origins.
pub(super) fn to_map(
    document: &Arc<Document>,
    flats: Vec<Flat>,
) -> Result<Map<String, config::Value>, Problems> {
    let flats = without_duplicates(document, flats)?;
    Ok(flats
        .into_iter()
        .map(|flat| {
            let origin = written(&flat.key, &flat.span);
            let kind = match flat.value {
                Value::List(items) => ValueKind::Array(
                    items
                        .into_iter()
                        .zip(&flat.items)
                        .map(|(item, span)| {
                            config::Value::new(Some(&written(&flat.key, span)), to_kind(item))
                        })
                        .collect(),
                ),
                one => to_kind(one),
            };
            (flat.spelling, config::Value::new(Some(&origin), kind))
        })
        .collect())
}

/// Collects one document in one format as a source of its own.
pub(super) fn entries<F>(document: &Arc<Document>, format: F) -> Result<Vec<LayerEntry>, Problems>
where
    F: FileStoredFormat + std::fmt::Debug + Clone + Send + Sync + 'static,
{
    let collected = File::from_str(document.text(), format).collect();
    let map = collected.map_err(|error| match error {
        ConfigError::FileParse { cause, .. } => match cause.downcast::<Problems>() {
            Ok(problems) => *problems,
            Err(other) => Problem::error(format!("{}: {other}", document.path())).into(),
        },
        other => Problem::error(format!("{}: {other}", document.path())).into(),
    })?;
    let mut found: Vec<_> = map
        .into_iter()
        .map(|(spelling, value)| {
            let (key, span) = read(value.origin());
            let (value, items) = from_kind(value.kind);
            (key, span, spelling, value, items)
        })
        .collect();
    // The map of the crate forgets the order; the text knows it.
    found.sort_by_key(|(key, span, ..)| (span.start, key.start));
    let mut walk = Walk::new(document);
    Ok(found
        .into_iter()
        .map(|(key, span, spelling, value, items)| {
            let (line, column) = walk.to(span.start);
            LayerEntry {
                key: Key::fold(&spelling),
                spelling,
                value,
                source: Source::file(document.path(), line, column),
                place: Some(Place {
                    document: Arc::clone(document),
                    key,
                    value: span,
                    items,
                }),
            }
        })
        .collect())
}

/// Two values for one key are an error, also if the spellings differ; what a merge key brought gives way.
fn without_duplicates(
    document: &Arc<Document>,
    mut flats: Vec<Flat>,
) -> Result<Vec<Flat>, Problems> {
    flats.sort_by_key(|flat| (flat.merged, flat.key.start));
    let mut first: BTreeMap<Key, Flat> = BTreeMap::new();
    let mut problems = Vec::new();
    for flat in flats {
        let key = Key::fold(&flat.spelling);
        match first.get(&key) {
            None => {
                first.insert(key, flat);
            }
            Some(_) if problems.len() >= PROBLEM_LIMIT => break,
            Some(other) if flat.merged == 0 => {
                problems.push(duplicate(
                    document,
                    &flat.spelling,
                    &flat.key,
                    &other.spelling,
                    &other.key,
                ));
            }
            Some(_) => {}
        }
    }
    match Problems::from_list(problems) {
        Some(problems) => Err(problems),
        None => Ok(first.into_values().collect()),
    }
}

/// The problem of one key at two places.
pub(super) fn duplicate(
    document: &Arc<Document>,
    spelling: &str,
    at: &Range<usize>,
    first_spelling: &str,
    first: &Range<usize>,
) -> Problem {
    let (line, _) = document.position(first.start);
    let label = if spelling == first_spelling {
        format!("already set in line {line}")
    } else {
        format!(
            "the same key as `{first_spelling}` in line {line}: `.`, `-` and `_` are one letter"
        )
    };
    Problem::error(format!("key `{spelling}` is set twice"))
        .at(document, at.clone(), label)
        .also(document, first.clone(), "first here")
}

fn to_kind(value: Value) -> ValueKind {
    match value {
        Value::Unset => ValueKind::Nil,
        Value::Flag(flag) => ValueKind::Boolean(flag),
        Value::Integer(number) => ValueKind::I128(number),
        Value::Float(number) => ValueKind::Float(number),
        Value::Text(text) | Value::Raw(text) => ValueKind::String(text),
        Value::List(items) => ValueKind::Array(
            items
                .into_iter()
                .map(|item| config::Value::new(None, to_kind(item)))
                .collect(),
        ),
    }
}

fn from_kind(kind: ValueKind) -> (Value, Vec<Range<usize>>) {
    let value = match kind {
        // Our formats flatten tables; one from elsewhere has no meaning here.
        ValueKind::Nil | ValueKind::Table(_) => Value::Unset,
        ValueKind::Boolean(flag) => Value::Flag(flag),
        ValueKind::I64(number) => Value::Integer(number.into()),
        ValueKind::U64(number) => Value::Integer(number.into()),
        ValueKind::I128(number) => Value::Integer(number),
        ValueKind::U128(number) => {
            i128::try_from(number).map_or(Value::Float(f64::INFINITY), Value::Integer)
        }
        ValueKind::Float(number) => Value::Float(number),
        ValueKind::String(text) => Value::Text(text),
        ValueKind::Array(items) => {
            let spans = items.iter().map(|item| read(item.origin()).1).collect();
            let items = items
                .into_iter()
                .map(|item| from_kind(item.kind).0)
                .collect();
            return (Value::List(items), spans);
        }
    };
    (value, Vec::new())
}

fn written(key: &Range<usize>, value: &Range<usize>) -> String {
    format!("{} {} {} {}", key.start, key.end, value.start, value.end)
}

fn read(origin: Option<&str>) -> (Range<usize>, Range<usize>) {
    let mut numbers = origin
        .unwrap_or_default()
        .split(' ')
        .map(|number| number.parse().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    (next()..next(), next()..next())
}

/// Finds lines and columns of rising positions in one pass over the text.
struct Walk<'a> {
    text: &'a str,
    byte: usize,
    line: u32,
    column: u32,
}

impl<'a> Walk<'a> {
    fn new(document: &'a Document) -> Self {
        Self {
            text: document.text(),
            byte: 0,
            line: 1,
            column: 1,
        }
    }

    fn to(&mut self, byte: usize) -> (u32, u32) {
        let rest = self.text.get(self.byte..byte).unwrap_or_default();
        for c in rest.chars() {
            if c == '\n' {
                self.line = self.line.saturating_add(1);
                self.column = 1;
            } else {
                self.column = self.column.saturating_add(1);
            }
        }
        self.byte = self.byte.max(byte);
        (self.line, self.column)
    }
}
