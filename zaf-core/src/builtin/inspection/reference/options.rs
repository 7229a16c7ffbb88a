//! Options, and who asks for them.

use std::collections::{BTreeMap, BTreeSet};

use super::collect::{Commands, Parts, link, words};
use super::topic::{Item, Span, Topic, TopicKind, code, listed, only, text};
use crate::command::ApplicationInfo;
use crate::config::{
    ConfigOption, Kind, OptionDescriptor, Value, environment_name, flag_name, shown_key,
};
use crate::extension::{ALL_EXTENSIONS, Catalog, Requester, SELECTED_COMMAND};

/// An option and who asks for it, in words.
pub(super) struct Asked {
    option: OptionDescriptor,
    required: bool,
    by: BTreeSet<(TopicKind, String)>,
    by_application: bool,
}

/// Options by what they are called.
pub(super) fn options(
    catalog: &Catalog,
    extensions: &BTreeMap<&'static str, Parts<'_>>,
    commands: &Commands,
) -> BTreeMap<String, Asked> {
    let mut options: BTreeMap<String, Asked> = BTreeMap::new();
    let mut add = |option: &ConfigOption, by: Option<(TopicKind, String)>| {
        let descriptor = option.option;
        // What only the loader sets is no option for anybody else.
        if [SELECTED_COMMAND.key(), ALL_EXTENSIONS.key()].contains(&descriptor.key) {
            return;
        }
        let asked = options.entry(shown_key(&descriptor)).or_insert(Asked {
            option: descriptor,
            required: false,
            by: BTreeSet::new(),
            by_application: false,
        });
        asked.required |= option.required && !option.instantiate_on;
        match by {
            Some(by) => {
                asked.by.insert(by);
            }
            None => asked.by_application = true,
        }
    };
    for (name, parts) in extensions {
        for option in parts.descriptors.iter().flat_map(|one| one.config_options) {
            add(option, Some((TopicKind::Extension, (*name).to_owned())));
        }
    }
    for (path, (_, command)) in commands {
        for option in command.config_options {
            add(option, Some((TopicKind::Command, path.clone())));
        }
    }
    for entry in catalog.options() {
        let mut by = entry.requested_by.iter();
        if by.any(|one| matches!(one, Requester::Application)) {
            let option = ConfigOption {
                option: entry.option,
                required: false,
                instantiate_on: false,
            };
            add(&option, None);
        }
    }
    options
}

pub(super) fn of_option(asked: &Asked, application: &ApplicationInfo) -> Topic {
    let option = &asked.option;
    let mut topic = Topic::new(TopicKind::Option, shown_key(option), option.description);
    let mut kind = match option.kind {
        Kind::Choice(_) => "choice".to_owned(),
        plain => format!("{plain:?}").to_lowercase(),
    };
    if option.multiple {
        kind.push_str(", several values");
    }
    if option.is_entity {
        kind.push_str(", names of entities");
    }
    topic.fact("type", [only(text(kind))]);
    if let Kind::Choice(choices) = option.kind {
        topic.fact("one of", [words(choices)]);
    }
    let default = option.default.map(|default| Value::from(default).plain());
    let is_required = asked.required && default.is_none();
    topic.fact("default", default.map(|default| only(code(default))));
    if is_required {
        topic.fact("required", [only(text("yes"))]);
    }
    if let Some(at) = option.at {
        let span = if at.key == ALL_EXTENSIONS.key() {
            text("the name of an extension")
        } else {
            link(TopicKind::Option, &shown_key(at))
        };
        topic.fact("a value for each of", [only(span)]);
    }
    let flag = flag_name(option, None);
    let mut typed = Item::new();
    if option.argument {
        let last = option.key.rsplit(['.', '-', '_']).next();
        typed.extend([
            code(last.unwrap_or(option.key).to_uppercase()),
            text(", an argument of its command"),
        ]);
    } else {
        typed.push(code(format!("--{flag}")));
        if let Some(letter) = option.short {
            typed.extend([text(", "), code(format!("-{letter}"))]);
        }
        if option.kind == Kind::Flag {
            typed.extend([text(", "), code(format!("--no-{flag}"))]);
        }
    }
    topic.fact("command line", [typed]);
    let variable = environment_name(&application.environment_prefix, option, None);
    topic.fact("environment", [only(code(variable))]);
    topic.fact("files", [only(code(shown_key(option)))]);
    if option.hidden {
        topic.fact("listed", [only(text("in the full help only"))]);
    }
    let mut by: Vec<Span> = Vec::new();
    if asked.by_application {
        by.push(text("the application"));
    }
    by.extend(asked.by.iter().map(|(kind, name)| link(*kind, name)));
    topic.fact("asked for by", [listed(by)]);
    topic
}
