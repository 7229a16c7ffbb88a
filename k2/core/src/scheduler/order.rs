//! The order in which cases are handed out.

use std::cmp::Reverse;

use super::earlier::EarlierRun;
use crate::case::TestCase;

/// How the cases that were found are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As they were found: by source, and as they stand there.
    Definition,
    /// At random, the same for the same seed and the same cases.
    Shuffle {
        /// The seed.
        seed: u64,
    },
    /// Those first that took longest in an earlier run, so that no long one is left for the end. Those that it does not know count as usual.
    LongestFirst,
}

impl Order {
    /// What the option `tests.order` can be.
    pub const WORDS: &'static [&'static str] = &["definition", "shuffle", "longest-first"];

    /// Orders `cases`. `earlier` says how long they took.
    pub fn apply(self, cases: &mut [TestCase], earlier: &EarlierRun) {
        match self {
            Self::Definition => {}
            Self::Shuffle { seed } => shuffle(cases, seed),
            Self::LongestFirst => {
                let usual = earlier.usual_duration();
                cases.sort_by_cached_key(|case| {
                    Reverse(earlier.duration(&case.id).unwrap_or(usual))
                });
            }
        }
    }
}

/// Fisher and Yates' shuffle with the generator `SplitMix64`, both written out: the order of a seed must not change with the release of
/// a library.
fn shuffle<T>(items: &mut [T], seed: u64) {
    let mut state = seed;
    for last in (1..items.len()).rev() {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        // The high half of a product spreads over the range without the bias of a remainder that anybody would notice.
        let spread = u128::from(mixed) * (last as u128 + 1);
        let other = usize::try_from(spread >> 64).unwrap_or(0);
        items.swap(last, other);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_order_of_a_seed_is_always_the_same() {
        let mut items: Vec<u32> = (0..10).collect();
        shuffle(&mut items, 42);
        let mut again: Vec<u32> = (0..10).collect();
        shuffle(&mut again, 42);
        assert_eq!(items, again);
        shuffle(&mut again, 7);
        assert_ne!(items, again);
        assert_eq!(items, [8, 3, 6, 5, 4, 0, 9, 2, 1, 7]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_in_a_shuffle(count in 0_u32..200, seed: u64) {
            let mut items: Vec<u32> = (0..count).collect();
            shuffle(&mut items, seed);
            items.sort_unstable();
            prop_assert!(items.into_iter().eq(0..count));
        }
    }
}
