//! A chart of lines: how the time grows with the number of dispatchers or senders. Both axes are logarithmic.

use super::canvas::{Canvas, Class, Scale, WIDTH};
use crate::measure::record::Role;
use crate::measure::report::amount;

/// One line.
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) role: Role,
    /// Number, and median of the time in nanoseconds.
    pub(crate) points: Vec<(f64, f64)>,
}

/// Told apart by people who see few colours, too.
const COLOURS: [Class; 6] = ["one", "two", "three", "four", "five", "six"];
const OURS: Class = "ours";

const TOP: f64 = 56.0;
const BOTTOM: f64 = 370.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = WIDTH - 190.0;

/// Distance of two names at the ends of lines.
const NAME: f64 = 17.0;

pub(crate) fn chart(title: &str, of_what: &str, along: &str, lines: &[Line]) -> String {
    let mut canvas = Canvas::new(title, BOTTOM + 56.0);
    let points = || lines.iter().flat_map(|line| &line.points);
    let across = Scale::around(points().map(|(x, _)| *x), (LEFT, RIGHT));
    let up = Scale::around(points().map(|(_, y)| *y), (BOTTOM, TOP));
    for tick in up.ticks() {
        let y = up.place(tick);
        canvas.line((LEFT, y), (RIGHT, y), "grid");
        canvas.text(LEFT - 8.0, y + 4.0, "small end", &self::tick(tick));
    }
    let mut numbers: Vec<f64> = points().map(|(x, _)| *x).collect();
    numbers.sort_by(f64::total_cmp);
    numbers.dedup();
    for number in numbers {
        let x = across.place(number);
        canvas.line((x, TOP), (x, BOTTOM), "grid");
        canvas.text(x, BOTTOM + 18.0, "small middle", &number.to_string());
    }
    canvas.text(
        f64::midpoint(LEFT, RIGHT),
        BOTTOM + 40.0,
        "small middle",
        along,
    );
    canvas.text(20.0, 48.0, "small", of_what);
    let mut colours = COLOURS.iter().cycle();
    let mut names: Vec<((f64, f64), &Line, Class)> = Vec::new();
    // Ours is drawn last, over the others.
    let mut ordered: Vec<&Line> = lines
        .iter()
        .filter(|line| !line.points.is_empty())
        .collect();
    ordered.sort_by_key(|line| line.role == Role::Ours);
    for line in ordered {
        let is_ours = line.role == Role::Ours;
        let colour = if is_ours {
            OURS
        } else {
            colours.next().copied().unwrap_or(OURS)
        };
        let width = if is_ours { 3.5 } else { 1.8 };
        let places: Vec<(f64, f64)> = line
            .points
            .iter()
            .map(|(x, y)| (across.place(*x), up.place(*y)))
            .collect();
        canvas.path(&places, colour, width, line.role == Role::Floor);
        for place in &places {
            canvas.dot(*place, width + 1.0, colour);
        }
        names.extend(places.last().map(|end| (*end, line, colour)));
    }
    names.sort_by(|((_, one), ..), ((_, other), ..)| one.total_cmp(other));
    let ends: Vec<f64> = names.iter().map(|((_, y), ..)| *y).collect();
    for (y, (end, line, colour)) in apart(&ends).into_iter().zip(names) {
        let class = if line.role == Role::Ours { "mine" } else { "" };
        canvas.stroke((end.0 + 6.0, end.1), (RIGHT + 8.0, y), colour, 1.0);
        canvas.text(RIGHT + 12.0, y + 4.0, class, &line.name);
    }
    canvas.finish()
}

/// Places near the wanted ones, which are sorted, that are far enough apart for names.
fn apart(wanted: &[f64]) -> Vec<f64> {
    let mut places = wanted.to_vec();
    for at in 1..places.len() {
        places[at] = places[at].max(places[at - 1] + NAME);
    }
    let excess = places.last().map_or(0.0, |last| (last - BOTTOM).max(0.0));
    // Pushed up again from below, as far as need be.
    if let Some(last) = places.last_mut() {
        *last -= excess;
    }
    for at in (1..places.len()).rev() {
        places[at - 1] = places[at - 1].min(places[at] - NAME);
    }
    places
}

/// A tick without digits that say nothing.
pub(crate) fn tick(nanoseconds: f64) -> String {
    let text = amount(nanoseconds, "ns");
    let (number, unit) = text.split_once(' ').unwrap_or((&text, ""));
    let number = if number.contains('.') {
        number.trim_end_matches('0').trim_end_matches('.')
    } else {
        number
    };
    format!("{number} {unit}")
}
