//! Names that are given for parameters which stand for a component, or a system under test, each.

use std::collections::BTreeSet;

use zaf_core::component::{ComponentRegistry, Requirement};

use super::SutOffer;
use super::candidates::is_sut;
use crate::case::TestCase;
use crate::finder::Problem;
use crate::parameter::GivenParameters;

/// A problem for each name that was given for such a parameter and is none of what there is, whatever that can.
pub(crate) fn unknown_names(
    cases: &[TestCase],
    offer: &SutOffer,
    registry: &ComponentRegistry,
    given: &GivenParameters,
) -> Vec<Problem> {
    let mut told = BTreeSet::new();
    let mut problems = Vec::new();
    for case in cases {
        let needs = case.each.iter();
        for need in needs.filter_map(|each| case.requirements.get(each.requirement)) {
            for name in given.given(need.parameter).unwrap_or_default() {
                let known = known(need, offer, registry);
                if !known.contains(&name.as_str()) && told.insert((need.parameter, name)) {
                    problems.push(unknown(need, name, &known));
                }
            }
        }
    }
    problems
}

fn known<'a>(
    need: &Requirement,
    offer: &'a SutOffer,
    registry: &'a ComponentRegistry,
) -> Vec<&'a str> {
    if is_sut(need) {
        return offer.suts.iter().map(|sut| sut.name()).collect();
    }
    let wanted = (need.type_id)();
    let components = registry.iter();
    let components = components.filter(|component| (component.type_id)() == wanted);
    components.map(|component| component.name).collect()
}

fn unknown(need: &Requirement, name: &str, known: &[&str]) -> Problem {
    let parameter = need.parameter;
    let what = if is_sut(need) { "SUT" } else { "component" };
    let text = format!("option `parameter`: `{parameter}={name}`: there is no {what} `{name}`");
    let problem = Problem::new(name, text);
    match zaf_core::config::nearest(name, known.iter().copied()) {
        Some(nearest) => problem.hint(format!("did you mean `{nearest}`?")),
        None if known.is_empty() => problem.hint("there is none"),
        None => problem.hint(format!("there are `{}`", known.join("`, `"))),
    }
}
