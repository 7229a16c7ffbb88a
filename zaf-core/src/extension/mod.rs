//! Extensions: what they are, in which order they are loaded, how they end.
//!
//! ```text
//!  linked slices ─► ExtensionRegistry ─► Loader ─► Prepared ──────────────► Loaded ─► destroy
//!                   sorted, checked      bands     framework extensions,     command extensions,
//!                                                  configuration, command    dispatchers
//! ```
//!
//! What can be decided by looking is decided by pure modules (`activation`, `replacement`, `options`, `definitions`); the loader
//! only follows their word. Nothing depends on the order in which a linker found the descriptors.
//!
//! Seen from inside, in the order in which it happens:
//!
//! ```
//! use std::sync::atomic::{AtomicUsize, Ordering};
//!
//! use zaf_core::application::{AFTER_COMMAND, Application, BEFORE_COMMAND, CommandEnded, CommandStarting, Console};
//! use zaf_core::prelude::*;
//!
//! static STEP: AtomicUsize = AtomicUsize::new(0);
//!
//! fn step(expected: usize) {
//!     assert_eq!(STEP.fetch_add(1, Ordering::SeqCst), expected);
//! }
//!
//! /// Counts the steps of its life.
//! #[framework_extension(name = "witness", load_order = 101)]
//! struct Witness;
//!
//! impl Extension for Witness {
//!     fn new(_: &ExtensionContext<'_>) -> Result<Self> {
//!         step(0);
//!         Ok(Self)
//!     }
//!
//!     fn destroy(&self) -> Result<()> {
//!         step(3);
//!         Ok(())
//!     }
//! }
//!
//! #[dispatchers]
//! impl Witness {
//!     #[callback_dispatcher(BEFORE_COMMAND)]
//!     fn on_start(&self, _: &Message<CommandStarting>) {
//!         step(1);
//!     }
//!
//!     #[callback_dispatcher(AFTER_COMMAND)]
//!     fn on_end(&self, _: &Message<CommandEnded>) {
//!         step(2);
//!     }
//! }
//!
//! fn main() {
//!     let (console, printed) = Console::captured();
//!     let line = zaf_core::command::Invocation::new(["noop"]);
//!     let code = Application::new("life").run_with(line, &console);
//!     assert_eq!(code, ExitCode::Success, "{}", printed.stderr());
//!     assert_eq!(STEP.load(Ordering::SeqCst), 4);
//! }
//! ```

mod activation;
mod attribution;
mod catalog;
mod component_check;
mod context;
mod core_options;
mod definitions;
mod descriptor;
mod enablement;
mod error;
mod instance;
mod loaded;
mod loader;
mod options;
mod order;
mod plugin_type;
mod problem;
mod provided;
mod registry;
mod replacement;
mod required;
mod running;
mod secret_variables;
mod start;
mod teardown;
mod worker;

pub use activation::is_active;
pub use catalog::{Catalog, ExtensionEntry, ExtensionState};
pub use context::ExtensionContext;
pub use core_options::{
    ALL_EXTENSIONS, ALL_GROUPS, ENTITY_INCLUDE_FILES, EXTENSION_ENABLED,
    EXTENSIONS_ENABLED_BY_DEFAULT, GROUP_ENABLED, INIT_TIMEOUT, PLUGINS_DISABLED, SELECTED_COMMAND,
};
pub use descriptor::{
    Binder, Condition, Constructor, DispatcherDescriptor, DispatcherSet, Extends,
    ExtensionDescriptor, ExtensionKind,
};
pub use enablement::Statement;
pub use error::{DestroyError, LoadError, LoadErrors};
#[doc(hidden)]
pub use instance::construct;
pub use instance::{Extension, ExtensionObject};
pub use loaded::{Loaded, Prepared};
pub use loader::Loader;
pub use options::{OptionEntry, Place, Requester};
pub use order::RaisedPriorities;
pub use plugin_type::PluginType;
pub use problem::{LoadProblem, LoadProblems};
pub use provided::{ProvidedExtension, ProvidedExtensions};
pub use registry::{ExtensionRegistry, RegisteredExtension};
pub use running::{Host, RunningExtension};
pub use teardown::TeardownLimits;

#[cfg(test)]
mod tests;
