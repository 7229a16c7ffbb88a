//! Collects the options that extensions and commands ask for. Pure.
//!
//! Several may ask for one option: they share it if they agree on everything that decides what a value means. Identity is the
//! folded key, so `my_opt`, `my-opt` and `my.opt` cannot be three options.

use std::collections::BTreeMap;
use std::fmt;
use std::fmt::Write as _;

use super::ExtensionDescriptor;
use super::error::LoadError;
use crate::command::CommandDescriptor;
use crate::config::{ConfigOption, DefaultValue, Key, OptionDescriptor};

/// Who asks for an option.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Requester {
    /// The application itself.
    Application,
    /// An extension.
    Extension(&'static str, Place),
    /// A command.
    Command(&'static CommandDescriptor),
}

/// Crate, file and line of a declaration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Place {
    /// Crate that declares it.
    pub krate: &'static str,
    /// Source file.
    pub file: &'static str,
    /// Line, from 1.
    pub line: u32,
}

impl Place {
    /// Where an extension is declared.
    pub fn of(extension: &ExtensionDescriptor) -> Self {
        Self {
            krate: extension.krate,
            file: extension.file,
            line: extension.line,
        }
    }
}

impl fmt::Display for Place {
    /// "crate `x`, src/lib.rs:1".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "crate `{}`, {}:{}", self.krate, self.file, self.line)
    }
}

impl Requester {
    /// The extension, as a requester.
    pub fn extension(extension: &ExtensionDescriptor) -> Self {
        Self::Extension(extension.name, Place::of(extension))
    }

    /// Name of who asks, as the store keeps it.
    pub(super) fn owner(&self) -> String {
        match self {
            Self::Application => "application".to_owned(),
            Self::Extension(name, _) => (*name).to_owned(),
            Self::Command(command) => command.path(),
        }
    }
}

impl fmt::Display for Requester {
    /// "extension `x` (crate `y`, src/lib.rs:1)".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Application => f.write_str("the application"),
            Self::Extension(name, place) => write!(f, "extension `{name}` ({place})"),
            Self::Command(command) => write!(
                f,
                "command `{}` (crate `{}`, {}:{})",
                command.path(),
                command.krate,
                command.file,
                command.line
            ),
        }
    }
}

/// An option and all who ask for it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct OptionEntry {
    /// The option as the first of them declares it.
    pub option: OptionDescriptor,
    /// Whether one of them cannot do without a value. An option that makes instances is not required: without a value there
    /// are none. See [`Catalog::required_options`](super::Catalog::required_options) for what one command needs.
    pub required: bool,
    /// Who asks for it, in load order; not empty.
    pub requested_by: Vec<Requester>,
}

impl OptionEntry {
    /// In words, for messages.
    fn first_requester(&self) -> String {
        let first = self.requested_by.first();
        first.map_or_else(String::new, ToString::to_string)
    }
}

/// All options, sorted by folded key, and where requests contradict each other. In a conflict the first request stays.
pub(super) fn collect(
    requests: impl IntoIterator<Item = (Requester, ConfigOption)>,
) -> (BTreeMap<Key, OptionEntry>, Vec<LoadError>) {
    let mut options: BTreeMap<Key, OptionEntry> = BTreeMap::new();
    let mut problems = Vec::new();
    for (requester, request) in requests {
        let key = Key::of(&request.option, None);
        let required = needs_value(&request);
        let Some(entry) = options.get_mut(&key) else {
            options.insert(
                key,
                OptionEntry {
                    option: request.option,
                    required,
                    requested_by: vec![requester],
                },
            );
            continue;
        };
        let first = entry
            .requested_by
            .first()
            .copied()
            .unwrap_or(Requester::Application);
        if entry.option.key != request.option.key {
            problems.push(LoadError::OptionNamesFold {
                keys: [entry.option.key, request.option.key],
                by: [first.to_string(), requester.to_string()],
            });
        } else if meaning(&entry.option) == meaning(&request.option) {
            entry.required |= required;
            entry.requested_by.push(requester);
        } else {
            problems.push(LoadError::OptionConflict {
                key: request.option.key,
                declared: [meaning(&entry.option), meaning(&request.option)],
                by: [first.to_string(), requester.to_string()],
            });
        }
    }
    (options, problems)
}

/// Options of one command line that have one letter. The first keeps it.
pub(super) fn letters<'a>(
    options: impl IntoIterator<Item = &'a OptionEntry>,
) -> impl Iterator<Item = LoadError> {
    let mut first: BTreeMap<char, &OptionEntry> = BTreeMap::new();
    options.into_iter().filter_map(move |entry| {
        let letter = entry.option.short?;
        let Some(first) = first.get(&letter) else {
            first.insert(letter, entry);
            return None;
        };
        Some(LoadError::OptionLetters {
            letter,
            keys: [first.option.key, entry.option.key],
            by: [first.first_requester(), entry.first_requester()],
        })
    })
}

/// Of options that each take the rest of one command line, all but the first.
pub(super) fn rests<'a>(
    options: impl IntoIterator<Item = &'a OptionEntry>,
) -> impl Iterator<Item = LoadError> {
    let mut first: Option<&OptionEntry> = None;
    options.into_iter().filter_map(move |entry| {
        let Some(first) = first else {
            first = Some(entry);
            return None;
        };
        Some(LoadError::OptionArguments {
            keys: [first.option.key, entry.option.key],
            by: [first.first_requester(), entry.first_requester()],
        })
    })
}

