//! TOML 1.1 to flat values with their positions.

use std::error::Error;
use std::ops::Range;
use std::sync::Arc;

use config::{FileStoredFormat, Format, Map};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::collect::{Flat, to_map};
use super::yaml::joined;
use super::{DEPTH_LIMIT, NODE_LIMIT, PROBLEM_LIMIT};
use crate::config::problem::{Problem, Problems};
use crate::config::source::Document;
use crate::config::value::Value;

/// TOML as a format of the `config` crate whose values know their bytes.
#[derive(Debug, Clone)]
pub(super) struct SpannedToml(Arc<Document>);

impl SpannedToml {
    pub(super) fn new(document: &Arc<Document>) -> Self {
        Self(Arc::clone(document))
    }
}

impl Format for SpannedToml {
    fn parse(
        &self,
        _uri: Option<&String>,
        _text: &str,
    ) -> Result<Map<String, config::Value>, Box<dyn Error + Send + Sync>> {
        // The text is the document's, whose positions the problems need.
        Ok(to_map(&self.0, flatten(&self.0)?)?)
    }
}

impl FileStoredFormat for SpannedToml {
    fn file_extensions(&self) -> &'static [&'static str] {
        &["toml"]
    }
}

/// Most syntax errors of one file that are reported; what follows is usually the echo of the first.
const SYNTAX_ERRORS: usize = 10;

/// Longest text of which all syntax errors are collected, in bytes: the parser keeps every one of them.
const RECOVERABLE: usize = 64 * 1024;

fn flatten(document: &Arc<Document>) -> Result<Vec<Flat>, Problems> {
    if let Some((at, title, limit)) = too_much(document.text()) {
        let label = format!("at most {limit} are allowed");
        return Err(Problem::error(title).at(document, at..at + 1, label).into());
    }
    let text = document.text();
    let (table, errors) = if text.len() <= RECOVERABLE {
        DeTable::parse_recoverable(text)
    } else {
        match DeTable::parse(text) {
            Ok(table) => (table, Vec::new()),
            Err(error) => (Spanned::new(0..0, DeTable::new()), vec![error]),
        }
    };
    let syntax = errors.iter().take(SYNTAX_ERRORS).map(|error| {
        let message = error.message().lines().collect::<Vec<_>>().join("; ");
        let problem = Problem::error("the file is not TOML");
        match error.span() {
            Some(span) => problem.at(document, span, message),
            None => problem.detail(message),
        }
    });
    if let Some(problems) = Problems::from_list(syntax.collect()) {
        return Err(problems);
    }
    let mut flattener = Flattener {
        document,
        flats: Vec::new(),
        problems: Vec::new(),
        visited: 0,
    };
    flattener.table(table.get_ref(), "", None)?;
    match Problems::from_list(flattener.problems) {
        Some(problems) => Err(problems),
        None => Ok(flattener.flats),
    }
}

struct Flattener<'a> {
    document: &'a Arc<Document>,
    flats: Vec<Flat>,
    problems: Vec<Problem>,
    visited: usize,
}

