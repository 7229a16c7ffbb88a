//! Combinations of values that are left out: `flag=-s,count!=2`, or `PATTERN[flag=-s]` for the cases that match.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use thiserror::Error;

use super::assignment::{AssignmentError, check_name};
use crate::scheduler::{Filter, FilterPatterns};

/// A text is no exclusion.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ExclusionError {
    /// A part has no `=`.
    #[error("`{0}` is not of the form NAME=VALUE or NAME!=VALUE")]
    Form(String),
    /// Nothing is said.
    #[error("it has no condition: expected `NAME=VALUE,…` or `PATTERN[NAME=VALUE,…]`")]
    Empty,
    /// The bracket is not closed, or something follows it.
    #[error("`[` without a `]` at the end")]
    Open,
    /// A name cannot be one.
    #[error(transparent)]
    Name(#[from] AssignmentError),
    /// One name has two values.
    #[error("`{0}` has two values at once, which no variant has")]
    Contradiction(String),
    /// What stands in front of the bracket is no pattern.
    #[error("{0}")]
    Pattern(String),
}

/// Variants that are left out. In values, a backslash makes the next character (`,`, `]`, `\`) a part of the value, as in ids.
#[derive(Debug)]
pub struct Exclusion {
    /// The cases that are meant, and the text it was made of; all if there is none.
    pattern: Option<(String, Filter)>,
    conditions: Vec<Condition>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Condition {
    name: String,
    equal: bool,
    value: String,
}

impl Exclusion {
    /// The names that its conditions are about; some may stand twice.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.conditions
            .iter()
            .map(|condition| condition.name.as_str())
    }

    /// Whether a variant of the case with that name (its id without parameters) and these values is left out. A variant that has
    /// no parameter of one of the names is not.
    pub fn matches(&self, case: &str, parameters: &[(Arc<str>, Arc<str>)]) -> bool {
        let pattern = self.pattern.as_ref();
        pattern.is_none_or(|(_, filter)| filter.selects_id(case))
            && self.conditions.iter().all(|condition| {
                let own = parameters
                    .iter()
                    .find(|(name, _)| **name == *condition.name);
                own.is_some_and(|(_, value)| (**value == *condition.value) == condition.equal)
            })
    }
}

impl FromStr for Exclusion {
    type Err = ExclusionError;

    fn from_str(text: &str) -> Result<Self, ExclusionError> {
        let end_of_name = text.find('=').unwrap_or(text.len());
        // Names have no brackets, so one in front of the first `=` ends a pattern.
        let bracket = text.get(..end_of_name).and_then(|text| text.rfind('['));
        let (pattern, rest, bracketed) = match bracket {
            Some(at) => (&text[..at], &text[at + 1..], true),
            None => ("", text, false),
        };
        let conditions = conditions(rest, bracketed)?;
        let pattern = match pattern {
            "" => None,
            pattern => Some((pattern.to_owned(), filter(pattern)?)),
        };
        Ok(Self {
            pattern,
            conditions,
        })
    }
}

fn filter(pattern: &str) -> Result<Filter, ExclusionError> {
    let patterns = FilterPatterns {
        include: vec![pattern.to_owned()],
        ..FilterPatterns::default()
    };
    Filter::new(&patterns).map_err(|problems| {
        let problems: Vec<_> = problems
            .iter()
            .filter_map(std::error::Error::source)
            .map(ToString::to_string)
            .collect();
        ExclusionError::Pattern(format!("`{pattern}`: {}", problems.join(", ")))
    })
}

/// Splits at commas that no backslash stands in front of; with a bracket, up to one that ends the text.
fn conditions(text: &str, bracketed: bool) -> Result<Vec<Condition>, ExclusionError> {
    let mut parts = vec![String::new()];
    let mut closed = false;
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        if closed {
            return Err(ExclusionError::Open);
        }
        let last = parts.last_mut();
        match (c, last) {
            (',', _) => parts.push(String::new()),
            (']', _) if bracketed => closed = true,
            ('\\', Some(last)) => last.push(characters.next().unwrap_or('\\')),
            (c, Some(last)) => last.push(c),
            (_, None) => {}
        }
    }
    if bracketed && !closed {
        return Err(ExclusionError::Open);
    }
    if parts.iter().all(String::is_empty) {
        return Err(ExclusionError::Empty);
    }
    let mut conditions: Vec<Condition> = Vec::new();
    for part in &parts {
        let condition = condition(part)?;
        let other = conditions
            .iter()
            .find(|other| other.name == condition.name && other.equal && condition.equal);
        match other {
            Some(other) if other.value != condition.value => {
                return Err(ExclusionError::Contradiction(condition.name));
            }
            _ => conditions.push(condition),
        }
    }
    Ok(conditions)
}

