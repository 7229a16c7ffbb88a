//! The store: every value that any layer contributed, with its priority and source, merged only when it is read.
//!
//! How values are merged is [`super::merge`]'s; a key without a value (`null`) counts as not there.
//!
//! Options are declared ([`ConfigStore::define`]) before or after values arrive; nothing is checked until something is read or
//! the whole is validated.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;

use super::declaration::{check_declaration, difference};
use super::error::ConfigError;
use super::key::{self, Key, shown_key};
use super::layer::ConfigLayer;
use super::operation::Operation;
use super::option::{OptionDescriptor, OptionId, OptionType};
use super::problem::Problem;
use super::secret::SECRET_SHOWN;
use super::source::{Place, Priority, Source};
use super::value::{Value, is_entity_name};
use super::view::ConfigView;
use crate::message::Entity;

/// An option that somebody declared.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct KnownOption {
    /// The option.
    pub option: OptionDescriptor,
    /// Names of the extensions and commands that declared it, each once, in the order of declaration; not empty.
    pub owners: Vec<Arc<str>>,
}

/// A value in the store.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) priority: Priority,
    /// Number of the layer that it came with; later layers have higher ones.
    pub(super) layer: u32,
    /// Its place among all values, in the order added.
    pub(super) added: u64,
    pub(super) spelling: String,
    pub(super) value: Value,
    pub(super) source: Source,
    pub(super) place: Option<Place>,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Nobody knows here whether the value may be shown.
        write!(f, "Entry({} at {})", self.spelling, self.source)
    }
}

/// What becomes of one value of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It is the value.
    Wins,
    /// It is a part of the value.
    Adds,
    /// It takes its elements out of those that count less.
    Removes,
    /// A higher or later one wins.
    Overridden,
    /// It is there without a value.
    Unset,
}

/// One value of a key with its origin, for explaining the result.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Explained {
    /// Its priority.
    pub priority: Priority,
    /// Where it was written.
    pub source: Source,
    /// The value, as written; of a secret, what is shown.
    pub value: Value,
    /// What it does; for options with several values.
    pub operation: Operation,
    /// What becomes of it.
    pub outcome: Outcome,
}

#[derive(Debug, Clone, Default)]
struct Options {
    /// By the key of [`Key::of`] without an entity.
    known: IndexMap<Key, KnownOption>,
    /// Keys in `known` by the other names of the options.
    aliases: BTreeMap<Key, Key>,
    /// Keys in `known` of the options that hang at entity options: by what stands before and after the entity, for all names.
    per_entity: BTreeMap<(String, String), Key>,
}

#[derive(Debug, Clone, Default)]
struct Values {
    /// Each sorted by priority, highest first; of equal priorities in the order added.
    by_key: BTreeMap<Key, Vec<Entry>>,
    layers: u32,
    added: u64,
    warnings: Vec<Problem>,
}

/// All options and all values. Cloning is cheap and takes a snapshot: later additions to one clone are not seen by the other.
#[derive(Clone, Default)]
pub struct ConfigStore {
    options: Arc<Options>,
    values: Arc<Values>,
}

impl fmt::Debug for ConfigStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values may be secrets.
        f.debug_struct("ConfigStore")
            .field("options", &self.options.known.len())
            .field("keys", &self.values.by_key.len())
            .finish_non_exhaustive()
    }
}

impl ConfigStore {
    /// A store without options and values.
    pub fn new() -> Self {
        Self::default()
    }

    /// Declares an option. Declaring the same one again adds an owner.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Conflict`] if the key is declared with another kind, default or multiplicity, and
    /// [`ConfigError::Declaration`] if the option contradicts itself.
    pub fn define(&mut self, option: &OptionDescriptor, owner: &str) -> Result<(), ConfigError> {
        let key = Key::of(option, None);
        if let Some(known) = self.options.known.get(&key) {
            if let Some(difference) = difference(&known.option, option) {
                check_declaration(option, owner)?;
                return Err(ConfigError::Conflict {
                    key: shown_key(option),
                    first: known.owners[0].to_string(),
                    second: owner.to_owned(),
                    difference,
                });
            }
            if known.owners.iter().any(|known| **known == *owner) {
                return Ok(());
            }
        }
        check_declaration(option, owner)?;
        self.check_names(option, &key, owner)?;
        let options = Arc::make_mut(&mut self.options);
        for alias in option.aliases {
            let alias = Key::of(&option.named(alias), None);
            options.aliases.insert(alias, key.clone());
        }
        if option.at.is_some() {
            for name in std::iter::once(&option.key).chain(option.aliases) {
                if let Some(around) = key::around_entity(&option.named(name)) {
                    options.per_entity.insert(around, key.clone());
                }
            }
        }
        let known = options.known.entry(key).or_insert_with(|| KnownOption {
            option: *option,
            owners: Vec::new(),
        });
        known.owners.push(owner.into());
        Ok(())
    }

