//! The candidates for a requirement, and what of them can be said without looking at their needs.

use std::any::TypeId;

use super::graph::{Environment, Node, NodeId, Search};
use super::unmet::{Candidate, Reason, last_word};
use super::{ComponentDescriptor, Requester, Requirement};
use crate::message::Entity;
use crate::nearest::nearest;

impl Search<'_> {
    /// All of the type, best first.
    pub(super) fn candidates(
        &self,
        from: usize,
        requirement: &Requirement,
        above: &Environment,
    ) -> Vec<Candidate> {
        let wanted = (requirement.type_id)();
        if let Some(&node) = above.get(&wanted) {
            return vec![Candidate::Used(node)];
        }
        let mut candidates = Vec::new();
        if requirement.component.is_none() {
            for level in from..self.asking.chain.len() {
                let offers = &self.asking.chain[level].provided;
                let fitting = (0..offers.len()).rev();
                candidates.extend(
                    fitting
                        .filter(|&offer| offers[offer].type_id == wanted)
                        .map(|offer| Candidate::Offer { level, offer }),
                );
            }
            if wanted == TypeId::of::<Requester>() {
                candidates.push(Candidate::Requester);
            }
        }
        let components = self.asking.registry.sorted();
        let mut ranked = self.asking.registry.of_type(wanted).to_vec();
        if let Some(name) = requirement.component {
            ranked.retain(|&index| components[index].name == name);
        }
        // Stable: equal priorities stay sorted by name.
        ranked.sort_by_key(|&index| std::cmp::Reverse(components[index].priority));
        candidates.extend(ranked.into_iter().map(Candidate::Component));
        candidates
    }

    /// What is used above has been chosen: it fits as it is or not at all.
    pub(super) fn fits_used(
        &self,
        from: usize,
        node: NodeId,
        requirement: &Requirement,
    ) -> Result<NodeId, Reason> {
        let level = match &self.nodes[node] {
            Node::Provided { level, .. } => *level,
            Node::Made {
                component, level, ..
            } => {
                let name = self.component(*component).name;
                if requirement.component.is_some_and(|other| other != name) {
                    return Err(Reason::OtherName);
                }
                *level
            }
            // Lives as long as whoever asks, so that in outer scopes nothing can be made of it.
            Node::Brought { .. } | Node::Requester => 0,
        };
        let scope = &self.asking.chain[level].name;
        if level < from {
            return Err(Reason::TooShort { level, from });
        }
        if requirement.scope.is_some_and(|name| *name != **scope) {
            return Err(Reason::OtherScope(level));
        }
        Ok(node)
    }

    /// The entity that is fixated for a requirement, if this candidate is not about it.
    pub(super) fn fixated_elsewhere(
        &mut self,
        from: usize,
        candidate: Candidate,
        requirement: &Requirement,
    ) -> Option<Entity> {
        if !requirement.fixate_entities || matches!(candidate, Candidate::Used(_)) {
            return None;
        }
        let chain = self.asking.chain;
        let wanted = (requirement.type_id)();
        let registry = self.asking.registry;
        let made = registry.of_type(wanted).iter();
        let made = made.filter_map(|&index| registry.sorted()[index].entity);
        let offers = chain[from..].iter().flat_map(|level| &level.provided);
        let offered = offers
            .filter(|offer| offer.type_id == wanted)
            .filter_map(|offer| offer.entity.as_ref().map(Entity::name));
        let known: Vec<&str> = made.chain(offered).collect();
        if known.is_empty() {
            return None;
        }
        self.depends_on_entity = true;
        let mut fixated = chain.iter().flat_map(|level| &level.fixated);
        let fixated = fixated.find(|entity| known.contains(&entity.name()))?;
        let own = match candidate {
            Candidate::Offer { level, offer } => {
                let offer = &chain[level].provided[offer];
                offer.entity.as_ref().map(Entity::name)
            }
            Candidate::Component(index) => self.component(index).entity,
            Candidate::Used(_) | Candidate::Requester => None,
        };
        (own != Some(fixated.name())).then(|| fixated.clone())
    }

    /// What a candidate can; none if nobody can say.
    pub(super) fn can(&self, candidate: Candidate) -> Option<&'static [&'static str]> {
        let of_offer = |level: usize, offer: usize| self.asking.chain[level].provided[offer].can;
        match candidate {
            Candidate::Offer { level, offer } => Some(of_offer(level, offer)),
            Candidate::Component(index) => Some(self.component(index).can),
            Candidate::Requester => Some(&[]),
            Candidate::Used(node) => match self.nodes[node] {
                Node::Provided { level, offer } => Some(of_offer(level, offer)),
                Node::Made { component, .. } => Some(self.component(component).can),
                Node::Requester => Some(&[]),
                Node::Brought { .. } => None,
            },
        }
    }

    /// Components of another type that the author may have meant: nearly the same last word of the type, or the parameter's
    /// name.
    pub(super) fn look_alikes(&self, requirement: &Requirement) -> Vec<(Candidate, Reason)> {
        let wanted = last_word((requirement.type_name)());
        let alike = |component: &ComponentDescriptor| {
            let word = last_word((component.type_name)());
            word.eq_ignore_ascii_case(wanted)
                || component.name == requirement.parameter
                || nearest(wanted, [word]).is_some()
        };
        let components = self.asking.registry.sorted().iter().enumerate();
        components
            .filter(|(_, component)| alike(component))
            .map(|(index, _)| (Candidate::Component(index), Reason::OtherType))
            .collect()
    }
}
