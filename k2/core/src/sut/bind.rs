//! Gives SUTs to cases, before any is selected.
//!
//! - A parameter `&Sut` gets the first SUT, in the order of `suts.ids`, that can what it asks for; two parameters of a case get two
//!   different ones. With `suts.spread` it is that with the fewest cases so far.
//! - All components of a case that are made of a SUT are made of the SUT that it got, so one is chosen on which all can be had. A case
//!   without such a parameter gets a SUT only if a component that it asks for cannot be had without.
//! - `#[foreach]` on a parameter without values makes one variant for each SUT, or each component, that can what is asked for.
//!   If names were given for that parameter, only those make variants.
//! - Nothing vanishes: a case or variant that gets nothing stays, and says when it is run what it lacks and what there is.

use std::collections::BTreeMap;
use std::sync::Arc;

use zaf_core::Result;
use zaf_core::component::{Requirement, Scope};

use super::candidates::{Dependents, Trial, is_sut};
use super::order::{all_excluded, in_order, name_of};
use super::{Binding, Chosen, Each, Missing, Sut, SutOffer};
use crate::case::{CaseAction, CaseId, Isolation, Outcome, TestCase};
use crate::parameter::GivenParameters;

/// The same cases with what each has got, in the same order; some may have become several.
///
/// # Errors
/// If there is no descriptor left to try anything with.
pub(crate) fn bind(
    cases: Vec<TestCase>,
    offer: &SutOffer,
    session: &Scope,
    given: &GivenParameters,
) -> Result<Vec<TestCase>> {
    let dependents = Dependents::of(session.registry());
    let concerns = |case: &TestCase| {
        let mut needs = case.requirements.iter();
        !case.each.is_empty()
            || needs.any(|need| is_sut(need) || dependents.includes(need))
            || is_executable(case) && !offer.rules.is_empty()
    };
    if !cases.iter().any(concerns) {
        return Ok(cases);
    }
    let mut binder = Binder {
        offer,
        dependents: &dependents,
        trial: Trial::new(session)?,
        session,
        given,
        load: BTreeMap::new(),
    };
    let mut bound = Vec::with_capacity(cases.len());
    let mut cases = cases.into_iter().peekable();
    while let Some(case) = cases.next() {
        if !concerns(&case) {
            bound.push(case);
            continue;
        }
        if case.each.is_empty() {
            binder.give(case, &mut bound);
            continue;
        }
        // The rows of one function stand together; all its parameters are in the order of its declaration.
        let name = name_of(&case);
        let mut variants = Vec::new();
        binder.give(case, &mut variants);
        while let Some(next) = cases.next_if(|next| !next.each.is_empty() && name_of(next) == name)
        {
            binder.give(next, &mut variants);
        }
        in_order(&mut variants);
        let whole = variants.first().cloned();
        variants.retain(|variant| !binder.is_excluded(variant));
        if variants.is_empty() {
            bound.extend(whole.map(all_excluded));
        }
        bound.extend(variants);
    }
    Ok(bound)
}

fn is_executable(case: &TestCase) -> bool {
    matches!(case.action, CaseAction::Process(_))
}

pub(super) struct Binder<'a> {
    pub(super) offer: &'a SutOffer,
    dependents: &'a Dependents,
    trial: Trial,
    session: &'a Scope,
    given: &'a GivenParameters,
    /// How many cases each SUT has.
    load: BTreeMap<String, usize>,
}

/// What a variant has got so far, for each requirement.
pub(super) type Choice = Vec<Option<Got>>;

#[derive(Debug, Clone)]
pub(super) enum Got {
    Sut(Arc<Sut>),
    Component(&'static str),
}

impl Got {
    fn name(&self) -> &str {
        match self {
            Self::Sut(sut) => sut.name(),
            Self::Component(name) => name,
        }
    }
}

impl Binder<'_> {
    fn give(&mut self, case: TestCase, bound: &mut Vec<TestCase>) {
        if is_executable(&case) {
            self.give_to_executable(case, bound);
        } else {
            self.give_to_function(&case, bound);
        }
    }

    /// Whether a variant with a component, or a SUT, among its values is left out.
    fn is_excluded(&self, variant: &TestCase) -> bool {
        !variant.each.is_empty() && self.given.excludes(&name_of(variant), &variant.parameters)
    }

