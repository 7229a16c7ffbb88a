//! `addon add-option`.

use std::time::Duration;

use zaf_core::prelude::*;

use super::ADDON_COMMAND;
use crate::addition::{Addition, NewField};
use crate::answers::as_sentence;
use crate::ask::DESCRIPTION_UNSAID;
use crate::change::change;
use crate::error::AddonError;
use crate::name::AddonName;
use crate::options::{
    ADDED, DESCRIPTION, DRY_RUN, EXTENSION, OPTION_DEFAULT, OPTION_TYPE, PACKAGE,
};

/// What values an option has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ValueType {
    Flag,
    Text,
    Integer,
    Count,
    Float,
    Size,
    Duration,
}

impl ValueType {
    const ALL: [Self; 7] = [
        Self::Text,
        Self::Flag,
        Self::Count,
        Self::Integer,
        Self::Float,
        Self::Size,
        Self::Duration,
    ];

    /// The words of all, as the option takes them; each is the name of the function that makes such an option, too.
    pub(crate) const WORDS: [&'static str; 7] = [
        "text", "flag", "count", "integer", "float", "size", "duration",
    ];

    fn of(word: &str) -> Option<(Self, &'static str)> {
        let mut all = Self::ALL.into_iter().zip(Self::WORDS);
        all.find(|(_, found)| *found == word)
    }

    /// Its type in Rust.
    fn rust(self) -> &'static str {
        match self {
            Self::Flag => "bool",
            Self::Text => "String",
            Self::Integer => "i64",
            Self::Count | Self::Size => "u64",
            Self::Float => "f64",
            Self::Duration => "std::time::Duration",
        }
    }

    /// A value as Rust writes it in a constant.
    ///
    /// # Errors
    /// What was expected.
    fn literal(self, text: &str) -> Result<String, &'static str> {
        match self {
            Self::Text => Ok(format!("{text:?}")),
            Self::Flag => match text {
                "true" | "false" => Ok(text.to_owned()),
                _ => Err("`true` or `false`"),
            },
            Self::Integer => {
                let number = text.parse::<i64>();
                number
                    .map(|number| number.to_string())
                    .map_err(|_| "a whole number")
            }
            Self::Count | Self::Size => {
                let number = text.parse::<u64>();
                let expected = "a whole number from 0, in bytes if it is a size";
                number
                    .map(|number| number.to_string())
                    .map_err(|_| expected)
            }
            Self::Float => match text.parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(format!("{number:?}")),
                _ => Err("a number"),
            },
            Self::Duration => duration(text).map(|time| {
                let millis = time.as_millis();
                if millis.is_multiple_of(1000) {
                    format!("std::time::Duration::from_secs({})", millis / 1000)
                } else {
                    format!("std::time::Duration::from_millis({millis})")
                }
            }),
        }
    }

    /// A value that is not this one, as a test passes it.
    fn other(self, default: Option<&str>) -> String {
        let (value, instead) = match self {
            Self::Flag => ("true", "false"),
            Self::Text => ("\"other\"", "\"another\""),
            Self::Float => ("7.5", "8.5"),
            Self::Integer | Self::Count | Self::Size => ("7", "8"),
            Self::Duration => (
                "std::time::Duration::from_secs(7)",
                "std::time::Duration::from_secs(8)",
            ),
        };
        let value = if default == Some(value) {
            instead
        } else {
            value
        };
        value.to_owned()
    }
}

/// `90s`, `250ms`, `2m`, `1h`: one number and its unit.
fn duration(text: &str) -> Result<Duration, &'static str> {
    let expected = "a length of time such as `90s`, `250ms`, `2m` or `1h`";
    let at = text.find(|c: char| !c.is_ascii_digit()).ok_or(expected)?;
    let (number, unit) = text.split_at(at);
    let factor = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(expected),
    };
    let number = number.parse::<u64>().ok();
    let millis = number.and_then(|number| number.checked_mul(factor));
    millis.map(Duration::from_millis).ok_or(expected)
}

/// Adds an option to an extension: its constant, the field that holds it, the method that reads it and a test.
///
/// Everything else in the source stays as it is. If the source is such that it cannot be done, nothing is changed.
#[expect(
    clippy::missing_errors_doc,
    reason = "the documentation is the text of the help"
)]
#[command(
    name = "add-option",
    parent = ADDON_COMMAND,
    config_options = [
        PACKAGE.required(), ADDED.required(), OPTION_TYPE.required(), OPTION_DEFAULT.optional(), DESCRIPTION.optional(),
        EXTENSION.optional(), DRY_RUN.required()
    ],
)]
pub fn addon_add_option(cx: &CommandContext<'_>) -> Result<ExitCode> {
    let config = cx.config();
    let word = config.get(OPTION_TYPE)?;
    let (value_type, constructor) =
        ValueType::of(&word).expect("invariant: the option allows no other words");
    let wanted = Wanted {
        name: config.get(ADDED)?,
        value_type,
        constructor,
        default: config.get_optional(OPTION_DEFAULT)?,
        description: config
            .get_optional(DESCRIPTION)?
            .unwrap_or_else(|| DESCRIPTION_UNSAID.to_owned()),
    };
    change(cx, |addition| wanted.added_to(addition))
}

