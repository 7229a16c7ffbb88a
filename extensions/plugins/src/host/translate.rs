//! From what a plugin says about itself to an extension like all others.
//!
//! What the descriptors want for ever is leaked: once for each plugin and process.

use std::any::{Any, TypeId};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use zaf_core::command::CommandDescriptor;
use zaf_core::component::Scope;
use zaf_core::config::{ConfigOption, OptionDescriptor, nearest};
use zaf_core::extension::{
    Binder, Catalog, Constructor, DispatcherDescriptor, Extends, ExtensionContext,
    ExtensionDescriptor, ExtensionKind, ExtensionObject, ProvidedExtension, is_active,
};
use zaf_core::message::{
    DispatcherBuilder, DispatcherKind, EndpointId, EventId, MessageBus, MessageDescriptor,
    MessageKind, RequestId, WireFormat,
};
use zaf_core::{Error, Result};

use super::config_values;
use super::instance::{Instance, Plugin};
use super::object::Object;
use super::option;
use crate::protocol::{self, Description, DispatcherDescription, Kind, PayloadFormat, Threads};

/// What a message of a plugin carries: any JSON value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Json(pub Value);

/// What is known when plugins are made extensions: what is linked, and what other plugins define.
pub(super) struct Known {
    messages: Vec<MessageDescriptor>,
    options: Vec<OptionDescriptor>,
    commands: Vec<&'static CommandDescriptor>,
}

impl Known {
    /// What is linked.
    pub(super) fn linked(catalog: &Catalog, bus: &MessageBus) -> Self {
        let extensions = || catalog.extensions().iter().map(|entry| entry.descriptor);
        let defined = extensions().flat_map(|extension| extension.endpoints_and_messages);
        let of_bus = bus.messages().into_iter().map(|(message, _)| message);
        let of_commands = extensions().flat_map(|extension| {
            let commands = extension.commands().iter();
            commands.flat_map(|command| command.config_options)
        });
        let asked = extensions()
            .flat_map(|extension| extension.config_options)
            .chain(of_commands)
            .map(|option| option.option);
        Self {
            messages: defined
                .flat_map(|(_, messages)| messages.iter().copied())
                .chain(of_bus)
                .collect(),
            options: asked.collect(),
            commands: extensions()
                .flat_map(|extension| extension.commands())
                .copied()
                .collect(),
        }
    }

    /// Adds what a plugin defines, so that others can listen to it; and its options.
    pub(super) fn add(&mut self, defined: &Defined) {
        let messages = defined.0.iter().flat_map(|(_, messages)| *messages);
        self.messages.extend(messages);
    }

    fn message(&self, name: &str) -> Option<&MessageDescriptor> {
        self.messages.iter().find(|message| message.name == name)
    }

    fn command(&self, path: &str) -> Option<&'static CommandDescriptor> {
        let mut commands = self.commands.iter();
        commands.find(|command| command.path() == path).copied()
    }
}

/// Endpoints with messages that a plugin defines.
#[derive(Clone, Copy)]
pub(super) struct Defined(&'static [(EndpointId, &'static [MessageDescriptor])]);

impl Defined {
    pub(super) fn of(description: &Description) -> Self {
        let endpoints = description.endpoints.iter().filter_map(|endpoint| {
            // One that somebody else defines is named only.
            if endpoint.messages.is_empty() && endpoint.description.is_empty() {
                return None;
            }
            let id = EndpointId::new(leak(&endpoint.name), leak(&endpoint.description));
            let messages = endpoint.messages.iter().map(|message| {
                let (name, text) = (leak(&message.name), leak(&message.description));
                match message.kind {
                    Kind::Event => EventId::<Json>::new(name, text)
                        .portable_as_json()
                        .descriptor(),
                    Kind::Request => RequestId::<Json, Json>::new(name, text)
                        .portable_as_json()
                        .descriptor(),
                }
            });
            let messages: &'static [MessageDescriptor] = messages.collect::<Vec<_>>().leak();
            Some((id, messages))
        });
        Self(endpoints.collect::<Vec<_>>().leak())
    }
}

/// Where a plugin is from, for lists and errors.
pub(super) struct Origin {
    /// Path of its manifest.
    pub(super) file: String,
}

