//! Takes a raw command line apart as far as the options known so far allow. Pure.
//!
//! The first passes run before all options are known, and the parser cannot help there: told to ignore unknown options, it
//! stops collecting at the first one. So the arguments are read token by token: what is known yields its value, what is not
//! known is kept as it is. The last pass uses the same tokens to put the words of the command first and to join
//! `--flag true`, and then lets the parser judge.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use clap_lex::RawArgs;

use crate::config::Operation;
use crate::message::Entity;

/// What a spelling stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Spelling {
    /// Index into the options that the table was made from.
    pub(super) option: usize,
    /// Entity whose value it sets.
    pub(super) entity: Option<Entity>,
    /// What it does to a list.
    pub(super) operation: Operation,
    /// What follows it.
    pub(super) takes: Takes,
}

/// What follows a spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// A value, in the same argument after `=` or in the next one.
    Value,
    /// Nothing, or `true` or `false`.
    Switch,
    /// Nothing; it says `false`.
    Negation,
}

/// Spellings of all known options.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// Without the leading dashes.
    pub(super) long: BTreeMap<String, Spelling>,
    pub(super) short: BTreeMap<char, Spelling>,
}

impl Table {
    /// Forgets a spelling; `flag` has its dashes.
    pub(super) fn remove(&mut self, flag: &str) {
        if let Some(long) = flag.strip_prefix("--") {
            self.long.remove(long);
        } else if let Some(letter) = flag.strip_prefix('-').and_then(|rest| rest.chars().next()) {
            self.short.remove(&letter);
        }
    }
}

/// One piece of the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// An option of the table.
    Known {
        spelling: Spelling,
        /// As typed, for messages: `--output-dir`, `-o`.
        flag: String,
        /// Nothing if the value is missing.
        value: Option<OsString>,
    },
    /// Something that begins like an option and is not in the table.
    Unknown(OsString),
    /// A word that belongs to no option.
    Word(OsString),
    /// `--` and everything behind it.
    Rest(Vec<OsString>),
}

impl Token {
    /// Whether it is the option `--name`, known or not.
    pub(super) fn is_flag(&self, name: &str) -> bool {
        match self {
            Self::Unknown(text) => text == name,
            Self::Known { flag, .. } => flag == name,
            Self::Word(_) | Self::Rest(_) => false,
        }
    }

    /// The arguments that the parser reads for this token.
    pub(super) fn arguments(&self) -> Vec<OsString> {
        match self {
            Self::Known {
                spelling,
                flag,
                value,
            } => match value {
                None => vec![flag.into()],
                Some(_) if spelling.takes == Takes::Negation => vec![flag.into()],
                // A short switch never takes a value, so it needs none.
                Some(_) if spelling.takes == Takes::Switch && !flag.starts_with("--") => {
                    vec![flag.into()]
                }
                Some(value) => {
                    let mut joined = OsString::from(flag);
                    joined.push("=");
                    joined.push(value);
                    vec![joined]
                }
            },
            Self::Unknown(text) | Self::Word(text) => vec![text.clone()],
            Self::Rest(rest) => std::iter::once("--".into())
                .chain(rest.iter().cloned())
                .collect(),
        }
    }
}

/// Takes `arguments` (without the program's name) apart.
pub(super) fn scan(arguments: &[OsString], table: &Table) -> Vec<Token> {
    let raw = RawArgs::new(arguments);
    let mut cursor = raw.cursor();
    let mut tokens = Vec::new();
    while let Some(argument) = raw.next(&mut cursor) {
        if argument.is_escape() {
            let rest = raw.remaining(&mut cursor).map(OsStr::to_owned).collect();
            tokens.push(Token::Rest(rest));
        } else if let Some((name, attached)) = argument.to_long() {
            let Some(spelling) = name.ok().and_then(|name| table.long.get(name)) else {
                tokens.push(Token::Unknown(argument.to_value_os().to_owned()));
                continue;
            };
            if spelling.takes == Takes::Negation && attached.is_some() {
                // `--no-x=false` would be a riddle; the parser refuses it.
                tokens.push(Token::Unknown(argument.to_value_os().to_owned()));
                continue;
            }
            let flag = format!("--{}", name.unwrap_or_default());
            let value = attached
                .map(OsStr::to_owned)
                .or_else(|| following_value(&raw, &mut cursor, spelling.takes));
            tokens.push(known(spelling, flag, value));
        } else if let Some(mut shorts) = argument.to_short() {
            let mut found = Vec::new();
            let mut all_known = true;
            while let Some(letter) = shorts.next_flag() {
                let Some((letter, spelling)) = letter
                    .ok()
                    .and_then(|letter| Some((letter, table.short.get(&letter)?)))
                else {
                    all_known = false;
                    break;
                };
                let flag = format!("-{letter}");
                let value = if spelling.takes == Takes::Value {
                    shorts
                        .next_value_os()
                        .map(|value| strip_equals(value).to_owned())
                        .or_else(|| following_value(&raw, &mut cursor, spelling.takes))
                } else {
                    None
                };
                found.push(known(spelling, flag, value));
            }
            if all_known {
                tokens.extend(found);
            } else {
                tokens.push(Token::Unknown(argument.to_value_os().to_owned()));
            }
        } else {
            tokens.push(Token::Word(argument.to_value_os().to_owned()));
        }
    }
    tokens
}

