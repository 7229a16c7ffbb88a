//! What is known about a case before anybody runs it.

use std::sync::Arc;
use std::time::Duration;

use zaf_core::component::Requirement;

use super::{ExpectedToFail, Isolation, Location, Variants};
use crate::sut::Each;

/// What is said about a case where it is declared, and what its variants have in common. They share it: a run may have ten
/// thousands of them.
///
/// Its fields are read and written through the [`TestCase`](super::TestCase); the first one that is written to a variant makes a
/// declaration of its own for it.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Declaration {
    /// What it checks, in the author's words; may be empty.
    pub description: String,
    /// Who looks after it: a person or a team, as its author writes it.
    pub owner: Option<Arc<str>>,
    /// Where it is written, if that is known.
    pub location: Option<Location>,
    /// The source that it was found in, as it was typed, and the word for its kind.
    pub source: Option<(Arc<str>, Arc<str>)>,
    /// The class within its module, which is the part of the id in front of the last one; components of the scope `class` are shared
    /// within it.
    pub class: Option<Arc<str>>,
    /// Words to select cases by.
    pub tags: Vec<String>,
    /// What it needs for itself while it runs: names, sorted, each once. Cases that need the same take turns.
    pub resources: Vec<String>,
    /// Own time limit, instead of the run's.
    pub timeout: Option<Duration>,
    /// Where its function is called, instead of where the run says; a process of its own has every other case anyway.
    pub isolation: Option<Isolation>,
    /// Why it is switched off, if it is; such a case ends as ignored without being started.
    pub disabled: Option<String>,
    /// Why it is expected to fail, if it is.
    pub expected_to_fail: Option<Box<ExpectedToFail>>,
    /// What its variants are made of; none once they are made, or if it has none.
    pub variants: Option<Arc<Variants>>,
    /// Components and systems under test that its function asks for.
    pub requirements: &'static [Requirement],
    /// Those of them that stand for one variant for each that fits; none once it is bound.
    pub each: &'static [Each],
}
