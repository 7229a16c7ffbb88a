//! Reading from the store: merging, references, kinds, directories.

use std::collections::BTreeSet;

use super::error::{ConfigError, ReferenceError};
use super::key::{Key, shown_key};
use super::kind::Kind;
use super::option::{OptionDescriptor, OptionId, OptionType};
use super::reference::{Expander, Found, has_references};
use super::source::Source;
use super::store::ConfigStore;
use super::value::{TypedValue, Value};
use crate::message::Entity;

/// The nearest key is looked for among so many: for people's files, not for generated ones.
const NEAREST_AMONG: usize = 10_000;

impl ConfigStore {
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
        let mut expander = Expander::default();
        let Some(winner) = self.winner(&key) else {
            let Some(default) = option.default else {
                return Ok(option.multiple.then(|| TypedValue::List(Vec::new())));
            };
            let source = Source::Default {
                extension: self.owner(&key),
            };
            return self
                .read_value(option, &key, &default.into(), &source, &mut expander)
                .map(Some);
        };
        if !option.multiple {
            return self
                .read_value(option, &key, &winner.value, &winner.source, &mut expander)
                .map(Some);
        }
        let mut all: Vec<TypedValue> = Vec::new();
        let mut higher: BTreeSet<String> = BTreeSet::new();
        for entry in self.set_entries(&key) {
            let value =
                self.read_value(option, &key, &entry.value, &entry.source, &mut expander)?;
            let TypedValue::List(mut items) = value else {
                continue;
            };
            items.retain(|item| !higher.contains(&item.to_value().print()));
            higher.extend(items.iter().map(|item| item.to_value().print()));
            all.append(&mut items);
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

    /// Reads one value of one source: references, kind, directory.
    pub(super) fn read_value(
        &self,
        option: &OptionDescriptor,
        key: &Key,
        value: &Value,
        source: &Source,
        expander: &mut Expander,
    ) -> Result<TypedValue, ConfigError> {
        let replaced =
            self.expand_value(key, value, expander)
                .map_err(|error| ConfigError::Reference {
                    key: key.to_string(),
                    from: source.to_string(),
                    error,
                })?;
        let typed = replaced
            .read(option.kind, option.multiple)
            .map_err(|mismatch| ConfigError::Wrong {
                key: key.to_string(),
                from: source.to_string(),
                mismatch: Box::new(mismatch),
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
        expander: &mut Expander,
    ) -> Result<Value, ReferenceError> {
        // The elements of a list share the bound on the work.
        let mut work = 0;
        let mut expand_one = |value: &Value| match value {
            Value::Text(text) | Value::Raw(text) if has_references(text) => expander
                .expand(Some(key), text, &mut work, |key| self.find(key))
                .map(Value::Raw),
            other => Ok(other.clone()),
        };
        match value {
            Value::List(items) => items
                .iter()
                .map(expand_one)
                .collect::<Result<_, _>>()
                .map(Value::List),
            one => expand_one(one),
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
                let declared = self.options().map(|known| Key::of(&known.option, None));
                let keys: Vec<_> = declared
                    .chain(self.keys().cloned())
                    .take(NEAREST_AMONG)
                    .collect();
                let keys = keys.iter().map(Key::as_str);
                Found::Unknown(super::nearest(key.as_str(), keys).map(str::to_owned))
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
