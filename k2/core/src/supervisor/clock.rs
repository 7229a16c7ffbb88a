//! A clock that stands still while the run is stopped.

use std::time::{Duration, Instant};

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
