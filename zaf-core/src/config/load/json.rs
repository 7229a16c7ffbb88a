//! JSON (RFC 8259) to flat values with their positions.
//!
//! A reader of its own, because those that exist forget where a value stood. It takes nothing that is not JSON: no comments, no
//! trailing commas.

use std::error::Error;
use std::ops::Range;
use std::sync::Arc;

use config::{FileStoredFormat, Format, Map};

use super::collect::{Flat, to_map};
use super::{DEPTH_LIMIT, NODE_LIMIT, PROBLEM_LIMIT};
use crate::config::problem::{Problem, Problems};
use crate::config::source::Document;
use crate::config::value::Value;

/// JSON as a format of the `config` crate whose values know their bytes.
#[derive(Debug, Clone)]
pub(super) struct SpannedJson(Arc<Document>);

impl SpannedJson {
    pub(super) fn new(document: &Arc<Document>) -> Self {
        Self(Arc::clone(document))
    }
}

impl Format for SpannedJson {
    fn parse(
        &self,
        _uri: Option<&String>,
        _text: &str,
    ) -> Result<Map<String, config::Value>, Box<dyn Error + Send + Sync>> {
        // The text is the document's, whose positions the problems need.
        Ok(to_map(&self.0, flatten(&self.0)?)?)
    }
}

impl FileStoredFormat for SpannedJson {
    fn file_extensions(&self) -> &'static [&'static str] {
        &["json"]
    }
}

fn flatten(document: &Arc<Document>) -> Result<Vec<Flat>, Problems> {
    let mut reader = Reader {
        document,
        text: document.text(),
        at: 0,
        visited: 0,
        flats: Vec::new(),
        problems: Vec::new(),
    };
    if let Err(problem) = reader.file() {
        return Err(problem.into());
    }
    match Problems::from_list(reader.problems) {
        Some(problems) => Err(problems),
        None => Ok(reader.flats),
    }
}

