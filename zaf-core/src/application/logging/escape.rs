//! Makes texts of strangers harmless: what they contain cannot end a line, move a cursor or turn text around. Pure.

use std::fmt::Write as _;

/// What begins a further line of one record on a console.
const FURTHER_LINE: &str = "\n    ";

/// Whether a character does something instead of being shown.
fn is_active(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            // Line and paragraph separator; marks that turn the direction of text.
            '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{061c}'
            | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Appends `text` as a part of one line.
pub(super) fn one_line(out: &mut String, text: &str) {
    escape(out, text, false);
}

/// Appends `text` for people: its further lines are indented, so that none looks like the first line of a record.
pub(super) fn indented(out: &mut String, text: &str) {
    escape(out, text.trim_end_matches('\n'), true);
}

fn escape(out: &mut String, text: &str, keep_lines: bool) {
    let mut rest = text;
    while let Some(at) = rest.find(is_active) {
        let (plain, from) = rest.split_at(at);
        out.push_str(plain);
        let mut letters = from.chars();
        match letters.next() {
            Some('\n') if keep_lines => out.push_str(FURTHER_LINE),
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str(if keep_lines { "    " } else { "\\t" }),
            Some(other) => {
                // Writing to a `String` cannot fail.
                let _ = write!(out, "\\u{{{:x}}}", u32::from(other));
            }
            None => {}
        }
        rest = letters.as_str();
    }
    out.push_str(rest);
}

/// Appends a line of JSON, in which a serializer has left what JSON does not ask to be escaped.
pub(super) fn json(out: &mut String, line: &str) {
    for letter in line.chars() {
        if is_active(letter) {
            let mut units = [0; 2];
            for unit in letter.encode_utf16(&mut units) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(letter);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_does_something_is_shown_instead() {
        let mut line = String::new();
        one_line(&mut line, "a\nerror: b\r\t\u{1b}[2K\u{9b}x\u{202e}é");
        assert_eq!(line, "a\\nerror: b\\r\\t\\u{1b}[2K\\u{9b}x\\u{202e}é");
        let mut lines = String::new();
        indented(&mut lines, "a\nerror: b\u{7}\n");
        assert_eq!(lines, "a\n    error: b\\u{7}");
    }

    proptest! {
        #[test]
        fn a_text_stays_in_its_line(text in any::<String>()) {
            let mut line = String::new();
            one_line(&mut line, &text);
            prop_assert!(!line.chars().any(is_active), "{line:?}");
            let mut lines = String::new();
            indented(&mut lines, &text);
            for further in lines.lines().skip(1) {
                prop_assert!(further.starts_with("    "), "{lines:?}");
            }
            prop_assert!(lines.chars().all(|letter| letter == '\n' || !is_active(letter)));
        }

        #[test]
        fn json_stays_the_same_value_in_one_line(text in any::<String>()) {
            let mut line = String::new();
            json(&mut line, &serde_json::to_string(&text).unwrap());
            prop_assert!(!line.chars().any(is_active), "{line:?}");
            prop_assert_eq!(serde_json::from_str::<String>(&line).unwrap(), text);
        }
    }
}
