//! Events to one sequential dispatcher, beside a channel of `Arc<dyn Any>` into a thread of its own.

use std::time::Instant;

use zaf_core::message::DispatcherKind;

use crate::measure::bus::{LONG, Sum, bus_with, finish, trigger};
use crate::measure::report::{Report, row};
use crate::measure::rounds::{duel, since};
use crate::measure::yardsticks::Consumer;

const ROUNDS: usize = 601;
const COUNT: u32 = 20_000;

pub(crate) fn sequential(report: &mut Report, work: &str) {
    let sum = Sum::default();
    let bus = bus_with(1, DispatcherKind::Sequential, &sum);
    let consumer = Consumer::start(&sum);
    let [[own, own_share], [other, other_share]] = duel(
        ROUNDS,
        || whole_and_share(|| trigger(&bus), || finish(&bus)),
        || whole_and_share(|| consumer.send(), || consumer.finish()),
    );
    let channel = "channel into a thread";
    let end_to_end = row(work, "event to a sequential dispatcher, end to end", 1);
    report.ratio(end_to_end, [&own, &other], channel, 1.0);
    let share = row(work, "event to a sequential dispatcher, sender's share", 1);
    report.ratio(share, [&own_share, &other_share], channel, 1.2);
    bus.shutdown(LONG).expect("handlers end");
}

/// Nanoseconds for each message until all are handled, and until all are sent.
fn whole_and_share(send: impl Fn(), finish: impl FnOnce()) -> [f64; 2] {
    let begin = Instant::now();
    for _ in 0..COUNT {
        send();
    }
    let share = since(begin, COUNT);
    finish();
    [since(begin, COUNT), share]
}
