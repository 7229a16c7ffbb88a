//! Whether a description can be used: everything that is wrong with it, at once.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    Codec, Description, ExtensionKind, OptionDescription, OptionType, PayloadFormat, Threads,
};

/// The longest name of anything, in bytes.
const LONGEST_NAME: usize = 200;

impl Description {
    /// All that is wrong with it, each with the place and what would be right; empty if it can be used. `payloads_are_raw` says
    /// whether what carries the messages can carry bytes that are not JSON: a library and the binary codec can.
    pub fn problems(&self, payloads_are_raw: bool) -> Vec<String> {
        let mut problems = Problems(Vec::new());
        self.check_itself(&mut problems);
        self.check_options(&mut problems);
        self.check_endpoints(&mut problems);
        self.check_dispatchers(
            payloads_are_raw || self.codec == Codec::Binary,
            &mut problems,
        );
        problems.0
    }

    fn check_itself(&self, problems: &mut Problems) {
        problems.name(
            "name",
            &self.name,
            is_extension_name,
            "letters, digits, `-` and `_`, a letter first",
        );
        if self.version.trim().is_empty() {
            problems.add("version", "is empty".to_owned());
        }
        if self.description.trim().is_empty() {
            problems.add(
                "description",
                "is empty; say in one line what the plugin does".to_owned(),
            );
        }
        match &self.kind {
            ExtensionKind::Framework { load_order } if !(11..=1000).contains(load_order) => {
                let text = format!(
                    "{load_order} is not 11 to 1000; plugins are found after load order 10"
                );
                problems.add("kind.framework.load_order", text);
            }
            ExtensionKind::Framework { .. } => {}
            ExtensionKind::Command { extends } => {
                if extends.is_empty() {
                    let text =
                        "is empty; name a command, such as \"run\", or capabilities".to_owned();
                    problems.add("kind.command.extends", text);
                }
                problems.names("kind.command.extends", extends);
            }
        }
        problems.names("groups", &self.groups);
        problems.names("replaces", &self.replaces);
        if self.replaces.contains(&self.name) {
            problems.add("replaces", format!("`{}` cannot replace itself", self.name));
        }
        for (field, condition) in [
            ("activate_on", &self.activate_on),
            ("deactivate_on", &self.deactivate_on),
        ] {
            for (index, group) in condition.iter().enumerate() {
                let place = format!("{field}[{index}]");
                if group.is_empty() {
                    problems.add(&place, "is empty and could never hold".to_owned());
                }
                for key in group.iter().filter(|key| !self.asks_for(key)) {
                    let text = format!("names `{key}`, which is not among `options`");
                    problems.add(&place, text);
                }
            }
        }
    }

    fn asks_for(&self, key: &str) -> bool {
        self.options.iter().any(|option| option.name == key)
    }

    fn check_options(&self, problems: &mut Problems) {
        let mut seen = BTreeSet::new();
        for (index, option) in self.options.iter().enumerate() {
            let place = format!("options[{index}]");
            problems.name(
                &format!("{place}.name"),
                &option.name,
                is_key,
                "words of a-z, 0-9 and `-` with dots between them",
            );
            if !seen.insert(&option.name) {
                problems.add(&place, format!("`{}` is there twice", option.name));
            }
            check_type(option, &place, problems);
            if let Some(at) = option.at.as_ref().filter(|at| !self.asks_for(at)) {
                problems.add(
                    &place,
                    format!("`at` names `{at}`, which is not among `options`"),
                );
            }
        }
        let instantiating = self.options.iter().filter(|option| option.instantiate_on);
        if instantiating.count() > 1 {
            let text = "more than one has `instantiate_on`; a plugin is instantiated on one option"
                .to_owned();
            problems.add("options", text);
        }
    }

