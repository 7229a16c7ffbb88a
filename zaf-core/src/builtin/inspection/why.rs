//! The command `why`: what decides whether one extension takes part.

use std::collections::BTreeSet;

use anstyle::AnsiColor;
use serde::Serialize;

use super::super::table::{Cell, lay_out};
use super::participation::{Participation, State, because, extended, instances, view_of};
use super::{Inspection, LIST_FORMAT, TARGET_COMMAND, adding, command};
use crate::application::ExitCode;
use crate::command::{CommandContext, CommandDescriptor};
use crate::config::{
    ConfigOption, ConfigStore, Key, Kind, OptionDescriptor, OptionId, Outcome, Source, flag_name,
    nearest,
};
use crate::error::{Error, Result};
use crate::extension::{
    Catalog, EXTENSION_ENABLED, ExtensionDescriptor, ExtensionEntry, ExtensionState,
    PLUGINS_DISABLED,
};
use crate::message::Entity;

/// Name of the extension that is asked about; a positional argument.
pub const WHY_EXTENSION: OptionId<String> = OptionId::text("why.extension")
    .argument()
    .describe("Name of an extension, as `extensions` lists it.");

const OPTIONS: [ConfigOption; 3] = [
    WHY_EXTENSION.required(),
    TARGET_COMMAND.optional(),
    LIST_FORMAT.optional(),
];

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
    let explained: Vec<Explanation> = inspection
        .catalog
        .extensions()
        .iter()
        .filter(|entry| entry.descriptor.name == name)
        .map(|entry| Explanation::of(entry, &inspection))
        .collect();
    let refused: Vec<&str> = inspection
        .problems
        .of_extension(&name)
        .map(|problem| problem.text.as_str())
        .collect();
    if explained.is_empty() && refused.is_empty() {
        return Err(unknown(&inspection.catalog, &name));
    }
    inspection.show(cx, "extensions", &explained, |width| {
        if explained.is_empty() {
            return format!(
                "{name} is not known to the application: {}\n",
                refused.join("\n")
            );
        }
        explained
            .iter()
            .map(|one| one.text(inspection.target, width))
            .collect()
    })
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

/// What decides about one extension.
#[derive(Debug, Serialize)]
struct Explanation {
    name: &'static str,
    #[serde(rename = "crate")]
    krate: &'static str,
    version: &'static str,
    order: u16,
    state: State,
    /// Why it does not take part; none if it does.
    reason: Option<String>,
    steps: Vec<Step>,
}

/// One thing that was looked at, in the order in which it is.
#[derive(Debug, Serialize)]
struct Step {
    /// What sort of thing: `found`, `extends`, `capability`, `enabled`, `replaced`, `instances`, `activate`, `deactivate`.
    #[serde(rename = "step")]
    about: &'static str,
    /// What was found.
    found: String,
    /// What follows from it, or where it is written.
    outcome: String,
    /// Whether the extension does not take part because of it.
    hinders: bool,
}

impl Explanation {
    fn of(entry: &ExtensionEntry, inspection: &Inspection) -> Self {
        let extension = &entry.descriptor;
        let catalog = &inspection.catalog;
        let Participation { state, reason } = inspection.participation(entry);
        let mut steps = Vec::new();
        if extension.construct.is_provided() {
            steps.push(Step::new("found", extension.file, "it is not linked"));
        }
        steps.extend(matching(extension, inspection.target));
        steps.extend(nowhere(extension, catalog));
        steps.extend(enabled(entry, catalog));
        if let ExtensionState::Replaced { by } = entry.state {
            steps.push(Step::new("replaced", format!("by {by}"), "which is loaded").hindering());
        }
        if entry.state.is_enabled() {
            steps.extend(conditions(extension, catalog));
        }
        Self {
            name: extension.name,
            krate: extension.krate,
            version: extension.version,
            order: extension.load_order(),
            state,
            reason,
            steps,
        }
    }

    fn text(&self, target: Option<&CommandDescriptor>, width: usize) -> String {
        let of_target =
            target.map_or_else(String::new, |command| format!(" for `{}`", command.path()));
        let reason = self.reason.as_deref().unwrap_or_default();
        let state = match self.state {
            State::Active => format!("active{of_target}"),
            State::Inactive => format!("loaded but inactive{of_target}: {reason}"),
            State::Failed => format!("broken: {reason}"),
            State::Disabled | State::Replaced | State::Undecided => format!("not loaded: {reason}"),
        };
        let head = format!(
            "{} ({} {}, load order {}) is {state}",
            self.name, self.krate, self.version, self.order
        );
        let rows: Vec<[Cell; 4]> = self
            .steps
            .iter()
            .map(|step| {
                let mark = if step.hinders { "◀ " } else { "" };
                let outcome = format!("{mark}{}", step.outcome);
                let outcome = if step.hinders {
                    Cell::styled(outcome, AnsiColor::Yellow.on_default())
                } else {
                    outcome.into()
                };
                [
                    "".into(),
                    step.about.into(),
                    step.found.as_str().into(),
                    outcome,
                ]
            })
            .collect();
        lay_out(&[[head]], [false], width) + &lay_out(&rows, [false; 4], width)
    }
}

impl Step {
    fn new(about: &'static str, found: impl Into<String>, outcome: impl Into<String>) -> Self {
        Self {
            about,
            found: found.into(),
            outcome: outcome.into(),
            hinders: false,
        }
    }

    fn hindering(self) -> Self {
        Self {
            hinders: true,
            ..self
        }
    }

    fn hindering_if(self, hinders: bool) -> Self {
        Self { hinders, ..self }
    }
}

