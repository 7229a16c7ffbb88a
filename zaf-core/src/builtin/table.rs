//! Lays texts out in columns. Pure.

use anstyle::Style;

/// Blanks between columns.
const GAP: &str = "  ";
/// Narrowest last column that is worth wrapping; in a narrower terminal lines are left long.
const NARROWEST: usize = 16;

/// A text with a look. Looks only add: they are left out where the stream does not want them, and never count for the width.
#[derive(Debug, Clone, Default)]
pub(super) struct Cell {
    text: String,
    style: Style,
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self {
            text: text.into(),
            style: Style::new(),
        }
    }
}

impl Cell {
    pub(super) fn styled(text: impl Into<String>, style: Style) -> Self {
        Self {
            text: text.into(),
            style,
        }
    }

    /// The heading of a column.
    pub(super) fn heading(text: &str) -> Self {
        Self::styled(text, Style::new().bold())
    }

    fn columns(&self) -> usize {
        self.text.chars().count()
    }
}

/// Rows of cells as lines of at most `width` columns: all columns as wide as their widest cell, the last one wrapped at blanks.
/// `right` says which columns stand at the right edge. No blanks at the end of lines; ends in a line break.
pub(super) fn lay_out<const N: usize>(
    rows: &[[impl Into<Cell> + Clone; N]],
    right: [bool; N],
    width: usize,
) -> String {
    lay_out_rows(rows, right, width).concat()
}

/// As [`lay_out`], with the lines of each row apart.
pub(super) fn lay_out_rows<const N: usize>(
    rows: &[[impl Into<Cell> + Clone; N]],
    right: [bool; N],
    width: usize,
) -> Vec<String> {
    let rows: Vec<[Cell; N]> = rows.iter().map(|row| row.clone().map(Into::into)).collect();
    let mut widths = [0; N];
    for row in &rows {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = (*widest).max(cell.columns());
        }
    }
    let before_last: usize =
        widths.iter().take(N.saturating_sub(1)).sum::<usize>() + GAP.len() * N.saturating_sub(1);
    let left_over = width.saturating_sub(before_last).max(NARROWEST);
    rows.iter()
        .map(|row| one_row(row, right, widths, before_last, left_over))
        .collect()
}

fn one_row<const N: usize>(
    row: &[Cell; N],
    right: [bool; N],
    widths: [usize; N],
    before_last: usize,
    left_over: usize,
) -> String {
    let mut text = String::new();
    // Blanks are written when something follows them.
    let mut pending = 0;
    for (index, (cell, widest)) in row.iter().zip(widths).enumerate().take(N.saturating_sub(1)) {
        let blanks = widest - cell.columns();
        let (before, after) = if right[index] {
            (blanks, 0)
        } else {
            (0, blanks)
        };
        pending += before;
        push(&mut text, &mut pending, &cell.text, cell.style);
        pending += after + GAP.len();
    }
    let last = row.last().cloned().unwrap_or_default();
    for part in wrapped(&last.text, left_over) {
        push(&mut text, &mut pending, &part, last.style);
        text.push('\n');
        pending = before_last;
    }
    text
}

/// Appends a text after the blanks that are pending; nothing if it is empty.
fn push(text: &mut String, pending: &mut usize, part: &str, style: Style) {
    if part.is_empty() {
        return;
    }
    text.extend(std::iter::repeat_n(' ', std::mem::take(pending)));
    text.extend([
        &style.render().to_string(),
        part,
        &style.render_reset().to_string(),
    ]);
}

/// A row of a table with more about it below.
#[derive(Debug, Clone)]
pub(super) struct Block<const N: usize> {
    pub(super) head: [Cell; N],
    /// What it is, over the whole width; may be empty.
    pub(super) description: String,
    /// Label and text; a label that is empty goes on with the text above.
    pub(super) details: Vec<[Cell; 2]>,
}

/// A table whose rows have details, indented and wrapped below each.
pub(super) fn lay_out_blocks<const N: usize>(
    heading: [&str; N],
    blocks: &[Block<N>],
    right: [bool; N],
    width: usize,
) -> String {
    const INDENT: &str = "    ";
    let heads: Vec<[Cell; N]> = std::iter::once(heading.map(Cell::heading))
        .chain(blocks.iter().map(|block| block.head.clone()))
        .collect();
    let mut lines = lay_out_rows(&heads, right, width).into_iter();
    let mut text = lines.next().unwrap_or_default();
    for (head, block) in lines.zip(blocks) {
        text.push_str(&head);
        let below = width.saturating_sub(INDENT.len());
        let mut details = lay_out(&block.details, [false; 2], below);
        if !block.description.is_empty() {
            details.insert_str(0, &lay_out(&[[block.description.as_str()]], [false], below));
        }
        for line in details.lines() {
            text.extend([INDENT, line, "\n"]);
        }
    }
    text
}

/// The lines of a text, broken at blanks so that none is longer than `width`, if its words are not; at least one line.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            let longer = line.chars().count() + 1 + word.chars().count();
            if !line.is_empty() && longer > width {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_stand_below_their_row_and_looks_take_no_width() {
        let block = |name: &str, description: &str, details: Vec<[Cell; 2]>| Block {
            head: [Cell::styled(name, Style::new().bold()), "x".into()],
            description: description.to_owned(),
            details,
        };
        let text = lay_out_blocks(
            ["NAME", "KIND"],
            &[
                block("longest", "Says what it is.", Vec::new()),
                block(
                    "b",
                    "",
                    vec![
                        ["heard by".into(), "one two three four five".into()],
                        ["".into(), "six".into()],
                    ],
                ),
            ],
            [false; 2],
            32,
        );
        let plain = anstream::adapter::strip_str(&text).to_string();
        insta::assert_snapshot!(plain, @r"
        NAME     KIND
        longest  x
            Says what it is.
        b        x
            heard by  one two three four
                      five
                      six
        ");
    }

    #[test]
    fn the_last_column_is_wrapped_and_no_line_ends_in_blanks() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned);
        let text = lay_out(
            &[
                row(["1", "é", "makes the very best of it\nbecause"]),
                row(["100", "longer", ""]),
            ],
            [true, false, false],
            29,
        );
        insta::assert_snapshot!(text, @r"
          1  é       makes the very
                     best of it
                     because
        100  longer
        ");
        assert!(text.lines().all(|line| line == line.trim_end()));
    }
}
