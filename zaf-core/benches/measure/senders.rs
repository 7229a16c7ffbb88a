//! Several threads that send at the same time.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use super::rounds::{Series, nanoseconds, since};

/// Nanoseconds for each call as one of `senders` sees it while the others call as well.
///
/// Each sender measures short stretches of `repetitions` calls, and the median of all counts: one in which it had no processor does not.
/// It goes on until the last has its stretches, so that all of them meet the same competition.
pub(crate) fn as_each_sees_it(
    senders: usize,
    repetitions: u32,
    work: &(impl Fn() + Sync + ?Sized),
) -> f64 {
    const STRETCHES: usize = 21;
    let (start, measuring) = (Barrier::new(senders), AtomicUsize::new(senders));
    let measure = || {
        start.wait();
        let own: Vec<f64> = (0..STRETCHES)
            .map(|_| nanoseconds(repetitions, work))
            .collect();
        measuring.fetch_sub(1, Ordering::Relaxed);
        while measuring.load(Ordering::Relaxed) > 0 {
            work();
        }
        own
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..senders).map(|_| scope.spawn(measure)).collect();
        let figures = threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("senders end"));
        figures.collect::<Series>().median()
    })
}

/// Nanoseconds for each of `count` calls, shared out among `senders`, from the first one until `finish` returns.
pub(crate) fn end_to_end(
    senders: usize,
    count: u32,
    work: impl Fn() + Sync,
    finish: impl FnOnce(),
) -> f64 {
    let share = count / u32::try_from(senders).expect("a handful of senders");
    let start = Barrier::new(senders + 1);
    thread::scope(|scope| {
        let send = || {
            start.wait();
            for _ in 0..share {
                work();
            }
        };
        let threads: Vec<_> = (0..senders).map(|_| scope.spawn(send)).collect();
        start.wait();
        let begin = Instant::now();
        for thread in threads {
            thread.join().expect("senders end");
        }
        finish();
        since(begin, count)
    })
}
