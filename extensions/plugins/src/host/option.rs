//! Options of plugins as the configuration knows them.

use std::time::Duration;

use serde_json::Value;
use zaf_core::config::{ConfigOption, OptionDescriptor, OptionId};

use super::translate::leak;
use crate::protocol::{OptionDescription, OptionType};

/// A plugin's option. `known` are those that others declare.
///
/// # Errors
/// What contradicts itself in it.
pub(super) fn of(
    described: &OptionDescription,
    known: &[OptionDescriptor],
) -> Result<ConfigOption, String> {
    let key = &described.name;
    let find = |key: &str| known.iter().find(|option| option.key == key);
    let Some(ty) = described.ty else {
        return match find(key) {
            Some(option) => Ok(asked_for(described, *option)),
            None => Err(format!(
                "option `{key}` has no `type`, and nobody else declares it"
            )),
        };
    };
    let at = match &described.at {
        None => None,
        Some(at) => match find(at) {
            Some(option) => Some(&*Box::leak(Box::new(*option))),
            None => {
                return Err(format!(
                    "option `{key}` hangs at `{at}`, which nobody declares"
                ));
            }
        },
    };
    let key: &'static str = leak(key);
    let default = described.default.as_ref();
    let multiple = described.multiple;
    if multiple && default.is_some() {
        return Err(format!(
            "option `{key}` takes several values and has a default; without a value it has none"
        ));
    }
    macro_rules! id {
        ($id:expr, $default:expr) => {{
            let id = $id.describe(leak(&described.description));
            let id = match described.short {
                Some(letter) => id.short(letter),
                None => id,
            };
            let id = match at {
                Some(at) => id.at(at),
                None => id,
            };
            if multiple {
                id.multiple().descriptor()
            } else {
                match default {
                    None => id.descriptor(),
                    Some(value) => id.default($default(key, value)?).descriptor(),
                }
            }
        }};
    }
    let asked = match ty {
        OptionType::Text => id!(OptionId::text(key), text),
        OptionType::Glob => id!(OptionId::glob(key), text),
        OptionType::Path => id!(OptionId::path(key), text),
        OptionType::Choice => {
            let choices: Vec<&'static str> =
                described.choices.iter().map(|word| leak(word)).collect();
            id!(OptionId::choice(key, choices.leak()), text)
        }
        OptionType::Integer => id!(OptionId::integer(key), integer),
        OptionType::Count => id!(OptionId::count(key), count),
        OptionType::Size => id!(OptionId::size(key), count),
        OptionType::Float => id!(OptionId::float(key), float),
        OptionType::Flag => id!(OptionId::flag(key), flag),
        OptionType::Duration => id!(OptionId::duration(key), duration),
        OptionType::Entity => {
            let id = OptionId::entities(key).describe(leak(&described.description));
            id.descriptor()
        }
        OptionType::Secret => {
            let id = OptionId::secret(key).describe(leak(&described.description));
            match (at, multiple) {
                (Some(at), false) => id.at(at).descriptor(),
                (Some(at), true) => id.at(at).multiple().descriptor(),
                (None, true) => id.multiple().descriptor(),
                (None, false) => id.descriptor(),
            }
        }
    };
    Ok(asked_for(described, asked))
}

fn asked_for(described: &OptionDescription, option: OptionDescriptor) -> ConfigOption {
    option.asked_for(described.required, described.instantiate_on)
}

fn wrong(key: &str, expected: &str) -> String {
    format!("the default of option `{key}` is wrong: expected {expected}")
}

fn text(key: &str, value: &Value) -> Result<&'static str, String> {
    let text = value.as_str().ok_or_else(|| wrong(key, "a text"))?;
    Ok(leak(text))
}

fn integer(key: &str, value: &Value) -> Result<i64, String> {
    value.as_i64().ok_or_else(|| wrong(key, "a whole number"))
}

fn count(key: &str, value: &Value) -> Result<u64, String> {
    let expected = "a whole number from 0";
    value.as_u64().ok_or_else(|| wrong(key, expected))
}

fn float(key: &str, value: &Value) -> Result<f64, String> {
    value.as_f64().ok_or_else(|| wrong(key, "a number"))
}

fn flag(key: &str, value: &Value) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| wrong(key, "true or false"))
}

fn duration(key: &str, value: &Value) -> Result<Duration, String> {
    let expected = "a number of seconds";
    let seconds = value.as_f64().ok_or_else(|| wrong(key, expected))?;
    Duration::try_from_secs_f64(seconds).map_err(|_| wrong(key, expected))
}
