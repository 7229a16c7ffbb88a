//! Command lines that can be pasted into a shell.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::printable_line;

/// A command line that a POSIX shell (bash, ksh, zsh for control characters) reads as these words.
pub fn shell_command_line<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<_> = words.into_iter().map(shell_word).collect();
    quoted.join(" ")
}

fn shell_word(word: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_alphanumeric() || "_@%+=:,./-".contains(c);
    let shown = matches!(printable_line(word), Cow::Borrowed(_));
    if !word.is_empty() && shown && word.chars().all(plain) {
        return Cow::Borrowed(word);
    }
    if shown {
        return Cow::Owned(format!("'{}'", word.replace('\'', r"'\''")));
    }
    let mut quoted = String::from("$'");
    for c in word.chars() {
        let text = c.to_string();
        match c {
            '\'' | '\\' => {
                quoted.push('\\');
                quoted.push(c);
            }
            _ if matches!(printable_line(&text), Cow::Borrowed(_)) => quoted.push(c),
            _ => {
                // Byte by byte: the one form that all shells with $'…' understand.
                for byte in text.bytes() {
                    let _ = write!(quoted, "\\x{byte:02x}");
                }
            }
        }
    }
    quoted.push('\'');
    Cow::Owned(quoted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_can_be_pasted() {
        assert_eq!(
            shell_command_line(["zk2", "run", "a b", "it's", ""]),
            r"zk2 run 'a b' 'it'\''s' ''"
        );
        assert_eq!(shell_command_line(["a\u{1b}'\n"]), r"$'a\x1b\'\x0a'");
        assert_eq!(shell_command_line(["m::c[a=-s]"]), "'m::c[a=-s]'");
    }
}
