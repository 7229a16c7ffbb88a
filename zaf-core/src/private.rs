//! What the output of the macros refers to. Not for people: it may change in any release.

pub use linkme;

/// Extensions of this crate. Not in the slice below, because this crate allows no link sections.
pub use crate::builtin::EXTENSIONS as BUILT_IN_EXTENSIONS;
pub use crate::command::CommandDescriptor;
pub use crate::component::{ComponentDescriptor, Requirement, Scope};
pub use crate::error::Result;
pub use crate::extension::{
    Binder, Constructor, DispatcherDescriptor, DispatcherSet, Extends, ExtensionDescriptor,
    ExtensionKind, construct,
};
pub use crate::glue::{
    Answers, Carries, FunctionComponents, HandlerComponent, HandlerComponents, IntoExitCode,
    MessageScope, Parameter, Returned, TornDown, exit_code, handle, instance, parameter, returned,
    shared, take_down,
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
