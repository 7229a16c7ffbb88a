//! Environment variables: the one place that reads them.
//!
//! `<PREFIX>_OUTPUT_DIR` is the option `output.dir`, `<PREFIX>_SUTS_BOX_IP` the option `ip` of the entity `box` of `suts.ids`. Only
//! variables of declared options are values; others with the prefix are reported, because they are usually misspelled. The
//! values of options with several values are divided at blanks; `"` or `'` keeps blanks together (`"a b" c` is two values).
//! An empty variable counts as not set.

use std::ffi::{OsStr, OsString};
use std::sync::Arc;

use config::{Map, Source as _, ValueKind};

use crate::config::key::{Key, environment_name, shown_key};
use crate::config::layer::ConfigLayer;
use crate::config::problem::{Problem, Problems};
use crate::config::source::{Priority, Source};
use crate::config::store::ConfigStore;
use crate::config::value::Value;

/// All variables of the process, in the order of the system.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the place that reads the environment"
)]
pub fn process_environment() -> Vec<(OsString, OsString)> {
    std::env::vars_os().collect()
}

/// One variable of the process; none if it is not set or empty.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the place that reads the environment"
)]
pub fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// Makes a layer of the variables that belong to declared options, at [`Priority::ENVIRONMENT`]. `reserved` are names that the
/// application uses for other purposes (with `*` at the end all that begin like that); nothing is said about them. The layer's warnings name the variables with the prefix
/// that nobody knows.
///
/// # Errors
///
/// All variables whose value is not UTF-8 or has a quote that does not end.
pub fn environment(
    prefix: &str,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
    store: &ConfigStore,
    reserved: &[&str],
) -> Result<ConfigLayer, Problems> {
    let mut variables: Vec<_> = variables
        .into_iter()
        .filter(|(name, value)| belongs(prefix, name) && !value.is_empty())
        .filter(|(name, _)| !reserved.iter().any(|reserved| is_reserved(name, reserved)))
        .collect();
    variables.sort();
    let mut problems = Vec::new();
    let mut warnings = Vec::new();
    let mut known = Map::new();
    for (name, value) in variables {
        let shown = name.to_string_lossy().into_owned();
        let found = name
            .to_str()
            .and_then(|name| Some((name, key_of(prefix, name)?)));
        let found =
            found.and_then(|(_, key)| store.lookup(&key).map(|(option, _)| (key, option.option)));
        let Some((key, option)) = found else {
            warnings.push(unknown(prefix, &shown, store));
            continue;
        };
        let read = match value.to_str() {
            None => Err("its value is not UTF-8"),
            Some(text) if option.multiple => divided(text).map(|words| {
                ValueKind::Array(
                    words
                        .into_iter()
                        .map(|word| config::Value::new(Some(&shown), word))
                        .collect(),
                )
            }),
            Some(text) => Ok(ValueKind::String(text.to_owned())),
        };
        match read {
            Ok(kind) => {
                known.insert(key.to_string(), config::Value::new(Some(&shown), kind));
            }
            Err(reason) => problems.push(
                Problem::error(format!("environment variable `{shown}` cannot be read"))
                    .detail(reason),
            ),
        }
    }
    if let Some(problems) = Problems::from_list(problems) {
        return Err(problems);
    }
    let mut layer = collected(&Variables(known));
    for warning in warnings {
        layer.warn(warning);
    }
    Ok(layer)
}

/// The variables of declared options as a source of the `config` crate; the origin of a value is the name of its variable.
#[derive(Debug, Clone)]
struct Variables(Map<String, config::Value>);

impl config::Source for Variables {
    fn clone_into_box(&self) -> Box<dyn config::Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, config::Value>, config::ConfigError> {
        Ok(self.0.clone())
    }
}

fn collected(variables: &Variables) -> ConfigLayer {
    let whole = Source::Environment {
        name: Arc::from("environment"),
    };
    let mut layer = ConfigLayer::new(Priority::ENVIRONMENT, whole);
    let map = variables.collect().unwrap_or_default();
    let mut values: Vec<_> = map.into_iter().collect();
    values.sort_by(|(a, _), (b, _)| a.cmp(b));
    for (key, value) in values {
        let name = Arc::from(value.origin().unwrap_or_default());
        let raw = match value.kind {
            ValueKind::Array(words) => {
                Value::List(words.into_iter().map(|word| raw(word.kind)).collect())
            }
            other => raw(other),
        };
        layer.push(&key, raw, Source::Environment { name });
    }
    layer
}

fn raw(kind: ValueKind) -> Value {
    match kind {
        ValueKind::String(text) => Value::Raw(text),
        other => Value::Raw(other.to_string()),
    }
}

fn belongs(prefix: &str, name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.strip_prefix(prefix.as_bytes())
        .is_some_and(|rest| rest.starts_with(b"_"))
}

/// The key of a variable; none if the spelling is not the one of an option (`<PREFIX>_output_dir`).
pub(in crate::config) fn key_of(prefix: &str, name: &str) -> Option<Key> {
    let rest = name.strip_prefix(prefix)?.strip_prefix('_')?;
    let is_upper = !rest.bytes().any(|byte| byte.is_ascii_lowercase());
    is_upper.then(|| Key::fold(&rest.to_ascii_lowercase()))
}

fn is_reserved(name: &OsStr, reserved: &str) -> bool {
    match reserved.strip_suffix('*') {
        Some(start) => name.as_encoded_bytes().starts_with(start.as_bytes()),
        None => name == reserved,
    }
}

fn unknown(prefix: &str, name: &str, store: &ConfigStore) -> Problem {
    let warning = Problem::warning(format!(
        "environment variable `{name}` belongs to no option"
    ));
    let names: Vec<_> = store
        .options()
        .map(|known| {
            (
                environment_name(prefix, &known.option, None),
                shown_key(&known.option),
            )
        })
        .collect();
    let near = crate::config::nearest(
        &name.to_ascii_uppercase(),
        names.iter().map(|(name, _)| name.as_str()),
    );
    match names.iter().find(|(name, _)| Some(name.as_str()) == near) {
        Some((near, key)) => warning.detail(format!("did you mean `{near}` (option `{key}`)?")),
        None => warning,
    }
}

/// Divides at blanks; quotes keep together and disappear.
fn divided(text: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in text.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        return Err("a quote in it does not end");
    }
    words.extend(word);
    Ok(words)
}
