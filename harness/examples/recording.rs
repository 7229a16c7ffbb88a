//! Makes an animated picture of what `script` has recorded: `recording TYPESCRIPT TIMING COLUMNS ROWS >picture.svg`.
//!
//! TYPESCRIPT is what `script --log-out` wrote, TIMING what `--log-timing` did in its classic form: on each line the seconds since
//! the line before and a number of bytes. The picture shows each screen for as long as it stood, then the last one for good; where
//! nothing is animated it is the last one.

use std::fmt::Write as _;
use std::io::Write as _;
use std::num::NonZeroU16;
use std::ops::Range;
use std::process::ExitCode;

use vt100::{Cell, Color, Parser, Screen};

/// Width and height of a letter, and what is free around all of them, in units of the picture.
const LETTER: (f32, f32) = (8.4, 19.0);
const MARGIN: f32 = 14.0;

/// Screens that stand for less are not shown by themselves, in seconds: an eye would not see them.
const SHORTEST: f64 = 0.04;

/// The sixteen colours with names, on a dark ground.
const COLOURS: [&str; 16] = [
    "#484f58", "#ff7b72", "#56d364", "#e3b341", "#79c0ff", "#d2a8ff", "#76e3ea", "#d6dbe1",
    "#8b949e", "#ffa198", "#7ee787", "#f2cc60", "#a5d6ff", "#e2c5ff", "#b3f0ff", "#ffffff",
];
const TEXT: &str = "#d6dbe1";
const GROUND: &str = "#0d1117";

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    match picture(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(picture) => match std::io::stdout().write_all(picture.as_bytes()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(&error.into()),
        },
        Err(error) => fail(&error),
    }
}

fn fail(error: &Failure) -> ExitCode {
    drop(writeln!(std::io::stderr(), "error: {error}"));
    ExitCode::from(2)
}

/// A screen and from when to when it stands, in seconds.
struct Frame {
    lines: Vec<String>,
    stands: Range<f64>,
}

fn picture(arguments: &[String]) -> Result<String, Failure> {
    let [typescript, timing, columns, rows] = arguments else {
        return Err("expected TYPESCRIPT TIMING COLUMNS ROWS".into());
    };
    let (columns, rows): (NonZeroU16, NonZeroU16) = (columns.parse()?, rows.parse()?);
    let written = std::fs::read(typescript)?;
    let timing = std::fs::read_to_string(timing)?;
    Ok(animated(
        &frames(&written, &timing, columns, rows)?,
        columns,
        rows,
    ))
}

/// The screens that stood long enough, in order.
fn frames(
    written: &[u8],
    timing: &str,
    columns: NonZeroU16,
    rows: NonZeroU16,
) -> Result<Vec<Frame>, Failure> {
    let mut parser = Parser::new(rows, columns, 0);
    let mut frames: Vec<Frame> = Vec::new();
    // `script` writes a line of its own before what the program does.
    let head = written
        .iter()
        .position(|byte| *byte == b'\n')
        .map_or(0, |end| end + 1);
    let mut rest = written.get(head..).unwrap_or_default();
    let mut now = 0.0_f64;
    for (index, line) in timing.lines().enumerate() {
        let wrong = || {
            format!(
                "line {} of the times: expected seconds and a number of bytes, found `{line}`",
                index + 1
            )
        };
        let (passed, bytes) = line.split_once(' ').ok_or_else(wrong)?;
        let (passed, bytes): (f64, usize) = (passed.parse()?, bytes.parse()?);
        now += passed;
        let (new, later) = rest.split_at_checked(bytes).ok_or_else(wrong)?;
        rest = later;
        parser.process(new);
        show(&mut frames, lines(parser.screen()), now);
    }
    Ok(frames)
}

/// The screen looks like this from now on.
fn show(frames: &mut Vec<Frame>, lines: Vec<String>, now: f64) {
    match frames.last_mut() {
        Some(last) if last.lines == lines => {}
        Some(last) if now - last.stands.start < SHORTEST => last.lines = lines,
        last => {
            if let Some(last) = last {
                last.stands.end = now;
            }
            frames.push(Frame {
                lines,
                stands: now..f64::INFINITY,
            });
        }
    }
}