struct Reader<'a> {
    document: &'a Arc<Document>,
    text: &'a str,
    at: usize,
    visited: usize,
    flats: Vec<Flat>,
    /// Problems that do not keep the rest from being read.
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn file(&mut self) -> Result<(), Problem> {
        self.blanks();
        if self.at == self.text.len() {
            return Ok(());
        }
        if self.peek() != Some(b'{') {
            let span = self.at..self.word_end();
            let problem = Problem::error("the file is not a mapping");
            return Err(problem.at(self.document, span, "expected `{ \"key\": value }`"));
        }
        self.object("", None, 1)?;
        self.blanks();
        if self.at < self.text.len() {
            return Err(self.wrong("expected the end of the file"));
        }
        Ok(())
    }

    /// Reads an object. Recursion is bounded by the depth.
    fn object(
        &mut self,
        prefix: &str,
        before: Option<&Range<usize>>,
        depth: usize,
    ) -> Result<(), Problem> {
        self.enter(depth)?;
        let mut first = true;
        while self.goes_on(b'}', first)? {
            first = false;
            let start = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.wrong("expected a key in double quotes"));
            }
            let word = self.string()?;
            let word_span = start + 1..self.at - 1;
            self.blanks();
            if self.peek() != Some(b':') {
                return Err(self.wrong("expected `:`"));
            }
            self.at += 1;
            self.blanks();
            let key = super::yaml::joined(self.document, before, &word_span);
            if word.is_empty() {
                self.remember(
                    "a key is empty",
                    start..start + 2,
                    "expected a key like `output.dir`",
                );
            }
            let spelling = if prefix.is_empty() {
                word
            } else {
                format!("{prefix}.{word}")
            };
            if self.peek() == Some(b'{') {
                self.object(&spelling, Some(&key), depth + 1)?;
                continue;
            }
            let from = self.at;
            let (value, items) = if self.peek() == Some(b'[') {
                self.array(depth + 1)?
            } else {
                (self.scalar()?, Vec::new())
            };
            let span = self.visible(from..self.at);
            self.flats.push(Flat {
                spelling,
                key,
                value,
                span,
                items,
                merged: 0,
            });
        }
        Ok(())
    }

    fn array(&mut self, depth: usize) -> Result<(Value, Vec<Range<usize>>), Problem> {
        self.enter(depth)?;
        let (mut values, mut spans) = (Vec::new(), Vec::new());
        let mut first = true;
        while self.goes_on(b']', first)? {
            first = false;
            let from = self.at;
            if matches!(self.peek(), Some(b'[' | b'{')) {
                let problem = Problem::error("an element of a list is not a single value");
                let label = "expected text, a number, `true` or `false`";
                return Err(problem.at(self.document, from..from + 1, label));
            }
            let value = self.scalar()?;
            let span = self.visible(from..self.at);
            if value == Value::Unset {
                self.remember(
                    "an element of a list is empty",
                    span.clone(),
                    "expected a value",
                );
            }
            values.push(value);
            spans.push(span);
        }
        Ok((Value::List(values), spans))
    }

    /// Steps over the bracket that opens an object or a list.
    fn enter(&mut self, depth: usize) -> Result<(), Problem> {
        let span = self.at..self.at + 1;
        self.count(span.clone())?;
        if depth > DEPTH_LIMIT {
            let label = format!("at most {DEPTH_LIMIT} levels are allowed");
            let problem = Problem::error("the file is nested too deeply");
            return Err(problem.at(self.document, span, label));
        }
        self.at += 1;
        Ok(())
    }

    /// Whether another element follows; steps over the comma before it, or over the bracket that closes.
    fn goes_on(&mut self, close: u8, first: bool) -> Result<bool, Problem> {
        self.blanks();
        match self.peek() {
            Some(byte) if byte == close => {
                self.at += 1;
                Ok(false)
            }
            Some(b',') if !first => {
                self.at += 1;
                self.blanks();
                if self.peek() == Some(close) {
                    return Err(self.wrong("JSON has no comma after the last element"));
                }
                Ok(true)
            }
            Some(_) if first => Ok(true),
            _ => {
                let close = char::from(close);
                Err(self.wrong(&format!("expected `,` or `{close}`")))
            }
        }
    }

    fn scalar(&mut self) -> Result<Value, Problem> {
        let from = self.at;
        self.count(from..from)?;
        if self.peek() == Some(b'"') {
            return self.string().map(Value::Text);
        }
        let end = self.word_end();
        let word = &self.text[from..end];
        let value = match word {
            "null" => Value::Unset,
            "true" => Value::Flag(true),
            "false" => Value::Flag(false),
            _ => match number(word) {
                Some(Ok(value)) => value,
                Some(Err(())) => {
                    self.remember("a number is too large", from..end, "no option can hold it");
                    Value::Unset
                }
                None => return Err(self.wrong("expected a value; a text stands in double quotes")),
            },
        };
        self.at = end;
        Ok(value)
    }

    /// Reads a string; stands behind its closing quote afterwards.
    fn string(&mut self) -> Result<String, Problem> {
        let from = self.at;
        self.at += 1;
        let mut read = String::new();
        loop {
            let rest = &self.text[self.at..];
            let special = |c: char| c == '"' || c == '\\' || c < '\u{20}';
            let Some(length) = rest.find(special) else {
                let label = "the closing `\"` is missing";
                let span = self.visible(from..self.text.len());
                return Err(Problem::error("the file is not JSON").at(self.document, span, label));
            };
            read.push_str(&rest[..length]);
            self.at += length;
            match rest.as_bytes()[length] {
                b'"' => {
                    self.at += 1;
                    return Ok(read);
                }
                b'\\' => read.push(self.escaped()?),
                _ => {
                    return Err(
                        self.wrong("a line break or control character in a text; `\\n` is one")
                    );
                }
            }
        }
    }

    fn escaped(&mut self) -> Result<char, Problem> {
        let simple = match self.text.as_bytes().get(self.at + 1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return Err(self.wrong("unknown escape; `\\\\` is a backslash")),
        };
        self.at += 2;
        Ok(simple)
    }

    /// `\u00e4`, or two of them for characters beyond 16 bits.
    fn unicode(&mut self) -> Result<char, Problem> {
        let unit = |at: usize| {
            let digits = self.text.get(at..at + 6)?.strip_prefix("\\u")?;
            let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            is_hex
                .then(|| u16::from_str_radix(digits, 16).ok())
                .flatten()
        };
        let units = [unit(self.at), unit(self.at + 6)];
        let mut read = char::decode_utf16(units.into_iter().map_while(|unit| unit));
        match read.next() {
            Some(Ok(c)) => {
                self.at += 6 * c.len_utf16();
                Ok(c)
            }
            _ => Err(self.wrong("expected the four hexadecimal digits of a character")),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        let rest = &self.text[self.at..];
        let blanks = [' ', '\t', '\n', '\r'];
        self.at += rest.len() - rest.trim_start_matches(blanks).len();
    }

    /// The end of the word that begins here, at least one character.
    fn word_end(&self) -> usize {
        let rest = &self.text[self.at..];
        let is_end = |c: char| {
            c.is_ascii_whitespace() || matches!(c, ',' | ']' | '}' | ':' | '{' | '[' | '"')
        };
        let first = rest.chars().next().map_or(0, char::len_utf8);
        self.at + rest.find(is_end).unwrap_or(rest.len()).max(first)
    }

    fn wrong(&self, expected: &str) -> Problem {
        let span = self.at..self.word_end();
        Problem::error("the file is not JSON").at(self.document, span, expected)
    }

    fn count(&mut self, span: Range<usize>) -> Result<(), Problem> {
        self.visited += 1;
        if self.visited <= NODE_LIMIT {
            return Ok(());
        }
        let label = format!("at most {NODE_LIMIT} are allowed");
        Err(Problem::error("the file has too many values").at(self.document, span, label))
    }

    fn remember(&mut self, title: &str, span: Range<usize>, label: &str) {
        if self.problems.len() < PROBLEM_LIMIT {
            let problem = Problem::error(title).at(self.document, span, label);
            self.problems.push(problem);
        }
    }

    /// The part of a span in its first line.
    fn visible(&self, span: Range<usize>) -> Range<usize> {
        let text = &self.text[span.clone()];
        let length = text.find(['\n', '\r']).unwrap_or(text.len());
        span.start..span.start + length
    }
}

/// A number by the grammar of JSON; nothing if it is none, an error if no kind of option can hold it.
fn number(word: &str) -> Option<Result<Value, ()>> {
    let digits = word.strip_prefix('-').unwrap_or(word);
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (digits, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let is_whole = is_digits(whole) && (whole == "0" || !whole.starts_with('0'));
    let sign_less = |text: &str| is_digits(text.strip_prefix(['+', '-']).unwrap_or(text));
    if !is_whole || !fraction.is_none_or(is_digits) || !exponent.is_none_or(sign_less) {
        return None;
    }
    if fraction.is_none() && exponent.is_none() {
        return Some(word.parse().map(Value::Integer).map_err(drop));
    }
    // What is too large is infinite, which no option accepts.
    word.parse().ok().map(|number| Ok(Value::Float(number)))
}
