//! Commands that show what there is: what is the same for all of them.
//!
//! Each is an extension that adds one command ([`command`], [`adding`]), looks at the same things ([`Inspection`]), can take the
//! view of another command (`--target-command`), and writes a table or JSON ([`Inspection::show`]). They run although extensions
//! are broken, and show those as failed.

mod commands;
mod component_needs;
mod components;
mod config;
mod definitions;
mod endpoints;
mod extensions;
mod listeners;
mod messages;
mod participation;
mod plugins;
mod reference;
mod type_name;
mod why;

use std::io::Write as _;
use std::sync::Arc;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use super::declare::Declaration;
use crate::application::{Console, ExitCode};
use crate::command::{CommandContext, CommandDescriptor, INSPECTION};
use crate::config::{ConfigOption, OptionId, nearest};
use crate::error::{Error, Result};
use crate::extension::{
    Catalog, Extension, ExtensionContext, ExtensionDescriptor, ExtensionEntry, LoadProblems,
};

pub use commands::COMMANDS_COMMAND;
pub use components::COMPONENTS_COMMAND;
pub use config::{CONFIG_COMMAND, EXPLAIN, TARGET_LINE};
pub use endpoints::ENDPOINTS_COMMAND;
pub use extensions::EXTENSIONS_COMMAND;
pub use messages::MESSAGES_COMMAND;
pub use plugins::{ORDERED, PLUGINS_COMMAND};
pub use reference::{DOCS_CHECK, DOCS_COMMAND, DOCS_DIR, HELP_TOPIC, HELP_TOPIC_COMMAND};
pub use why::{WHY_COMMAND, WHY_EXTENSION};

/// Command whose point of view is taken; without it, none is. `--target-command run`.
pub const TARGET_COMMAND: OptionId<String> =
    OptionId::text("target.command").describe("Say what takes part in this command.");

/// How lists are written. `--format`; `json` for programs: the fields are stable, new ones may come.
pub const LIST_FORMAT: OptionId<String> = OptionId::choice("format", &["table", "json"])
    .describe("How the list is written.")
    .default("table");

/// Options of every list.
const LIST_OPTIONS: [ConfigOption; 2] = [TARGET_COMMAND.optional(), LIST_FORMAT.optional()];

/// Version of the fields of all lists in JSON: a new field is a new minor version, another meaning a new major one.
const SCHEMA: &str = "1.2";

/// Their extensions, in the order of the list of built-in ones.
pub(super) const EXTENSIONS: [ExtensionDescriptor; 10] = [
    config::CONFIG,
    extensions::EXTENSIONS,
    plugins::PLUGINS,
    why::WHY,
    commands::COMMANDS,
    endpoints::ENDPOINTS,
    messages::MESSAGES,
    components::COMPONENTS,
    reference::DOCS,
    reference::HELP,
];

/// Adds one of the commands that show what there is.
#[derive(Debug)]
pub struct InspectionCommand;

impl Extension for InspectionCommand {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }
}

