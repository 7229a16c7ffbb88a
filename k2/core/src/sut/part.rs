//! What an addon adds to a SUT.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// What one addon knows about one SUT: its answer to [`DESCRIBE_SUT`](super::DESCRIBE_SUT).
///
/// ```
/// use k2_core::sut::SutPart;
///
/// struct Telnet {
///     port: u64,
/// }
///
/// let part = SutPart::new()
///     .can("telnet")
///     .attribute("telnet.port", 23)
///     .with(Telnet { port: 23 });
/// ```
#[derive(Default)]
pub struct SutPart {
    pub(super) can: Vec<String>,
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) log_sources: Vec<String>,
    pub(super) values: Vec<(TypeId, &'static str, Value)>,
}

pub(super) type Value = Arc<dyn Any + Send + Sync>;

impl SutPart {
    /// Nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a capability.
    #[must_use]
    pub fn can(mut self, word: impl Into<String>) -> Self {
        self.can.push(word.into());
        self
    }

    /// Adds a text that people and executables can read: attribute `telnet.port` is the variable `K2_SUT_TELNET_PORT`. Nothing secret.
    #[must_use]
    pub fn attribute(mut self, key: impl Into<String>, value: impl fmt::Display) -> Self {
        self.attributes.insert(key.into(), value.to_string());
        self
    }

    /// Adds something that logs on behalf of the SUT.
    #[must_use]
    pub fn log_source(mut self, name: impl Into<String>) -> Self {
        self.log_sources.push(name.into());
        self
    }

    /// Adds a value that is found by its type: [`Sut::part`](super::Sut::part).
    #[must_use]
    pub fn with<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        let name = std::any::type_name::<T>();
        self.values.push((TypeId::of::<T>(), name, Arc::new(value)));
        self
    }
}

impl fmt::Debug for SutPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values: Vec<_> = self.values.iter().map(|(_, name, _)| name).collect();
        f.debug_struct("SutPart")
            .field("can", &self.can)
            .field("attributes", &self.attributes)
            .field("log_sources", &self.log_sources)
            .field("values", &values)
            .finish()
    }
}