    fn give_to_function(&mut self, case: &TestCase, bound: &mut Vec<TestCase>) {
        let mut choices: Vec<Choice> = vec![vec![None; case.requirements.len()]];
        for each in case.each {
            let Some(need) = case.requirements.get(each.requirement) else {
                continue;
            };
            let mut fitting = self.fitting(need);
            let given = self.given.given(need.parameter);
            if let Some(given) = given {
                fitting.retain(|got| given.iter().any(|name| name == got.name()));
            }
            choices = choices
                .iter()
                .flat_map(|choice| {
                    let free = fitting.iter().filter(|got| !is_taken(choice, got));
                    free.map(|got| {
                        let mut choice = choice.clone();
                        if let Some(place) = choice.get_mut(each.requirement) {
                            *place = Some(got.clone());
                        }
                        choice
                    })
                })
                .collect();
            if choices.is_empty() {
                let what = if let Some(given) = given {
                    let given = given.join("`, `");
                    format!(
                        "`{}`, given for `{}`, is nothing that fits here",
                        given, need.parameter
                    )
                } else if is_sut(need) {
                    self.no_sut(need.can)
                } else {
                    format!("no component makes what `{}` asks for", shown(need))
                };
                bound.push(self.lacking(case.clone(), format!("it has no variant: {what}")));
                return;
            }
        }
        for choice in choices {
            let variant = variant(case, &choice);
            if self.is_excluded(&variant) {
                // It has its place in the order until all variants are there, but no SUT.
                bound.push(variant);
                continue;
            }
            let completed = self.completed(case.requirements, choice);
            bound.push(match completed {
                Ok(choice) => self.with(variant, choice),
                Err(reason) => self.lacking(variant, reason),
            });
        }
    }

    /// SUTs, or components, that can what is asked for.
    fn fitting(&self, need: &Requirement) -> Vec<Got> {
        if is_sut(need) {
            let suts = self.offer.suts.iter();
            let fitting = suts.filter(|sut| can_all(sut, need.can));
            return fitting.map(|sut| Got::Sut(Arc::clone(sut))).collect();
        }
        let components = self.session.registry().iter();
        components
            .filter(|component| need.accepts((component.type_id)(), component.can))
            .map(|component| Got::Component(component.name))
            .collect()
    }

    /// Chooses the SUTs that are left to choose; otherwise what is lacking.
    fn completed(
        &self,
        requirements: &'static [Requirement],
        choice: Choice,
    ) -> Result<Choice, String> {
        // What cannot be had on any SUT is a mistake of somebody, which shows itself when the case is run.
        let universal: Vec<Arc<Sut>> = self.dependents.universal().into_iter().cloned().collect();
        let components: Vec<Requirement> = requirements
            .iter()
            .zip(&choice)
            .filter(|(need, _)| self.dependents.includes(need))
            .map(|(need, got)| match got {
                Some(Got::Component(name)) => need.made_by(name),
                _ => *need,
            })
            .filter(|need| self.trial.obstacle([need], &universal).is_none())
            .collect();
        let open: Vec<usize> = (0..requirements.len())
            .filter(|&index| is_sut(&requirements[index]) && choice[index].is_none())
            .collect();
        let mut obstacle = None;
        if open.is_empty() {
            let suts = suts_of(&choice);
            match self.trial.obstacle(&components, &suts) {
                None => return Ok(choice),
                Some(_) if suts.is_empty() => return self.on_any(&components, choice),
                Some(why) => return Err(on(&suts, &why)),
            }
        }
        match self.assign(requirements, &components, &open, choice, &mut obstacle) {
            Some(choice) => Ok(choice),
            None => Err(obstacle.unwrap_or_else(|| {
                let needs = open.iter().map(|&index| &requirements[index]);
                let unmet = needs.clone().find(|need| self.fitting(need).is_empty());
                match unmet {
                    Some(need) => self.no_sut(need.can),
                    None => format!(
                        "it needs {} different SUTs at a time; {}",
                        requirements.iter().filter(|need| is_sut(need)).count(),
                        self.offered()
                    ),
                }
            })),
        }
    }

    /// A SUT for each of the `open` requirements, such that all components can be had.
    fn assign(
        &self,
        requirements: &[Requirement],
        components: &[Requirement],
        open: &[usize],
        choice: Choice,
        obstacle: &mut Option<String>,
    ) -> Option<Choice> {
        let Some((&first, rest)) = open.split_first() else {
            let suts = suts_of(&choice);
            let why = self.trial.obstacle(components, &suts);
            let fits = why.is_none();
            if let Some(why) = why {
                obstacle.get_or_insert_with(|| on(&suts, &why));
            }
            return fits.then_some(choice);
        };
        let need = requirements.get(first)?;
        self.by_load().into_iter().find_map(|sut| {
            let got = Got::Sut(Arc::clone(sut));
            if !can_all(sut, need.can) || is_taken(&choice, &got) {
                return None;
            }
            let mut choice = choice.clone();
            *choice.get_mut(first)? = Some(got);
            self.assign(requirements, components, rest, choice, obstacle)
        })
    }

    /// A SUT for components that need one, of a case that does not name any: behind what was chosen for its requirements.
    fn on_any(&self, components: &[Requirement], mut choice: Choice) -> Result<Choice, String> {
        let mut obstacle = None;
        for sut in self.by_load() {
            let suts = [Arc::clone(sut)];
            match self.trial.obstacle(components, &suts) {
                None => {
                    choice.push(Some(Got::Sut(Arc::clone(sut))));
                    return Ok(choice);
                }
                Some(why) => _ = obstacle.get_or_insert_with(|| on(&suts, &why)),
            }
        }
        Err(obstacle.unwrap_or_else(|| {
            let names: Vec<_> = components.iter().map(shown).collect();
            format!("`{}` needs a SUT; {}", names.join("`, `"), self.offered())
        }))
    }

