//! Commands: what they are, which extensions match them, what they run with.

mod abort;
mod application_info;
mod context;
mod descriptor;
mod invocation;
mod matching;
mod tree;

pub use crate::config::ApplicationContext;
pub use abort::{AbortLevel, AbortState};
pub use application_info::ApplicationInfo;
pub use context::CommandContext;
pub use descriptor::{CommandDescriptor, INSPECTION, PREVIEW};
pub use invocation::Invocation;
pub use matching::is_extended_by;
pub use tree::{CommandEntry, CommandError, CommandTree};
