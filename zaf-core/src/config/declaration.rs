//! What the declaration of an option must be, and how an option is named to people.

use super::error::ConfigError;
use super::key::{flag_name, shown_key};
use super::kind::{DefaultValue, Kind};
use super::option::OptionDescriptor;
use super::reference;
use super::value::{Value, expected};
use crate::message::Entity;

/// Whether an option can be what it says.
pub(super) fn check_declaration(option: &OptionDescriptor, owner: &str) -> Result<(), ConfigError> {
    let wrong = |reason: String| {
        Err(ConfigError::Declaration {
            key: shown_key(option),
            owner: owner.to_owned(),
            reason,
        })
    };
    let is_word = |word: &str| super::is_entity_name(word);
    if !option.key.split(['.', '-', '_']).all(is_word) {
        return wrong(
            "a key is words of lower-case letters and digits with dots between them".to_owned(),
        );
    }
    if !option
        .aliases
        .iter()
        .all(|alias| alias.split(['.', '-', '_']).all(is_word))
    {
        return wrong(
            "its other names are words of lower-case letters and digits with dots between them"
                .to_owned(),
        );
    }
    if let Kind::ChoiceOf(other) = option.kind {
        let is_text = !matches!(other.kind, Kind::ChoiceOf(_) | Kind::Secret);
        if !other.multiple || other.at.is_some() || !is_text {
            return wrong(format!(
                "its values are those of `{}`, which must be an option with several values that are written out",
                other.key
            ));
        }
    }
    if option.is_secret() && option.default.is_some() {
        return wrong("a secret that is part of the program is none".to_owned());
    }
    if option.argument && option.is_secret() {
        return wrong("everybody can see the arguments of a command".to_owned());
    }
    if option.is_entity && option.kind != Kind::Entity {
        return wrong("the values of an entity option are names".to_owned());
    }
    if let Some(at) = option.at {
        if !at.is_entity {
            return wrong(format!(
                "it hangs at `{}`, which is not an entity option",
                at.key
            ));
        }
        if option.is_entity {
            return wrong("an entity option cannot hang at another".to_owned());
        }
    }
    // A default may refer to other options; it is checked when it is read.
    let refers =
        |default| matches!(default, DefaultValue::Text(text) if reference::has_references(text));
    if let Some(default) = option.default.filter(|default| !refers(*default))
        && let Err(mismatch) = Value::from(default).read(option.kind, option.multiple)
    {
        return wrong(format!("its default: {mismatch}"));
    }
    Ok(())
}

/// What differs between two declarations of one key.
pub(super) fn difference(first: &OptionDescriptor, second: &OptionDescriptor) -> Option<String> {
    if first.kind != second.kind {
        return Some(match (first.kind, second.kind) {
            (Kind::ChoiceOf(_), _) | (_, Kind::ChoiceOf(_)) => {
                format!("{} and {}", expected(first.kind), expected(second.kind))
            }
            (first, second) => format!("{first:?} and {second:?}"),
        });
    }
    if first.multiple != second.multiple {
        return Some("one value and several values".to_owned());
    }
    if first.default != second.default {
        let shown = |default: Option<DefaultValue>| {
            default.map_or_else(|| "none".to_owned(), |default| Value::from(default).print())
        };
        return Some(format!(
            "default {} and {}",
            shown(first.default),
            shown(second.default)
        ));
    }
    if first.aliases != second.aliases {
        return Some("other names".to_owned());
    }
    if first.transform.is_some() != second.transform.is_some() {
        return Some("only one has a function for its values".to_owned());
    }
    (first.is_entity != second.is_entity).then(|| "only one names entities".to_owned())
}

/// Says how to set an option on the command line: `--parallel-workers N`, `the argument SOURCES`.
pub(super) fn flag_usage(option: &OptionDescriptor, entity: Option<&Entity>) -> String {
    if option.argument {
        let last = option.key.rsplit(['.', '-', '_']).next();
        return format!("the argument {}", last.unwrap_or(option.key).to_uppercase());
    }
    let flag = flag_name(option, entity);
    match option.kind {
        Kind::Flag => format!("--{flag}"),
        Kind::Integer | Kind::Count | Kind::Float => format!("--{flag} N"),
        Kind::Duration => format!("--{flag} TIME"),
        Kind::Size => format!("--{flag} SIZE"),
        Kind::Path => format!("--{flag} PATH"),
        Kind::Glob => format!("--{flag} PATTERN"),
        Kind::Entity => format!("--{flag} NAME"),
        Kind::Secret => format!("--{flag} file:PATH"),
        Kind::Text | Kind::Choice(_) | Kind::ChoiceOf(_) => format!("--{flag} VALUE"),
    }
}
