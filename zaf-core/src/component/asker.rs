//! Who asks for components and is neither a component nor a handler, for lists.

use super::Requirement;

/// Somebody who asks for components.
#[derive(Debug, Clone)]
pub struct Asker {
    by: &'static str,
    name: String,
    requirements: &'static [Requirement],
}

impl Asker {
    /// `by` says what sort of asker, `test case` for example.
    pub const fn new(by: &'static str, name: String, requirements: &'static [Requirement]) -> Self {
        Self {
            by,
            name,
            requirements,
        }
    }

    /// What sort of asker.
    pub const fn by(&self) -> &'static str {
        self.by
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it asks for.
    pub const fn requirements(&self) -> &'static [Requirement] {
        self.requirements
    }
}

/// All askers of one sort, found when somebody wants to know. A framework that calls functions with components puts this into
/// the session, so that circles are found when an application is loaded, and the command `components` can list who needs what;
/// of several the last one counts.
#[derive(Debug, Clone, Copy)]
pub struct Askers {
    find: fn() -> Vec<Asker>,
    scopes: &'static [&'static str],
}

impl Askers {
    /// Found by this function, in the order of the list. They ask in the session.
    pub const fn found_by(find: fn() -> Vec<Asker>) -> Self {
        Self {
            find,
            scopes: &["session"],
        }
    }

    /// The scopes that they ask in, from the session to the innermost.
    #[must_use]
    pub const fn in_scopes(self, scopes: &'static [&'static str]) -> Self {
        Self { scopes, ..self }
    }

    /// All of them.
    pub fn find(&self) -> Vec<Asker> {
        (self.find)()
    }

    /// The scopes that they ask in, the outermost first.
    pub const fn scopes(&self) -> &'static [&'static str] {
        self.scopes
    }
}
