//! Checks the whole configuration before anything is run: unknown keys, wrong types, missing values, all at once.
//!
//! Keys of extensions that are switched off are known: a file may hold settings for what is not loaded today.

use super::declare::Declaration;
use super::disabled_options;
use crate::config::{ConfigLayer, ConfigStore, OptionId, Problem, Problems, Severity, UnknownKeys};
use crate::error::Result;
use crate::extension::{
    Catalog, Extension, ExtensionContext, ExtensionDescriptor, SELECTED_COMMAND,
};
use crate::message::Entity;

/// What to do about keys in files that no extension knows. `--config-unknown`; default `refuse`.
pub const UNKNOWN_KEYS: OptionId<String> = OptionId::choice("config.unknown", &["refuse", "warn"])
    .describe("What to do about keys that nobody knows.")
    .default("refuse")
    .hidden();

/// Refuses a configuration with problems.
#[derive(Debug)]
pub struct ConfigValidator;

pub(super) const CONFIG_VALIDATOR: ExtensionDescriptor = Declaration {
    name: "configvalidator",
    description: "Refuses a configuration with problems.",
    load_order: 101,
    config_options: &[UNKNOWN_KEYS.optional()],
    commands: &[],
    file: file!(),
    line: line!(),
}
.of::<ConfigValidator>();

impl Extension for ConfigValidator {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }

    fn get_config(&self, cx: &ExtensionContext<'_>) -> Result<Vec<ConfigLayer>> {
        let catalog = cx.catalog();
        if !catalog
            .store()
            .is_set_explicitly(&SELECTED_COMMAND.descriptor(), None)
        {
            // The command line is wrong or asks for help, and says so: what it sets, and what its command needs, is not known.
            return Ok(Vec::new());
        }
        // A wrong word for this very option is a problem that the strict reading finds.
        let unknown = match cx.config().get(UNKNOWN_KEYS).as_deref() {
            Ok("warn") => UnknownKeys::Warn,
            _ => UnknownKeys::Refuse,
        };
        let all = disabled_options::declared_too(catalog);
        say_what_has_no_effect(catalog, &all);
        let mut problems = all.validate(unknown);
        problems.extend(missing(catalog));
        let (errors, mut warnings): (Vec<Problem>, Vec<Problem>) = problems
            .into_iter()
            .partition(|problem| problem.severity() == Severity::Error);
        warnings.extend(catalog.store().warnings().iter().cloned());
        for warning in warnings {
            warn(&warning);
        }
        match Problems::from_list(errors) {
            Some(problems) => Err(problems.into()),
            None => Ok(Vec::new()),
        }
    }
}

/// Says which values have no effect because nobody who knows them is loaded.
fn say_what_has_no_effect(catalog: &Catalog, all: &ConfigStore) {
    if !tracing::enabled!(tracing::Level::INFO) {
        return;
    }
    let known = catalog.store();
    for key in known.keys().filter(|key| known.lookup(key).is_none()) {
        if let Some((option, _)) = all.lookup(key) {
            tracing::info!(
                "`{key}` has no effect: it is an option of extension {}",
                option.owners[0]
            );
        }
    }
}

/// Required options without a value, of the application and of the selected command.
fn missing(catalog: &Catalog) -> Vec<Problem> {
    let store = catalog.store();
    let selected = store
        .get(SELECTED_COMMAND)
        .ok()
        .and_then(|path| catalog.commands().find(&path));
    let mut required: Vec<(_, Option<Entity>, String)> = Vec::new();
    for (entry, requester) in catalog.required_options(selected.map(|entry| entry.command)) {
        let owner = requester.to_string();
        match entry.option.at {
            None => required.push((&entry.option, None, owner)),
            Some(at) => {
                // Entities that cannot be read are a problem that the validation finds.
                for entity in store.entities(at).unwrap_or_default() {
                    required.push((&entry.option, Some(entity), owner.clone()));
                }
            }
        }
    }
    store.missing(
        required
            .iter()
            .map(|(option, entity, owner)| (*option, entity.as_ref(), owner.as_str())),
    )
}

fn warn(warning: &Problem) {
    let place = match warning.position() {
        Some((path, line, column)) => format!("{path}:{line}:{column}: "),
        None => String::new(),
    };
    let details = warning.details().join("; ");
    let label = warning.label();
    let tail = [label, &details]
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect::<Vec<_>>()
        .join("; ");
    if tail.is_empty() {
        tracing::warn!("{place}{}", warning.title());
    } else {
        tracing::warn!("{place}{}: {tail}", warning.title());
    }
}
