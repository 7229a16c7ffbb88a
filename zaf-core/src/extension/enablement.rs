//! Decides which extensions are loaded, from the configuration as it is after load order 20.
//!
//! | Who says it | About |
//! | --- | --- |
//! | `ext.NAME.enabled` | all extensions of this name |
//! | `plugins.disable` | one extension, by type and name |
//! | `ext.groups.GROUP.enabled` | the extensions of a group |
//! | `ext.default.enabled`, the declaration | whoever nobody mentions |
//!
//! Of what is said about one extension the higher priority wins; of equal priorities what stands higher in this table; of two
//! groups the one that is off.
//!
//! Invariants
//! - A framework extension with a load order up to 20 is always loaded, whatever others of its name are.
//! - A disabled extension replaces nothing.
//! - The result depends on the extensions and the configuration only, not on any order.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fmt;

use super::catalog::{ExtensionEntry, ExtensionState};
use super::core_options::{
    EXTENSION_ENABLED, EXTENSIONS_ENABLED_BY_DEFAULT, GROUP_ENABLED, PLUGINS_DISABLED,
};
use super::error::LoadError;
use super::replacement::{Candidate, Undecided, replaced};
use super::{ExtensionDescriptor, PluginType, RaisedPriorities, RegisteredExtension};
use crate::config::{
    ConfigError, ConfigStore, Explained, Key, OptionDescriptor, Outcome, Priority, Source,
    TypedValue, Value, nearest,
};
use crate::message::Entity;

/// That somebody says whether an extension is loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Statement {
    /// Whether it is to be loaded.
    pub enabled: bool,
    /// Key that says so: `ext.junit.enabled`, `plugins.disable`.
    pub key: String,
    /// Where it was written.
    pub source: Source,
    /// How much it counts against other statements.
    pub priority: Priority,
}

impl fmt::Display for Statement {
    /// "ext.junit.enabled (zk2.yaml:12:20)"; flags and variables say it all.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            source @ (Source::CommandLine { .. } | Source::Environment { .. }) => source.fmt(f),
            source => write!(f, "{} ({source})", self.key),
        }
    }
}

/// All that is said about an extension, what counts most first. Defaults say nothing.
///
/// # Errors
/// One for each value that cannot be read.
pub(super) fn statements(
    extension: &ExtensionDescriptor,
    listed: &[Listed],
    store: &ConfigStore,
) -> (Vec<Statement>, Vec<LoadError>) {
    let mut problems = Vec::new();
    let mut found = Vec::new();
    let by_name = (EXTENSION_ENABLED.descriptor(), extension.name);
    let by_group = extension
        .groups
        .iter()
        .map(|group| (GROUP_ENABLED.descriptor(), *group));
    for (rank, (option, of)) in std::iter::once((0, by_name)).chain(by_group.map(|one| (2, one))) {
        match flag(&option, of, store) {
            Ok(statement) => found.extend(statement.map(|statement| (rank, statement))),
            Err(error) => problems.push(config_problem(error)),
        }
    }
    if !listed.is_empty() {
        let types = PluginType::of(extension);
        let names: Vec<String> = types
            .iter()
            .map(|one| one.qualified(extension.name))
            .collect();
        let meant = listed.iter().filter(|listed| names.contains(&listed.name));
        found.extend(meant.map(|listed| (1, listed.statement.clone())));
    }
    found.sort_by_key(|(rank, statement)| (Reverse(statement.priority), *rank, statement.enabled));
    (
        found.into_iter().map(|(_, statement)| statement).collect(),
        problems,
    )
}

/// What a flag of an entity says; none if nobody sets it.
fn flag(
    option: &OptionDescriptor,
    of: &str,
    store: &ConfigStore,
) -> Result<Option<Statement>, ConfigError> {
    let entity = Entity::from(of);
    let value = store.read(option, Some(&entity))?;
    let Some(TypedValue::Flag(enabled)) = value else {
        return Ok(None);
    };
    let key = Key::of(option, Some(&entity));
    Ok(winner(&key, store).map(|winner| Statement {
        enabled,
        key: key.to_string(),
        source: winner.source,
        priority: winner.priority,
    }))
}

