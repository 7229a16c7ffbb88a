//! The trait that authors implement, and the same without its type.

use std::any::Any;
use std::sync::Arc;

use super::ExtensionContext;
use crate::error::Result;

/// A unit of behaviour with a life cycle.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is registered as an extension but does not implement `Extension`",
    label = "add `impl Extension for {Self}` with `fn new(cx: &ExtensionContext<'_>) -> Result<Self>`"
)]
pub trait Extension: Send + Sync + Sized + 'static {
    /// Makes the extension from its configuration. May not block.
    ///
    /// # Errors
    /// Any; the application does not start, names the extension and ends with exit code 7.
    fn new(cx: &ExtensionContext<'_>) -> Result<Self>;

    /// Called once, after the dispatchers of this instance have been destroyed.
    ///
    /// # Errors
    /// Any; it is reported and the others are still destroyed.
    fn destroy(&self) -> Result<()> {
        Ok(())
    }
}

/// An instance of some [`Extension`].
pub trait ExtensionObject: Send + Sync {
    /// The instance as its handlers want it: an `Arc` of the extension's type.
    fn shared(&self) -> Arc<dyn Any + Send + Sync>;

    /// See [`Extension::destroy`].
    ///
    /// # Errors
    /// Whatever the extension returns.
    fn destroy(&self) -> Result<()>;
}
