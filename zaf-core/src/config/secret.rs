//! Values that nobody may see: passwords, tokens, keys.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// What is shown in the place of a secret.
pub const SECRET_SHOWN: &str = "***";

/// A text that is never shown: whatever prints it, prints [`SECRET_SHOWN`]. Cheap to clone.
///
/// It protects from logs, error texts, traces and `Debug`; not from whoever can read the memory of the process.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The text, for the one place that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SECRET_SHOWN)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SECRET_SHOWN)
    }
}

/// What the value of a secret says about where the text is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Written<'a> {
    /// In this file: `file:PATH`.
    File(&'a str),
    /// Here: everything else; behind `text:` whatever it begins with.
    Here(&'a str),
}

impl<'a> Written<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        match (text.strip_prefix("file:"), text.strip_prefix("text:")) {
            (Some(path), _) => Self::File(path),
            (None, Some(rest)) => Self::Here(rest),
            (None, None) => Self::Here(text),
        }
    }
}

/// The value of an option that is read as this very text again.
pub(super) fn written(text: &str) -> String {
    format!("text:{}", text.replace("${", "$${"))
}

/// The bytes of a file's text behind one of these words, where it stands as a key: to the end of its line, and lines below
/// that are indented further. A rule about text and not about a format, so that it also holds for a file that is broken.
pub(super) fn behind(text: &str, words: &BTreeSet<String>) -> Vec<Range<usize>> {
    let mut hidden = Vec::new();
    if words.is_empty() {
        return hidden;
    }
    // Indentation of the key whose value goes on in the lines below.
    let mut open: Option<usize> = None;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let content = line.trim_end();
        let indentation = content.len() - content.trim_start().len();
        let is_below = open.is_some_and(|of| content.is_empty() || indentation > of);
        if is_below {
            hidden.push(start + indentation..start + content.len().max(indentation));
        } else {
            open = None;
            if let Some(at) = behind_key(content, words) {
                hidden.push(start + at..start + content.len());
                open = Some(indentation);
            }
        }
        start += line.len();
    }
    hidden
}

/// The byte behind the first `word:` or `word =`.
fn behind_key(line: &str, words: &BTreeSet<String>) -> Option<usize> {
    let is_of_word = |c: char| c.is_ascii_alphanumeric();
    let mut at = 0;
    for word in line.split(|c| !is_of_word(c)) {
        let end = at + word.len();
        at = end + line[end..].chars().next().map_or(0, char::len_utf8);
        if !words.contains(&word.to_ascii_lowercase()) {
            continue;
        }
        let rest = line[end..].trim_start_matches(['"', '\'', ' ', '\t']);
        let begins = line.len() - rest.len();
        // The word of an instruction (`.replace`) may follow.
        let rest_of_key = rest.trim_start_matches(|c: char| {
            is_of_word(c) || matches!(c, '.' | '-' | '_' | '"' | '\'' | ' ')
        });
        let skipped = rest.len() - rest_of_key.len();
        if rest_of_key.starts_with([':', '=']) {
            return Some(begins + skipped + 1);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_prints_a_secret_shows_it() {
        let secret = Secret::new("hunter2");
        assert_eq!(
            format!("{secret} {secret:?} {:?}", [&secret]),
            "*** *** [***]"
        );
        assert_eq!(secret.reveal(), "hunter2");
    }

    #[test]
    fn what_stands_behind_a_key_is_found_in_any_format_even_a_broken_one() {
        let words = BTreeSet::from(["password".to_owned()]);
        let shown = |text: &str| {
            let mut shown = text.to_owned();
            for span in behind(text, &words).into_iter().rev() {
                shown.replace_range(span, "***");
            }
            shown
        };
        for (text, expected) in [
            (
                "db.password: hunter2\nport: 1\n",
                "db.password:***\nport: 1\n",
            ),
            (
                "db:\n  password: |\n    a\n    b\n  port: 1",
                "db:\n  password:***\n    ***\n    ***\n  port: 1",
            ),
            ("db-password = \"hunter2", "db-password =***"),
            (
                "{\"db\": {\"password\": \"hunter2\", \"port\": 1}}",
                "{\"db\": {\"password\":***",
            ),
            ("db.password.replace: [a]", "db.password.replace:***"),
            ("passwords: none\n", "passwords: none\n"),
            ("a: the password is long\n", "a: the password is long\n"),
        ] {
            assert_eq!(shown(text), expected);
        }
    }

    #[test]
    fn where_the_text_is() {
        assert_eq!(Written::of("file:a/b"), Written::File("a/b"));
        assert_eq!(Written::of("text:file:a"), Written::Here("file:a"));
        assert_eq!(Written::of("hunter2"), Written::Here("hunter2"));
    }
}