/// A command that shows what there is.
const fn command(
    name: &'static str,
    description: &'static str,
    config_options: &'static [ConfigOption],
    run: fn(&CommandContext<'_>) -> Result<ExitCode>,
    (file, line): (&'static str, u32),
) -> CommandDescriptor {
    CommandDescriptor {
        name,
        description,
        parent: None,
        uses: &[INSPECTION],
        config_options,
        hidden: false,
        requirements: &[],
        run,
        krate: env!("CARGO_PKG_NAME"),
        file,
        line,
    }
}

/// The extension that adds such a command.
const fn adding(
    name: &'static str,
    description: &'static str,
    commands: &'static [&'static CommandDescriptor],
    (file, line): (&'static str, u32),
) -> ExtensionDescriptor {
    Declaration {
        name,
        description,
        load_order: 110,
        config_options: &[],
        commands,
        file,
        line,
    }
    .of::<InspectionCommand>()
}

/// What such a command looks at.
struct Inspection {
    catalog: Arc<Catalog>,
    problems: Arc<LoadProblems>,
    console: Arc<Console>,
    /// Whose point of view is taken.
    target: Option<&'static CommandDescriptor>,
}

impl Inspection {
    /// Everything that is known, seen from the command that was asked for.
    ///
    /// # Errors
    /// With exit code 2 and the nearest path, if there is no such command.
    fn new(cx: &CommandContext<'_>) -> Result<Self> {
        let everywhere = Self::everywhere(cx)?;
        let target = match cx.config().get_optional(TARGET_COMMAND)? {
            None => None,
            Some(path) => Some(command_of(&everywhere.catalog, &path)?),
        };
        Ok(Self {
            target,
            ..everywhere
        })
    }

    /// Everything that is known, from nobody's point of view.
    fn everywhere(cx: &CommandContext<'_>) -> Result<Self> {
        Ok(Self {
            catalog: cx.component::<Catalog>()?,
            // Only an application knows about problems; a command that is called by others sees none.
            problems: cx.component::<LoadProblems>().unwrap_or_default(),
            console: cx.component::<Console>()?,
            target: None,
        })
    }

    /// The extensions that are loaded if the target runs; without one, all that are enabled. First those of commands, then
    /// framework extensions, as their dispatchers are registered.
    fn taking_part(&self) -> impl Iterator<Item = &ExtensionEntry> {
        let of = |is_framework: bool| {
            self.catalog
                .extensions()
                .iter()
                .filter(move |entry| entry.descriptor.is_framework() == is_framework)
        };
        of(false).chain(of(true)).filter(|entry| {
            let extension = &entry.descriptor;
            let is_of_target = self.target.is_none_or(|target| extension.extends(target));
            entry.state.is_enabled() && (extension.is_framework() || is_of_target)
        })
    }

    /// Writes what was found: as JSON with the rows under `list`, or the table that is made for the width of the terminal.
    fn show(
        &self,
        cx: &CommandContext<'_>,
        list: &str,
        rows: &(impl Serialize + ?Sized),
        table: impl FnOnce(usize) -> String,
    ) -> Result<ExitCode> {
        if cx.config().get(LIST_FORMAT)? != "json" {
            return self.write(&table(self.console.width()));
        }
        let list = List {
            name: list,
            rows,
            target: self.target,
            problems: &self.problems,
        };
        self.write(&(serde_json::to_string_pretty(&list)? + "\n"))
    }

    fn write(&self, text: &str) -> Result<ExitCode> {
        self.console.stdout().write_all(text.as_bytes())?;
        Ok(ExitCode::Success)
    }
}

/// A list for programs.
struct List<'a, R: ?Sized> {
    /// What the rows are called.
    name: &'a str,
    rows: &'a R,
    target: Option<&'static CommandDescriptor>,
    problems: &'a LoadProblems,
}

impl<R: Serialize + ?Sized> Serialize for List<'_, R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let texts: Vec<&str> = self
            .problems
            .iter()
            .map(|problem| problem.text.as_str())
            .collect();
        let mut fields = serializer.serialize_map(Some(4))?;
        fields.serialize_entry("schema", SCHEMA)?;
        fields.serialize_entry("target_command", &self.target.map(CommandDescriptor::path))?;
        fields.serialize_entry(self.name, self.rows)?;
        fields.serialize_entry("problems", &texts)?;
        fields.end()
    }
}

/// The command of this path.
///
/// # Errors
/// With exit code 2 and the nearest path, if there is none.
fn command_of(catalog: &Catalog, path: &str) -> Result<&'static CommandDescriptor> {
    let commands = catalog.commands();
    if let Some(entry) = commands.find(path) {
        return Ok(entry.command);
    }
    let error = Error::msg(format_args!("there is no command `{path}`"));
    let paths: Vec<&str> = commands.iter().map(|(path, _)| path).collect();
    let hint = match nearest(path, paths.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are `{}`", paths.join("`, `")),
    };
    Err(ExitCode::Usage.with_error(error.hint(hint)))
}

/// The first line of a documentation, without the full stop.
fn first_line(description: &str) -> &str {
    let first = description.trim().lines().next().unwrap_or("");
    first.trim_end_matches('.')
}
