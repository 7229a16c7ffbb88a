//! The trait that authors implement, and the same without its type.

use std::any::Any;
use std::sync::Arc;

use super::{ExtensionContext, ProvidedExtensions};
use crate::component::Scope;
use crate::config::ConfigLayer;
use crate::error::Result;
use crate::message::{Dispatcher, MessageBus};

/// A unit of behaviour with a life cycle.
///
/// 1. [`new`](Self::new), once per entity if the extension has an option with `instantiate_on`, else once.
/// 2. [`get_config`](Self::get_config), framework extensions only; the result is merged before the next extension is made.
///    Those up to load order 10 may then [add extensions](Self::provide_extensions) that are not linked.
/// 3. The endpoints and messages of all extensions are defined on the bus.
/// 4. [`register_components`](Self::register_components) of all extensions.
/// 5. The declared dispatchers, if the instance is active, then [`register_dispatchers`](Self::register_dispatchers).
/// 6. The command runs.
/// 7. The dispatchers are destroyed, then [`destroy`](Self::destroy) is called; extensions made last come first.
///
/// 1 to 5 happen on the main thread. An error or a panic in them is reported with the name of the extension, the application
/// does not start and everything that was made is destroyed.
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

    /// Provides configuration for everything that is loaded later. Called for framework extensions only. From load order 101 on, where
    /// the configuration is complete and is checked, there may be none.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    fn get_config(&self, cx: &ExtensionContext<'_>) -> Result<Vec<ConfigLayer>> {
        let _ = cx;
        Ok(Vec::new())
    }

    /// Describes extensions that are not linked into the program, for example because they were found in a directory. Called for
    /// framework extensions with a load order up to 10 only, after [`get_config`](Self::get_config) of all of them; the
    /// configuration in `cx` is complete up to there. See
    /// [`ProvidedExtension`](super::ProvidedExtension).
    ///
    /// # Errors
    /// As [`new`](Self::new).
    fn provide_extensions(&self, cx: &ExtensionContext<'_>) -> Result<ProvidedExtensions> {
        let _ = cx;
        Ok(ProvidedExtensions::default())
    }

    /// Puts what the extension has for others into the session. Called whether the instance is active or not.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    fn register_components(&self, scope: &Scope) -> Result<()> {
        let _ = scope;
        Ok(())
    }

    /// Registers dispatchers that cannot be declared, because they depend on configuration. Called whether the instance is
    /// active or not. The returned dispatchers are destroyed before [`destroy`](Self::destroy), last one first.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    fn register_dispatchers(self: Arc<Self>, bus: &MessageBus) -> Result<Vec<Dispatcher>> {
        let _ = bus;
        Ok(Vec::new())
    }

    /// Called once, after the dispatchers of this instance have been destroyed; on a thread of its own, with a time limit.
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

    /// See [`Extension::get_config`].
    ///
    /// # Errors
    /// Whatever the extension returns.
    fn get_config(&self, cx: &ExtensionContext<'_>) -> Result<Vec<ConfigLayer>>;

    /// See [`Extension::provide_extensions`].
    ///
    /// # Errors
    /// Whatever the extension returns.
    fn provide_extensions(&self, cx: &ExtensionContext<'_>) -> Result<ProvidedExtensions> {
        let _ = cx;
        Ok(ProvidedExtensions::default())
    }

    /// See [`Extension::register_components`].
    ///
    /// # Errors
    /// Whatever the extension returns.
    fn register_components(&self, scope: &Scope) -> Result<()>;

    /// The declared dispatchers of the instance have been registered; none if it is not active. For who may want to end them
    /// early: they are destroyed with the instance in any case.
    fn registered(&self, dispatchers: &[Dispatcher]) {
        let _ = dispatchers;
    }

    /// See [`Extension::register_dispatchers`].
    ///
    /// # Errors
    /// Whatever the extension returns.
    fn register_dispatchers(&self, bus: &MessageBus) -> Result<Vec<Dispatcher>>;

    /// See [`Extension::destroy`].
    ///
    /// # Errors
    /// Whatever the extension returns.
    fn destroy(&self) -> Result<()>;
}

/// Makes an instance of `E`: what [`ExtensionDescriptor::construct`](super::ExtensionDescriptor::construct) is set to.
///
/// # Errors
/// Whatever [`Extension::new`] returns.
#[doc(hidden)]
pub fn construct<E: Extension>(cx: &ExtensionContext<'_>) -> Result<Box<dyn ExtensionObject>> {
    Ok(Box::new(Shared(Arc::new(E::new(cx)?))))
}

struct Shared<E>(Arc<E>);

impl<E: Extension> ExtensionObject for Shared<E> {
    fn shared(&self) -> Arc<dyn Any + Send + Sync> {
        Arc::clone(&self.0) as Arc<dyn Any + Send + Sync>
    }

    fn get_config(&self, cx: &ExtensionContext<'_>) -> Result<Vec<ConfigLayer>> {
        self.0.get_config(cx)
    }

    fn provide_extensions(&self, cx: &ExtensionContext<'_>) -> Result<ProvidedExtensions> {
        self.0.provide_extensions(cx)
    }

    fn register_components(&self, scope: &Scope) -> Result<()> {
        self.0.register_components(scope)
    }

    fn register_dispatchers(&self, bus: &MessageBus) -> Result<Vec<Dispatcher>> {
        Arc::clone(&self.0).register_dispatchers(bus)
    }

    fn destroy(&self) -> Result<()> {
        self.0.destroy()
    }
}
