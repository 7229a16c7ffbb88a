//! What handlers, commands and test cases can ask for.
//!
//! A component is a function that makes something. It is registered as a [`ComponentDescriptor`] (by `#[component]`), kept in
//! the [`ComponentRegistry`] of one application, and run at most once for each [`Scope`] that an instance lives in. What asks
//! for it states a [`Requirement`]: a type, capabilities, perhaps a scope. Which component answers is decided by the pure
//! module `graph`; who makes, keeps and drops the instance is [`Scope`]'s business.
//!
//! Nothing here is global: two applications in one process share no instance.

mod asker;
mod descriptor;
mod error;
mod graph;
mod registry;
mod scope;
mod slot;

pub use asker::{Asker, Askers};
pub use descriptor::{ComponentDescriptor, Requirement};
pub use error::{ComponentConflict, ComponentError};
pub use registry::ComponentRegistry;
pub use scope::{ProvidedComponent, Scope};

#[cfg(test)]
mod tests;
