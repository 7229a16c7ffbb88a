//! Requests whose reply is taken, beside the event to the same handler and beside a bare pair of channels. To many
//! responders they are compared with other crates: see the benchmark `peers`.

use zaf_core::message::DispatcherKind;

use crate::measure::bus::{LONG, Sum, ask_one, bus_with, trigger};
use crate::measure::report::{Report, row};
use crate::measure::rounds::{duel, nanoseconds};
use crate::measure::yardsticks::Echo;

const ROUNDS: usize = 601;

pub(crate) fn to_a_callback(report: &mut Report, work: &str) {
    const REPETITIONS: u32 = 4_000;
    let bus = bus_with(1, DispatcherKind::Callback, &Sum::default());
    let [[own], [other]] = duel(
        ROUNDS,
        || [nanoseconds(REPETITIONS, || ask_one(&bus))],
        || [nanoseconds(REPETITIONS, || trigger(&bus))],
    );
    let row = row(work, "request to a callback, reply taken", 1);
    report.ratio(row, [&own, &other], "the event", 3.0);
}

pub(crate) fn to_a_sequential_one(report: &mut Report, work: &str) {
    const REPETITIONS: u32 = 300;
    let sum = Sum::default();
    let bus = bus_with(1, DispatcherKind::Sequential, &sum);
    let echo = Echo::start(&sum);
    let [[own], [other]] = duel(
        ROUNDS,
        || [nanoseconds(REPETITIONS, || ask_one(&bus))],
        || [nanoseconds(REPETITIONS, || echo.ask())],
    );
    let row = row(work, "request to a sequential dispatcher, reply taken", 1);
    report.ratio(row, [&own, &other], "pair of channels", 0.6);
    bus.shutdown(LONG).expect("handlers end");
}
