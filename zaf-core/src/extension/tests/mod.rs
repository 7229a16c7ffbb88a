//! The loader with explicit lists of descriptors: extensions that write down what happens to them and misbehave by name.

mod commands;
mod configuration;
mod declarations;
mod dispatchers;
mod limits;
mod order;
mod plugins;
mod provided;
mod teardown;

use std::any::TypeId;
use std::cell::RefCell;
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::Mutex;

use super::*;
use crate::application::ExitCode;
use crate::command::{ApplicationInfo, CommandDescriptor};
use crate::component::Scope;
use crate::config::{ConfigLayer, ConfigStore, OptionId, Priority, Source, Value};
use crate::error::{Error, Result};
use crate::message::{Dispatcher, MessageBus};

/// What happened, in order.
type Log = Arc<Mutex<Vec<String>>>;

thread_local! {
    /// The log of the test that runs on this thread, where extensions are made.
    static LOG: Log = Arc::default();
    /// What extensions wait for that hang when they are destroyed; released when the test ends.
    static GATE: RefCell<(Option<Sender<()>>, Receiver<()>)> = {
        let (sender, receiver) = bounded(0);
        RefCell::new((Some(sender), receiver))
    };
}

/// Takes what was written down so far.
fn log() -> Vec<String> {
    LOG.with(|log| std::mem::take(&mut *log.lock()))
}

/// An extension that writes down what happens to it. What its name begins with is what it does wrong.
struct Recorder<const N: usize> {
    name: String,
    log: Log,
    gate: Receiver<()>,
}

impl<const N: usize> Recorder<N> {
    fn note(&self, step: &str) {
        self.log.lock().push(format!("{step} {}", self.name));
    }
}

/// Value that the extensions called `provide…` provide: their own name.
const PROVIDED: OptionId<String> = OptionId::text("provided");

impl<const N: usize> Extension for Recorder<N> {
    fn new(cx: &ExtensionContext<'_>) -> Result<Self> {
        let name = match cx.entity() {
            Some(entity) => format!("{}[{entity}]", cx.name()),
            None => cx.name().to_owned(),
        };
        let new = Self {
            name,
            log: LOG.with(Arc::clone),
            gate: GATE.with(|gate| gate.borrow().1.clone()),
        };
        if new.name.starts_with("failnew") {
            return Err(Error::msg("no licence").hint("buy one"));
        }
        assert!(!new.name.starts_with("panicnew"), "cannot be made");
        if new.name.starts_with("see") {
            let value = cx.config().get_optional(PROVIDED)?;
            new.note(&format!(
                "sees {} in",
                value.as_deref().unwrap_or("nothing")
            ));
        }
        new.note("new");
        Ok(new)
    }

    fn get_config(&self, cx: &ExtensionContext<'_>) -> Result<Vec<ConfigLayer>> {
        assert!(!self.name.starts_with("panicconfig"), "bad config");
        if self.name.starts_with("failconfig") {
            return Err(Error::msg("unreadable"));
        }
        let layer = ConfigLayer::from_extension(cx.name());
        Ok(match self.name.split_once("off") {
            Some(("switch", other)) => vec![layer.with(&format!("ext.{other}.enabled"), false)],
            _ if self.name.starts_with("provide") => {
                vec![layer.with("provided", self.name.as_str())]
            }
            _ => Vec::new(),
        })
    }

    fn register_components(&self, scope: &Scope) -> Result<()> {
        self.note("components");
        Ok(scope.provide(Arc::new(self.name.clone()))?)
    }

    fn register_dispatchers(self: Arc<Self>, _: &MessageBus) -> Result<Vec<Dispatcher>> {
        self.note("dispatchers");
        Ok(Vec::new())
    }

    fn destroy(&self) -> Result<()> {
        self.note("destroy");
        if self.name.starts_with("hang") {
            // Ends when the test's thread does.
            let _released = self.gate.recv();
        }
        assert!(!self.name.starts_with("panicdestroy"), "cannot end");
        if self.name.starts_with("faildestroy") {
            return Err(Error::msg("still in use"));
        }
        Ok(())
    }
}

