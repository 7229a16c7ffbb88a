//! What one extension or command sees of the configuration.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::error::ConfigError;
use super::key::{Key, flag_name, shown_key};
use super::option::{OptionDescriptor, OptionId, OptionType};
use super::store::ConfigStore;
use super::value::{TypedValue, Value};
use crate::message::Entity;

/// The options that one extension or command asked for, with their values at the time the view was made. Cheap to clone.
///
/// A view can be bound to one entity: then options that hang at its entity option have the value of that entity, and the
/// entity option itself has only that entity.
#[derive(Debug, Clone)]
pub struct ConfigView {
    store: ConfigStore,
    /// Keys of the options; none: all.
    options: Option<Arc<BTreeSet<Key>>>,
    /// Key of the entity option, and the entity.
    bound: Option<(Key, Entity)>,
}

impl ConfigView {
    pub(super) fn restricted<'a>(
        store: ConfigStore,
        options: impl IntoIterator<Item = &'a OptionDescriptor>,
        entity: Option<(&OptionDescriptor, &Entity)>,
    ) -> Self {
        let mut keys = BTreeSet::new();
        for option in options {
            keys.insert(Key::of(option, None));
            // Whoever has one value per entity needs to know the entities.
            keys.extend(option.at.map(|at| Key::of(at, None)));
        }
        Self {
            store,
            options: Some(Arc::new(keys)),
            bound: entity.map(|(option, entity)| (Key::of(option, None), entity.clone())),
        }
    }

    pub(super) fn of_everything(store: ConfigStore) -> Self {
        Self {
            store,
            options: None,
            bound: None,
        }
    }

    /// The value of an option, or its default. Options with several values give a list that may be empty.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Missing`] if there is neither a value nor a default, [`ConfigError::NotRequested`],
    /// [`ConfigError::NoEntity`], [`ConfigError::Wrong`] or [`ConfigError::Reference`].
    pub fn get<T: OptionType>(&self, option: OptionId<T>) -> Result<T, ConfigError> {
        let descriptor = option.descriptor();
        self.get_optional(option)?
            .ok_or_else(|| ConfigError::Missing {
                key: shown_key(&descriptor),
                flag: flag_name(&descriptor, self.entity_for(&descriptor)),
            })
    }

    /// The value of an option, or its default; none if there is neither.
    ///
    /// # Errors
    ///
    /// As [`Self::get`] but for [`ConfigError::Missing`].
    pub fn get_optional<T: OptionType>(
        &self,
        option: OptionId<T>,
    ) -> Result<Option<T>, ConfigError> {
        let descriptor = option.descriptor();
        let value = self.read(&descriptor, self.entity_for(&descriptor))?;
        Ok(value.and_then(T::from_typed))
    }

    /// The value for another entity than the view's, of an option that hangs at an entity option.
    ///
    /// # Errors
    ///
    /// As [`Self::get_optional`].
    pub fn get_for<T: OptionType>(
        &self,
        option: OptionId<T>,
        entity: &Entity,
    ) -> Result<Option<T>, ConfigError> {
        let value = self.read(&option.descriptor(), Some(entity))?;
        Ok(value.and_then(T::from_typed))
    }

    /// The entities that an entity option names, each once; only the view's own if it is bound to one of them.
    ///
    /// # Errors
    ///
    /// As [`Self::get_optional`].
    pub fn entities(&self, option: &OptionDescriptor) -> Result<Vec<Entity>, ConfigError> {
        self.check(option)?;
        match &self.bound {
            Some((key, entity)) if *key == Key::of(option, None) => Ok(vec![entity.clone()]),
            _ => self.store.entities(option),
        }
    }

    /// Whether an option has a value or a default: for several values at least one, for a flag `true`. An option that hangs
    /// at an entity option counts for the view's entity, else if any entity has a value. Options outside the view and values
    /// that cannot be read count as not set.
    pub fn is_set(&self, option: &OptionDescriptor) -> bool {
        let is_set = |entity: Option<&Entity>| match self.read(option, entity) {
            Ok(Some(TypedValue::List(items))) => !items.is_empty(),
            Ok(Some(TypedValue::Flag(flag))) => flag,
            Ok(value) => value.is_some(),
            Err(_) => false,
        };
        match (option.at, self.entity_for(option)) {
            (Some(at), None) => self
                .store
                .entities(at)
                .is_ok_and(|entities| entities.iter().any(|entity| is_set(Some(entity)))),
            (_, entity) => is_set(entity),
        }
    }

    /// The value of an option, or its default, in the form that a file would have; none if there is neither.
    ///
    /// # Errors
    ///
    /// As [`Self::get_optional`].
    pub fn value(&self, option: &OptionDescriptor) -> Result<Option<Value>, ConfigError> {
        let value = self.read(option, self.entity_for(option))?;
        Ok(value.map(|value| value.to_value()))
    }

    /// The value of an option, or its default, as its kind reads it: for those who know options by their descriptors only. None
    /// if there is neither; also for an option that hangs at an entity option, in a view that is not bound to one.
    ///
    /// # Errors
    ///
    /// As [`Self::get_optional`].
    pub fn typed(&self, option: &OptionDescriptor) -> Result<Option<TypedValue>, ConfigError> {
        match (option.at, self.entity_for(option)) {
            (Some(_), None) => self.check(option).map(|()| None),
            (_, entity) => self.read(option, entity),
        }
    }

    /// The entity that the view is bound to.
    pub fn entity(&self) -> Option<&Entity> {
        self.bound.as_ref().map(|(_, entity)| entity)
    }

    /// The store as it was when the view was made, with everything that others asked for.
    pub fn store(&self) -> &ConfigStore {
        &self.store
    }

    fn entity_for(&self, option: &OptionDescriptor) -> Option<&Entity> {
        let at = Key::of(option.at?, None);
        self.bound
            .as_ref()
            .filter(|(key, _)| *key == at)
            .map(|(_, entity)| entity)
    }

    fn check(&self, option: &OptionDescriptor) -> Result<(), ConfigError> {
        match &self.options {
            Some(options) if !options.contains(&Key::of(option, None)) => {
                Err(ConfigError::NotRequested {
                    key: shown_key(option),
                })
            }
            _ => Ok(()),
        }
    }

    fn read(
        &self,
        option: &OptionDescriptor,
        entity: Option<&Entity>,
    ) -> Result<Option<TypedValue>, ConfigError> {
        self.check(option)?;
        match &self.bound {
            Some((key, entity)) if option.is_entity && *key == Key::of(option, None) => {
                let entity = TypedValue::Entity(entity.clone());
                Ok(Some(if option.multiple {
                    TypedValue::List(vec![entity])
                } else {
                    entity
                }))
            }
            _ => self.store.read(option, entity),
        }
    }
}
