//! Who listens to a message: the declared dispatchers of the extensions that take part.

use serde::Serialize;

use super::Inspection;
use super::participation::{Participation, State};
use crate::extension::{DispatcherDescriptor, DispatcherSet, ExtensionEntry};
use crate::message::EndpointId;

/// A dispatcher that listens.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Listener {
    pub(super) extension: &'static str,
    pub(super) handler: &'static str,
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
    pub(super) file: &'static str,
    pub(super) line: u32,
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
pub(super) fn listeners(inspection: &Inspection, message: &str) -> Vec<Listener> {
    let mut found: Vec<Listener> = dispatchers(inspection)
        .filter(|(_, _, one, _)| one.messages.iter().any(|other| other.name == message))
        .map(|(entry, set, one, priority)| {
            let Participation { state, reason } = inspection.participation(entry);
            Listener {
                extension: entry.descriptor.name,
                handler: one.handler,
                kind: format!("{:?}", one.kind).to_lowercase(),
                priority,
                endpoints: one.endpoints.iter().map(EndpointId::name).collect(),
                entity_option: one.entity_option.map(|option| option.key),
                optional: one.optional,
                long_running: one.long_running,
                state,
                reason,
                file: set.file,
                line: one.line,
            }
        })
        .filter(|listener| inspection.target.is_none() || listener.state == State::Active)
        .collect();
    // Stable: of equal priorities the one registered first.
    found.sort_by_key(|listener| std::cmp::Reverse(listener.priority));
    found
}

impl Listener {
    /// Extension and handler, how it is called, and what is special about it.
    pub(super) fn words(&self) -> String {
        let mut words = format!(
            "{}.{}, {}, priority {}",
            self.extension, self.handler, self.kind, self.priority
        );
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