/// The option that is wanted.
struct Wanted {
    name: String,
    value_type: ValueType,
    constructor: &'static str,
    default: Option<String>,
    description: String,
}

impl Wanted {
    fn added_to(&self, mut addition: Addition) -> std::result::Result<Addition, AddonError> {
        let Self {
            name,
            value_type,
            constructor,
            description,
            ..
        } = self;
        let constant = addition.constant(name);
        addition.is_free(&constant)?;
        addition.is_no_function(name)?;
        let default = self.default.as_deref().map(|text| {
            value_type
                .literal(text)
                .map_err(|expected| AddonError::Answer {
                    what: "default",
                    answer: text.escape_debug().to_string(),
                    expected: expected.to_owned(),
                })
        });
        let default = default.transpose()?;
        let own = AddonName::member(name)?.key();
        let key = format!("{}.{own}", addition.addon.key());
        let doc = as_sentence(&crate::template::in_documentation(description));
        let rust = value_type.rust();
        let given = default
            .as_ref()
            .map_or_else(String::new, |value| format!("\n    .default({value})"));
        addition.item(&format!(
            "/// {doc}\npub const {constant}: OptionId<{rust}> = OptionId::{constructor}({key:?})\n    .describe({description:?}){given};"
        ));
        let is_text = *value_type == ValueType::Text;
        let (method, field_type, get, read_type, read) = match (&default, is_text) {
            (Some(_), true) => (
                "required",
                rust.to_owned(),
                "get",
                "&str".to_owned(),
                format!("&self.{name}"),
            ),
            (Some(_), false) => (
                "required",
                rust.to_owned(),
                "get",
                rust.to_owned(),
                format!("self.{name}"),
            ),
            (None, true) => (
                "optional",
                format!("Option<{rust}>"),
                "get_optional",
                "Option<&str>".to_owned(),
                format!("self.{name}.as_deref()"),
            ),
            (None, false) => (
                "optional",
                format!("Option<{rust}>"),
                "get_optional",
                format!("Option<{rust}>"),
                format!("self.{name}"),
            ),
        };
        addition.config_option(&format!("{constant}.{method}()"));
        addition.field(&NewField {
            name,
            doc: &doc,
            field_type: &field_type,
            value: format!("CX.config().{get}({constant})?"),
            read_type: &read_type,
            read,
        })?;
        let other = value_type.other(default.as_deref());
        let given = if is_text {
            format!("{other}.to_owned()")
        } else {
            other.clone()
        };
        let expected = if default.is_some() {
            other
        } else {
            format!("Some({other})")
        };
        let got = format!("harness.extension().{name}()");
        let check = match (value_type, &default) {
            (ValueType::Flag, Some(default)) if default == "true" => format!("assert!(!{got});"),
            (ValueType::Flag, Some(_)) => format!("assert!({got});"),
            _ => format!("assert_eq!({got}, {expected});"),
        };
        let configured = [(constant, given)];
        addition.test(
            &format!("{name}_is_what_is_configured"),
            &configured,
            false,
            &check,
        )?;
        Ok(addition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_is_written_as_rust_writes_it() {
        let literal = |word: &str, text: &str| ValueType::of(word).unwrap().0.literal(text);
        for (word, text, expected) in [
            ("text", "a \"b\" {}", "\"a \\\"b\\\" {}\""),
            ("flag", "true", "true"),
            ("integer", "-3", "-3"),
            ("count", "3", "3"),
            ("size", "4096", "4096"),
            ("float", "2", "2.0"),
            ("duration", "2m", "std::time::Duration::from_secs(120)"),
            ("duration", "250ms", "std::time::Duration::from_millis(250)"),
        ] {
            assert_eq!(literal(word, text).unwrap(), expected);
        }
        for (word, text) in [
            ("flag", "yes"),
            ("integer", "1.5"),
            ("count", "-1"),
            ("float", "inf"),
            ("duration", "5"),
            ("duration", "99999999999999999999h"),
        ] {
            assert!(literal(word, text).is_err(), "{word} {text}");
        }
        assert_eq!(ValueType::Count.other(Some("7")), "8");
    }
}
