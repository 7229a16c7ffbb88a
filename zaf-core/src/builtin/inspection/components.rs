//! The command `components`: what handlers, commands and components can ask for, and who does.

use serde::Serialize;

use super::super::table::{Block, Cell, lay_out_blocks};
use super::component_needs::{Need, met_by, met_by_provided, needs};
use super::type_name::short;
use super::{Inspection, LIST_OPTIONS, adding, command, first_line};
use crate::application::ExitCode;
use crate::command::{CommandContext, CommandDescriptor};
use crate::component::{Askers, ComponentDescriptor, ProvidedComponent, Requirement};
use crate::error::Result;
use crate::extension::ExtensionDescriptor;

/// `components`: lists all components by name, then those that were made and put into the session.
pub const COMPONENTS_COMMAND: CommandDescriptor = command(
    "components",
    "Lists the components and who asks for them.",
    &LIST_OPTIONS,
    run,
    (file!(), line!()),
);

pub(super) const COMPONENTS: ExtensionDescriptor = adding(
    "componentscommand",
    "Adds the command that lists components.",
    &[&COMPONENTS_COMMAND],
    (file!(), line!()),
);

fn run(cx: &CommandContext<'_>) -> Result<ExitCode> {
    let inspection = Inspection::new(cx)?;
    let registry = cx.scope().registry();
    let provided = cx.scope().provided();
    // Without them nobody asks but components and handlers.
    let askers = cx.component::<Askers>().map(|askers| askers.find());
    let needs = needs(&inspection, registry, &askers.unwrap_or_default());
    let declared = registry.iter().map(|component| {
        let needed_by = met_by(component, &needs, registry, &provided);
        Row::declared(component, needed_by, &inspection)
    });
    let made = provided.iter().enumerate().map(|(index, one)| {
        let later = provided.get(index + 1..).unwrap_or_default();
        Row::provided(one, met_by_provided(one, later, &needs), cx.scope().name())
    });
    let rows: Vec<Row> = declared.chain(made).collect();
    inspection.show(cx, "components", &rows, |width| table(&rows, width))
}

/// What is said about one component.
#[derive(Debug, Serialize)]
struct Row {
    /// That of the function; the type of what was put into the session.
    name: String,
    /// Full name of the type.
    #[serde(rename = "type")]
    type_name: &'static str,
    /// Name of the scope that an instance lives in.
    scope: String,
    /// Capabilities.
    can: &'static [&'static str],
    /// Higher wins; none for what was put into the session, which wins over all.
    priority: Option<i32>,
    /// The entity that an instance is about; none if about no special one.
    entity: Option<String>,
    /// Whether it is taken down before it is dropped.
    teardown: bool,
    /// Names of the extensions that are declared in the same file.
    extensions: Vec<&'static str>,
    #[serde(rename = "crate")]
    krate: Option<&'static str>,
    file: Option<&'static str>,
    line: Option<u32>,
    needs: Vec<Asked>,
    /// Components, handlers of active extensions, commands, test cases.
    needed_by: Vec<Need>,
    description: &'static str,
}

/// What a component asks for.
#[derive(Debug, Serialize)]
struct Asked {
    parameter: &'static str,
    #[serde(rename = "type")]
    type_name: &'static str,
    can: &'static [&'static str],
    /// Scope that is asked for instead of the component's own.
    scope: Option<&'static str>,
    /// Other parameters, whose instances are used wherever their types are asked for below.
    uses: &'static [&'static str],
    /// Whether a fixated entity counts.
    fixate_entities: bool,
}

impl Asked {
    fn of(requirement: &Requirement) -> Self {
        Self {
            parameter: requirement.parameter,
            type_name: (requirement.type_name)(),
            can: requirement.can,
            scope: requirement.scope,
            uses: requirement.uses,
            fixate_entities: requirement.fixate_entities,
        }
    }

    fn words(&self) -> String {
        let mut words = format!("{}: {}", self.parameter, short(self.type_name));
        if !self.can.is_empty() {
            words.extend([" that can ", &self.can.join(", ")]);
        }
        if let Some(scope) = self.scope {
            words.extend([" in scope ", scope]);
        }
        if !self.uses.is_empty() {
            words.extend([" that uses ", &self.uses.join(", ")]);
        }
        if !self.fixate_entities {
            words.push_str(" about any entity");
        }
        words
    }
}

impl Row {
    fn declared(
        component: &ComponentDescriptor,
        needed_by: Vec<Need>,
        inspection: &Inspection,
    ) -> Self {
        let mut extensions: Vec<&'static str> = inspection
            .catalog
            .extensions()
            .iter()
            .map(|entry| &entry.descriptor)
            .filter(|one| (one.krate, one.file) == (component.krate, component.file))
            .map(|one| one.name)
            .collect();
        extensions.dedup();
        Self {
            name: component.name.to_owned(),
            type_name: (component.type_name)(),
            scope: component.scope.to_owned(),
            can: component.can,
            priority: Some(component.priority),
            entity: component.entity.map(str::to_owned),
            teardown: component.teardown.is_some(),
            extensions,
            krate: Some(component.krate),
            file: Some(component.file),
            line: Some(component.line),
            needs: component.requirements.iter().map(Asked::of).collect(),
            needed_by,
            description: component.description,
        }
    }

    fn provided(one: &ProvidedComponent, needed_by: Vec<Need>, scope: &str) -> Self {
        Self {
            name: short(one.type_name),
            type_name: one.type_name,
            scope: scope.to_owned(),
            can: one.can,
            priority: None,
            entity: one.entity.as_ref().map(ToString::to_string),
            teardown: false,
            extensions: Vec::new(),
            krate: None,
            file: None,
            line: None,
            needs: Vec::new(),
            needed_by,
            description: "",
        }
    }

    fn block(&self) -> Block<5> {
        let mut details: Vec<[Cell; 2]> = Vec::new();
        if let (Some(krate), Some(file), Some(line)) = (self.krate, self.file, self.line) {
            details.push(["from".into(), format!("{krate}, {file}:{line}").into()]);
        }
        if !self.extensions.is_empty() {
            details.push(["extension".into(), self.extensions.join(", ").into()]);
        }
        if let Some(entity) = &self.entity {
            details.push(["entity".into(), entity.as_str().into()]);
        }
        if self.teardown {
            details.push(["teardown".into(), "yes".into()]);
        }
        let mut label = "needs";
        for asked in &self.needs {
            details.push([label.into(), asked.words().into()]);
            label = "";
        }
        let mut label = "needed by";
        for need in &self.needed_by {
            let but = if need.first_choice {
                ""
            } else {
                ", which gets another one"
            };
            let text = format!("{} {} as {}{but}", need.by, need.name, need.parameter);
            details.push([label.into(), text.into()]);
            label = "";
        }
        Block {
            head: [
                self.name.as_str().into(),
                short(self.type_name).into(),
                self.scope.as_str().into(),
                self.priority
                    .map_or("provided".to_owned(), |priority| priority.to_string())
                    .into(),
                self.can.join(", ").into(),
            ],
            description: first_line(self.description).to_owned(),
            details,
        }
    }
}

fn table(rows: &[Row], width: usize) -> String {
    let blocks: Vec<Block<5>> = rows.iter().map(Row::block).collect();
    let heading = ["COMPONENT", "TYPE", "SCOPE", "PRIORITY", "CAN"];
    lay_out_blocks(heading, &blocks, [false, false, false, true, false], width)
}
