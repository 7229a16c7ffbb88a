//! Decides which components answer requirements, and where their instances live.
//!
//! Pure: looks at descriptors and at what scopes have, makes nothing.
//!
//! Rules
//! - A candidate fits if it is of the type, can everything that is asked for, its scope is the one that asks or an ancestor of
//!   it, and its own requirements can be met from the scope that it will live in.
//! - Instances that were provided win over components that would have to be made; the nearest scope first, within one scope
//!   the one provided last.
//! - Of several components that fit, the one with the highest priority; ties go to the name that sorts first.
//! - An entity is fixated for a requirement if something of the type is about it: then nothing else fits. The innermost scope
//!   that fixates such an entity counts.
//! - Below a requirement that uses others, their types are answered by what they get, and by nothing else. If that does not fit,
//!   the next best answer of the used ones is tried, the one used last first.
//! - A component that needs itself is an error, not a candidate to skip: the fallback would hide a mistake.

use std::any::TypeId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::unmet::{Candidate, Reason, Unmet};
use super::{ComponentDescriptor, ComponentRegistry, Requirement};
use crate::message::Entity;

/// What can be seen of one scope. The innermost stands first in a chain.
#[derive(Debug, Clone)]
pub(super) struct Level {
    pub(super) name: Arc<str>,
    pub(super) provided: Vec<Offer>,
    pub(super) fixated: Vec<Entity>,
}

/// A pre-made instance, as far as matching is concerned.
#[derive(Debug, Clone)]
pub(super) struct Offer {
    pub(super) type_id: TypeId,
    pub(super) type_name: &'static str,
    pub(super) can: &'static [&'static str],
    pub(super) entity: Option<Entity>,
}

/// Place of a node in its plan.
pub(super) type NodeId = usize;

/// What answers a requirement. Levels count from the innermost scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    /// The offer with this index at this level.
    Provided { level: usize, offer: usize },
    /// An instance of this component at this level, made of these, one for each of its requirements.
    Made {
        component: usize,
        level: usize,
        needs: Vec<NodeId>,
    },
    /// What whoever asks has brought along for the requirement with this index.
    Brought { index: usize },
    /// Who asks.
    Requester,
}

/// What answers the requirements of one asker.
#[derive(Debug)]
pub(super) struct Plan {
    /// Those that answer, among others that were looked at; each behind all that it needs.
    pub(super) nodes: Vec<Node>,
    /// One for each requirement.
    pub(super) answers: Vec<NodeId>,
    /// Whether another fixated entity could lead to another plan.
    pub(super) depends_on_entity: bool,
}

/// Why nothing answers.
#[derive(Debug, Clone)]
pub(super) enum Failure {
    /// Indices of components, each needing the next; the first stands at the end again.
    Cycle(Vec<usize>),
    /// Nothing fits; never empty.
    Missing(Vec<Unmet>),
}

/// Who asks, and from where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asking<'a> {
    pub(super) registry: &'a ComponentRegistry,
    /// The scopes, from the one that asks outwards.
    pub(super) chain: &'a [Level],
    /// The components whose functions are running and led here, outermost first.
    pub(super) making: &'a [usize],
}

/// Chooses what answers `requirements`, which belong to one function. Those for whose index `brought` is true have an answer.
pub(super) fn plan(
    asking: Asking<'_>,
    requirements: &[Requirement],
    brought: &[bool],
) -> Result<Plan, Failure> {
    let mut search = Search::new(asking);
    match search.group(0, requirements, brought, &Environment::new())? {
        Ok(answers) => Ok(Plan {
            nodes: search.nodes,
            answers,
            depends_on_entity: search.depends_on_entity,
        }),
        Err(unmet) => Err(Failure::Missing(unmet)),
    }
}

/// The circle that making this component at this level leads into, as [`Failure::Cycle`] has it.
pub(super) fn circle(asking: Asking<'_>, component: usize, level: usize) -> Option<Vec<usize>> {
    let mut search = Search::new(asking);
    match search.needs_of(component, level, &Environment::new()) {
        Err(Failure::Cycle(path)) => Some(path),
        _ => None,
    }
}

/// Types that are answered already, each by this node: what is used above. Sorted by type.
pub(super) type Environment = BTreeMap<TypeId, NodeId>;

/// The needs of (component, level it lives at, what is used above).
type Known = BTreeMap<(usize, usize, Environment), Walked>;

/// What came of a component, and all components that were looked at for it, itself among them.
#[derive(Debug, Clone)]
struct Walked {
    outcome: Result<NodeId, Vec<Unmet>>,
    components: BTreeSet<usize>,
}