impl<const N: usize> Drop for Recorder<N> {
    fn drop(&mut self) {
        self.note("drop");
        assert!(!self.name.starts_with("panicdrop"), "cannot be dropped");
    }
}

const fn base(name: &'static str, kind: ExtensionKind) -> ExtensionDescriptor {
    ExtensionDescriptor {
        name,
        description: "Records.",
        kind,
        config_options: &[],
        endpoints_and_messages: &[],
        groups: &[],
        default_enabled: true,
        activate_on: &[],
        deactivate_on: &[],
        replaces: &[],
        type_id: TypeId::of::<Recorder<0>>,
        construct: Constructor::linked(construct::<Recorder<0>>),
        krate: "demo",
        version: "0.1.0",
        file: "src/demo.rs",
        line: 11,
    }
}

/// A framework extension without anything.
pub(super) const fn framework(name: &'static str, load_order: u16) -> ExtensionDescriptor {
    base(
        name,
        ExtensionKind::Framework {
            load_order,
            commands: &[],
        },
    )
}

/// A framework extension that adds these commands.
pub(super) fn adding(
    name: &'static str,
    load_order: u16,
    commands: &[&'static CommandDescriptor],
) -> ExtensionDescriptor {
    let kind = ExtensionKind::Framework {
        load_order,
        commands: leak(commands),
    };
    base(name, kind)
}

/// A command extension of these commands and capabilities.
pub(super) fn extending(name: &'static str, extends: &[Extends]) -> ExtensionDescriptor {
    base(
        name,
        ExtensionKind::Command {
            extends: leak(extends),
        },
    )
}

/// What the macros put into constants.
fn leak<T: Clone>(items: &[T]) -> &'static [T] {
    items.to_vec().leak()
}

pub(super) static RUN: CommandDescriptor = command("run", None);

const fn command(
    name: &'static str,
    parent: Option<&'static CommandDescriptor>,
) -> CommandDescriptor {
    CommandDescriptor {
        name,
        description: "Does it.",
        parent,
        uses: &["suite"],
        config_options: &[],
        hidden: false,
        requirements: &[],
        run: |_| Ok(ExitCode::Success),
        krate: "demo",
        file: "src/command.rs",
        line: 5,
    }
}

/// Adds the command `run`, at load order 50.
fn runner() -> ExtensionDescriptor {
    adding("runner", 50, &[&RUN])
}

/// A store in which the command line says these keys and values (several with commas between), and `run`.
fn store(values: &[(&str, &str)]) -> ConfigStore {
    let mut store = ConfigStore::new();
    let mut layer = ConfigLayer::new(
        Priority::COMMAND_LINE,
        Source::CommandLine {
            flag: "--test".into(),
        },
    )
    .with("internal.command", "run");
    for (key, value) in values {
        let mut words: Vec<Value> = value
            .split(',')
            .map(|word| Value::Raw(word.to_owned()))
            .collect();
        let value = match words.len() {
            1 => words.remove(0),
            _ => Value::List(words),
        };
        layer = layer.with(key, value);
    }
    store.add(layer);
    store
}

fn loader(
    extensions: impl IntoIterator<Item = ExtensionDescriptor>,
    values: &[(&str, &str)],
) -> Loader {
    with_dispatchers(extensions, [], values)
}

fn with_dispatchers(
    extensions: impl IntoIterator<Item = ExtensionDescriptor>,
    dispatchers: impl IntoIterator<Item = DispatcherSet>,
    values: &[(&str, &str)],
) -> Loader {
    Loader::new(
        ApplicationInfo::new("demo", "0.1.0"),
        ExtensionRegistry::new(extensions, dispatchers),
        store(values),
        MessageBus::new(),
    )
}

/// The texts of errors, causes included.
fn texts(errors: &[LoadError]) -> Vec<String> {
    errors.iter().map(LoadError::with_causes).collect()
}

/// Names in the order in which instances were made.
fn made() -> Vec<String> {
    steps("new")
}

/// Names of what went through a step, in order; takes the whole log.
fn steps(step: &str) -> Vec<String> {
    let prefix = format!("{step} ");
    log()
        .into_iter()
        .filter_map(|line| line.strip_prefix(&prefix).map(str::to_owned))
        .collect()
}
