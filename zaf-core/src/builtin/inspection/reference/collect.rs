//! From descriptors to topics. The result depends on what is linked only: not on the configuration, on who is disabled, or on the
//! machine; and it is sorted.

use std::collections::{BTreeMap, BTreeSet};

use super::super::first_line;
use super::super::participation::extended;
use super::super::type_name::short;
use super::messages::{defined, of_endpoint, of_message};
use super::options::{of_option, options};
use super::routes::{Route, routes};
use super::topic::{Item, Span, Topic, TopicKind, code, listed, only, text};
use crate::command::{ApplicationInfo, CommandDescriptor};
use crate::component::{ComponentRegistry, Requirement};
use crate::config::{ConfigOption, OptionDescriptor, shown_key};
use crate::extension::{
    ALL_EXTENSIONS, Catalog, Condition, DispatcherDescriptor, ExtensionDescriptor, ExtensionKind,
};
use crate::message::MessageBus;

/// Everything that topics are made of.
pub(super) struct Sources<'a> {
    pub(super) application: &'a ApplicationInfo,
    pub(super) catalog: &'a Catalog,
    pub(super) components: &'a ComponentRegistry,
    pub(super) bus: &'a MessageBus,
}

/// An extension; its parts, which have one name, taken together.
#[derive(Default)]
pub(super) struct Parts<'a> {
    pub(super) descriptors: Vec<&'a ExtensionDescriptor>,
    pub(super) dispatchers: Vec<&'static DispatcherDescriptor>,
}

fn extensions<'a>(sources: &Sources<'a>) -> BTreeMap<&'static str, Parts<'a>> {
    let mut extensions: BTreeMap<&'static str, Parts<'_>> = BTreeMap::new();
    for entry in sources.catalog.extensions() {
        let parts = extensions.entry(entry.descriptor.name).or_default();
        parts.descriptors.push(&entry.descriptor);
        let dispatchers = entry.dispatchers.iter().flat_map(|set| set.dispatchers);
        parts.dispatchers.extend(dispatchers);
    }
    extensions
}

/// Who sends what to whom, sorted by endpoint.
pub(super) fn all_routes(sources: &Sources<'_>) -> Vec<Route> {
    let extensions = extensions(sources);
    routes(&defined(&extensions, sources.bus), &extensions)
}

/// All topics, sorted by kind and name.
pub(super) fn topics(sources: &Sources<'_>) -> Vec<Topic> {
    let extensions = extensions(sources);
    let commands = commands(&extensions);
    let defined = defined(&extensions, sources.bus);
    let mut topics: Vec<Topic> = Vec::new();
    for (path, (extension, command)) in &commands {
        topics.push(of_command(path, extension, command, &extensions));
    }
    for asked in options(sources.catalog, &extensions, &commands).values() {
        topics.push(of_option(asked, sources.application));
    }
    for (name, parts) in &extensions {
        topics.push(of_extension(name, parts, sources.components));
    }
    for message in defined.messages.values() {
        topics.push(of_message(message, &defined, &extensions));
    }
    for endpoint in defined.endpoints.values() {
        topics.push(of_endpoint(*endpoint, &defined));
    }
    for component in sources.components.iter() {
        let mut topic = Topic::new(TopicKind::Component, component.name, component.description);
        topic.fact("type", [only(code(short((component.type_name)())))]);
        topic.fact("lives in the scope", [only(code(component.scope))]);
        topic.fact("can", [words(component.can)]);
        topic.fact("priority", [only(text(component.priority.to_string()))]);
        topic.fact("needs", needs(component.requirements));
        topic.fact("crate", [only(code(component.krate))]);
        topics.push(topic);
    }
    topics.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
    topics
}

pub(super) type Commands = BTreeMap<String, (&'static str, &'static CommandDescriptor)>;

fn commands(extensions: &BTreeMap<&'static str, Parts<'_>>) -> Commands {
    let mut commands = Commands::new();
    for (name, parts) in extensions {
        for command in parts.descriptors.iter().flat_map(|one| one.commands()) {
            commands.entry(command.path()).or_insert((name, command));
        }
    }
    commands
}

