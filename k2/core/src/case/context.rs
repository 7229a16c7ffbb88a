//! What a test case can ask for while it runs.

use std::any::Any;
use std::path::Path;
use std::sync::Arc;

use zaf_core::component::{ComponentError, Requester, Requirement, Scope};

use super::{AttachError, CaseId, Evidence, Parameters};
use crate::supervisor::Cancellation;
use crate::sut::{Binding, Chosen, Sut};

/// The components that a test function gets, in the order of its requirements. For the macro.
#[doc(hidden)]
#[derive(Debug)]
pub struct CaseComponents(Vec<Arc<dyn Any + Send + Sync>>, &'static [Requirement]);

impl CaseComponents {
    /// The one with this index.
    ///
    /// # Errors
    /// [`ComponentError::WrongType`] if it is none of this type.
    pub fn get<T: Send + Sync + 'static>(&self, index: usize) -> Result<Arc<T>, ComponentError> {
        let component = self.0.get(index).map(Arc::clone);
        let own = component.and_then(|component| component.downcast().ok());
        own.ok_or_else(|| {
            let requirement = self.1.get(index);
            ComponentError::WrongType {
                component: requirement.map_or("", |one| one.parameter).to_owned(),
                place: "see its declaration".to_owned(),
                expected: std::any::type_name::<T>(),
            }
        })
    }
}

/// Handed to every test function that asks for it: `fn my_case(cx: &TestContext)`.
///
/// It lives for one execution of one case and is used on the thread of that case.
#[derive(Debug)]
pub struct TestContext {
    id: CaseId,
    parameters: Parameters,
    scope: Scope,
    cancellation: Cancellation,
    binding: Binding,
    evidence: Evidence,
}

impl TestContext {
    /// The context of one execution. `scope` is the innermost one (`test`); components that the case asks for are
    /// resolved in it. Nothing can be attached: see [`with_evidence`](Self::with_evidence).
    pub fn new(
        id: CaseId,
        parameters: impl Into<Parameters>,
        scope: Scope,
        cancellation: Cancellation,
    ) -> Self {
        let evidence = Evidence::without_directory();
        Self::with_evidence(id, parameters.into(), scope, cancellation, evidence)
    }

    /// As [`new`](Self::new); what the case tells goes to `evidence`.
    pub fn with_evidence(
        id: CaseId,
        parameters: Parameters,
        scope: Scope,
        cancellation: Cancellation,
        evidence: Evidence,
    ) -> Self {
        let requester = Requester::new("test case", id.as_str());
        let scope = scope.with_requester(requester);
        Self {
            id,
            parameters,
            scope,
            cancellation,
            evidence,
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
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Printed value of the parameter with that name.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.value(name)
    }

    /// The systems under test that the case runs on; that of the first parameter first. Empty for most.
    pub fn suts(&self) -> &[Arc<Sut>] {
        self.binding.suts()
    }

    /// What the requirements of the function have got. For the macro.
    #[doc(hidden)]
    pub fn components(
        &self,
        requirements: &'static [Requirement],
    ) -> Result<CaseComponents, ComponentError> {
        if !self.binding.has_chosen() {
            let found = self.scope.resolve_all(requirements, &[])?;
            return Ok(CaseComponents(found, requirements));
        }
        let mut chosen = requirements.to_vec();
        let mut brought = vec![None; chosen.len()];
        for (index, requirement) in chosen.iter_mut().enumerate() {
            match self.binding.chosen(index) {
                Some(Chosen::Component(name)) => *requirement = requirement.made_by(name),
                Some(Chosen::Sut(number)) => {
                    let sut = self.suts().get(number).map(Arc::clone);
                    let sut = sut.map(|sut| sut as Arc<dyn Any + Send + Sync>);
                    brought[index] = sut.filter(|sut| (**sut).type_id() == (requirement.type_id)());
                }
                None => {}
            }
        }
        let found = self.scope.resolve_all(&chosen, &brought)?;
        Ok(CaseComponents(found, requirements))
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

    /// From now on the case is expected to fail, because of a fault that is known. If it then fails, that is no failure; if it
    /// passes, that is one, unless the run says otherwise (`tests.expected.failures.strict`).
    pub fn expect_failure(&self, reason: impl Into<String>) {
        self.evidence.expect_failure(reason);
    }

    /// Keeps bytes as a file that belongs to this attempt, for reports to show: `cx.attach("screen.png", "image/png", &png)?`.
    ///
    /// The name is any text; the file gets a safe one. An empty media type is found by the name.
    ///
    /// # Errors
    /// When it cannot be written. What is too much (`attachments.files`, `attachments.bytes`) is no error: reports say how many files
    /// were left out.
    pub fn attach(
        &self,
        name: &str,
        media_type: &str,
        bytes: impl AsRef<[u8]>,
    ) -> Result<(), AttachError> {
        self.evidence.attach(name, media_type, bytes.as_ref())
    }

    /// Keeps a copy of a file as it is now; otherwise as [`attach`](Self::attach).
    ///
    /// # Errors
    /// Also when there is no regular file at `path`: a symbolic link is not followed.
    pub fn attach_file(
        &self,
        name: &str,
        media_type: &str,
        path: impl AsRef<Path>,
    ) -> Result<(), AttachError> {
        self.evidence.attach_file(name, media_type, path.as_ref())
    }

    /// What the case has told so far, to be taken to other threads that work for it.
    pub fn evidence(&self) -> &Evidence {
        &self.evidence
    }
}
