//! Which pictures there are.

use super::bars::{self, Bar};
use super::canvas::Class;
use super::lines::{self, Line};
use super::tables::limit;
use crate::measure::record::{Record, Role, Row};
use crate::measure::report::amount;

const GOOD: Class = "good";
const BAD: Class = "bad";
const OURS: Class = "ours";
const FLOOR: Class = "floor";
const PEER: Class = "peer";

/// Names and contents of the files.
pub(crate) fn all(records: &[Record]) -> Vec<(&'static str, String)> {
    let of = |name: &str| -> Vec<&Row> {
        let wanted = records.iter().filter(|record| record.benchmark == name);
        wanted.flat_map(|record| &record.rows).collect()
    };
    let mut pictures = Vec::new();
    let targets = of("targets");
    if !targets.is_empty() {
        pictures.push(("targets", targets_beside_limits(&targets)));
    }
    let peers = of("peers");
    let rows = |work: &str| -> Vec<&Row> {
        peers
            .iter()
            .copied()
            .filter(|row| row.work.starts_with(work))
            .collect()
    };
    let one_sender = |work: &str| {
        lines_of(&rows(work), |row| {
            (row.senders == 1).then(|| (number(row.dispatchers), number(row.dispatchers)))
        })
    };
    let ten_callbacks = || {
        lines_of(&rows("callbacks"), |row| {
            (row.dispatchers == 10).then(|| (number(row.senders), 1.0))
        })
    };
    let charts = [
        (
            "callbacks",
            "Event to callbacks, one sender",
            "time of one event, divided by the number of callbacks",
            "callbacks",
            one_sender("callbacks"),
        ),
        (
            "callbacks-senders",
            "Event to 10 callbacks, several senders at the same time",
            "time of one event, as each sender sees it",
            "senders",
            ten_callbacks(),
        ),
        (
            "queues",
            "Event to sequential dispatchers, one sender",
            "time of one event until all have handled it, divided by the number of dispatchers",
            "dispatchers",
            one_sender("queues"),
        ),
        (
            "requests",
            "Request to sequential dispatchers, one caller that waits for all answers",
            "time of one request, divided by the number of dispatchers",
            "dispatchers",
            one_sender("requests"),
        ),
    ];
    for (name, title, of_what, along, lines) in charts {
        if lines.iter().any(|line| line.points.len() > 1) {
            pictures.push((name, lines::chart(title, of_what, along, &lines)));
        }
    }
    let one = rows("queues-1x1");
    if let Some(row) = one.first() {
        pictures.push((
            "queues-one",
            contestants("Event to one queue, one sender, until it is handled", row),
        ));
    }
    pictures
}

/// How near each target is to its limit, or how far from it.
fn targets_beside_limits(rows: &[&Row]) -> String {
    let bars: Vec<Bar> = rows
        .iter()
        .filter_map(|row| {
            let verdict = row.verdict.as_ref()?;
            let share = if verdict.at_least {
                verdict.limit / verdict.measured
            } else {
                verdict.measured / verdict.limit
            };
            Some(Bar {
                name: row.name.clone(),
                amount: share,
                label: format!(
                    "{} ({})",
                    amount(verdict.measured, &verdict.unit),
                    limit(verdict)
                ),
                colour: if verdict.is_met() { GOOD } else { BAD },
                is_ours: false,
                spread: None,
            })
        })
        .collect();
    bars::chart(
        "The bus beside its limits",
        "measured figure divided by its limit: left of the line the target is reached",
        &bars,
        Some((1.0, "limit")),
        |tick| format!("{tick}×"),
    )
}

/// One work by all, the fastest first.
fn contestants(title: &str, row: &Row) -> String {
    let mut figures: Vec<_> = row.figures.iter().collect();
    figures.sort_by(|one, other| one.median.total_cmp(&other.median));
    let bars: Vec<Bar> = figures
        .iter()
        .map(|figure| Bar {
            name: figure.who.clone(),
            amount: figure.median,
            label: amount(figure.median, &row.unit),
            colour: match figure.role {
                Role::Ours => OURS,
                Role::Floor => FLOOR,
                Role::Peer => PEER,
            },
            is_ours: figure.role == Role::Ours,
            spread: Some((figure.lower, figure.upper)),
        })
        .collect();
    bars::chart(
        title,
        "median and middle half of the rounds; blue: the bus, grey: bare mechanisms, yellow: peers",
        &bars,
        None,
        lines::tick,
    )
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// One line for each contestant, through the rows that `place` gives a place and a divisor.
fn lines_of(rows: &[&Row], place: impl Fn(&Row) -> Option<(f64, f64)>) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for row in rows {
        let Some((x, divisor)) = place(row) else {
            continue;
        };
        for figure in &row.figures {
            let point = (x, figure.median / divisor);
            match lines.iter_mut().find(|line| line.name == figure.who) {
                Some(line) => line.points.push(point),
                None => lines.push(Line {
                    name: figure.who.clone(),
                    role: figure.role,
                    points: vec![point],
                }),
            }
        }
    }
    // A single point is not a line.
    lines.retain(|line| line.points.len() > 1);
    lines
}
