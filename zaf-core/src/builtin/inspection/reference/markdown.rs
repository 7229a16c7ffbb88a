//! Markdown in which texts of strangers are only text. Pure.
//!
//! Whatever could be markup, HTML, or an instruction of mdBook (`{{#include …}}`) is written as an entity: no text begins a list,
//! opens a link or reads a file.

use std::fmt::Write as _;

use super::topic::Span;

/// Text in a paragraph or an item: one line; words between backticks are code.
pub(super) fn text(raw: &str) -> String {
    let mut out = String::new();
    let mut rest = raw;
    while let Some((before, behind)) = rest.split_once('`') {
        let Some((inside, after)) = behind.split_once('`') else {
            break;
        };
        out.push_str(&plain(before, out.is_empty()));
        if inside.trim().is_empty() {
            out.push_str(&plain(&format!("`{inside}`"), out.is_empty()));
        } else {
            out.push_str(&code(inside));
        }
        rest = after;
    }
    let last = plain(rest, out.is_empty());
    out + &last
}

/// Text without code.
fn plain(raw: &str, begins_line: bool) -> String {
    let mut out = String::new();
    for letter in raw.chars() {
        let is_first = begins_line && out.is_empty();
        let is_number = begins_line && out.bytes().all(|byte| byte.is_ascii_digit());
        if is_letter(letter) && !(is_first && !letter.is_alphanumeric() && letter.is_ascii()) {
            // `1.` would begin a list.
            if is_number && matches!(letter, '.' | ')') {
                push_entity(&mut out, letter);
            } else {
                out.push(letter);
            }
        } else if letter.is_whitespace() {
            if !is_first {
                out.push(' ');
            }
        } else {
            push_entity(&mut out, letter);
        }
    }
    out
}

/// Code in a line.
pub(super) fn code(raw: &str) -> String {
    let is_simple = |letter: char| {
        letter.is_alphanumeric()
            || matches!(
                letter,
                ' ' | '_'
                    | '-'
                    | '.'
                    | ':'
                    | '/'
                    | ','
                    | '='
                    | '@'
                    | '+'
                    | '*'
                    | '('
                    | ')'
                    | '['
                    | ']'
                    | '\''
                    | '"'
                    | '<'
                    | '>'
                    | '→'
                    | ';'
                    | '%'
                    | '#'
                    | '?'
                    | '!'
                    | '$'
                    | '~'
            )
    };
    if !raw.trim().is_empty() && raw.trim() == raw && raw.chars().all(is_simple) {
        return format!("`{raw}`");
    }
    let mut out = String::from("<code>");
    for letter in raw.chars() {
        if letter.is_alphanumeric() {
            out.push(letter);
        } else {
            push_entity(&mut out, letter);
        }
    }
    out + "</code>"
}

/// Letters that are nothing but text, wherever they stand in a line that begins with another one.
fn is_letter(letter: char) -> bool {
    letter.is_alphanumeric()
        || matches!(
            letter,
            '.' | ','
                | ';'
                | ':'
                | '\''
                | '"'
                | '('
                | ')'
                | '/'
                | '?'
                | '%'
                | '-'
                | '+'
                | '='
                | '@'
        )
        || (!letter.is_ascii()
            && !letter.is_control()
            && !letter.is_whitespace()
            && !is_turning(letter))
}

