//! Reads the command line.
//!
//! The same line is read five times while extensions are loaded, each time with more options known: at load order 1 those
//! of the application's core (where configuration files are), at 11 and 21 those of more extensions, at 90 those of all
//! commands, and at 100 strictly: only then is anything wrong, help shown or a command selected. Only what was typed gets a
//! value (priority 100); a value is handed over by the first reading that knows its option.
//!
//! [`scan`] takes the line apart, [`parser`] judges it, [`line`] decides what it means; all are pure.

mod line;
mod options;
mod parser;
mod refusal;
mod scan;

use self::line::{CliCommand, Model, Typed};
use self::options::{CliOption, Owner};
use self::parser::Face;
use super::declare::Declaration;
use crate::config::{ConfigLayer, Key, OptionDescriptor, Priority, Source, Value};
use crate::error::Result;
use crate::extension::{
    ALL_EXTENSIONS, Catalog, Extension, ExtensionContext, ExtensionDescriptor, OptionEntry,
    Requester, SELECTED_COMMAND,
};

/// Load order of the strict reading.
const STRICT: u16 = 100;

/// Reads the command line as far as it is known at load order `ORDER`.
#[derive(Debug)]
pub struct CommandLine<const ORDER: u16>;

const fn pass<const ORDER: u16>() -> ExtensionDescriptor {
    Declaration {
        name: "cli",
        description: "Reads the command line.",
        load_order: ORDER,
        config_options: &[],
        commands: &[],
        file: file!(),
        line: line!(),
    }
    .of::<CommandLine<ORDER>>()
}

pub(super) const CLI: [ExtensionDescriptor; 5] = [
    pass::<1>(),
    pass::<11>(),
    pass::<21>(),
    pass::<90>(),
    pass::<STRICT>(),
];

impl<const ORDER: u16> Extension for CommandLine<ORDER> {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }

    fn get_config(&self, cx: &ExtensionContext<'_>) -> Result<Vec<ConfigLayer>> {
        let store = cx.catalog().store();
        let is_chosen_by_program = store
            .explain(&Key::fold(SELECTED_COMMAND.key()))
            .iter()
            .any(|value| matches!(value.source, Source::Fixed));
        if is_chosen_by_program {
            // An application that chooses its command itself has no command line at all.
            return Ok(Vec::new());
        }
        let model = model(cx);
        let arguments = &cx.application().invocation.arguments;
        let source = |flag: &str| Source::CommandLine { flag: flag.into() };
        let mut layer = ConfigLayer::new(Priority::COMMAND_LINE, source("the command line"));
        let typed = if ORDER == STRICT {
            let selected = model.strict(arguments)?;
            layer.push(
                SELECTED_COMMAND.key(),
                selected.command,
                source("the command's name"),
            );
            selected.typed
        } else {
            model.lenient(arguments).1
        };
        for Typed {
            key,
            flag,
            values,
            multiple,
        } in typed
        {
            let is_known = store
                .explain(&Key::fold(&key))
                .iter()
                .any(|value| matches!(value.source, Source::CommandLine { .. }));
            if is_known {
                continue;
            }
            let mut values = values.into_iter().map(Value::Raw);
            let value = if multiple {
                Some(Value::List(values.collect()))
            } else {
                values.next()
            };
            if let Some(value) = value {
                layer.push(&key, value, source(&flag));
            }
        }
        Ok(vec![layer])
    }
}

/// Everything that the command line may say, as far as it is known.
fn model(cx: &ExtensionContext<'_>) -> Model {
    let catalog = cx.catalog();
    let application = cx.application();
    let main = catalog
        .application_options()
        .into_iter()
        // What nobody but the loader sets.
        .filter(|entry| ![SELECTED_COMMAND.key(), ALL_EXTENSIONS.key()].contains(&entry.option.key))
        .map(|entry| cli_option(catalog, entry))
        .collect();
    let commands = catalog
        .commands()
        .iter()
        .map(|(path, entry)| CliCommand {
            path: path.to_owned(),
            description: entry.command.description,
            hidden: entry.command.hidden,
            options: catalog
                .command_options(entry.command)
                .into_iter()
                .map(|entry| cli_option(catalog, entry))
                .collect(),
        })
        .collect();
    Model {
        face: Face {
            program: application.program.to_string(),
            about: application.about.to_string(),
            width: application.invocation.width,
        },
        version: application.version.to_string(),
        main,
        commands,
    }
}

fn cli_option(catalog: &Catalog, entry: &OptionEntry) -> CliOption {
    CliOption {
        descriptor: entry.option,
        required: entry.required,
        owner: match entry.requested_by.first() {
            Some(Requester::Command(_)) => Owner::Command,
            Some(Requester::Extension(name, place)) if place.krate != env!("CARGO_PKG_NAME") => {
                Owner::Extension(name)
            }
            _ => Owner::Application,
        },
        entities: entry
            .option
            .at
            .map_or_else(Vec::new, |at: &OptionDescriptor| {
                // Entities that cannot be read are a problem that the validation finds.
                catalog.store().entities(at).unwrap_or_default()
            }),
    }
}
