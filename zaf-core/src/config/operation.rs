//! What a source does to the list of an option with several values.
//!
//! | Written as | What it does |
//! | --- | --- |
//! | `tests.include` | adds its values in front of those that count less; the default does not count any more |
//! | `tests.include.append` | the same, but the default stays |
//! | `tests.include.replace` | everything that counts less, and the default, does not count any more |
//! | `tests.include.remove` | these values are taken out of everything that counts less, and of the default |
//!
//! The word is a part of the key, so it is spelled the same way everywhere: `--tests-include-replace`,
//! `K2_TESTS_INCLUDE_REPLACE`. Instructions of one source act on what counts less than that source, never on each other.

use super::key::Key;

/// What a source does to the list of an option with several values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Operation {
    /// Nothing is said: its values are added, and the default does not count.
    #[default]
    Add,
    /// Its values are added, to the default too.
    Append,
    /// Its values count instead of all that count less.
    Replace,
    /// Its values are taken out of what counts less.
    Remove,
}

impl Operation {
    /// Those that are said in words.
    pub const EXPLICIT: [Self; 3] = [Self::Append, Self::Replace, Self::Remove];

    /// The last word of the key; none if nothing is said.
    pub const fn word(self) -> Option<&'static str> {
        match self {
            Self::Add => None,
            Self::Append => Some("append"),
            Self::Replace => Some("replace"),
            Self::Remove => Some("remove"),
        }
    }

    /// The key under which the values of an option are given with this operation.
    pub fn key_for(self, option: &Key) -> Key {
        match self.word() {
            None => option.clone(),
            Some(word) => Key::fold(&format!("{option}.{word}")),
        }
    }

    /// The key of the option and the operation, if the last word of a key is one.
    pub(super) fn of(key: &Key) -> Option<(Key, Self)> {
        let (option, last) = key.as_str().rsplit_once('.')?;
        let operation = Self::EXPLICIT
            .into_iter()
            .find(|operation| operation.word() == Some(last))?;
        Some((Key::fold(option), operation))
    }
}
