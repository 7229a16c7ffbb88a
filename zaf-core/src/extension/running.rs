//! One instance of an extension, from its making to its end. Shared by the loader and by test harnesses.

use std::any::Any;
use std::fmt;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::attribution;
use super::error::LoadError;
use super::required::missing_options;
use super::{
    Catalog, DispatcherDescriptor, DispatcherSet, ExtensionContext, ExtensionDescriptor,
    ExtensionObject, RegisteredExtension, is_active,
};
use crate::command::ApplicationInfo;
use crate::component::{ComponentRegistry, Scope};
use crate::config::{ConfigLayer, ConfigStore, ConfigView};
use crate::error::{Error, Result};
use crate::message::{Dispatcher, Entity, MessageBus};
use crate::thread::panic_text;

/// What extensions live in: the application, its bus, its session, and what is known so far.
#[derive(Debug, Clone)]
pub struct Host {
    application: ApplicationInfo,
    bus: MessageBus,
    session: Scope,
    catalog: Catalog,
}

impl Host {
    /// A host with a new session, in which [`MessageBus`] and [`ApplicationInfo`] are components.
    ///
    /// # Panics
    /// Never: a new session has not ended.
    pub fn new(
        application: ApplicationInfo,
        bus: MessageBus,
        components: &ComponentRegistry,
        catalog: Catalog,
    ) -> Self {
        let session = Scope::root("session", components);
        for provided in [
            session.provide(Arc::new(bus.clone())),
            session.provide(Arc::new(application.clone())),
        ] {
            provided.expect("invariant: a new session has not ended");
        }
        Self {
            application,
            bus,
            session,
            catalog,
        }
    }

    /// Who the application is.
    pub fn application(&self) -> &ApplicationInfo {
        &self.application
    }

    /// The bus.
    pub fn bus(&self) -> &MessageBus {
        &self.bus
    }

    /// The outermost scope of components.
    pub fn session(&self) -> &Scope {
        &self.session
    }

    /// What is known.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Makes what is known components of the session: the [`Catalog`], and the complete configuration as a [`ConfigView`]. Called
    /// once, when nothing is added to the configuration any more.
    ///
    /// # Errors
    /// [`LoadError`] if the session has ended.
    pub fn provide_catalog(&self) -> Result<(), LoadError> {
        self.session.provide(Arc::new(self.catalog.clone()))?;
        self.session
            .provide(Arc::new(self.catalog.store().view_all()))?;
        Ok(())
    }

    /// From now on, this is known. Instances that exist keep the configuration that they were made with.
    pub fn set_catalog(&mut self, catalog: Catalog) {
        self.catalog = catalog;
    }
}

/// One instance of an extension. Ends by [`destroy_all`](Self::destroy_all).
pub struct RunningExtension {
    pub(super) descriptor: ExtensionDescriptor,
    sets: Vec<DispatcherSet>,
    pub(super) entity: Option<Entity>,
    view: ConfigView,
    is_active: bool,
    pub(super) object: Box<dyn ExtensionObject>,
    /// In order of registration.
    pub(super) dispatchers: Vec<Dispatcher>,
    /// Scope of this instance: where its view is a component, and the parent of its dispatchers' scopes.
    pub(super) scope: Option<Scope>,
}

impl RunningExtension {
    /// The entities that there is an instance for, each as `Some`; one `None` if the extension has no instances per entity.
    ///
    /// # Errors
    /// [`LoadError::Config`] if the option that names them cannot be read.
    pub fn entities(
        descriptor: &ExtensionDescriptor,
        store: &ConfigStore,
    ) -> Result<Vec<Option<Entity>>, LoadError> {
        let Some(option) = descriptor.instance_option() else {
            return Ok(vec![None]);
        };
        let entities = store
            .entities(&option.option)
            .map_err(|error| LoadError::Config {
                cause: error.into(),
            })?;
        Ok(entities.into_iter().map(Some).collect())
    }

