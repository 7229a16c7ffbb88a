//! Events to callbacks, each with a sum of its own, beside a loaded snapshot of functions that downcast.

use std::hint::black_box;

use zaf_core::message::MessageBus;

use crate::measure::bus::{HERE, TICK, bus_of_callbacks, bus_of_ten_types, empty_bus, trigger};
use crate::measure::record::Row;
use crate::measure::report::{Report, row};
use crate::measure::rounds::{duel, nanoseconds};
use crate::measure::yardsticks::{Functions, Table};

const ROUNDS: usize = 601;

pub(crate) fn to_one(report: &mut Report, work: &str) {
    event(report, work, 1, 4_000, 1.4);
}

pub(crate) fn to_ten(report: &mut Report, work: &str) {
    event(report, work, 10, 1_000, 0.8);
}

pub(crate) fn to_many(report: &mut Report, work: &str) {
    event(report, work, 1_600, 10, 0.8);
}

/// No two that follow each other are of the same type: each needs a jump of its own.
pub(crate) fn to_ten_of_ten_types(report: &mut Report, work: &str) {
    event_of_ten_types(report, work, 10, 1_000);
}

pub(crate) fn to_many_of_ten_types(report: &mut Report, work: &str) {
    event_of_ten_types(report, work, 1_600, 10);
}

fn event_of_ten_types(report: &mut Report, work: &str, count: usize, repetitions: u32) {
    let bus = bus_of_ten_types(count);
    let functions = Functions::of_ten_types(count);
    let name = format!("event to {count} callbacks of ten types");
    let row = row(work, name, count);
    // No target of the design: it is not to be slower than the bare mechanism. Both lie somewhere else in each process, which makes 0.88 to 1.08 of the same
    // program.
    compare(report, row, &bus, &functions, repetitions, 1.15);
}

fn event(report: &mut Report, work: &str, count: usize, repetitions: u32, limit: f64) {
    let bus = bus_of_callbacks(count);
    let functions = Functions::that_add(count);
    let handlers = if count == 1 { "callback" } else { "callbacks" };
    let row = row(work, format!("event to {count} {handlers}"), count);
    compare(report, row, &bus, &functions, repetitions, limit);
}

fn compare(
    report: &mut Report,
    row: Row,
    bus: &MessageBus,
    functions: &Functions,
    repetitions: u32,
    limit: f64,
) {
    let [[own], [other]] = duel(
        ROUNDS,
        || [nanoseconds(repetitions, || trigger(bus))],
        || [nanoseconds(repetitions, || functions.call(black_box(1)))],
    );
    report.ratio(row, [&own, &other], "snapshot of functions", limit);
}

pub(crate) fn to_nobody(report: &mut Report, work: &str) {
    const REPETITIONS: u32 = 4_000;
    let bus = empty_bus();
    let address = |name: &'static str| name.as_ptr().addr();
    let key = (address(TICK.name()), address(HERE.name()));
    let table = Table::of([key, (key.1, key.0)]);
    let [[own], [other]] = duel(
        ROUNDS,
        || {
            [nanoseconds(REPETITIONS, || {
                let report = bus.trigger_event(TICK, HERE, black_box(1));
                assert!(report.is_ok_and(|report| report.delivered == 0));
            })]
        },
        || {
            [nanoseconds(REPETITIONS, || {
                assert!(table.find(black_box(key)).is_some());
            })]
        },
    );
    let row = row(work, "event to nobody", 0);
    report.ratio(row, [&own, &other], "snapshot and lookup", 1.2);
}
