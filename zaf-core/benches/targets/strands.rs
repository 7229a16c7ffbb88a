//! Queued dispatchers share threads: many senders to one of them, and one event to many.

use std::any::Any;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use zaf_core::message::{DispatcherKind, MessageBus};

use crate::bare_queues::BareQueues;
use crate::measure::bus::{LONG, Sum, bus_with, finish, trigger};
use crate::measure::record::{Figure, Role, Row, Verdict};
use crate::measure::report::{Report, row};
use crate::measure::rounds::{duel, since};
use crate::measure::senders::end_to_end;
use crate::measure::yardsticks::Consumer;

pub(crate) fn four_senders(report: &mut Report, work: &str) {
    const ROUNDS: usize = 301;
    const SENDERS: usize = 4;
    const COUNT: u32 = 20_000;
    let sum = Sum::default();
    let bus = bus_with(1, DispatcherKind::Sequential, &sum);
    let consumer = Consumer::start(&sum);
    let [[own], [other]] = duel(
        ROUNDS,
        || {
            [end_to_end(
                SENDERS,
                COUNT,
                || trigger(&bus),
                || finish(&bus),
            )]
        },
        || {
            [end_to_end(
                SENDERS,
                COUNT,
                || consumer.send(),
                || consumer.finish(),
            )]
        },
    );
    // Throughput is the inverse of time.
    let throughput = other.beside(&own).median();
    report.add(Row {
        senders: SENDERS,
        figures: vec![
            Figure::new(Role::Ours, "zaf", &own),
            Figure::new(Role::Floor, "channel into a thread", &other),
        ],
        verdict: Some(Verdict::at_least(throughput, 0.6, "x")),
        ..row(work, "throughput of 4 senders to a sequential one", 1)
    });
    bus.shutdown(LONG).expect("handlers end");
}

/// Dispatchers of one event.
const COUNT: usize = 1_600;

/// One event to many, until all have run; and until its sender goes on.
fn one_event(bus: &MessageBus) -> [f64; 2] {
    let begin = Instant::now();
    trigger(bus);
    let share = since(begin, 1);
    finish(bus);
    [since(begin, 1), share]
}

pub(crate) fn to_many_beside_threads(report: &mut Report, work: &str) {
    const ROUNDS: usize = 101;
    let sum = Sum::default();
    let bus = bus_with(COUNT, DispatcherKind::Sequential, &sum);
    let consumers: Vec<Consumer> = (0..COUNT).map(|_| Consumer::start(&sum)).collect();
    let [[own, _], [other, _]] = duel(
        ROUNDS,
        || one_event(&bus),
        || {
            let payload: Arc<dyn Any + Send + Sync> = Arc::new(black_box(1_u64));
            let end: Arc<dyn Any + Send + Sync> = Arc::new(());
            let begin = Instant::now();
            for consumer in &consumers {
                consumer.give(Arc::clone(&payload));
                consumer.give(Arc::clone(&end));
            }
            let share = since(begin, 1);
            for consumer in &consumers {
                consumer.wait();
            }
            [since(begin, 1), share]
        },
    );
    // Without a limit: bare queues are at 0.08 of this, and within minutes this takes 2.4 or 7.3 ms. See decision 52.
    report.add(Row {
        figures: vec![
            Figure::new(Role::Ours, "zaf", &own),
            Figure::new(Role::Floor, "a thread for each", &other),
        ],
        ..row(
            work,
            "one event to 1600 sequential ones, beside threads",
            COUNT,
        )
    });
    bus.shutdown(LONG).expect("handlers end");
}

/// Beside what such queues on a pool of threads cost whoever wants nothing else of them.
pub(crate) fn to_many(report: &mut Report, work: &str) {
    const ROUNDS: usize = 1_001;
    let sum = Sum::default();
    let bus = bus_with(COUNT, DispatcherKind::Sequential, &sum);
    let queues = BareQueues::that_add(COUNT, &sum);
    let [[own, own_share], [other, _]] = duel(
        ROUNDS,
        || one_event(&bus),
        || {
            let payload: Arc<dyn Any + Send + Sync> = Arc::new(black_box(1_u64));
            let begin = Instant::now();
            queues.send(&payload);
            let share = since(begin, 1);
            queues.finish();
            [since(begin, 1), share]
        },
    );
    let all = row(work, "one event to 1600 sequential ones, all run", COUNT);
    report.ratio(all, [&own, &other], "bare queues", 2.5);
    let share = own_share.beside(&own).median();
    report.add(Row {
        figures: vec![
            Figure::new(Role::Ours, "zaf, the sender", &own_share),
            Figure::new(Role::Ours, "zaf, all", &own),
        ],
        verdict: Some(Verdict::at_most(share, 0.33, "x")),
        ..row(work, "the same, until its sender goes on", COUNT)
    });
    bus.shutdown(LONG).expect("handlers end");
}
