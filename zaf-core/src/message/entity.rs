//! Named instances that a message, an option or an extension instance is about.

use std::fmt;
use std::sync::Arc;

/// A named instance, for example one system under test. Cheap to clone.
///
/// The name is checked where entities come from (the options that name them), not here.
#[doc = include_str!("doc/entity.md")]
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Entity(Arc<str>);

impl Entity {
    /// The entity called `name`.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    /// Name of the entity.
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Entity({})", self.0)
    }
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for Entity {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}
