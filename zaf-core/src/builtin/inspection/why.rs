//! The command `why`: what decides whether one extension takes part.

use super::super::table::lay_out;
use super::participation::{State, because, extended};
use super::{Inspection, TARGET_COMMAND, adding, command};
use crate::application::ExitCode;
use crate::command::{CommandContext, CommandDescriptor};
use crate::config::{
    ConfigOption, ConfigStore, Key, Kind, OptionDescriptor, OptionId, Outcome, Source, flag_name,
    nearest,
};
use crate::error::{Error, Result};
use crate::extension::{
    Catalog, EXTENSION_ENABLED, ExtensionDescriptor, ExtensionEntry, ExtensionState,
};
use crate::message::Entity;

/// Name of the extension that is asked about; a positional argument.
pub const WHY_EXTENSION: OptionId<String> = OptionId::text("why.extension")
    .argument()
    .describe("Name of an extension, as `extensions` lists it.");

const OPTIONS: [ConfigOption; 2] = [WHY_EXTENSION.required(), TARGET_COMMAND.optional()];

/// `why`: shows what decides whether an extension takes part, and what has to change.
pub const WHY_COMMAND: CommandDescriptor = command(
    "why",
    "Says why an extension takes part or not.",
    &OPTIONS,
    run,
    (file!(), line!()),
);

pub(super) const WHY: ExtensionDescriptor = adding(
    "whycommand",
    "Adds the command that explains an extension.",
    &[&WHY_COMMAND],
    (file!(), line!()),
);

fn run(cx: &CommandContext<'_>) -> Result<ExitCode> {
    let inspection = Inspection::new(cx)?;
    let name = cx.config().get(WHY_EXTENSION)?;
    let mut text = String::new();
    for entry in inspection.catalog.extensions() {
        if entry.descriptor.name == name {
            text.push_str(&explained(entry, &inspection));
        }
    }
    if text.is_empty() {
        for problem in inspection.problems.of_extension(&name) {
            let unknown = [
                &name,
                " is not known to the application: ",
                &problem.text,
                "\n",
            ];
            text.extend(unknown);
        }
    }
    if text.is_empty() {
        return Err(unknown(&inspection.catalog, &name));
    }
    inspection.write(&text)
}

fn unknown(catalog: &Catalog, name: &str) -> Error {
    let error = Error::msg(format_args!("there is no extension `{name}`"));
    let names = catalog
        .extensions()
        .iter()
        .map(|entry| entry.descriptor.name);
    let hint = match nearest(name, names) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`extensions` lists them".to_owned(),
    };
    ExitCode::Usage.with_error(error.hint(hint))
}

fn explained(entry: &ExtensionEntry, inspection: &Inspection) -> String {
    let extension = &entry.descriptor;
    let (target, store) = (inspection.target, inspection.catalog.store());
    let target_words =
        target.map_or_else(String::new, |command| format!(" for `{}`", command.path()));
    let participation = inspection.participation(entry);
    let reason = participation.reason.unwrap_or_default();
    let state = match participation.state {
        State::Active => format!("active{target_words}"),
        State::Inactive => format!("loaded but inactive{target_words}: {reason}"),
        State::Failed => format!("broken: {reason}"),
        State::Disabled | State::Replaced | State::Undecided => {
            format!("not loaded: {}", entry.state)
        }
    };
    let mut rows = matching(extension, target);
    rows.push(enabled(entry, store));
    for (step, condition) in [
        ("activate", extension.activate_on),
        ("deactivate", extension.deactivate_on),
    ] {
        for option in condition.iter().copied().flatten() {
            rows.push(condition_row(step, option, store));
        }
    }
    format!(
        "{} ({} {}, load order {}) is {state}\n{}",
        extension.name,
        extension.krate,
        extension.version,
        extension.load_order(),
        lay_out(&rows, [false; 4], usize::MAX)
    )
}

/// How a command extension matches the target, step by step. No rows for framework extensions.
fn matching(
    extension: &ExtensionDescriptor,
    target: Option<&'static CommandDescriptor>,
) -> Vec<[String; 4]> {
    let (commands, capabilities) = extended(extension);
    let row =
        |step: &str, what: String, outcome: String| [String::new(), step.into(), what, outcome];
    let names = commands
        .iter()
        .map(String::as_str)
        .chain(capabilities.iter().copied())
        .collect::<Vec<_>>()
        .join(", ");
    if names.is_empty() {
        return Vec::new();
    }
    let Some(target) = target else {
        return vec![row("extends", names, String::new())];
    };
    let path = target.path();
    let outcome = if because(extension, target).is_some() {
        format!("matches {path}")
    } else {
        format!("◀ does not match {path}")
    };
    let mut rows = vec![row("extends", names, outcome)];
    if commands.contains(&path) {
        return rows;
    }
    // All of them have to be used.
    rows.extend(capabilities.into_iter().map(|word| {
        let outcome = if word == target.name {
            format!("its own name, which {path} always uses")
        } else if target.uses.contains(&word) {
            format!("used by {path}")
        } else {
            format!("◀ not used by {path}")
        };
        row("capability", word.to_owned(), outcome)
    }));
    rows
}

fn enabled(entry: &ExtensionEntry, store: &ConfigStore) -> [String; 4] {
    let extension = &entry.descriptor;
    let option = EXTENSION_ENABLED.descriptor();
    let key = Key::of(&option, Some(&Entity::from(extension.name)));
    let from = source(store, &key).unwrap_or_else(|| match &entry.state {
        ExtensionState::Enabled => "default".to_owned(),
        state => state.to_string(),
    });
    let value = entry.state.is_enabled();
    [
        String::new(),
        "enabled".into(),
        format!("{key} = {value}"),
        from,
    ]
}

fn condition_row(step: &str, option: &OptionDescriptor, store: &ConfigStore) -> [String; 4] {
    let key = Key::of(option, None);
    let value = match store.read(option, None) {
        Ok(Some(value)) => format!("{key} = {}", value.to_value().print()),
        Ok(None) | Err(_) => format!("{key} has no value"),
    };
    let from = source(store, &key).unwrap_or_default();
    let flag = flag_name(option, None);
    let usage = if option.kind == Kind::Flag {
        format!("--{flag} or --no-{flag} decides")
    } else {
        format!("--{flag} sets it")
    };
    let from = if from.is_empty() {
        usage
    } else {
        format!("{from}; {usage}")
    };
    [String::new(), step.to_owned(), value, from]
}

/// Where the value that holds was written.
fn source(store: &ConfigStore, key: &Key) -> Option<String> {
    let values = store.explain(key);
    let winner = values
        .iter()
        .find(|value| matches!(value.outcome, Outcome::Wins | Outcome::Adds))?;
    Some(match &winner.source {
        Source::Default { .. } => "default".to_owned(),
        source => source.to_string(),
    })
}
