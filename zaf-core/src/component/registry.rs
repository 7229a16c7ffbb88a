//! The components that one application knows, sorted and checked.

use std::any::TypeId;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::{ComponentConflict, ComponentDescriptor};
use crate::private::ZAF_COMPONENTS;

/// The components of one application. Cheap to clone; never changes once made.
///
/// Sorted by (name, crate, file, line), so nothing depends on the order in which a linker found them.
#[derive(Clone, Default)]
pub struct ComponentRegistry(Arc<Components>);

#[derive(Default)]
struct Components {
    sorted: Vec<ComponentDescriptor>,
    /// Only looked up, never walked: its order cannot show.
    by_type: HashMap<TypeId, Vec<usize>>,
}

impl ComponentRegistry {
    /// A registry of exactly these components.
    ///
    /// # Errors
    /// All pairs that make the same type under the same name, because nothing could choose between them.
    pub fn new(
        components: impl IntoIterator<Item = ComponentDescriptor>,
    ) -> Result<Self, Vec<ComponentConflict>> {
        let mut sorted: Vec<_> = components.into_iter().collect();
        sorted.sort_by(|a, b| {
            (a.name, a.krate, a.file, a.line).cmp(&(b.name, b.krate, b.file, b.line))
        });
        let mut by_type: HashMap<TypeId, Vec<usize>> = HashMap::new();
        let mut conflicts = Vec::new();
        for (index, component) in sorted.iter().enumerate() {
            let same_type = by_type.entry((component.type_id)()).or_default();
            let twin = same_type
                .iter()
                .map(|&other: &usize| &sorted[other])
                .find(|other| other.name == component.name);
            if let Some(first) = twin {
                conflicts.push(ComponentConflict::new(first, component));
            }
            same_type.push(index);
        }
        if conflicts.is_empty() {
            Ok(Self(Arc::new(Components { sorted, by_type })))
        } else {
            Err(conflicts)
        }
    }

    /// The components of all crates that are linked into this program.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn linked() -> Result<Self, Vec<ComponentConflict>> {
        Self::new(ZAF_COMPONENTS.iter().copied())
    }

    /// A registry without components.
    pub fn empty() -> Self {
        Self::default()
    }

    /// All components, sorted by (name, crate, file, line).
    pub fn iter(&self) -> impl Iterator<Item = &ComponentDescriptor> {
        self.0.sorted.iter()
    }

    /// All components, in the order that indices refer to.
    pub(super) fn sorted(&self) -> &[ComponentDescriptor] {
        &self.0.sorted
    }

    /// Indices of the components that make a type, ascending.
    pub(super) fn of_type(&self, type_id: TypeId) -> &[usize] {
        self.0.by_type.get(&type_id).map_or(&[], Vec::as_slice)
    }
}

impl fmt::Debug for ComponentRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.iter().map(|component| component.name))
            .finish()
    }
}
