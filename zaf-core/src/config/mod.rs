//! Options, where their values come from, and the merged configuration.
//!
//! An [`OptionId`] is a constant that says everything about an option. Sources (files, environment, command line, extensions)
//! each hand over a [`ConfigLayer`] with a [`Priority`]; [`load`] makes layers of files and environment variables. The
//! [`ConfigStore`] keeps every value of every layer with its [`Source`] and merges on reading; an extension reads through its
//! [`ConfigView`]. What a person wrote wrongly becomes a [`Problem`] with a picture of the line, all of them at once.
//!
//! ```
//! use zaf_core::config::load::{self, Format};
//! use zaf_core::config::{ConfigLayer, ConfigStore, Document, OptionId, Priority, UnknownKeys};
//!
//! const WORKERS: OptionId<u64> = OptionId::count("parallel.workers").default(1);
//!
//! let mut store = ConfigStore::new();
//! store.define(&WORKERS.descriptor(), "run")?;
//! let file = Document::new("k2.yaml", "parallel:\n  workers: 4\n  wrokers: 8\n");
//! store.add(load::text(file, Format::Yaml, Priority::LOCAL)?);
//! store.add(ConfigLayer::from_extension("ci").with("parallel-workers", 2_i64));
//!
//! assert_eq!(store.view_all().get(WORKERS)?, 4);
//! let problems = store.validate(UnknownKeys::Refuse);
//! assert_eq!(problems[0].title(), "unknown key `parallel.wrokers`");
//! assert_eq!(problems[0].position(), Some(("k2.yaml", 3, 3)));
//! # Ok::<(), zaf_core::Error>(())
//! ```
//!
//! Nothing here runs a thread, prints, or (but for [`load`]) touches files and the environment.

mod context;
mod declaration;
mod error;
mod expand;
mod key;
mod kind;
mod layer;
pub mod load;
mod merge;
mod operation;
mod option;
mod option_kinds;
mod problem;
mod read;
mod reference;
mod scalar;
mod secret;
mod secrets;
mod source;
mod store;
mod transform;
mod unit;
mod validate;
mod value;
mod view;

#[cfg(test)]
mod tests;

pub use crate::nearest::nearest;
pub use context::ApplicationContext;
pub use error::{ConfigError, ReferenceError};
pub use key::{Key, environment_name, flag_name, shown_key};
pub use kind::{DefaultValue, Kind};
pub use layer::{ConfigLayer, FileId, LayerEntry};
pub use operation::Operation;
pub use option::{ConfigOption, OptionDescriptor, OptionId, OptionType};
pub use problem::{Problem, Problems, Severity};
pub use reference::EXPANDED_LIMIT;
pub use secret::{SECRET_SHOWN, Secret};
pub use source::{Document, Place, Priority, Source};
pub use store::{ConfigStore, Explained, KnownOption, Outcome};
pub use transform::{Transform, Transformed};
pub use validate::{UnknownKeys, has_errors};
pub use value::{Mismatch, TypedValue, Value, expected, is_entity_name};
pub use view::ConfigView;
