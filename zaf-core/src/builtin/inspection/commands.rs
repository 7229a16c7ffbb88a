//! The command `commands`: what can be typed, what each command uses, and what extends it.

use serde::Serialize;

use super::super::table::{Block, Cell, lay_out_blocks};
use super::participation::{Because, Participation, State, because};
use super::{Inspection, LIST_OPTIONS, adding, command, first_line};
use crate::application::ExitCode;
use crate::command::{CommandContext, CommandDescriptor, CommandEntry};
use crate::config::{Kind, Value, flag_name};
use crate::error::Result;
use crate::extension::{ExtensionDescriptor, OptionEntry, Requester};

/// `commands`: lists all commands with what extends them; of one command, its options too.
pub const COMMANDS_COMMAND: CommandDescriptor = command(
    "commands",
    "Lists the commands and the extensions that extend them.",
    &LIST_OPTIONS,
    run,
    (file!(), line!()),
);

pub(super) const COMMANDS: ExtensionDescriptor = adding(
    "commandscommand",
    "Adds the command that lists commands.",
    &[&COMMANDS_COMMAND],
    (file!(), line!()),
);

fn run(cx: &CommandContext<'_>) -> Result<ExitCode> {
    let inspection = Inspection::new(cx)?;
    let rows: Vec<Row> = inspection
        .catalog
        .commands()
        .iter()
        .filter(|(path, _)| is_meant(inspection.target, path))
        .map(|(path, entry)| Row::of(path, entry, &inspection))
        .collect();
    let with_options = inspection.target.is_some();
    inspection.show(cx, "commands", &rows, |width| {
        table(&rows, with_options, width)
    })
}

/// Whether the command is the target or below it.
fn is_meant(target: Option<&CommandDescriptor>, path: &str) -> bool {
    target.is_none_or(|target| {
        let above = target.path();
        path == above
            || path
                .strip_prefix(&above)
                .is_some_and(|rest| rest.starts_with(' '))
    })
}

/// What is said about one command.
#[derive(Debug, Serialize)]
struct Row {
    /// Names from the outermost command on, with blanks between.
    path: String,
    name: &'static str,
    /// Path of the command that it belongs to.
    parent: Option<String>,
    /// Whether only the full help lists it.
    hidden: bool,
    /// Capabilities, its own name first.
    uses: Vec<&'static str>,
    /// Name of the extension that adds it.
    extension: &'static str,
    #[serde(rename = "crate")]
    krate: &'static str,
    file: &'static str,
    line: u32,
    /// In the order in which they are loaded.
    extended_by: Vec<Extender>,
    /// Options beyond those of the application, sorted by key.
    options: Vec<OptionRow>,
    description: &'static str,
}

/// An enabled extension that extends a command.
#[derive(Debug, Serialize)]
struct Extender {
    extension: &'static str,
    /// `command` if it names the command, else `capabilities`.
    because: &'static str,
    /// The capabilities; empty if it names the command.
    capabilities: Vec<&'static str>,
    state: State,
    /// Why it does not take part; none if it does.
    reason: Option<String>,
    #[serde(skip)]
    words: String,
}

/// An option of a command.
#[derive(Debug, Serialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "fields that programs read, each a yes or no of its own"
)]
struct OptionRow {
    key: &'static str,
    /// As it is typed; with dashes unless it is an argument.
    typed: String,
    argument: bool,
    /// `text`, `integer`, `count`, `float`, `flag`, `duration`, `size`, `path`, `glob`, `choice` or `entity`.
    #[serde(rename = "type")]
    kind: String,
    /// Words to choose from.
    choices: &'static [&'static str],
    /// Whether it can have several values.
    multiple: bool,
    default: Option<String>,
    /// Whether somebody cannot do without a value and there is no default.
    required: bool,
    hidden: bool,
    /// Names of extensions, paths of commands.
    asked_for_by: Vec<String>,
    description: &'static str,
}