/// The extension that a plugin is.
///
/// # Errors
/// All that does not fit to what is known: messages that nobody defines or that cannot be put into bytes, options that contradict
/// themselves.
pub(super) fn extension(
    plugin: Arc<Plugin>,
    origin: &Origin,
    defined: Defined,
    known: &mut Known,
) -> Result<ProvidedExtension, Vec<String>> {
    let description = Arc::clone(&plugin.description);
    let mut problems = Vec::new();
    let mut options: Vec<ConfigOption> = Vec::new();
    // Those that others hang at come first.
    let mut described: Vec<_> = description.options.iter().collect();
    described.sort_by_key(|option| option.at.is_some());
    for described in described {
        match option::of(described, &known.options) {
            Ok(option) => {
                known.options.push(option.option);
                options.push(option);
            }
            Err(problem) => problems.push(problem),
        }
    }
    let options: &'static [ConfigOption] = options.leak();
    let entity_option = options
        .iter()
        .find(|option| option.instantiate_on)
        .map(|option| option.option);
    let mut dispatchers = Vec::new();
    for dispatcher in &description.dispatchers {
        match listening(dispatcher, entity_option, known) {
            Ok(one) => dispatchers.push(one),
            Err(found) => problems.extend(found),
        }
    }
    let mut condition = |groups: &[Vec<String>]| -> &'static [&'static [OptionDescriptor]] {
        let groups = groups.iter().map(|group| -> &'static [OptionDescriptor] {
            let group = group.iter().filter_map(|key| {
                let option = options.iter().find(|option| option.option.key == key);
                if option.is_none() {
                    problems.push(format!(
                        "it depends on option `{key}`, which it does not ask for"
                    ));
                }
                option.map(|option| option.option)
            });
            group.collect::<Vec<_>>().leak()
        });
        groups.collect::<Vec<_>>().leak()
    };
    let activate_on = condition(&description.activate_on);
    let deactivate_on = condition(&description.deactivate_on);
    if !problems.is_empty() {
        return Err(problems);
    }
    let kind = match &description.kind {
        protocol::ExtensionKind::Framework { load_order } => ExtensionKind::Framework {
            load_order: *load_order,
            commands: &[],
        },
        protocol::ExtensionKind::Command { extends } => {
            let extends = extends.iter().map(|word| match known.command(word) {
                Some(command) => Extends::Command(command),
                None => Extends::Capability(leak(word)),
            });
            ExtensionKind::Command {
                extends: extends.collect::<Vec<_>>().leak(),
            }
        }
    };
    let name = plugin.name;
    let construct = move |cx: &ExtensionContext<'_>| -> Result<Box<dyn ExtensionObject>> {
        let view = cx.config();
        let active = is_active(activate_on, deactivate_on, |option| view.is_set(option));
        let start = config_values::start(cx, options)?;
        let instance = Instance::new(Arc::clone(&plugin), start, active, cx.bus().clone());
        Ok(Box::new(Object(instance)))
    };
    let descriptor = ExtensionDescriptor {
        name,
        description: leak(&description.description),
        kind,
        config_options: options,
        endpoints_and_messages: defined.0,
        groups: words(&description.groups),
        default_enabled: description.default_enabled,
        activate_on,
        deactivate_on,
        replaces: words(&description.replaces),
        type_id: TypeId::of::<Instance>,
        construct: Constructor::provided(Box::leak(Box::new(construct))),
        krate: "plugin",
        version: leak(&description.version),
        file: leak(&origin.file),
        line: 1,
    };
    Ok(ProvidedExtension::new(descriptor, dispatchers.leak()))
}

