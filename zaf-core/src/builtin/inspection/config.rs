//! The command `config`: the values that hold, and where one comes from.

use std::io::Write as _;

use super::super::cli::target_line;
use super::super::disabled_options;
use super::super::table::lay_out;
use super::{LIST_FORMAT, TARGET_COMMAND, adding, command, command_of};
use crate::application::{Console, ExitCode};
use crate::command::{CommandContext, CommandDescriptor};
use crate::config::{
    ConfigOption, ConfigStore, Explained, Key, Operation, OptionDescriptor, OptionId, Outcome,
    Priority, Source, Value, environment_name, flag_name, shown_key,
};
use crate::error::{Error, Result};
use crate::extension::{
    ALL_EXTENSIONS, Catalog, ENTITY_INCLUDE_FILES, ExtensionDescriptor, SELECTED_COMMAND,
};
use crate::message::Entity;

/// Key of which all values are shown, with where each was written and which one wins. `--explain output.dir`.
pub const EXPLAIN: OptionId<String> =
    OptionId::text("explain").describe("Say where the value of this key comes from.");

/// Words of the command line of [`TARGET_COMMAND`](super::TARGET_COMMAND): `config --target-command run -- --tests-timeout 5s`.
pub const TARGET_LINE: OptionId<Vec<String>> = OptionId::text("target.line")
    .multiple()
    .describe("Behind `--`: what would be written behind the target command.")
    .argument();

const OPTIONS: [ConfigOption; 4] = [
    EXPLAIN.optional(),
    TARGET_COMMAND.optional(),
    LIST_FORMAT.optional(),
    TARGET_LINE.optional(),
];

/// `config`: prints the values that hold, as a file that gives the same values again: YAML, or JSON with `--format json`. With
/// [`EXPLAIN`], all values of one key. With a target command, what that command would see, given the words behind `--`.
pub const CONFIG_COMMAND: CommandDescriptor = command(
    "config",
    "Shows the configuration and where it comes from.",
    &OPTIONS,
    run,
    (file!(), line!()),
);

pub(super) const CONFIG: ExtensionDescriptor = adding(
    "configcommand",
    "Adds the command that shows the configuration.",
    &[&CONFIG_COMMAND],
    (file!(), line!()),
);

fn run(cx: &CommandContext<'_>) -> Result<ExitCode> {
    let catalog = cx.component::<Catalog>()?;
    let console = cx.component::<Console>()?;
    let words = cx.config().get(TARGET_LINE)?;
    let mut store = cx.config().store().clone();
    let options: Vec<OptionDescriptor> = match cx.config().get_optional(TARGET_COMMAND)? {
        Some(path) => {
            let target = command_of(&catalog, &path)?;
            let typed = target_line(&catalog, cx.application(), target, &words)?;
            store.add(typed);
            let of_command = catalog.command_options(target);
            let entries = catalog.application_options().into_iter().chain(of_command);
            entries.map(|entry| entry.option).collect()
        }
        None if !words.is_empty() => {
            let error =
                Error::msg("there are words behind `--`, and no target command to read them");
            let hint = format!("`config --target-command run -- {}`", words.join(" "));
            return Err(ExitCode::Usage.with_error(error.hint(hint)));
        }
        None => store.options().map(|known| known.option).collect(),
    };
    let text = match cx.config().get_optional(EXPLAIN)? {
        Some(key) => {
            let prefix = &cx.application().environment_prefix;
            explained(&store, &key, prefix).map_err(|error| match error {
                None => unknown(&catalog, &store, &key),
                Some(error) => error,
            })?
        }
        None if cx.config().get(LIST_FORMAT)? == "json" => as_json(&effective(&store, &options)?)?,
        None => as_yaml(&store, &effective(&store, &options)?),
    };
    console.stdout().write_all(text.as_bytes())?;
    Ok(ExitCode::Success)
}

/// A value that holds, under the key that gives it again.
struct Held {
    /// As a file would have it.
    spelling: String,
    /// Of the option, without an instruction.
    key: Key,
    value: Value,
    is_secret: bool,
}

