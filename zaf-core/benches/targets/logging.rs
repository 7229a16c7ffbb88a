//! A call that logs what nobody wants.

use std::hint::black_box;

use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;

use crate::measure::report::{Report, row};
use crate::measure::rounds::{by_turns, nanoseconds};

pub(crate) fn unwanted(report: &mut Report, work: &str) {
    const ROUNDS: usize = 601;
    const REPETITIONS: u32 = 4_000;
    // As an application that shows warnings has it.
    let subscriber = tracing_subscriber::registry().with(LevelFilter::WARN);
    tracing::subscriber::with_default(subscriber, || {
        let mut log = || {
            [nanoseconds(REPETITIONS, || {
                tracing::debug!(value = ?black_box(work), "nobody wants this");
            })]
        };
        let [series] = &by_turns(ROUNDS, &mut [&mut log])[0];
        report.absolute(row(work, "log record that nobody wants", 1), series, 5.0);
    });
}
