//! The options that a command line may set, and their spellings.

use std::sync::Arc;

use crate::config::{Kind, Operation, OptionDescriptor, flag_name};
use crate::message::Entity;

use super::scan::{Spelling, Takes};

pub(super) use super::scan::Table;

/// Flags of the command line itself, which no option may be called.
pub(super) const RESERVED: [&str; 3] = ["help", "full-help", "version"];

/// Also shows the version, unless an option has this letter.
pub(super) const VERSION_LETTER: char = 'V';

/// Who asks for an option first. In the order of the help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Owner {
    /// The command.
    Command,
    /// The extension of this name.
    Extension(&'static str),
    /// The application or a built-in extension.
    Application,
}

/// One option as the command line shows it.
#[derive(Debug, Clone)]
pub(super) struct CliOption {
    pub(super) descriptor: OptionDescriptor,
    /// Whether somebody cannot do without it.
    pub(super) required: bool,
    /// For the heading in the help.
    pub(super) owner: Owner,
    /// Entities that each have a value of their own; empty for options that hang at no entity.
    pub(super) entities: Arc<[Entity]>,
}

impl CliOption {
    /// The spellings: entity, and long flag without dashes. For help, an option of entities that are not known yet is
    /// shown with their kind in angle brackets.
    pub(super) fn flags(&self) -> Vec<(Option<Entity>, String)> {
        if self.descriptor.at.is_none() {
            return vec![(None, flag_name(&self.descriptor, None))];
        }
        self.entities
            .iter()
            .map(|entity| {
                (
                    Some(entity.clone()),
                    flag_name(&self.descriptor, Some(entity)),
                )
            })
            .collect()
    }

    /// The other long flags of an entity's option, or of the option itself.
    pub(super) fn aliases(&self, entity: Option<&Entity>) -> Vec<String> {
        let named = |alias: &&'static str| OptionDescriptor {
            key: alias,
            ..self.descriptor
        };
        let aliases = self.descriptor.aliases.iter();
        aliases
            .map(|alias| flag_name(&named(alias), entity))
            .collect()
    }

    /// The flags beside a long flag that say what to do with a list: `tests-include-replace`.
    pub(super) fn instructions(&self, flag: &str) -> Vec<(String, Operation)> {
        if !self.descriptor.multiple {
            return Vec::new();
        }
        let of = |operation: Operation| Some((format!("{flag}-{}", operation.word()?), operation));
        Operation::EXPLICIT.into_iter().filter_map(of).collect()
    }

    pub(super) fn is_switch(&self) -> bool {
        self.descriptor.kind == Kind::Flag
    }
}

/// The positional options in the order in which they are typed: as the command declares them, what takes all that is left
/// last.
pub(super) fn positionals(options: &[CliOption]) -> Vec<&CliOption> {
    let mut positionals: Vec<&CliOption> = options
        .iter()
        .filter(|option| option.descriptor.argument)
        .collect();
    positionals.sort_by_key(|option| (option.descriptor.multiple, option.owner));
    positionals
}

/// Word that stands for a value.
pub(super) fn value_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Integer | Kind::Count => "N",
        Kind::Float => "NUMBER",
        Kind::Duration => "TIME",
        Kind::Size => "BYTES",
        Kind::Path => "PATH",
        Kind::Glob => "PATTERN",
        Kind::Choice(_) | Kind::ChoiceOf(_) => "WORD",
        Kind::Secret => "file:PATH",
        Kind::Entity => "NAME",
        _ => "TEXT",
    }
}

/// The last word of a key: what a positional argument is called.
pub(super) fn last_word(key: &str) -> &str {
    key.rsplit(['.', '-', '_']).next().unwrap_or(key)
}

/// Two options that a command line could not tell apart.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the flag `{flag}` means both `{first}` and `{second}`")]
pub(super) struct SpellingConflict {
    /// With its dashes.
    pub(super) flag: String,
    /// Key and extension of the first.
    pub(super) first: String,
    /// Key and extension of the second.
    pub(super) second: String,
}

/// All spellings of all options but the positional ones, and those that clash. The first of two that clash keeps the
/// spelling.
pub(super) fn table(options: &[CliOption]) -> (Table, Vec<SpellingConflict>) {
    let mut table = Table::default();
    let mut conflicts = Vec::new();
    for (index, option) in options.iter().enumerate() {
        if option.descriptor.argument {
            continue;
        }
        for (entity, flag) in option.flags() {
            let mut add = |long: String, takes: Takes, operation: Operation| {
                let spelling = Spelling {
                    option: index,
                    entity: entity.clone(),
                    operation,
                    takes,
                };
                if RESERVED.contains(&long.as_str()) {
                    conflicts.push(SpellingConflict {
                        flag: format!("--{long}"),
                        first: "the command line itself".to_owned(),
                        second: described(option),
                    });
                } else if let Some(first) = table.long.get(&long) {
                    conflicts.push(SpellingConflict {
                        flag: format!("--{long}"),
                        first: described(&options[first.option]),
                        second: described(option),
                    });
                } else {
                    table.long.insert(long, spelling);
                }
            };
            let aliases = option.aliases(entity.as_ref());
            for flag in std::iter::once(flag).chain(aliases) {
                if option.is_switch() {
                    add(format!("no-{flag}"), Takes::Negation, Operation::Add);
                    add(flag, Takes::Switch, Operation::Add);
                    continue;
                }
                for (instruction, operation) in option.instructions(&flag) {
                    add(instruction, Takes::Value, operation);
                }
                add(flag, Takes::Value, Operation::Add);
            }
        }
        let Some(letter) = option.descriptor.short else {
            continue;
        };
        if letter == 'h' || table.short.contains_key(&letter) {
            let first = table
                .short
                .get(&letter)
                .map_or("the command line itself".to_owned(), |first| {
                    described(&options[first.option])
                });
            conflicts.push(SpellingConflict {
                flag: format!("-{letter}"),
                first,
                second: described(option),
            });
        } else {
            table.short.insert(
                letter,
                Spelling {
                    option: index,
                    entity: None,
                    operation: Operation::Add,
                    takes: if option.is_switch() {
                        Takes::Switch
                    } else {
                        Takes::Value
                    },
                },
            );
        }
    }
    (table, conflicts)
}

fn described(option: &CliOption) -> String {
    match option.owner {
        Owner::Extension(owner) => format!("{} (extension {owner})", option.descriptor.key),
        Owner::Command | Owner::Application => option.descriptor.key.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::OptionId;

    fn option(descriptor: OptionDescriptor) -> CliOption {
        CliOption {
            descriptor,
            required: false,
            owner: Owner::Extension("demo"),
            entities: Arc::default(),
        }
    }

    #[test]
    fn c7_two_options_with_one_spelling_are_a_conflict() {
        let (_, conflicts) = table(&[
            option(OptionId::flag("x").descriptor()),
            option(OptionId::text("no.x").descriptor()),
            option(OptionId::text("version").descriptor()),
        ]);
        let texts: Vec<String> = conflicts.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "the flag `--no-x` means both `x (extension demo)` and `no.x (extension demo)`",
                "the flag `--version` means both `the command line itself` and `version (extension demo)`",
            ]
        );
    }
}
