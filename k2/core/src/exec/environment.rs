//! Variables for the commands of a case, set and given back.

use std::ffi::{OsStr, OsString};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::supervisor::ProcessSpec;

/// Changes to the environment that commands are started in. Clones are the same environment.
///
/// The environment of this process itself is never changed: all cases that run at the same time share it, and other threads may read it
/// at any moment.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    changes: Arc<Mutex<Changes>>,
}

#[derive(Debug, Default)]
struct Changes {
    /// In the order in which they were made.
    made: Vec<Change>,
    next: u64,
}

#[derive(Debug)]
struct Change {
    number: u64,
    name: OsString,
    /// `None` takes the variable away.
    value: Option<OsString>,
}

/// A change to an [`Environment`], which is taken back when this is dropped.
#[must_use = "the change is taken back as soon as this is dropped"]
#[derive(Debug)]
pub struct EnvironmentGuard {
    changes: Arc<Mutex<Changes>>,
    number: u64,
}

impl Environment {
    /// Sets a variable, as long as the guard lives.
    pub fn set(&self, name: impl Into<OsString>, value: impl Into<OsString>) -> EnvironmentGuard {
        self.change(name.into(), Some(value.into()))
    }

    /// Takes a variable away, as long as the guard lives.
    pub fn remove(&self, name: impl Into<OsString>) -> EnvironmentGuard {
        self.change(name.into(), None)
    }

    /// What this environment says about a variable: `None` if nothing, `Some(None)` if it was taken away.
    pub fn get(&self, name: impl AsRef<OsStr>) -> Option<Option<OsString>> {
        let changes = self.changes.lock();
        let mut made = changes.made.iter().rev();
        made.find(|change| change.name == name.as_ref())
            .map(|change| change.value.clone())
    }

    fn change(&self, name: OsString, value: Option<OsString>) -> EnvironmentGuard {
        let mut changes = self.changes.lock();
        let number = changes.next;
        changes.next += 1;
        changes.made.push(Change {
            number,
            name,
            value,
        });
        EnvironmentGuard {
            changes: Arc::clone(&self.changes),
            number,
        }
    }

    pub(super) fn apply(&self, spec: &mut ProcessSpec) {
        for change in &self.changes.lock().made {
            spec.environment.retain(|(name, _)| *name != change.name);
            spec.without.retain(|name| *name != change.name);
            match &change.value {
                Some(value) => {
                    let variable = (change.name.clone(), value.clone());
                    spec.environment.push(variable);
                }
                None => spec.without.push(change.name.clone()),
            }
        }
    }
}

impl Drop for EnvironmentGuard {
    fn drop(&mut self) {
        let mut changes = self.changes.lock();
        changes.made.retain(|change| change.number != self.number);
    }
}
