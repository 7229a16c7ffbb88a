//! What the output of the macros refers to. Not for people: it may change in any release.

pub use linkme;

pub use crate::command::CommandDescriptor;
pub use crate::component::{ComponentDescriptor, Requirement, Scope};
pub use crate::error::Result;
pub use crate::extension::{
    DispatcherDescriptor, DispatcherSet, Extends, ExtensionDescriptor, ExtensionKind, construct,
};
pub use crate::glue::{
    Answers, Carries, HandlerComponent, HandlerComponents, IntoExitCode, MessageScope, Parameter,
    Returned, exit_code, handle, instance, parameter, returned, shared,
};
pub use crate::message::{DispatcherBuilder, DispatcherKind};

/// Extensions of all crates that are linked, in the linker's order.
#[linkme::distributed_slice]
pub static ZAF_EXTENSIONS: [ExtensionDescriptor];

/// Dispatchers of those extensions, in the linker's order.
#[linkme::distributed_slice]
pub static ZAF_DISPATCHERS: [DispatcherSet];

/// Components of all crates that are linked, in the linker's order.
#[linkme::distributed_slice]
pub static ZAF_COMPONENTS: [ComponentDescriptor];

/// Text of a panic's payload.
pub fn panic_text(payload: &(dyn std::any::Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a panic without a text".to_owned()
    }
}