    /// Makes an instance, after checking that its required options have values.
    ///
    /// # Errors
    /// One [`LoadError::OptionMissing`] for each of them; [`LoadError::Failed`] or [`LoadError::Panicked`] from
    /// [`Extension::new`](super::Extension::new).
    pub fn make(
        host: &Host,
        extension: &RegisteredExtension,
        entity: Option<Entity>,
    ) -> Result<Self, Vec<LoadError>> {
        let descriptor = extension.descriptor;
        let view = view(&descriptor, host.catalog.store(), entity.as_ref());
        let missing = missing_options(&descriptor, &view, entity.as_ref());
        if !missing.is_empty() {
            return Err(missing);
        }
        let context = context(host, &descriptor, &view, entity.as_ref());
        let object = guarded(&descriptor, entity.as_ref(), "new", || {
            (descriptor.construct)(&context)
        })
        .map_err(|error| vec![error])?;
        let is_active = is_active(descriptor.activate_on, descriptor.deactivate_on, |option| {
            view.is_set(option)
        });
        Ok(Self {
            descriptor,
            sets: extension.dispatchers.clone(),
            entity,
            view,
            is_active,
            object,
            dispatchers: Vec::new(),
            scope: None,
        })
    }

    /// The configuration that the instance provides.
    ///
    /// # Errors
    /// [`LoadError::Failed`] or [`LoadError::Panicked`].
    pub fn get_config(&self, host: &Host) -> Result<Vec<ConfigLayer>, LoadError> {
        let context = context(host, &self.descriptor, &self.view, self.entity.as_ref());
        guarded(&self.descriptor, self.entity.as_ref(), "get_config", || {
            self.object.get_config(&context)
        })
    }

    /// Lets the instance put its components into the session.
    ///
    /// # Errors
    /// [`LoadError::Failed`] or [`LoadError::Panicked`].
    pub fn register_components(&self, host: &Host) -> Result<(), LoadError> {
        guarded(
            &self.descriptor,
            self.entity.as_ref(),
            "register_components",
            || self.object.register_components(&host.session),
        )
    }

    /// Registers the declared dispatchers, if the instance is active, and then those that the instance registers itself.
    /// The messages must be defined.
    ///
    /// # Errors
    /// The first that cannot be registered: [`LoadError::Dispatcher`], [`LoadError::Failed`] or [`LoadError::Panicked`]. Those
    /// before it stay registered until the instance is destroyed.
    pub fn register_dispatchers(&mut self, host: &Host) -> Result<(), LoadError> {
        if self.is_active {
            self.register_declared(host)?;
        }
        let own = guarded(
            &self.descriptor,
            self.entity.as_ref(),
            "register_dispatchers",
            || self.object.register_dispatchers(&host.bus),
        )?;
        for dispatcher in &own {
            attribution::handlers_of(dispatcher, self.descriptor.name);
        }
        self.dispatchers.extend(own);
        Ok(())
    }

    /// The extension.
    pub fn descriptor(&self) -> &ExtensionDescriptor {
        &self.descriptor
    }

    /// The entity that the instance is for.
    pub fn entity(&self) -> Option<&Entity> {
        self.entity.as_ref()
    }

    /// The configuration that it was made with.
    pub fn config(&self) -> &ConfigView {
        &self.view
    }

    /// Whether its declared dispatchers take part.
    pub fn is_active(&self) -> bool {
        self.is_active
    }

    /// The instance, to be downcast to the extension's type.
    pub fn instance(&self) -> Arc<dyn Any + Send + Sync> {
        self.object.shared()
    }

    fn register_declared(&mut self, host: &Host) -> Result<(), LoadError> {
        if self.sets.iter().all(|set| set.dispatchers.is_empty()) {
            return Ok(());
        }
        let scope = self.open_scope(host)?;
        for set in self.sets.clone() {
            for descriptor in set.dispatchers {
                let _inside = crate::attribution::inside(Some(self.descriptor.name));
                let dispatcher = catch_unwind(AssertUnwindSafe(|| {
                    self.register_one(host, &scope, descriptor)
                }))
                .map_err(|panic| LoadError::Panicked {
                    extension: self.descriptor.name,
                    instance: instance_name(self.entity.as_ref()),
                    place: self.descriptor.place().to_string(),
                    step: descriptor.handler,
                    message: panic_text(panic),
                })?
                .map_err(|error| LoadError::Dispatcher {
                    extension: self.descriptor.name,
                    instance: instance_name(self.entity.as_ref()),
                    place: format!("{}:{}", set.file, descriptor.line),
                    handler: descriptor.handler,
                    hints: error.hints().to_vec(),
                    cause: error.into_inner(),
                })?;
                attribution::handlers_of(&dispatcher, self.descriptor.name);
                self.dispatchers.push(dispatcher);
            }
        }
        Ok(())
    }

