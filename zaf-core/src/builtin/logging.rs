//! How much is logged, where, and in which form.

use camino::Utf8PathBuf;
use std::sync::Arc;

use tracing::level_filters::LevelFilter;

use super::declare::Declaration;
use crate::application::logging::{
    FileSettings, LEVELS, Levels, LogFormat, LogSettings, level_of, louder,
};
use crate::application::{ExitCode, Log};
use crate::component::Scope;
use crate::config::{ConfigStore, Key, OptionDescriptor, OptionId, Transformed, nearest};
use crate::error::{Error, Result};
use crate::extension::{ALL_EXTENSIONS, Catalog, Extension, ExtensionContext, ExtensionDescriptor};
use crate::message::Entity;

/// Words of the formats of records.
const FORMATS: &[&str] = &["text", "json"];

/// Least serious log records that are shown on standard error. `--log-level`, `<PREFIX>_LOG_LEVEL`; default `warn`.
pub const LOG_LEVEL: OptionId<String> = OptionId::choice("log.level", LEVELS)
    .describe("Least serious log events that are shown.")
    .default("warn");

/// Levels of single extensions, modules and crates, on standard error and in files: `--log-for junit=debug`.
pub const LOG_FOR: OptionId<Vec<String>> = OptionId::text("log.for")
    .describe("Level of one extension or module: NAME=LEVEL.")
    .transform(name_and_level)
    .multiple();

const ALL_EXTENSIONS_DESCRIPTOR: OptionDescriptor = ALL_EXTENSIONS.descriptor();

/// Level of one extension, on standard error and in files: `ext.junit.log.level`. [`LOG_FOR`] wins over it.
pub const EXTENSION_LOG_LEVEL: OptionId<String> = OptionId::choice("log.level", LEVELS)
    .describe("Least serious log records of the extensions of this name.")
    .at(&ALL_EXTENSIONS_DESCRIPTOR)
    .hidden();

/// Shows more: each `-v` is one level more than [`LOG_LEVEL`].
pub const VERBOSE: OptionId<Vec<bool>> = OptionId::flag("verbose")
    .describe("Show more log records; -vv still more.")
    .short('v')
    .multiple();

/// Shows less: each `-q` is one level less than [`LOG_LEVEL`].
pub const QUIET: OptionId<Vec<bool>> = OptionId::flag("quiet")
    .describe("Show fewer log records; -qq none.")
    .short('q')
    .multiple();

/// How log records are shown on standard error; `json` is one object a line.
pub const LOG_FORMAT: OptionId<String> = OptionId::choice("log.format", FORMATS)
    .describe("How log records are shown.")
    .default("text")
    .hidden();

/// Directory of log files. Without it, files are written where a command has a directory for them, and by no other command.
pub const LOG_DIR: OptionId<Utf8PathBuf> =
    OptionId::path("log.dir").describe("Directory of log files.");

/// Least serious log records that are written to files.
pub const LOG_FILE_LEVEL: OptionId<String> = OptionId::choice("log.file.level", LEVELS)
    .describe("Least serious log records that are written to files.")
    .default("debug");

/// How log records are written to files; `json` is one object a line.
pub const LOG_FILE_FORMAT: OptionId<String> = OptionId::choice("log.file.format", FORMATS)
    .describe("How log records are written to files.")
    .default("text")
    .hidden();

/// Size after which a log file is put aside and another one begun. Default 10 MiB: an editor opens it.
pub const LOG_FILE_SIZE: OptionId<u64> = OptionId::size("log.file.size")
    .describe("Size after which another log file is begun.")
    .default(10 * 1024 * 1024)
    .hidden();

/// How many log files that were put aside are kept.
pub const LOG_FILE_KEEP: OptionId<u64> = OptionId::count("log.file.keep")
    .describe("How many full log files are kept.")
    .default(3)
    .hidden();

/// Lets the log of the process do what the options say. What is logged before, while configuration is read, is shown from `warn` on.
#[derive(Debug)]
pub struct Logging {
    log: Log,
}

pub(super) const LOGGING: ExtensionDescriptor = Declaration {
    name: "logging",
    description: "Shows log records on standard error and writes them to files.",
    load_order: 101,
    config_options: &[
        LOG_LEVEL.optional(),
        LOG_FOR.optional(),
        EXTENSION_LOG_LEVEL.optional(),
        VERBOSE.optional(),
        QUIET.optional(),
        LOG_FORMAT.optional(),
        LOG_DIR.optional(),
        LOG_FILE_LEVEL.optional(),
        LOG_FILE_FORMAT.optional(),
        LOG_FILE_SIZE.optional(),
        LOG_FILE_KEEP.optional(),
    ],
    commands: &[],
    file: file!(),
    line: line!(),
}
.of::<Logging>();

impl Extension for Logging {
    fn new(cx: &ExtensionContext<'_>) -> Result<Self> {
        let log = Log::of_process();
        for secret in cx.catalog().store().secret_texts() {
            log.hide(secret.reveal());
        }
        log.configure(settings(cx.catalog())?);
        Ok(Self { log })
    }

