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
/// the session, so that the command `components` can list who needs what; of several the last one counts.
#[derive(Debug, Clone, Copy)]
pub struct Askers(fn() -> Vec<Asker>);

impl Askers {
    /// Found by this function, in the order of the list.
    pub const fn found_by(find: fn() -> Vec<Asker>) -> Self {
        Self(find)
    }

    /// All of them.
    pub fn find(&self) -> Vec<Asker> {
        (self.0)()
    }
}
