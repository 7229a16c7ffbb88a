//! The store: every value that any layer contributed, with its priority and source, merged only when it is read.
//!
//! One value: the highest priority wins; of equal priorities the one that was *added later*. Several values (`multiple`): the
//! lists of all layers one after the other, from the highest priority to the lowest, of equal priorities in the order added;
//! what a higher layer has already contributed is not repeated; the default counts only if no layer has the key. A key
//! without a value (`null`) counts as not there.
//!
//! Options are declared ([`ConfigStore::define`]) before or after values arrive; nothing is checked until something is read or
//! the whole is validated.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use indexmap::IndexMap;

use super::error::ConfigError;
use super::key::{Key, flag_name, shown_key};
use super::kind::{DefaultValue, Kind};
use super::layer::ConfigLayer;
use super::option::{OptionDescriptor, OptionId, OptionType};
use super::problem::Problem;
use super::reference::{self, Found};
use super::source::{Place, Priority, Source};
use super::value::{TypedValue, Value};
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
        if let Some(known) = self.0.options.get(&key) {
            if let Some(difference) = difference(&known.option, option) {
                return Err(ConfigError::Conflict {
                    key: shown_key(option),
                    first: known.owners[0].to_string(),
                    second: owner.to_owned(),
                    difference,
                });
            }
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

    /// The entities that an entity option names, in the order of its value, each once.
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    pub fn entities(&self, entity_option: &OptionDescriptor) -> Result<Vec<Entity>, ConfigError> {
        let typed = self.read(entity_option, None)?;
        let mut seen = BTreeSet::new();
        let names = match typed {
            Some(TypedValue::List(items)) => items,
            Some(one) => vec![one],
            None => Vec::new(),
        };
        Ok(names
            .into_iter()
            .filter_map(|name| match name {
                TypedValue::Entity(entity) => Some(entity),
                TypedValue::Text(name) => Some(Entity::from(name.as_str())),
                _ => None,
            })
            .filter(|entity| seen.insert(entity.clone()))
            .collect())
    }

    /// The value of an option: merged, references replaced, checked, its default if there is none. An option with several
    /// values always has a list, perhaps empty. Relative paths from a file start at that file's directory, unless they begin
    /// with a reference.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Wrong`], [`ConfigError::Reference`] or [`ConfigError::NoEntity`].
    pub fn read(
        &self,
        option: &OptionDescriptor,
        entity: Option<&Entity>,
    ) -> Result<Option<TypedValue>, ConfigError> {
        if let (Some(at), None) = (option.at, entity) {
            return Err(ConfigError::NoEntity {
                key: shown_key(option),
                at: at.key.to_owned(),
            });
        }
        let key = Key::of(option, entity);
        let mut set = self.set_entries(&key).peekable();
        if set.peek().is_none() {
            let Some(default) = option.default else {
                return Ok(option.multiple.then(|| TypedValue::List(Vec::new())));
            };
            let source = Source::Default {
                extension: self.owner(&key),
            };
            return self
                .read_value(option, &key, &default.into(), &source)
                .map(Some);
        }
        if !option.multiple {
            let winner = self.winner(&key).expect("invariant: a value was just seen");
            return self
                .read_value(option, &key, &winner.value, &winner.source)
                .map(Some);
        }
        let mut all: Vec<TypedValue> = Vec::new();
        for entry in set {
            let value = self.read_value(option, &key, &entry.value, &entry.source)?;
            let TypedValue::List(items) = value else {
                continue;
            };
            let higher = all.len();
            all.extend(items);
            let mut index = 0;
            let mut own = all.split_off(higher);
            own.retain(|item| {
                index += 1;
                !all.contains(item)
            });
            all.append(&mut own);
        }
        Ok(Some(TypedValue::List(all)))
    }

    /// The value of an option as its Rust type.
    ///
    /// # Errors
    ///
    /// As [`Self::read`], and [`ConfigError::Missing`] if there is neither a value nor a default.
    pub fn get<T: OptionType>(&self, option: OptionId<T>) -> Result<T, ConfigError> {
        self.view_all().get(option)
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

    fn set_entries(&self, key: &Key) -> impl Iterator<Item = &Entry> {
        self.0
            .values
            .get(key)
            .into_iter()
            .flatten()
            .filter(|entry| entry.value != Value::Unset)
    }

    fn winner(&self, key: &Key) -> Option<&Entry> {
        let mut set = self.set_entries(key);
        let first = set.next()?;
        Some(
            set.take_while(|entry| entry.priority == first.priority)
                .last()
                .unwrap_or(first),
        )
    }

    fn owner(&self, key: &Key) -> Arc<str> {
        self.lookup(key)
            .map_or_else(|| "".into(), |(known, _)| Arc::clone(&known.owners[0]))
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = (&Key, &Entry)> {
        self.0
            .values
            .iter()
            .flat_map(|(key, entries)| entries.iter().map(move |entry| (key, entry)))
    }

    /// Reads one value of one source: references, kind, directory.
    pub(super) fn read_value(
        &self,
        option: &OptionDescriptor,
        key: &Key,
        value: &Value,
        source: &Source,
    ) -> Result<TypedValue, ConfigError> {
        let expanded = self
            .expand_value(key, value)
            .map_err(|error| ConfigError::Reference {
                key: key.to_string(),
                from: source.to_string(),
                error,
            })?;
        let typed = expanded
            .read(option.kind, option.multiple)
            .map_err(|mismatch| ConfigError::Wrong {
                key: key.to_string(),
                from: source.to_string(),
                mismatch,
            })?;
        Ok(match (typed, value) {
            (TypedValue::List(items), Value::List(raw)) => {
                let items = items.into_iter().zip(raw);
                TypedValue::List(
                    items
                        .map(|(item, raw)| from_directory(item, raw, source))
                        .collect(),
                )
            }
            (TypedValue::List(items), raw) => {
                let items = items.into_iter();
                TypedValue::List(
                    items
                        .map(|item| from_directory(item, raw, source))
                        .collect(),
                )
            }
            (one, raw) => from_directory(one, raw, source),
        })
    }

    fn expand_value(
        &self,
        key: &Key,
        value: &Value,
    ) -> Result<Value, super::error::ReferenceError> {
        match value {
            Value::Text(text) | Value::Raw(text) if reference::has_references(text) => {
                reference::expand(Some(key), text, |key| self.find(key)).map(Value::Raw)
            }
            // Lists have no lists in them, so this is as deep as it goes.
            Value::List(items) => items
                .iter()
                .map(|item| self.expand_value(key, item))
                .collect::<Result<_, _>>()
                .map(Value::List),
            other => Ok(other.clone()),
        }
    }

    /// What a reference to a key stands for, its own references not yet replaced.
    fn find(&self, key: &Key) -> Found {
        let known = self.lookup(key);
        let option = known.as_ref().map(|(known, _)| known.option);
        if option.is_some_and(|option| option.multiple) {
            let mut parts: Vec<String> = Vec::new();
            for entry in self.set_entries(key) {
                let items = match &entry.value {
                    Value::List(items) => items.as_slice(),
                    one => std::slice::from_ref(one),
                };
                parts.extend(
                    items
                        .iter()
                        .map(|item| referenced_text(option, item, &entry.source)),
                );
            }
            if parts.is_empty() && self.set_entries(key).next().is_none() {
                parts.extend(
                    option
                        .and_then(|option| option.default)
                        .map(|default| Value::from(default).plain()),
                );
            }
            return Found::Text(parts.join(","));
        }
        if let Some(winner) = self.winner(key) {
            return Found::Text(referenced_text(option, &winner.value, &winner.source));
        }
        match option {
            Some(OptionDescriptor {
                default: Some(default),
                ..
            }) => Found::Text(Value::from(default).plain()),
            Some(_) => Found::Unset,
            None => {
                let keys = self
                    .0
                    .options
                    .keys()
                    .chain(self.0.values.keys())
                    .map(Key::as_str);
                // Looking through everything is for people's files, not for generated ones.
                Found::Unknown(super::nearest(key.as_str(), keys.take(10_000)).map(str::to_owned))
            }
        }
    }
}

fn referenced_text(option: Option<OptionDescriptor>, value: &Value, source: &Source) -> String {
    let text = value.plain();
    let is_path = option.is_some_and(|option| option.kind == Kind::Path);
    match source.directory() {
        Some(directory) if is_path && !text.starts_with("${") => directory.join(text).into_string(),
        _ => text,
    }
}

/// A path that was written relative to a file's directory, from where the process runs.
fn from_directory(value: TypedValue, written: &Value, source: &Source) -> TypedValue {
    let begins_with_reference =
        matches!(written, Value::Text(text) | Value::Raw(text) if text.starts_with("${"));
    match (value, source.directory()) {
        (TypedValue::Path(path), Some(directory)) if !begins_with_reference => {
            TypedValue::Path(directory.join(path))
        }
        (value, _) => value,
    }
}

fn check_declaration(option: &OptionDescriptor, owner: &str) -> Result<(), ConfigError> {
    let wrong = |reason: String| {
        Err(ConfigError::Declaration {
            key: shown_key(option),
            owner: owner.to_owned(),
            reason,
        })
    };
    let is_word = |word: &str| super::is_entity_name(word);
    if !option.key.split(['.', '-', '_']).all(is_word) {
        return wrong(
            "a key is words of lower-case letters and digits with dots between them".to_owned(),
        );
    }
    if option.is_entity && option.kind != Kind::Entity {
        return wrong("the values of an entity option are names".to_owned());
    }
    if let Some(at) = option.at {
        if !at.is_entity {
            return wrong(format!(
                "it hangs at `{}`, which is not an entity option",
                at.key
            ));
        }
        if option.is_entity {
            return wrong("an entity option cannot hang at another".to_owned());
        }
    }
    if let Some(default) = option.default {
        if let Err(mismatch) = Value::from(default).read(option.kind, option.multiple) {
            // A default may refer to other options; it is checked when it is read.
            let refers =
                matches!(default, DefaultValue::Text(text) if reference::has_references(text));
            if !refers {
                return wrong(format!("its default: {mismatch}"));
            }
        }
    }
    Ok(())
}

fn difference(first: &OptionDescriptor, second: &OptionDescriptor) -> Option<String> {
    if first.kind != second.kind {
        return Some(format!("{:?} and {:?}", first.kind, second.kind));
    }
    if first.multiple != second.multiple {
        return Some("one value and several values".to_owned());
    }
    if first.default != second.default {
        let shown = |default: Option<DefaultValue>| {
            default.map_or_else(|| "none".to_owned(), |default| Value::from(default).print())
        };
        return Some(format!(
            "default {} and {}",
            shown(first.default),
            shown(second.default)
        ));
    }
    (first.is_entity != second.is_entity).then(|| "only one names entities".to_owned())
}

/// Says how to set an option on the command line: `--parallel-workers N`.
pub(super) fn flag_usage(option: &OptionDescriptor, entity: Option<&Entity>) -> String {
    let flag = flag_name(option, entity);
    match option.kind {
        Kind::Flag => format!("--{flag}"),
        Kind::Integer | Kind::Count | Kind::Float => format!("--{flag} N"),
        Kind::Duration => format!("--{flag} TIME"),
        Kind::Size => format!("--{flag} SIZE"),
        Kind::Path => format!("--{flag} PATH"),
        Kind::Glob => format!("--{flag} PATTERN"),
        Kind::Entity => format!("--{flag} NAME"),
        Kind::Text | Kind::Choice(_) => format!("--{flag} VALUE"),
    }
}
