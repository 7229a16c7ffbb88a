//! Decides which component answers a requirement, and where its instance lives.
//!
//! Pure: looks at descriptors and at the names of scopes, makes nothing.
//!
//! Rules
//! - A component fits if it makes the type, can everything that is asked for, its scope is the one that asks or an ancestor of
//!   it, and its own requirements can be met from the scope that it will live in.
//! - Instances that were provided win over components that would have to be made; the nearest scope first, within one scope
//!   the one provided last.
//! - Of several components that fit, the one with the highest priority; ties go to the name that sorts first.
//! - A component that needs itself is an error, not a candidate to skip: the fallback would hide a mistake.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{ComponentDescriptor, ComponentRegistry, Requirement};

/// What can be seen of one scope. The innermost stands first in a chain.
#[derive(Debug, Clone)]
pub(super) struct Level {
    pub(super) name: std::sync::Arc<str>,
    pub(super) provided: Vec<Offer>,
}

/// A pre-made instance, as far as matching is concerned.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offer {
    pub(super) type_id: TypeId,
    pub(super) can: &'static [&'static str],
}

/// What answers a requirement. Levels count from the innermost scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    /// The offer with this index at this level.
    Provided { level: usize, offer: usize },
    /// An instance of this component at this level.
    Made { component: usize, level: usize },
}

/// Why nothing answers a requirement.
#[derive(Debug, Clone)]
pub(super) enum Failure {
    /// Indices of components, each needing the next; the first stands at the end again.
    Cycle(Vec<usize>),
    /// Nothing fits.
    Missing(Unmet),
}

/// A requirement that nothing fits, with all candidates and why each does not.
#[derive(Debug, Clone)]
pub(super) struct Unmet {
    requirement: Requirement,
    candidates: Vec<(usize, Reason)>,
}

#[derive(Debug, Clone)]
enum Reason {
    Cannot(Vec<&'static str>),
    NotInScope(&'static str),
    Needs(Vec<Unmet>),
    OtherType,
}

/// Chooses what answers `requirement` in a chain of scopes.
///
/// `making` are the components whose functions are running and led here, outermost first.
pub(super) fn choose(
    registry: &ComponentRegistry,
    chain: &[Level],
    requirement: &Requirement,
    making: &[usize],
) -> Result<Choice, Failure> {
    let mut search = Search {
        registry,
        chain,
        path: making.to_vec(),
        known: BTreeMap::new(),
    };
    search.answer(0, requirement)
}

struct Search<'a> {
    registry: &'a ComponentRegistry,
    chain: &'a [Level],
    path: Vec<usize>,
    /// What is known about the needs of (component, level it lives at), so that shared parts of the graph are walked once.
    known: BTreeMap<(usize, usize), Result<(), Vec<Unmet>>>,
}

impl Search<'_> {
    fn answer(&mut self, from: usize, requirement: &Requirement) -> Result<Choice, Failure> {
        if let Some(choice) = self.provided(from, requirement) {
            return Ok(choice);
        }
        let mut ranked = self.registry.of_type((requirement.type_id)()).to_vec();
        let components = self.registry.sorted();
        if let Some(name) = requirement.component {
            ranked.retain(|&index| components[index].name == name);
        }
        // Stable: equal priorities stay sorted by name.
        ranked.sort_by_key(|&index| std::cmp::Reverse(components[index].priority));
        let mut refused = Vec::new();
        for index in ranked {
            match self.fits(from, index, requirement)? {
                Ok(level) => {
                    return Ok(Choice::Made {
                        component: index,
                        level,
                    });
                }
                Err(reason) => refused.push((index, reason)),
            }
        }
        if refused.is_empty() {
            refused = self.look_alikes(requirement);
        }
        Err(Failure::Missing(Unmet {
            requirement: *requirement,
            candidates: refused,
        }))
    }

    fn provided(&self, from: usize, requirement: &Requirement) -> Option<Choice> {
        let wanted = (requirement.type_id)();
        if requirement.component.is_some() {
            return None;
        }
        (from..self.chain.len()).find_map(|level| {
            let scope = &self.chain[level];
            if requirement.scope.is_some_and(|name| *scope.name != *name) {
                return None;
            }
            scope
                .provided
                .iter()
                .rposition(|offer| {
                    offer.type_id == wanted && lacking(requirement.can, offer.can).is_empty()
                })
                .map(|offer| Choice::Provided { level, offer })
        })
    }