pub(super) struct Search<'a> {
    pub(super) asking: Asking<'a>,
    path: Vec<usize>,
    /// What was looked at for each of the path, as far as it has been.
    walked: Vec<BTreeSet<usize>>,
    pub(super) nodes: Vec<Node>,
    /// So that shared parts of the graph are walked once.
    known: Known,
    pub(super) depends_on_entity: bool,
}

/// Those requirements of one function that use each other, while their answers are looked for.
struct Linked<'a> {
    requirements: &'a [Requirement],
    brought: &'a [bool],
    /// Indices, used ones first.
    order: Vec<usize>,
    chosen: Vec<Option<NodeId>>,
    /// What did not fit the first time that something did not.
    unmet: Option<Unmet>,
}

impl<'a> Search<'a> {
    fn new(asking: Asking<'a>) -> Self {
        Self {
            asking,
            path: asking.making.to_vec(),
            walked: Vec::new(),
            nodes: Vec::new(),
            known: BTreeMap::new(),
            depends_on_entity: false,
        }
    }

    pub(super) fn add(&mut self, node: Node) -> NodeId {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    /// Answers all requirements of one function, or says about all of them why not.
    fn group(
        &mut self,
        from: usize,
        requirements: &[Requirement],
        brought: &[bool],
        above: &Environment,
    ) -> Result<Result<Vec<NodeId>, Vec<Unmet>>, Failure> {
        let mut unmet = Vec::new();
        let mut chosen = vec![None; requirements.len()];
        let order = used_first(requirements);
        for (index, requirement) in requirements.iter().enumerate() {
            if brought.get(index) == Some(&true) {
                chosen[index] = Some(self.add(Node::Brought { index }));
            } else if !order.contains(&index) {
                match self.answer(from, requirement, above, above)? {
                    Ok(node) => chosen[index] = Some(node),
                    Err(missing) => unmet.push(missing),
                }
            }
        }
        if !order.is_empty() {
            let mut linked = Linked {
                requirements,
                brought,
                order,
                chosen,
                unmet: None,
            };
            if !self.assign(from, 0, &mut linked, above)? {
                unmet.extend(linked.unmet);
            }
            chosen = linked.chosen;
        }
        if unmet.is_empty() {
            Ok(Ok(chosen.into_iter().flatten().collect()))
        } else {
            Ok(Err(unmet))
        }
    }

    /// Answers linked requirements from `position` on; false if that cannot be.
    fn assign(
        &mut self,
        from: usize,
        position: usize,
        linked: &mut Linked<'_>,
        above: &Environment,
    ) -> Result<bool, Failure> {
        let Some(&index) = linked.order.get(position) else {
            return Ok(true);
        };
        let requirement = &linked.requirements[index];
        if linked.brought.get(index) == Some(&true) {
            return self.assign(from, position + 1, linked, above);
        }
        let mut below = above.clone();
        for (other, node) in linked.requirements.iter().zip(&linked.chosen) {
            if let Some(node) = node
                && requirement.uses.contains(&other.parameter)
            {
                below.entry((other.type_id)()).or_insert(*node);
            }
        }
        let is_used = linked
            .requirements
            .iter()
            .any(|other| other.uses.contains(&requirement.parameter));
        let mut refused = Vec::new();
        let mut fitted = false;
        for candidate in self.candidates(from, requirement, above) {
            match self.fits(from, candidate, requirement, &below)? {
                Ok(node) => {
                    fitted = true;
                    linked.chosen[index] = Some(node);
                    if self.assign(from, position + 1, linked, above)? {
                        return Ok(true);
                    }
                    if !is_used {
                        // Another answer changes nothing for those behind.
                        break;
                    }
                }
                Err(reason) => refused.push((candidate, reason)),
            }
        }
        if !fitted && linked.unmet.is_none() {
            linked.unmet = Some(self.unmet(requirement, refused));
        }
        Ok(false)
    }

    /// The best answer. `above` is what was used above the requirement, `below` what holds for the needs of the answer.
    fn answer(
        &mut self,
        from: usize,
        requirement: &Requirement,
        above: &Environment,
        below: &Environment,
    ) -> Result<Result<NodeId, Unmet>, Failure> {
        let mut refused = Vec::new();
        for candidate in self.candidates(from, requirement, above) {
            match self.fits(from, candidate, requirement, below)? {
                Ok(node) => return Ok(Ok(node)),
                Err(reason) => refused.push((candidate, reason)),
            }
        }
        Ok(Err(self.unmet(requirement, refused)))
    }

    fn unmet(&self, requirement: &Requirement, mut refused: Vec<(Candidate, Reason)>) -> Unmet {
        if refused.is_empty() {
            refused = self.look_alikes(requirement);
        }
        Unmet {
            requirement: *requirement,
            candidates: refused,
        }
    }

    /// The node that the candidate is, or why it does not fit.
    fn fits(
        &mut self,
        from: usize,
        candidate: Candidate,
        requirement: &Requirement,
        below: &Environment,
    ) -> Result<Result<NodeId, Reason>, Failure> {
        let can = self.can(candidate);
        let missing = can.map_or_else(Vec::new, |can| lacking(requirement.can, can));
        if !missing.is_empty() {
            return Ok(Err(Reason::Cannot(missing)));
        }
        if let Some(fixated) = self.fixated_elsewhere(from, candidate, requirement) {
            return Ok(Err(Reason::Fixated(fixated)));
        }
        match candidate {
            Candidate::Used(node) => Ok(self.fits_used(from, node, requirement)),
            Candidate::Requester => Ok(Ok(self.add(Node::Requester))),
            Candidate::Offer { level, offer } => {
                let scope = &self.asking.chain[level].name;
                if requirement.scope.is_some_and(|name| *name != **scope) {
                    return Ok(Err(Reason::OtherScope(level)));
                }
                Ok(Ok(self.add(Node::Provided { level, offer })))
            }
            Candidate::Component(index) => {
                let scope = requirement.scope.unwrap_or(self.component(index).scope);
                let chain = self.asking.chain;
                let is_of_it = |&level: &usize| *chain[level].name == *scope;
                let Some(level) = (from..chain.len()).find(is_of_it) else {
                    let shorter = (0..from).rev().find(is_of_it);
                    return Ok(Err(match shorter {
                        Some(level) => Reason::TooShort { level, from },
                        None => Reason::NotInScope(scope),
                    }));
                };
                let needs = self.needs_of(index, level, below)?;
                Ok(needs.map_err(Reason::Needs))
            }
        }
    }

    /// The node of a component at a level, with those of its needs.
    fn needs_of(
        &mut self,
        index: usize,
        level: usize,
        below: &Environment,
    ) -> Result<Result<NodeId, Vec<Unmet>>, Failure> {
        if let Some(start) = self.path.iter().position(|&other| other == index) {
            let mut path = self.path[start..].to_vec();
            path.push(index);
            return Err(Failure::Cycle(path));
        }
        let key = (index, level, below.clone());
        // Where one of the path was looked at for it, it is walked again: that is a circle, whoever came here first.
        if let Some(known) = self.known.get(&key)
            && !self.path.iter().any(|one| known.components.contains(one))
        {
            let known = known.clone();
            if let Some(walked) = self.walked.last_mut() {
                walked.extend(known.components);
            }
            return Ok(known.outcome);
        }
        self.path.push(index);
        self.walked.push(BTreeSet::from([index]));
        let requirements = self.component(index).requirements;
        let needs = self.group(level, requirements, &[], below)?;
        self.path.pop();
        let components = self.walked.pop().unwrap_or_default();
        if let Some(walked) = self.walked.last_mut() {
            walked.extend(&components);
        }
        let outcome = needs.map(|needs| {
            self.add(Node::Made {
                component: index,
                level,
                needs,
            })
        });
        let known = Walked {
            outcome: outcome.clone(),
            components,
        };
        self.known.insert(key, known);
        Ok(outcome)
    }

    pub(super) fn component(&self, index: usize) -> &'a ComponentDescriptor {
        &self.asking.registry.sorted()[index]
    }
}

/// Indices of the requirements that use others or are used, each behind those that it uses.
fn used_first(requirements: &[Requirement]) -> Vec<usize> {
    fn visit(
        index: usize,
        requirements: &[Requirement],
        seen: &mut [bool],
        order: &mut Vec<usize>,
    ) {
        // Two that use each other are refused where they are declared; here they only have to come to an end.
        if std::mem::replace(&mut seen[index], true) {
            return;
        }
        for name in requirements[index].uses {
            let used = requirements.iter().position(|one| one.parameter == *name);
            if let Some(used) = used {
                visit(used, requirements, seen, order);
            }
        }
        order.push(index);
    }
    let mut order = Vec::new();
    let mut seen = vec![false; requirements.len()];
    for (index, requirement) in requirements.iter().enumerate() {
        if !requirement.uses.is_empty() {
            visit(index, requirements, &mut seen, &mut order);
        }
    }
    order
}

fn lacking(wanted: &[&'static str], can: &[&'static str]) -> Vec<&'static str> {
    let missing = wanted.iter().filter(|word| !can.contains(word));
    missing.copied().collect()
}

#[cfg(test)]
#[path = "graph_tests.rs"]
mod tests;