    /// Refuses an option with a name that means something else already.
    fn check_names(
        &self,
        option: &OptionDescriptor,
        key: &Key,
        owner: &str,
    ) -> Result<(), ConfigError> {
        let options = &self.options;
        let taken = |name: &Key| {
            let of_alias = options.aliases.get(name).filter(|other| *other != key);
            let of_option = options.known.get_key_value(name).map(|(other, _)| other);
            let of_option = of_option.filter(|other| *other != key);
            if let Some(other) = of_alias.or(of_option) {
                return Some(format!("`{name}` is a name of the option `{other}`"));
            }
            let (of, operation) = Operation::of(name)?;
            let of = options.aliases.get(&of).unwrap_or(&of);
            let known = options.known.get(of)?;
            let word = operation.word().unwrap_or_default();
            known
                .option
                .multiple
                .then(|| format!("`{name}` already means to {word} values of the option `{of}`"))
        };
        let names = std::iter::once(key.clone()).chain(
            option
                .aliases
                .iter()
                .map(|alias| Key::of(&option.named(alias), None)),
        );
        for name in names {
            let operations = Operation::EXPLICIT
                .into_iter()
                .filter(|_| option.multiple)
                .map(|operation| operation.key_for(&name))
                .find(|name| {
                    options.known.contains_key(name) || options.aliases.contains_key(name)
                });
            let reason = taken(&name).or_else(|| {
                operations.map(|other| {
                    format!("it has several values, and the option `{other}` has the name that changes them")
                })
            });
            if let Some(reason) = reason {
                return Err(ConfigError::Declaration {
                    key: shown_key(option),
                    owner: owner.to_owned(),
                    reason,
                });
            }
        }
        Ok(())
    }

    /// Adds all values of a layer, checked by nobody yet.
    pub fn add(&mut self, layer: ConfigLayer) {
        if layer.entries().is_empty() && layer.warnings().is_empty() {
            return;
        }
        let values = Arc::make_mut(&mut self.values);
        values.warnings.extend(layer.warnings().iter().cloned());
        values.layers += 1;
        let priority = layer.priority();
        for entry in layer.into_entries() {
            let entries = values.by_key.entry(entry.key).or_default();
            let at = entries.partition_point(|other| other.priority >= priority);
            values.added += 1;
            entries.insert(
                at,
                Entry {
                    priority,
                    layer: values.layers,
                    added: values.added,
                    spelling: entry.spelling,
                    value: entry.value,
                    source: entry.source,
                    place: entry.place,
                },
            );
        }
    }

    /// Adds one value of an option; for one of its entities if it hangs at an entity option.
    pub fn set<T: OptionType>(
        &mut self,
        option: OptionId<T>,
        entity: Option<&Entity>,
        value: T,
        priority: Priority,
        source: Source,
    ) {
        let layer = ConfigLayer::new(priority, source);
        self.add(layer.with_option(&option.descriptor(), entity, value.into_value()));
    }

    /// All declared options, in the order declared.
    pub fn options(&self) -> impl Iterator<Item = &KnownOption> {
        self.options.known.values()
    }

    /// The declared option that a key belongs to, by any of its names and whatever it does to the values, and the entity if the
    /// option hangs at an entity option. Whether that entity exists is not asked.
    pub fn lookup(&self, key: &Key) -> Option<(&KnownOption, Option<Entity>)> {
        self.named(key).or_else(|| {
            let found = self.named(&Operation::of(key)?.0)?;
            found.0.option.multiple.then_some(found)
        })
    }

    fn named(&self, key: &Key) -> Option<(&KnownOption, Option<Entity>)> {
        let options = &self.options;
        let known = options.known.get(key);
        if let Some(known) = known.or_else(|| options.known.get(options.aliases.get(key)?)) {
            return Some((known, None));
        }
        if options.per_entity.is_empty() {
            return None;
        }
        let text = key.as_str();
        text.match_indices('.').find_map(|(at, _)| {
            let (entity, after) = text[at + 1..].split_once('.')?;
            let around = (text[..at].to_owned(), after.to_owned());
            let known = options.per_entity.get(&around)?;
            is_entity_name(entity).then(|| (&options.known[known], Some(Entity::from(entity))))
        })
    }

