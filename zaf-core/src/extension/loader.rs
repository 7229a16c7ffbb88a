//! Loads extensions, band by band.
//!
//! | Load order | Band |
//! | --- | --- |
//! | 1–10 | always loaded; may [provide](super::ProvidedExtension) extensions that are not linked |
//! | 11–20 | always loaded; may enable and disable others |
//! | 21–90 | know their options; may provide configuration |
//! | 91–100 | know the options of the command, too |
//! | above | the configuration is complete, and may not be added to; command extensions come last of all |
//!
//! Within a band by load order, then as `plugins.<type>.order` says, then by (name, crate, file, line). Each framework extension's configuration is merged before the next
//! one is made. An extension that fails does not stop the loading of framework extensions, so that help can be shown in spite of
//! it; it does stop the command.

use std::collections::BTreeSet;

use super::catalog::ExtensionEntry;
use super::core_options::{
    ALL_EXTENSIONS, ALL_GROUPS, EXTENSION_ENABLED, EXTENSIONS_ENABLED_BY_DEFAULT, GROUP_ENABLED,
    INIT_TIMEOUT, PLUGINS_DISABLED, SELECTED_COMMAND,
};
use super::error::{LoadError, LoadErrors};
use super::loaded::{Instances, Loaded, Prepared};
use super::registry::FIRST_BAND_END;
use super::start::Starter;
use super::{
    Catalog, ExtensionDescriptor, ExtensionRegistry, Host, RegisteredExtension, RunningExtension,
    TeardownLimits, enablement, order, provided,
};
use crate::clock::Clock;
use crate::command::ApplicationInfo;
use crate::component::ComponentRegistry;
use crate::config::{ConfigOption, ConfigStore, Priority, Source};
use crate::message::{Entity, MessageBus};

/// Last load order of what is always loaded.
const SECOND_BAND_END: u16 = 20;
/// Last load order of those that provide configuration.
pub(super) const LAST_OF_CONFIGURATION: u16 = 100;

/// Options that every application has.
const CORE_OPTIONS: [ConfigOption; 8] = [
    ALL_EXTENSIONS.optional(),
    EXTENSION_ENABLED.optional(),
    ALL_GROUPS.optional(),
    GROUP_ENABLED.optional(),
    PLUGINS_DISABLED.optional(),
    INIT_TIMEOUT.optional(),
    EXTENSIONS_ENABLED_BY_DEFAULT.optional(),
    SELECTED_COMMAND.optional(),
];

/// Loads the extensions of one application, once.
///
/// [`load`](Self::load) does everything; [`prepare`](Self::prepare) stops after the framework extensions, when the command line is
/// known and help could be shown.
#[derive(Debug)]
pub struct Loader {
    application: ApplicationInfo,
    extensions: ExtensionRegistry,
    components: ComponentRegistry,
    options: Vec<ConfigOption>,
    store: ConfigStore,
    bus: MessageBus,
    limits: TeardownLimits,
    /// Whether an error ends the loading of framework extensions.
    is_last: fn(&LoadError) -> bool,
    is_limited: bool,
    clock: Clock,
}

impl Loader {
    /// A loader of exactly these extensions: [`ExtensionRegistry::linked`] for those of the program. `store` has what the
    /// application itself sets.
    pub fn new(
        application: ApplicationInfo,
        extensions: ExtensionRegistry,
        store: ConfigStore,
        bus: MessageBus,
    ) -> Self {
        Self {
            application,
            extensions,
            components: ComponentRegistry::empty(),
            options: CORE_OPTIONS.to_vec(),
            store,
            bus,
            limits: TeardownLimits::default(),
            is_last: |_| false,
            is_limited: false,
            clock: Clock::default(),
        }
    }

    /// With these components instead of none.
    #[must_use]
    pub fn components(mut self, components: ComponentRegistry) -> Self {
        self.components = components;
        self
    }

    /// With options of the application itself, in addition to those about extensions.
    #[must_use]
    pub fn options(mut self, options: impl IntoIterator<Item = ConfigOption>) -> Self {
        self.options.extend(options);
        self
    }