    /// The level that an instance of the component would live at, or why it does not fit.
    fn fits(
        &mut self,
        from: usize,
        index: usize,
        requirement: &Requirement,
    ) -> Result<Result<usize, Reason>, Failure> {
        let component = self.registry.sorted()[index];
        let missing = lacking(requirement.can, component.can);
        if !missing.is_empty() {
            return Ok(Err(Reason::Cannot(missing)));
        }
        let scope = requirement.scope.unwrap_or(component.scope);
        let Some(level) = (from..self.chain.len()).find(|&level| *self.chain[level].name == *scope)
        else {
            return Ok(Err(Reason::NotInScope(scope)));
        };
        if let Some(start) = self.path.iter().position(|&other| other == index) {
            let mut path = self.path[start..].to_vec();
            path.push(index);
            return Err(Failure::Cycle(path));
        }
        Ok(match self.needs_of(index, &component, level)? {
            Ok(()) => Ok(level),
            Err(unmet) => Err(Reason::Needs(unmet)),
        })
    }

    fn needs_of(
        &mut self,
        index: usize,
        component: &ComponentDescriptor,
        level: usize,
    ) -> Result<Result<(), Vec<Unmet>>, Failure> {
        if let Some(known) = self.known.get(&(index, level)) {
            return Ok(known.clone());
        }
        self.path.push(index);
        let mut unmet = Vec::new();
        for needed in component.requirements {
            match self.answer(level, needed) {
                Ok(_) => {}
                Err(Failure::Missing(missing)) => unmet.push(missing),
                Err(cycle @ Failure::Cycle(_)) => return Err(cycle),
            }
        }
        self.path.pop();
        let outcome = if unmet.is_empty() { Ok(()) } else { Err(unmet) };
        self.known.insert((index, level), outcome.clone());
        Ok(outcome)
    }

    /// Components of another type that the author may have meant: the same last word of the type, or the parameter's name.
    fn look_alikes(&self, requirement: &Requirement) -> Vec<(usize, Reason)> {
        let wanted = last_word((requirement.type_name)());
        self.registry
            .sorted()
            .iter()
            .enumerate()
            .filter(|(_, component)| {
                last_word((component.type_name)()).eq_ignore_ascii_case(wanted)
                    || component.name == requirement.parameter
            })
            .map(|(index, _)| (index, Reason::OtherType))
            .collect()
    }
}

fn lacking(wanted: &[&'static str], can: &[&'static str]) -> Vec<&'static str> {
    wanted
        .iter()
        .filter(|word| !can.contains(word))
        .copied()
        .collect()
}

/// `c::D` of `a::b::c::D` is `D`; generic arguments are left out.
fn last_word(type_name: &str) -> &str {
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
pub(super) fn draw(registry: &ComponentRegistry, chain: &[Level], unmet: &Unmet) -> String {
    let scopes: Vec<String> = chain
        .iter()
        .map(|level| format!("`{}`", level.name))
        .collect();
    let mut text = String::new();
    draw_into(&mut text, registry, &scopes.join(" in "), unmet, 1);
    text.truncate(text.trim_end().len());
    text
}

fn draw_into(
    text: &mut String,
    registry: &ComponentRegistry,
    scopes: &str,
    unmet: &Unmet,
    depth: usize,
) {
    let indent = "  ".repeat(depth);
    if unmet.candidates.is_empty() {
        let _ = writeln!(
            text,
            "{indent}- nothing makes or provides this type: no function with `#[component]` returns it"
        );
    }
    for (index, reason) in &unmet.candidates {
        let component = &registry.sorted()[*index];
        let _ = write!(
            text,
            "{indent}- `{}` ({})",
            component.name,
            place(component)
        );
        let _ = match reason {
            Reason::Cannot(missing) => writeln!(
                text,
                " cannot `{}`; it can [{}]",
                missing.join("`, `"),
                component.can.join(", ")
            ),
            Reason::NotInScope(scope) => {
                writeln!(
                    text,
                    " lives in scope `{scope}`; the scopes here are {scopes}"
                )
            }
            Reason::OtherType => {
                writeln!(text, " looks alike but makes `{}`", (component.type_name)())
            }
            Reason::Needs(needs) => {
                let _ = writeln!(text, " cannot be made:");
                for need in needs {
                    let _ = writeln!(text, "{indent}  no {}", describe(&need.requirement));
                    draw_into(text, registry, scopes, need, depth + 2);
                }
                Ok(())
            }
        };
    }
}

#[cfg(test)]
#[path = "graph_tests.rs"]
mod tests;
