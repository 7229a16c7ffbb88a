//! A limit of time that goes on only while this process runs.
//!
//! Who is stopped (Ctrl-Z, SIGSTOP, a debugger) can do nothing meanwhile, and whoever watches is stopped with him: when both go on, a deadline would be over
//! without anybody having hung. So it is waited in short steps, and of a step that took longer than was asked for only what was asked for counts.

use std::time::{Duration, Instant};

/// The longest step: of a stop no more than this counts. Short enough to be nothing beside limits of seconds, and long enough to cost nothing.
const STEP: Duration = Duration::from_millis(100);

/// What is left of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Patience {
    left: Duration,
}

impl Patience {
    /// All of it.
    pub(crate) fn new(limit: Duration) -> Self {
        Self { left: limit }
    }

    /// What is left.
    pub(crate) fn left(self) -> Duration {
        self.left
    }

    /// Whether nothing is left.
    pub(crate) fn is_over(self) -> bool {
        self.left.is_zero()
    }

    /// How long to wait before the next look.
    pub(crate) fn step(self) -> Duration {
        self.left.min(STEP)
    }

    /// Takes off a wait of `asked` that took as long as it `took`.
    pub(crate) fn spend(&mut self, asked: Duration, took: Duration) {
        self.left = self.left.saturating_sub(took.min(asked));
    }

    /// Calls `wait` with how long it may take, until it returns something or nothing is left. Calls it at least once.
    pub(crate) fn wait<T>(&mut self, mut wait: impl FnMut(Duration) -> Option<T>) -> Option<T> {
        loop {
            let (asked, began) = (self.step(), Instant::now());
            let found = wait(asked);
            self.spend(asked, began.elapsed());
            if found.is_some() || self.is_over() {
                return found;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d7_of_a_stop_no_more_than_a_step_counts() {
        let mut patience = Patience::new(Duration::from_secs(5));
        patience.spend(patience.step(), Duration::from_hours(1));
        assert_eq!(patience.left(), Duration::from_millis(4900));
        patience.spend(patience.step(), Duration::from_millis(30));
        assert_eq!(patience.left(), Duration::from_millis(4870));
        while !patience.is_over() {
            let step = patience.step();
            assert!(!step.is_zero() && step <= STEP, "{step:?}");
            patience.spend(step, step);
        }
    }

    #[test]
    fn it_is_looked_at_least_once_and_until_something_is_found() {
        let mut none = Patience::new(Duration::ZERO);
        assert_eq!(none.wait(|asked| asked.is_zero().then_some(1)), Some(1));
        let mut looks = 0;
        let mut some = Patience::new(Duration::from_mins(1));
        let found = some.wait(|_| {
            looks += 1;
            (looks == 3).then_some("it")
        });
        assert_eq!((found, looks), (Some("it"), 3));
        let mut short = Patience::new(Duration::from_millis(1));
        let gone = |asked| {
            let end = Instant::now() + asked;
            while Instant::now() < end {
                std::thread::yield_now();
            }
            None::<()>
        };
        assert_eq!(short.wait(gone), None);
        assert!(short.is_over());
    }
}
