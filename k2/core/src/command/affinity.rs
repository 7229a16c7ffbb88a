//! Which cases share what is made once per module or class, and therefore belong to the same worker.

use std::any::TypeId;
use std::collections::BTreeMap;

use zaf_core::component::{ComponentRegistry, Requirement};

use crate::case::TestCase;

/// The scopes whose instances a worker has for itself.
const SHARED: [&str; 2] = ["module", "class"];

/// Marks the cases that ask, themselves or through other components, for something that lives in the scope of a module or of a class:
/// with their module.
pub(super) fn assign(cases: &mut [TestCase], registry: &ComponentRegistry) {
    let mut graph = Graph {
        registry,
        known: BTreeMap::new(),
    };
    for case in cases {
        if case.affinity.is_none() && graph.shares(case.requirements) {
            case.affinity = Some(case.module().into());
        }
    }
}

struct Graph<'a> {
    registry: &'a ComponentRegistry,
    /// Whether what answers for a type shares something; false while that is being found out, so that circles end.
    known: BTreeMap<TypeId, bool>,
}

impl Graph<'_> {
    fn shares(&mut self, requirements: &[Requirement]) -> bool {
        requirements.iter().any(|requirement| {
            let scope = requirement.scope;
            scope.is_some_and(|scope| SHARED.contains(&scope))
                || self.type_shares((requirement.type_id)())
        })
    }

    /// Of several components that make a type, one that shares is enough: which one answers is not known before.
    fn type_shares(&mut self, wanted: TypeId) -> bool {
        if let Some(&known) = self.known.get(&wanted) {
            return known;
        }
        self.known.insert(wanted, false);
        let registry = self.registry;
        let mut makers = registry.iter().filter(|one| (one.type_id)() == wanted);
        let shares = makers.any(|one| SHARED.contains(&one.scope) || self.shares(one.requirements));
        self.known.insert(wanted, shares);
        shares
    }
}