    fn register_one(
        &self,
        host: &Host,
        scope: &Scope,
        descriptor: &DispatcherDescriptor,
    ) -> Result<Dispatcher> {
        let name = match &self.entity {
            Some(entity) => format!(
                "{}[{}].{}",
                self.descriptor.name,
                entity.name(),
                descriptor.handler
            ),
            None => format!("{}.{}", self.descriptor.name, descriptor.handler),
        };
        let mut builder = host
            .bus
            .dispatcher(descriptor.kind, name)
            .priority(descriptor.priority);
        if !descriptor.endpoints.is_empty() {
            builder = builder.endpoints(descriptor.endpoints.iter().copied());
        }
        if descriptor.entity_option.is_some() {
            builder = builder.entities(self.entity.iter().cloned());
        }
        if descriptor.optional {
            builder = builder.optional();
        }
        if descriptor.long_running {
            builder = builder.long_running();
        }
        if let Some(workers) = descriptor.workers.and_then(NonZeroUsize::new) {
            builder = builder.workers(workers);
        }
        let builder = (descriptor.bind)(self.object.shared(), builder, &scope.child("dispatcher"))?;
        Ok(builder.register()?)
    }

    /// The scope of this instance, in which its view and its entity are components.
    fn open_scope(&mut self, host: &Host) -> Result<Scope, LoadError> {
        let scope = host.session.child("extension");
        scope.provide(Arc::new(self.view.clone()))?;
        if let Some(entity) = &self.entity {
            scope.provide(Arc::new(entity.clone()))?;
        }
        self.scope = Some(scope.clone());
        Ok(scope)
    }
}

impl fmt::Debug for RunningExtension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunningExtension")
            .field("name", &self.descriptor.name)
            .field("entity", &self.entity)
            .field("is_active", &self.is_active)
            .finish_non_exhaustive()
    }
}

/// " for entity `x`", or nothing: follows the name of the extension in messages.
pub(super) fn instance_name(entity: Option<&Entity>) -> String {
    entity.map_or_else(String::new, |entity| format!(" for entity `{entity}`"))
}

fn view(
    descriptor: &ExtensionDescriptor,
    store: &ConfigStore,
    entity: Option<&Entity>,
) -> ConfigView {
    let bound = descriptor
        .instance_option()
        .map(|option| &option.option)
        .zip(entity);
    store.view(
        descriptor
            .config_options
            .iter()
            .map(|option| &option.option),
        bound,
    )
}

fn context<'a>(
    host: &'a Host,
    descriptor: &'a ExtensionDescriptor,
    view: &'a ConfigView,
    entity: Option<&'a Entity>,
) -> ExtensionContext<'a> {
    ExtensionContext {
        name: descriptor.name,
        config: view,
        bus: &host.bus,
        entity,
        application: &host.application,
        catalog: &host.catalog,
    }
}

/// Runs a part of an extension; its errors and panics name it.
fn guarded<T>(
    descriptor: &ExtensionDescriptor,
    entity: Option<&Entity>,
    step: &'static str,
    run: impl FnOnce() -> Result<T>,
) -> Result<T, LoadError> {
    let extension = descriptor.name;
    let _inside = crate::attribution::inside(Some(extension));
    let failed = |error: Error| LoadError::Failed {
        extension,
        instance: instance_name(entity),
        place: descriptor.place().to_string(),
        step,
        hints: error.hints().to_vec(),
        cause: error.into_inner(),
    };
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(outcome) => outcome.map_err(failed),
        Err(panic) => Err(LoadError::Panicked {
            extension,
            instance: instance_name(entity),
            place: descriptor.place().to_string(),
            step,
            message: panic_text(panic),
        }),
    }
}