    fn register_components(&self, scope: &Scope) -> Result<()> {
        scope.provide(Arc::new(self.log.clone()))?;
        Ok(())
    }

    fn destroy(&self) -> Result<()> {
        match self.log.rest_of_problem() {
            Some(problem) => Err(ExitCode::ReportFailed.with_error(Error::msg(problem))),
            None => Ok(()),
        }
    }
}

/// What the configuration says.
///
/// # Errors
/// If a value cannot be read; the validation has said so.
fn settings(catalog: &Catalog) -> Result<LogSettings> {
    let store = catalog.store();
    let level = |option: OptionId<String>| -> Result<LevelFilter> {
        Ok(level_of(&store.get(option)?).unwrap_or(LevelFilter::WARN))
    };
    let times = |option: OptionId<Vec<bool>>| -> Result<i64> {
        let said = store.get(option)?;
        let times = said.iter().filter(|yes| **yes).count();
        Ok(i64::try_from(times).unwrap_or(i64::MAX))
    };
    let format = |option: OptionId<String>| -> Result<LogFormat> {
        Ok(match store.get(option)?.as_str() {
            "json" => LogFormat::Json,
            _ => LogFormat::Text,
        })
    };
    let steps = times(VERBOSE)?.saturating_sub(times(QUIET)?);
    let mut console = Levels::all(louder(level(LOG_LEVEL)?, steps));
    let mut files = Levels::all(level(LOG_FILE_LEVEL)?);
    for (name, level) in special(catalog)? {
        let is_extension = catalog
            .extensions()
            .iter()
            .any(|entry| entry.descriptor.name == name);
        for levels in [&mut console, &mut files] {
            if is_extension {
                levels.set_extension(&name, level);
            } else {
                levels.set_module(&name, level);
            }
        }
    }
    let files = FileSettings {
        levels: files,
        format: format(LOG_FILE_FORMAT)?,
        directory: store.view_all().get_optional(LOG_DIR)?,
        size: store.get(LOG_FILE_SIZE)?,
        keep: store.get(LOG_FILE_KEEP)?,
    };
    Ok(LogSettings {
        console,
        console_format: format(LOG_FORMAT)?,
        files,
    })
}

/// Levels of single extensions and modules; later ones win.
fn special(catalog: &Catalog) -> Result<Vec<(String, LevelFilter)>> {
    let store = catalog.store();
    let mut levels = Vec::new();
    for entry in catalog.extensions() {
        levels.extend(level_of_extension(entry.descriptor.name, store)?);
    }
    // The highest priority comes first in the list.
    for text in store.get(LOG_FOR)?.iter().rev() {
        levels.extend(one_level(text, catalog));
    }
    Ok(levels)
}

fn level_of_extension(
    name: &'static str,
    store: &ConfigStore,
) -> Result<Option<(String, LevelFilter)>> {
    let entity = Entity::from(name);
    let option = EXTENSION_LOG_LEVEL.descriptor();
    if store.explain(&Key::of(&option, Some(&entity))).is_empty() {
        return Ok(None);
    }
    let word = store.view_all().get_for(EXTENSION_LOG_LEVEL, &entity)?;
    let level = word.as_deref().and_then(level_of);
    Ok(level.map(|level| (name.to_owned(), level)))
}

/// An entry of [`LOG_FOR`], checked when it is read: so the validation shows the line that is wrong.
fn name_and_level(text: String) -> Transformed<String> {
    let levels = || format!("levels are `{}`", LEVELS.join("`, `"));
    let Some((name, word)) = text.split_once('=') else {
        return Err(format!("NAME=LEVEL; {}", levels()));
    };
    if level_of(word).is_none() {
        return Err(match nearest(word, LEVELS.iter().copied()) {
            Some(near) => format!("NAME=LEVEL; did you mean `{name}={near}`?"),
            None => format!("NAME=LEVEL; {}", levels()),
        });
    }
    let is_name =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_');
    if !name.split("::").all(is_name) {
        return Err("NAME=LEVEL, with the name of an extension, a crate or a module".to_owned());
    }
    Ok(text)
}

/// The level of an entry of [`LOG_FOR`]. A name that is nearly that of an extension is worth a word.
fn one_level(text: &str, catalog: &Catalog) -> Option<(String, LevelFilter)> {
    let (name, word) = text.split_once('=')?;
    let names = || {
        let extensions = catalog.extensions().iter();
        extensions.map(|entry| entry.descriptor.name)
    };
    if !name.contains("::")
        && !names().any(|known| known == name)
        && let Some(near) = nearest(name, names())
    {
        tracing::warn!(
            "option `{}`: no extension is called `{name}`, so that is a crate: did you mean `{near}`?",
            LOG_FOR.key()
        );
    }
    Some((name.to_owned(), level_of(word)?))
}