fn of_command(
    path: &str,
    extension: &str,
    command: &'static CommandDescriptor,
    extensions: &BTreeMap<&'static str, Parts<'_>>,
) -> Topic {
    let mut topic = Topic::new(TopicKind::Command, path, command.description);
    let extends = |parts: &Parts<'_>| {
        let mut all = parts.descriptors.iter();
        all.any(|one| !one.is_framework() && one.extends(command))
    };
    let extended_by: Vec<(&&str, &Parts<'_>)> = extensions
        .iter()
        .filter(|(_, parts)| extends(parts))
        .collect();
    let mut options: BTreeMap<String, &'static str> = BTreeMap::new();
    let mut add = |asked: &'static [ConfigOption]| {
        for one in asked {
            let words = options.entry(shown_key(&one.option)).or_default();
            if words.is_empty() {
                *words = one.option.description;
            }
        }
    };
    let mut next = Some(command);
    while let Some(above) = next {
        add(above.config_options);
        next = above.parent;
    }
    for (_, parts) in &extended_by {
        let extending = parts.descriptors.iter().filter(|one| one.extends(command));
        extending.for_each(|one| add(one.config_options));
    }
    if command.hidden {
        topic.fact("listed", [only(text("in the full help only"))]);
    }
    topic.fact("added by", [only(link(TopicKind::Extension, extension))]);
    topic.fact(
        "belongs to",
        command
            .parent
            .map(|parent| only(link(TopicKind::Command, &parent.path()))),
    );
    topic.fact("uses", [words(command.uses)]);
    let names = extended_by.iter().map(|(name, _)| **name);
    topic.fact("extended by", [links(TopicKind::Extension, names)]);
    topic.fact("options", options.into_iter().map(with_words));
    topic
}

