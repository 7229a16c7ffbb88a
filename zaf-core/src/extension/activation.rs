//! Decides whether an enabled extension takes part. Pure.
//!
//! Invariants
//! - `deactivate_on` wins over `activate_on`.
//! - An empty list is no condition: nothing is active or inactive because of it.
//! - The result depends on the arguments only.

use super::Condition;
use crate::config::OptionDescriptor;

/// Whether an instance is active. `holds` says whether an option has a value that counts as true in the instance's view.
///
/// Each condition is an "and" of groups, each group an "or" of options; an empty group never holds.
pub fn is_active(
    activate_on: Condition,
    deactivate_on: Condition,
    mut holds: impl FnMut(&OptionDescriptor) -> bool,
) -> bool {
    let mut satisfied =
        |condition: Condition| condition.iter().all(|group| group.iter().any(&mut holds));
    let deactivated = !deactivate_on.is_empty() && satisfied(deactivate_on);
    !deactivated && (activate_on.is_empty() || satisfied(activate_on))
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::config::OptionId;

    const OPTIONS: [OptionDescriptor; 4] = [
        OptionId::flag("a").descriptor(),
        OptionId::flag("b").descriptor(),
        OptionId::flag("c").descriptor(),
        OptionId::flag("d").descriptor(),
    ];

    /// Groups of indices into `OPTIONS`, as a condition.
    fn condition(groups: &[Vec<usize>]) -> Condition {
        groups
            .iter()
            .map(|group| -> &'static [OptionDescriptor] {
                group
                    .iter()
                    .map(|&index| OPTIONS[index])
                    .collect::<Vec<_>>()
                    .leak()
            })
            .collect::<Vec<_>>()
            .leak()
    }

    /// The rule with nested loops, on a truth table.
    fn naive(groups: &[Vec<usize>], values: [bool; 4]) -> bool {
        for group in groups {
            let mut any = false;
            for &index in group {
                any |= values[index];
            }
            if !any {
                return false;
            }
        }
        true
    }

    proptest! {
        #[test]
        fn activation_agrees_with_the_truth_table(
            on in vec(vec(0_usize..4, 0..3), 0..4),
            off in vec(vec(0_usize..4, 0..3), 0..4),
            values: [bool; 4],
        ) {
            let holds = |option: &OptionDescriptor| {
                OPTIONS.iter().position(|other| other == option).is_some_and(|index| values[index])
            };
            let expected = if !off.is_empty() && naive(&off, values) {
                false
            } else {
                naive(&on, values)
            };
            prop_assert_eq!(is_active(condition(&on), condition(&off), holds), expected);
        }
    }
}
