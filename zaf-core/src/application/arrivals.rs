//! How often each signal came, when it can come by two ways. Pure.
//!
//! With a process in front of this one, one event can show itself twice: as a signal to this process, and as one that the
//! process in front hands on. Which comes first is chance, so they are not matched one by one: both are counted, and the
//! larger number is how often it happened.
//!
//! Programs that end others send SIGTERM more than once for one wish: `timeout` signals the process and then its whole group, others
//! every process of a service. So a SIGTERM that comes right behind another one is the same wish. What people type is not
//! that fast.

use std::time::{Duration, Instant};

use signal_hook::consts::SIGTERM;

/// How long a SIGTERM may come behind another one and still be the same wish: long for two calls of a program, even on a
/// machine under load.
const ECHO: Duration = Duration::from_millis(100);

/// By which way a signal came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// To this process.
    Direct,
    /// Handed on by the process in front.
    Relayed,
}

/// Signals that came so far.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    /// Signal, how often directly, how often handed on.
    counts: Vec<(i32, u32, u32)>,
    /// When the last SIGTERM that was new came.
    terminated: Option<Instant>,
}

impl Arrivals {
    /// Notes one that came at `now`; true if something new has happened, false if it is a part of what is known.
    pub(super) fn is_new(&mut self, signal: i32, way: Way, now: Instant) -> bool {
        self.is_more(signal, way) && !(signal == SIGTERM && self.is_echo(now))
    }

    fn is_echo(&mut self, now: Instant) -> bool {
        let is_echo = self
            .terminated
            .is_some_and(|last| now.saturating_duration_since(last) < ECHO);
        if !is_echo {
            self.terminated = Some(now);
        }
        is_echo
    }

    fn is_more(&mut self, signal: i32, way: Way) -> bool {
        let at = self.counts.iter().position(|count| count.0 == signal);
        let at = at.unwrap_or_else(|| {
            self.counts.push((signal, 0, 0));
            self.counts.len() - 1
        });
        let Some((_, direct, relayed)) = self.counts.get_mut(at) else {
            return true;
        };
        let (this, other) = match way {
            Way::Direct => (direct, &*relayed),
            Way::Relayed => (relayed, &*direct),
        };
        *this += 1;
        *this > *other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new_ones(ways: &[Way]) -> usize {
        let mut arrivals = Arrivals::default();
        let now = Instant::now();
        ways.iter()
            .filter(|&&way| arrivals.is_new(2, way, now))
            .count()
    }

    #[test]
    fn without_a_process_in_front_every_signal_is_new() {
        assert_eq!(new_ones(&[Way::Direct; 3]), 3);
    }

    #[test]
    fn signals_to_both_count_once_in_whatever_order_they_come() {
        use Way::{Direct, Relayed};
        assert_eq!(new_ones(&[Direct, Relayed, Relayed, Direct]), 2);
        assert_eq!(new_ones(&[Direct, Direct, Relayed, Relayed]), 2);
        assert_eq!(new_ones(&[Relayed, Relayed, Direct, Direct]), 2);
    }

    #[test]
    fn signals_to_the_front_alone_count_beside_those_to_both() {
        use Way::{Direct, Relayed};
        // To the front alone, then to both.
        assert_eq!(new_ones(&[Relayed, Direct, Relayed]), 2);
    }

    #[test]
    fn signals_are_counted_apart() {
        let mut arrivals = Arrivals::default();
        let now = Instant::now();
        assert!(arrivals.is_new(2, Way::Direct, now));
        assert!(arrivals.is_new(15, Way::Relayed, now));
        assert!(!arrivals.is_new(2, Way::Relayed, now));
    }

    #[test]
    fn d4_sigterm_right_behind_another_is_the_same_wish() {
        let mut arrivals = Arrivals::default();
        let start = Instant::now();
        let mut at = |milliseconds, way| {
            let now = start + Duration::from_millis(milliseconds);
            arrivals.is_new(SIGTERM, way, now)
        };
        // As `timeout` does it: to the process in front, then to both.
        assert!(at(0, Way::Relayed));
        assert!(!at(1, Way::Relayed));
        assert!(!at(1, Way::Direct));
        // A second wish, to both.
        assert!(at(101, Way::Direct) || at(101, Way::Relayed));
        assert!(!at(102, Way::Relayed));
        assert!(at(300, Way::Relayed));
    }
}
