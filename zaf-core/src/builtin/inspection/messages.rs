//! The command `messages`: what is said on the bus, where, and who listens.

use serde::Serialize;

use super::super::table::{Block, Cell, lay_out_blocks};
use super::definitions::{DefinedMessage, formats, kind, messages};
use super::listeners::{Listener, at_run_time, listeners};
use super::type_name::short;
use super::{Inspection, LIST_OPTIONS, adding, command, first_line};
use crate::application::ExitCode;
use crate::command::{CommandContext, CommandDescriptor};
use crate::error::Result;
use crate::extension::ExtensionDescriptor;
use crate::message::{Listening, MessageKind};

/// `messages`: lists all messages by name, with who listens.
pub const MESSAGES_COMMAND: CommandDescriptor = command(
    "messages",
    "Lists the messages of the bus and who listens to them.",
    &LIST_OPTIONS,
    run,
    (file!(), line!()),
);

pub(super) const MESSAGES: ExtensionDescriptor = adding(
    "messagescommand",
    "Adds the command that lists messages.",
    &[&MESSAGES_COMMAND],
    (file!(), line!()),
);

fn run(cx: &CommandContext<'_>) -> Result<ExitCode> {
    let inspection = Inspection::new(cx)?;
    let listening = at_run_time(&inspection, cx.bus());
    let rows: Vec<Row> = messages(&inspection, cx.bus())
        .into_iter()
        .map(|message| Row::of(message, &inspection, &listening))
        .collect();
    inspection.show(cx, "messages", &rows, |width| table(&rows, width))
}

/// What is said about one message.
#[derive(Debug, Serialize)]
struct Row {
    name: &'static str,
    kind: &'static str,
    /// Names of endpoints that define it.
    endpoints: Vec<&'static str>,
    /// Full name of the type that it carries.
    payload: &'static str,
    /// Full name of the type that is answered; none for events.
    reply: Option<&'static str>,
    portable: bool,
    /// What it can be written as; empty if it is not portable.
    formats: Vec<&'static str>,
    /// In the order in which they get it.
    listeners: Vec<Listener>,
    description: &'static str,
}

impl Row {
    fn of(message: DefinedMessage, inspection: &Inspection, listening: &[Listening]) -> Self {
        let DefinedMessage {
            descriptor,
            endpoints,
        } = message;
        let is_request = descriptor.kind == MessageKind::Request;
        Self {
            name: descriptor.name,
            kind: kind(&descriptor),
            endpoints,
            payload: (descriptor.payload_name)(),
            reply: is_request.then(|| (descriptor.reply_name)()),
            portable: descriptor.is_portable(),
            formats: formats(&descriptor),
            listeners: listeners(inspection, descriptor.name, listening),
            description: descriptor.description,
        }
    }

    fn block(&self) -> Block<4> {
        let mut details: Vec<[Cell; 2]> = vec![["carries".into(), short(self.payload).into()]];
        if let Some(reply) = self.reply {
            details.push(["answered".into(), short(reply).into()]);
        }
        let mut label = "heard by";
        for listener in &self.listeners {
            details.push([label.into(), listener.words().into()]);
            label = "";
        }
        Block {
            head: [
                self.name.into(),
                self.kind.into(),
                if self.formats.is_empty() {
                    "–".to_owned()
                } else {
                    self.formats.join(", ")
                }
                .into(),
                if self.endpoints.is_empty() {
                    "nobody defines it".to_owned()
                } else {
                    self.endpoints.join(", ")
                }
                .into(),
            ],
            description: first_line(self.description).to_owned(),
            details,
        }
    }
}

fn table(rows: &[Row], width: usize) -> String {
    let blocks: Vec<Block<4>> = rows.iter().map(Row::block).collect();
    let heading = ["MESSAGE", "KIND", "PORTABLE", "ENDPOINTS"];
    lay_out_blocks(heading, &blocks, [false; 4], width)
}
