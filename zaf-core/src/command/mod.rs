//! Commands: what they are, which extensions match them, what they run with.

mod context;
mod descriptor;

pub use context::CommandContext;
pub use descriptor::CommandDescriptor;
