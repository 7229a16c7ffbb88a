//! Which requirements have to do with SUTs, and whether components can be had on one.

use std::any::TypeId;
use std::collections::BTreeSet;
use std::sync::Arc;

use zaf_core::Result;
use zaf_core::component::{ComponentRegistry, Requirement, Scope};

use super::{Sut, SutPart};
use crate::case::{CaseId, CaseRun};
use crate::supervisor::Cancellation;

/// Scopes of a case within the session, as the runner makes them.
const SCOPES: [&str; 4] = ["runner", "module", "class", "test"];

/// Types that somebody makes of a SUT, or of something that is.
#[derive(Debug, Default)]
pub(super) struct Dependents {
    types: Vec<TypeId>,
    /// A SUT that can everything that components ask of one.
    universal: Option<Arc<Sut>>,
}

/// Whether this is a demand for a SUT itself.
pub(super) fn is_sut(requirement: &Requirement) -> bool {
    (requirement.type_id)() == TypeId::of::<Sut>()
}

impl Dependents {
    pub(super) fn of(registry: &ComponentRegistry) -> Self {
        let mut types = vec![TypeId::of::<Sut>()];
        let mut words = BTreeSet::new();
        loop {
            let known = types.len();
            for component in registry.iter() {
                let mut needs = component.requirements.iter();
                if needs.any(|need| types.contains(&(need.type_id)())) {
                    let own = (component.type_id)();
                    if !types.contains(&own) {
                        types.push(own);
                    }
                }
            }
            if types.len() == known {
                break;
            }
        }
        let needs = registry.iter().flat_map(|component| component.requirements);
        for need in needs.filter(|need| is_sut(need)) {
            words.extend(need.can.iter().copied());
        }
        types.remove(0);
        let universal = (!types.is_empty()).then(|| {
            let mut sut = Sut::new("*");
            let part = words.into_iter().fold(SutPart::new(), SutPart::can);
            // Nobody has said anything about it before.
            sut.add("", part).ok();
            Arc::new(sut)
        });
        Self { types, universal }
    }

    /// Whether a component that answers it may be made of a SUT.
    pub(super) fn includes(&self, requirement: &Requirement) -> bool {
        self.types.contains(&(requirement.type_id)())
    }

    pub(super) fn universal(&self) -> Option<&Arc<Sut>> {
        self.universal.as_ref()
    }
}

/// A place like that of a case, in which requirements are tried and nothing is made.
#[derive(Debug)]
pub(super) struct Trial {
    session: Scope,
    run: Arc<CaseRun>,
}

impl Trial {
    pub(super) fn new(session: &Scope) -> Result<Self> {
        let run = CaseRun::new(CaseId::new(""), "", "", Cancellation::new()?);
        Ok(Self {
            session: session.clone(),
            run: Arc::new(run),
        })
    }

    /// Why these cannot be had on `suts`; none if all can.
    pub(super) fn obstacle<'a>(
        &self,
        requirements: impl IntoIterator<Item = &'a Requirement>,
        suts: &[Arc<Sut>],
    ) -> Option<String> {
        let mut scopes = vec![self.session.clone()];
        for name in SCOPES {
            let inner = scopes.last().map(|scope| scope.child(name));
            scopes.extend(inner);
        }
        let test = scopes.last()?;
        test.provide(Arc::clone(&self.run)).ok();
        for sut in suts.iter().rev() {
            sut.provide(test).ok();
        }
        let mut requirements = requirements.into_iter();
        requirements.find_map(|need| test.check(need).err().map(|error| error.to_string()))
    }
}
