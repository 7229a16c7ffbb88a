//! Why nothing answers a requirement, and how that is shown: a tree with one line for each candidate.

use std::fmt::Write as _;

use super::graph::{Asking, NodeId};
use super::{ComponentDescriptor, Requirement};
use crate::message::Entity;
use crate::nearest::nearest;

/// A requirement that nothing fits, with all candidates and why each does not.
#[derive(Debug, Clone)]
pub(super) struct Unmet {
    pub(super) requirement: Requirement,
    pub(super) candidates: Vec<(Candidate, Reason)>,
}

/// What could answer a requirement.
#[derive(Debug, Clone, Copy)]
pub(super) enum Candidate {
    /// What was chosen for somebody above who is used.
    Used(NodeId),
    /// What was put into the scope at this level.
    Offer { level: usize, offer: usize },
    /// The component with this index.
    Component(usize),
    /// Who asks.
    Requester,
}

/// Why a candidate does not fit.
#[derive(Debug, Clone)]
pub(super) enum Reason {
    /// It lacks these capabilities.
    Cannot(Vec<&'static str>),
    /// It would live in a scope that is not among those here.
    NotInScope(&'static str),
    /// It lives at this level, which is not the one that is asked for.
    OtherScope(usize),
    /// It lives, or would live, at a level that ends before that of whoever wants it.
    TooShort { level: usize, from: usize },
    /// Another entity is fixated.
    Fixated(Entity),
    /// It is used above, and made by another component than the one that is asked for.
    OtherName,
    /// Something that it needs is missing.
    Needs(Vec<Unmet>),
    /// It makes another type, whose name resembles that which is asked for.
    OtherType,
}

/// `c::D` of `a::b::c::D` is `D`; generic arguments are left out.
pub(super) fn last_word(type_name: &str) -> &str {
    let plain = type_name.split('<').next().unwrap_or(type_name);
    plain.rsplit("::").next().unwrap_or(plain)
}

/// "`shell: Shell` that can `remote` in scope `test`".
pub(super) fn describe(requirement: &Requirement) -> String {
    let mut text = format!("`{}: {}`", requirement.parameter, (requirement.type_name)());
    for (number, word) in requirement.can.iter().enumerate() {
        let joint = if number == 0 { " that can" } else { "," };
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{joint} `{word}`");
    }
    if let Some(name) = requirement.component {
        let _ = write!(text, " made by `{name}`");
    }
    if let Some(scope) = requirement.scope {
        let _ = write!(text, " in scope `{scope}`");
    }
    text
}

/// Where a component is declared: file and line.
pub(super) fn place(component: &ComponentDescriptor) -> String {
    format!("{}:{}", component.file, component.line)
}

/// Draws why nothing fits, one candidate per line, indented below what asked for it. Does not end with a line break.
pub(super) fn draw(asking: Asking<'_>, unmet: &Unmet) -> String {
    let mut drawing = Drawing {
        asking,
        text: String::new(),
    };
    drawing.candidates(unmet, 1);
    let mut text = drawing.text;
    text.truncate(text.trim_end().len());
    text
}

struct Drawing<'a> {
    asking: Asking<'a>,
    text: String,
}

impl Drawing<'_> {
    fn candidates(&mut self, unmet: &Unmet, depth: usize) {
        let indent = "  ".repeat(depth);
        if unmet.candidates.is_empty() {
            let _ = writeln!(
                self.text,
                "{indent}- nothing makes or provides this type: no function with `#[component]` returns it"
            );
        }
        for (candidate, reason) in &unmet.candidates {
            let name = self.name(*candidate);
            let why = self.why(*candidate, reason, &unmet.requirement);
            let _ = writeln!(self.text, "{indent}- {name} {why}");
            if let Reason::Needs(needs) = reason {
                for need in needs {
                    let wanted = describe(&need.requirement);
                    let _ = writeln!(self.text, "{indent}  no {wanted}");
                    self.candidates(need, depth + 2);
                }
            }
        }
    }

    fn name(&self, candidate: Candidate) -> String {
        match candidate {
            Candidate::Component(index) => {
                let component = &self.asking.registry.sorted()[index];
                format!("`{}` ({})", component.name, place(component))
            }
            Candidate::Offer { level, offer } => {
                let scope = &self.asking.chain[level];
                let type_name = last_word(scope.provided[offer].type_name);
                format!("the `{type_name}` that was put into scope `{}`", scope.name)
            }
            Candidate::Used(_) => "what is used above".to_owned(),
            Candidate::Requester => "who asks".to_owned(),
        }
    }

    fn why(&self, candidate: Candidate, reason: &Reason, requirement: &Requirement) -> String {
        match reason {
            Reason::Cannot(missing) => self.cannot(candidate, missing),
            Reason::NotInScope(scope) => {
                let names = || self.asking.chain.iter().map(|level| &*level.name);
                let quoted: Vec<String> = names().map(|name| format!("`{name}`")).collect();
                let here = quoted.join(" in ");
                let near = nearest(scope, names()).map(did_you_mean);
                let near = near.unwrap_or_default();
                format!("lives in scope `{scope}`; the scopes here are {here}{near}")
            }
            Reason::OtherScope(level) => {
                format!("lives in scope `{}`", self.asking.chain[*level].name)
            }
            Reason::TooShort { level, from } => format!(
                "lives in scope `{}`, which ends before `{}`, where it is needed",
                self.asking.chain[*level].name, self.asking.chain[*from].name
            ),
            Reason::Fixated(entity) => match self.entity(candidate) {
                Some(own) => format!("is about entity `{own}`, and `{entity}` is fixated"),
                None => format!("is about no entity, and `{entity}` is fixated"),
            },
            Reason::OtherName => format!(
                "is not made by `{}`",
                requirement.component.unwrap_or_default()
            ),
            Reason::Needs(_) => "cannot be made:".to_owned(),
            Reason::OtherType => match candidate {
                Candidate::Component(index) => {
                    let component = &self.asking.registry.sorted()[index];
                    format!("looks alike but makes `{}`", (component.type_name)())
                }
                _ => "is of another type".to_owned(),
            },
        }
    }

    fn cannot(&self, candidate: Candidate, missing: &[&'static str]) -> String {
        let missing_words = missing.join("`, `");
        let can = match candidate {
            Candidate::Component(index) => self.asking.registry.sorted()[index].can,
            Candidate::Offer { level, offer } => self.asking.chain[level].provided[offer].can,
            Candidate::Used(_) | Candidate::Requester => {
                return format!("cannot `{missing_words}`");
            }
        };
        let near = missing
            .iter()
            .find_map(|word| nearest(word, can.iter().copied()));
        let near = near.map(did_you_mean).unwrap_or_default();
        format!(
            "cannot `{missing_words}`; it can [{}]{near}",
            can.join(", ")
        )
    }

    fn entity(&self, candidate: Candidate) -> Option<String> {
        match candidate {
            Candidate::Component(index) => {
                let component = &self.asking.registry.sorted()[index];
                component.entity.map(str::to_owned)
            }
            Candidate::Offer { level, offer } => {
                let offer = &self.asking.chain[level].provided[offer];
                offer.entity.as_ref().map(ToString::to_string)
            }
            Candidate::Used(_) | Candidate::Requester => None,
        }
    }
}

fn did_you_mean(word: &str) -> String {
    format!(": did you mean `{word}`?")
}
