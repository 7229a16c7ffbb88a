//! Which values of an option count, and what each does. Pure; values are not read here.
//!
//! One value: the highest priority wins; of equal priorities the one that was *added later*. Several values: see
//! [`Operation`]; the lists stand one after the other, from the highest priority to the lowest, of equal priorities in the
//! order added.

use std::cmp::Reverse;

use super::key::Key;
use super::operation::Operation;
use super::option::OptionDescriptor;
use super::store::{ConfigStore, Entry, Outcome};
use super::value::Value;
use crate::message::Entity;

/// One value of an option, with what it does.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate<'a> {
    pub(super) entry: &'a Entry,
    pub(super) operation: Operation,
}

impl Candidate<'_> {
    pub(super) fn is_set(&self) -> bool {
        self.entry.value != Value::Unset
    }

    /// How much it counts: the greater, the more. Those of one layer are equal.
    pub(super) fn rank(&self) -> (super::Priority, u32) {
        (self.entry.priority, self.entry.layer)
    }
}

/// All values of an option and what becomes of each, in the order in which they count.
#[derive(Debug)]
pub(super) struct Merge<'a> {
    pub(super) candidates: Vec<(Candidate<'a>, Outcome)>,
    /// Whether the default is a part of the value, or the value.
    pub(super) has_default: bool,
}

impl<'a> Merge<'a> {
    /// The one that wins, of an option with one value.
    pub(super) fn winner(&self) -> Option<&'a Entry> {
        let wins = |(candidate, outcome): &(Candidate<'a>, Outcome)| {
            (*outcome == Outcome::Wins).then_some(candidate.entry)
        };
        self.candidates.iter().find_map(wins)
    }

    /// Those with this outcome, in order.
    pub(super) fn with(&self, wanted: Outcome) -> impl Iterator<Item = Candidate<'a>> + '_ {
        self.candidates
            .iter()
            .filter(move |(_, outcome)| *outcome == wanted)
            .map(|(candidate, _)| *candidate)
    }
}

impl ConfigStore {
    /// What counts of all values that an option has under any of its names.
    pub(super) fn merge(&self, option: &OptionDescriptor, entity: Option<&Entity>) -> Merge<'_> {
        let mut found: Vec<Candidate<'_>> = Vec::new();
        let names = std::iter::once(option.key).chain(option.aliases.iter().copied());
        for name in names {
            let key = Key::of(&option.named(name), entity);
            found.extend(self.candidates(&key, Operation::Add));
            if option.multiple {
                for operation in Operation::EXPLICIT {
                    found.extend(self.candidates(&operation.key_for(&key), operation));
                }
            }
        }
        if option.multiple {
            found.sort_by_key(|candidate| {
                (Reverse(candidate.entry.priority), candidate.entry.added)
            });
            of_several(found)
        } else {
            found.sort_by_key(|candidate| {
                Reverse((candidate.entry.priority, candidate.entry.added))
            });
            of_one(&found)
        }
    }

    fn candidates(&self, key: &Key, operation: Operation) -> impl Iterator<Item = Candidate<'_>> {
        let entries = self.raw_entries(key).iter();
        entries.map(move |entry| Candidate { entry, operation })
    }
}

fn of_one<'a>(found: &[Candidate<'a>]) -> Merge<'a> {
    let winner = found.iter().position(Candidate::is_set);
    let outcome = |(index, candidate): (usize, &Candidate<'_>)| match () {
        () if !candidate.is_set() => Outcome::Unset,
        () if winner == Some(index) => Outcome::Wins,
        () => Outcome::Overridden,
    };
    Merge {
        has_default: winner.is_none(),
        candidates: found
            .iter()
            .copied()
            .zip(found.iter().enumerate().map(outcome))
            .collect(),
    }
}

fn of_several(found: Vec<Candidate<'_>>) -> Merge<'_> {
    let set = || found.iter().filter(|candidate| candidate.is_set());
    let replaced_below = set()
        .filter(|candidate| candidate.operation == Operation::Replace)
        .map(Candidate::rank)
        .max();
    let has_default =
        set().all(|candidate| matches!(candidate.operation, Operation::Append | Operation::Remove));
    let outcome = |candidate: &Candidate<'_>| match candidate.operation {
        _ if !candidate.is_set() => Outcome::Unset,
        _ if replaced_below.is_some_and(|rank| candidate.rank() < rank) => Outcome::Overridden,
        Operation::Remove => Outcome::Removes,
        Operation::Add | Operation::Append | Operation::Replace => Outcome::Adds,
    };
    let outcomes: Vec<Outcome> = found.iter().map(outcome).collect();
    Merge {
        has_default,
        candidates: found.into_iter().zip(outcomes).collect(),
    }
}