/// An option with the first line of its description.
fn with_words((key, description): (String, &'static str)) -> Item {
    let mut item = only(link(TopicKind::Option, &key));
    let words = first_line(description);
    if !words.is_empty() {
        item.push(text(format!(": {words}")));
    }
    item
}

fn keys(options: &[ConfigOption]) -> impl Iterator<Item = String> {
    options.iter().map(|option| shown_key(&option.option))
}

fn of_extension(name: &str, parts: &Parts<'_>, components: &ComponentRegistry) -> Topic {
    let mut descriptions: Vec<&str> = Vec::new();
    let mut crates: BTreeSet<&str> = BTreeSet::new();
    let mut loaded: Vec<String> = Vec::new();
    let (mut commands, mut groups) = (BTreeSet::new(), BTreeSet::new());
    let (mut options, mut replaces) = (BTreeSet::new(), BTreeSet::new());
    let (mut endpoints, mut own_components) = (BTreeSet::new(), BTreeSet::new());
    let mut extends: BTreeSet<(bool, Vec<String>)> = BTreeSet::new();
    let (mut active, mut inactive) = (BTreeSet::new(), BTreeSet::new());
    for one in &parts.descriptors {
        if !descriptions.contains(&one.description) {
            descriptions.push(one.description);
        }
        crates.insert(one.krate);
        loaded.push(match one.kind {
            ExtensionKind::Framework { load_order, .. } => {
                format!("for every command, load order {load_order}")
            }
            ExtensionKind::Command { .. } => "for the commands that it extends".to_owned(),
        });
        let (of_commands, of_capabilities) = extended(one);
        extends.extend(of_commands.into_iter().map(|path| (true, vec![path])));
        if !of_capabilities.is_empty() {
            let words = of_capabilities.into_iter().map(str::to_owned);
            extends.insert((false, words.collect()));
        }
        commands.extend(one.commands().iter().map(|command| command.path()));
        groups.extend(one.groups.iter().copied());
        replaces.extend(one.replaces.iter().copied());
        options.extend(keys(one.config_options));
        let defines = one.endpoints_and_messages.iter();
        endpoints.extend(defines.map(|(endpoint, _)| endpoint.name()));
        own_components.extend(
            components
                .iter()
                .filter(|component| (component.krate, component.file) == (one.krate, one.file))
                .map(|component| component.name),
        );
        active.extend(conditions(one.activate_on));
        inactive.extend(conditions(one.deactivate_on));
    }
    loaded.dedup();
    let is_disabled = parts.descriptors.iter().all(|one| !one.default_enabled);
    let mut topic = Topic::new(TopicKind::Extension, name, &descriptions.join("\n\n"));
    topic.fact("crate", [words(crates)]);
    topic.fact("loaded", loaded.into_iter().map(|words| only(text(words))));
    if is_disabled {
        topic.fact("enabled", [only(text("on request only"))]);
    }
    let extends = extends.iter().map(|(is_command, names)| {
        if *is_command {
            return links(TopicKind::Command, names.iter().map(String::as_str));
        }
        let mut item = only(text("commands with the capability "));
        for (index, name) in names.iter().enumerate() {
            if index > 0 {
                item.push(text(" and "));
            }
            item.push(code(name));
        }
        item
    });
    topic.fact("extends", extends);
    topic.fact("active if", active.into_iter().map(one_of));
    topic.fact("inactive if", inactive.into_iter().map(one_of));
    topic.fact("replaces", [links(TopicKind::Extension, replaces)]);
    topic.fact("groups", [words(groups)]);
    let paths = commands.iter().map(String::as_str);
    topic.fact("adds commands", [links(TopicKind::Command, paths)]);
    let options = options.iter().filter(|key| **key != ALL_EXTENSIONS.key());
    topic.fact(
        "options",
        options.map(|key| only(link(TopicKind::Option, key))),
    );
    topic.fact("defines endpoints", [links(TopicKind::Endpoint, endpoints)]);
    let mut heard: Vec<(&str, Item)> = Vec::new();
    for dispatcher in &parts.dispatchers {
        for message in dispatcher.messages {
            let by = vec![
                link(TopicKind::Message, message.name),
                text(" by "),
                code(dispatcher.handler),
                text(format!(", {}", how(dispatcher))),
            ];
            heard.push((message.name, by));
        }
    }
    heard.sort_by_key(|(name, _)| *name);
    topic.fact("listens to", heard.into_iter().map(|(_, item)| item));
    topic.fact("components", [links(TopicKind::Component, own_components)]);
    topic
}

/// Groups of options of which one must be set.
fn conditions(condition: Condition) -> Vec<Vec<String>> {
    let group = |group: &&[OptionDescriptor]| group.iter().map(shown_key).collect();
    condition.iter().map(group).collect()
}

fn one_of(group: Vec<String>) -> Item {
    let mut item = Item::new();
    for key in group {
        if !item.is_empty() {
            item.push(text(" or "));
        }
        item.push(link(TopicKind::Option, &key));
    }
    item.push(text(" is set"));
    item
}

/// On which thread a handler runs, and when.
pub(super) fn how(dispatcher: &DispatcherDescriptor) -> String {
    let kind = format!("{:?}", dispatcher.kind).to_lowercase();
    match dispatcher.priority {
        0 => kind,
        priority => format!("{kind}, priority {priority}"),
    }
}

fn needs(requirements: &[Requirement]) -> impl Iterator<Item = Item> {
    requirements.iter().map(|requirement| {
        let mut item = vec![code(short((requirement.type_name)()))];
        if !requirement.can.is_empty() {
            item.push(text(" that can "));
            item.extend(words(requirement.can));
        }
        if let Some(scope) = requirement.scope {
            item.extend([text(" in the scope "), code(scope)]);
        }
        item
    })
}

pub(super) fn link(kind: TopicKind, name: &str) -> Span {
    Span::Topic(kind, name.to_owned())
}

pub(super) fn links<'a>(kind: TopicKind, names: impl IntoIterator<Item = &'a str>) -> Item {
    listed(names.into_iter().map(|name| link(kind, name)))
}

pub(super) fn words<T: AsRef<str>>(words: impl IntoIterator<Item = T>) -> Item {
    listed(words.into_iter().map(|word| code(word.as_ref())))
}
