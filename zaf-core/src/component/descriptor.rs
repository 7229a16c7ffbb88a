//! Constants that describe components and demands for them.

use std::any::{Any, TypeId};
use std::sync::Arc;

use super::Scope;
use crate::error::Result;

/// A demand for a component of a type, made by a parameter of a handler, a component or a test case.
#[derive(Debug, Clone, Copy)]
pub struct Requirement {
    /// Name of the parameter, for error messages.
    pub parameter: &'static str,
    /// Type that is asked for.
    pub type_id: fn() -> TypeId,
    /// Name of that type, for error messages.
    pub type_name: fn() -> &'static str,
    /// Capabilities that the component must have; all of them.
    pub can: &'static [&'static str],
    /// Scope to use instead of the component's own.
    pub scope: Option<&'static str>,
    /// Name of the only component that will do; none for any.
    pub component: Option<&'static str>,
    /// Other parameters of the same function. Whatever answers this requirement, and all that it needs in turn, gets what they
    /// get wherever it asks for their types.
    pub uses: &'static [&'static str],
    /// Whether only what is about a fixated entity will do, if there is such a thing.
    pub fixate_entities: bool,
}

/// Takes an instance down, while it is still whole: emitted by `#[component(teardown = …)]`.
pub type Teardown = fn(&(dyn Any + Send + Sync)) -> Result<()>;

/// Everything about a component: emitted by `#[component]`.
#[derive(Debug, Clone, Copy)]
pub struct ComponentDescriptor {
    /// Name, by default that of the function.
    pub name: &'static str,
    /// Documentation of the function.
    pub description: &'static str,
    /// Name of the scope that an instance lives in: `session`, `dispatcher`, `message`, `runner`, `module`, `class`, `test`.
    pub scope: &'static str,
    /// What it can; a requirement's `can` must be a subset.
    pub can: &'static [&'static str],
    /// Higher wins where several fit; ties go to the name that sorts first.
    pub priority: i32,
    /// The entity that an instance is about; none if about no special one.
    pub entity: Option<&'static str>,
    /// Type of the instance.
    pub type_id: fn() -> TypeId,
    /// Name of that type.
    pub type_name: fn() -> &'static str,
    /// What its function asks for.
    pub requirements: &'static [Requirement],
    /// Makes an instance, taking what it requires from the scope it will live in.
    pub make: fn(&Scope) -> Result<Arc<dyn Any + Send + Sync>>,
    /// Called with an instance when its scope ends, before the scope lets go of it; none if dropping it is enough.
    pub teardown: Option<Teardown>,
    /// Crate that declares it.
    pub krate: &'static str,
    /// Source file.
    pub file: &'static str,
    /// Line, from 1.
    pub line: u32,
}

impl Requirement {
    /// Whether something of this type that can this much would do, wherever it lives.
    pub fn accepts(&self, type_id: TypeId, can: &[&str]) -> bool {
        (self.type_id)() == type_id && self.can.iter().all(|word| can.contains(word))
    }

    /// A demand for a `T`, whatever it can, in its own scope.
    pub const fn of<T: 'static>(parameter: &'static str) -> Self {
        Self {
            parameter,
            type_id: TypeId::of::<T>,
            type_name: std::any::type_name::<T>,
            can: &[],
            scope: None,
            component: None,
            uses: &[],
            fixate_entities: true,
        }
    }

    /// With capabilities.
    #[must_use]
    pub const fn can(mut self, can: &'static [&'static str]) -> Self {
        self.can = can;
        self
    }

    /// In another scope than the component's own.
    #[must_use]
    pub const fn in_scope(mut self, scope: &'static str) -> Self {
        self.scope = Some(scope);
        self
    }

    /// Made by the component of this name; what was put into a scope does not do then.
    #[must_use]
    pub const fn made_by(mut self, component: &'static str) -> Self {
        self.component = Some(component);
        self
    }

    /// With what these other parameters of the same function get, wherever what answers asks for their types.
    #[must_use]
    pub const fn uses(mut self, parameters: &'static [&'static str]) -> Self {
        self.uses = parameters;
        self
    }

    /// About any entity, whichever is fixated.
    #[must_use]
    pub const fn about_any_entity(mut self) -> Self {
        self.fixate_entities = false;
        self
    }

    /// Whether this is the same demand.
    pub(super) fn is(&self, other: &Self) -> bool {
        (self.parameter, self.can, self.scope, self.component)
            == (other.parameter, other.can, other.scope, other.component)
            && (self.uses, self.fixate_entities) == (other.uses, other.fixate_entities)
            && (self.type_id)() == (other.type_id)()
    }
}