impl Row {
    fn of(path: &str, entry: &CommandEntry, inspection: &Inspection) -> Self {
        let command = entry.command;
        let mut uses = vec![command.name];
        uses.extend(command.uses.iter().filter(|word| **word != command.name));
        let options = inspection.catalog.command_options(command);
        Self {
            path: path.to_owned(),
            name: command.name,
            parent: command.parent.map(CommandDescriptor::path),
            hidden: command.hidden,
            uses,
            extension: entry.extension,
            krate: command.krate,
            file: command.file,
            line: command.line,
            extended_by: extenders(command, inspection),
            options: options.into_iter().map(OptionRow::of).collect(),
            description: command.short_description(),
        }
    }

    fn block(&self, with_options: bool) -> Block<3> {
        let mut details: Vec<[Cell; 2]> = Vec::new();
        let mut label = "extended by";
        for extender in &self.extended_by {
            details.push([label.into(), extender.words.as_str().into()]);
            label = "";
        }
        let mut label = "option";
        for option in self.options.iter().filter(|_| with_options) {
            details.push([label.into(), option.words().into()]);
            label = "";
        }
        let depth = self.path.matches(' ').count();
        let hidden = if self.hidden { " (hidden)" } else { "" };
        Block {
            head: [
                format!("{}{}{hidden}", "  ".repeat(depth), self.name).into(),
                self.extension.into(),
                self.uses.join(", ").into(),
            ],
            description: self.description.to_owned(),
            details,
        }
    }
}

fn extenders(command: &'static CommandDescriptor, inspection: &Inspection) -> Vec<Extender> {
    let entries = inspection.catalog.extensions().iter();
    entries
        .filter(|entry| entry.state.is_enabled())
        .filter_map(|entry| {
            let name = entry.descriptor.name;
            let why = because(&entry.descriptor, command)?;
            let Participation { state, reason } = inspection.participation_in(entry, Some(command));
            let but = match &reason {
                Some(reason) => format!(" ({}: {reason})", state.word()),
                None => String::new(),
            };
            let words = format!("{name}, because of {}{but}", why.words());
            let (because, capabilities) = match why {
                Because::Command => ("command", Vec::new()),
                Because::Capabilities(words) => ("capabilities", words),
            };
            Some(Extender {
                extension: name,
                because,
                capabilities,
                state,
                reason,
                words,
            })
        })
        .collect()
}

impl OptionRow {
    fn of(entry: &OptionEntry) -> Self {
        let option = &entry.option;
        let flag = flag_name(option, None);
        Self {
            key: option.key,
            typed: if option.argument {
                option
                    .key
                    .rsplit('.')
                    .next()
                    .unwrap_or(option.key)
                    .to_uppercase()
            } else {
                format!("--{flag}")
            },
            argument: option.argument,
            kind: kind_word(option.kind),
            choices: match option.kind {
                Kind::Choice(words) => words,
                _ => &[],
            },
            multiple: option.multiple,
            default: option.default.map(|default| Value::from(default).print()),
            required: entry.required && option.default.is_none(),
            hidden: option.hidden,
            asked_for_by: entry
                .requested_by
                .iter()
                .map(|requester| match requester {
                    Requester::Application => "application".to_owned(),
                    Requester::Extension(name, _) => (*name).to_owned(),
                    Requester::Command(command) => command.path(),
                })
                .collect(),
            description: first_line(option.description),
        }
    }

    fn words(&self) -> String {
        let more = match &self.default {
            _ if self.required => ", required".to_owned(),
            Some(default) => format!(", default {default}"),
            None => String::new(),
        };
        format!(
            "{}: {} ({}{more})",
            self.typed,
            self.description,
            self.asked_for_by.join(", ")
        )
    }
}

/// Name of a type of values.
fn kind_word(kind: Kind) -> String {
    match kind {
        Kind::Choice(_) | Kind::ChoiceOf(_) => "choice".to_owned(),
        plain => format!("{plain:?}").to_lowercase(),
    }
}

fn table(rows: &[Row], with_options: bool, width: usize) -> String {
    let blocks: Vec<Block<3>> = rows.iter().map(|row| row.block(with_options)).collect();
    lay_out_blocks(["COMMAND", "ADDED BY", "USES"], &blocks, [false; 3], width)
}
