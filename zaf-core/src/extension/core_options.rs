//! Options about extensions that every application has.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use parking_lot::Mutex;

use super::PluginType;
use crate::config::{ConfigOption, OptionDescriptor, OptionId};
use crate::message::Entity;

const ALL_EXTENSIONS_DESCRIPTOR: OptionDescriptor = ALL_EXTENSIONS.descriptor();

/// Names of all extensions, set by the loader. Each is an entity with an option [`EXTENSION_ENABLED`].
pub const ALL_EXTENSIONS: OptionId<Vec<Entity>> = OptionId::entities("ext.all")
    .describe("Names of all extensions")
    .hidden();

/// Whether the extensions of a name are loaded: `ext.junit.enabled`, `--ext-junit@enabled`.
///
/// Without a value, each extension is loaded if [`EXTENSIONS_ENABLED_BY_DEFAULT`] is true and its own declaration does not say
/// otherwise. Framework extensions with a load order up to 20 are always loaded.
pub const EXTENSION_ENABLED: OptionId<bool> = OptionId::flag("enabled")
    .describe("Whether the extensions of this name are loaded")
    .at(&ALL_EXTENSIONS_DESCRIPTOR)
    .hidden();

/// Whether extensions are loaded that nobody mentions. Command line `--ext-default-enabled`, default true.
pub const EXTENSIONS_ENABLED_BY_DEFAULT: OptionId<bool> = OptionId::flag("ext.default.enabled")
    .describe("Whether extensions are loaded that nobody mentions")
    .default(true)
    .hidden();

/// Name of the option that every entity option has at it: files whose values are that entity's. `suts.box.include.files`,
/// `--suts-box@include-files`.
pub const ENTITY_INCLUDE_FILES: &str = "include.files";

/// The option of this name for the entities of an option.
pub(super) const fn entity_include(entities: &'static OptionDescriptor) -> ConfigOption {
    OptionId::glob(ENTITY_INCLUDE_FILES)
        .multiple()
        .describe("Read these files too; every key in them is this one's.")
        .hidden()
        .at(entities)
        .optional()
}

const ALL_GROUPS_DESCRIPTOR: OptionDescriptor = ALL_GROUPS.descriptor();

/// Names of all groups that extensions belong to, set by the loader. Each is an entity with an option [`GROUP_ENABLED`].
pub const ALL_GROUPS: OptionId<Vec<Entity>> = OptionId::entities("ext.groups.all")
    .describe("Names of all groups of extensions")
    .hidden();

/// Whether the extensions of a group are loaded: `ext.groups.reports.enabled`, `--ext-groups-reports@enabled`.
pub const GROUP_ENABLED: OptionId<bool> = OptionId::flag("enabled")
    .describe("Whether the extensions of this group are loaded")
    .at(&ALL_GROUPS_DESCRIPTOR)
    .hidden();

/// Fully qualified names of extensions that are not loaded, as the command `plugins` lists them: `run.junit`. `plugins.disable`,
/// `--plugins-disable`.
pub const PLUGINS_DISABLED: OptionId<Vec<String>> = OptionId::text("plugins.disable")
    .multiple()
    .describe("Extensions that are not loaded, by type and name: run.junit")
    .hidden();

/// How long an extension may take for each step of its start. `--extension-init-timeout`, default 30 s: long enough to connect to
/// something far away, short enough that somebody still waits. Nothing, `0s`, is no limit.
pub const INIT_TIMEOUT: OptionId<Duration> = OptionId::duration("extension.init.timeout")
    .describe("How long an extension may take for each step of its start.")
    .default(Duration::from_secs(30))
    .hidden();

/// Which extensions of a type come first, by name: `plugins.run.order`, `--plugins-run-order`.
pub(super) fn order_of(plugin_type: &PluginType) -> OptionId<Vec<String>> {
    /// Keys of options are constants of a program; those of types are known when its extensions are. Each is made once.
    static KEYS: LazyLock<Mutex<BTreeMap<PluginType, &'static str>>> =
        LazyLock::new(Mutex::default);
    let key = *KEYS
        .lock()
        .entry(plugin_type.clone())
        .or_insert_with(|| format!("plugins.{plugin_type}.order").leak());
    OptionId::text(key)
        .multiple()
        .describe("Which extensions of this type come first, by name")
        .hidden()
}

/// Path of the command to run, names with blanks between. Set by the extension that parses the command line.
pub const SELECTED_COMMAND: OptionId<String> = OptionId::text("internal.command")
    .describe("Path of the command to run")
    .hidden();
