//! Whether it is worth to look for an answer before one goes to sleep.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How long one who waits looks for the answer before he goes to sleep: twice what a plugin that does nothing takes for one, where
/// processes wake each other in the usual time. A thread that sleeps is woken in 5 to 40 µs.
const LOOK_TIME: Duration = Duration::from_micros(50);

/// Answers in time that make up for as many late ones.
const MOST_TRUST: u32 = 4;

/// Looks as long as answers mostly come in that time.
#[derive(Debug)]
pub(super) struct Patience(AtomicU32);

impl Patience {
    /// None with one processor: there the one who is to answer would wait for the one who looks.
    pub(super) fn new() -> Option<Self> {
        let is_alone = std::thread::available_parallelism().is_ok_and(|count| count.get() == 1);
        (!is_alone).then(|| Self(AtomicU32::new(MOST_TRUST / 2)))
    }

    /// Until when to look, from now on; none if it is not worth it.
    pub(super) fn look_until(&self, now: Instant) -> Option<Instant> {
        (self.0.load(Ordering::Relaxed) > 0).then(|| now + LOOK_TIME)
    }

    /// Learns from an answer; who does not look learns from those that would have been in time.
    pub(super) fn learn(&self, took: Duration) {
        let trust = self.0.load(Ordering::Relaxed);
        let next = if took <= LOOK_TIME * 2 {
            (trust + 1).min(MOST_TRUST)
        } else {
            trust.saturating_sub(1)
        };
        if next != trust {
            // Of two at once one may be lost.
            self.0.store(next, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_for_late_answers_does_not_look_and_learns_from_early_ones() {
        let patience = Patience(AtomicU32::new(MOST_TRUST));
        let looks = || patience.look_until(Instant::now()).is_some();
        for _ in 0..MOST_TRUST {
            assert!(looks());
            patience.learn(Duration::from_millis(1));
        }
        assert!(!looks());
        patience.learn(Duration::from_millis(1));
        assert!(!looks());
        patience.learn(Duration::from_micros(20));
        assert!(looks());
        for _ in 0..2 * MOST_TRUST {
            patience.learn(Duration::from_micros(20));
        }
        for _ in 0..MOST_TRUST {
            assert!(looks());
            patience.learn(Duration::from_millis(1));
        }
        assert!(!looks());
    }
}
