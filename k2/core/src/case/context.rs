//! What a test case can ask for while it runs.

use std::sync::Arc;

use zaf_core::component::{ComponentError, Requirement, Scope};

use super::CaseId;
use crate::supervisor::Cancellation;
use crate::sut::{Binding, Chosen, Sut};

/// Handed to every test function that asks for it: `fn my_case(cx: &TestContext)`.
///
/// It lives for one execution of one case and is used on the thread of that case.
#[derive(Debug)]
pub struct TestContext {
    id: CaseId,
    parameters: Vec<(String, String)>,
    scope: Scope,
    cancellation: Cancellation,
    binding: Binding,
}

impl TestContext {
    /// The context of one execution. `scope` is the innermost one (`test`); components that the case asks for are
    /// resolved in it.
    pub fn new(
        id: CaseId,
        parameters: Vec<(String, String)>,
        scope: Scope,
        cancellation: Cancellation,
    ) -> Self {
        Self {
            id,
            parameters,
            scope,
            cancellation,
            binding: Binding::default(),
        }
    }

    /// The same, of a case that has got something; its components get it too.
    #[must_use]
    pub fn bound(mut self, binding: &Binding) -> Self {
        binding.provide(&self.scope);
        self.binding = binding.clone();
        self
    }

    /// Id of the case, with its parameters.
    pub fn id(&self) -> &CaseId {
        &self.id
    }

    /// Parameters in the order of the function's arguments: name and printed value.
    pub fn parameters(&self) -> &[(String, String)] {
        &self.parameters
    }

    /// Printed value of the parameter with that name.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The systems under test that the case runs on; that of the first parameter first. Empty for most.
    pub fn suts(&self) -> &[Arc<Sut>] {
        self.binding.suts()
    }

    /// What the requirement with this index has got. For the macro.
    #[doc(hidden)]
    pub fn resolve<T: Send + Sync + 'static>(
        &self,
        index: usize,
        requirement: &Requirement,
    ) -> Result<Arc<T>, ComponentError> {
        match self.binding.chosen(index) {
            Some(Chosen::Component(name)) => self.scope.resolve(&requirement.made_by(name)),
            Some(Chosen::Sut(index)) => {
                let sut = self.suts().get(index).map(Arc::clone);
                let any = sut.map(|sut| sut as Arc<dyn std::any::Any + Send + Sync>);
                let own = any.and_then(|any| any.downcast().ok());
                own.map_or_else(|| self.scope.resolve(requirement), Ok)
            }
            None => self.scope.resolve(requirement),
        }
    }

    /// Where components are resolved.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Becomes cancelled when the run is aborted or the case has used up its time.
    pub fn cancellation(&self) -> &Cancellation {
        &self.cancellation
    }

    /// True when the case should end: a function cannot be killed, so one that takes long should ask.
    pub fn is_cancelled(&self) -> bool {
        self.cancellation.is_cancelled()
    }
}
