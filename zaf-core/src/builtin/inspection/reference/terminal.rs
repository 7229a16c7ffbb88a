//! Topics in a terminal. Pure.

use anstyle::Style;

use super::super::super::table::{Cell, lay_out};
use super::topic::{Item, Span, Topic};

/// Blanks in front of what is said about a topic.
const INDENT: &str = "  ";

/// A topic in lines of at most `width` columns.
pub(super) fn shown(topic: &Topic, width: usize) -> String {
    let heading = format!("{} {}", topic.kind.word(), visible(&topic.name));
    let mut text = lay_out(
        &[[Cell::styled(heading, Style::new().bold())]],
        [false],
        width,
    );
    let below = width.saturating_sub(INDENT.len());
    let mut add = |lines: &str| {
        for line in lines.lines() {
            text.extend([INDENT, line, "\n"]);
        }
    };
    for paragraph in topic.paragraphs() {
        add(&lay_out(&[[visible(&paragraph)]], [false], below));
    }
    let mut rows: Vec<[String; 2]> = Vec::new();
    for fact in &topic.facts {
        let mut label = fact.label;
        for item in &fact.items {
            rows.push([std::mem::take(&mut label).to_owned(), line(item)]);
        }
    }
    add(&lay_out(&rows, [false; 2], below));
    text
}

fn line(item: &Item) -> String {
    let spans = item.iter().map(|span| match span {
        Span::Text(text) | Span::Code(text) | Span::Topic(_, text) => visible(text),
    });
    spans.collect()
}

/// The text without what a terminal would obey.
fn visible(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '\n' | '\t' => out.push(' '),
            letter if letter.is_control() => out.extend(letter.escape_unicode()),
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::topic::{Span, Topic, TopicKind, only};
    use super::*;

    #[test]
    fn a_topic_is_wrapped_and_obeys_nobody() {
        let mut topic = Topic::new(
            TopicKind::Option,
            "log.level",
            "Least serious log events that are shown.\n\nMore \u{1b}[2J of it.",
        );
        topic.fact(
            "one of",
            [only(Span::Text(
                "off, error, warn, info, debug, trace".into(),
            ))],
        );
        topic.fact(
            "asked for by",
            [
                only(Span::Topic(TopicKind::Extension, "logging".into())),
                only(Span::Code("x".into())),
            ],
        );
        insta::assert_snapshot!(anstream::adapter::strip_str(&shown(&topic, 40)).to_string(), @r"
        option log.level
          Least serious log events that are
          shown.
          More \u{1b}[2J of it.
          one of        off, error, warn, info,
                        debug, trace
          asked for by  logging
                        x
        ");
    }
}
