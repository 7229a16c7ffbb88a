//! Four senders at the same time, as each of them sees it, beside a single one. Handlers share nothing: what is left to meet at is the bus.

use std::hint::black_box;

use crate::measure::bus::{bus_that_shares_nothing, trigger};
use crate::measure::record::{Figure, Role, Row, Verdict};
use crate::measure::report::{Report, row};
use crate::measure::rounds::by_turns;
use crate::measure::senders::as_each_sees_it;
use crate::measure::yardsticks::Functions;

const ROUNDS: usize = 201;
const SENDERS: usize = 4;
const REPETITIONS: u32 = 500;

pub(crate) fn to_one(report: &mut Report, work: &str) {
    event(report, work, 1);
}

pub(crate) fn to_ten(report: &mut Report, work: &str) {
    event(report, work, 10);
}

fn event(report: &mut Report, work: &str, count: usize) {
    let bus = bus_that_shares_nothing(count);
    let functions = Functions::that_share_nothing(count);
    let own = || trigger(&bus);
    let floor = || functions.call(black_box(1));
    let series = by_turns(
        ROUNDS,
        &mut [
            &mut || [as_each_sees_it(SENDERS, REPETITIONS, &own)],
            &mut || [as_each_sees_it(1, REPETITIONS, &own)],
            &mut || [as_each_sees_it(SENDERS, REPETITIONS, &floor)],
            &mut || [as_each_sees_it(1, REPETITIONS, &floor)],
        ],
    );
    let names = [
        (Role::Ours, "zaf, 4 senders"),
        (Role::Ours, "zaf, 1 sender"),
        (Role::Floor, "snapshot of functions, 4 senders"),
        (Role::Floor, "snapshot of functions, 1 sender"),
    ];
    let figures = names
        .iter()
        .zip(&series)
        .map(|((role, name), [series])| Figure::new(*role, *name, series));
    let ratio = series[0][0].beside(&series[1][0]).median();
    let handlers = if count == 1 { "callback" } else { "callbacks" };
    let name = format!("event to {count} {handlers}, 4 senders beside 1");
    report.add(Row {
        senders: SENDERS,
        figures: figures.collect(),
        verdict: Some(Verdict::at_most(ratio, 1.3, "x")),
        ..row(work, name, count)
    });
}
