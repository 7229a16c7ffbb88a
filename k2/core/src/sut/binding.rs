//! What a case was given before the run: SUTs and, of several components, one.

use std::ffi::OsString;
use std::sync::Arc;

use zaf_core::component::Scope;

use super::Sut;

/// A requirement of a test function that stands for one variant for each that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Each {
    /// Index of the requirement.
    pub requirement: usize,
    /// How many other parameters that make variants stand before it.
    pub position: usize,
}

/// What one requirement of a case has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chosen {
    /// The SUT with this index among those of the case.
    Sut(usize),
    /// The component of this name.
    Component(&'static str),
}

/// What a case has got. Nothing, as a rule.
#[derive(Debug, Clone, Default)]
pub struct Binding(Option<Arc<Given>>);

/// What a case has that has got something.
#[derive(Debug)]
struct Given {
    suts: Vec<Arc<Sut>>,
    /// For each requirement, as far as something was chosen for it.
    chosen: Vec<Option<Chosen>>,
}

impl Binding {
    pub(super) fn new(suts: Vec<Arc<Sut>>, chosen: Vec<Option<Chosen>>) -> Self {
        let nothing = suts.is_empty() && chosen.is_empty();
        Self((!nothing).then(|| Arc::new(Given { suts, chosen })))
    }

    /// The SUTs that the case runs on; that of the first parameter first.
    pub fn suts(&self) -> &[Arc<Sut>] {
        self.0.as_deref().map_or(&[], |given| &given.suts)
    }

    /// Whether something was chosen for a requirement.
    pub(crate) fn has_chosen(&self) -> bool {
        let given = self.0.as_deref();
        given.is_some_and(|given| given.chosen.iter().any(Option::is_some))
    }

    /// What the requirement with this index has got; none if any will do.
    pub(crate) fn chosen(&self, requirement: usize) -> Option<Chosen> {
        let chosen = &self.0.as_deref()?.chosen;
        chosen.get(requirement).copied().flatten()
    }

    /// Lets the components of the case have its SUTs: of several that can what is asked for, that of the first parameter.
    pub(crate) fn provide(&self, scope: &Scope) {
        for sut in self.suts().iter().rev() {
            // A scope that has ended already says so to whoever asks it for something.
            sut.provide(scope).ok();
        }
    }

    /// What an executable is told about its SUTs: `K2_SUT`, `K2_SUT_IP`, `K2_SUT_CAN` and `K2_SUT_<ATTRIBUTE>` about the first,
    /// `K2_SUT2…` about the second, and `K2_SUTS` with the names of all.
    pub(super) fn environment(&self) -> Vec<(OsString, OsString)> {
        let mut variables = Vec::new();
        let mut tell = |name: String, value: &str| variables.push((name.into(), value.into()));
        let names: Vec<&str> = self.suts().iter().map(|sut| sut.name()).collect();
        tell("K2_SUTS".to_owned(), &names.join(" "));
        for (index, sut) in self.suts().iter().enumerate() {
            let prefix = match index {
                0 => "K2_SUT".to_owned(),
                more => format!("K2_SUT{}", more + 1),
            };
            tell(prefix.clone(), sut.name());
            if let Some(ip) = &sut.ip {
                tell(format!("{prefix}_IP"), ip);
            }
            let can: Vec<&str> = sut.capabilities().collect();
            tell(format!("{prefix}_CAN"), &can.join(" "));
            for (key, value) in sut.attributes() {
                let key: String = key
                    .chars()
                    .map(|c| {
                        if c.is_ascii_alphanumeric() {
                            c.to_ascii_uppercase()
                        } else {
                            '_'
                        }
                    })
                    .collect();
                // A variable cannot hold NUL.
                tell(format!("{prefix}_{key}"), &value.replace('\0', "\u{2400}"));
            }
        }
        variables
    }
}

#[cfg(test)]
mod tests {
    use std::any::{Any, TypeId};

    use zaf_core::component::{ComponentDescriptor, ComponentRegistry, Requirement};

    use super::*;
    use crate::case::{CaseId, Parameters, TestContext};
    use crate::supervisor::Cancellation;

    const SUT: Requirement = Requirement::of::<Sut>("sut");
    const OTHER: Requirement = Requirement::of::<Sut>("other");

    /// The name of the SUT that a connection is to.
    struct Connection(String);

    const CONNECTION: ComponentDescriptor = ComponentDescriptor {
        name: "connection",
        description: "",
        scope: "test",
        can: &[],
        priority: 0,
        entity: None,
        type_id: TypeId::of::<Connection>,
        type_name: std::any::type_name::<Connection>,
        requirements: &[SUT],
        make: |scope| {
            let sut = scope.resolve::<Sut>(&SUT)?;
            let made: Arc<dyn Any + Send + Sync> = Arc::new(Connection(sut.name().to_owned()));
            Ok(made)
        },
        teardown: None,
        krate: "demo",
        file: "src/demo.rs",
        line: 1,
    };

    #[test]
    fn what_uses_a_sut_of_the_case_gets_that_one_far_below() {
        const NEEDS: &[Requirement] = &[
            SUT,
            OTHER,
            Requirement::of::<Connection>("first").uses(&["sut"]),
            Requirement::of::<Connection>("second").uses(&["other"]),
        ];
        let suts = vec![Arc::new(Sut::new("left")), Arc::new(Sut::new("right"))];
        let chosen = vec![Some(Chosen::Sut(0)), Some(Chosen::Sut(1)), None, None];
        let registry = ComponentRegistry::new([CONNECTION]).unwrap();
        let cx = TestContext::new(
            CaseId::new("demo::case"),
            Parameters::default(),
            Scope::root("test", &registry),
            Cancellation::new().unwrap(),
        )
        .bound(&Binding::new(suts, chosen));
        let found = cx.components(NEEDS).unwrap();
        assert_eq!(found.get::<Sut>(1).unwrap().name(), "right");
        assert_eq!(found.get::<Connection>(2).unwrap().0, "left");
        assert_eq!(found.get::<Connection>(3).unwrap().0, "right");
        let who = Requirement::of::<zaf_core::component::Requester>("who");
        let who = cx
            .scope()
            .resolve::<zaf_core::component::Requester>(&who)
            .unwrap();
        assert_eq!(who.to_string(), "test case `demo::case`");
    }
}