/// How a command extension matches the target, step by step. No steps for framework extensions.
fn matching(
    extension: &ExtensionDescriptor,
    target: Option<&'static CommandDescriptor>,
) -> Vec<Step> {
    let (commands, capabilities) = extended(extension);
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
        return vec![Step::new(
            "extends",
            names,
            "--target-command says whether it matches",
        )];
    };
    let path = target.path();
    let mut steps = vec![if because(extension, target).is_some() {
        Step::new("extends", names, format!("matches {path}"))
    } else {
        Step::new("extends", names, format!("does not match {path}")).hindering()
    }];
    if commands.contains(&path) {
        return steps;
    }
    // All of them have to be used.
    steps.extend(capabilities.into_iter().map(|word| {
        if word == target.name {
            let outcome = format!("its own name, which {path} always uses");
            Step::new("capability", word, outcome)
        } else if target.uses.contains(&word) {
            Step::new("capability", word, format!("used by {path}"))
        } else {
            Step::new("capability", word, format!("not used by {path}")).hindering()
        }
    }));
    steps
}

/// Capabilities that no command has: with one of them it is never loaded.
fn nowhere(extension: &ExtensionDescriptor, catalog: &Catalog) -> Vec<Step> {
    let unknown = catalog.unknown_capabilities(extension).into_iter();
    let steps = unknown.map(|(word, near)| {
        let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        Step::new("capability", word, format!("no command has it{near}")).hindering()
    });
    steps.collect()
}

/// All that is said about whether it is loaded, what decides first.
fn enabled(entry: &ExtensionEntry, catalog: &Catalog) -> Vec<Step> {
    let extension = &entry.descriptor;
    let step = |found: String, outcome: String| Step::new("enabled", found, outcome);
    if entry.state == ExtensionState::AlwaysLoaded {
        return vec![step("always".to_owned(), "load order up to 20".to_owned())];
    }
    let key = Key::of(
        &EXTENSION_ENABLED.descriptor(),
        Some(&Entity::from(extension.name)),
    );
    let is_off = matches!(entry.state, ExtensionState::Disabled { .. });
    let mut steps: Vec<Step> = catalog
        .statements(extension)
        .into_iter()
        .enumerate()
        .map(|(place, statement)| {
            let (outcome, source) = (statement.enabled, statement.source);
            let found = if statement.key == PLUGINS_DISABLED.key() {
                format!("{} names it", statement.key)
            } else {
                format!("{} = {outcome}", statement.key)
            };
            let outcome = if place == 0 {
                source.to_string()
            } else {
                format!("{source}; does not count")
            };
            step(found, outcome).hindering_if(is_off && place == 0)
        })
        .collect();
    if steps.is_empty() {
        let found = format!("{key} = {}", !is_off);
        steps.push(match &entry.state {
            ExtensionState::Disabled {
                by: Some(statement),
            } => step(found, statement.to_string()).hindering(),
            ExtensionState::Disabled { by: None } => {
                let outcome = "its declaration; nobody says otherwise";
                step(found, outcome.to_owned()).hindering()
            }
            _ => step(found, "default".to_owned()),
        });
    }
    steps
}

/// The instances, and what their conditions find.
fn conditions(extension: &ExtensionDescriptor, catalog: &Catalog) -> Vec<Step> {
    let mut steps = Vec::new();
    let instances = instances(extension, catalog);
    if let Some(option) = extension.instance_option() {
        let key = option.option.key;
        let names: Vec<&str> = instances.iter().flatten().map(Entity::name).collect();
        steps.push(if names.is_empty() {
            let outcome = format!("--{} sets it", flag_name(&option.option, None));
            Step::new("instances", format!("{key} names nothing"), outcome).hindering()
        } else {
            Step::new(
                "instances",
                names.join(", "),
                format!("one for each of {key}"),
            )
        });
    }
    let bound = extension.instance_option().map(|option| option.option);
    for entity in &instances {
        let view = view_of(extension, entity.as_ref(), catalog);
        let mut add = |name: &'static str, group: &[OptionDescriptor], hinders: bool| {
            for option in group {
                // What does not hang at the instances' entities is the same for all.
                let own = option
                    .at
                    .filter(|at| bound.is_some_and(|bound| **at == bound));
                let entity = own.and(entity.as_ref());
                steps.push(condition(name, option, entity, catalog).hindering_if(hinders));
            }
        };
        let holds = |group: &[OptionDescriptor]| group.iter().any(|option| view.is_set(option));
        for group in extension.activate_on {
            add("activate", group, !holds(group));
        }
        let is_off = extension.deactivate_on.iter().all(|group| holds(group));
        for group in extension.deactivate_on {
            add("deactivate", group, is_off);
        }
    }
    let mut seen = BTreeSet::new();
    steps.retain(|step| seen.insert((step.about, step.found.clone())));
    steps
}

fn condition(
    step: &'static str,
    option: &OptionDescriptor,
    entity: Option<&Entity>,
    catalog: &Catalog,
) -> Step {
    let store = catalog.store();
    let key = Key::of(option, entity);
    let found = match store.read(option, entity) {
        Ok(Some(value)) => format!("{key} = {}", value.to_value().print()),
        Ok(None) | Err(_) => format!("{key} has no value"),
    };
    let flag = flag_name(option, entity);
    let usage = if option.kind == Kind::Flag {
        format!("--{flag} or --no-{flag} decides")
    } else {
        format!("--{flag} sets it")
    };
    Step::new(
        step,
        found,
        match source(store, &key) {
            Some(source) => format!("{source}; {usage}"),
            None => usage,
        },
    )
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
