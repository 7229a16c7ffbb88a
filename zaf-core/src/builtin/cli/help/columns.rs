//! Two columns of text: what is typed, and what it means. Pure.

use anstyle::Style;
use unicode_width::UnicodeWidthStr as _;

/// Narrowest terminal that help is made for; a narrower one breaks the lines itself.
const NARROWEST: usize = 40;
/// Columns beyond which help is harder to read, not easier.
const WIDEST: usize = 120;
/// Blanks between the columns, at least.
const GAP: usize = 2;

/// A piece of text that is not broken where it fits into a line, with a look. Looks only add: they are left out where the stream does not want them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Piece {
    pub(super) text: String,
    pub(super) style: Style,
}

impl Piece {
    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self::styled(text, Style::new())
    }

    pub(super) fn styled(text: impl Into<String>, style: Style) -> Self {
        Self {
            text: text.into(),
            style,
        }
    }

    /// The words of a text.
    pub(super) fn words(text: &str, style: Style) -> impl Iterator<Item = Self> {
        text.split_whitespace()
            .map(move |word| Self::styled(word, style))
    }

    /// What follows stands on a line of its own.
    pub(super) fn line_break() -> Self {
        Self::plain(BREAK)
    }

    fn columns(&self) -> usize {
        self.text.width()
    }

    /// Itself, or its words if it is wider than `most` columns.
    fn that_fits(&self, most: usize) -> Vec<Self> {
        if self.columns() <= most || !self.text.contains(' ') {
            return vec![self.clone()];
        }
        Self::words(&self.text, self.style).collect()
    }

    fn push_to(&self, text: &mut String) {
        if self.style == Style::new() {
            text.push_str(&self.text);
        } else {
            text.extend([
                &self.style.render().to_string(),
                self.text.as_str(),
                &self.style.render_reset().to_string(),
            ]);
        }
    }
}

/// Text of the piece that ends a line.
const BREAK: &str = "\n";

/// What is typed, and the words that say what it means.
#[derive(Debug, Clone)]
pub(in super::super) struct Row {
    /// One after the other, without blanks between.
    pub(super) typed: Vec<Piece>,
    /// With blanks between, or line breaks.
    pub(super) meaning: Vec<Piece>,
}

impl Row {
    /// What is typed, without looks.
    pub(in super::super) fn typed_text(&self) -> String {
        self.typed.iter().map(|piece| piece.text.as_str()).collect()
    }

    /// What it means, without looks, in as many lines as there are breaks in it.
    pub(in super::super) fn meaning_lines(&self) -> Vec<String> {
        self.meaning
            .split(|piece| piece.text == BREAK)
            .map(|pieces| {
                let words: Vec<&str> = pieces.iter().map(|piece| piece.text.as_str()).collect();
                words.join(" ")
            })
            .filter(|line| !line.is_empty())
            .collect()
    }

    fn columns(&self) -> usize {
        self.typed.iter().map(Piece::columns).sum()
    }
}

/// Where the columns of one page stand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Columns {
    width: usize,
    /// Where the meaning begins; the same on the whole page.
    second: usize,
}

impl Columns {
    /// The columns for these rows in a terminal of `width` columns: what is typed gets at most about a third. A row whose
    /// first column is wider has its meaning on the next line.
    pub(super) fn of<'a>(rows: impl IntoIterator<Item = &'a Row>, width: usize) -> Self {
        let width = width.clamp(NARROWEST, WIDEST);
        let most = (width * 3 / 8).min(42);
        let widest = rows
            .into_iter()
            .map(|row| row.columns() + GAP)
            .filter(|columns| *columns <= most)
            .max();
        Self {
            width,
            second: widest.unwrap_or(most),
        }
    }

    /// The lines of a row.
    pub(super) fn row(&self, row: &Row) -> String {
        let mut text = String::new();
        for piece in &row.typed {
            piece.push_to(&mut text);
        }
        let mut lines = self
            .wrapped(&row.meaning, self.second)
            .into_iter()
            .peekable();
        if lines.peek().is_some() {
            let columns = row.columns();
            let blanks = if columns + GAP <= self.second {
                self.second - columns
            } else {
                text.push('\n');
                self.second
            };
            text.extend(std::iter::repeat_n(' ', blanks));
        }
        text.push_str(
            &lines
                .collect::<Vec<_>>()
                .join(&format!("\n{}", " ".repeat(self.second))),
        );
        text.push('\n');
        text
    }

    /// Words over the whole width, indented.
    pub(super) fn paragraph(&self, words: &[Piece], indent: usize) -> String {
        let blanks = " ".repeat(indent);
        self.wrapped(words, indent)
            .into_iter()
            .flat_map(|line| [blanks.clone(), line, "\n".to_owned()])
            .collect()
    }

    /// Lines that fit behind `indent` columns, if their words do.
    fn wrapped(&self, words: &[Piece], indent: usize) -> Vec<String> {
        let most = self.width - indent;
        let mut lines = Vec::new();
        let mut line = String::new();
        let mut columns = 0;
        for word in words.iter().flat_map(|piece| piece.that_fits(most)) {
            let is_break = word.text == BREAK;
            if columns > 0 && (is_break || columns + 1 + word.columns() > most) {
                lines.push(std::mem::take(&mut line));
                columns = 0;
            }
            if is_break {
                continue;
            }
            if columns > 0 {
                line.push(' ');
                columns += 1;
            }
            word.push_to(&mut line);
            columns += word.columns();
        }
        if columns > 0 {
            lines.push(line);
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(typed: &str, meaning: &str) -> Row {
        Row {
            typed: vec![Piece::plain(typed)],
            meaning: Piece::words(meaning, Style::new()).collect(),
        }
    }

    fn laid_out(rows: &[Row], width: usize) -> String {
        let columns = Columns::of(rows, width);
        rows.iter().map(|row| columns.row(row)).collect()
    }

    #[test]
    fn one_column_holds_for_the_page_and_what_is_too_long_stands_alone() {
        let rows = [
            row("  -a", "one two three four five six seven eight"),
            row("  --longer-than-the-rest", "nine"),
            row("  --漢字", "ten"),
            row("  --alone", ""),
        ];
        insta::assert_snapshot!(laid_out(&rows, 40), @r"
          -a       one two three four five six
                   seven eight
          --longer-than-the-rest
                   nine
          --漢字   ten
          --alone
        ");
    }

    #[test]
    fn m1_no_width_is_too_small_and_a_long_word_stays_whole() {
        let rows = [row("  -a", &"x".repeat(200))];
        for width in [0, 1, 39, 40, 80, usize::MAX] {
            assert!(laid_out(&rows, width).contains(&"x".repeat(200)), "{width}");
        }
    }

    #[test]
    fn looks_take_no_width() {
        let bold = Style::new().bold();
        let plain = row("  -a", "one two three four five six seven eight");
        let styled = Row {
            typed: vec![Piece::styled("  -a", bold)],
            meaning: Piece::words("one two three four five six seven eight", bold).collect(),
        };
        let text = laid_out(&[styled], 40);
        assert_eq!(
            anstream::adapter::strip_str(&text).to_string(),
            laid_out(&[plain], 40)
        );
    }
}