fn condition(part: &str) -> Result<Condition, ExclusionError> {
    let Some((name, value)) = part.split_once('=') else {
        return Err(ExclusionError::Form(part.to_owned()));
    };
    let (name, equal) = match name.strip_suffix('!') {
        Some(name) => (name, false),
        None => (name, true),
    };
    check_name(name)?;
    Ok(Condition {
        name: name.to_owned(),
        equal,
        value: value.to_owned(),
    })
}

impl fmt::Display for Exclusion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((pattern, _)) = &self.pattern {
            write!(f, "{pattern}[")?;
        }
        for (index, condition) in self.conditions.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let sign = if condition.equal { "=" } else { "!=" };
            write!(f, "{comma}{}{sign}", condition.name)?;
            for c in condition.value.chars() {
                if matches!(c, ',' | ']' | '\\') {
                    f.write_str("\\")?;
                }
                write!(f, "{c}")?;
            }
        }
        if self.pattern.is_some() {
            f.write_str("]")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::case::Parameters;

    fn row(pairs: &[(&str, &str)]) -> Parameters {
        pairs.iter().copied().collect()
    }

    fn excludes(text: &str, case: &str, pairs: &[(&str, &str)]) -> bool {
        let exclusion: Exclusion = text.parse().unwrap();
        exclusion.matches(case, &row(pairs))
    }

    #[test]
    fn all_conditions_have_to_hold() {
        let both = [("flag", "-s"), ("count", "2")];
        assert!(excludes("flag=-s", "a::b", &both));
        assert!(excludes("flag=-s,count=2", "a::b", &both));
        assert!(!excludes("flag=-s,count=1", "a::b", &both));
        assert!(excludes("flag=-s,count!=1", "a::b", &both));
        // Who has no such parameter is not meant.
        assert!(!excludes("mode=x", "a::b", &both));
        assert!(!excludes("mode!=x", "a::b", &both));
    }

    #[test]
    fn a_pattern_says_which_cases_are_meant() {
        let pairs = [("flag", "-s")];
        assert!(excludes("a[flag=-s]", "a::b", &pairs));
        assert!(excludes("*b[flag=-s]", "a::b", &pairs));
        assert!(!excludes("c[flag=-s]", "a::b", &pairs));
        assert!(excludes("[flag=-s]", "a::b", &pairs));
    }

    #[test]
    fn values_are_written_as_in_ids() {
        assert!(excludes(r"x=a\,b\]\\", "c", &[("x", r"a,b]\")]));
        assert!(excludes(r"c[x=[\]]", "c", &[("x", "[]")]));
        assert!(excludes("x=a=b", "c", &[("x", "a=b")]));
        assert!(excludes("x=", "c", &[("x", "")]));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let wrong = |text: &str| text.parse::<Exclusion>().unwrap_err().to_string();
        assert!(wrong("").contains("no condition"));
        assert!(wrong("a[]").contains("no condition"));
        assert!(wrong("flag").contains("NAME=VALUE"));
        assert!(wrong("a[flag=1").contains("without a `]`"));
        assert!(wrong("a[flag=1]x").contains("without a `]`"));
        assert!(wrong("1=2").contains("no name"));
        assert!(wrong("a=1,a=2").contains("two values"));
        assert!(wrong("a{b[x=1]").contains("a{b"));
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_as_the_same(text in r"([a-z*]{0,3}\[)?[a-c]!?=[\\\],=!x]{0,6}(,[a-c]!?=[\\x]{0,3}){0,2}\]?") {
            if let Ok(exclusion) = text.parse::<Exclusion>() {
                let shown = exclusion.to_string();
                let again: Exclusion = shown.parse().unwrap();
                prop_assert_eq!(again.to_string(), shown);
                prop_assert_eq!(again.conditions, exclusion.conditions);
            }
        }
    }
}
