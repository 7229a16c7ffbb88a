//! The host: finds plugins, checks whether they may be run, and makes them extensions.

mod calls;
mod config_values;
mod gone;
mod instance;
mod launch;
mod loader;
mod object;
mod option;
mod options;
mod settings;
mod translate;
mod words;

pub(crate) use launch::{describe, open_limit, probe};
pub use loader::Plugins;
pub use options::{ALLOW_INSECURE, PATHS, RESTARTS, TIMEOUT};
pub use translate::Json;
