//! One line of TAP.

use super::{Directive, Plan};

/// What a line is, after its indentation was taken off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    Version(u32),
    Plan(Plan),
    Point {
        ok: bool,
        number: Option<u64>,
        description: String,
        directive: Option<Directive>,
    },
    BailOut(String),
    /// `pragma +strict` and `-strict`; others mean nothing.
    Strict(bool),
    Comment,
    Other,
}

pub(super) fn classify(line: &str) -> Line {
    let line = line.trim_end();
    if let Some(version) = line.strip_prefix("TAP version ") {
        return version.trim().parse().map_or(Line::Other, Line::Version);
    }
    if let Some(reason) = strip_prefix_ignoring_case(line, "Bail out!") {
        return Line::BailOut(reason.trim().to_owned());
    }
    if line.starts_with('#') {
        return Line::Comment;
    }
    match line {
        "pragma +strict" => return Line::Strict(true),
        "pragma -strict" => return Line::Strict(false),
        _ if line.starts_with("pragma ") => return Line::Comment,
        _ => {}
    }
    plan(line).or_else(|| point(line)).unwrap_or(Line::Other)
}

fn plan(line: &str) -> Option<Line> {
    let rest = line.strip_prefix("1..")?;
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let count = rest[..digits].parse().ok()?;
    let rest = rest[digits..].trim();
    let skip = match rest.strip_prefix('#') {
        Some(comment) => match directive_word(comment.trim_start()) {
            Some(Directive::Skip(reason)) => Some(reason),
            _ if count == 0 => Some(comment.trim().to_owned()),
            _ => None,
        },
        None if rest.is_empty() => None,
        None => return None,
    };
    Some(Line::Plan(Plan { count, skip }))
}

fn point(line: &str) -> Option<Line> {
    let (ok, rest) = match line.strip_prefix("not ok") {
        Some(rest) => (false, rest),
        None => (true, line.strip_prefix("ok")?),
    };
    if !rest.is_empty() && !rest.starts_with([' ', '\t']) {
        return None;
    }
    let rest = rest.trim_start();
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let after = &rest[digits..];
    let is_number = digits > 0 && (after.is_empty() || after.starts_with([' ', '\t', '#']));
    let (number, rest) = match rest[..digits].parse() {
        Ok(number) if is_number => (Some(number), after),
        _ => (None, rest),
    };
    let (description, directive) = split_directive(rest);
    let description = description.trim();
    let description = description
        .strip_prefix("- ")
        .or_else(|| (description == "-").then_some(""))
        .unwrap_or(description);
    Some(Line::Point {
        ok,
        number,
        description: unescape(description.trim_start()),
        directive,
    })
}

/// Splits at the first `#` that is not escaped, stands at the beginning or after a space, and is followed by a directive.
fn split_directive(text: &str) -> (&str, Option<Directive>) {
    let mut escaped = false;
    let mut after_space = true;
    for (at, c) in text.char_indices() {
        if c == '#'
            && !escaped
            && after_space
            && let Some(directive) = directive_word(text[at + 1..].trim_start())
        {
            return (&text[..at], Some(directive));
        }
        escaped = c == '\\' && !escaped;
        after_space = c.is_whitespace();
    }
    (text, None)
}

fn directive_word(text: &str) -> Option<Directive> {
    let make = |word: &str| {
        let rest = strip_prefix_ignoring_case(text, word)?;
        // Producers write `SKIPPED`, `SKIP:` and `TODO:` too; what sticks to the word belongs to it.
        let rest = rest.trim_start_matches(|c: char| !c.is_whitespace());
        Some(unescape(rest.trim()))
    };
    make("skip")
        .map(Directive::Skip)
        .or_else(|| make("todo").map(Directive::Todo))
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let start = text.get(..prefix.len())?;
    start
        .eq_ignore_ascii_case(prefix)
        .then(|| &text[prefix.len()..])
}

/// `\#` and `\\` stand for the second character; other backslashes for themselves.
fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match characters.peek() {
            Some(&next @ ('#' | '\\')) if c == '\\' => {
                characters.next();
                plain.push(next);
            }
            _ => plain.push(c),
        }
    }
    plain
}
