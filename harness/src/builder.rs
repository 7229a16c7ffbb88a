//! What a harness is started with.

use std::any::{TypeId, type_name};
use std::ffi::OsString;
use std::marker::PhantomData;
use std::sync::Arc;

use zaf_core::Result;
use zaf_core::clock::Clock;
use zaf_core::command::ApplicationInfo;
use zaf_core::component::{ComponentError, ComponentRegistry, Scope};
use zaf_core::config::{ConfigStore, OptionId, OptionType, Priority, Source};
use zaf_core::extension::{
    Catalog, Extension, ExtensionRegistry, Host, RegisteredExtension, RunningExtension,
};
use zaf_core::message::{BusLimits, EndpointId, Entity, MessageBus, MessageDescriptor, MessageId};

use crate::logs::LogGroup;
use crate::{ExtensionTestHarness, FakeClock, HarnessError};

type Provide = Box<dyn FnOnce(&Scope) -> Result<(), ComponentError>>;
type Setting = Box<dyn FnOnce(&mut ConfigStore, Priority)>;

/// Configuration, components and messages around one extension. See [`ExtensionTestHarness::builder`].
pub struct HarnessBuilder<E> {
    pub(crate) settings: Vec<Setting>,
    entity: Option<Entity>,
    pub(crate) definitions: Vec<(EndpointId, Vec<MessageDescriptor>)>,
    pub(crate) components: Vec<Provide>,
    pub(crate) registry: Option<ComponentRegistry>,
    limits: BusLimits,
    pub(crate) clock: Clock,
    pub(crate) others: Vec<(TypeId, &'static str)>,
    pub(crate) variables: Vec<(OsString, OsString)>,
    extension: PhantomData<fn() -> E>,
}

impl<E> std::fmt::Debug for HarnessBuilder<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HarnessBuilder")
            .field("extension", &type_name::<E>())
            .field("entity", &self.entity)
            .finish_non_exhaustive()
    }
}

impl<E: Extension> HarnessBuilder<E> {
    pub(crate) fn new() -> Self {
        Self {
            settings: Vec::new(),
            entity: None,
            definitions: Vec::new(),
            components: Vec::new(),
            registry: None,
            limits: BusLimits::default(),
            clock: Clock::default(),
            others: Vec::new(),
            variables: Vec::new(),
            extension: PhantomData,
        }
    }

    /// Gives an option a value. Options without one have their default.
    #[must_use]
    pub fn config<T: OptionType>(mut self, option: OptionId<T>, value: T) -> Self {
        self.settings.push(Box::new(move |store, priority| {
            store.set(option, None, value, priority, Source::Fixed);
        }));
        self
    }

    /// Gives an option a value for one entity.
    #[must_use]
    pub fn config_for<T: OptionType>(
        mut self,
        option: OptionId<T>,
        entity: impl Into<Entity>,
        value: T,
    ) -> Self {
        let entity = entity.into();
        self.settings.push(Box::new(move |store, priority| {
            store.set(option, Some(&entity), value, priority, Source::Fixed);
        }));
        self
    }

    /// Chooses the entity that the instance is for. Without this it is the first one that the configuration names.
    #[must_use]
    pub fn entity(mut self, entity: impl Into<Entity>) -> Self {
        self.entity = Some(entity.into());
        self
    }

    /// Defines messages that somebody else would define. What the extension itself defines is defined anyway.
    #[must_use]
    pub fn define<M: MessageId>(
        mut self,
        endpoint: EndpointId,
        messages: impl IntoIterator<Item = M>,
    ) -> Self {
        let messages = messages.into_iter().map(|id| id.descriptor()).collect();
        self.definitions.push((endpoint, messages));
        self
    }