impl Flattener<'_> {
    /// Reads a table. Recursion is bounded, because the depth of the text was checked before.
    fn table(
        &mut self,
        table: &DeTable<'_>,
        prefix: &str,
        before: Option<&Range<usize>>,
    ) -> Result<(), Problems> {
        for (key, value) in table {
            self.visit(&value.span())?;
            let word = key.get_ref().as_ref();
            let span = joined(self.document, before, &key.span());
            let spelling = if prefix.is_empty() {
                word.to_owned()
            } else {
                format!("{prefix}.{word}")
            };
            if word.is_empty() {
                self.problem(
                    "a key is empty",
                    key.span(),
                    "expected a key like `output.dir`",
                );
                continue;
            }
            let mut items = Vec::new();
            let read = match value.get_ref() {
                DeValue::Table(inner) => {
                    self.table(inner, &spelling, Some(&span))?;
                    continue;
                }
                DeValue::Array(array) => {
                    let mut values = Vec::new();
                    for item in array {
                        self.visit(&item.span())?;
                        items.push(self.visible(item.span()));
                        values.push(self.scalar(item));
                    }
                    Value::List(values)
                }
                _ => self.scalar(value),
            };
            self.flats.push(Flat {
                spelling,
                key: span,
                value: read,
                span: self.visible(value.span()),
                items,
                merged: 0,
            });
        }
        Ok(())
    }

    fn scalar(&mut self, value: &Spanned<DeValue<'_>>) -> Value {
        match value.get_ref() {
            DeValue::String(text) => Value::Text(text.to_string()),
            DeValue::Boolean(flag) => Value::Flag(*flag),
            DeValue::Integer(number) => match i128::from_str_radix(number.as_str(), number.radix())
            {
                Ok(number) => Value::Integer(number),
                Err(_) => self.refused("a number is too large", value, "no option can hold it"),
            },
            DeValue::Float(number) => match number.as_str().parse() {
                Ok(number) => Value::Float(number),
                Err(_) => self.refused("a number is not readable", value, "expected a number"),
            },
            DeValue::Datetime(_) => self.refused(
                "dates are not supported",
                value,
                "put it in quotes to make it text",
            ),
            DeValue::Array(_) | DeValue::Table(_) => self.refused(
                "an element of a list is not a single value",
                value,
                "expected text, a number, `true` or `false`",
            ),
        }
    }

    fn refused(&mut self, title: &str, value: &Spanned<DeValue<'_>>, label: &str) -> Value {
        let span = self.visible(value.span());
        self.problem(title, span, label);
        Value::Unset
    }

    fn visit(&mut self, span: &Range<usize>) -> Result<(), Problems> {
        self.visited += 1;
        if self.visited <= NODE_LIMIT {
            return Ok(());
        }
        let label = format!("at most {NODE_LIMIT} are allowed");
        let problem = Problem::error("the file has too many values");
        Err(problem
            .at(self.document, self.visible(span.clone()), label)
            .into())
    }

    fn problem(&mut self, title: &str, span: Range<usize>, label: &str) {
        if self.problems.len() >= PROBLEM_LIMIT {
            return;
        }
        self.problems
            .push(Problem::error(title).at(self.document, span, label));
    }

    /// The part of a span in its first line.
    fn visible(&self, span: Range<usize>) -> Range<usize> {
        let text = self.document.text().get(span.clone()).unwrap_or_default();
        let length = text.find(['\n', '\r']).unwrap_or(text.len());
        span.start..span.start + length
    }
}

/// The byte where a text becomes too much to be parsed, and why. The parser bounds neither values nor dotted keys, and a table
/// of a million levels could not even be dropped without ending the process.
fn too_much(text: &str) -> Option<(usize, &'static str, String)> {
    let bytes = text.as_bytes();
    let mut levels: Vec<usize> = Vec::new();
    let mut nested = 0;
    let mut dots = 0;
    let mut signs = 0;
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'#' => at += text[at..].find('\n').unwrap_or(text.len() - at),
            b'"' | b'\'' => {
                at = after_string(text, at);
                continue;
            }
            b'.' => dots += 1,
            b'{' | b'[' => {
                signs += 1;
                levels.push(dots + 1);
                nested += dots + 1;
                dots = 0;
            }
            b'}' | b']' => {
                nested -= levels.pop().unwrap_or(0);
                dots = 0;
            }
            // The dots of a key count for the table that follows it.
            b'=' => signs += 1,
            b',' => {
                signs += 1;
                dots = 0;
            }
            b'\n' => dots = 0,
            _ => {}
        }
        if nested + dots > DEPTH_LIMIT {
            return Some((
                at,
                "the file is nested too deeply",
                format!("{DEPTH_LIMIT} levels"),
            ));
        }
        // A value has at most an equals sign, a comma and a bracket.
        if signs > 3 * NODE_LIMIT {
            return Some((at, "the file has too many values", NODE_LIMIT.to_string()));
        }
        at += 1;
    }
    None
}

/// The byte after the string that starts at `start`; the end of the line or text if nothing ends it.
fn after_string(text: &str, start: usize) -> usize {
    let bytes = text.as_bytes();
    let quote = bytes[start];
    let escapes = quote == b'"';
    let is_long = bytes[start..].starts_with(&[quote; 3]);
    let mut at = start + if is_long { 3 } else { 1 };
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if escapes => at += 1,
            b'\n' if !is_long => return at,
            byte if byte == quote && !is_long => return at + 1,
            byte if byte == quote && bytes[at..].starts_with(&[quote; 3]) => return at + 3,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}
