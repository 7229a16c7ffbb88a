//! The question whether anything is going on.

use std::hint::black_box;

use zaf_core::message::DispatcherKind;

use crate::measure::bus::{Sum, bus_with, trigger};
use crate::measure::report::{Report, row};
use crate::measure::rounds::{by_turns, nanoseconds};

pub(crate) fn is_idle(report: &mut Report, work: &str) {
    const ROUNDS: usize = 601;
    const REPETITIONS: u32 = 4_000;
    let bus = bus_with(1, DispatcherKind::Callback, &Sum::default());
    trigger(&bus);
    let mut ask = || {
        [nanoseconds(REPETITIONS, || {
            assert!(black_box(&bus).is_idle());
        })]
    };
    let [series] = &by_turns(ROUNDS, &mut [&mut ask])[0];
    report.absolute(row(work, "is_idle", 1), series, 50.0);
}
