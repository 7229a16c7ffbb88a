//! The command `plugins`: the extensions by what they extend, as users of other test frameworks look for them.
//!
//! | Type | Extensions |
//! | --- | --- |
//! | `framework` | framework extensions |
//! | `command` | framework extensions that add commands |
//! | a capability, several joined by `+` | command extensions of commands that use them |
//! | the path of a command | command extensions of this command |
//! | `unknown` | those whose declaration is refused |
//!
//! A type and a name, joined by a dot, is the fully qualified name: `find.executables`.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::table::{Cell, lay_out};
use super::extensions::{Row, rows};
use super::participation::State;
use super::{Inspection, LIST_OPTIONS, adding, command};
use crate::application::ExitCode;
use crate::command::{CommandContext, CommandDescriptor};
use crate::error::Result;
use crate::extension::ExtensionDescriptor;

/// `plugins`: lists all extensions by type, sorted by name.
pub const PLUGINS_COMMAND: CommandDescriptor = command(
    "plugins",
    "Lists the extensions by what they extend.",
    &LIST_OPTIONS,
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
    let types = types(rows(&inspection));
    inspection.show(cx, "types", &types, |width| table(&types, width))
}

/// What kind of extensions a type has. In the order of the list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Type {
    Framework,
    Command,
    /// By capabilities, or by the path of a command: its own name is one of its capabilities.
    Extended(String),
    Unknown,
}

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

impl Type {
    /// A row can have several: an extension may name commands and capabilities.
    fn of(row: &Row) -> Vec<Self> {
        match row.kind {
            "framework" if row.commands.is_empty() => vec![Self::Framework],
            "framework" => vec![Self::Command],
            "command" => {
                let words = row.extends_capabilities.join("+");
                let mut types: Vec<String> = row.extends_commands.clone();
                types.extend((!words.is_empty()).then_some(words));
                types.sort();
                types.dedup();
                types.into_iter().map(Self::Extended).collect()
            }
            _ => vec![Self::Unknown],
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Framework => "framework",
            Self::Command => "command",
            Self::Extended(what) => what,
            Self::Unknown => "unknown",
        }
    }

    fn description(&self) -> String {
        match self {
            Self::Framework => "Extensions of the application itself".to_owned(),
            Self::Command => "Extensions that add commands".to_owned(),
            Self::Extended(what) if what.contains(' ') => format!("Extensions of `{what}`"),
            Self::Extended(what) => format!(
                "Extensions of commands that use `{}`",
                what.replace('+', "` and `")
            ),
            Self::Unknown => "Extensions whose declaration is refused".to_owned(),
        }
    }
}

/// The rows by type, sorted by name. Parts of one extension that are loaded at several orders are one, at the first.
fn types(rows: Vec<Row>) -> Vec<Group> {
    let mut groups: BTreeMap<Type, BTreeMap<String, Row>> = BTreeMap::new();
    for row in rows {
        for kind in Type::of(&row) {
            let group = groups.entry(kind).or_default();
            match group.get_mut(&row.name) {
                // What is broken at a later load order is broken.
                Some(known) if known.state < row.state => known.clone_from(&row),
                Some(_) => {}
                None => {
                    group.insert(row.name.clone(), row.clone());
                }
            }
        }
    }
    groups
        .into_iter()
        .map(|(kind, rows)| Group {
            name: kind.name().to_owned(),
            description: kind.description(),
            plugins: rows
                .into_values()
                .map(|row| Plugin {
                    fully_qualified_name: format!("{}.{}", kind.name(), row.name),
                    row,
                })
                .collect(),
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
