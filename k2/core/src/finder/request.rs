//! The request that brings test cases together, and how its answers become one list.
//!
//! The sources are first taken apart into [`Unit`]s: a file whose kind is known, or linked test functions. Each finder answers for
//! the units of the kinds that it knows, with their positions, so that the cases come in the order of the sources whoever found
//! them. A unit that nobody answers for is a problem: its finder is switched off.

use zaf_core::message::{EndpointId, RequestId};

use super::{Found, Problem, SourceFile, SourceKind, SourceSpec, duplicates, expand};
use crate::case::TestCase;

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
);

/// A part of a source that one finder answers for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unit {
    /// Test functions that are linked into the program.
    Linked(SourceSpec),
    /// A file.
    File(SourceFile),
}

impl Unit {
    /// What it holds.
    pub fn kind(&self) -> SourceKind {
        match self {
            Self::Linked(_) => SourceKind::Linked,
            Self::File(file) => file.kind,
        }
    }

    fn source(&self) -> &SourceSpec {
        match self {
            Self::Linked(source) => source,
            Self::File(file) => &file.source,
        }
    }
}

/// Payload of [`FIND_TEST_CASES`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindTestCases {
    /// The units in the order of the sources.
    pub units: Vec<Unit>,
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
            units.extend(expanded.files.into_iter().map(Unit::File));
            problems.extend(expanded.problems);
        }
        (Self { units }, problems)
    }

    /// The units of one kind with their positions.
    pub fn of_kind(&self, kind: SourceKind) -> impl Iterator<Item = (usize, &Unit)> {
        self.units
            .iter()
            .enumerate()
            .filter(move |(_, unit)| unit.kind() == kind)
    }

    /// All cases in the order of the sources.
    ///
    /// # Errors
    /// All problems: those given, those found, units that nobody answered for, and cases with the same id. Never empty.
    pub fn merge(
        &self,
        mut answers: Vec<FoundUnit>,
        mut problems: Vec<Problem>,
    ) -> Result<Vec<TestCase>, Vec<Problem>> {
        answers.sort_by_key(|answer| answer.position);
        for (position, unit) in self.units.iter().enumerate() {
            if answers
                .binary_search_by_key(&position, |answer| answer.position)
                .is_err()
            {
                problems.push(unanswered(unit));
            }
        }
        let mut cases = Vec::new();
        for answer in answers {
            cases.extend(answer.found.cases);
            problems.extend(answer.found.problems);
        }
        problems.extend(duplicates(&cases));
        if problems.is_empty() {
            Ok(cases)
        } else {
            Err(problems)
        }
    }
}

fn unanswered(unit: &Unit) -> Problem {
    let source = unit.source();
    let kind = unit.kind().prefix();
    let what = match unit {
        Unit::Linked(_) => "the linked test functions".to_owned(),
        Unit::File(file) => format!("`{}`", file.path.display()),
    };
    Problem::new(
        source,
        format!("no extension finds the cases of {what} (kind `{kind}`)"),
    )
    .hint("is its finder switched off? see `ext.<name>.enabled`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::{CaseAction, CaseId};

    fn linked(module: &str) -> SourceSpec {
        SourceSpec::parse(format!("rust:{module}").as_ref())
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
            .merge(vec![found(1, "b::x"), found(0, "a::x")], problems)
            .unwrap();
        let ids: Vec<_> = cases.iter().map(|case| case.id.as_str()).collect();
        assert_eq!(ids, ["a::x", "b::x"]);
    }

    #[test]
    fn a_unit_that_nobody_answers_for_is_a_problem() {
        let (request, problems) = FindTestCases::of(&[linked("a"), linked("b")]);
        let problems = request.merge(vec![found(0, "a::x")], problems).unwrap_err();
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
            .merge(vec![found(0, "x"), found(1, "x")], problems)
            .unwrap_err();
        assert_eq!(problems.len(), 1);
    }

    #[test]
    fn without_sources_the_linked_cases_are_meant() {
        let (request, problems) = FindTestCases::of(&[]);
        assert_eq!(problems, []);
        assert_eq!(request.of_kind(SourceKind::Linked).count(), 1);
    }
}
