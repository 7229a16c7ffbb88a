//! The command `extensions`: which there are, whether they take part, and why not.

use std::io::Write as _;

use serde::Serialize;

use super::declare::Declaration;
use super::table::lay_out;
use crate::application::{Console, ExitCode};
use crate::command::{CommandContext, CommandDescriptor};
use crate::config::{ConfigOption, ConfigStore, ConfigView, OptionDescriptor, OptionId, nearest};
use crate::error::{Error, Result};
use crate::extension::{
    Catalog, Extension, ExtensionContext, ExtensionDescriptor, ExtensionEntry, ExtensionState,
    is_active,
};

/// Command whose point of view is taken; without it, none is. `--target-command run`.
pub const TARGET_COMMAND: OptionId<String> =
    OptionId::text("target.command").describe("Say what takes part in this command.");

/// How lists are written. `--format`; `json` for programs: the fields are stable, new ones may come.
pub const LIST_FORMAT: OptionId<String> = OptionId::choice("format", &["table", "json"])
    .describe("How the list is written.")
    .default("table");

const OPTIONS: [ConfigOption; 2] = [TARGET_COMMAND.optional(), LIST_FORMAT.optional()];

/// `extensions`: lists all extensions in the order in which they are loaded.
pub const EXTENSIONS_COMMAND: CommandDescriptor = CommandDescriptor {
    name: "extensions",
    description: "Lists the extensions and says which take part.",
    parent: None,
    uses: &[],
    config_options: &OPTIONS,
    hidden: false,
    run,
    krate: env!("CARGO_PKG_NAME"),
    file: file!(),
    line: line!(),
};

/// Adds [`EXTENSIONS_COMMAND`].
#[derive(Debug)]
pub struct ExtensionsCommand;

pub(super) const EXTENSIONS: ExtensionDescriptor = Declaration {
    name: "extensionscommand",
    description: "Adds the command that lists extensions.",
    load_order: 110,
    config_options: &[],
    commands: &[&EXTENSIONS_COMMAND],
    file: file!(),
    line: line!(),
}
.of::<ExtensionsCommand>();

impl Extension for ExtensionsCommand {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }
}

fn run(cx: &CommandContext<'_>) -> Result<ExitCode> {
    let catalog = cx.component::<Catalog>()?;
    let console = cx.component::<Console>()?;
    let target = match cx.config().get_optional(TARGET_COMMAND)? {
        None => None,
        Some(path) => Some(command_of(&catalog, &path)?),
    };
    let rows: Vec<Row> = catalog
        .extensions()
        .iter()
        .map(|entry| Row::of(entry, target, catalog.store()))
        .collect();
    let text = if cx.config().get(LIST_FORMAT)? == "json" {
        let list = List {
            schema: "1.0",
            target_command: target.map(CommandDescriptor::path),
            extensions: &rows,
        };
        serde_json::to_string_pretty(&list)? + "\n"
    } else {
        table(&rows, console.width())
    };
    console.stdout().write_all(text.as_bytes())?;
    Ok(ExitCode::Success)
}

/// The command of this path.
///
/// # Errors
/// With exit code 2 and the nearest path, if there is none.
pub(super) fn command_of(catalog: &Catalog, path: &str) -> Result<&'static CommandDescriptor> {
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

#[derive(Serialize)]
struct List<'a> {
    schema: &'static str,
    target_command: Option<String>,
    extensions: &'a [Row],
}

/// What is said about one extension.
#[derive(Serialize)]
struct Row {
    order: u16,
    name: &'static str,
    state: &'static str,
    /// Why it does not take part; none if it does.
    reason: Option<String>,
    #[serde(rename = "crate")]
    krate: &'static str,
    version: &'static str,
    does: &'static str,
    file: &'static str,
    line: u32,
}

impl Row {
    fn of(entry: &ExtensionEntry, target: Option<&CommandDescriptor>, store: &ConfigStore) -> Self {
        let extension = &entry.descriptor;
        let (state, reason) = match &entry.state {
            ExtensionState::Disabled { .. } => ("disabled", Some(entry.state.to_string())),
            ExtensionState::Replaced { .. } => ("replaced", Some(entry.state.to_string())),
            ExtensionState::Undecided => ("undecided", None),
            ExtensionState::AlwaysLoaded | ExtensionState::Enabled => {
                match why_not(extension, target, store) {
                    Some(reason) => ("inactive", Some(reason)),
                    None => ("active", None),
                }
            }
        };
        let does = extension.description.trim().lines().next().unwrap_or("");
        Self {
            order: extension.load_order(),
            name: extension.name,
            state,
            reason,
            krate: extension.krate,
            version: extension.version,
            does: does.trim_end_matches('.'),
            file: extension.file,
            line: extension.line,
        }
    }
}

/// Why an extension that is enabled does nothing.
pub(super) fn why_not(
    extension: &ExtensionDescriptor,
    target: Option<&CommandDescriptor>,
    store: &ConfigStore,
) -> Option<String> {
    if let Some(target) = target
        && !extension.is_framework()
        && !extension.extends(target)
    {
        return Some(format!("does not extend {}", target.path()));
    }
    if let Some(option) = extension.instance_option()
        && store
            .entities(&option.option)
            .is_ok_and(|found| found.is_empty())
    {
        return Some(format!("{} names nothing", option.option.key));
    }
    let options = extension.config_options.iter().map(|option| &option.option);
    let view = store.view(options, None);
    let (on, off) = (extension.activate_on, extension.deactivate_on);
    if is_active(on, off, |option| view.is_set(option)) {
        return None;
    }
    let lacking = on
        .iter()
        .find(|group| !group.iter().any(|option| view.is_set(option)));
    Some(match lacking {
        Some([option]) => format!("{} is {}", option.key, without_value(option, &view)),
        Some(group) => format!("none of {} is set", keys(group)),
        None => format!(
            "{} is set",
            off.iter()
                .map(|group| keys(group))
                .collect::<Vec<_>>()
                .join(" and ")
        ),
    })
}

fn without_value(option: &OptionDescriptor, view: &ConfigView) -> &'static str {
    match view.value(option) {
        Ok(Some(_)) if option.kind == crate::config::Kind::Flag => "false",
        _ => "not set",
    }
}

fn keys(group: &[OptionDescriptor]) -> String {
    let keys: Vec<&str> = group.iter().map(|option| option.key).collect();
    keys.join(", ")
}

/// The rows for people: parts of one extension that are loaded at several orders take one line.
fn table(rows: &[Row], width: usize) -> String {
    let heading = ["ORDER", "NAME", "STATE", "FROM", "DOES"].map(str::to_owned);
    let mut lines: Vec<[String; 5]> = vec![heading];
    let mut folded: indexmap::IndexMap<_, Vec<&Row>> = indexmap::IndexMap::new();
    for row in rows {
        let same = (
            row.name,
            row.krate,
            row.does,
            row.state,
            row.reason.as_deref(),
        );
        folded.entry(same).or_default().push(row);
    }
    for ((name, krate, does, state, reason), parts) in folded {
        let order = match parts.as_slice() {
            [first, .., last] => format!("{}…{}", first.order, last.order),
            [only] => only.order.to_string(),
            [] => continue,
        };
        let version = parts[0].version;
        let does = match reason {
            Some(reason) => format!("{does}\n({reason})"),
            None => does.to_owned(),
        };
        lines.push([
            order,
            name.to_owned(),
            state.to_owned(),
            format!("{krate} {version}"),
            does,
        ]);
    }
    lay_out(&lines, [true, false, false, false, false], width)
}
