//! Options about extensions that every application has.

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

/// Path of the command to run, names with blanks between. Set by the extension that parses the command line.
pub const SELECTED_COMMAND: OptionId<String> = OptionId::text("internal.command")
    .describe("Path of the command to run")
    .hidden();
