//! Kinds that run several handlers at a time, beside a pool for tasks and beside a thread for each message.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{bounded, never};
use zaf_core::message::{DispatcherKind, MessageBus};

use crate::measure::bus::{LONG, Sum, TICK, empty_bus, finish, trigger};
use crate::measure::report::{Report, row};
use crate::measure::rounds::{duel, since};

pub(crate) fn burst_to_a_pool(report: &mut Report, work: &str) {
    burst(report, work, DispatcherKind::ThreadPool, "thread pool");
}

pub(crate) fn burst_to_a_concurrent_one(report: &mut Report, work: &str) {
    burst(report, work, DispatcherKind::Concurrent, "concurrent");
}

/// 10 000 messages at once, until all are handled.
fn burst(report: &mut Report, work: &str, kind: DispatcherKind, name: &str) {
    const ROUNDS: usize = 301;
    const COUNT: u32 = 10_000;
    let sum = Sum::default();
    let bus = bus_that(kind, {
        let sum = Arc::clone(&sum);
        move |number| {
            sum.fetch_add(number, Ordering::Relaxed);
        }
    });
    let [[own], [other]] = duel(
        ROUNDS,
        || {
            let begin = Instant::now();
            for _ in 0..COUNT {
                trigger(&bus);
            }
            finish(&bus);
            [since(begin, COUNT)]
        },
        || [burst_of_tasks(COUNT, &sum)],
    );
    let row = row(work, format!("burst of 10 000 to a {name} dispatcher"), 1);
    report.ratio(row, [&own, &other], "rayon::spawn", 1.0);
    bus.shutdown(LONG).expect("handlers end");
}

fn burst_of_tasks(count: u32, sum: &Arc<AtomicU64>) -> f64 {
    let (done_sender, done) = bounded(1);
    let missing = Arc::new(AtomicU32::new(count));
    let begin = Instant::now();
    for _ in 0..count {
        let (sum, missing) = (Arc::clone(sum), Arc::clone(&missing));
        let done = done_sender.clone();
        rayon_core::spawn(move || {
            sum.fetch_add(1, Ordering::Relaxed);
            if missing.fetch_sub(1, Ordering::AcqRel) == 1 {
                let _waiting = done.send(());
            }
        });
    }
    done.recv()
        .expect("the last task says that it was the last");
    since(begin, count)
}

/// 64 handlers that block, which a fixed number of threads would serve in turns.
pub(crate) fn blocking_handlers(report: &mut Report, work: &str) {
    const ROUNDS: usize = 101;
    const COUNT: u32 = 64;
    let bus = bus_that(DispatcherKind::Concurrent, |_| block());
    let [[own], [other]] = duel(
        ROUNDS,
        || {
            let begin = Instant::now();
            for _ in 0..COUNT {
                trigger(&bus);
            }
            finish(&bus);
            [since(begin, 1)]
        },
        || {
            let begin = Instant::now();
            let threads: Vec<_> = (0..COUNT)
                .map(|_| zaf_core::thread::spawn("blocks", block).expect("a thread can be started"))
                .collect();
            for thread in threads {
                thread.join().expect("it only waits");
            }
            [since(begin, 1)]
        },
    );
    let row = row(work, "64 concurrent handlers that block for 5 ms", 1);
    report.ratio(row, [&own, &other], "a thread for each message", 2.0);
    bus.shutdown(LONG).expect("handlers end");
}

fn block() {
    let nobody = never::<()>();
    let _nothing = nobody.recv_timeout(Duration::from_millis(5));
}

fn bus_that(kind: DispatcherKind, handle: impl Fn(u64) + Send + Sync + 'static) -> MessageBus {
    let bus = empty_bus();
    bus.dispatcher(kind, "handler")
        .on(TICK, move |message, _| {
            handle(*message.data());
            Ok(())
        })
        .register()
        .expect("the event is defined");
    bus
}