/// A word of `plugins.disable`.
pub(super) struct Listed {
    name: String,
    statement: Statement,
}

/// What `plugins.disable` says.
///
/// # Errors
/// If it cannot be read.
pub(super) fn disabled_list(store: &ConfigStore) -> Result<Vec<Listed>, ConfigError> {
    let key = Key::of(&PLUGINS_DISABLED.descriptor(), None);
    let values = store.explain(&key);
    if values.is_empty() {
        return Ok(Vec::new());
    }
    let names = store.get(PLUGINS_DISABLED)?;
    let listed = names.into_iter().filter_map(|name| {
        let says = values
            .iter()
            .find(|value| contains(&value.value, &name))
            // It may be written as a reference.
            .or_else(|| values.iter().find(|value| value.outcome == Outcome::Adds))?;
        let statement = Statement {
            enabled: false,
            key: key.to_string(),
            source: says.source.clone(),
            priority: says.priority,
        };
        Some(Listed { name, statement })
    });
    Ok(listed.collect())
}

/// Whether a value is this word, or a list with it.
fn contains(value: &Value, word: &str) -> bool {
    match value {
        Value::Text(text) | Value::Raw(text) => text == word,
        Value::List(items) => items.iter().any(|item| contains(item, word)),
        _ => false,
    }
}

/// Names in `plugins.disable` that are no extension's, or one's that cannot be disabled; and flags that say so in vain.
fn in_vain(
    extensions: &[RegisteredExtension],
    listed: Vec<Listed>,
    store: &ConfigStore,
) -> Vec<LoadError> {
    let mut problems = Vec::new();
    if !listed.is_empty() {
        let known: Vec<(String, &ExtensionDescriptor)> = extensions
            .iter()
            .map(|extension| &extension.descriptor)
            .flat_map(|one| {
                PluginType::of(one)
                    .into_iter()
                    .map(move |of| (of.qualified(one.name), one))
            })
            .collect();
        for Listed { name, statement } in listed {
            let mut meant = known
                .iter()
                .filter(|(qualified, _)| *qualified == name)
                .peekable();
            if meant.peek().is_none() {
                let same_name =
                    |qualified: &&str| qualified.rsplit('.').next() == Some(name.as_str());
                let names = || known.iter().map(|(qualified, _)| qualified.as_str());
                problems.push(LoadError::UnknownPlugin {
                    near: names()
                        .find(same_name)
                        .or_else(|| nearest(&name, names()))
                        .map(str::to_owned),
                    name,
                    by: statement.to_string(),
                });
            } else if meant.all(|(_, extension)| extension.is_always_loaded()) {
                problems.push(LoadError::CannotBeDisabled {
                    extension: name,
                    by: statement.to_string(),
                });
            }
        }
    }
    let mut names: Vec<(&str, bool)> = extensions
        .iter()
        .map(|extension| {
            (
                extension.descriptor.name,
                extension.descriptor.is_always_loaded(),
            )
        })
        .collect();
    names.sort_unstable();
    for of_name in names.chunk_by(|(one, _), (other, _)| one == other) {
        let Some(&(name, true)) = of_name.first() else {
            continue;
        };
        if let Ok(Some(statement)) = flag(&EXTENSION_ENABLED.descriptor(), name, store)
            && !statement.enabled
            // What an extension or the application says about others is not the user's mistake.
            && !matches!(statement.source, Source::Extension { .. } | Source::Fixed)
        {
            problems.push(LoadError::CannotBeDisabled {
                extension: name.to_owned(),
                by: statement.to_string(),
            });
        }
    }
    problems
}

/// The states before load order 20: what is always loaded, and the rest.
pub(super) fn undecided(extensions: &[RegisteredExtension]) -> Vec<ExtensionEntry> {
    entries(extensions, |extension| {
        if extension.is_always_loaded() {
            ExtensionState::AlwaysLoaded
        } else {
            ExtensionState::Undecided
        }
    })
}

