//! The request that brings test cases together, and how its answers become one list.
//!
//! The sources are first taken apart into [`Unit`]s: a file whose kind is known, or linked test functions. Each finder answers for
//! the units of the kinds that it knows, with their positions, so that the cases come in the order of the sources whoever found
//! them. A unit that nobody answers for is a problem: its finder is switched off.
//!
//! What looks like `kind:text`, is no file and has no kind that k2 knows is a [`Recipe`]: an extension that knows the kind answers with
//! cases whose [`CaseAction::Function`](crate::case::CaseAction) runs them in its own way.

use std::path::PathBuf;
use std::sync::Arc;

use zaf_core::message::{EndpointId, RequestId};

use super::{Found, Problem, SourceFile, SourceKind, SourceSpec, duplicates, expand};
use crate::case::TestCase;
use crate::parameter::{Expanded, GivenParameters};

/// Where test cases are asked for.
pub const FINDER: EndpointId = EndpointId::new("finder", "Finds test cases in sources.");

/// Asks for test cases.
///
/// | | |
/// |---|---|
/// | kind | request, answered by each finder |
/// | sender | the commands `run` and `list`, on the main thread |
/// | endpoint | [`FINDER`] |
/// | entity | none |
/// | order | first message of a command |
pub const FIND_TEST_CASES: RequestId<FindTestCases, Vec<FoundUnit>> = RequestId::new(
    "FIND_TEST_CASES",
    "Asks each finder for the cases of the units that it knows.",
)
.portable_as_json();

/// A part of a source that one finder answers for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unit {
    /// Test functions that are linked into the program.
    Linked(SourceSpec),
    /// A file.
    File(SourceFile),
    /// Something of a kind that only an extension knows.
    Recipe(Recipe),
}

/// A source of a kind that k2 itself does not know, such as `scenario:checkout`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recipe {
    /// The word in front of the colon.
    pub kind: String,
    /// Everything behind it.
    pub text: String,
    /// The source as it was typed.
    pub source: SourceSpec,
    /// What it is if no extension knows the kind.
    unknown: Problem,
}

impl Recipe {
    /// A source that cannot be used otherwise, if it looks like a kind and a text.
    fn of(source: &SourceSpec, unknown: &Problem) -> Option<Self> {
        let (kind, text) = source.path.to_str()?.split_once(':')?;
        let is_word = kind.starts_with(|c: char| c.is_ascii_lowercase())
            && kind
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        is_word.then(|| Self {
            kind: kind.to_owned(),
            text: text.to_owned(),
            source: source.clone(),
            unknown: unknown.clone(),
        })
    }
}

impl Unit {
    /// What it holds; [`SourceKind::Auto`] for a recipe.
    pub fn kind(&self) -> SourceKind {
        match self {
            Self::Linked(_) => SourceKind::Linked,
            Self::File(file) => file.kind,
            Self::Recipe(_) => SourceKind::Auto,
        }
    }

    /// The word for what it holds.
    pub fn kind_word(&self) -> &str {
        match self {
            Self::Recipe(recipe) => &recipe.kind,
            _ => self.kind().prefix(),
        }
    }

    pub(super) fn source(&self) -> &SourceSpec {
        match self {
            Self::Linked(source) => source,
            Self::File(file) => &file.source,
            Self::Recipe(recipe) => &recipe.source,
        }
    }
}

/// Payload of [`FIND_TEST_CASES`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindTestCases {
    /// The units in the order of the sources.
    pub units: Vec<Unit>,
    /// The directory that relative paths are relative to, for finders with another one; empty if it is that of the process.
    pub directory: PathBuf,
}

/// What was found in one unit.
#[derive(Debug, Clone)]
pub struct FoundUnit {
    /// Index of the unit in the request.
    pub position: usize,
    /// Cases and problems.
    pub found: Found,
}

impl FindTestCases {
    /// The units that the sources stand for, and what cannot be used; without any source, all linked cases.
    pub fn of(sources: &[SourceSpec]) -> (Self, Vec<Problem>) {
        let mut units = Vec::new();
        let mut problems = Vec::new();
        if sources.is_empty() {
            units.push(Unit::Linked(SourceSpec::parse("rust:".as_ref())));
        }
        for source in sources {
            if source.kind == SourceKind::Linked {
                units.push(Unit::Linked(source.clone()));
                continue;
            }
            let expanded = expand(std::slice::from_ref(source));
            let recipe = match &expanded.problems[..] {
                [unknown] if source.kind == SourceKind::Auto && !source.path.exists() => {
                    Recipe::of(source, unknown)
                }
                _ => None,
            };
            if let Some(recipe) = recipe {
                units.push(Unit::Recipe(recipe));
                continue;
            }
            units.extend(expanded.files.into_iter().map(Unit::File));
            problems.extend(expanded.problems);
        }
        let directory = PathBuf::new();
        (Self { units, directory }, problems)
    }

    /// The units of one kind with their positions.
    pub fn of_kind(&self, kind: SourceKind) -> impl Iterator<Item = (usize, &Unit)> {
        self.units
            .iter()
            .enumerate()
            .filter(move |(_, unit)| unit.kind() == kind)
    }

    /// The recipes of one kind with their positions.
    pub fn recipes<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = (usize, &'a Recipe)> {
        let units = self.units.iter().enumerate();
        units.filter_map(move |(position, unit)| match unit {
            Unit::Recipe(recipe) if recipe.kind == kind => Some((position, recipe)),
            _ => None,
        })
    }

