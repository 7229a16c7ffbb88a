//! Decides which extensions are loaded, from the configuration as it is after load order 20.
//!
//! Invariants
//! - A framework extension with a load order up to 20 is always loaded, whatever others of its name are.
//! - A disabled extension replaces nothing.
//! - The result depends on the extensions and the configuration only, not on any order.

use super::catalog::{ExtensionEntry, ExtensionState};
use super::core_options::{EXTENSION_ENABLED, EXTENSIONS_ENABLED_BY_DEFAULT};
use super::error::LoadError;
use super::replacement::{Candidate, Undecided, replaced};
use super::{ExtensionDescriptor, RegisteredExtension};
use crate::config::{ConfigError, ConfigStore, Key, Outcome, Source, TypedValue};
use crate::message::Entity;

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
    let mut decided = entries(extensions, |extension| {
        if extension.is_always_loaded() {
            return ExtensionState::AlwaysLoaded;
        }
        match wish(extension.name, store) {
            Ok(Some((true, _))) => ExtensionState::Enabled,
            Ok(Some((false, by))) => ExtensionState::Disabled { by },
            Ok(None) if by_default && extension.default_enabled => ExtensionState::Enabled,
            Ok(None) => ExtensionState::Disabled {
                by: (!by_default)
                    .then(|| {
                        source_of(
                            &Key::of(&EXTENSIONS_ENABLED_BY_DEFAULT.descriptor(), None),
                            store,
                        )
                    })
                    .flatten(),
            },
            Err(error) => {
                problems.push(error);
                ExtensionState::Enabled
            }
        }
    });

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
            state: state(&extension.descriptor),
        })
        .collect()
}

/// Whether somebody says that the extensions of a name are enabled or disabled, and where.
fn wish(name: &str, store: &ConfigStore) -> Result<Option<(bool, Option<Source>)>, LoadError> {
    let entity = Entity::from(name);
    let option = EXTENSION_ENABLED.descriptor();
    let value = store.read(&option, Some(&entity)).map_err(config_problem)?;
    match value {
        Some(TypedValue::Flag(enabled)) => {
            let key = Key::of(&option, Some(&entity));
            Ok(Some((enabled, source_of(&key, store))))
        }
        _ => Ok(None),
    }
}

fn source_of(key: &Key, store: &ConfigStore) -> Option<Source> {
    store
        .explain(key)
        .into_iter()
        .find(|value| value.outcome == Outcome::Wins)
        .map(|value| value.source)
}

fn config_problem(error: ConfigError) -> LoadError {
    LoadError::Config {
        cause: error.into(),
    }
}