    fn check_endpoints(&self, problems: &mut Problems) {
        let mut endpoints = BTreeSet::new();
        for (index, endpoint) in self.endpoints.iter().enumerate() {
            let place = format!("endpoints[{index}]");
            problems.name(&format!("{place}.name"), &endpoint.name, is_name, PRINTABLE);
            if !endpoints.insert(&endpoint.name) {
                problems.add(&place, format!("`{}` is there twice", endpoint.name));
            }
            if endpoint.messages.is_empty() {
                problems.add(&format!("{place}.messages"), "is empty".to_owned());
            }
            let mut messages = BTreeSet::new();
            for (index, message) in endpoint.messages.iter().enumerate() {
                let place = format!("{place}.messages[{index}]");
                problems.name(&format!("{place}.name"), &message.name, is_name, PRINTABLE);
                if !messages.insert(&message.name) {
                    problems.add(&place, format!("`{}` is there twice", message.name));
                }
            }
        }
        // A message is the same wherever it is defined.
        let all = self
            .endpoints
            .iter()
            .flat_map(|endpoint| &endpoint.messages);
        let kinds: BTreeSet<_> = all
            .map(|message| (&message.name, message.kind.word()))
            .collect();
        let mut previous = None;
        for (name, _) in kinds {
            if previous == Some(name) {
                problems.add(
                    "endpoints",
                    format!("`{name}` is an event at one and a request at another"),
                );
            }
            previous = Some(name);
        }
    }

    fn check_dispatchers(&self, payloads_are_raw: bool, problems: &mut Problems) {
        let instantiated = self.options.iter().any(|option| option.instantiate_on);
        let mut seen = BTreeSet::new();
        for (index, dispatcher) in self.dispatchers.iter().enumerate() {
            let place = format!("dispatchers[{index}]");
            problems.name(
                &format!("{place}.name"),
                &dispatcher.name,
                is_name,
                PRINTABLE,
            );
            if !seen.insert(&dispatcher.name) {
                problems.add(&place, format!("`{}` is there twice", dispatcher.name));
            }
            if dispatcher.messages.is_empty() {
                problems.add(&format!("{place}.messages"), "is empty".to_owned());
            }
            problems.names(&format!("{place}.messages"), &dispatcher.messages);
            problems.names(&format!("{place}.endpoints"), &dispatcher.endpoints);
            if dispatcher.format == PayloadFormat::Postcard && !payloads_are_raw {
                let text = "is \"postcard\", which needs \"codec\": \"binary\"".to_owned();
                problems.add(&format!("{place}.format"), text);
            }
            if dispatcher.entity && !instantiated {
                let text = "is true, but no option has `instantiate_on`".to_owned();
                problems.add(&format!("{place}.entity"), text);
            }
            let several = matches!(
                dispatcher.threads,
                Threads::Threadpool | Threads::Concurrent
            );
            if several && !self.concurrent {
                let text = format!(
                    "is {:?}, which gives several messages at a time, but the plugin does not say \"concurrent\": true",
                    dispatcher.threads.word()
                );
                problems.add(&format!("{place}.threads"), text);
            }
        }
        for name in self.samples.keys() {
            let listens =
                |dispatcher: &super::DispatcherDescription| dispatcher.messages.contains(name);
            if !self.dispatchers.iter().any(listens) {
                problems.add(
                    "samples",
                    format!("has one for `{name}`, to which no dispatcher listens"),
                );
            }
        }
    }
}

impl super::Kind {
    /// Word for it in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Request => "request",
        }
    }
}

impl Threads {
    /// Word for it in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Callback => "callback",
            Self::Sequential => "sequential",
            Self::Threadpool => "threadpool",
            Self::Concurrent => "concurrent",
        }
    }
}