    /// With other limits for destroying extensions.
    #[must_use]
    pub fn teardown_limits(mut self, limits: TeardownLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Makes no more framework extensions after an error of which `is_last` is true: whoever asked for help has it then. Without
    /// this, all are made, so that all that is wrong is known.
    #[must_use]
    pub fn until(mut self, is_last: fn(&LoadError) -> bool) -> Self {
        self.is_last = is_last;
        self
    }

    /// Calls extensions on a thread of their own, and leaves behind what takes longer than [`INIT_TIMEOUT`] for a step. Otherwise
    /// they are called on this thread, and may take as long as they like.
    #[must_use]
    pub fn within_limits(mut self) -> Self {
        self.is_limited = true;
        self
    }

    /// With this clock instead of that of the machine.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Loads everything that the selected command needs.
    ///
    /// # Errors
    /// All errors of framework extensions, or all errors of starting the command's extensions. What had been started is
    /// destroyed.
    pub fn load(self) -> Result<Loaded, LoadErrors> {
        self.prepare().start()
    }

    /// Loads the framework extensions. Does not fail: errors are kept in the result.
    pub fn prepare(self) -> Prepared {
        let (mut extensions, mut errors) = self.extensions.into_parts();
        let mut options = self.options.clone();
        let catalog = undecided(&extensions, &self.options, &mut options, self.store);
        let mut host = Host::new(self.application, self.bus, &self.components, catalog)
            .with_clock(self.clock)
            .until(self.is_last);
        let mut starter = Starter::Here;
        if self.is_limited {
            host = host.with_new_progress();
            starter = Starter::limited();
        }
        let mut instances = Instances::new(host, starter, self.limits);
        let is_framework_of = |extension: &&RegisteredExtension, from: u16, to: u16| {
            extension.descriptor.is_framework()
                && (from..=to).contains(&extension.descriptor.load_order())
        };
        for (from, to) in [(1, FIRST_BAND_END), (FIRST_BAND_END + 1, SECOND_BAND_END)] {
            let band = extensions
                .iter()
                .filter(|extension| is_framework_of(extension, from, to));
            errors.extend(load_framework(&mut instances, band.cloned().collect()));
            if to == FIRST_BAND_END {
                let (provided, problems) = instances.provided();
                errors.extend(problems);
                if !provided.is_empty() {
                    errors.extend(provided::add(provided, &mut extensions));
                    let store = instances.catalog().store().clone();
                    let catalog = undecided(&extensions, &self.options, &mut options, store);
                    instances.host.set_catalog(catalog);
                }
            }
        }

        let (decided, problems) = enablement::decide(&extensions, instances.catalog().store());
        errors.extend(problems);
        let store = instances.catalog().store().clone();
        let (decided, problems) = ordered(decided, &store);
        errors.extend(problems);
        let enabled: Vec<RegisteredExtension> = decided
            .iter()
            .filter(|entry| entry.state.is_enabled())
            .map(RegisteredExtension::of_entry)
            .collect();
        let (mut catalog, problems) = Catalog::new(decided, &options, store);
        catalog.is_incomplete = !errors.is_empty();
        errors.extend(problems);
        instances.host.set_catalog(catalog);
        let rest = enabled
            .iter()
            .filter(|extension| is_framework_of(extension, SECOND_BAND_END + 1, u16::MAX));
        errors.extend(load_framework(&mut instances, rest.cloned().collect()));
        warn_of_capabilities(instances.catalog(), &enabled);
        Prepared::new(instances, enabled, errors)
    }
}

/// What is known before it is decided who is loaded. `options` are those of the `application`, and in addition those that the
/// extensions make necessary.
fn undecided(
    extensions: &[RegisteredExtension],
    application: &[ConfigOption],
    options: &mut Vec<ConfigOption>,
    mut store: ConfigStore,
) -> Catalog {
    application.clone_into(options);
    options.extend(order::options(extensions.iter().map(|one| &one.descriptor)));
    let names = extensions.iter().map(|one| one.descriptor.name);
    let groups = extensions.iter().flat_map(|one| one.descriptor.groups);
    for (option, names) in [
        (ALL_EXTENSIONS, entities(names)),
        (ALL_GROUPS, entities(groups.copied())),
    ] {
        store.set(option, None, names, Priority::FIXED, Source::Fixed);
    }
    // What contradicts itself among the extensions that are always loaded does so among all enabled ones, too: it is
    // reported once, then.
    Catalog::new(enablement::undecided(extensions), options, store).0
}

/// The entries in the order in which they are loaded, with the priorities that follow from it; and what contradicts itself.
fn ordered(
    entries: Vec<ExtensionEntry>,
    store: &ConfigStore,
) -> (Vec<ExtensionEntry>, Vec<LoadError>) {
    let descriptors: Vec<&ExtensionDescriptor> =
        entries.iter().map(|entry| &entry.descriptor).collect();
    let (lists, mut problems) = order::lists(descriptors.iter().copied(), store);
    if lists.is_empty() {
        return (entries, problems);
    }
    problems.extend(order::check(&descriptors, &lists));
    let arranged = order::arranged(&descriptors, &lists);
    let mut entries: Vec<ExtensionEntry> = arranged
        .into_iter()
        .map(|index| entries[index].clone())
        .collect();
    let enabled: Vec<usize> = (0..entries.len())
        .filter(|&index| entries[index].state.is_enabled())
        .collect();
    let loaded: Vec<_> = enabled
        .iter()
        .map(|&index| (&entries[index].descriptor, &*entries[index].dispatchers))
        .collect();
    let raised = order::raised(&loaded, &lists);
    for (index, priorities) in enabled.into_iter().zip(raised) {
        entries[index].priorities = priorities;
    }
    (entries, problems)
}

/// Each name once, sorted.
fn entities<'a>(names: impl Iterator<Item = &'a str>) -> Vec<Entity> {
    let names: BTreeSet<&str> = names.collect();
    names.into_iter().map(Entity::from).collect()
}

