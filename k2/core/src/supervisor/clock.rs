//! A clock that stands still while the run is stopped.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use rustix::time::{ClockId, clock_gettime};

use super::pause;

/// Measures time from its start on, without the time for which this process was stopped (Ctrl-Z, SIGSTOP): that is nobody's.
///
/// It uses the monotonic clock: what people do to the time of day changes nothing. Copies measure from the same moment.
#[derive(Debug, Clone, Copy)]
pub struct RunClock {
    began: Instant,
    /// How long the process had been stopped by then.
    stopped: Duration,
}

impl RunClock {
    /// A clock that starts now.
    pub fn start() -> Self {
        Self {
            began: Instant::now(),
            stopped: pause::total(),
        }
    }

    /// Time since its start. Right after the process was continued this blocks until it is known for how long it had been stopped, at
    /// most some seconds.
    pub fn elapsed(&self) -> Duration {
        // In this order: a stop in between makes it too small for once, and never too large.
        let elapsed = self.began.elapsed();
        elapsed.saturating_sub(pause::total().saturating_sub(self.stopped))
    }

    /// What is left of `limit`; zero if it is used up.
    pub fn left(&self, limit: Duration) -> Duration {
        limit.saturating_sub(self.elapsed())
    }

    /// When `limit` is used up if nothing is stopped until then; none if that is never.
    pub fn deadline(&self, limit: Duration) -> Option<Instant> {
        Instant::now().checked_add(self.left(limit))
    }
}

/// What the monotonic clock of the machine says: the same for all processes, until it is started again.
pub(crate) fn monotonic() -> Duration {
    let now = clock_gettime(ClockId::Monotonic);
    Duration::new(
        u64::try_from(now.tv_sec).unwrap_or(0),
        u32::try_from(now.tv_nsec).unwrap_or(0),
    )
}

/// How long it is ago that something began in a process that has died: by the monotonic clock if it said what that was, else by the
/// time of day, as far as that went forward.
pub(crate) fn age(began: Timestamp, clock: Option<Duration>) -> Duration {
    match clock {
        Some(clock) => monotonic().saturating_sub(clock),
        None => Duration::try_from(Timestamp::now().duration_since(began)).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g1_an_age_is_neither_negative_nor_huge_whatever_the_time_of_day_was() {
        let before = monotonic();
        let hour = Duration::from_hours(1);
        for began in [Timestamp::now() + hour, Timestamp::now() - 24 * hour] {
            let known = age(began, Some(before));
            assert!(known <= monotonic().saturating_sub(before), "{known:?}");
            assert_eq!(age(began, Some(before + hour)), Duration::ZERO);
        }
        // Of older logs nothing else is known; a clock that was put back makes it nothing.
        assert_eq!(age(Timestamp::now() + hour, None), Duration::ZERO);
        assert!(age(Timestamp::now() - hour, None) >= hour);
    }
}
