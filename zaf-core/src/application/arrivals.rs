//! How often each signal came, when it can come by two ways. Pure.
//!
//! With a process in front of this one, one event can show itself twice: as a signal to this process, and as one that the
//! process in front hands on. Which comes first is chance, so they are not matched one by one: both are counted, and the
//! larger number is how often it happened.

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
}

impl Arrivals {
    /// Notes one; true if something new has happened, false if it is the other half of what is known.
    pub(super) fn is_new(&mut self, signal: i32, way: Way) -> bool {
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
        ways.iter().filter(|&&way| arrivals.is_new(2, way)).count()
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
        assert!(arrivals.is_new(2, Way::Direct));
        assert!(arrivals.is_new(15, Way::Relayed));
        assert!(!arrivals.is_new(2, Way::Relayed));
    }
}
