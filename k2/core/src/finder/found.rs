//! What a search brings back.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::path::{Path, PathBuf};

use crate::case::{CaseId, TestCase};

/// Cases, and what could not be used.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// The cases, in the order of their sources.
    pub cases: Vec<TestCase>,
    /// What could not be used; a run must not start as if these had not been asked for.
    pub problems: Vec<Problem>,
}

impl Found {
    /// Adds what another search has found.
    pub fn extend(&mut self, other: Self) {
        self.cases.extend(other.cases);
        self.problems.extend(other.problems);
    }
}

/// Something that was asked for and cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The source as the user typed it.
    pub source: String,
    /// What is wrong, naming the file or the cases.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem without a hint.
    pub fn new(source: impl fmt::Display, message: impl Into<String>) -> Self {
        Self {
            source: source.to_string(),
            message: message.into(),
            hint: None,
        }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Problem {
    /// The message, and the hint in parentheses.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

/// One problem for each id that more than one case has, naming all the places they come from; in the order of the first
/// of them. Results are kept by id, so such cases cannot be told apart.
pub fn duplicates(cases: &[TestCase]) -> Vec<Problem> {
    // As a rule there are none, and to find that out takes less than to group them.
    let mut seen = HashSet::with_capacity(cases.len());
    if cases.iter().all(|case| seen.insert(&case.id)) {
        return Vec::new();
    }
    drop(seen);
    let mut by_id: BTreeMap<&CaseId, Vec<usize>> = BTreeMap::new();
    for (index, case) in cases.iter().enumerate() {
        by_id.entry(&case.id).or_default().push(index);
    }
    let mut groups: Vec<_> = by_id.into_iter().filter(|(_, at)| at.len() > 1).collect();
    groups.sort_by_key(|(_, at)| at[0]);
    groups
        .into_iter()
        .map(|(id, at)| {
            let places: Vec<String> = at
                .iter()
                .map(|&index| match &cases[index].location {
                    Some(location) => location.to_string(),
                    None => "an unknown place".to_owned(),
                })
                .collect();
            let same = at.windows(2).all(|pair| {
                let [one, other] = [0, 1].map(|n| pair.get(n).and_then(|&at| place_of(&cases[at])));
                one == other
            });
            let problem = Problem::new(
                id,
                format!(
                    "{} cases have the id `{id}`: {}",
                    at.len(),
                    places.join(" and ")
                ),
            );
            problem.hint(if same {
                "the same source is named more than once"
            } else {
                "rename all but one of them"
            })
        })
        .collect()
}

/// The file that a case comes from, however it was spelled, and the line.
fn place_of(case: &TestCase) -> Option<(PathBuf, Option<u32>)> {
    let location = case.location.as_ref()?;
    let file = Path::new(&*location.file);
    let file = file.canonicalize().unwrap_or_else(|_| file.to_owned());
    Some((file, location.line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::{CaseAction, Location};

    #[test]
    fn duplicate_ids_name_all_places() {
        let case = |id: &str, file: &str| {
            let action = CaseAction::LoadFailure(String::new());
            let mut case = TestCase::new(CaseId::new(id), action);
            case.location = Some(Location::line(file, 3));
            case
        };
        let cases = [
            case("b", "x.rs"),
            case("a", "x.rs"),
            case("c", "x.rs"),
            case("b", "y.rs"),
            case("c", "x.rs"),
        ];
        let problems = duplicates(&cases);
        let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "2 cases have the id `b`: x.rs:3 and y.rs:3 (rename all but one of them)",
                "2 cases have the id `c`: x.rs:3 and x.rs:3 (the same source is named more than once)",
            ]
        );
        assert_eq!(duplicates(&cases[..3]), []);
    }
}
