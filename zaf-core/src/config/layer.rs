//! A layer: what one source contributes, before it is merged.

use std::fmt;
use std::sync::Arc;

use super::key::Key;
use super::option::OptionDescriptor;
use super::problem::Problem;
use super::source::{Document, Place, Priority, Source};
use super::value::Value;
use crate::message::Entity;

/// One value of a layer.
#[derive(Clone, PartialEq)]
pub struct LayerEntry {
    /// The key as it was written, for messages.
    pub spelling: String,
    /// The key.
    pub key: Key,
    /// The value, unchecked.
    pub value: Value,
    /// Where it was written.
    pub source: Source,
    /// Which bytes of which document; only for files.
    pub place: Option<Place>,
}

impl fmt::Debug for LayerEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Nobody knows here whether the value may be shown.
        write!(f, "LayerEntry({} at {})", self.spelling, self.source)
    }
}

/// What identifies a file whatever its path is (device and inode), for finding files that include each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId {
    pub(crate) device: u64,
    pub(crate) inode: u64,
}

/// What one source contributes: entries of one priority, in the order written. Keys are not checked yet, and one key can occur
/// several times only where the source is not a file.
#[derive(Debug, Clone)]
pub struct ConfigLayer {
    priority: Priority,
    source: Source,
    entries: Vec<LayerEntry>,
    document: Option<Arc<Document>>,
    file_id: Option<FileId>,
    warnings: Vec<Problem>,
}

impl ConfigLayer {
    /// An empty layer. `source` is where its values are said to come from.
    pub fn new(priority: Priority, source: Source) -> Self {
        Self {
            priority,
            source,
            entries: Vec::new(),
            document: None,
            file_id: None,
            warnings: Vec::new(),
        }
    }

    /// A layer of values that an extension provides, at [`Priority::APPLICATION`].
    pub fn from_extension(name: &str) -> Self {
        Self::new(
            Priority::APPLICATION,
            Source::Extension { name: name.into() },
        )
    }

    pub(crate) fn from_document(
        priority: Priority,
        document: Arc<Document>,
        entries: Vec<LayerEntry>,
    ) -> Self {
        Self {
            entries,
            ..Self::new(priority, Source::file(document.path(), 1, 1)).with_document(document)
        }
    }

    fn with_document(self, document: Arc<Document>) -> Self {
        Self {
            document: Some(document),
            ..self
        }
    }

    pub(crate) fn with_file_id(self, file_id: FileId) -> Self {
        Self {
            file_id: Some(file_id),
            ..self
        }
    }

    /// Adds a value for a key as it would stand in a file.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        let source = self.source.clone();
        self.push(key, value, source);
        self
    }

    /// Adds a value for an option; for one of its entities if it hangs at an entity option.
    #[must_use]
    pub fn with_option(
        self,
        option: &OptionDescriptor,
        entity: Option<&Entity>,
        value: impl Into<Value>,
    ) -> Self {
        let key = Key::of(option, entity);
        self.with(key.as_str(), value)
    }

    /// Adds a value with a source of its own, for example one flag of the command line.
    pub fn push(&mut self, key: &str, value: impl Into<Value>, source: Source) {
        self.entries.push(LayerEntry {
            spelling: key.to_owned(),
            key: Key::fold(key),
            value: value.into(),
            source,
            place: None,
        });
    }

    /// Adds something worth saying that does not stop anybody.
    pub fn warn(&mut self, warning: Problem) {
        self.warnings.push(warning);
    }

    /// Puts `prefix` and a dot in front of every key, as for files that an entity includes.
    #[must_use]
    pub fn prefixed(mut self, prefix: &str) -> Self {
        for entry in &mut self.entries {
            entry.spelling = format!("{prefix}.{}", entry.spelling);
            entry.key = Key::fold(&entry.spelling);
        }
        self
    }

    /// Takes out the entries that `chosen` accepts, in the order written; for keys that are instructions to a loader.
    pub fn extract(&mut self, mut chosen: impl FnMut(&LayerEntry) -> bool) -> Vec<LayerEntry> {
        self.entries.extract_if(.., |entry| chosen(entry)).collect()
    }

    /// Priority of all entries.
    pub fn priority(&self) -> Priority {
        self.priority
    }

    /// Where the layer comes from as a whole; for files their first line.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// The entries, in the order written.
    pub fn entries(&self) -> &[LayerEntry] {
        &self.entries
    }

    /// The document that the layer was read from; only for files.
    pub fn document(&self) -> Option<&Arc<Document>> {
        self.document.as_ref()
    }

    /// Identity of the file that the layer was read from; only for files.
    pub fn file_id(&self) -> Option<FileId> {
        self.file_id
    }

    /// What is worth saying about the layer; may be empty.
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    pub(crate) fn into_entries(self) -> Vec<LayerEntry> {
        self.entries
    }
}
