//! The command `extensions`: which there are, whether they take part, and why not.

use indexmap::IndexMap;
use serde::{Serialize, Serializer};

use super::super::table::{Cell, lay_out};
use super::participation::{Participation, State, extended};
use super::{Inspection, LIST_OPTIONS, adding, command, first_line};
use crate::application::ExitCode;
use crate::command::{CommandContext, CommandDescriptor};
use crate::error::Result;
use crate::extension::{Catalog, ExtensionDescriptor, ExtensionEntry, ExtensionState, PluginType};

/// `extensions`: lists all extensions in the order in which they are loaded.
pub const EXTENSIONS_COMMAND: CommandDescriptor = command(
    "extensions",
    "Lists the extensions and says which take part.",
    &LIST_OPTIONS,
    run,
    (file!(), line!()),
);

pub(super) const EXTENSIONS: ExtensionDescriptor = adding(
    "extensionscommand",
    "Adds the command that lists extensions.",
    &[&EXTENSIONS_COMMAND],
    (file!(), line!()),
);

fn run(cx: &CommandContext<'_>) -> Result<ExitCode> {
    let inspection = Inspection::new(cx)?;
    let rows = rows(&inspection);
    inspection.show(cx, "extensions", &rows, |width| table(&rows, width))
}

/// What is said about one extension.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Row {
    /// None if it is so broken that it is not loaded at all.
    pub(super) order: Option<u16>,
    pub(super) name: String,
    pub(super) kind: &'static str,
    pub(super) state: State,
    /// Why it does not take part; none if it does.
    pub(super) reason: Option<String>,
    /// Where it is said that it is enabled or disabled: a source, `default`, or `always` if nobody can say so.
    pub(super) decided_by: Option<String>,
    /// Key that says so; none if nobody does.
    pub(super) decided_by_key: Option<String>,
    /// Types, as `plugins` lists them.
    #[serde(serialize_with = "names")]
    pub(super) types: Vec<PluginType>,
    /// Paths of the commands that it extends.
    pub(super) extends_commands: Vec<String>,
    /// Capabilities that a command has to use, all of them, to be extended.
    pub(super) extends_capabilities: Vec<&'static str>,
    /// Paths of the commands that it adds.
    pub(super) commands: Vec<String>,
    pub(super) replaces: &'static [&'static str],
    pub(super) replaced_by: Option<&'static str>,
    pub(super) groups: &'static [&'static str],
    #[serde(rename = "crate")]
    pub(super) krate: &'static str,
    pub(super) version: &'static str,
    pub(super) does: &'static str,
    pub(super) file: &'static str,
    pub(super) line: u32,
}

/// All extensions in load order; then those that could not be registered.
pub(super) fn rows(inspection: &Inspection) -> Vec<Row> {
    let known = inspection.catalog.extensions();
    let rows = known.iter().map(|entry| Row::of(entry, inspection));
    let mut unknown: IndexMap<&str, Vec<&str>> = IndexMap::new();
    for problem in inspection.problems.iter() {
        if let Some(name) = problem.extension
            && !known.iter().any(|entry| entry.descriptor.name == name)
        {
            unknown.entry(name).or_default().push(&problem.text);
        }
    }
    let refused = unknown
        .into_iter()
        .map(|(name, texts)| Row::refused(name, &texts));
    rows.chain(refused).collect()
}

impl Row {
    fn of(entry: &ExtensionEntry, inspection: &Inspection) -> Self {
        let extension = &entry.descriptor;
        let Participation { state, reason } = inspection.participation(entry);
        let (extends_commands, extends_capabilities) = extended(extension);
        let (decided_by, decided_by_key) = decided_by(entry, &inspection.catalog);
        Self {
            order: Some(extension.load_order()),
            name: extension.name.to_owned(),
            kind: if extension.is_framework() {
                "framework"
            } else {
                "command"
            },
            state,
            reason,
            decided_by,
            decided_by_key,
            types: PluginType::of(extension),
            extends_commands,
            extends_capabilities,
            commands: extension
                .commands()
                .iter()
                .map(|command| command.path())
                .collect(),
            replaces: extension.replaces,
            replaced_by: match entry.state {
                ExtensionState::Replaced { by } => Some(by),
                _ => None,
            },
            groups: extension.groups,
            krate: extension.krate,
            version: extension.version,
            does: first_line(extension.description),
            file: extension.file,
            line: extension.line,
        }
    }

    /// An extension that the application does not know, because its declaration is wrong.
    fn refused(name: &str, problems: &[&str]) -> Self {
        Self {
            order: None,
            name: name.to_owned(),
            kind: "unknown",
            state: State::Failed,
            reason: Some(problems.join("\n")),
            decided_by: None,
            decided_by_key: None,
            types: Vec::new(),
            extends_commands: Vec::new(),
            extends_capabilities: Vec::new(),
            commands: Vec::new(),
            replaces: &[],
            replaced_by: None,
            groups: &[],
            krate: "",
            version: "",
            does: "",
            file: "",
            line: 0,
        }
    }

    /// What it does; and in lines of their own what it replaces and why it does not take part.
    pub(super) fn about(&self) -> String {
        let mut lines = vec![self.does.to_owned()];
        if !self.replaces.is_empty() {
            lines.push(format!("(replaces {})", self.replaces.join(", ")));
        }
        if let Some(reason) = &self.reason {
            lines.push(format!("({reason})"));
        }
        lines.retain(|line| !line.is_empty());
        lines.join("\n")
    }
}

fn names<S: Serializer>(
    types: &[PluginType],
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    serializer.collect_seq(types.iter().map(PluginType::name))
}

/// Where it is said whether an extension is enabled, and the key that says so.
fn decided_by(entry: &ExtensionEntry, catalog: &Catalog) -> (Option<String>, Option<String>) {
    let statement = match &entry.state {
        ExtensionState::AlwaysLoaded => return (Some("always".to_owned()), None),
        ExtensionState::Undecided => return (None, None),
        ExtensionState::Disabled { by } => by.clone(),
        _ => catalog.statements(&entry.descriptor).into_iter().next(),
    };
    match statement {
        Some(statement) => (Some(statement.source.to_string()), Some(statement.key)),
        None => (Some("default".to_owned()), None),
    }
}

/// The rows for people: parts of one extension that are loaded at several orders take one line.
fn table(rows: &[Row], width: usize) -> String {
    let heading = ["ORDER", "NAME", "STATE", "FROM", "DOES"].map(Cell::heading);
    let mut lines: Vec<[Cell; 5]> = vec![heading];
    let mut folded: IndexMap<_, Vec<&Row>> = IndexMap::new();
    for row in rows {
        let same = (&row.name, row.krate, row.state.word(), row.about());
        folded.entry(same).or_default().push(row);
    }
    for ((name, krate, _, about), parts) in folded {
        let (Some(first), Some(last)) = (parts.first(), parts.last()) else {
            continue;
        };
        let order = match (first.order, last.order) {
            (Some(from), Some(to)) if from != to => format!("{from}…{to}"),
            (Some(order), _) => order.to_string(),
            (None, _) => "–".to_owned(),
        };
        lines.push([
            order.into(),
            name.as_str().into(),
            first.state.cell(),
            format!("{krate} {}", first.version).trim().into(),
            about.into(),
        ]);
    }
    lay_out(&lines, [true, false, false, false, false], width)
}
