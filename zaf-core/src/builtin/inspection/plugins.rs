//! The command `plugins`: the extensions by what they extend, as users of other test frameworks look for them.
//!
//! The types are those of [`PluginType`], and `unknown` for extensions whose declaration is refused.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::Serialize;

use super::super::table::{Cell, lay_out};
use super::extensions::{Row, rows};
use super::participation::State;
use super::{Inspection, LIST_FORMAT, TARGET_COMMAND, adding, command};
use crate::application::ExitCode;
use crate::command::{CommandContext, CommandDescriptor};
use crate::config::{ConfigOption, OptionId};
use crate::error::Result;
use crate::extension::{Catalog, ExtensionDescriptor, PluginType};

/// Lists plugins in the order in which they are loaded instead of by name. `--ordered`.
pub const ORDERED: OptionId<bool> = OptionId::flag("ordered")
    .describe("List them in the order in which they are loaded.")
    .default(false);

const OPTIONS: [ConfigOption; 3] = [
    TARGET_COMMAND.optional(),
    LIST_FORMAT.optional(),
    ORDERED.optional(),
];

/// `plugins`: lists all extensions by type, sorted by name.
pub const PLUGINS_COMMAND: CommandDescriptor = command(
    "plugins",
    "Lists the extensions by what they extend.",
    &OPTIONS,
    run,
    (file!(), line!()),
);

pub(super) const PLUGINS: ExtensionDescriptor = adding(
    "pluginscommand",
    "Adds the command that lists extensions by type.",
    &[&PLUGINS_COMMAND],
    (file!(), line!()),
);

fn run(cx: &CommandContext<'_>) -> Result<ExitCode> {
    let inspection = Inspection::new(cx)?;
    let is_ordered = cx.config().get(ORDERED)?;
    let types = types(&rows(&inspection), is_ordered, &inspection.catalog);
    inspection.show(cx, "types", &types, |width| table(&types, width))
}

/// Name of the type of those that the application does not know.
const UNKNOWN: &str = "unknown";

/// The extensions of one type.
#[derive(Debug, Serialize)]
struct Group {
    #[serde(rename = "type")]
    name: String,
    description: String,
    plugins: Vec<Plugin>,
}

#[derive(Debug, Serialize)]
struct Plugin {
    fully_qualified_name: String,
    #[serde(flatten)]
    row: Row,
}

/// What a type is, as the heading of its extensions.
fn description(name: &str, catalog: &Catalog) -> String {
    match name {
        "framework" => "Extensions of the application itself".to_owned(),
        "command" => "Extensions that add commands".to_owned(),
        UNKNOWN => "Extensions whose declaration is refused".to_owned(),
        path if path.contains('.')
            && catalog.commands().find(&path.replace('.', " ")).is_some() =>
        {
            format!("Extensions of the command `{}`", path.replace('.', " "))
        }
        what => format!(
            "Extensions of commands that use `{}`",
            what.replace('.', "` and `")
        ),
    }
}

/// Adds a row; of parts of one extension the first stays, but what is broken at a later load order is broken.
fn add<'a>(group: &mut IndexMap<&'a str, &'a Row>, row: &'a Row) {
    let plugin = group.entry(row.name.as_str()).or_insert(row);
    if plugin.state < row.state {
        *plugin = row;
    }
}

/// The rows by type; in each by name, or as they are loaded. Parts of one extension that are loaded at several orders are one, at
/// the first.
fn types(rows: &[Row], is_ordered: bool, catalog: &Catalog) -> Vec<Group> {
    let mut known: BTreeMap<PluginType, IndexMap<&str, &Row>> = BTreeMap::new();
    let mut unknown: IndexMap<&str, &Row> = IndexMap::new();
    for row in rows {
        for plugin_type in &row.types {
            add(known.entry(plugin_type.clone()).or_default(), row);
        }
        if row.types.is_empty() {
            add(&mut unknown, row);
        }
    }
    let known = known
        .iter()
        .map(|(plugin_type, rows)| (plugin_type.name(), rows));
    known
        .chain((!unknown.is_empty()).then_some((UNKNOWN, &unknown)))
        .map(|(name, rows)| {
            let mut rows: Vec<&Row> = rows.values().copied().collect();
            if !is_ordered {
                rows.sort_by_key(|row| &row.name);
            }
            let plugins = rows.into_iter().map(|row| Plugin {
                fully_qualified_name: format!("{name}.{}", row.name),
                row: row.clone(),
            });
            Group {
                name: name.to_owned(),
                description: description(name, catalog),
                plugins: plugins.collect(),
            }
        })
        .collect()
}

/// For each type a heading, its extensions and an empty line. A type of which none is active says so.
fn table(groups: &[Group], width: usize) -> String {
    let mut text = String::new();
    for group in groups {
        let heading = format!("{} ({}):", group.description, group.name);
        text.push_str(&lay_out(&[[Cell::heading(&heading)]], [false], width));
        if !group
            .plugins
            .iter()
            .any(|plugin| plugin.row.state == State::Active)
        {
            text.push_str("(No active plugin)\n");
        }
        let lines: Vec<[Cell; 3]> = group
            .plugins
            .iter()
            .map(|plugin| {
                let row = &plugin.row;
                [
                    row.name.as_str().into(),
                    row.state.cell(),
                    row.about().into(),
                ]
            })
            .collect();
        text.push_str(&lay_out(&lines, [false; 3], width));
        text.push('\n');
    }
    text
}