/// The states from load order 21 on, and what cannot be decided.
pub(super) fn decide(
    extensions: &[RegisteredExtension],
    store: &ConfigStore,
) -> (Vec<ExtensionEntry>, Vec<LoadError>) {
    let mut problems = Vec::new();
    let by_default = store
        .get(EXTENSIONS_ENABLED_BY_DEFAULT)
        .unwrap_or_else(|error| {
            problems.push(config_problem(error));
            true
        });
    let listed = disabled_list(store).unwrap_or_else(|error| {
        problems.push(config_problem(error));
        Vec::new()
    });
    let mut decided = entries(extensions, |extension| {
        if extension.is_always_loaded() {
            return ExtensionState::AlwaysLoaded;
        }
        let (statements, unreadable) = statements(extension, &listed, store);
        problems.extend(unreadable);
        match statements.into_iter().next() {
            Some(Statement { enabled: true, .. }) => ExtensionState::Enabled,
            Some(statement) => ExtensionState::Disabled {
                by: Some(statement),
            },
            None if by_default && extension.default_enabled => ExtensionState::Enabled,
            None => ExtensionState::Disabled {
                by: (!by_default).then(|| nobody_by_default(store)).flatten(),
            },
        }
    });
    // A value that decides about several extensions is one problem.
    let mut said = BTreeSet::new();
    problems.retain(|problem| said.insert(problem.with_causes()));
    problems.extend(in_vain(extensions, listed, store));

    let candidates: Vec<Candidate> = decided
        .iter()
        .filter(|entry| entry.state.is_enabled())
        .map(|entry| Candidate {
            name: entry.descriptor.name,
            replaces: entry.descriptor.replaces,
        })
        .collect();
    let (gone, undecided) = replaced(&candidates);
    problems.extend(undecided.into_iter().map(|problem| match problem {
        Undecided::Cycle(path) => LoadError::ReplaceCycle { path },
        Undecided::Twice { name, by } => LoadError::ReplacedTwice {
            extension: name,
            by,
        },
    }));
    for (name, by) in gone {
        let mut could_be_replaced = false;
        for entry in decided
            .iter_mut()
            .filter(|entry| entry.descriptor.name == name)
        {
            if entry.state == ExtensionState::Enabled {
                entry.state = ExtensionState::Replaced { by };
                could_be_replaced = true;
            }
        }
        if !could_be_replaced {
            problems.push(LoadError::ReplacesAlwaysLoaded {
                extension: name,
                by,
                place: decided
                    .iter()
                    .find(|entry| {
                        entry.descriptor.name == by && entry.descriptor.replaces.contains(&name)
                    })
                    .map(|entry| entry.descriptor.place().to_string())
                    .unwrap_or_default(),
            });
        }
    }
    (decided, problems)
}

fn entries(
    extensions: &[RegisteredExtension],
    mut state: impl FnMut(&ExtensionDescriptor) -> ExtensionState,
) -> Vec<ExtensionEntry> {
    extensions
        .iter()
        .map(|extension| ExtensionEntry {
            descriptor: extension.descriptor,
            dispatchers: extension.dispatchers.clone(),
            priorities: RaisedPriorities::default(),
            state: state(&extension.descriptor),
        })
        .collect()
}

/// That nobody is loaded who is not mentioned.
fn nobody_by_default(store: &ConfigStore) -> Option<Statement> {
    let key = Key::of(&EXTENSIONS_ENABLED_BY_DEFAULT.descriptor(), None);
    winner(&key, store).map(|winner| Statement {
        enabled: false,
        key: key.to_string(),
        source: winner.source,
        priority: winner.priority,
    })
}

fn winner(key: &Key, store: &ConfigStore) -> Option<Explained> {
    store
        .explain(key)
        .into_iter()
        .find(|value| value.outcome == Outcome::Wins)
}

fn config_problem(error: ConfigError) -> LoadError {
    LoadError::Config {
        cause: error.into(),
    }
}
