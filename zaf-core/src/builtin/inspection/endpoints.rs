//! The command `endpoints`: where messages are defined, and which.

use serde::Serialize;

use super::super::table::{Block, Cell, lay_out_blocks};
use super::definitions::{DefinedBy, Endpoint, endpoints, formats, kind};
use super::listeners::{at_run_time, listeners};
use super::type_name::short;
use super::{Inspection, LIST_OPTIONS, adding, command, first_line};
use crate::application::ExitCode;
use crate::command::{CommandContext, CommandDescriptor};
use crate::error::Result;
use crate::extension::ExtensionDescriptor;
use crate::message::{Listening, MessageDescriptor, MessageKind};

/// `endpoints`: lists all endpoints by name, with their messages.
pub const ENDPOINTS_COMMAND: CommandDescriptor = command(
    "endpoints",
    "Lists the endpoints of the bus and their messages.",
    &LIST_OPTIONS,
    run,
    (file!(), line!()),
);

pub(super) const ENDPOINTS: ExtensionDescriptor = adding(
    "endpointscommand",
    "Adds the command that lists endpoints.",
    &[&ENDPOINTS_COMMAND],
    (file!(), line!()),
);

fn run(cx: &CommandContext<'_>) -> Result<ExitCode> {
    let inspection = Inspection::new(cx)?;
    let found = endpoints(&inspection, cx.bus());
    let listening = at_run_time(&inspection, cx.bus());
    let rows: Vec<Row> = found
        .into_iter()
        .map(|endpoint| Row::of(endpoint, &inspection, &listening))
        .collect();
    inspection.show(cx, "endpoints", &rows, |width| table(&rows, width))
}

/// What is said about one endpoint.
#[derive(Debug, Serialize)]
struct Row {
    name: &'static str,
    defined_by: Vec<DefinedBy>,
    #[serde(skip)]
    definers: String,
    messages: Vec<Defined>,
    description: &'static str,
}

/// What is said about one of its messages.
#[derive(Debug, Serialize)]
struct Defined {
    name: &'static str,
    kind: &'static str,
    payload: &'static str,
    reply: Option<&'static str>,
    portable: bool,
    formats: Vec<&'static str>,
    /// Number of dispatchers and queues that listen to it here.
    listeners: usize,
    description: &'static str,
}

impl Row {
    fn of(endpoint: Endpoint, inspection: &Inspection, listening: &[Listening]) -> Self {
        let name = endpoint.id.name();
        Self {
            name,
            definers: endpoint.definers(),
            messages: endpoint
                .messages
                .values()
                .map(|message| Defined::of(message, name, inspection, listening))
                .collect(),
            defined_by: endpoint.defined_by,
            description: endpoint.id.description(),
        }
    }
}

impl Defined {
    fn of(
        message: &MessageDescriptor,
        endpoint: &str,
        inspection: &Inspection,
        listening: &[Listening],
    ) -> Self {
        let is_request = message.kind == MessageKind::Request;
        Self {
            name: message.name,
            kind: kind(message),
            payload: (message.payload_name)(),
            reply: is_request.then(|| (message.reply_name)()),
            portable: message.is_portable(),
            formats: formats(message),
            listeners: listeners(inspection, message.name, listening)
                .iter()
                .filter(|one| one.endpoints.is_empty() || one.endpoints.contains(&endpoint))
                .count(),
            description: message.description,
        }
    }

    /// "event Started as JSON, 2 listeners", "request Question → Answer, 1 listener".
    fn words(&self) -> String {
        let mut words = format!("{} {}", self.kind, short(self.payload));
        if let Some(reply) = self.reply {
            words.extend([" → ", &short(reply)]);
        }
        if self.portable {
            words.extend([" as ", &self.formats.join(" or ")]);
        }
        let plural = if self.listeners == 1 { "" } else { "s" };
        format!("{words}, {} listener{plural}", self.listeners)
    }
}

fn table(rows: &[Row], width: usize) -> String {
    let blocks: Vec<Block<2>> = rows
        .iter()
        .map(|row| Block {
            head: [row.name.into(), row.definers.as_str().into()],
            description: first_line(row.description).to_owned(),
            details: row
                .messages
                .iter()
                .map(|message| -> [Cell; 2] { [message.name.into(), message.words().into()] })
                .collect(),
        })
        .collect();
    lay_out_blocks(["ENDPOINT", "DEFINED BY"], &blocks, [false; 2], width)
}
