//! Coming and going of dispatchers.

use zaf_core::message::DispatcherKind;

use crate::measure::bus::{Sum, TICK, bus_with};
use crate::measure::report::{Report, row};
use crate::measure::rounds::{by_turns, nanoseconds};

pub(crate) fn among_a_hundred(report: &mut Report, work: &str) {
    const ROUNDS: usize = 601;
    const REPETITIONS: u32 = 50;
    const OTHERS: usize = 100;
    let bus = bus_with(OTHERS, DispatcherKind::Callback, &Sum::default());
    let mut come_and_go = || {
        [nanoseconds(REPETITIONS, || {
            let guest = bus
                .dispatcher(DispatcherKind::Callback, "guest")
                .on(TICK, |_, _| Ok(()))
                .register()
                .expect("the event is defined");
            guest.destroy();
        })]
    };
    let [series] = &by_turns(ROUNDS, &mut [&mut come_and_go])[0];
    let row = row(work, "register and destroy among 100 dispatchers", OTHERS);
    report.absolute(row, series, 10_000.0);
}