/// Marks that turn the direction of text.
fn is_turning(letter: char) -> bool {
    matches!(letter, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

fn push_entity(out: &mut String, letter: char) {
    if letter.is_control() || is_turning(letter) {
        // As an entity it would still do what it does.
        for shown in letter.escape_unicode() {
            push_shown(out, shown);
        }
    } else {
        push_shown(out, letter);
    }
}

fn push_shown(out: &mut String, letter: char) {
    if letter.is_alphanumeric() {
        out.push(letter);
    } else {
        // Writing to a `String` cannot fail.
        let _ = write!(out, "&#{};", u32::from(letter));
    }
}

/// A line; `link` makes the address of a topic.
pub(super) fn line(spans: &[Span], link: &dyn Fn(&Span) -> Option<String>) -> String {
    let mut out = String::new();
    for span in spans {
        let shown = match span {
            Span::Text(raw) => plain(raw, out.is_empty()),
            Span::Code(raw) | Span::Topic(_, raw) => code(raw),
        };
        match link(span) {
            Some(address) => out.extend(["[", &shown, "](", &address, ")"]),
            None => out.push_str(&shown),
        }
    }
    out
}

/// The name of a place in a page: letters, digits, `.`, `_` and `-` only.
pub(super) fn anchor(name: &str) -> String {
    let safe = |letter: char| {
        if letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-') {
            letter
        } else {
            '-'
        }
    };
    name.chars().map(safe).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a reader sees: entities are letters again, tags are gone.
    fn seen(markdown: &str) -> String {
        let mut out = String::new();
        let mut rest = markdown
            .replace("<code>", "")
            .replace("</code>", "")
            .replace('`', "");
        while let Some((before, behind)) = rest.split_once("&#") {
            let (number, after) = behind.split_once(';').unwrap();
            out.push_str(before);
            out.push(char::from_u32(number.parse().unwrap()).unwrap());
            rest = after.to_owned();
        }
        out + &rest
    }

    #[test]
    fn hostile_texts_are_only_text() {
        for (raw, expected) in [
            ("Plain: a, b (c) - d.", "Plain: a, b (c) - d."),
            ("# no heading", "&#35; no heading"),
            ("- no item", "&#45; no item"),
            ("1. no item", "1&#46; no item"),
            ("<script>x</script>", "&#60;script&#62;x&#60;/script&#62;"),
            ("[x](javascript:y)", "&#91;x&#93;(javascript:y)"),
            ("a | b * c _d_", "a &#124; b &#42; c &#95;d&#95;"),
            (
                "{{#include /etc/passwd}}",
                "&#123;&#123;&#35;include /etc/passwd&#125;&#125;",
            ),
            ("&amp; \\*", "&#38;amp; &#92;&#42;"),
            ("two\nlines", "two lines"),
            ("use `--x` or `", "use `--x` or &#96;"),
            (
                "`{{#include x}}`",
                "<code>&#123;&#123;&#35;include&#32;x&#125;&#125;</code>",
            ),
            ("\u{202e}\u{7}", "&#92;u&#123;202e&#125;&#92;u&#123;7&#125;"),
        ] {
            assert_eq!(text(raw), expected, "{raw}");
        }
        assert_eq!(code("a`b"), "<code>a&#96;b</code>");
        assert_eq!(code("NAME=LEVEL"), "`NAME=LEVEL`");
        assert_eq!(anchor("a b/ü[x]"), "a-b---x-");
    }

    proptest! {
        #[test]
        fn nothing_in_a_text_is_markup(raw in any::<String>()) {
            // A name of its own for each: what is active in text is not in a span of code.
            let markdown = plain(&raw, true);
            prop_assert!(
                !markdown.contains(['<', '>', '[', ']', '*', '_', '`', '\\', '{', '}', '|', '~', '$', '!', '^', '\n', '\r']),
                "{markdown}"
            );
            let first = markdown.chars().next();
            prop_assert!(first.is_none_or(|c| c.is_alphanumeric() || c == '&' || !c.is_ascii()), "{markdown}");
            prop_assert!(!markdown.chars().any(|c| c.is_control() || is_turning(c)));
        }

        #[test]
        fn what_is_printable_is_seen_as_it_was_written(raw in "[ -_a-~é→]{0,40}") {
            prop_assert_eq!(seen(&plain(&raw, true)), raw.trim_start());
            prop_assert_eq!(seen(&plain(&raw, false)), raw.clone());
            let quoted = code(&raw);
            prop_assert!(!quoted.contains(['{', '}', '\n', '|']), "{quoted}");
            if !raw.trim().is_empty() {
                prop_assert_eq!(seen(&quoted), raw);
            }
        }

        #[test]
        fn anchors_are_harmless(raw in any::<String>()) {
            prop_assert!(anchor(&raw).bytes().all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b)));
        }
    }
}
