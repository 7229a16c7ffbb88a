//! One instance of an extension, from its making to its end. Shared by the loader and by test harnesses.
//!
//! Long because an extension is called in one place, whatever the step: with its limit, its panics and its errors.

use std::any::Any;
use std::fmt;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::attribution;
use super::core_options::{INIT_TIMEOUT, SELECTED_COMMAND};
use super::error::LoadError;
use super::provided::Provided;
use super::required::missing_options;
use super::start::{Doing, Progress};
use super::{
    Catalog, DispatcherDescriptor, DispatcherSet, ExtensionContext, ExtensionDescriptor,
    ExtensionObject, RaisedPriorities, RegisteredExtension, is_active,
};
use crate::clock::Clock;
use crate::command::ApplicationInfo;
use crate::component::{ComponentRegistry, Requester, Requirement, Scope};
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
    clock: Clock,
    progress: Progress,
    /// How long a step of an extension may take; none if nobody watches.
    limit: Option<Duration>,
    /// Whether an error ends the loading of framework extensions.
    is_last: fn(&LoadError) -> bool,
    has_last: bool,
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
            clock: Clock::default(),
            progress: Progress::default(),
            limit: None,
            is_last: |_| false,
            has_last: false,
        }
    }

    /// With errors after which no more framework extensions are made.
    #[must_use]
    pub(super) fn until(mut self, is_last: fn(&LoadError) -> bool) -> Self {
        self.is_last = is_last;
        self
    }

    /// Notes errors; whether one was such a last one says [`has_last`](Self::has_last).
    pub(super) fn note(&mut self, errors: &[LoadError]) {
        self.has_last |= errors.iter().any(self.is_last);
    }

    /// Whether no more framework extensions are to be made.
    pub(super) fn has_last(&self) -> bool {
        self.has_last
    }

    /// With somebody who watches how long extensions take.
    #[must_use]
    pub(super) fn with_new_progress(self) -> Self {
        Self {
            progress: Progress::watched(),
            limit: limit_of(&self.catalog),
            ..self
        }
    }

    #[cfg(test)]
    pub(super) fn limit(&self) -> Option<Duration> {
        self.limit
    }

    pub(super) fn progress(&self) -> &Progress {
        &self.progress
    }

    /// With this clock instead of that of the machine.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
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

    /// Makes what is known components of the session: the [`Catalog`], the complete configuration as a [`ConfigView`], and the
    /// [`Clock`]. Called once, when nothing is added to the configuration any more.
    ///
    /// # Errors
    /// [`LoadError`] if the session has ended.
    pub fn provide_catalog(&self) -> Result<(), LoadError> {
        for entry in self.catalog.extensions() {
            if !entry.state.is_enabled() {
                let descriptor = &entry.descriptor;
                let what = format!("extension `{}` ({})", descriptor.name, entry.state);
                self.session.tell_absent(descriptor.krate, what);
            }
        }
        self.session.provide(Arc::new(self.clock.clone()))?;
        self.session.provide(Arc::new(self.catalog.clone()))?;
        self.session
            .provide(Arc::new(self.catalog.store().view_all()))?;
        Ok(())
    }

    /// From now on, this is known. Instances that exist keep the configuration that they were made with.
    pub fn set_catalog(&mut self, catalog: Catalog) {
        self.catalog = catalog;
        if self.progress.is_watched() {
            self.limit = limit_of(&self.catalog);
        }
    }

    /// Runs a part of an extension; its errors and panics name it, and whoever watches sees it.
    fn guarded<T>(
        &self,
        descriptor: &ExtensionDescriptor,
        entity: Option<&Entity>,
        step: &'static str,
        run: impl FnOnce() -> Result<T>,
    ) -> Result<T, LoadError> {
        match self.caught(descriptor, entity, step, run) {
            Ok(outcome) => outcome.map_err(|error| failed(descriptor, entity, step, error)),
            Err(panicked) => Err(panicked),
        }
    }

    fn caught<T>(
        &self,
        descriptor: &ExtensionDescriptor,
        entity: Option<&Entity>,
        step: &'static str,
        run: impl FnOnce() -> T,
    ) -> Result<T, LoadError> {
        let extension = descriptor.name;
        let _inside = crate::attribution::inside(Some(extension));
        let _noted = self.progress.during(|| {
            self.limit.map(|limit| Doing {
                extension,
                instance: instance_name(entity),
                place: descriptor.place().to_string(),
                step,
                since: Instant::now(),
                limit,
            })
        });
        catch_unwind(AssertUnwindSafe(run)).map_err(|panic| LoadError::Panicked {
            extension,
            instance: instance_name(entity),
            place: descriptor.place().to_string(),
            step,
            message: panic_text(panic),
        })
    }
}

/// That an extension returned an error.
fn failed(
    descriptor: &ExtensionDescriptor,
    entity: Option<&Entity>,
    step: &'static str,
    error: Error,
) -> LoadError {
    LoadError::Failed {
        extension: descriptor.name,
        instance: instance_name(entity),
        place: descriptor.place().to_string(),
        step,
        hints: error.hints().to_vec(),
        cause: error.into_inner(),
    }
}

