//! What handlers, commands and test cases can ask for.
//!
//! A component is a function that makes something. It is registered as a [`ComponentDescriptor`] (by `#[component]`), kept in
//! the [`ComponentRegistry`] of one application, and run at most once for each [`Scope`] that an instance lives in. What asks
//! for it states a [`Requirement`]: a type, capabilities, perhaps a scope. Which component answers is decided by the pure
//! module `graph`; who makes, keeps and drops the instance is [`Scope`]'s business. [`Scope::circles`] finds components that need
//! themselves before anything is made.
//!
//! Nothing here is global: two applications in one process share no instance.

mod asker;
mod candidates;
mod circles;
mod descriptor;
mod error;
mod graph;
mod instances;
mod provided;
mod registry;
mod requester;
mod scope;
mod slot;
mod unmet;

pub use asker::{Asker, Askers};
pub use circles::ScopeChain;
pub use descriptor::{ComponentDescriptor, Requirement, Teardown};
pub use error::{ComponentConflict, ComponentError};
pub use provided::ProvidedComponent;
pub use registry::ComponentRegistry;
pub use requester::Requester;
pub use scope::{Outlook, Scope};

#[cfg(test)]
mod feature_tests;
#[cfg(test)]
mod tests;