/// One dispatcher.
///
/// # Errors
/// For each message why the plugin cannot listen to it.
fn listening(
    dispatcher: &DispatcherDescription,
    entity_option: Option<OptionDescriptor>,
    known: &Known,
) -> Result<DispatcherDescriptor, Vec<String>> {
    let format = match dispatcher.format {
        PayloadFormat::Json => WireFormat::Json,
        PayloadFormat::Postcard => WireFormat::Postcard,
    };
    let mut problems = Vec::new();
    let mut messages: Vec<MessageDescriptor> = Vec::new();
    let name = &dispatcher.name;
    for message in &dispatcher.messages {
        match known.message(message) {
            Some(found) => match found.codec {
                None => problems.push(format!(
                    "dispatcher `{name}` listens to `{message}`, which cannot be put into bytes: what it carries ({}) is not declared portable",
                    (found.payload_name)()
                )),
                Some(codec) if !codec.formats().contains(&format) => problems.push(format!(
                    "dispatcher `{name}` wants `{message}` as {}, which it cannot be written as",
                    format.name()
                )),
                Some(_) => messages.push(*found),
            },
            // Skipped now as it is skipped later: nobody knows its kind.
            None if dispatcher.optional => {}
            None => {
                let near = nearest(message, known.messages.iter().map(|one| one.name));
                let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
                problems.push(format!(
                    "dispatcher `{name}` listens to `{message}`, which nothing defines{near}"
                ));
            }
        }
    }
    if dispatcher.entity && entity_option.is_none() {
        problems.push(format!(
            "dispatcher `{name}` listens for the entity of an instance, but no option has `instantiate_on`"
        ));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let handler = leak(name);
    let messages: &'static [MessageDescriptor] = messages.leak();
    let listening = Listening {
        handler,
        messages,
        format,
        optional: dispatcher.optional,
    };
    let bind = move |instance: Arc<dyn Any + Send + Sync>,
                     builder: DispatcherBuilder,
                     _: &Scope| { listening.bind(&instance, builder) };
    let endpoints = dispatcher.endpoints.iter();
    Ok(DispatcherDescriptor {
        handler,
        kind: match dispatcher.threads {
            Threads::Callback => DispatcherKind::Callback,
            Threads::Sequential => DispatcherKind::Sequential,
            Threads::Threadpool => DispatcherKind::ThreadPool,
            Threads::Concurrent => DispatcherKind::Concurrent,
        },
        priority: dispatcher.priority,
        optional: dispatcher.optional,
        // It has a limit of its own, `plugins.timeout`.
        long_running: true,
        messages,
        endpoints: endpoints
            .map(|name| EndpointId::new(leak(name), ""))
            .collect::<Vec<_>>()
            .leak(),
        entity_option: entity_option.filter(|_| dispatcher.entity),
        workers: None,
        requirements: &[],
        bind: Binder::provided(Box::leak(Box::new(bind))),
        line: 1,
    })
}

/// What a dispatcher of a plugin listens to.
struct Listening {
    handler: &'static str,
    messages: &'static [MessageDescriptor],
    format: WireFormat,
    optional: bool,
}

impl Listening {
    /// Registers the handlers, for messages by name.
    fn bind(
        &self,
        instance: &Arc<dyn Any + Send + Sync>,
        mut builder: DispatcherBuilder,
    ) -> Result<DispatcherBuilder> {
        let instance: Arc<Instance> = Arc::clone(instance)
            .downcast()
            .map_err(|_| Error::msg("the dispatchers of a plugin were given another instance"))?;
        let (handler, format) = (self.handler, self.format);
        for kind in [MessageKind::Event, MessageKind::Request] {
            let mut names = Vec::new();
            for message in self.messages.iter().filter(|message| message.kind == kind) {
                if self.optional && !instance.is_defined(message) {
                    // Known by its type, it is skipped as ever.
                    let id = EventId::<Json>::new(message.name, message.description);
                    builder = builder.on(id, |_, _| Ok(()));
                } else {
                    names.push(message.name);
                }
            }
            let instance = Arc::clone(&instance);
            builder = match kind {
                MessageKind::Event => builder.on_encoded(names, format, move |message, _| {
                    instance.deliver(handler, kind, message).map(drop)
                })?,
                _ => builder.answer_encoded(names, format, move |message, _| {
                    let answer = instance.deliver(handler, kind, message)?;
                    answer.ok_or_else(|| Error::msg("the plugin gave no answer"))
                })?,
            };
        }
        Ok(builder)
    }
}

/// Words that live as long as the process.
fn words(words: &[String]) -> &'static [&'static str] {
    words
        .iter()
        .map(|word| leak(word))
        .collect::<Vec<_>>()
        .leak()
}

/// A text that lives as long as the process.
pub(super) fn leak(text: &str) -> &'static str {
    text.to_owned().leak()
}
