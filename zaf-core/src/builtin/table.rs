//! Lays texts out in columns. Pure.

/// Blanks between columns.
const GAP: &str = "  ";
/// Narrowest last column that is worth wrapping; in a narrower terminal lines are left long.
const NARROWEST: usize = 16;

/// Rows of cells as lines of at most `width` columns: all columns as wide as their widest cell, the last one wrapped at blanks.
/// `right` says which columns stand at the right edge. No blanks at the end of lines; ends in a line break.
pub(super) fn lay_out<const N: usize>(
    rows: &[[String; N]],
    right: [bool; N],
    width: usize,
) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = (*widest).max(cell.chars().count());
        }
    }
    let before_last: usize =
        widths.iter().take(N.saturating_sub(1)).sum::<usize>() + GAP.len() * N.saturating_sub(1);
    let left_over = width.saturating_sub(before_last).max(NARROWEST);
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (index, (cell, widest)) in row.iter().zip(widths).enumerate().take(N.saturating_sub(1))
        {
            let blanks = " ".repeat(widest - cell.chars().count());
            let (before, after) = if right[index] {
                (blanks.as_str(), "")
            } else {
                ("", blanks.as_str())
            };
            line.extend([before, cell, after, GAP]);
        }
        let last = row.last().map_or("", String::as_str);
        for part in wrapped(last, left_over) {
            line.push_str(&part);
            text.push_str(line.trim_end());
            text.push('\n');
            line = " ".repeat(before_last);
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