/// All options that have a value, sorted by key. An empty list that hides a default is there too.
fn effective(store: &ConfigStore, options: &[OptionDescriptor]) -> Result<Vec<Held>> {
    let not_for_files = [
        SELECTED_COMMAND.key(),
        ALL_EXTENSIONS.key(),
        EXPLAIN.key(),
        TARGET_COMMAND.key(),
        TARGET_LINE.key(),
        ENTITY_INCLUDE_FILES,
    ];
    let mut all = Vec::new();
    for option in options {
        if not_for_files.contains(&option.key) {
            continue;
        }
        let entities: Vec<Option<Entity>> = match option.at {
            None => vec![None],
            Some(at) => store.entities(at)?.into_iter().map(Some).collect(),
        };
        for entity in entities {
            let Some(value) = held(store, option, entity.as_ref())? else {
                continue;
            };
            let key = Key::of(option, entity.as_ref());
            let mut spelling = if entity.is_none() {
                shown_key(option)
            } else {
                key.to_string()
            };
            if let Value::List(items) = &value
                && items.is_empty()
            {
                if option.default.is_none() {
                    continue;
                }
                spelling = Operation::Replace.key_for(&key).to_string();
            }
            let is_secret = option.is_secret();
            all.push(Held {
                spelling,
                key,
                value,
                is_secret,
            });
        }
    }
    all.sort_by(|a, b| a.spelling.cmp(&b.spelling));
    Ok(all)
}

/// One line for each value, with its sources as a comment. Secrets are comments as a whole.
fn as_yaml(store: &ConfigStore, all: &[Held]) -> String {
    let line = |held: &Held| {
        let text = format!("{}: {}", held.spelling, held.value.print());
        let text = if held.is_secret {
            format!("# {text}")
        } else {
            text
        };
        [text, sources(&store.explain(&held.key))]
    };
    let lines: Vec<[String; 2]> = all.iter().map(line).collect();
    lay_out(&lines, [false, false], usize::MAX)
}

/// The same as an object; without secrets, which JSON cannot hide in a comment.
fn as_json(all: &[Held]) -> Result<String> {
    let values = all
        .iter()
        .filter(|held| !held.is_secret)
        .map(|held| (held.spelling.clone(), json_value(&held.value)));
    let object: serde_json::Map<String, serde_json::Value> = values.collect();
    Ok(serde_json::to_string_pretty(&object)? + "\n")
}

fn json_value(value: &Value) -> serde_json::Value {
    match value {
        Value::Flag(flag) => (*flag).into(),
        Value::Integer(number) => match (i64::try_from(*number), u64::try_from(*number)) {
            (Ok(number), _) => number.into(),
            (_, Ok(number)) => number.into(),
            _ => serde_json::Value::Null,
        },
        Value::Float(number) => (*number).into(),
        Value::Text(text) | Value::Raw(text) => text.as_str().into(),
        Value::List(items) => items.iter().map(json_value).collect(),
        _ => serde_json::Value::Null,
    }
}

/// The value as a file would have it, before its author's function. A text with the characters of a reference keeps them.
fn held(
    store: &ConfigStore,
    option: &OptionDescriptor,
    entity: Option<&Entity>,
) -> Result<Option<Value>> {
    let value = store.read_untransformed(option, entity)?;
    Ok(value.map(|value| literal(value.to_value())))
}

fn literal(value: Value) -> Value {
    match value {
        Value::Text(text) => Value::Text(text.replace("${", "$${")),
        Value::List(items) => Value::List(items.into_iter().map(literal).collect()),
        other => other,
    }
}

/// The same as text; none for an empty list.
fn shown_value(
    store: &ConfigStore,
    option: &OptionDescriptor,
    entity: Option<&Entity>,
) -> Result<Option<String>> {
    Ok(match held(store, option, entity)? {
        Some(Value::List(items)) if items.is_empty() => None,
        value => value.map(|value| value.print()),
    })
}

/// The sources that make up a value, as a comment.
fn sources(values: &[Explained]) -> String {
    let sources: Vec<String> = values
        .iter()
        .filter(|value| matches!(value.outcome, Outcome::Wins | Outcome::Adds))
        .map(|value| match &value.source {
            Source::Default { .. } => "default".to_owned(),
            source => source.to_string(),
        })
        .collect();
    format!("# {}", sources.join(", "))
}

