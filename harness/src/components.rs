//! Components without an extension around them.

use std::fmt;
use std::sync::Arc;

use zaf_core::component::{ComponentError, ComponentRegistry, Requirement, Scope};

use crate::HarnessError;
use crate::logs::{LogGroup, Logs};

/// Scopes with the components that are linked into the test, for crates that have components and no extension.
///
/// ```
/// use std::sync::Arc;
/// use zaf_core::prelude::*;
/// use zaf_harness::{ComponentTestHarness, TestResult};
///
/// /// A number that a test gives.
/// struct Seed(u32);
///
/// /// What is made of it.
/// struct Plant(u32);
///
/// #[component(name = "plant", scope = "garden")]
/// fn plant(seed: &Seed) -> Plant {
///     Plant(seed.0 + 1)
/// }
///
/// # fn main() -> TestResult {
/// let harness = ComponentTestHarness::in_scopes(["session", "garden"])?;
/// harness.provide(Arc::new(Seed(4)))?;
/// assert_eq!(harness.resolve::<Plant>()?.0, 5);
/// harness.end()?;
/// # Ok(())
/// # }
/// ```
pub struct ComponentTestHarness {
    outermost: Scope,
    innermost: Scope,
    logs: LogGroup,
}

impl ComponentTestHarness {
    /// Scopes of these names, each inside of the one before it.
    ///
    /// # Errors
    /// [`HarnessError::Components`] if the components that are linked contradict each other.
    pub fn in_scopes(names: impl IntoIterator<Item = &'static str>) -> Result<Self, HarnessError> {
        let logs = LogGroup::begin();
        let components = ComponentRegistry::linked().map_err(HarnessError::Components)?;
        let mut names = names.into_iter();
        let outermost = Scope::root(names.next().unwrap_or("session"), &components);
        let innermost = names.fold(outermost.clone(), |scope, name| scope.child(name));
        Ok(Self {
            outermost,
            innermost,
            logs,
        })
    }

    /// Provides a component, real or fake, in the innermost scope.
    ///
    /// # Errors
    /// As [`Scope::provide`].
    pub fn provide<T: Send + Sync + 'static>(
        &self,
        instance: Arc<T>,
    ) -> Result<(), ComponentError> {
        self.innermost.provide(instance)
    }

    /// The component of a type, as a handler or a case in the innermost scope would get it.
    ///
    /// # Errors
    /// As [`Scope::resolve`].
    pub fn resolve<T: Send + Sync + 'static>(&self) -> Result<Arc<T>, ComponentError> {
        self.resolve_as(&Requirement::of::<T>("wanted"))
    }

    /// The component that meets a requirement.
    ///
    /// # Errors
    /// As [`Scope::resolve`].
    pub fn resolve_as<T: Send + Sync + 'static>(
        &self,
        requirement: &Requirement,
    ) -> Result<Arc<T>, ComponentError> {
        let _in_group = self.logs.enter();
        self.innermost.resolve(requirement)
    }

    /// The innermost scope.
    pub fn scope(&self) -> &Scope {
        &self.innermost
    }

    /// What the components logged while they were made and ended.
    pub fn logs(&self) -> Logs {
        self.logs.logs()
    }

    /// Ends all scopes, the innermost first, and with them the components.
    ///
    /// # Errors
    /// [`HarnessError::Destroy`] with all that failed or panicked, each with its causes.
    pub fn end(self) -> Result<(), HarnessError> {
        let _in_group = self.logs.enter();
        let errors = self.outermost.end();
        let errors = errors.into_iter().map(zaf_core::Error::from);
        let errors: Vec<String> = errors.map(|error| format!("{error:#}")).collect();
        if errors.is_empty() {
            Ok(())
        } else {
            Err(HarnessError::Destroy(errors.join("; ")))
        }
    }
}

impl fmt::Debug for ComponentTestHarness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ComponentTestHarness")
            .field("scope", &self.innermost.name())
            .finish_non_exhaustive()
    }
}
