//! The command `config`: the values that hold, and where one comes from.

use std::io::Write as _;

use super::super::table::lay_out;
use super::{adding, command};
use crate::application::{Console, ExitCode};
use crate::command::{CommandContext, CommandDescriptor};
use crate::config::{
    ConfigOption, ConfigStore, Explained, Key, OptionDescriptor, OptionId, Outcome, Priority,
    Source, Value, environment_name, flag_name, shown_key,
};
use crate::error::{Error, Result};
use crate::extension::{ALL_EXTENSIONS, ExtensionDescriptor, SELECTED_COMMAND};
use crate::message::Entity;

/// Key of which all values are shown, with where each was written and which one wins. `--explain output.dir`.
pub const EXPLAIN: OptionId<String> =
    OptionId::text("explain").describe("Say where the value of this key comes from.");

const OPTIONS: [ConfigOption; 1] = [EXPLAIN.optional()];

/// `config`: prints the values that hold, as a YAML file that gives the same values again; with [`EXPLAIN`], all values of one
/// key.
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
    let store = cx.config().store();
    let console = cx.component::<Console>()?;
    let text = match cx.config().get_optional(EXPLAIN)? {
        Some(key) => explained(store, &key, &cx.application().environment_prefix)?,
        None => effective(store)?,
    };
    console.stdout().write_all(text.as_bytes())?;
    Ok(ExitCode::Success)
}

/// All options that have a value, sorted by key, each with the source of its value as a comment.
fn effective(store: &ConfigStore) -> Result<String> {
    let mut lines: Vec<[String; 2]> = Vec::new();
    let not_for_files = [SELECTED_COMMAND.key(), ALL_EXTENSIONS.key(), EXPLAIN.key()];
    for known in store.options() {
        let option = &known.option;
        if not_for_files.contains(&option.key) {
            continue;
        }
        let entities: Vec<Option<Entity>> = match option.at {
            None => vec![None],
            Some(at) => store.entities(at)?.into_iter().map(Some).collect(),
        };
        for entity in entities {
            let Some(value) = shown_value(store, option, entity.as_ref())? else {
                continue;
            };
            let key = Key::of(option, entity.as_ref());
            let spelling = if entity.is_none() {
                shown_key(option)
            } else {
                key.to_string()
            };
            lines.push([
                format!("{spelling}: {value}"),
                sources(&store.explain(&key)),
            ]);
        }
    }
    lines.sort();
    Ok(lay_out(&lines, [false, false], usize::MAX))
}

/// The value as a file would have it. A text with the characters of a reference keeps them.
fn shown_value(
    store: &ConfigStore,
    option: &OptionDescriptor,
    entity: Option<&Entity>,
) -> Result<Option<String>> {
    let value = store.read(option, entity)?.map(|value| value.to_value());
    Ok(match value {
        None => None,
        Some(Value::List(items)) if items.is_empty() => None,
        Some(value) => Some(value.print().replace("${", "$${")),
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
/// With the nearest right key, if nobody knows it.
fn explained(store: &ConfigStore, spelling: &str, prefix: &str) -> Result<String> {
    let spelling = spelling.trim_start_matches('-');
    let key = Key::fold(spelling);
    let Some((known, entity)) = store.lookup(&key) else {
        return Err(unknown(store, spelling));
    };
    let option = &known.option;
    if let (Some(at), None) = (option.at, &entity) {
        let error = Error::msg(format_args!(
            "`{}` has one value per name",
            shown_key(option)
        ));
        let example = store.entities(at)?.into_iter().next();
        let hint = match example {
            Some(entity) => format!("for example `{}`", Key::of(option, Some(&entity))),
            None => format!("`{}` has no names so far", at.key),
        };
        return Err(ExitCode::Usage.with_error(error.hint(hint)));
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
        Outcome::Adds => "◀ adds",
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

fn unknown(store: &ConfigStore, spelling: &str) -> Error {
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
    } else {
        Some(format!("there are `{}`", keys.join("`, `")))
    };
    let error = match hint {
        Some(hint) => error.hint(hint),
        None => error.hint("`config` without a key lists those that have a value"),
    };
    ExitCode::Usage.with_error(error)
}
