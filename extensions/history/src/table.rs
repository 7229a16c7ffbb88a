//! Tables and figures for people. Pure.

use std::time::Duration;

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;
use k2::case::Verdict;
use k2::results::printable_line;
use unicode_width::UnicodeWidthStr;

/// A text with a look, safe for terminals. Looks are left out where the stream does not want them.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    text: String,
    style: Style,
    is_right: bool,
}

/// What stands in a column of figures.
#[derive(Debug)]
pub(crate) struct Figure(String);

impl From<u64> for Figure {
    fn from(number: u64) -> Self {
        Self(number.to_string())
    }
}

impl From<String> for Figure {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl Cell {
    pub(crate) fn text(text: &str) -> Self {
        Self {
            text: printable_line(text).into_owned(),
            style: Style::new(),
            is_right: false,
        }
    }

    /// Stands at the right edge of its column.
    pub(crate) fn number(text: impl Into<Figure>) -> Self {
        Self {
            is_right: true,
            ..Self::text(&text.into().0)
        }
    }

    fn heading(text: &str) -> Self {
        Self {
            style: Style::new().bold(),
            ..Self::text(text)
        }
    }

    /// How a case ended: with `verdict`, in the words of `outcome`.
    pub(crate) fn outcome(verdict: Verdict, is_flaky: bool, outcome: &str) -> Self {
        if outcome == verdict.as_str() {
            return Self::verdict(verdict, is_flaky);
        }
        let colour = if verdict.is_failure() {
            AnsiColor::Red
        } else {
            AnsiColor::Yellow
        };
        Self {
            style: colour.on_default(),
            ..Self::text(outcome)
        }
    }

    pub(crate) fn verdict(verdict: Verdict, is_flaky: bool) -> Self {
        let colour = match verdict {
            Verdict::Passed if is_flaky => AnsiColor::Yellow,
            Verdict::Passed => AnsiColor::Green,
            bad if bad.is_failure() => AnsiColor::Red,
            _ => AnsiColor::Yellow,
        };
        let word = if is_flaky { "flaky" } else { verdict.as_str() };
        Self {
            style: colour.on_default(),
            ..Self::text(word)
        }
    }

    /// A number that is bad if it is not 0.
    pub(crate) fn bad(number: u64) -> Self {
        let style = if number > 0 {
            AnsiColor::Red.on_default()
        } else {
            Style::new()
        };
        Self {
            style,
            ..Self::number(number)
        }
    }

    fn width(&self) -> usize {
        self.text.width()
    }
}

/// Rows under their headings: columns as wide as their widest cell, the last one as long as it is. A heading stands where the first cell
/// below it does.
pub(crate) fn lay_out<const N: usize>(headings: [&str; N], rows: &[[Cell; N]]) -> String {
    let mut head = headings.map(Cell::heading);
    if let Some(first) = rows.first() {
        for (heading, cell) in head.iter_mut().zip(first) {
            heading.is_right = cell.is_right;
        }
    }
    let mut widths = [0; N];
    for row in std::iter::once(&head).chain(rows) {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = (*widest).max(cell.width());
        }
    }
    let mut text = String::new();
    for row in std::iter::once(&head).chain(rows) {
        let mut pending = 0;
        for (cell, widest) in row.iter().zip(widths) {
            let blanks = widest - cell.width();
            let (before, after) = if cell.is_right {
                (blanks, 0)
            } else {
                (0, blanks)
            };
            pending += before;
            if !cell.text.is_empty() {
                text.extend(std::iter::repeat_n(' ', std::mem::take(&mut pending)));
                let (on, off) = (cell.style.render(), cell.style.render_reset());
                text.extend([on.to_string().as_str(), &cell.text, &off.to_string()]);
            }
            pending += after + 2;
        }
        text.push('\n');
    }
    text
}

/// `12 ms`, `3.21 s`, `4 min 05 s`.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 0.000_999_5 {
        format!("{} µs", duration.as_micros())
    } else if seconds < 0.999_5 {
        format!("{:.0} ms", seconds * 1000.0)
    } else if seconds < 59.995 {
        format!("{seconds:.2} s")
    } else {
        let whole = seconds.round();
        let minutes = (whole / 60.0).floor();
        format!("{minutes} min {:02} s", whole - minutes * 60.0)
    }
}

/// The same, or a dash for none.
pub(crate) fn duration_cell(found: Option<Duration>) -> Cell {
    Cell::number(found.map_or_else(|| "–".to_owned(), duration))
}

/// `2026-11-21 09:43:28Z`
pub(crate) fn moment(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_what_is_shown_and_nothing_acts_on_the_terminal() {
        let rows = [
            [
                Cell::number(7_u64),
                Cell::text("大\u{1b}[2J"),
                Cell::text("end"),
            ],
            [Cell::number(123_u64), Cell::text(""), Cell::text("")],
        ];
        let text = lay_out(["N", "NAME", ""], &rows);
        let plain = anstream::adapter::strip_str(&text).to_string();
        let expected = "  N  NAME\n  7  大\\u{1b}[2J  end\n123\n";
        assert_eq!(plain, expected);
    }

    #[test]
    fn times_have_the_unit_that_suits_them() {
        let shown = |micros| duration(Duration::from_micros(micros));
        assert_eq!(shown(0), "0 µs");
        assert_eq!(shown(999), "999 µs");
        assert_eq!(shown(1_000), "1 ms");
        assert_eq!(shown(999_499), "999 ms");
        assert_eq!(shown(999_600), "1.00 s");
        assert_eq!(shown(59_990_000), "59.99 s");
        assert_eq!(shown(59_999_999), "1 min 00 s");
        assert_eq!(shown(245_400_000), "4 min 05 s");
    }
}
