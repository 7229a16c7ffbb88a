//! What is put into scopes: instances that somebody has made, and the entities that count.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::ComponentError;
use super::graph::Offer;
use super::instances::Held;
use super::scope::{Absent, Provided, Scope};
use super::slot::Instance;
use crate::message::Entity;

/// An instance that somebody made and put into a scope.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProvidedComponent {
    /// Its type.
    pub type_id: TypeId,
    /// Name of that type.
    pub type_name: &'static str,
    /// What it can.
    pub can: &'static [&'static str],
    /// The entity that it is about; none if about no special one.
    pub entity: Option<Entity>,
}

impl Scope {
    /// Puts an instance here. It answers requirements for exactly the type `T` from this scope and all within it, before any
    /// component that would have to be made; the one provided last wins.
    ///
    /// # Errors
    /// [`ComponentError::Ended`].
    pub fn provide<T: Send + Sync + 'static>(
        &self,
        instance: Arc<T>,
    ) -> Result<(), ComponentError> {
        self.provide_as(instance, &[])
    }

    /// As [`provide`](Self::provide), with capabilities that requirements can ask for.
    ///
    /// # Errors
    /// [`ComponentError::Ended`].
    pub fn provide_as<T: Send + Sync + 'static>(
        &self,
        instance: Arc<T>,
        can: &'static [&'static str],
    ) -> Result<(), ComponentError> {
        self.put(instance, can, None)
    }

    /// As [`provide_as`](Self::provide_as), of an instance that is about an entity. Where that entity is
    /// [fixated](Self::fixate), requirements for the type `T` get this instance and none that is about another.
    ///
    /// # Errors
    /// [`ComponentError::Ended`].
    pub fn provide_about<T: Send + Sync + 'static>(
        &self,
        entity: &Entity,
        instance: Arc<T>,
        can: &'static [&'static str],
    ) -> Result<(), ComponentError> {
        self.put(instance, can, Some(entity.clone()))
    }

    fn put<T: Send + Sync + 'static>(
        &self,
        instance: Arc<T>,
        can: &'static [&'static str],
        entity: Option<Entity>,
    ) -> Result<(), ComponentError> {
        let mut state = self.inner.state.lock();
        if state.ended {
            return Err(self.inner.ended());
        }
        let instance: Instance = instance;
        state.provided.push(Provided {
            offer: Offer {
                type_id: TypeId::of::<T>(),
                type_name: std::any::type_name::<T>(),
                can,
                entity,
            },
            instance: Arc::clone(&instance),
        });
        state.held.push(Held {
            name: std::any::type_name::<T>().to_owned(),
            instance,
            teardown: None,
        });
        Ok(())
    }

    /// Fixates entities here and in all scopes within: a requirement for a type of which something is about one of them gets
    /// nothing else, unless it says `fixate_entities = false`. What scopes further within fixate comes first. An entity that
    /// nothing is about changes nothing. The entity of a message is fixated for its handlers.
    ///
    /// # Errors
    /// [`ComponentError::FixatedTwice`] if a type has something about two of the entities, because nobody could choose;
    /// [`ComponentError::Ended`].
    pub fn fixate(&self, entities: &[Entity]) -> Result<(), ComponentError> {
        let chain = self.inner.chain()?;
        let mut about: BTreeMap<TypeId, (&'static str, &Entity)> = BTreeMap::new();
        let offered = chain.iter().flat_map(|level| &level.provided);
        let offered = offered.filter_map(|offer| {
            let entity = offer.entity.as_ref()?.name();
            Some((offer.type_id, offer.type_name, entity))
        });
        let made = self.inner.registry.iter();
        let made = made.filter_map(|one| Some(((one.type_id)(), (one.type_name)(), one.entity?)));
        for (type_id, type_name, name) in offered.chain(made) {
            let Some(entity) = entities.iter().find(|entity| entity.name() == name) else {
                continue;
            };
            let (_, other) = about.entry(type_id).or_insert((type_name, entity));
            if *other != entity {
                return Err(ComponentError::FixatedTwice {
                    type_name,
                    entities: [other.to_string(), entity.to_string()],
                });
            }
        }
        let mut state = self.inner.state.lock();
        state.fixated.extend(entities.iter().cloned());
        Ok(())
    }

    /// Says what did not put its instances here, in words ("extension `x` (disabled by …)"): whoever asks here or further within
    /// for a type of the crate `krate` and gets none reads it in the error.
    pub fn tell_absent(&self, krate: &'static str, what: impl Into<String>) {
        let what = what.into();
        self.inner.state.lock().absent.push(Absent { krate, what });
    }

    /// What was put into this scope, in that order: without what lies in the scopes around it.
    pub fn provided(&self) -> Vec<ProvidedComponent> {
        let state = self.inner.state.lock();
        let provided = state.provided.iter();
        provided
            .map(|one| ProvidedComponent {
                type_id: one.offer.type_id,
                type_name: one.offer.type_name,
                can: one.offer.can,
                entity: one.offer.entity.clone(),
            })
            .collect()
    }
}
