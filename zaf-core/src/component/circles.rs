//! Components that need themselves, found before anything is made.

use std::collections::BTreeSet;

use super::graph::{self, Asking, Failure, Level};
use super::unmet::place;
use super::{ComponentError, ComponentRegistry, Requirement, Scope};

/// Scopes that lie within each other, and what is asked for in the innermost one.
#[derive(Debug, Clone)]
pub struct ScopeChain {
    scopes: &'static [&'static str],
    demands: Vec<&'static [Requirement]>,
}

impl ScopeChain {
    /// Scopes with these names, the outermost first. What one function asks for is one of the `demands`.
    pub fn new(
        scopes: &'static [&'static str],
        demands: impl IntoIterator<Item = &'static [Requirement]>,
    ) -> Self {
        Self {
            scopes,
            demands: demands.into_iter().collect(),
        }
    }
}

impl Scope {
    /// All circles of components that need each other, each once, with names and source lines: of all components in all chains
    /// that have their scope, and of what is asked for in the chains. A component of a scope that no chain has is looked at in
    /// this scope and its own.
    ///
    /// What was put into this scope counts, because it wins over what would have to be made. Makes nothing.
    ///
    /// Each is a [`ComponentError::Cycle`].
    pub fn circles(&self, chains: &[ScopeChain]) -> Vec<ComponentError> {
        let registry = self.registry();
        let here = self.level();
        let mut found = BTreeSet::new();
        for (index, component) in registry.sorted().iter().enumerate() {
            let mut chains = chains
                .iter()
                .map(|chain| chain.scopes)
                .filter(|scopes| scopes.contains(&component.scope))
                .peekable();
            if chains.peek().is_none() {
                let levels = levels(&here, &[&*here.name, component.scope]);
                found.extend(circle(registry, &levels, index));
            }
            for scopes in chains {
                found.extend(circle(registry, &levels(&here, scopes), index));
            }
        }
        for chain in chains {
            let levels = levels(&here, chain.scopes);
            for demand in &chain.demands {
                let asking = asking(registry, &levels);
                if let Err(Failure::Cycle(path)) = graph::plan(asking, demand, &[]) {
                    found.insert(from_smallest(path));
                }
            }
        }
        found.iter().map(|path| error(registry, path)).collect()
    }
}

/// The chain of scopes with these names as the search wants it, the innermost first.
fn levels(here: &Level, scopes: &[&str]) -> Vec<Level> {
    let level = |name: &&str| {
        if **name == *here.name {
            here.clone()
        } else {
            Level {
                name: (*name).into(),
                provided: Vec::new(),
                fixated: Vec::new(),
            }
        }
    };
    scopes.iter().rev().map(level).collect()
}

fn asking<'a>(registry: &'a ComponentRegistry, chain: &'a [Level]) -> Asking<'a> {
    Asking {
        registry,
        chain,
        making: &[],
    }
}

/// The circle that making a component in its own scope leads into.
fn circle(registry: &ComponentRegistry, levels: &[Level], index: usize) -> Option<Vec<usize>> {
    let scope = registry.sorted()[index].scope;
    let level = levels.iter().position(|level| *level.name == *scope)?;
    graph::circle(asking(registry, levels), index, level).map(from_smallest)
}

/// The same circle, beginning with its smallest index wherever it was entered.
fn from_smallest(mut path: Vec<usize>) -> Vec<usize> {
    // The first stands at the end again.
    path.pop();
    if let Some(smallest) = (0..path.len()).min_by_key(|&position| path[position]) {
        path.rotate_left(smallest);
        path.push(path[0]);
    }
    path
}

/// The error about components that need each other, given by their indices.
pub(super) fn error(registry: &ComponentRegistry, path: &[usize]) -> ComponentError {
    let components = registry.sorted();
    let named = path.iter().map(|&index| {
        let component = &components[index];
        format!("`{}` ({})", component.name, place(component))
    });
    ComponentError::Cycle {
        path: named.collect(),
    }
}