/// The lines of a screen, as texts with their colours.
fn lines(screen: &Screen) -> Vec<String> {
    let (rows, columns) = screen.size();
    (0..rows.get())
        .map(|row| line(screen, row, columns.get()))
        .collect()
}

fn line(screen: &Screen, row: u16, columns: u16) -> String {
    let mut line = String::new();
    let mut column = 0;
    while column < columns {
        let style = style_of(screen.cell(row, column));
        let start = column;
        let mut text = String::new();
        while column < columns && style_of(screen.cell(row, column)) == style {
            let letters = screen.cell(row, column).map_or("", Cell::contents);
            text.push_str(if letters.is_empty() { " " } else { letters });
            column += 1;
        }
        for (at, words) in words(&text) {
            let x = f32::from(start + at).mul_add(LETTER.0, MARGIN);
            let words = escaped(words);
            // Writing into a text does not fail.
            let _ = write!(line, "<tspan x=\"{x:.1}\"{style}>{words}</tspan>");
        }
    }
    line
}

/// Texts between gaps of two blanks and more, with the column of each: what shows pictures makes one blank of several.
fn words(text: &str) -> Vec<(u16, &str)> {
    let mut found = Vec::new();
    let mut column = 0_u16;
    for part in text.split("  ") {
        let blanks = part.len() - part.trim_start().len();
        let words = part.trim();
        if !words.is_empty() {
            found.push((column + u16::try_from(blanks).unwrap_or(0), words));
        }
        let width = part.chars().count() + 2;
        column = column.saturating_add(u16::try_from(width).unwrap_or(u16::MAX));
    }
    found
}

/// Attributes of a letter.
fn style_of(cell: Option<&Cell>) -> String {
    let Some(cell) = cell.filter(|cell| cell.has_contents()) else {
        return String::new();
    };
    let mut style = String::new();
    match cell.fgcolor() {
        Color::Default => {}
        Color::Idx(index) => {
            let colour = COLOURS.get(usize::from(index)).unwrap_or(&TEXT);
            let _ = write!(style, " fill=\"{colour}\"");
        }
        Color::Rgb(red, green, blue) => {
            let _ = write!(style, " fill=\"#{red:02x}{green:02x}{blue:02x}\"");
        }
    }
    if cell.bold() {
        style.push_str(" font-weight=\"bold\"");
    }
    if cell.dim() {
        style.push_str(" opacity=\"0.65\"");
    }
    style
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn animated(frames: &[Frame], columns: NonZeroU16, rows: NonZeroU16) -> String {
    let width = f32::from(columns.get()).mul_add(LETTER.0, 2.0 * MARGIN);
    let height = f32::from(rows.get()).mul_add(LETTER.1, 2.0 * MARGIN);
    let mut picture = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" \
         font-family=\"ui-monospace, 'DejaVu Sans Mono', 'Liberation Mono', monospace\" font-size=\"14\" fill=\"{TEXT}\">\n\
         <rect width=\"{width:.0}\" height=\"{height:.0}\" rx=\"8\" fill=\"{GROUND}\"/>\n"
    );
    for frame in frames {
        let is_last = frame.stands.end.is_infinite();
        let start = frame.stands.start;
        if is_last {
            // Where nothing is animated, this one is seen.
            let _ = writeln!(
                picture,
                "<g><set attributeName=\"visibility\" to=\"hidden\" begin=\"0s\" dur=\"{start:.2}s\"/>"
            );
        } else {
            let length = frame.stands.end - start;
            let _ = writeln!(
                picture,
                "<g visibility=\"hidden\"><set attributeName=\"visibility\" to=\"visible\" begin=\"{start:.2}s\" dur=\"{length:.2}s\"/>"
            );
        }
        for (row, line) in (1_u16..)
            .zip(&frame.lines)
            .filter(|(_, line)| !line.is_empty())
        {
            let y = (f32::from(row) - 0.25).mul_add(LETTER.1, MARGIN);
            let _ = writeln!(picture, "<text y=\"{y:.1}\">{line}</text>");
        }
        picture.push_str("</g>\n");
    }
    picture.push_str("</svg>\n");
    picture
}
