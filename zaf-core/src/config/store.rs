//! The store: every value that any layer contributed, with its priority and source, merged only when it is read.
//!
//! One value: the highest priority wins; of equal priorities the one that was *added later*. Several values (`multiple`): the
//! lists of all layers one after the other, from the highest priority to the lowest, of equal priorities in the order added;
//! what a higher layer has already contributed is not repeated; the default counts only if no layer has the key. A key
//! without a value (`null`) counts as not there.
//!
//! Options are declared ([`ConfigStore::define`]) before or after values arrive; nothing is checked until something is read or
//! the whole is validated.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;

use super::declaration::{check_declaration, difference};
use super::error::ConfigError;
use super::key::{Key, shown_key};
use super::layer::ConfigLayer;
use super::option::{OptionDescriptor, OptionId, OptionType};
use super::problem::Problem;
use super::source::{Place, Priority, Source};
use super::value::Value;
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
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) priority: Priority,
    pub(super) spelling: String,
    pub(super) value: Value,
    pub(super) source: Source,
    pub(super) place: Option<Place>,
}

/// What becomes of one value of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It is the value.
    Wins,
    /// It is a part of the value.
    Adds,
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
    /// The value, as written.
    pub value: Value,
    /// What becomes of it.
    pub outcome: Outcome,
}

#[derive(Debug, Clone, Default)]
struct Data {
    options: IndexMap<Key, KnownOption>,
    /// Keys in `options` of those that hang at an entity option.
    per_entity: Vec<Key>,
    /// Each sorted by priority, highest first; of equal priorities in the order added.
    values: BTreeMap<Key, Vec<Entry>>,
    warnings: Vec<Problem>,
}

/// All options and all values. Cloning is cheap and takes a snapshot: later additions to one clone are not seen by the other.
#[derive(Debug, Clone, Default)]
pub struct ConfigStore(Arc<Data>);

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
        check_declaration(option, owner)?;
        let key = Key::of(option, None);
        if let Some(known) = self.0.options.get(&key)
            && let Some(difference) = difference(&known.option, option)
        {
            return Err(ConfigError::Conflict {
                key: shown_key(option),
                first: known.owners[0].to_string(),
                second: owner.to_owned(),
                difference,
            });
        }
        let data = Arc::make_mut(&mut self.0);
        if option.at.is_some() && !data.options.contains_key(&key) {
            data.per_entity.push(key.clone());
        }
        let known = data.options.entry(key).or_insert_with(|| KnownOption {
            option: *option,
            owners: Vec::new(),
        });
        if !known.owners.iter().any(|known| **known == *owner) {
            known.owners.push(owner.into());
        }
        Ok(())
    }

    /// Adds all values of a layer, checked by nobody yet.
    pub fn add(&mut self, layer: ConfigLayer) {
        let data = Arc::make_mut(&mut self.0);
        data.warnings.extend(layer.warnings().iter().cloned());
        let priority = layer.priority();
        for entry in layer.into_entries() {
            let entries = data.values.entry(entry.key).or_default();
            let at = entries.partition_point(|other| other.priority >= priority);
            entries.insert(
                at,
                Entry {
                    priority,
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
        self.0.options.values()
    }

    /// The declared option that a key belongs to, and the entity if the option hangs at an entity option. Whether that entity
    /// exists is not asked.
    pub fn lookup(&self, key: &Key) -> Option<(&KnownOption, Option<Entity>)> {
        if let Some(known) = self.0.options.get(key) {
            return Some((known, None));
        }
        self.0.per_entity.iter().find_map(|pattern| {
            let known = &self.0.options[pattern];
            key.entity_of(&known.option)
                .map(|entity| (known, Some(entity)))
        })
    }

    /// Whether somebody gave the option a value other than nothing or an empty list; defaults do not count.
    pub fn is_set_explicitly(&self, option: &OptionDescriptor, entity: Option<&Entity>) -> bool {
        self.set_entries(&Key::of(option, entity))
            .any(|entry| !matches!(&entry.value, Value::List(items) if items.is_empty()))
    }

    /// All values of a key and what becomes of them: in the order in which they count, the default last. Empty if nobody
    /// knows the key.
    pub fn explain(&self, key: &Key) -> Vec<Explained> {
        let known = self.lookup(key).map(|(known, _)| known);
        let is_multiple = known.is_some_and(|known| known.option.multiple);
        let winner = self.winner(key);
        let mut explained = Vec::new();
        for entry in self.in_order(key, is_multiple) {
            let outcome = match () {
                () if entry.value == Value::Unset => Outcome::Unset,
                () if is_multiple => Outcome::Adds,
                () if winner.is_some_and(|winner| std::ptr::eq(winner, entry)) => Outcome::Wins,
                () => Outcome::Overridden,
            };
            explained.push(Explained {
                priority: entry.priority,
                source: entry.source.clone(),
                value: entry.value.clone(),
                outcome,
            });
        }
        if let Some((known, default)) = known.and_then(|known| Some((known, known.option.default?)))
        {
            explained.push(Explained {
                priority: Priority::DEFAULT,
                source: Source::Default {
                    extension: Arc::clone(&known.owners[0]),
                },
                value: default.into(),
                outcome: if winner.is_some() {
                    Outcome::Overridden
                } else {
                    Outcome::Wins
                },
            });
        }
        explained
    }

    /// All keys that have a value, sorted, declared or not.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.0.values.keys()
    }

    /// Warnings that came with the layers, in the order added.
    pub fn warnings(&self) -> &[Problem] {
        &self.0.warnings
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

    /// Entries of a key in the order in which they count. For one value, of equal priorities the last added counts first.
    fn in_order(&self, key: &Key, multiple: bool) -> Vec<&Entry> {
        let mut entries: Vec<_> = self.0.values.get(key).into_iter().flatten().collect();
        if !multiple {
            entries.reverse();
            // Stable, so the reversed order of equal ones stays.
            entries.sort_by_key(|entry| std::cmp::Reverse(entry.priority));
        }
        entries
    }

    pub(super) fn set_entries(&self, key: &Key) -> impl Iterator<Item = &Entry> {
        self.0
            .values
            .get(key)
            .into_iter()
            .flatten()
            .filter(|entry| entry.value != Value::Unset)
    }

    pub(super) fn winner(&self, key: &Key) -> Option<&Entry> {
        let mut set = self.set_entries(key);
        let first = set.next()?;
        Some(
            set.take_while(|entry| entry.priority == first.priority)
                .last()
                .unwrap_or(first),
        )
    }

    pub(super) fn owner(&self, key: &Key) -> Arc<str> {
        self.lookup(key)
            .map_or_else(|| "".into(), |(known, _)| Arc::clone(&known.owners[0]))
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = (&Key, &Entry)> {
        self.0
            .values
            .iter()
            .flat_map(|(key, entries)| entries.iter().map(move |entry| (key, entry)))
    }
}