fn check_type(option: &OptionDescription, place: &str, problems: &mut Problems) {
    let Some(ty) = option.ty else {
        // Declared elsewhere, with all of this.
        if option.default.is_some()
            || option.multiple
            || !option.choices.is_empty()
            || option.short.is_some()
        {
            let text = format!(
                "`{}` has no `type`; an option that another extension declares is named only",
                option.name
            );
            problems.add(place, text);
        }
        return;
    };
    if option.description.trim().is_empty() {
        problems.add(place, format!("`{}` has no `description`", option.name));
    }
    match (ty, option.choices.is_empty()) {
        (OptionType::Choice, true) => {
            problems.add(
                place,
                format!("`{}` is a choice and needs `choices`", option.name),
            );
        }
        (OptionType::Choice, false) => problems.names(&format!("{place}.choices"), &option.choices),
        (_, false) => {
            problems.add(
                place,
                format!(
                    "`{}` has `choices` and is not of type \"choice\"",
                    option.name
                ),
            );
        }
        (_, true) => {}
    }
    if option.instantiate_on && ty != OptionType::Entity {
        problems.add(
            place,
            format!(
                "`{}` has `instantiate_on` and is not of type \"entity\"",
                option.name
            ),
        );
    }
    if option
        .short
        .is_some_and(|letter| !letter.is_ascii_alphanumeric())
    {
        problems.add(
            place,
            format!("the `short` of `{}` is not a letter or digit", option.name),
        );
    }
    let Some(default) = &option.default else {
        return;
    };
    if ty == OptionType::Secret {
        problems.add(
            place,
            format!("`{}` is secret and cannot have a default", option.name),
        );
        return;
    }
    if option.multiple {
        let text = format!(
            "`{}` takes several values and cannot have a default",
            option.name
        );
        problems.add(place, text);
    } else if !fits(ty, default, &option.choices) {
        let text = format!(
            "the default of `{}` is {default}, which is not {}",
            option.name,
            expected(ty)
        );
        problems.add(place, text);
    }
}

/// Whether JSON can be the value of an option; what a text means is left to the configuration.
fn fits(ty: OptionType, value: &Value, choices: &[String]) -> bool {
    match ty {
        OptionType::Integer => value.is_i64(),
        OptionType::Count => value.is_u64(),
        OptionType::Float => value.is_number(),
        OptionType::Flag => value.is_boolean(),
        OptionType::Size => value.is_u64() || value.is_string(),
        OptionType::Choice => value
            .as_str()
            .is_some_and(|word| choices.iter().any(|choice| choice == word)),
        OptionType::Text
        | OptionType::Duration
        | OptionType::Path
        | OptionType::Glob
        | OptionType::Entity
        | OptionType::Secret => value.is_string(),
    }
}

fn expected(ty: OptionType) -> &'static str {
    match ty {
        OptionType::Integer => "a whole number",
        OptionType::Count => "a whole number from 0",
        OptionType::Float => "a number",
        OptionType::Flag => "`true` or `false`",
        OptionType::Duration => "a text such as \"5s\"",
        OptionType::Size => "a number of bytes or a text such as \"10 MB\"",
        OptionType::Choice => "one of its choices",
        OptionType::Text
        | OptionType::Path
        | OptionType::Glob
        | OptionType::Entity
        | OptionType::Secret => "a text",
    }
}

const PRINTABLE: &str = "letters, digits, `-`, `_` and `.`";

fn is_name(name: &str) -> bool {
    name.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

fn is_extension_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

fn is_key(key: &str) -> bool {
    key.split('.').all(|word| {
        !word.is_empty()
            && word
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    })
}

struct Problems(Vec<String>);

impl Problems {
    fn add(&mut self, place: &str, mut text: String) {
        text.insert_str(0, &format!("`{place}`: "));
        self.0.push(text);
    }

    fn name(&mut self, place: &str, name: &str, is_right: fn(&str) -> bool, expected: &str) {
        if name.is_empty() {
            self.add(place, "is empty".to_owned());
        } else if name.len() > LONGEST_NAME {
            self.add(
                place,
                format!(
                    "has {} bytes, at most {LONGEST_NAME} are allowed",
                    name.len()
                ),
            );
        } else if !is_right(name) {
            self.add(place, format!("{name:?} is not made of {expected}"));
        }
    }

    fn names(&mut self, place: &str, names: &[String]) {
        for (index, name) in names.iter().enumerate() {
            self.name(&format!("{place}[{index}]"), name, is_name, PRINTABLE);
        }
    }
}