fn known(spelling: &Spelling, flag: String, value: Option<OsString>) -> Token {
    let value = match spelling.takes {
        Takes::Value => value,
        Takes::Switch => value.or_else(|| Some("true".into())),
        Takes::Negation => value.or_else(|| Some("false".into())),
    };
    Token::Known {
        spelling: spelling.clone(),
        flag,
        value,
    }
}

/// The next argument, if it is a value for an option that takes one: what begins with `-` is not, except negative numbers
/// and the lone dash.
fn following_value(
    raw: &RawArgs,
    cursor: &mut clap_lex::ArgCursor,
    takes: Takes,
) -> Option<OsString> {
    let next = raw.peek(cursor)?;
    let fits = match takes {
        Takes::Value => {
            !next.is_escape() && !next.is_long() && (!next.is_short() || next.is_negative_number())
        }
        Takes::Switch => matches!(next.to_value(), Ok("true" | "false")),
        Takes::Negation => false,
    };
    if !fits {
        return None;
    }
    raw.next_os(cursor).map(OsStr::to_owned)
}

/// `-o=x` means `-o x`.
fn strip_equals(value: &OsStr) -> &OsStr {
    use std::os::unix::ffi::OsStrExt;
    value
        .as_bytes()
        .strip_prefix(b"=")
        .map_or(value, OsStr::from_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn table() -> Table {
        let spelling = |option, takes| Spelling {
            option,
            entity: None,
            operation: Operation::Add,
            takes,
        };
        let mut table = Table::default();
        table
            .long
            .insert("output-dir".to_owned(), spelling(0, Takes::Value));
        table
            .long
            .insert("abort".to_owned(), spelling(1, Takes::Switch));
        table
            .long
            .insert("no-abort".to_owned(), spelling(1, Takes::Negation));
        table.short.insert('o', spelling(0, Takes::Value));
        table.short.insert('a', spelling(1, Takes::Switch));
        table
    }

    fn values(line: &[&str]) -> Vec<(usize, Option<String>)> {
        let arguments: Vec<OsString> = line.iter().map(OsString::from).collect();
        scan(&arguments, &table())
            .into_iter()
            .filter_map(|token| match token {
                Token::Known {
                    spelling, value, ..
                } => Some((
                    spelling.option,
                    value.map(|value| value.to_string_lossy().into_owned()),
                )),
                _ => None,
            })
            .collect()
    }

    fn some(option: usize, value: &str) -> (usize, Option<String>) {
        (option, Some(value.to_owned()))
    }

    #[test]
    fn options_behind_unknown_ones_are_found() {
        assert_eq!(
            values(&["run", "--ids", "sut1", "--output-dir", "x"]),
            [some(0, "x")]
        );
        assert_eq!(values(&["-z", "--output-dir=x"]), [some(0, "x")]);
    }

    #[test]
    fn f45_nothing_behind_the_double_dash_is_an_option() {
        assert_eq!(values(&["run", "--", "--output-dir", "x"]), []);
    }

    #[test]
    fn flags_take_true_or_false_and_leave_other_words() {
        assert_eq!(values(&["--abort", "false"]), [some(1, "false")]);
        assert_eq!(values(&["--abort", "tests/"]), [some(1, "true")]);
        assert_eq!(values(&["--abort=false"]), [some(1, "false")]);
        assert_eq!(values(&["--no-abort", "true"]), [some(1, "false")]);
    }

    #[test]
    fn short_flags_cluster_and_take_values() {
        assert_eq!(values(&["-ao", "x"]), [some(1, "true"), some(0, "x")]);
        assert_eq!(values(&["-ox"]), [some(0, "x")]);
        assert_eq!(values(&["-o=x"]), [some(0, "x")]);
    }

    #[test]
    fn a_missing_value_is_missing_and_a_negative_number_is_one() {
        assert_eq!(
            values(&["--output-dir", "--abort"]),
            [(0, None), some(1, "true")]
        );
        assert_eq!(values(&["--output-dir", "-5"]), [some(0, "-5")]);
        assert_eq!(values(&["--output-dir", "-"]), [some(0, "-")]);
    }

    proptest! {
        /// Reading what was scanned gives the same again: nothing is lost, nothing changes its meaning.
        #[test]
        fn scanning_twice_changes_nothing(
            line in prop::collection::vec(
                prop_oneof![
                    Just("--output-dir"), Just("--output-dir=x"), Just("--abort"), Just("--no-abort"),
                    Just("-a"), Just("-ao"), Just("-o"), Just("true"), Just("run"), Just("--bogus"),
                    Just("--"), Just("-"), Just("-7"), Just(""),
                ],
                0..8,
            )
        ) {
            let arguments: Vec<OsString> = line.iter().map(OsString::from).collect();
            let once = scan(&arguments, &table());
            let again: Vec<OsString> = once.iter().flat_map(Token::arguments).collect();
            let missing = once
                .iter()
                .any(|token| matches!(token, Token::Known { value: None, .. }));
            if !missing {
                prop_assert_eq!(scan(&again, &table()), once);
            }
        }
    }
}
