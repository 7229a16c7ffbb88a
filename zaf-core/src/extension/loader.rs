//! Loads extensions, band by band.
//!
//! | Load order | Band |
//! | --- | --- |
//! | 1–10 | always loaded; may change where extensions come from |
//! | 11–20 | always loaded; may enable and disable others |
//! | 21–90 | know their options; may provide configuration |
//! | 91–100 | know the options of the command, too |
//! | above | the configuration is complete; command extensions come last of all |
//!
//! Within a band by (load order, name, crate, file, line). Each framework extension's configuration is merged before the next
//! one is made. An extension that fails does not stop the loading of framework extensions, so that help can be shown in spite of
//! it; it does stop the command.

use super::catalog::ExtensionEntry;
use super::core_options::{
    ALL_EXTENSIONS, EXTENSION_ENABLED, EXTENSIONS_ENABLED_BY_DEFAULT, SELECTED_COMMAND,
};
use super::error::{LoadError, LoadErrors};
use super::loaded::{Instances, Loaded, Prepared};
use super::{
    Catalog, ExtensionRegistry, Host, RegisteredExtension, RunningExtension, TeardownLimits,
    enablement,
};
use crate::command::ApplicationInfo;
use crate::component::ComponentRegistry;
use crate::config::{ConfigOption, ConfigStore, Priority, Source};
use crate::message::{Entity, MessageBus};

/// Last load order before options are known.
const FIRST_BAND_END: u16 = 10;
/// Last load order of what is always loaded.
const SECOND_BAND_END: u16 = 20;

/// Options that every application has.
const CORE_OPTIONS: [ConfigOption; 4] = [
    ALL_EXTENSIONS.optional(),
    EXTENSION_ENABLED.optional(),
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
        let (extensions, mut errors) = self.extensions.into_parts();
        let mut store = self.store;
        let names = {
            let mut names: Vec<&str> = extensions
                .iter()
                .map(|extension| extension.descriptor.name)
                .collect();
            names.sort_unstable();
            names.dedup();
            names.into_iter().map(Entity::from).collect()
        };
        store.set(ALL_EXTENSIONS, None, names, Priority::FIXED, Source::Fixed);

        // What contradicts itself among the extensions that are always loaded does so among all enabled ones, too: it is
        // reported once, then.
        let undecided = enablement::undecided(&extensions);
        let (catalog, _) = Catalog::new(undecided, &self.options, store);
        let host = Host::new(self.application, self.bus, &self.components, catalog);
        let mut instances = Instances::new(host, self.limits);
        let is_framework_of = |extension: &&RegisteredExtension, from: u16, to: u16| {
            extension.descriptor.is_framework()
                && (from..=to).contains(&extension.descriptor.load_order())
        };
        for (from, to) in [(1, FIRST_BAND_END), (FIRST_BAND_END + 1, SECOND_BAND_END)] {
            for extension in extensions
                .iter()
                .filter(|extension| is_framework_of(extension, from, to))
            {
                errors.extend(load_framework(&mut instances, extension));
            }
        }

        let (decided, problems) = enablement::decide(&extensions, instances.catalog().store());
        errors.extend(problems);
        let enabled: Vec<RegisteredExtension> = extensions
            .iter()
            .zip(&decided)
            .filter(|(_, entry): &(_, &ExtensionEntry)| entry.state.is_enabled())
            .map(|(extension, _)| extension.clone())
            .collect();
        let store = instances.catalog().store().clone();
        let (catalog, problems) = Catalog::new(decided, &self.options, store);
        errors.extend(problems);
        instances.host.set_catalog(catalog);
        for extension in enabled
            .iter()
            .filter(|extension| is_framework_of(extension, SECOND_BAND_END + 1, u16::MAX))
        {
            errors.extend(load_framework(&mut instances, extension));
            // Who asked for help or a completion has it; later extensions would open files and start threads for nothing.
            if errors.iter().any(LoadError::is_answer) {
                break;
            }
        }
        warn_of_capabilities(instances.catalog(), &enabled);
        Prepared::new(instances, enabled, errors)
    }
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

/// Makes all instances of a framework extension and merges what they provide, one after the other.
fn load_framework(instances: &mut Instances, extension: &RegisteredExtension) -> Vec<LoadError> {
    let mut errors = Vec::new();
    for made in make_instances(instances, extension, &mut errors) {
        match made.get_config(&instances.host) {
            Ok(layers) => {
                let mut store = instances.catalog().store().clone();
                for layer in layers {
                    store.add(layer);
                }
                let catalog = instances.catalog().with_store(store);
                instances.host.set_catalog(catalog);
            }
            Err(error) => errors.push(error),
        }
        instances.running.push(made);
    }
    errors
}

/// Makes all instances of an extension, in the order of its entities.
pub(super) fn make_instances(
    instances: &Instances,
    extension: &RegisteredExtension,
    errors: &mut Vec<LoadError>,
) -> Vec<RunningExtension> {
    let store = instances.catalog().store();
    let entities = match RunningExtension::entities(&extension.descriptor, store) {
        Ok(entities) => entities,
        Err(error) => {
            errors.push(error);
            return Vec::new();
        }
    };
    let mut made = Vec::new();
    for entity in entities {
        match RunningExtension::make(&instances.host, extension, entity) {
            Ok(instance) => made.push(instance),
            Err(problems) => errors.extend(problems),
        }
    }
    made
}