    /// Provides a component, real or fake, for everything that asks for a `T`.
    #[must_use]
    pub fn component<T: Send + Sync + 'static>(self, instance: Arc<T>) -> Self {
        self.component_as(instance, &[])
    }

    /// As [`component`](Self::component), with capabilities.
    #[must_use]
    pub fn component_as<T: Send + Sync + 'static>(
        mut self,
        instance: Arc<T>,
        can: &'static [&'static str],
    ) -> Self {
        self.components
            .push(Box::new(move |scope| scope.provide_as(instance, can)));
        self
    }

    /// Takes components from this registry instead of those that are linked into the test.
    #[must_use]
    pub fn registry(mut self, registry: ComponentRegistry) -> Self {
        self.registry = Some(registry);
        self
    }

    /// Gives the extension a clock that the test moves by hand, instead of that of the machine.
    #[must_use]
    pub fn clock(mut self, clock: &FakeClock) -> Self {
        self.clock = clock.clock();
        self
    }

    /// Limits of the bus.
    #[must_use]
    pub fn bus_limits(mut self, limits: BusLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Makes the extension and registers its dispatchers.
    ///
    /// # Errors
    /// [`HarnessError`] with what an application would report, and errors of the bus from definitions that clash.
    pub fn start(self) -> Result<ExtensionTestHarness<E>> {
        let logs = LogGroup::begin();
        let in_group = logs.enter();
        let linked = ExtensionRegistry::linked_type(TypeId::of::<E>());
        let Some(extension) = linked.extensions().first().cloned() else {
            return Err(HarnessError::NotRegistered {
                name: type_name::<E>(),
            }
            .into());
        };
        let mut store = ConfigStore::new();
        for setting in self.settings {
            setting(&mut store, Priority::EXPLICIT);
        }
        let (catalog, problems) = Catalog::of_enabled(linked.extensions(), store);
        if !problems.is_empty() {
            return Err(HarnessError::Load(problems).into());
        }
        let entity = choose_entity(&extension, self.entity, catalog.store())?;
        let components = match self.registry {
            Some(registry) => registry,
            None => ComponentRegistry::linked().map_err(HarnessError::Components)?,
        };
        let application = ApplicationInfo::new("harness", env!("CARGO_PKG_VERSION"));
        let bus = MessageBus::with_limits(self.limits);
        let host = Host::new(application, bus, &components, catalog).with_clock(self.clock);
        host.provide_catalog()?;
        for (endpoint, messages) in &self.definitions {
            host.bus().define(*endpoint, messages)?;
        }
        for provide in self.components {
            provide(host.session())?;
        }
        let mut running =
            RunningExtension::make(&host, &extension, entity).map_err(HarnessError::Load)?;
        let started = extension
            .define(host.bus())
            .map_err(|error| vec![error])
            .and_then(|()| {
                running
                    .register_components(&host)
                    .map_err(|error| vec![error])
            })
            .and_then(|()| {
                let problems = host.check_components(std::slice::from_ref(&running), None);
                if problems.is_empty() {
                    Ok(())
                } else {
                    Err(problems)
                }
            })
            .and_then(|()| {
                running
                    .register_dispatchers(&host)
                    .map_err(|error| vec![error])
            });
        // Made first, so that what was started is ended even if the rest failed.
        drop(in_group);
        let harness = ExtensionTestHarness::new(host, running, logs);
        started.map_err(HarnessError::Load)?;
        Ok(harness)
    }
}

fn choose_entity(
    extension: &RegisteredExtension,
    chosen: Option<Entity>,
    store: &ConfigStore,
) -> Result<Option<Entity>> {
    let descriptor = &extension.descriptor;
    let Some(option) = descriptor.instance_option() else {
        return match chosen {
            None => Ok(None),
            Some(entity) => Err(HarnessError::EntityUnexpected {
                extension: descriptor.name,
                entity: entity.name().to_owned(),
            }
            .into()),
        };
    };
    let known: Vec<Entity> = RunningExtension::entities(descriptor, store)?
        .into_iter()
        .flatten()
        .collect();
    let key = option.option.key;
    match chosen {
        Some(entity) if known.contains(&entity) => Ok(Some(entity)),
        Some(entity) => Err(HarnessError::EntityUnknown {
            entity: entity.name().to_owned(),
            option: key,
            known: known
                .iter()
                .map(Entity::name)
                .collect::<Vec<_>>()
                .join(", "),
        }
        .into()),
        None => match known.into_iter().next() {
            Some(first) => Ok(Some(first)),
            None => Err(HarnessError::EntityMissing {
                extension: descriptor.name,
                option: key,
            }
            .into()),
        },
    }
}
