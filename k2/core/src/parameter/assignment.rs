//! `NAME=VALUE`.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::scheduler::REPETITION;

/// A text is no assignment of a value to a parameter.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AssignmentError {
    /// There is no `=`.
    #[error("`{0}` is not of the form NAME=VALUE")]
    Form(String),
    /// What stands in front of `=` cannot be a name.
    #[error(
        "`{0}` is no name of a parameter: a letter or `_`, then letters, digits, `_`, `-` and `.`"
    )]
    Name(String),
    /// The name belongs to the rounds of a run.
    #[error(
        "`{REPETITION}` is the parameter of the rounds of a case: see `--tests-repeat` instead"
    )]
    Reserved,
    /// No variable can hold the value.
    #[error("the value of `{0}` contains a NUL character")]
    Nul(String),
}

/// A value for a parameter: `NAME=VALUE`. The value is everything behind the first `=`, and may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The parameter.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl FromStr for Assignment {
    type Err = AssignmentError;

    fn from_str(text: &str) -> Result<Self, AssignmentError> {
        let Some((name, value)) = text.split_once('=') else {
            return Err(AssignmentError::Form(text.to_owned()));
        };
        check_name(name)?;
        if value.contains('\0') {
            return Err(AssignmentError::Nul(name.to_owned()));
        }
        Ok(Self {
            name: name.to_owned(),
            value: value.to_owned(),
        })
    }
}

impl fmt::Display for Assignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.name, self.value)
    }
}

/// Whether a parameter can be called like this. Names are parts of ids and of variables.
pub(super) fn check_name(name: &str) -> Result<(), AssignmentError> {
    if name == REPETITION {
        return Err(AssignmentError::Reserved);
    }
    let begins = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
    let goes_on = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    if begins && name.chars().all(goes_on) {
        Ok(())
    } else {
        Err(AssignmentError::Name(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_value_is_everything_behind_the_first_equals_sign() {
        let read = |text: &str| text.parse::<Assignment>().map(|a| (a.name, a.value));
        let pair = |name: &str, value: &str| Ok((name.to_owned(), value.to_owned()));
        assert_eq!(read("host=a=b"), pair("host", "a=b"));
        assert_eq!(read("host="), pair("host", ""));
        assert_eq!(read("host"), Err(AssignmentError::Form("host".to_owned())));
        for wrong in ["", "a b", "1a", "a[", "a,b", "a!"] {
            let text = format!("{wrong}=1");
            assert_eq!(read(&text), Err(AssignmentError::Name(wrong.to_owned())));
        }
        assert_eq!(read("repetition=1"), Err(AssignmentError::Reserved));
        assert_eq!(read("a=\0"), Err(AssignmentError::Nul("a".to_owned())));
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_as_the_same(text in "[a-z_][a-z0-9_.-]{0,5}=.{0,9}") {
            if let Ok(assignment) = text.parse::<Assignment>() {
                prop_assert_eq!(assignment.to_string(), text);
            }
        }
    }
}
