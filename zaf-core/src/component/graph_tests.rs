//! The choice of components against a model that knows no short cuts.

use std::any::TypeId;
use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// Four types to ask for.
struct Numbered<const N: usize>;

fn type_id(number: usize) -> fn() -> TypeId {
    match number % 4 {
        0 => TypeId::of::<Numbered<0>>,
        1 => TypeId::of::<Numbered<1>>,
        2 => TypeId::of::<Numbered<2>>,
        _ => TypeId::of::<Numbered<3>>,
    }
}

fn type_name(number: usize) -> fn() -> &'static str {
    match number % 4 {
        0 => || "Zero",
        1 => || "One",
        2 => || "Two",
        _ => || "Three",
    }
}

const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
const SCOPES: [&str; 3] = ["test", "runner", "session"];
const WORDS: [&str; 2] = ["x", "y"];

fn requirement(number: usize, can: usize, scope: Option<usize>) -> Requirement {
    Requirement {
        parameter: "it",
        type_id: type_id(number),
        type_name: type_name(number),
        can: words(can),
        scope: scope.map(|scope| SCOPES[scope]),
        component: None,
    }
}

/// The words of a bit set.
fn words(bits: usize) -> &'static [&'static str] {
    let chosen: Vec<_> = WORDS
        .into_iter()
        .enumerate()
        .filter(|(index, _)| bits >> index & 1 == 1)
        .map(|(_, word)| word)
        .collect();
    chosen.leak()
}

fn component(
    name: &'static str,
    (number, can, scope, priority): (usize, usize, usize, i32),
    requirements: Vec<Requirement>,
) -> ComponentDescriptor {
    ComponentDescriptor {
        name,
        description: "",
        scope: SCOPES[scope],
        can: words(can),
        priority,
        type_id: type_id(number),
        type_name: type_name(number),
        requirements: requirements.leak(),
        make: |_| Err(crate::Error::msg("never made")),
        krate: "demo",
        file: "src/demo.rs",
        line: 1,
    }
}

fn chain(from: usize) -> Vec<Level> {
    SCOPES[from..]
        .iter()
        .map(|name| Level {
            name: (*name).into(),
            provided: Vec::new(),
        })
        .collect()
}

/// What the rules of the module say, step by step: `None` if nothing fits, `Err` if a component needs itself.
fn model(
    components: &[ComponentDescriptor],
    from: usize,
    wanted: &Requirement,
    path: &[usize],
) -> Result<Option<(usize, usize)>, ()> {
    let mut ranked: Vec<usize> = (0..components.len())
        .filter(|&index| (components[index].type_id)() == (wanted.type_id)())
        .collect();
    ranked.sort_by_key(|&index| (-components[index].priority, components[index].name));
    for index in ranked {
        let candidate = &components[index];
        let can: BTreeSet<_> = candidate.can.iter().collect();
        let scope = wanted.scope.unwrap_or(candidate.scope);
        let level = SCOPES
            .iter()
            .position(|name| *name == scope)
            .filter(|level| *level >= from);
        let (true, Some(level)) = (wanted.can.iter().all(|word| can.contains(word)), level) else {
            continue;
        };
        if path.contains(&index) {
            return Err(());
        }
        let mut deeper = path.to_vec();
        deeper.push(index);
        let mut is_met = true;
        for needed in candidate.requirements {
            is_met &= model(components, level, needed, &deeper)?.is_some();
        }
        if is_met {
            return Ok(Some((index, level)));
        }
    }
    Ok(None)
}

proptest! {
    #[test]
    fn the_choice_is_that_of_the_model(
        shapes in vec((0_usize..4, 0_usize..4, 0_usize..3, -1_i32..2), 0..6),
        edges in vec((0_usize..6, 0_usize..4, 0_usize..4, proptest::option::of(0_usize..3)), 0..6),
        wanted in (0_usize..4, 0_usize..4, proptest::option::of(0_usize..3)),
        from in 0_usize..3,
    ) {
        let components: Vec<_> = shapes
            .iter()
            .enumerate()
            .map(|(index, shape)| {
                let needs = edges
                    .iter()
                    .filter(|edge| edge.0 == index)
                    .map(|edge| requirement(edge.1, edge.2, edge.3))
                    .collect();
                component(NAMES[index], *shape, needs)
            })
            .collect();
        let wanted = requirement(wanted.0, wanted.1, wanted.2);
        let registry = ComponentRegistry::new(components.iter().rev().copied()).unwrap();
        let chain = chain(from);
        let chosen = choose(&registry, &chain, &wanted, &[]);
        match model(registry.sorted(), from, &wanted, &[]) {
            Ok(Some((component, level))) => prop_assert_eq!(
                chosen.ok(),
                Some(Choice::Made { component, level: level - from })
            ),
            Ok(None) => prop_assert!(matches!(chosen, Err(Failure::Missing(_)))),
            Err(()) => prop_assert!(matches!(chosen, Err(Failure::Cycle(_)))),
        }
    }
}

#[test]
fn a_deep_graph_with_shared_parts_is_walked_once() {
    // Each level needs the next one twice: walked naively, 2^60 steps.
    let mut components = Vec::new();
    for level in 0..60_usize {
        let name: &'static str = format!("level{level:02}").leak();
        let word: &'static [&'static str] = vec![name].leak();
        let next: &'static [&'static str] = vec![&*format!("level{:02}", level + 1).leak()].leak();
        let needs = match level {
            59 => vec![],
            _ => vec![requirement(0, 0, None).can(next); 2],
        };
        components.push(ComponentDescriptor {
            can: word,
            ..component(name, (0, 0, 2, 0), needs)
        });
    }
    let registry = ComponentRegistry::new(components).unwrap();
    let top = requirement(0, 0, None).can(&["level00"]);
    assert!(choose(&registry, &chain(0), &top, &[]).is_ok());
}
