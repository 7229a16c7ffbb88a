//! Who asked for a component, as a component.

use std::fmt;

/// Who asked: a handler, a command, a test case. A component whose function takes `&Requester` is told for whom its instance was
/// made.
///
/// That is whoever came first: who asks later gets the same instance, so a component that needs to tell askers apart lives in a
/// scope of theirs (`dispatcher`, `message`, `test`). The requester is no part of what makes two instances differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requester {
    kind: &'static str,
    name: String,
}

impl Requester {
    /// `kind` says in a word or two what sort of asker: `handler`, `command`, `test case`.
    pub fn new(kind: &'static str, name: impl Into<String>) -> Self {
        Self {
            kind,
            name: name.into(),
        }
    }

    /// What sort of asker: `handler`, `command`, `test case`; `scope` if somebody asks in a scope without saying who.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// Extension and handler with a dot between, path of the command, id of the test case, name of the scope.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for Requester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.kind, self.name)
    }
}
