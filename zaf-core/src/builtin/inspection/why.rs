//! The command `why`: what decides whether one extension takes part.

use std::io::Write as _;

use super::declare::Declaration;
use super::extensions_command::{TARGET_COMMAND, command_of, why_not};
use super::table::lay_out;
use crate::application::{Console, ExitCode};
use crate::command::{CommandContext, CommandDescriptor};
use crate::config::{
    ConfigOption, ConfigStore, Key, Kind, OptionDescriptor, OptionId, Outcome, Source, flag_name,
    nearest,
};
use crate::error::{Error, Result};
use crate::extension::{
    Catalog, EXTENSION_ENABLED, Extends, Extension, ExtensionContext, ExtensionDescriptor,
    ExtensionEntry, ExtensionKind, ExtensionState,
};
use crate::message::Entity;

/// Name of the extension that is asked about; a positional argument.
pub const WHY_EXTENSION: OptionId<String> = OptionId::text("why.extension")
    .argument()
    .describe("Name of an extension, as `extensions` lists it.");

const OPTIONS: [ConfigOption; 2] = [WHY_EXTENSION.required(), TARGET_COMMAND.optional()];

/// `why`: shows what decides whether an extension takes part, and what has to change.
pub const WHY_COMMAND: CommandDescriptor = CommandDescriptor {
    name: "why",
    description: "Says why an extension takes part or not.",
    parent: None,
    uses: &[],
    config_options: &OPTIONS,
    hidden: false,
    run,
    krate: env!("CARGO_PKG_NAME"),
    file: file!(),
    line: line!(),
};

/// Adds [`WHY_COMMAND`].
#[derive(Debug)]
pub struct WhyCommand;

pub(super) const WHY: ExtensionDescriptor = Declaration {
    name: "whycommand",
    description: "Adds the command that explains an extension.",
    load_order: 110,
    config_options: &[],
    commands: &[&WHY_COMMAND],
    file: file!(),
    line: line!(),
}
.of::<WhyCommand>();

impl Extension for WhyCommand {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }
}

fn run(cx: &CommandContext<'_>) -> Result<ExitCode> {
    let catalog = cx.component::<Catalog>()?;
    let console = cx.component::<Console>()?;
    let name = cx.config().get(WHY_EXTENSION)?;
    let target = match cx.config().get_optional(TARGET_COMMAND)? {
        None => None,
        Some(path) => Some(command_of(&catalog, &path)?),
    };
    let mut text = String::new();
    for entry in catalog.extensions() {
        if entry.descriptor.name == name {
            text.push_str(&explained(entry, target, catalog.store()));
        }
    }
    if text.is_empty() {
        return Err(unknown(&catalog, &name));
    }
    console.stdout().write_all(text.as_bytes())?;
    Ok(ExitCode::Success)
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

fn explained(
    entry: &ExtensionEntry,
    target: Option<&CommandDescriptor>,
    store: &ConfigStore,
) -> String {
    let extension = &entry.descriptor;
    let reason = why_not(extension, target, store);
    let target_words =
        target.map_or_else(String::new, |command| format!(" for `{}`", command.path()));
    let state = match (&entry.state, &reason) {
        (state, _) if !state.is_enabled() => format!("not loaded: {state}"),
        (_, Some(reason)) => format!("loaded but inactive{target_words}: {reason}"),
        (_, None) => format!("active{target_words}"),
    };
    let mut rows: Vec<[String; 4]> = Vec::new();
    if let ExtensionKind::Command { extends } = extension.kind {
        let names: Vec<String> = extends.iter().map(extended).collect();
        let fit = match target {
            Some(command) if extension.extends(command) => format!("matches {}", command.path()),
            Some(command) => format!("◀ does not match {}", command.path()),
            None => String::new(),
        };
        rows.push([String::new(), "extends".into(), names.join(", "), fit]);
    }
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

fn extended(extends: &Extends) -> String {
    match extends {
        Extends::Command(command) => command.path(),
        Extends::Capability(word) => (*word).to_owned(),
    }
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
