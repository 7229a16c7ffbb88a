//! Reads the command line.
//!
//! The same line is read five times while extensions are loaded, each time with more options known: at load order 1 those
//! of the application's core (where configuration files are), at 11 and 21 those of more extensions, at 90 those of all
//! commands, and at 100 strictly: only then is anything wrong, help shown or a command selected. Only what was typed gets a
//! value (priority 100); a value is handed over by the first reading that knows its option.
//!
//! [`model`] is the one description of all that may be typed. [`scan`] takes the line apart, [`parser`] judges it, [`line`]
//! decides what it means, [`help`] shows what could have been typed, [`completion`] what may come next; all are pure.

mod completion;
#[cfg(test)]
mod fixture;
mod help;
mod line;
mod man;
mod model;
mod options;
mod parser;
#[cfg(test)]
mod pass_tests;
mod refusal;
mod scan;

use std::ffi::OsString;

use self::completion::Question;
use self::line::Typed;
use self::model::Model;
use super::declare::Declaration;
use crate::application::{EarlyEnd, ExitCode};
use crate::command::{ApplicationInfo, CommandDescriptor};
use crate::config::{ConfigLayer, ConfigStore, Key, Priority, Source, Value};
use crate::error::Result;
use crate::extension::{
    Catalog, Extension, ExtensionContext, ExtensionDescriptor, SELECTED_COMMAND,
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

pub(super) use self::completion::COMPLETION;
pub use self::completion::{COMPLETION_COMMAND, COMPLETION_SHELL, Completion};
pub(super) use self::man::MAN;
pub use self::man::{MAN_COMMAND, MAN_COMMAND_COMMAND, MAN_DIR, Man};

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
        let question = Question::of(&cx.application().invocation.arguments);
        let arguments = match &question {
            Some(question) => &question.before,
            None => &cx.application().invocation.arguments,
        };
        if ORDER == STRICT {
            let model = Model::new(cx.catalog(), cx.application());
            if let Some(question) = question {
                return Err(EarlyEnd::new(ExitCode::Success, question.answer(&model)).into());
            }
            let selected = model.strict(arguments)?;
            let mut layer = layer_of(store, selected.typed);
            let source = source("the command's name");
            layer.push(SELECTED_COMMAND.key(), selected.command, source);
            return Ok(vec![layer]);
        }
        let model = Model::on(cx.catalog(), cx.application(), arguments);
        Ok(vec![layer_of(store, model.lenient(arguments))])
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
    let first = Model::on(catalog, application, &line).lenient(&line);
    store.add(layer_of(&ConfigStore::new(), first));
    let selected = Model::new(&catalog.with_store(store), application).strict(&line)?;
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