/// What an extension needs and does not get because somebody switched off who has it: a message that nobody else defines.
fn switched_off(
    host: &Host,
    extension: &ExtensionDescriptor,
    dispatcher: &DispatcherDescriptor,
) -> Option<LoadError> {
    let known = host.bus.messages();
    let is_known = |name: &str| {
        known
            .iter()
            .any(|(message, endpoints)| message.name == name && !endpoints.is_empty())
    };
    let message = dispatcher.messages.iter().find(|one| !is_known(one.name))?;
    let definer = host.catalog.extensions().iter().find(|entry| {
        let mut defined = entry.descriptor.endpoints_and_messages.iter();
        !entry.state.is_enabled()
            && defined.any(|(_, messages)| messages.iter().any(|one| one.name == message.name))
    })?;
    // A framework extension is loaded whatever the command is.
    let command = host.catalog.store().get(SELECTED_COMMAND).ok();
    let command = command.filter(|_| !extension.is_framework());
    let chain = command
        .into_iter()
        .chain([
            extension.name.to_owned(),
            format!("{} ({})", definer.descriptor.name, definer.state),
        ])
        .collect();
    Some(LoadError::SwitchedOff {
        extension: extension.name,
        place: extension.place().to_string(),
        handler: dispatcher.handler,
        message: message.name,
        chain,
    })
}

/// How long each step of an extension may take; none if it may take for ever.
fn limit_of(catalog: &Catalog) -> Option<Duration> {
    // A wrong value is a problem that the validation finds.
    let limit = catalog
        .store()
        .get(INIT_TIMEOUT)
        .unwrap_or(Duration::from_secs(30));
    (limit > Duration::ZERO).then_some(limit)
}

/// One instance of an extension. Ends by [`destroy_all`](Self::destroy_all).
pub struct RunningExtension {
    pub(super) descriptor: ExtensionDescriptor,
    sets: Vec<DispatcherSet>,
    priorities: RaisedPriorities,
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
        let object = host
            .guarded(&descriptor, entity.as_ref(), "new", || {
                descriptor.construct.call(&context)
            })
            .map_err(|error| vec![error])?;
        let is_active = is_active(descriptor.activate_on, descriptor.deactivate_on, |option| {
            view.is_set(option)
        });
        Ok(Self {
            descriptor,
            sets: extension.dispatchers.clone(),
            priorities: extension.priorities.clone(),
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
        host.guarded(&self.descriptor, self.entity.as_ref(), "get_config", || {
            self.object.get_config(&context)
        })
    }

    /// The extensions that the instance provides, with the configuration as it is now.
    ///
    /// # Errors
    /// [`LoadError::Failed`] or [`LoadError::Panicked`].
    pub(super) fn provide_extensions(&self, host: &Host) -> Result<Provided, LoadError> {
        let step = "provide_extensions";
        let view = view(&self.descriptor, host.catalog.store(), self.entity.as_ref());
        let context = context(host, &self.descriptor, &view, self.entity.as_ref());
        let provided = host.guarded(&self.descriptor, self.entity.as_ref(), step, || {
            self.object.provide_extensions(&context)
        })?;
        let (extensions, problems) = provided.into_parts();
        let failed = |error| failed(&self.descriptor, self.entity.as_ref(), step, error);
        Ok((extensions, problems.into_iter().map(failed).collect()))
    }

    /// Lets the instance put its components into the session.
    ///
    /// # Errors
    /// [`LoadError::Failed`] or [`LoadError::Panicked`].
    pub fn register_components(&self, host: &Host) -> Result<(), LoadError> {
        host.guarded(
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
        self.object.registered(&self.dispatchers);
        let own = host.guarded(
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

    /// What each of its declared handlers asks for, if they take part.
    pub(super) fn requirements(&self) -> impl Iterator<Item = &'static [Requirement]> {
        let sets = self.sets.iter().filter(|_| self.is_active);
        sets.flat_map(|set| set.dispatchers.iter().map(|one| one.requirements))
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
        for (number, set) in self.sets.clone().into_iter().enumerate() {
            for (index, descriptor) in set.dispatchers.iter().enumerate() {
                let priority = self.priorities.of(number, index, descriptor);
                let dispatcher = host
                    .caught(
                        &self.descriptor,
                        self.entity.as_ref(),
                        descriptor.handler,
                        || self.register_one(host, &scope, descriptor, priority),
                    )?
                    .map_err(|error| {
                        switched_off(host, &self.descriptor, descriptor).unwrap_or_else(|| {
                            LoadError::Dispatcher {
                                extension: self.descriptor.name,
                                instance: instance_name(self.entity.as_ref()),
                                place: format!("{}:{}", set.file, descriptor.line),
                                handler: descriptor.handler,
                                hints: error.hints().to_vec(),
                                cause: error.into_inner(),
                            }
                        })
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
        priority: i32,
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
        let requester = Requester::new("handler", &*name);
        let mut builder = host
            .bus
            .dispatcher(descriptor.kind, name)
            .priority(priority);
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
        let scope = scope.on_behalf_of(requester).child("dispatcher");
        let builder = descriptor
            .bind
            .call(self.object.shared(), builder, &scope)?;
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
        clock: &host.clock,
    }
}