    /// All cases in the order of the sources, each with its source and with its variants made.
    ///
    /// # Errors
    /// All problems: those given, those found, units that nobody answered for, those of parameters, and cases with the same id. Never
    /// empty.
    pub fn merge(
        &self,
        mut answers: Vec<FoundUnit>,
        mut problems: Vec<Problem>,
        given: &GivenParameters,
    ) -> Result<Expanded, Vec<Problem>> {
        answers.sort_by_key(|answer| answer.position);
        for (position, unit) in self.units.iter().enumerate() {
            if answers
                .binary_search_by_key(&position, |answer| answer.position)
                .is_err()
            {
                problems.push(unanswered(unit));
            }
        }
        let mut cases: Vec<TestCase> = Vec::new();
        for answer in answers {
            let unit = self.units.get(answer.position);
            let source: Option<(Arc<str>, Arc<str>)> =
                unit.map(|unit| (unit.source().to_string().into(), unit.kind_word().into()));
            cases.extend(answer.found.cases.into_iter().map(|mut case| {
                case.source.clone_from(&source);
                case
            }));
            problems.extend(answer.found.problems);
        }
        let expanded = given.expand(cases).unwrap_or_else(|wrong| {
            problems.extend(wrong);
            Expanded::default()
        });
        problems.extend(duplicates(&expanded.cases));
        if problems.is_empty() {
            Ok(expanded)
        } else {
            Err(problems)
        }
    }
}

fn unanswered(unit: &Unit) -> Problem {
    let source = unit.source();
    let kind = unit.kind_word();
    let what = match unit {
        Unit::Linked(_) => "the linked test functions".to_owned(),
        Unit::File(file) => format!("`{}`", file.path.display()),
        Unit::Recipe(recipe) => return nobody_knows(recipe),
    };
    Problem::new(
        source,
        format!("no extension finds the cases of {what} (kind `{kind}`)"),
    )
    .hint("is its finder switched off? see `ext.<name>.enabled`")
}

/// It is a mistyped path as a rule, but its finder may be one that this command does not run.
fn nobody_knows(recipe: &Recipe) -> Problem {
    let unknown = recipe.unknown.clone();
    let kinds = unknown
        .hint
        .as_deref()
        .map_or_else(String::new, |kinds| format!("{kinds}; "));
    let hint = format!(
        "{kinds}no extension finds cases of kind `{}`; plugins do not, where a command only looks",
        recipe.kind
    );
    unknown.hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::{CaseAction, CaseId};

    fn linked(module: &str) -> SourceSpec {
        SourceSpec::parse(format!("rust:{module}").as_ref())
    }

    fn none() -> GivenParameters {
        GivenParameters::default()
    }

    fn found(position: usize, id: &str) -> FoundUnit {
        let case = TestCase::new(CaseId::new(id), CaseAction::LoadFailure(String::new()));
        FoundUnit {
            position,
            found: Found {
                cases: vec![case],
                problems: Vec::new(),
            },
        }
    }

    #[test]
    fn cases_come_in_the_order_of_the_sources_whoever_found_them() {
        let (request, problems) = FindTestCases::of(&[linked("a"), linked("b")]);
        let cases = request
            .merge(vec![found(1, "b::x"), found(0, "a::x")], problems, &none())
            .unwrap()
            .cases;
        let ids: Vec<_> = cases.iter().map(|case| case.id.as_str()).collect();
        assert_eq!(ids, ["a::x", "b::x"]);
    }

    #[test]
    fn a_unit_that_nobody_answers_for_is_a_problem() {
        let (request, problems) = FindTestCases::of(&[linked("a"), linked("b")]);
        let problems = request
            .merge(vec![found(0, "a::x")], problems, &none())
            .unwrap_err();
        assert_eq!(problems.len(), 1);
        assert!(
            problems[0].to_string().contains("switched off"),
            "{}",
            problems[0]
        );
    }

    #[test]
    fn one_id_twice_is_a_problem() {
        let (request, problems) = FindTestCases::of(&[linked("a"), linked("b")]);
        let problems = request
            .merge(vec![found(0, "x"), found(1, "x")], problems, &none())
            .unwrap_err();
        assert_eq!(problems.len(), 1);
    }

    #[test]
    fn what_looks_like_a_kind_and_is_no_file_is_offered_to_extensions() {
        let source: SourceSpec = "scenario:checkout:fast".parse().unwrap();
        let (request, problems) = FindTestCases::of(&[linked("a"), source]);
        assert_eq!(problems, []);
        let recipes: Vec<_> = request
            .recipes("scenario")
            .map(|(position, recipe)| (position, recipe.text.as_str()))
            .collect();
        assert_eq!(recipes, [(1, "checkout:fast")]);
        assert_eq!(request.recipes("other").count(), 0);
        let answers = vec![found(0, "a::x"), found(1, "scenario::checkout")];
        let cases = request.merge(answers, Vec::new(), &none()).unwrap().cases;
        let source = cases[1].source.clone().unwrap();
        assert_eq!(
            (&*source.0, &*source.1),
            ("scenario:checkout:fast", "scenario")
        );
        // Nobody knows it: then it is a file that does not exist.
        let problems = request.merge(vec![found(0, "a::x")], Vec::new(), &none());
        let problems = problems.unwrap_err();
        assert_eq!(
            problems[0].message,
            "`scenario:checkout:fast` does not exist"
        );
    }

    #[test]
    fn without_sources_the_linked_cases_are_meant() {
        let (request, problems) = FindTestCases::of(&[]);
        assert_eq!(problems, []);
        assert_eq!(request.of_kind(SourceKind::Linked).count(), 1);
    }
}
