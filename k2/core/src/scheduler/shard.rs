//! One of several parts of a run, for machines that share the work.

use std::cmp::Reverse;
use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

use super::earlier::EarlierRun;
use crate::case::TestCase;

/// Part `number` of `count`, as one types it: `2/5`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    number: usize,
    count: usize,
}

/// A text that names no part.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no part of a run; expected is n/m with n from 1 to m, for example `2/5`")]
pub struct ShardError(String);

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let wrong = || ShardError(text.to_owned());
        let (number, count) = text.split_once('/').ok_or_else(wrong)?;
        let number = number.trim().parse().map_err(|_| wrong())?;
        let count = count.trim().parse().map_err(|_| wrong())?;
        if number == 0 || number > count {
            return Err(wrong());
        }
        Ok(Self { number, count })
    }
}

impl Shard {
    /// Keeps the cases of this part, in their order; returns how many belong to others.
    ///
    /// Every case belongs to exactly one part, and to the same one wherever that is asked, as long as all know the same cases and the same
    /// `earlier` run: the longest is dealt first, each to the part that has least. Without durations all count alike.
    pub fn keep(self, cases: &mut Vec<TestCase>, earlier: &EarlierRun) -> usize {
        let usual = earlier.usual_duration().max(Duration::from_nanos(1));
        let mut longest_first: Vec<(usize, Duration)> = cases
            .iter()
            .map(|case| earlier.duration(&case.id).unwrap_or(usual))
            .enumerate()
            .collect();
        // The order in which this machine found them must not matter, so ties go by name.
        longest_first.sort_by(|(left, left_time), (right, right_time)| {
            let id = |index: &usize| cases.get(*index).map(|case| &case.id);
            Reverse(left_time)
                .cmp(&Reverse(right_time))
                .then_with(|| id(left).cmp(&id(right)))
        });
        let mut loads = vec![(Duration::ZERO, 0_usize); self.count];
        let mut mine = vec![false; cases.len()];
        for (index, duration) in longest_first {
            let least = (0..self.count).min_by_key(|&part| loads.get(part).copied());
            let Some(part) = least else { break };
            if let Some((time, number)) = loads.get_mut(part) {
                *time = time.saturating_add(duration);
                *number += 1;
            }
            if let Some(mine) = mine.get_mut(index) {
                *mine = part + 1 == self.number;
            }
        }
        let before = cases.len();
        let mut is_mine = mine.into_iter();
        cases.retain(|_| is_mine.next() == Some(true));
        before - cases.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::case::{CaseAction, CaseId};

    fn case(number: usize) -> TestCase {
        let action = CaseAction::LoadFailure(String::new());
        TestCase::new(CaseId::new(format!("case-{number}")), action)
    }

    #[test]
    fn a_part_is_written_as_a_fraction() {
        let shard = |text: &str| text.parse::<Shard>();
        assert_eq!(
            shard("2/5"),
            Ok(Shard {
                number: 2,
                count: 5
            })
        );
        for wrong in ["", "0/5", "6/5", "2", "a/b", "1/0", "-1/2"] {
            assert!(shard(wrong).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn every_case_belongs_to_exactly_one_part(count in 0_usize..60, parts in 1_usize..8, turn in 0_usize..60) {
            let mut seen: Vec<CaseId> = Vec::new();
            for number in 1..=parts {
                // Each machine may find them in an order of its own.
                let mut cases: Vec<TestCase> = (0..count).map(case).collect();
                cases.rotate_left(if count == 0 { 0 } else { (turn * number) % count });
                let shard = Shard { number, count: parts };
                let others = shard.keep(&mut cases, &EarlierRun::default());
                prop_assert_eq!(others + cases.len(), count);
                // Balanced: none has more than one case more than another.
                prop_assert!(cases.len() >= count / parts && cases.len() <= count.div_ceil(parts));
                seen.extend(cases.into_iter().map(|case| case.id));
            }
            seen.sort();
            let mut all: Vec<CaseId> = (0..count).map(|number| case(number).id).collect();
            all.sort();
            prop_assert_eq!(seen, all);
        }
    }
}
