//! What is left of an observation that has ended.

use std::num::NonZeroUsize;

use zaf_core::message::DispatcherKind;

use crate::measure::bus::{Sum, bus_with, trigger};
use crate::measure::report::{Report, row};
use crate::measure::rounds::{duel, nanoseconds};

const ROUNDS: usize = 601;
const REPETITIONS: u32 = 4_000;

pub(crate) fn no_longer(report: &mut Report, work: &str) {
    let sum = Sum::default();
    let bus = bus_with(1, DispatcherKind::Callback, &sum);
    let never = bus_with(1, DispatcherKind::Callback, &sum);
    let observation = bus
        .observe(NonZeroUsize::MIN)
        .expect("nobody has closed the bus");
    trigger(&bus);
    drop(observation);
    let [[own], [other]] = duel(
        ROUNDS,
        || [nanoseconds(REPETITIONS, || trigger(&bus))],
        || [nanoseconds(REPETITIONS, || trigger(&never))],
    );
    let row = row(
        work,
        "event to 1 callback, no longer observed".to_owned(),
        1,
    );
    report.ratio(row, [&own, &other], "never observed", 1.03);
}
