//! Reading from the store: merging, references, kinds, directories.

use std::collections::BTreeSet;

use super::error::ConfigError;
use super::key::{Key, shown_key};
use super::kind::Kind;
use super::load;
use super::option::{OptionDescriptor, OptionId, OptionType};
use super::reference::Expander;
use super::secret::{Secret, Written};
use super::source::Source;
use super::store::{ConfigStore, Entry, Outcome};
use super::value::{Mismatch, TypedValue, Value};
use crate::message::Entity;

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
        self.merged(option, entity, After::Transform)
    }

    /// The same without the function that the option's author applies to its values: what a file would have to say.
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    pub(crate) fn read_untransformed(
        &self,
        option: &OptionDescriptor,
        entity: Option<&Entity>,
    ) -> Result<Option<TypedValue>, ConfigError> {
        self.merged(option, entity, After::Check)
    }

    fn merged(
        &self,
        option: &OptionDescriptor,
        entity: Option<&Entity>,
        after: After,
    ) -> Result<Option<TypedValue>, ConfigError> {
        let key = Key::of(option, entity);
        let mut expander = Expander::default();
        let merge = self.merge(option, entity);
        let mut read = |value: &Value, source: &Source| {
            self.read_value(option, &key, value, source, &mut expander)
        };
        let by_default = || Source::Default {
            extension: self.owner(&key),
        };
        let finish = |value: TypedValue, source: &Source| match after {
            After::Check => Ok(value),
            After::Transform => transformed(option, &key, value, source),
        };
        if !option.multiple {
            return match (merge.winner(), option.default) {
                (Some(winner), _) => {
                    finish(read(&winner.value, &winner.source)?, &winner.source).map(Some)
                }
                (None, Some(default)) => {
                    let source = by_default();
                    finish(read(&default.into(), &source)?, &source).map(Some)
                }
                (None, None) => Ok(None),
            };
        }
        let mut removed: Vec<(_, BTreeSet<String>)> = Vec::new();
        for candidate in merge.with(Outcome::Removes) {
            let items = items_of(read(&candidate.entry.value, &candidate.entry.source)?);
            let items = items.iter().map(TypedValue::identity).collect();
            removed.push((Some(candidate.rank()), items));
        }
        let mut all: Vec<TypedValue> = Vec::new();
        let mut higher: BTreeSet<String> = BTreeSet::new();
        let mut add = |rank: Option<_>, value: TypedValue, source: &Source| {
            let mut items: Vec<(String, TypedValue)> = items_of(value)
                .into_iter()
                .map(|item| (item.identity(), item))
                .collect();
            items.retain(|(identity, _)| {
                let is_removed = removed
                    .iter()
                    .any(|(by, removed)| *by > rank && removed.contains(identity));
                !is_removed && !higher.contains(identity)
            });
            for (identity, item) in items {
                all.push(finish(item, source)?);
                higher.insert(identity);
            }
            Ok(())
        };
        for candidate in merge.with(Outcome::Adds) {
            let Entry { value, source, .. } = candidate.entry;
            add(Some(candidate.rank()), read(value, source)?, source)?;
        }
        if let Some(default) = option.default.filter(|_| merge.has_default) {
            let source = by_default();
            // Everybody else counts more.
            add(None, read(&default.into(), &source)?, &source)?;
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

    /// Reads one value of one source: references, kind, directory, what only the store knows about the kind.
    pub(super) fn read_value(
        &self,
        option: &OptionDescriptor,
        key: &Key,
        value: &Value,
        source: &Source,
        expander: &mut Expander,
    ) -> Result<TypedValue, ConfigError> {
        let replaced = self
            .expand_value(option, key, value, expander)
            .map_err(|error| ConfigError::Reference {
                key: key.to_string(),
                from: source.to_string(),
                error,
            })?;
        let wrong = |mismatch| ConfigError::Wrong {
            key: key.to_string(),
            from: source.to_string(),
            mismatch: Box::new(mismatch),
        };
        let typed = replaced.read(option.kind, option.multiple).map_err(wrong)?;
        let typed = match option.kind {
            Kind::ChoiceOf(other) => self.chosen(other, option, typed)?.map_err(wrong)?,
            Kind::Secret => each(typed, |secret| revealed(secret, source)).map_err(wrong)?,
            _ => typed,
        };
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

    /// The values that an option with [`Kind::Choice`] or [`Kind::ChoiceOf`] accepts now; none for other kinds.
    ///
    /// # Errors
    ///
    /// As [`Self::read`], of the other option.
    pub fn choices(&self, kind: Kind) -> Result<Option<Vec<String>>, ConfigError> {
        match kind {
            Kind::Choice(words) => Ok(Some(words.iter().map(|word| (*word).to_owned()).collect())),
            Kind::ChoiceOf(other) => {
                let values = self.read(other, None)?.map_or_else(Vec::new, items_of);
                Ok(Some(
                    values
                        .iter()
                        .map(|value| value.to_value().plain())
                        .collect(),
                ))
            }
            _ => Ok(None),
        }
    }

    /// Whether the values are among those of the other option.
    fn chosen(
        &self,
        other: &OptionDescriptor,
        option: &OptionDescriptor,
        typed: TypedValue,
    ) -> Result<Result<TypedValue, Mismatch>, ConfigError> {
        let choices = self.choices(option.kind)?.unwrap_or_default();
        Ok(each(typed, |value| {
            let TypedValue::Text(text) = &value else {
                return Ok(value);
            };
            if choices.contains(text) {
                return Ok(value);
            }
            let expected = if choices.is_empty() {
                format!("one of the values of `{}`, which has none", other.key)
            } else {
                let listed = choices.join("`, `");
                format!("one of `{listed}` (the values of `{}`)", other.key)
            };
            let near = super::nearest(text, choices.iter().map(String::as_str));
            Err(Mismatch {
                expected,
                found: Value::Text(text.clone()).to_string(),
                is_range: true,
                element: None,
                help: near.map(|near| format!("did you mean `{near}`?")),
            })
        }))
    }
}

/// How far a value is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    /// As it was written, checked.
    Check,
    /// With the function of the option's author applied.
    Transform,
}

fn items_of(value: TypedValue) -> Vec<TypedValue> {
    match value {
        TypedValue::List(items) => items,
        one => vec![one],
    }
}

/// Does the same with one value or with each of a list; says which element is wrong.
fn each(
    value: TypedValue,
    mut change: impl FnMut(TypedValue) -> Result<TypedValue, Mismatch>,
) -> Result<TypedValue, Mismatch> {
    let TypedValue::List(items) = value else {
        return change(value);
    };
    let changed = items.into_iter().enumerate().map(|(index, item)| {
        change(item).map_err(|mismatch| Mismatch {
            element: Some(index),
            ..mismatch
        })
    });
    changed.collect::<Result<_, _>>().map(TypedValue::List)
}

/// The text of a secret, wherever it is.
pub(super) fn revealed(value: TypedValue, source: &Source) -> Result<TypedValue, Mismatch> {
    let TypedValue::Secret(secret) = &value else {
        return Ok(value);
    };
    let text = match Written::of(secret.reveal()) {
        Written::Here(text) => Ok(text.to_owned()),
        Written::File(path) => {
            let path = source
                .directory()
                .map_or_else(|| path.into(), |directory| directory.join(path));
            load::secret(&path).map_err(|found| Mismatch {
                expected: "a file with a text of one line".to_owned(),
                found,
                is_range: true,
                element: None,
                help: None,
            })
        }
    };
    Ok(TypedValue::Secret(Secret::new(text?)))
}

/// What the option's author makes of one value.
pub(super) fn transformed(
    option: &OptionDescriptor,
    key: &Key,
    value: TypedValue,
    source: &Source,
) -> Result<TypedValue, ConfigError> {
    let Some(transform) = option.transform else {
        return Ok(value);
    };
    let found = value.to_value().to_string();
    transform
        .apply(value)
        .map_err(|expected| ConfigError::Wrong {
            key: key.to_string(),
            from: source.to_string(),
            mismatch: Box::new(Mismatch {
                expected,
                found,
                is_range: true,
                element: None,
                help: None,
            }),
        })
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
