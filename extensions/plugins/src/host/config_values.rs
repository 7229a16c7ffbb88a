//! Values of options as a plugin gets them.
//!
//! | Type | JSON |
//! | --- | --- |
//! | text, choice, path, glob, entity, secret | text |
//! | integer, count, size (bytes), float | number |
//! | flag | `true` or `false` |
//! | duration | number of seconds |
//! | several values | list |

use std::collections::BTreeMap;

use serde_json::Value;
use zaf_core::Result;
use zaf_core::config::{ConfigOption, TypedValue};
use zaf_core::extension::ExtensionContext;

use crate::link::Start;

/// What an instance starts with: the values of its options, those of its entity where they hang at one.
///
/// # Errors
/// If a value cannot be read.
pub(super) fn start(cx: &ExtensionContext<'_>, options: &[ConfigOption]) -> Result<Start> {
    let mut config = BTreeMap::new();
    for requested in options {
        if let Some(value) = cx.config().typed(&requested.option)? {
            config.insert(requested.option.key.to_owned(), json(value));
        }
    }
    Ok(Start {
        config,
        entity: cx.entity().map(|entity| entity.name().to_owned()),
    })
}

fn json(value: TypedValue) -> Value {
    match value {
        TypedValue::Text(text) => text.into(),
        TypedValue::Integer(number) => number.into(),
        TypedValue::Unsigned(number) => number.into(),
        TypedValue::Float(number) => number.into(),
        TypedValue::Flag(flag) => flag.into(),
        TypedValue::Duration(duration) => duration.as_secs_f64().into(),
        TypedValue::Path(path) => path.into_string().into(),
        TypedValue::Entity(entity) => entity.name().into(),
        TypedValue::Secret(secret) => secret.reveal().into(),
        TypedValue::List(items) => items.into_iter().map(json).collect(),
        // A kind that plugins do not know cannot be asked for.
        _ => Value::Null,
    }
}
