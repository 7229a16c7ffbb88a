//! Reads configuration files: those that somebody names, and those at the usual places.
//!
//! | Files | Load order | Priority |
//! | --- | --- | --- |
//! | explicit: `config.file.pattern` | 2 | 50 |
//! | additional: `additional.config.file.pattern` | 3 | 40 |
//! | local: `./<app>.yaml`, `.toml`, `.json` | 4 | 30 |
//! | user: `$XDG_CONFIG_HOME/<app>/config.yaml`, `~/.<app>.yaml`, `.toml`, `.json` | 4 | 20 |
//! | machine: `/etc/<app>/config.yaml`, `.toml`, `.json` | 4 | 10 |
//! | of entities: `<namespace>.<entity>.include.files` from environment or command line | 22, 91 | 90 |
//!
//! Explicit files are read instead of those at the usual places, additional ones as well. Of files with the same priority
//! the one read later wins; matches of a pattern are read in the order of their names. A file that somebody named must be
//! readable; one at a usual place that cannot be opened is a warning. Wrong content is an error in both. Every file can
//! include others: see [`include`].

mod entity_include;
mod include;
mod pattern;
mod places;

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use self::include::Includes;
use super::declare::Declaration;
use crate::config::{ConfigLayer, ConfigOption, OptionId, Priority, Problems, load};
use crate::error::Result;
use crate::extension::{Catalog, Extension, ExtensionContext, ExtensionDescriptor};

/// Files to read instead of those at the usual places; paths or patterns. `--config-file-pattern`,
/// `<PREFIX>_CONFIG_FILE_PATTERN`.
pub const CONFIG_FILE_PATTERN: OptionId<Vec<String>> = OptionId::glob("config.file.pattern")
    .multiple()
    .describe("Read these files instead of those at the usual places.");

/// Files to read in addition; paths or patterns. `--additional-config-file-pattern`.
pub const ADDITIONAL_CONFIG_FILE_PATTERN: OptionId<Vec<String>> =
    OptionId::glob("additional.config.file.pattern")
        .multiple()
        .describe("Read these files too.")
        .hidden();

/// Whether to read no file that nobody named. `--disable-default-config-files`.
pub const DISABLE_DEFAULT_CONFIG_FILES: OptionId<bool> =
    OptionId::flag("disable.default.config.files")
        .describe("Read no files from the usual places.")
        .default(false)
        .hidden();

/// Reads the files of one kind, which its load order decides.
#[derive(Debug)]
pub struct ConfigFiles<const ORDER: u16>;

const EXPLICIT: u16 = 2;
const ADDITIONAL: u16 = 3;
const USUAL: u16 = 4;
/// When the options of framework extensions have been read.
const OF_ENTITIES: u16 = 22;
/// When those of commands have been read, before the command line is judged: an included file may have what is required.
const OF_ENTITIES_OF_COMMANDS: u16 = 91;

// A constant of its own: a function cannot promise that the list lives for ever.
const OPTIONS: [ConfigOption; 3] = [
    CONFIG_FILE_PATTERN.optional(),
    ADDITIONAL_CONFIG_FILE_PATTERN.optional(),
    DISABLE_DEFAULT_CONFIG_FILES.optional(),
];

const fn loader<const ORDER: u16>() -> ExtensionDescriptor {
    Declaration {
        name: "configfiles",
        description: "Reads configuration files.",
        load_order: ORDER,
        config_options: &OPTIONS,
        commands: &[],
        file: file!(),
        line: line!(),
    }
    .of::<ConfigFiles<ORDER>>()
}

pub(super) const CONFIG_FILES: [ExtensionDescriptor; 5] = [
    loader::<EXPLICIT>(),
    loader::<ADDITIONAL>(),
    loader::<USUAL>(),
    loader::<OF_ENTITIES>(),
    loader::<OF_ENTITIES_OF_COMMANDS>(),
];

impl<const ORDER: u16> Extension for ConfigFiles<ORDER> {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }

    fn get_config(&self, cx: &ExtensionContext<'_>) -> Result<Vec<ConfigLayer>> {
        let config = cx.config();
        let application = cx.application();
        let directory = &application.invocation.directory;
        let secrets = secret_words(cx.catalog());
        match ORDER {
            EXPLICIT => Ok(named(
                &config.get(CONFIG_FILE_PATTERN)?,
                directory,
                Priority::EXPLICIT,
                secrets,
            )?),
            ADDITIONAL => Ok(named(
                &config.get(ADDITIONAL_CONFIG_FILE_PATTERN)?,
                directory,
                Priority::ADDITIONAL,
                secrets,
            )?),
            OF_ENTITIES | OF_ENTITIES_OF_COMMANDS => {
                Ok(entity_include::layers(cx.catalog(), directory, secrets)?)
            }
            _ => {
                if config.get(DISABLE_DEFAULT_CONFIG_FILES)?
                    || !config.get(CONFIG_FILE_PATTERN)?.is_empty()
                {
                    return Ok(Vec::new());
                }
                let environment = &application.invocation.environment;
                let files = places::default_files(&application.name, directory, environment);
                Ok(usual(files, secrets)?)
            }
        }
    }
}

/// The last words of the keys of all secrets, also of extensions that are not loaded: what stands behind one of them in a file is
/// not shown, whatever is wrong with the file.
fn secret_words(catalog: &Catalog) -> BTreeSet<String> {
    let last = |key: &str| key.rsplit(['.', '-', '_']).next().map(str::to_owned);
    let mut words = BTreeSet::new();
    for entry in catalog.extensions() {
        let extension = &entry.descriptor;
        let of_commands = extension
            .commands()
            .iter()
            .flat_map(|command| command.config_options);
        let secrets = extension
            .config_options
            .iter()
            .chain(of_commands)
            .filter(|request| request.option.is_secret());
        for request in secrets {
            let names = std::iter::once(&request.option.key).chain(request.option.aliases);
            words.extend(names.filter_map(|name| last(name)));
        }
    }
    words
}

/// The files that somebody named, in the order named.
///
/// # Errors
/// Everything that is wrong with any of them.
fn named(
    patterns: &[String],
    directory: &Utf8Path,
    priority: Priority,
    secrets: BTreeSet<String>,
) -> Result<Vec<ConfigLayer>, Problems> {
    let mut includes = Includes::new(secrets);
    for pattern in patterns {
        match pattern::expand(pattern, directory) {
            Err(found) => includes.refuse(found),
            Ok(paths) => {
                for path in paths {
                    match includes.load(&path, priority) {
                        Ok(layer) => includes.add(layer),
                        Err(error) => includes.refuse(error.into_problems()),
                    }
                }
            }
        }
    }
    includes.finish()
}

/// Those of the usual files that exist.
///
/// # Errors
/// Everything that is wrong with the content of any of them.
fn usual(
    files: Vec<(Priority, Utf8PathBuf)>,
    secrets: BTreeSet<String>,
) -> Result<Vec<ConfigLayer>, Problems> {
    let mut includes = Includes::new(secrets);
    for (priority, path) in files {
        match includes.load(&path, priority) {
            Ok(layer) => includes.add(layer),
            Err(error) if error.is_missing() => {}
            Err(error @ load::LoadError::Io { .. }) => {
                let cause = std::error::Error::source(&error)
                    .map_or_else(String::new, |cause| format!(": {cause}"));
                tracing::warn!("{error}{cause}; it is left out");
            }
            Err(error) => includes.refuse(error.into_problems()),
        }
    }
    includes.finish()
}