/// Whether nothing can be done without a value for this request.
pub(super) const fn needs_value(request: &ConfigOption) -> bool {
    request.required && !request.instantiate_on
}

/// Everything that decides what a value means, in words: two options with the same words can share their values.
fn meaning(option: &OptionDescriptor) -> String {
    let mut words = match option.kind {
        crate::config::Kind::Choice(choices) => format!("one of `{}`", choices.join("`, `")),
        crate::config::Kind::ChoiceOf(other) => format!("one of the values of `{}`", other.key),
        kind => format!("{kind:?}").to_lowercase(),
    };
    // Writing to a `String` cannot fail.
    if option.multiple {
        words.push_str(", several values");
    }
    let _ = match option.default {
        None => write!(words, ", no default"),
        Some(DefaultValue::Text(text)) => write!(words, ", default `{text}`"),
        Some(DefaultValue::Integer(number)) => write!(words, ", default `{number}`"),
        Some(DefaultValue::Unsigned(number)) => write!(words, ", default `{number}`"),
        Some(DefaultValue::Float(number)) => write!(words, ", default `{number}`"),
        Some(DefaultValue::Flag(flag)) => write!(words, ", default `{flag}`"),
        Some(DefaultValue::Duration(duration)) => write!(words, ", default `{duration:?}`"),
    };
    if let Some(at) = option.at {
        let _ = write!(words, ", one per entity of `{}`", at.key);
    }
    if option.is_entity {
        words.push_str(", names entities");
    }
    if option.transform.is_some() {
        words.push_str(", with a function for its values");
    }
    if !option.aliases.is_empty() {
        let _ = write!(words, ", also called `{}`", option.aliases.join("`, `"));
    }
    if !option.contexts.is_empty() {
        let _ = write!(words, ", for {:?} applications", option.contexts);
    }
    if option.argument {
        words.push_str(", a positional argument");
    }
    if let Some(letter) = option.short {
        let _ = write!(words, ", short `-{letter}`");
    }
    words
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::OptionId;

    fn by(name: &'static str) -> Requester {
        let place = Place {
            krate: "demo",
            file: "src/lib.rs",
            line: 3,
        };
        Requester::Extension(name, place)
    }

    #[test]
    fn c5_the_same_option_is_shared_and_lists_who_asked() {
        const VALUE: OptionId<i64> = OptionId::integer("my.value").default(1);
        let (options, problems) = collect([
            (by("a"), VALUE.describe("One text").optional()),
            (by("b"), VALUE.required()),
        ]);
        assert!(problems.is_empty(), "{problems:?}");
        let entry = options
            .values()
            .next()
            .map(|entry| (entry.required, entry.requested_by.len()));
        assert_eq!((options.len(), entry), (1, Some((true, 2))));
    }

    #[test]
    fn c6_another_type_or_default_is_an_error_with_both_declarations() {
        let (_, problems) = collect([
            (by("a"), OptionId::integer("x").default(1).optional()),
            (by("b"), OptionId::integer("x").default(2).optional()),
            (by("c"), OptionId::text("x").optional()),
        ]);
        let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(texts.len(), 2);
        assert_eq!(
            texts[0],
            "option `x` is declared twice and differently:\n  \
             by extension `a` (crate `demo`, src/lib.rs:3): integer, default `1`\n  \
             by extension `b` (crate `demo`, src/lib.rs:3): integer, default `2`"
        );
        assert!(texts[1].contains("text, no default"), "{}", texts[1]);
    }

    #[test]
    fn c7_two_options_with_one_letter_are_an_error_that_names_both() {
        let (options, _) = collect([
            (by("a"), OptionId::path("out").short('o').optional()),
            (by("b"), OptionId::flag("only").short('o').optional()),
            (by("c"), OptionId::flag("quiet").short('q').optional()),
        ]);
        let texts: Vec<String> = letters(options.values())
            .map(|error| error.to_string())
            .collect();
        assert_eq!(
            texts,
            [
                "options `only` of extension `b` (crate `demo`, src/lib.rs:3) and `out` of extension `a` (crate `demo`, \
                 src/lib.rs:3) have one letter, `-o`; rename one of them"
            ]
        );
    }

    proptest! {
        /// Two spellings are one name exactly if they are equal after all separators are made one.
        #[test]
        fn c7_names_that_fold_together_are_refused(
            words in proptest::collection::vec("[a-z]{1,3}", 1..4),
            separators in proptest::collection::vec("[._-]", 6),
            other in "[a-z]{1,3}",
        ) {
            let spell = |from: usize| -> &'static str {
                words
                    .iter()
                    .enumerate()
                    .map(|(index, word)| match index {
                        0 => word.clone(),
                        _ => format!("{}{word}", separators[from + index - 1]),
                    })
                    .collect::<String>()
                    .leak()
            };
            let (one, two) = (spell(0), spell(3));
            let different: &'static str = format!("{one}.{other}").leak();
            let (_, problems) = collect(
                [one, two, different].map(|key| (by("a"), OptionId::flag(key).optional())),
            );
            prop_assert_eq!(problems.len(), usize::from(one != two));
        }
    }
}
