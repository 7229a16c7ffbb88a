//! Names of addons: what may be one, and how it is spelled where.

use std::fmt;

use thiserror::Error;

/// Longest name, in letters.
const LONGEST: usize = 64;

/// A name that is harmless as a directory, as a package and as an identifier: `[a-z][a-z0-9_]{0,63}`, and no word that a language
/// or an operating system keeps for itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AddonName(String);

/// Why a text is no name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NameError {
    /// There is nothing.
    #[error("a name has at least one letter")]
    Empty,
    /// It has more letters than are allowed.
    #[error("a name has at most {LONGEST} letters; this has {0}")]
    Long(usize),
    /// Something is in it that is no part of a name.
    #[error(
        "`{name}` is no name: {found} {at}, but a name is a small letter and then small letters, digits and `_`"
    )]
    Letter {
        /// The text, printable.
        name: String,
        /// What is wrong in it, printable.
        found: String,
        /// Where.
        at: &'static str,
    },
    /// It is kept by somebody.
    #[error("`{name}` is {whose}")]
    Reserved {
        /// The word.
        name: String,
        /// Whose word it is.
        whose: &'static str,
    },
}

impl NameError {
    /// A name that is near, if there is one.
    pub fn suggestion(text: &str) -> Option<AddonName> {
        let mut name = String::new();
        for letter in text.chars() {
            let letter = letter.to_ascii_lowercase();
            if letter.is_ascii_lowercase() || (letter.is_ascii_digit() && !name.is_empty()) {
                name.push(letter);
            } else if !name.is_empty() && !name.ends_with('_') {
                name.push('_');
            }
        }
        name.truncate(LONGEST);
        let name = name.trim_end_matches('_');
        AddonName::new(name)
            .or_else(|_| AddonName::new(&format!("{name}_addon")))
            .ok()
    }
}

impl AddonName {
    /// The name, if the text is one.
    ///
    /// # Errors
    /// [`NameError`]: what is wrong with it.
    pub fn new(text: &str) -> Result<Self, NameError> {
        let Some(first) = text.chars().next() else {
            return Err(NameError::Empty);
        };
        let letter = |found: char, at| NameError::Letter {
            name: text.escape_debug().to_string(),
            found: format!("it has `{}`", found.escape_debug()),
            at,
        };
        if !first.is_ascii_lowercase() {
            return Err(letter(first, "at its beginning"));
        }
        let is_inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if let Some(wrong) = text.chars().find(|c| !is_inner(*c)) {
            return Err(letter(wrong, "in it"));
        }
        if text.len() > LONGEST {
            return Err(NameError::Long(text.len()));
        }
        let name = Self(text.to_owned());
        match name.whose() {
            Some(whose) => Err(NameError::Reserved {
                name: name.0,
                whose,
            }),
            None => Ok(name),
        }
    }

    /// The name, if it is also not the name of an extension that is there: two would hide each other.
    ///
    /// # Errors
    /// [`NameError`]: what is wrong with it.
    pub(crate) fn free(text: &str, extensions: &[String]) -> Result<Self, NameError> {
        let name = Self::new(text)?;
        if extensions.contains(&name.extension()) {
            let whose = "the name of an extension that is there";
            return Err(NameError::Reserved {
                name: name.0,
                whose,
            });
        }
        Ok(name)
    }

    /// A name of a part of an addon, an option or a message: spelled like the name of one, and no word of Rust.
    ///
    /// # Errors
    /// [`NameError`]: what is wrong with it.
    pub(crate) fn member(text: &str) -> Result<Self, NameError> {
        let name = match Self::new(text) {
            Ok(name) => name,
            // What others must not be called, a part of an addon may be.
            Err(NameError::Reserved { name, .. }) if !RUST.contains(&text) => Self(name),
            Err(error) => return Err(error),
        };
        if name.krate() == text {
            Ok(name)
        } else {
            Err(NameError::Letter {
                name: text.to_owned(),
                found: "it has `_` more than once".to_owned(),
                at: "between words, or at its end",
            })
        }
    }

    /// Who keeps it for himself, however it is spelled: `fn_` becomes the package `fn`.
    fn whose(&self) -> Option<&'static str> {
        let lists: [(&[&str], &str); 6] = [
            (&RUST, "a word of Rust"),
            (&PYTHON, "a word of Python"),
            (&DEVICES, "the name of a device on some systems"),
            (
                &TAKEN,
                "the name of a package that it would be confused with",
            ),
            (&SOURCES, "a kind of source that k2 has"),
            (&USED, "a name that what is written uses for something else"),
        ];
        let spelled = [self.0.clone(), self.krate(), self.extension()];
        let kept = |words: &[&str]| spelled.iter().any(|word| words.contains(&word.as_str()));
        let of_lists = lists.iter().find(|(words, _)| kept(words));
        of_lists.map(|(_, whose)| *whose)
    }

    /// As a Rust module, and as the name of the extension: `my_probe`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As a directory and package: `my-probe`.
    pub fn package(&self) -> String {
        let words: Vec<&str> = self.words().collect();
        words.join("-")
    }

    /// As an extension, whose name is one word of the keys of options: `myprobe`.
    pub fn extension(&self) -> String {
        self.0.replace('_', "")
    }

    /// As the path of its package in Rust: `my_probe`.
    pub fn krate(&self) -> String {
        self.package().replace('-', "_")
    }

    /// As a type: `MyProbe`.
    pub fn type_name(&self) -> String {
        let capital = |word: &str| {
            let (first, rest) = word.split_at(1);
            first.to_ascii_uppercase() + rest
        };
        self.words().map(capital).collect()
    }

    /// As a constant: `MY_PROBE`.
    pub fn constant(&self) -> String {
        self.krate().to_ascii_uppercase()
    }

    /// As a part of the keys of options: `my.probe`.
    pub fn key(&self) -> String {
        self.package().replace('-', ".")
    }

    fn words(&self) -> impl Iterator<Item = &str> {
        self.0.split('_').filter(|word| !word.is_empty())
    }
}

