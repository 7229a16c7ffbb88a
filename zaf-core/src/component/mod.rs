//! What handlers, commands and test cases can ask for.
//!
//! A component is a function that makes something. It is registered as a [`ComponentDescriptor`] (by `#[component]`), kept in
//! the [`ComponentRegistry`] of one application, and run at most once for each [`Scope`] that an instance lives in. What asks
//! for it states a [`Requirement`]: a type, capabilities, perhaps a scope. Which component answers is decided by the pure
//! module `graph`; who makes, keeps and drops the instance is [`Scope`]'s business. [`Scope::circles`] finds components that need
//! themselves before anything is made.
//!
//! Nothing here is global: two applications in one process share no instance.
//!
//! By hand, as the framework does it for handlers, commands and test cases:
//!
//! ```
//! use zaf_core::component::{ComponentRegistry, Requirement, Scope};
//! use zaf_core::prelude::*;
//!
//! struct Database(&'static str);
//! struct Table(String);
//!
//! /// The database, one for a session.
//! #[component(scope = "session", can = ["store"])]
//! fn database() -> Database {
//!     Database("db://local")
//! }
//!
//! /// A table, for each that asks in a scope of its own.
//! #[component(scope = "test")]
//! fn table(database: &Database) -> Table {
//!     Table(format!("{}/table", database.0))
//! }
//!
//! fn main() -> Result<()> {
//!     let registry = ComponentRegistry::linked().map_err(|_| Error::msg("two with one name"))?;
//!     let session = Scope::root("session", &registry);
//!     let test = session.child("test");
//!     let table = test.resolve::<Table>(&Requirement::of::<Table>("table"))?;
//!     assert_eq!(table.0, "db://local/table");
//!     // What it was made of lives in the session, for the next ones too.
//!     let store = Requirement::of::<Database>("database").can(&["store"]);
//!     let (one, other) = (session.resolve::<Database>(&store)?, test.resolve::<Database>(&store)?);
//!     assert!(std::sync::Arc::ptr_eq(&one, &other));
//!     // Nothing here can fly, and the error says what there is.
//!     let error = session.resolve::<Database>(&store.can(&["fly"])).err().expect("nothing can");
//!     assert!(error.to_string().contains("cannot `fly`; it can [store]"), "{error}");
//!     Ok(())
//! }
//! ```

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
