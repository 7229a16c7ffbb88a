//! Texts in lines that are no wider than the terminal, broken between words.

use rustix::stdio::stdout;
use rustix::termios::tcgetwinsize;
use unicode_width::UnicodeWidthStr;

/// What a terminal is taken for that does not say how large it is.
const USUAL: (usize, usize) = (80, 24);

/// Narrower than this nothing can be read anyway.
const NARROWEST: usize = 20;

/// Columns and rows of the terminal.
pub(crate) fn size() -> (usize, usize) {
    match tcgetwinsize(stdout()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => {
            (usize::from(size.ws_col), usize::from(size.ws_row))
        }
        _ => USUAL,
    }
}

/// The text in lines of at most `width` columns, of which the first begins at column `begin` and the others at `indent`, which are a part of
/// them. A word that is wider than a line has a line of its own, and is wider. Line breaks of the text stay.
pub(crate) fn paragraph(text: &str, width: usize, begin: usize, indent: usize) -> String {
    let width = width.max(NARROWEST);
    // Where there is no room for an indentation there is none.
    let indent = if indent * 2 > width { 2 } else { indent };
    let mut lines = Vec::new();
    for part in text.lines() {
        let mut line = String::new();
        let mut used = if lines.is_empty() { begin } else { indent };
        for word in part.split_whitespace() {
            let more = word.width() + usize::from(!line.is_empty());
            if used + more > width && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
                used = indent;
            }
            if !line.is_empty() {
                line.push(' ');
                used += 1;
            }
            line.push_str(word);
            used += word.width();
        }
        lines.push(line);
    }
    lines.join(&format!("\n{}", " ".repeat(indent)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words_and_no_wider_than_asked_for() {
        let text = "An extension that is there whatever the command is,\nand one moreverylongwordthatfitsnowhere.";
        assert_eq!(
            paragraph(text, 30, 2, 4),
            "An extension that is there\n    whatever the command is,\n    and one\n    moreverylongwordthatfitsnowhere."
        );
        for width in [20, 40, 80, 200] {
            let lines = paragraph(&"word and more ".repeat(20), width, 15, 15);
            let widths = lines.lines().map(UnicodeWidthStr::width);
            assert!(widths.max().unwrap() <= width, "{lines}");
        }
    }

    #[test]
    fn a_narrow_terminal_has_no_indentation() {
        assert_eq!(
            paragraph("one two three four", 20, 13, 13),
            "one two\n  three four"
        );
        assert_eq!(paragraph("", 20, 0, 0), "");
    }
}