    /// Whether a value was added under exactly this key by a source that `is_meant` accepts.
    pub fn has_value_from(&self, key: &Key, is_meant: impl Fn(&Source) -> bool) -> bool {
        self.raw_entries(key)
            .iter()
            .any(|entry| is_meant(&entry.source))
    }

    /// Whether somebody gave the option a value other than nothing or an empty list; defaults do not count.
    pub fn is_set_explicitly(&self, option: &OptionDescriptor, entity: Option<&Entity>) -> bool {
        let is_said = |outcome| matches!(outcome, Outcome::Wins | Outcome::Adds);
        self.merge(option, entity)
            .candidates
            .iter()
            .filter(|(_, outcome)| is_said(*outcome))
            .any(|(candidate, _)| {
                !matches!(&candidate.entry.value, Value::List(items) if items.is_empty())
            })
    }

    /// All values of a key and what becomes of them: in the order in which they count, the default last. Empty if nobody
    /// knows the key.
    pub fn explain(&self, key: &Key) -> Vec<Explained> {
        let Some((known, entity)) = self.lookup(key) else {
            return self.unknown_values(key);
        };
        let option = &known.option;
        let merge = self.merge(option, entity.as_ref());
        let shown = |value: &Value| match value {
            Value::Unset => Value::Unset,
            _ if option.is_secret() => Value::Raw(SECRET_SHOWN.to_owned()),
            value => value.clone(),
        };
        let mut explained: Vec<_> = merge
            .candidates
            .iter()
            .map(|(candidate, outcome)| Explained {
                priority: candidate.entry.priority,
                source: candidate.entry.source.clone(),
                value: shown(&candidate.entry.value),
                operation: candidate.operation,
                outcome: *outcome,
            })
            .collect();
        if let Some(default) = option.default {
            let is_part = merge.has_default && merge.with(Outcome::Adds).next().is_some();
            explained.push(Explained {
                priority: Priority::DEFAULT,
                source: Source::Default {
                    extension: Arc::clone(&known.owners[0]),
                },
                value: default.into(),
                operation: Operation::Add,
                outcome: match () {
                    () if is_part => Outcome::Adds,
                    () if merge.has_default => Outcome::Wins,
                    () => Outcome::Overridden,
                },
            });
        }
        explained
    }

    /// Values of a key that nobody knows: the one that would win, and the others.
    fn unknown_values(&self, key: &Key) -> Vec<Explained> {
        let mut entries: Vec<_> = self.raw_entries(key).iter().collect();
        entries.sort_by_key(|entry| std::cmp::Reverse((entry.priority, entry.added)));
        let winner = entries.iter().position(|entry| entry.value != Value::Unset);
        let explained = |(index, entry): (usize, &Entry)| Explained {
            priority: entry.priority,
            source: entry.source.clone(),
            value: entry.value.clone(),
            operation: Operation::Add,
            outcome: match () {
                () if entry.value == Value::Unset => Outcome::Unset,
                () if winner == Some(index) => Outcome::Wins,
                () => Outcome::Overridden,
            },
        };
        entries.into_iter().enumerate().map(explained).collect()
    }

    /// All keys that have a value, sorted, declared or not.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.values.by_key.keys()
    }

    /// Warnings that came with the layers, in the order added.
    pub fn warnings(&self) -> &[Problem] {
        &self.values.warnings
    }

    /// What one extension or command sees: the options that it asked for, bound to an entity if it is one of several
    /// instances. The view keeps this state of the store.
    pub fn view<'a>(
        &self,
        options: impl IntoIterator<Item = &'a OptionDescriptor>,
        entity: Option<(&OptionDescriptor, &Entity)>,
    ) -> ConfigView {
        ConfigView::restricted(self.clone(), options, entity)
    }

    /// A view of everything, bound to no entity.
    pub fn view_all(&self) -> ConfigView {
        ConfigView::of_everything(self.clone())
    }

    /// Values that were added under exactly this key: by priority, highest first, of equal ones in the order added.
    pub(super) fn raw_entries(&self, key: &Key) -> &[Entry] {
        self.values.by_key.get(key).map_or(&[], Vec::as_slice)
    }

    pub(super) fn owner(&self, key: &Key) -> Arc<str> {
        self.lookup(key)
            .map_or_else(|| "".into(), |(known, _)| Arc::clone(&known.owners[0]))
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = (&Key, &Entry)> {
        self.values
            .by_key
            .iter()
            .flat_map(|(key, entries)| entries.iter().map(move |entry| (key, entry)))
    }
}
