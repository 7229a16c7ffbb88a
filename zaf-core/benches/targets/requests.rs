//! Requests whose reply is taken, beside the event to the same handler and beside bare pairs of threads. To many
//! responders they are compared with other crates: see the benchmark `peers`.

use zaf_core::message::DispatcherKind;

use crate::measure::bus::{LONG, Sum, ask_one, bus_with, trigger};
use crate::measure::record::{Figure, Role, Row, Verdict};
use crate::measure::report::{Report, row};
use crate::measure::rounds::{by_turns, duel, nanoseconds};
use crate::measure::yardsticks::{Echo, Sleepers};

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
    let (echo, sleepers) = (Echo::start(&sum), Sleepers::start(&sum));
    let series = by_turns(
        ROUNDS,
        &mut [
            &mut || [nanoseconds(REPETITIONS, || ask_one(&bus))],
            &mut || [nanoseconds(REPETITIONS, || sleepers.ask())],
            &mut || [nanoseconds(REPETITIONS, || echo.ask())],
        ],
    );
    let [[own], [asleep], [spinning]] = &series[..] else {
        unreachable!("three works have three series");
    };
    // The target was set by a pair of channels that slept. On some machines, at some times, such a pair only spins, which is faster than any queue;
    // at others it spins in vain before it sleeps. The slower one is a pair that has slept.
    let beside = |other| own.beside(other).median();
    let ratio = beside(asleep).min(beside(spinning));
    report.add(Row {
        figures: vec![
            Figure::new(Role::Ours, "zaf", own),
            Figure::new(Role::Floor, "pair of threads that sleep", asleep),
            Figure::new(Role::Floor, "pair of channels, which spin", spinning),
        ],
        verdict: Some(Verdict::at_most(ratio, 0.6, "x")),
        ..row(work, "request to a sequential dispatcher, reply taken", 1)
    });
    bus.shutdown(LONG).expect("handlers end");
}