impl fmt::Display for AddonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Keywords, strict and reserved, of all editions. Source: the Rust reference, "Keywords".
const RUST: [&str; 53] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
    "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "raw",
    "ref", "return", "safe", "self", "static", "struct", "super", "trait", "true", "try", "type",
    "typeof", "union", "unsafe", "unsized", "use", "virtual", "where", "while",
];

/// Keywords that are not words of Rust too. Source: the Python language reference, "Keywords".
const PYTHON: [&str; 21] = [
    "and", "assert", "case", "class", "def", "del", "elif", "except", "finally", "from", "global",
    "import", "is", "lambda", "none", "nonlocal", "not", "or", "pass", "raise", "with",
];

/// Names that Windows gives to devices, whatever the directory. Source: Microsoft, "Naming Files, Paths, and Namespaces".
const DEVICES: [&str; 22] = [
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8",
    "com9", "lpt1", "lpt2", "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

/// Packages that what is written here depends on, or that Cargo and the standard library have, and words that stand for several
/// extensions.
const TAKEN: [&str; 14] = [
    "all",
    "alloc",
    "build",
    "core",
    "default",
    "deps",
    "examples",
    "incremental",
    "k2",
    "proc_macro",
    "std",
    "test",
    "zaf_core",
    "zaf_harness",
];

/// Words in front of the colon of a source that k2 reads itself: a kind of test cases with that name would never be asked.
const SOURCES: [&str; 5] = ["exec", "gtest", "libtest", "rust", "tap"];

/// Names, as an addon would have them, of types and constants that templates use, and of what every Rust program knows without
/// saying so. A test of the templates finds those that are missing.
const USED: [&str; 104] = [
    "arc",
    "as_mut",
    "as_ref",
    "atomic_u64",
    "bool",
    "box",
    "cancellation",
    "case_action",
    "case_id",
    "char",
    "cli_harness",
    "clone",
    "comparison",
    "component_registry",
    "copy",
    "debug",
    "drop",
    "duration",
    "endpoint_id",
    "eq",
    "err",
    "error",
    "event_id",
    "execution",
    "exit_code",
    "extend",
    "extension",
    "extension_context",
    "extension_test_harness",
    "f32",
    "f64",
    "failed",
    "find_test_cases",
    "finder",
    "fn_mut",
    "fn_once",
    "found",
    "found_unit",
    "function",
    "hash",
    "i128",
    "i16",
    "i32",
    "i64",
    "i8",
    "instant",
    "into",
    "into_iterator",
    "isize",
    "iterator",
    "link",
    "location",
    "main",
    "max",
    "message",
    "message_bus",
    "none",
    "ok",
    "option",
    "option_id",
    "ord",
    "ordering",
    "outcome",
    "partial_eq",
    "partial_ord",
    "passed",
    "problem",
    "recipe",
    "relaxed",
    "report_file",
    "request_id",
    "requirement",
    "result",
    "results",
    "run_command",
    "run_logs",
    "runner",
    "scope",
    "send",
    "sized",
    "some",
    "source_spec",
    "str",
    "string",
    "sync",
    "test_case",
    "test_case_finished",
    "test_context",
    "test_result",
    "to_owned",
    "to_string",
    "try_from",
    "try_into",
    "u128",
    "u16",
    "u32",
    "u64",
    "u8",
    "usize",
    "vec",
    "verdict",
    "write",
    "write_reports",
    "written_report",
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn i1_what_could_leave_its_place_or_is_a_keyword_is_no_name() {
        let long = "a".repeat(300);
        for text in [
            "", ".", "..", "../../x", "/abs", "a/b", "-rf", "a\nb", "a\"b", "A", "1a", "_a", "ä",
            "a b", "a.b", "fn", "fn_", "s_elf", "class", "con", "nul", "test", "core", "result",
            "string", "u8", &long,
        ] {
            assert!(AddonName::new(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn i1_the_error_says_what_is_wrong_and_what_is_near() {
        let error = |text: &str| AddonName::new(text).unwrap_err().to_string();
        assert_eq!(
            error("a\nb"),
            r"`a\nb` is no name: it has `\n` in it, but a name is a small letter and then small letters, digits and `_`"
        );
        assert_eq!(error("fn"), "`fn` is a word of Rust");
        let near = |text: &str| NameError::suggestion(text).map(|name| name.0);
        assert_eq!(near("My Probe!"), Some("my_probe".to_owned()));
        assert_eq!(near("fn"), Some("fn_addon".to_owned()));
        assert_eq!(near("../.."), None);
    }

    #[test]
    fn a_name_is_spelled_as_each_place_wants_it() {
        let name = AddonName::new("my__probe2_").unwrap();
        assert_eq!(name.package(), "my-probe2");
        assert_eq!(name.krate(), "my_probe2");
        assert_eq!(name.type_name(), "MyProbe2");
        assert_eq!(name.constant(), "MY_PROBE2");
        assert_eq!(name.key(), "my.probe2");
    }

    proptest! {
        #[test]
        fn i1_whatever_is_a_name_is_one_harmless_word(text in ".{0,80}") {
            if let Ok(name) = AddonName::new(&text) {
                let package = name.package();
                prop_assert!(package.starts_with(|c: char| c.is_ascii_lowercase()));
                prop_assert!(package.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
                prop_assert!(!package.contains("--") && !package.ends_with('-'));
            }
            if let Some(near) = NameError::suggestion(&text) {
                prop_assert!(AddonName::new(near.as_str()).is_ok());
            }
        }
    }
}
