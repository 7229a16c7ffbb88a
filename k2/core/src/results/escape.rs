//! Makes text from outside safe to show on a terminal and in plain text files.
//!
//! Names and outputs of test cases may contain anything: escape sequences that repaint or re-program a terminal, carriage
//! returns that hide what stood there, marks that turn the direction of text. They are shown as what they are, `\u{1b}`,
//! and do nothing.

use std::borrow::Cow;
use std::fmt::Write as _;

/// `text` with everything escaped that a terminal might act on, line breaks too: always one line.
pub fn printable_line(text: &str) -> Cow<'_, str> {
    escape(text, false)
}

/// `text` with everything escaped that a terminal might act on, except line feeds and tabs.
pub fn printable(text: &str) -> Cow<'_, str> {
    escape(text, true)
}

fn escape(text: &str, keep_layout: bool) -> Cow<'_, str> {
    // Most texts are names of cases, and most of these plain.
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Cow::Borrowed(text);
    }
    let harmless = |c: char| is_harmless(c) || (keep_layout && matches!(c, '\n' | '\t'));
    let Some((first, _)) = text.char_indices().find(|&(_, c)| !harmless(c)) else {
        return Cow::Borrowed(text);
    };
    let (clean, rest) = text.split_at(first);
    let mut escaped = String::with_capacity(text.len() + 16);
    escaped.push_str(clean);
    for c in rest.chars() {
        match c {
            c if harmless(c) => escaped.push(c),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            c => {
                // Writing to a String cannot fail.
                let _ = write!(escaped, "\\u{{{:x}}}", u32::from(c));
            }
        }
    }
    Cow::Owned(escaped)
}

/// Whether a terminal shows `c` and does nothing else.
fn is_harmless(c: char) -> bool {
    !(c.is_control() // C0, DEL, C1
        || matches!(c,
            '\u{061c}' | '\u{200b}'..='\u{200f}'      // direction marks, characters without width
            | '\u{2028}'..='\u{202e}'                 // line and paragraph separators, direction embeddings
            | '\u{2060}'..='\u{206f}'                 // invisible operators, direction isolates
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}'    // byte order mark, annotations
            | '\u{fffe}' | '\u{ffff}' // no characters
            | '\u{e0000}'..='\u{e007f}')) // tags
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn e11_what_a_terminal_would_act_on_is_shown_instead() {
        assert_eq!(
            printable_line("\u{1b}]52;c;ZWNobw==\u{7}"),
            "\\u{1b}]52;c;ZWNobw==\\u{7}"
        );
        assert_eq!(printable_line("a\rb\nc\td\0"), "a\\rb\\nc\\td\\u{0}");
        assert_eq!(printable_line("\u{202e}gpj.exe"), "\\u{202e}gpj.exe");
        assert_eq!(printable("one\n\ttwo\r\n"), "one\n\ttwo\\r\n");
        assert!(matches!(printable_line("größe ✓ 大"), Cow::Borrowed(_)));
    }

    proptest! {
        #[test]
        fn e11_nothing_that_acts_gets_through(text in any::<String>()) {
            prop_assert!(printable_line(&text).chars().all(is_harmless));
            prop_assert!(printable(&text).chars().all(|c| is_harmless(c) || c == '\n' || c == '\t'));
        }
    }
}
