//! Extensions: descriptors, loading, instances.

mod context;
mod descriptor;
mod instance;

pub use context::ExtensionContext;
pub use descriptor::{
    Condition, DispatcherDescriptor, DispatcherSet, Extends, ExtensionDescriptor, ExtensionKind,
};
pub use instance::{Extension, ExtensionObject};
