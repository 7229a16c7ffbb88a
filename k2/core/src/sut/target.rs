//! A system under test.

use std::any::TypeId;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use thiserror::Error;
use zaf_core::component::{ComponentError, Scope};
use zaf_core::message::Entity;

use super::SutPart;
use super::part::Value;

/// Two addons say different things about one SUT.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SutError {
    /// An attribute has two values.
    #[error("SUT `{sut}`: `{first}` and `{second}` both say what its attribute `{key}` is")]
    Attribute {
        /// The SUT.
        sut: String,
        /// Key of the attribute.
        key: String,
        /// Who came first.
        first: String,
        /// Who came second.
        second: String,
    },
    /// A type has two values.
    #[error("SUT `{sut}`: `{first}` and `{second}` both give it a `{type_name}`")]
    Value {
        /// The SUT.
        sut: String,
        /// Name of the type.
        type_name: &'static str,
        /// Who came first.
        first: String,
        /// Who came second.
        second: String,
    },
}

/// A system under test, with everything that the configuration and addons say about it.
///
/// A test function gets one by a parameter `sut: &Sut`; components of the scope `test` that ask for a `&Sut` get that of their case.
///
/// ```
/// use k2_core::sut::{Sut, SutPart};
///
/// let mut sut = Sut::new("box");
/// sut.add("telnet", SutPart::new().can("telnet").attribute("telnet.port", 23))?;
/// assert!(sut.can("box") && sut.can("telnet") && !sut.can("serial"));
/// assert_eq!(sut.attribute("telnet.port"), Some("23"));
/// # Ok::<(), k2_core::sut::SutError>(())
/// ```
#[derive(Clone)]
pub struct Sut {
    entity: Entity,
    /// Where it can be reached, if that was said.
    pub ip: Option<String>,
    /// Longest time from a cause of a reset to its beginning.
    pub reset_started_timeout: Duration,
    /// Longest time from the beginning of a reset to its end.
    pub reset_done_timeout: Duration,
    /// Whether several cases may use it at the same time.
    pub shared: bool,
    can: BTreeSet<String>,
    log_sources: Vec<String>,
    /// Who gave it, and the value.
    attributes: BTreeMap<String, (Arc<str>, String)>,
    values: BTreeMap<TypeId, (Arc<str>, Value)>,
    /// The capabilities in the form in which components compare them.
    words: OnceLock<&'static [&'static str]>,
}

impl Sut {
    /// A SUT that can nothing but be itself, with the default limits.
    pub fn new(name: &str) -> Self {
        Self {
            entity: Entity::new(name),
            ip: None,
            reset_started_timeout: Duration::from_mins(1),
            reset_done_timeout: Duration::from_mins(2),
            shared: false,
            can: BTreeSet::from([name.to_owned()]),
            log_sources: Vec::new(),
            attributes: BTreeMap::new(),
            values: BTreeMap::new(),
            words: OnceLock::new(),
        }
    }

    /// Adds what somebody knows; `by` is named if it contradicts what somebody else has said.
    ///
    /// # Errors
    /// [`SutError`] at the first contradiction.
    pub fn add(&mut self, by: &str, part: SutPart) -> Result<(), SutError> {
        let by: Arc<str> = by.into();
        self.words = OnceLock::new();
        self.can.extend(part.can);
        for source in part.log_sources {
            if !self.log_sources.contains(&source) {
                self.log_sources.push(source);
            }
        }
        for (key, value) in part.attributes {
            if let Some((first, _)) = self.attributes.get(&key) {
                return Err(SutError::Attribute {
                    sut: self.name().to_owned(),
                    key,
                    first: first.to_string(),
                    second: by.to_string(),
                });
            }
            self.attributes.insert(key, (Arc::clone(&by), value));
        }
        for (type_id, type_name, value) in part.values {
            if let Some((first, _)) = self.values.get(&type_id) {
                return Err(SutError::Value {
                    sut: self.name().to_owned(),
                    type_name,
                    first: first.to_string(),
                    second: by.to_string(),
                });
            }
            self.values.insert(type_id, (Arc::clone(&by), value));
        }
        Ok(())
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.entity.name()
    }

    /// It as the entity of messages and options.
    pub fn entity(&self) -> &Entity {
        &self.entity
    }

    /// Whether it can this; its own name is among what it can.
    pub fn can(&self, word: &str) -> bool {
        self.can.contains(word)
    }

    /// Everything that it can, sorted.
    pub fn capabilities(&self) -> impl Iterator<Item = &str> {
        self.can.iter().map(String::as_str)
    }

    /// Names of what logs on behalf of it; the configuration's first.
    pub fn log_sources(&self) -> &[String] {
        &self.log_sources
    }

    /// A text that an addon has added.
    pub fn attribute(&self, key: &str) -> Option<&str> {
        self.attributes.get(key).map(|(_, value)| value.as_str())
    }

    /// All texts that addons have added, sorted by key.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.attributes.iter();
        all.map(|(key, (_, value))| (key.as_str(), value.as_str()))
    }

    /// What an addon has added of this type.
    pub fn part<T: Send + Sync + 'static>(&self) -> Option<&T> {
        let (_, value) = self.values.get(&TypeId::of::<T>())?;
        value.downcast_ref()
    }

    /// Makes it the answer to whoever asks for a `&Sut` in this scope and those within.
    ///
    /// # Errors
    /// [`ComponentError::Ended`].
    pub fn provide(self: &Arc<Self>, scope: &Scope) -> Result<(), ComponentError> {
        scope.provide_as(Arc::clone(self), self.words())
    }

    /// What it can, to be compared with what descriptors ask for. Those are constants of the program, and so this lives as long as
    /// the program too: once for each SUT that is given to a case.
    fn words(&self) -> &'static [&'static str] {
        self.words.get_or_init(|| {
            let words = self.can.iter().map(|word| &*word.clone().leak());
            words.collect::<Vec<_>>().leak()
        })
    }
}

impl fmt::Debug for Sut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sut")
            .field("name", &self.name())
            .field("ip", &self.ip)
            .field("can", &self.can)
            .field("attributes", &self.attributes)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Sut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addons_add_and_contradictions_name_both() {
        let mut sut = Sut::new("box");
        sut.add("telnet", SutPart::new().attribute("port", 23).with(7_u8))
            .unwrap();
        sut.add("serial", SutPart::new().can("serial").log_source("tty"))
            .unwrap();
        assert_eq!(sut.part::<u8>(), Some(&7));
        assert_eq!(sut.part::<u16>(), None);
        assert_eq!(sut.capabilities().collect::<Vec<_>>(), ["box", "serial"]);
        assert_eq!(sut.log_sources(), ["tty"]);
        let twice = sut.add("ssh", SutPart::new().attribute("port", 22));
        let said = twice.unwrap_err().to_string();
        assert!(
            said.contains("`telnet` and `ssh`") && said.contains("`port`"),
            "{said}"
        );
        let twice = sut.add("ssh", SutPart::new().with(8_u8));
        assert!(twice.unwrap_err().to_string().contains("`u8`"));
    }
}