/// All values of one key, the one that counts most first.
///
/// # Errors
/// None if nobody knows the key.
fn explained(store: &ConfigStore, spelling: &str, prefix: &str) -> Result<String, Option<Error>> {
    let spelling = spelling.trim_start_matches('-');
    let key = Key::fold(spelling);
    let Some((known, entity)) = store.lookup(&key) else {
        return Err(None);
    };
    let option = &known.option;
    if let (Some(at), None) = (option.at, &entity) {
        let error = Error::msg(format_args!(
            "`{}` has one value per name",
            shown_key(option)
        ));
        let example = store.entities(at).map_err(Error::from)?.into_iter().next();
        let hint = match example {
            Some(entity) => format!("for example `{}`", Key::of(option, Some(&entity))),
            None => format!("`{}` has no names so far", at.key),
        };
        return Err(Some(ExitCode::Usage.with_error(error.hint(hint))));
    }
    let entity = entity.as_ref();
    let shown = if entity.is_none() {
        shown_key(option)
    } else {
        key.to_string()
    };
    let value = shown_value(store, option, entity)?;
    let head = match value {
        Some(value) => format!("{shown} = {value}\n"),
        None => format!("{shown} has no value\n"),
    };
    let values = store.explain(&key);
    let winner = values
        .iter()
        .find(|value| value.outcome == Outcome::Wins)
        .map(|value| value.priority);
    let rows: Vec<[String; 5]> = values
        .iter()
        .map(|value| {
            [
                format!("{:>5}", value.priority),
                value.priority.name().to_owned(),
                value.source.to_string(),
                match &value.value {
                    // As it was typed.
                    Value::Raw(text) => text.clone(),
                    other => other.print(),
                },
                why(value, winner).to_owned(),
            ]
        })
        .collect();
    let table = lay_out(&rows, [true, false, false, false, false], usize::MAX);
    let owners = known.owners.join(", ");
    let first_line = option.description.trim().lines().next().unwrap_or("");
    let description = match first_line.trim_end_matches('.') {
        "" => String::new(),
        text => format!("{text}. "),
    };
    let on_the_line = if option.argument {
        "an argument".to_owned()
    } else {
        format!("--{}", flag_name(option, entity))
    };
    let tail = format!(
        "{description}Asked for by {owners}.\nSet it by {on_the_line}, {} or `{shown}` in a file.\n",
        environment_name(prefix, option, entity)
    );
    Ok(format!("{head}{table}{tail}"))
}

/// What becomes of a value, and why.
fn why(value: &Explained, winner: Option<Priority>) -> &'static str {
    match value.outcome {
        Outcome::Wins => "◀ wins",
        Outcome::Adds => match value.operation {
            Operation::Replace => "◀ replaces what counts less",
            _ => "◀ adds",
        },
        Outcome::Removes => "◀ removes from what counts less",
        Outcome::Unset => "no value: the next one counts",
        Outcome::Overridden if winner == Some(value.priority) => "same priority, read earlier",
        Outcome::Overridden
            if winner.is_some_and(|winner| winner.level() == value.priority.level()) =>
        {
            "included, counts less"
        }
        Outcome::Overridden => "",
    }
}

/// With whose it is, if that is not loaded, or the nearest right key.
fn unknown(catalog: &Catalog, store: &ConfigStore, spelling: &str) -> Error {
    let spelling = spelling.trim_start_matches('-');
    if let Some(owner) = disabled_options::owner_of(catalog, &Key::fold(spelling)) {
        let error = Error::msg(format_args!("`{spelling}` has no effect"));
        return ExitCode::Usage.with_error(error.hint(format!("it is an option of {owner}")));
    }
    let error = Error::msg(format_args!("unknown key `{spelling}`"));
    let below = format!("{}.", Key::fold(spelling));
    let mut keys: Vec<String> = store
        .options()
        .map(|known| shown_key(&known.option))
        .filter(|key| Key::fold(key).as_str().starts_with(&below))
        .collect();
    keys.sort();
    let hint = if keys.is_empty() {
        store
            .nearest_key(spelling)
            .map(|(near, owner)| format!("did you mean `{near}` ({owner})?"))
            .or_else(|| alike(store, spelling))
    } else {
        Some(format!("there are `{}`", keys.join("`, `")))
    };
    let error = match hint {
        Some(hint) => error.hint(hint),
        None => error.hint("`config` without a key lists those that have a value"),
    };
    ExitCode::Usage.with_error(error)
}

/// The keys that end as this one does, for those who remember the last word only.
fn alike(store: &ConfigStore, spelling: &str) -> Option<String> {
    let folded = Key::fold(spelling);
    let last = format!(".{}", folded.as_str().rsplit('.').next()?);
    let mut keys: Vec<String> = store
        .options()
        .map(|known| shown_key(&known.option))
        .filter(|key| Key::fold(key).as_str().ends_with(&last))
        .collect();
    keys.sort();
    let keys = match keys.as_slice() {
        [] => return None,
        [key] => format!("`{key}`"),
        [others @ .., last] => format!("`{}` or `{last}`", others.join("`, `")),
    };
    Some(format!("did you mean {keys}?"))
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
