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

use std::ffi::OsString;

use self::line::{CliCommand, Model, Typed};
use self::options::{CliOption, Owner};
use self::parser::Face;
use super::declare::Declaration;
use crate::command::{ApplicationInfo, CommandDescriptor};
use crate::config::{ConfigLayer, ConfigStore, Key, OptionDescriptor, Priority, Source, Value};
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
            .has_value_from(&Key::fold(SELECTED_COMMAND.key()), |source| {
                matches!(source, Source::Fixed)
            });
        if is_chosen_by_program {
            // An application that chooses its command itself has no command line at all.
            return Ok(Vec::new());
        }
        let model = model(cx.catalog(), cx.application());
        let arguments = &cx.application().invocation.arguments;
        if ORDER == STRICT {
            let selected = model.strict(arguments)?;
            let mut layer = layer_of(store, selected.typed);
            let source = source("the command's name");
            layer.push(SELECTED_COMMAND.key(), selected.command, source);
            return Ok(vec![layer]);
        }
        Ok(vec![layer_of(store, model.lenient(arguments).1)])
    }
}

/// What would be typed if `words` stood behind a command's name, as a layer.
///
/// # Errors
/// [`EarlyEnd`](crate::application::EarlyEnd), as the command line itself.
pub(super) fn target_line(
    catalog: &Catalog,
    application: &ApplicationInfo,
    command: &CommandDescriptor,
    words: &[String],
) -> Result<ConfigLayer> {
    let path = command.path();
    let line: Vec<OsString> = path
        .split(' ')
        .chain(words.iter().map(String::as_str))
        .map(OsString::from)
        .collect();
    // The names of entities decide which options there are.
    let mut store = catalog.store().clone();
    let first = model(catalog, application).lenient(&line).1;
    store.add(layer_of(&ConfigStore::new(), first));
    let selected = model(&catalog.with_store(store), application).strict(&line)?;
    Ok(layer_of(&ConfigStore::new(), selected.typed))
}

fn source(flag: &str) -> Source {
    Source::CommandLine { flag: flag.into() }
}

/// What was typed and is not in the store yet.
fn layer_of(store: &ConfigStore, typed: Vec<Typed>) -> ConfigLayer {
    let mut layer = ConfigLayer::new(Priority::COMMAND_LINE, source("the command line"));
    let is_typed = |source: &Source| matches!(source, Source::CommandLine { .. });
    for Typed {
        key,
        flag,
        values,
        multiple,
    } in typed
    {
        if store.has_value_from(&Key::fold(&key), is_typed) {
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
    layer
}

/// Everything that the command line may say, as far as it is known.
fn model(catalog: &Catalog, application: &ApplicationInfo) -> Model {
    let is_for = |entry: &&OptionEntry| entry.option.is_for(application.context);
    let main = catalog
        .application_options()
        .into_iter()
        // What nobody but the loader sets.
        .filter(|entry| ![SELECTED_COMMAND.key(), ALL_EXTENSIONS.key()].contains(&entry.option.key))
        .filter(is_for)
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
                .filter(is_for)
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
        catalog: Some(catalog.clone()),
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
