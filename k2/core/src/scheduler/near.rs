//! What was probably meant by filters of which no case has what they name.

use std::collections::{BTreeMap, BTreeSet};

use zaf_core::config::{OptionDescriptor, flag_name, nearest};

use super::filter::{Filter, FilterPatterns};
use super::options::{INCLUDE, OWNER, PARAMETERS, TAGS};
use super::tag_expression::TagExpression;
use crate::case::TestCase;

/// More than these are not listed.
const MOST: usize = 8;

/// What was asked for by name, as far as cases can have it.
#[derive(Debug, Default)]
pub(super) struct Named {
    pub(super) include: Vec<String>,
    pub(super) tags: Vec<TagExpression>,
    pub(super) owners: Vec<String>,
    pub(super) parameters: BTreeMap<String, Vec<String>>,
}

impl Named {
    /// A line for each name that none of the cases has, with the nearest that one has, or with those that there are.
    pub(super) fn unknown(&self, cases: &[TestCase]) -> Vec<String> {
        let mut lines = Vec::new();
        for pattern in &self.include {
            let alone = FilterPatterns {
                include: vec![pattern.clone()],
                ..FilterPatterns::default()
            };
            let fits = Filter::new(&alone).is_ok_and(|filter| {
                let mut ids = cases.iter().map(|case| case.id.as_str());
                ids.any(|id| filter.selects_id(id))
            });
            if !fits {
                let near = nearest(pattern, beginnings(cases));
                let near =
                    near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
                lines.push(format!(
                    "{}: no id begins with the whole parts of `{pattern}`, or fits it{near}",
                    flag(&INCLUDE.descriptor())
                ));
            }
        }
        let tags = cases.iter().flat_map(|case| &case.tags);
        let tags: BTreeSet<&str> = tags.map(String::as_str).collect();
        for tag in self.tags.iter().flat_map(TagExpression::tags) {
            lines.extend(unknown(
                &TAGS.descriptor(),
                &format!("tag `{tag}`"),
                tag,
                &tags,
            ));
        }
        let owners: Vec<String> = cases
            .iter()
            .filter_map(|case| Some(case.owner.as_deref()?.to_lowercase()))
            .collect();
        let owners = owners.iter().map(String::as_str).collect();
        for owner in &self.owners {
            lines.extend(unknown(
                &OWNER.descriptor(),
                &format!("owner `{owner}`"),
                owner,
                &owners,
            ));
        }
        let mut values: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (name, value) in cases.iter().flat_map(|case| case.parameters.iter()) {
            values.entry(name).or_default().insert(value);
        }
        let names = values.keys().copied().collect();
        for (name, wanted) in &self.parameters {
            let Some(known) = values.get(name.as_str()) else {
                let what = format!("parameter `{name}`");
                lines.extend(unknown(&PARAMETERS.descriptor(), &what, name, &names));
                continue;
            };
            for value in wanted {
                let what = format!("value `{value}` of `{name}`");
                lines.extend(unknown(&PARAMETERS.descriptor(), &what, value, known));
            }
        }
        lines
    }
}

/// Ids, and the parts of them that select several cases.
fn beginnings(cases: &[TestCase]) -> BTreeSet<&str> {
    let ids = cases.iter().map(|case| case.id.as_str());
    ids.flat_map(|id| {
        let inner = id.match_indices("::").map(|(at, _)| &id[..at]);
        let bare = id.match_indices('[').map(|(at, _)| &id[..at]);
        inner.chain(bare).chain([id])
    })
    .collect()
}

fn unknown(
    option: &OptionDescriptor,
    what: &str,
    name: &str,
    known: &BTreeSet<&str>,
) -> Option<String> {
    if known.contains(name) {
        return None;
    }
    let instead = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "none has any".to_owned(),
        None => {
            let mut all: Vec<_> = known
                .iter()
                .take(MOST)
                .map(|one| format!("`{one}`"))
                .collect();
            if known.len() > MOST {
                all.push(format!("{} more", known.len() - MOST));
            }
            format!("there are {}", all.join(", "))
        }
    };
    let flag = flag(option);
    Some(format!("{flag}: no case has the {what}; {instead}"))
}

fn flag(option: &OptionDescriptor) -> String {
    format!("--{}", flag_name(option, None))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::{CaseAction, CaseId};

    fn cases() -> Vec<TestCase> {
        ["till::adds_up.sh", "till::deep::weighs[size=1M]"]
            .map(|id| {
                let mut case =
                    TestCase::new(CaseId::new(id), CaseAction::LoadFailure(String::new()));
                case.tags = vec!["sums".to_owned(), "slow".to_owned()];
                case.owner = Some("The Till team".into());
                case
            })
            .to_vec()
    }

    #[test]
    fn what_no_case_has_is_named_with_what_is_near() {
        let tags = |text| vec![TagExpression::parse(text).unwrap()];
        let words = |words: &[&str]| {
            words
                .iter()
                .map(|&word| word.to_owned())
                .collect::<Vec<_>>()
        };
        let named = |named: Named| named.unknown(&cases()).join("\n");
        assert_eq!(
            named(Named {
                tags: tags("sum and not (slow or x)"),
                ..Named::default()
            }),
            "--tests-tags: no case has the tag `sum`; did you mean `sums`?\n--tests-tags: no case has the tag `x`; there are `slow`, `sums`"
        );
        assert_eq!(
            named(Named {
                include: words(&["til", "till", "till::dep", "*up*", "[", "till::adds_up"]),
                ..Named::default()
            }),
            "--tests-include: no id begins with the whole parts of `til`, or fits it; did you mean `till`?\n\
             --tests-include: no id begins with the whole parts of `till::dep`, or fits it; did you mean `till::deep`?\n\
             --tests-include: no id begins with the whole parts of `[`, or fits it\n\
             --tests-include: no id begins with the whole parts of `till::adds_up`, or fits it; did you mean `till::adds_up.sh`?"
        );
        assert_eq!(
            named(Named {
                owners: words(&["the till team", "tell team"]),
                ..Named::default()
            }),
            "--tests-owner: no case has the owner `tell team`; there are `the till team`"
        );
        let parameters = BTreeMap::from([("size".to_owned(), words(&["1M"]))]);
        assert_eq!(
            named(Named {
                parameters,
                ..Named::default()
            }),
            "--tests-parameters: no case has the parameter `size`; none has any"
        );
        let mut with_size = cases();
        with_size[1].parameters = [("size", "1M")].into();
        let parameters = BTreeMap::from([
            ("size".to_owned(), words(&["1M", "2M"])),
            ("sizes".to_owned(), words(&["1M"])),
        ]);
        let named = Named {
            parameters,
            ..Named::default()
        };
        assert_eq!(
            named.unknown(&with_size),
            [
                "--tests-parameters: no case has the value `2M` of `size`; did you mean `1M`?",
                "--tests-parameters: no case has the parameter `sizes`; did you mean `size`?"
            ]
        );
    }
}
