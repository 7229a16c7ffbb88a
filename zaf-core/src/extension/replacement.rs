//! Decides which extensions are not loaded because another one replaces them. Pure.
//!
//! An extension that is itself replaced replaces nothing: with A replacing B and B replacing C, A and C are loaded. Names are
//! decided one after the other: replaced as soon as something that is loaded replaces it, loaded as soon as nothing that could
//! still do so is left. Names for which that never ends replace each other in a circle, which is an error.
//!
//! Invariants
//! - Of two extensions where one that is loaded replaces the other, exactly one is loaded.
//! - The result depends only on the set of candidates, not on their order.

use std::collections::{BTreeMap, BTreeSet};

/// An enabled extension, as far as replacement is concerned. Several may share a name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    pub(super) name: &'static str,
    pub(super) replaces: &'static [&'static str],
}

/// Why replacement cannot be decided.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Undecided {
    /// Each name replaces the next; the first stands at the end again and sorts before all others.
    Cycle(Vec<&'static str>),
    /// Two extensions that are loaded replace one.
    Twice {
        name: &'static str,
        by: [&'static str; 2],
    },
}

/// Names that are not loaded, each with the name that replaces it, and what could not be decided (those names are loaded).
pub(super) fn replaced(
    candidates: &[Candidate],
) -> (BTreeMap<&'static str, &'static str>, Vec<Undecided>) {
    let mut replacers: BTreeMap<&'static str, BTreeSet<&'static str>> = BTreeMap::new();
    for candidate in candidates {
        replacers.entry(candidate.name).or_default();
    }
    for candidate in candidates {
        for replaced in candidate.replaces {
            // What is not there needs no replacing.
            if let Some(by) = replacers.get_mut(replaced) {
                by.insert(candidate.name);
            }
        }
    }
    // Nearly all are decided at once; what is left is few enough to be looked at again and again.
    let mut loaded: BTreeMap<&'static str, bool> = replacers
        .iter()
        .filter(|(_, by)| by.is_empty())
        .map(|(name, _)| (*name, true))
        .collect();
    let contested: Vec<_> = replacers.iter().filter(|(_, by)| !by.is_empty()).collect();
    loop {
        let decided = contested.iter().find_map(|(name, by)| {
            if loaded.contains_key(*name) {
                None
            } else if by.iter().any(|other| loaded.get(other) == Some(&true)) {
                Some((**name, false))
            } else if by.iter().all(|other| loaded.get(other) == Some(&false)) {
                Some((**name, true))
            } else {
                None
            }
        });
        match decided {
            Some((name, is_loaded)) => loaded.insert(name, is_loaded),
            None => break,
        };
    }
    let mut gone = BTreeMap::new();
    let mut problems = Vec::new();
    for (name, by) in &replacers {
        let mut by_loaded = by
            .iter()
            .copied()
            .filter(|other| loaded.get(other) == Some(&true));
        if let Some(first) = by_loaded.next() {
            gone.insert(*name, first);
            if let Some(second) = by_loaded.next() {
                problems.push(Undecided::Twice {
                    name,
                    by: [first, second],
                });
            }
        }
    }
    problems.extend(cycles(&replacers, &loaded));
    (gone, problems)
}

/// One circle for each group of undecided names, found by walking from replaced to replacer until a name comes again.
fn cycles(
    replacers: &BTreeMap<&'static str, BTreeSet<&'static str>>,
    loaded: &BTreeMap<&'static str, bool>,
) -> BTreeSet<Undecided> {
    let mut found = BTreeSet::new();
    for start in replacers.keys().filter(|name| !loaded.contains_key(*name)) {
        let mut walk = vec![*start];
        while let Some(next) = walk
            .last()
            .and_then(|last| replacers.get(last))
            .and_then(|by| by.iter().find(|other| !loaded.contains_key(*other)))
        {
            if let Some(from) = walk.iter().position(|name| name == next) {
                let mut circle = walk.split_off(from);
                // The walk went against the arrows.
                circle.reverse();
                let smallest = (0..circle.len()).min_by_key(|&index| circle[index]);
                circle.rotate_left(smallest.unwrap_or(0));
                circle.push(circle[0]);
                found.insert(Undecided::Cycle(circle));
                break;
            }
            walk.push(*next);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];

    fn candidates(edges: &[(usize, usize)]) -> Vec<Candidate> {
        NAMES
            .iter()
            .enumerate()
            .map(|(index, name)| Candidate {
                name,
                replaces: edges
                    .iter()
                    .filter(|(from, _)| *from == index)
                    .map(|(_, to)| NAMES[*to])
                    .collect::<Vec<_>>()
                    .leak(),
            })
            .collect()
    }

    fn gone(edges: &[(usize, usize)]) -> (Vec<&'static str>, Vec<Undecided>) {
        let (gone, problems) = replaced(&candidates(edges));
        (gone.into_keys().collect(), problems)
    }

    #[test]
    fn f31_a_chain_drops_every_second_one() {
        assert_eq!(gone(&[(0, 1), (1, 2)]), (vec!["b"], vec![]));
        assert_eq!(gone(&[(0, 1), (1, 2), (2, 3)]), (vec!["b", "d"], vec![]));
    }

    #[test]
    fn f31_c11_circles_are_errors_and_drop_nothing() {
        assert_eq!(
            gone(&[(1, 0), (0, 1)]),
            (vec![], vec![Undecided::Cycle(vec!["a", "b", "a"])])
        );
        assert_eq!(
            gone(&[(2, 2)]),
            (vec![], vec![Undecided::Cycle(vec!["c", "c"])])
        );
        assert_eq!(
            gone(&[(0, 1), (1, 2), (2, 0), (2, 3)]),
            (vec![], vec![Undecided::Cycle(vec!["a", "b", "c", "a"])])
        );
    }

    #[test]
    fn a_circle_that_something_else_breaks_is_no_circle() {
        let twice = Undecided::Twice {
            name: "a",
            by: ["b", "e"],
        };
        assert_eq!(gone(&[(0, 1), (1, 0), (4, 0)]), (vec!["a"], vec![twice]));
    }

    #[test]
    fn c11_two_that_replace_the_same_are_an_error() {
        assert_eq!(
            gone(&[(0, 2), (1, 2)]),
            (
                vec!["c"],
                vec![Undecided::Twice {
                    name: "c",
                    by: ["a", "b"]
                }]
            )
        );
        // `b` is replaced itself: only `a` counts.
        assert_eq!(gone(&[(0, 2), (1, 2), (0, 1)]), (vec!["b", "c"], vec![]));
    }

    #[test]
    fn what_is_not_there_is_not_replaced() {
        let alone = Candidate {
            name: "a",
            replaces: &["z"],
        };
        assert_eq!(replaced(&[alone]), (BTreeMap::new(), vec![]));
    }

    /// All ways to divide the names into loaded and replaced in which a name is replaced exactly if a loaded one replaces it.
    fn solutions(edges: &[(usize, usize)]) -> Vec<Vec<&'static str>> {
        (0_u32..1 << NAMES.len())
            .filter(|set| {
                (0..NAMES.len()).all(|index| {
                    let is_replaced = set >> index & 1 == 1;
                    is_replaced
                        == edges
                            .iter()
                            .any(|&(from, to)| to == index && set >> from & 1 == 0)
                })
            })
            .map(|set| {
                (0..NAMES.len())
                    .filter(|index| set >> index & 1 == 1)
                    .map(|index| NAMES[index])
                    .collect()
            })
            .collect()
    }

    proptest! {
        /// Without an undecided circle the result is the only solution; the order of candidates never matters.
        #[test]
        fn the_result_is_the_only_solution(
            edges in vec((0_usize..5, 0_usize..5), 0..8),
            rotation in 0_usize..5,
        ) {
            let (names, problems) = gone(&edges);
            let circle = problems.iter().any(|problem| matches!(problem, Undecided::Cycle(_)));
            if !circle {
                prop_assert_eq!(solutions(&edges), vec![names.clone()]);
            }
            let mut rotated = candidates(&edges);
            rotated.rotate_left(rotation);
            let (again, again_problems) = replaced(&rotated);
            prop_assert_eq!(again.into_keys().collect::<Vec<_>>(), names);
            prop_assert_eq!(again_problems, problems);
        }
    }
}
