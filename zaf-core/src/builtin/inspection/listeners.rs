//! Who listens to a message: the declared dispatchers of the extensions that take part, and what else is registered now.

use std::collections::BTreeSet;

use serde::Serialize;

use super::Inspection;
use super::participation::{Participation, State};
use crate::extension::{DispatcherDescriptor, DispatcherSet, ExtensionEntry};
use crate::message::{EndpointId, Listening, MessageBus};

/// A dispatcher that listens.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Listener {
    /// Name of the extension that declares it; none if it was registered at run time.
    pub(super) extension: Option<&'static str>,
    /// Name of the function; of the dispatcher or queue if it was registered at run time.
    pub(super) handler: String,
    /// On which thread it runs: `callback`, `sequential`, `threadpool` or `concurrent`.
    pub(super) kind: String,
    /// Higher is served first.
    pub(super) priority: i32,
    /// Where it listens; empty: wherever the message is defined.
    pub(super) endpoints: Vec<&'static str>,
    /// Key of the option whose entities it listens for, each instance for its own; none: for all.
    pub(super) entity_option: Option<&'static str>,
    /// Whether it does without a message that nobody defines.
    pub(super) optional: bool,
    /// Whether it may take as long as it likes.
    pub(super) long_running: bool,
    /// State of the extension.
    pub(super) state: State,
    /// Why the extension does not take part; none if it does.
    pub(super) reason: Option<String>,
    pub(super) file: Option<&'static str>,
    pub(super) line: Option<u32>,
}

/// All declared dispatchers of the extensions that take part, with their priorities, in the order of their registration.
pub(super) fn dispatchers(
    inspection: &Inspection,
) -> impl Iterator<
    Item = (
        &ExtensionEntry,
        &DispatcherSet,
        &'static DispatcherDescriptor,
        i32,
    ),
> {
    inspection.taking_part().flat_map(|entry| {
        let sets = entry.dispatchers.iter().enumerate();
        sets.flat_map(move |(number, set)| {
            let dispatchers = set.dispatchers.iter().enumerate();
            dispatchers.map(move |(index, one)| {
                let priority = entry.priorities.of(number, index, one);
                (entry, set, one, priority)
            })
        })
    })
}

/// Those who listen to the message of this name, in the order in which they get it. With a target, only those that are active.
pub(super) fn listeners(
    inspection: &Inspection,
    message: &str,
    at_run_time: &[Listening],
) -> Vec<Listener> {
    let mut found: Vec<Listener> = dispatchers(inspection)
        .filter(|(_, _, one, _)| one.messages.iter().any(|other| other.name == message))
        .map(|(entry, set, one, priority)| {
            let Participation { state, reason } = inspection.participation(entry);
            Listener {
                extension: Some(entry.descriptor.name),
                handler: one.handler.to_owned(),
                kind: format!("{:?}", one.kind).to_lowercase(),
                priority,
                endpoints: one.endpoints.iter().map(EndpointId::name).collect(),
                entity_option: one.entity_option.map(|option| option.key),
                optional: one.optional,
                long_running: one.long_running,
                state,
                reason,
                file: Some(set.file),
                line: Some(one.line),
            }
        })
        .filter(|listener| inspection.target.is_none() || listener.state == State::Active)
        .collect();
    for one in at_run_time.iter().filter(|one| one.message == message) {
        let known = found
            .iter_mut()
            .find(|known| known.extension.is_none() && *known.handler == *one.name);
        match known {
            Some(known) => known.endpoints.push(one.endpoint),
            None => found.push(Listener::at_run_time(one)),
        }
    }
    // Stable: of equal priorities the one registered first.
    found.sort_by_key(|listener| std::cmp::Reverse(listener.priority));
    found
}

/// Dispatchers and queues that are registered now and that nobody declared: of the application, and of framework extensions, which
/// run whatever the command is.
pub(super) fn at_run_time(inspection: &Inspection, bus: &MessageBus) -> Vec<Listening> {
    let declared: BTreeSet<String> = inspection
        .catalog
        .extensions()
        .iter()
        .flat_map(|entry| {
            let sets = entry.dispatchers.iter();
            let dispatchers = sets.flat_map(|set| set.dispatchers);
            dispatchers.map(|one| format!("{}.{}", entry.descriptor.name, one.handler))
        })
        .collect();
    // An instance for an entity has it in brackets: `name[entity].handler`.
    let without_entity = |name: &str| match (name.find('['), name.find("].")) {
        (Some(from), Some(to)) if from < to => format!("{}{}", &name[..from], &name[to + 1..]),
        _ => name.to_owned(),
    };
    let mut listening = bus.listeners();
    listening.retain(|one| !declared.contains(&without_entity(&one.name)));
    listening
}

impl Listener {
    fn at_run_time(one: &Listening) -> Self {
        Self {
            extension: None,
            handler: one.name.to_string(),
            kind: format!("{:?}", one.kind).to_lowercase(),
            priority: one.priority,
            endpoints: vec![one.endpoint],
            entity_option: None,
            optional: false,
            long_running: false,
            state: State::Active,
            reason: None,
            file: None,
            line: None,
        }
    }

    /// Extension and handler, how it is called, and what is special about it.
    pub(super) fn words(&self) -> String {
        let name = match self.extension {
            Some(extension) => format!("{extension}.{}", self.handler),
            None => format!("{} (registered at run time)", self.handler),
        };
        let priority = match self.priority {
            i32::MAX => "before all others".to_owned(),
            i32::MIN => "after all others".to_owned(),
            priority => format!("priority {priority}"),
        };
        let mut words = format!("{name}, {}, {priority}", self.kind);
        if !self.endpoints.is_empty() {
            words.extend([", at ", &self.endpoints.join(" and ")]);
        }
        if let Some(key) = self.entity_option {
            words.extend([", each for its entity of ", key]);
        }
        if let Some(reason) = &self.reason {
            words.extend([" (", self.state.word(), ": ", reason, ")"]);
        }
        words
    }
}
