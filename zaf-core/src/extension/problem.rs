//! What is wrong with extensions, for commands that run in spite of it.

use super::LoadError;

/// What is wrong with extensions, in the order of loading: a component of commands that use
/// [`INSPECTION`](crate::command::INSPECTION). Empty if all is well.
#[derive(Debug, Clone, Default)]
pub struct LoadProblems {
    list: Vec<LoadProblem>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoadProblem {
    /// Name of the extension; none if several contradict each other.
    pub extension: Option<&'static str>,
    /// The error with its causes, on one line if its parts are.
    pub text: String,
}

impl LoadProblems {
    /// What these errors say.
    pub fn of(errors: &[LoadError]) -> Self {
        let list = errors
            .iter()
            .map(|error| LoadProblem {
                extension: error.extension(),
                text: error.with_causes(),
            })
            .collect();
        Self { list }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &LoadProblem> {
        self.list.iter()
    }

    /// Those of one extension.
    pub fn of_extension<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a LoadProblem> {
        self.list
            .iter()
            .filter(move |problem| problem.extension == Some(name))
    }
}