/// Says which command extensions will never be loaded because of a word that is nearly another one. A word that resembles none
/// may be that of a command which this application does not have; of that only `why` speaks.
fn warn_of_capabilities(catalog: &Catalog, enabled: &[RegisteredExtension]) {
    for extension in enabled {
        for (word, near) in catalog.unknown_capabilities(&extension.descriptor) {
            if let Some(near) = near {
                tracing::warn!(
                    "extension `{}` ({}:{}) extends `{word}`, which is no capability of any command: did you mean `{near}`?",
                    extension.descriptor.name,
                    extension.descriptor.file,
                    extension.descriptor.line
                );
            }
        }
    }
}

/// Makes all instances of framework extensions and merges what each provides before the next one is made.
fn load_framework(
    instances: &mut Instances,
    extensions: Vec<RegisteredExtension>,
) -> Vec<LoadError> {
    instances.make(extensions, |host, extension| {
        // Later ones would open files and start threads for nothing.
        if host.has_last() {
            return (Vec::new(), Vec::new());
        }
        let (made, mut errors) = make_instances(host, &extension);
        for instance in &made {
            match instance.get_config(host) {
                Ok(layers) if layers.is_empty() => {}
                // It has been checked without them, and who was made before has not seen them.
                Ok(_) if extension.descriptor.load_order() > LAST_OF_CONFIGURATION => {
                    errors.push(LoadError::ConfigurationTooLate {
                        extension: extension.descriptor.name,
                        place: extension.descriptor.place().to_string(),
                        load_order: extension.descriptor.load_order(),
                    });
                }
                Ok(layers) => {
                    let mut store = host.catalog().store().clone();
                    for layer in layers {
                        store.add(layer);
                    }
                    let catalog = host.catalog().with_store(store);
                    host.set_catalog(catalog);
                }
                Err(error) => errors.push(error),
            }
        }
        host.note(&errors);
        (made, errors)
    })
}

/// Makes all instances of an extension, in the order of its entities.
pub(super) fn make_instances(
    host: &Host,
    extension: &RegisteredExtension,
) -> (Vec<RunningExtension>, Vec<LoadError>) {
    let store = host.catalog().store();
    let entities = match RunningExtension::entities(&extension.descriptor, store) {
        Ok(entities) => entities,
        Err(error) => return (Vec::new(), vec![error]),
    };
    let mut made = Vec::new();
    let mut errors = Vec::new();
    for entity in entities {
        match RunningExtension::make(host, extension, entity) {
            Ok(instance) => made.push(instance),
            Err(problems) => errors.extend(problems),
        }
    }
    (made, errors)
}