    /// The SUTs in the order in which they are tried.
    pub(super) fn by_load(&self) -> Vec<&Arc<Sut>> {
        let mut suts: Vec<_> = self.offer.suts.iter().collect();
        if self.offer.spread {
            // Stable: with equal loads the order stays that of `suts.ids`.
            suts.sort_by_key(|sut| self.load.get(sut.name()).copied().unwrap_or(0));
        }
        suts
    }

    pub(super) fn with(&mut self, mut case: TestCase, choice: Choice) -> TestCase {
        let suts = suts_of(&choice);
        let mut chosen = Vec::with_capacity(choice.len());
        for got in choice {
            chosen.push(got.and_then(|got| match got {
                Got::Sut(sut) => {
                    let place = suts.iter().position(|other| Arc::ptr_eq(other, &sut));
                    place.map(Chosen::Sut)
                }
                Got::Component(name) => Some(Chosen::Component(name)),
            }));
        }
        for sut in &suts {
            *self.load.entry(sut.name().to_owned()).or_default() += 1;
            if !sut.shared {
                case.need(&format!("sut:{sut}"));
            }
        }
        case.binding = Binding::new(suts, chosen);
        case
    }

    /// The case as one that says what it lacks.
    pub(super) fn lacking(&self, mut case: TestCase, reason: String) -> TestCase {
        let outcome = match self.offer.missing {
            Missing::Skip => Outcome::Skipped { reason },
            Missing::Error => Outcome::Error { reason },
        };
        case.requirements = &[];
        // Nothing of it is run, so it needs no process.
        case.isolation = Some(Isolation::InProcess);
        case.action = CaseAction::Function(Arc::new(move |_| outcome.clone()));
        case
    }

    pub(super) fn no_sut(&self, can: &[&str]) -> String {
        if can.is_empty() {
            return format!("it needs a SUT; {}", self.offered());
        }
        let words = can.join("`, `");
        format!("it needs a SUT that can `{words}`; {}", self.offered())
    }

    /// What there is.
    fn offered(&self) -> String {
        if self.offer.suts.is_empty() {
            return "there is none: name one with --suts-ids".to_owned();
        }
        let suts = self.offer.suts.iter().map(|sut| {
            let can = sut.capabilities().filter(|word| *word != sut.name());
            let can: Vec<_> = can.collect();
            match can.as_slice() {
                [] => format!("`{sut}`"),
                can => format!("`{sut}` (can {})", can.join(", ")),
            }
        });
        format!("there is {}", suts.collect::<Vec<_>>().join(", "))
    }
}

pub(super) fn can_all(sut: &Sut, can: &[&str]) -> bool {
    can.iter().all(|word| sut.can(word))
}

fn is_taken(choice: &Choice, got: &Got) -> bool {
    let Got::Sut(sut) = got else { return false };
    let others = choice.iter().flatten();
    let mut others = others.filter_map(|other| match other {
        Got::Sut(other) => Some(other),
        Got::Component(_) => None,
    });
    others.any(|other| Arc::ptr_eq(other, sut))
}

fn suts_of(choice: &Choice) -> Vec<Arc<Sut>> {
    let got = choice.iter().flatten();
    got.filter_map(|got| match got {
        Got::Sut(sut) => Some(Arc::clone(sut)),
        Got::Component(_) => None,
    })
    .collect()
}

/// The case as the variant for this choice.
fn variant(case: &TestCase, choice: &Choice) -> TestCase {
    let mut variant = case.clone();
    let mut each: Vec<&Each> = case.each.iter().collect();
    // Those in front first, so that each finds all that stand before it.
    each.sort_by_key(|each| each.position);
    for each in each {
        let need = case.requirements.get(each.requirement);
        let got = choice.get(each.requirement).and_then(Option::as_ref);
        if let (Some(need), Some(got)) = (need, got) {
            let parameter = (need.parameter.into(), got.name().into());
            variant.parameters = variant.parameters.with_inserted(each.position, parameter);
        }
    }
    variant.id = CaseId::with_parameters(&name_of(case), &variant.parameters);
    variant
}

/// Why something cannot be had on these SUTs.
fn on(suts: &[Arc<Sut>], why: &str) -> String {
    let names: Vec<_> = suts.iter().map(|sut| sut.name()).collect();
    format!("not on SUT `{}`: {why}", names.join("`, `"))
}

fn shown(need: &Requirement) -> String {
    let name = (need.type_name)();
    let name = name.rsplit("::").next().unwrap_or(name);
    format!("{}: {name}", need.parameter)
}
