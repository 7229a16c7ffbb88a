//! What the output of the macros refers to. Not for people: it may change in any release.

pub use linkme;

/// Extensions of this crate. Not in the slice below, because this crate allows no link sections.
pub use crate::builtin::EXTENSIONS as BUILT_IN_EXTENSIONS;
use crate::component::ComponentDescriptor;
use crate::error::Result;
use crate::extension::{
    DispatcherSet, Extension, ExtensionContext, ExtensionDescriptor, ExtensionObject,
};

/// Extensions of all crates that are linked, in the linker's order.
#[linkme::distributed_slice]
pub static ZAF_EXTENSIONS: [ExtensionDescriptor];

/// Dispatchers of those extensions, in the linker's order.
#[linkme::distributed_slice]
pub static ZAF_DISPATCHERS: [DispatcherSet];

/// Components of all crates that are linked, in the linker's order.
#[linkme::distributed_slice]
pub static ZAF_COMPONENTS: [ComponentDescriptor];

/// Makes an instance of an extension: what `ExtensionDescriptor::construct` is set to.
///
/// # Errors
/// Whatever `Extension::new` returns.
pub fn construct<E: Extension>(cx: &ExtensionContext<'_>) -> Result<Box<dyn ExtensionObject>> {
    crate::extension::construct::<E>(cx)
}
