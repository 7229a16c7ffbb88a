//! Options of plugins as the configuration knows them.

use std::time::Duration;

use serde_json::Value as Json;
use zaf_core::config::{
    ConfigOption, Kind, OptionDescriptor, OptionId, TypedValue, Value, expected,
};

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
        OptionType::Size => id!(OptionId::size(key), size),
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

/// A default as a file of the configuration would have it: `"5s"`, `64 KiB`, `7`.
fn read(key: &str, kind: Kind, value: &Json) -> Result<TypedValue, String> {
    let written = match value {
        Json::Bool(flag) => Value::Flag(*flag),
        Json::Number(number) => match number.as_i128() {
            Some(number) => Value::Integer(number),
            None => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::Text(text.clone()),
        other => {
            return Err(format!(
                "the default of option `{key}` is {other}: expected {}",
                expected(kind)
            ));
        }
    };
    written
        .read(kind, false)
        .map_err(|mismatch| format!("the default of option `{key}`: {mismatch}"))
}

macro_rules! reads {
    ($($name:ident: $type:ty, $kind:expr, $variant:ident => $value:expr;)*) => {
        $(fn $name(key: &str, value: &Json) -> Result<$type, String> {
            match read(key, $kind, value)? {
                TypedValue::$variant(value) => Ok($value(value)),
                other => Err(format!("the default of option `{key}` is read as {other:?}")),
            }
        })*
    };
}

reads! {
    text: &'static str, Kind::Text, Text => |text: String| leak(&text);
    integer: i64, Kind::Integer, Integer => |number| number;
    count: u64, Kind::Count, Unsigned => |number| number;
    size: u64, Kind::Size, Unsigned => |number| number;
    float: f64, Kind::Float, Float => |number| number;
    flag: bool, Kind::Flag, Flag => |flag| flag;
    duration: Duration, Kind::Duration, Duration => |duration| duration;
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn described(description: serde_json::Value) -> OptionDescription {
        serde_json::from_value(description).unwrap()
    }

    #[test]
    fn defaults_are_written_as_in_files() {
        for (ty, default, expected) in [
            ("duration", json!("1500ms"), "Some(Duration(1.5s))"),
            ("size", json!("64 KiB"), "Some(Unsigned(65536))"),
            ("count", json!(7), "Some(Unsigned(7))"),
            ("integer", json!(-7), "Some(Integer(-7))"),
            ("float", json!(0.5), "Some(Float(0.5))"),
            ("flag", json!(true), "Some(Flag(true))"),
            ("text", json!("x"), "Some(Text(\"x\"))"),
        ] {
            let option = described(json!({"name": "a.b", "type": ty, "default": default}));
            let option = of(&option, &[]).unwrap();
            assert_eq!(format!("{:?}", option.option.default), expected);
        }
        for (ty, default, problem) in [
            (
                "duration",
                json!(5),
                "the default of option `a.b`: expected a length of time",
            ),
            ("count", json!(-1), "expected a whole number from 0"),
            ("text", json!(["x"]), "expected text"),
        ] {
            let option = described(json!({"name": "a.b", "type": ty, "default": default}));
            let found = of(&option, &[]).unwrap_err();
            assert!(found.contains(problem), "{found}");
        }
    }

    #[test]
    fn options_of_others_are_asked_for_by_name() {
        let known = [OptionId::count("runner.limit").descriptor()];
        let asked = described(json!({"name": "runner.limit", "required": true}));
        let asked = of(&asked, &known).unwrap();
        assert!(asked.required && asked.option.kind == Kind::Count);
        let unknown = described(json!({"name": "runner.limits"}));
        assert!(
            of(&unknown, &known)
                .unwrap_err()
                .contains("nobody else declares it")
        );
    }
}
