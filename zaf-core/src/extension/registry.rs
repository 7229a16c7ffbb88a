//! All extensions of an application, sorted and checked.

use std::any::TypeId;
use std::collections::{BTreeMap, BTreeSet};

use super::error::LoadError;
use super::options::Place;
use super::{
    Condition, DispatcherDescriptor, DispatcherSet, Extends, ExtensionDescriptor, ExtensionEntry,
    ExtensionKind, RaisedPriorities,
};
use crate::command::{CommandDescriptor, is_extended_by};
use crate::config::{ConfigOption, is_entity_name};
use crate::message::MessageBus;
use crate::private::{ZAF_DISPATCHERS, ZAF_EXTENSIONS};

/// Last load order before options are known.
pub(super) const FIRST_BAND_END: u16 = 10;

/// Load orders up to this one are always loaded.
const ALWAYS_LOADED: u16 = 20;

/// Load order of command extensions: the last.
const COMMAND_LOAD_ORDER: u16 = 1000;

impl ExtensionDescriptor {
    /// Its load order; 1000 for command extensions.
    pub const fn load_order(&self) -> u16 {
        match self.kind {
            ExtensionKind::Framework { load_order, .. } => load_order,
            ExtensionKind::Command { .. } => COMMAND_LOAD_ORDER,
        }
    }

    /// Whether it is a framework extension.
    pub const fn is_framework(&self) -> bool {
        matches!(self.kind, ExtensionKind::Framework { .. })
    }

    /// Whether nobody can disable or replace it: framework extensions with a load order up to 20.
    pub const fn is_always_loaded(&self) -> bool {
        self.is_framework() && self.load_order() <= ALWAYS_LOADED
    }

    /// The commands it adds; empty for command extensions.
    pub const fn commands(&self) -> &'static [&'static CommandDescriptor] {
        match self.kind {
            ExtensionKind::Framework { commands, .. } => commands,
            ExtensionKind::Command { .. } => &[],
        }
    }

    /// Whether it is a command extension that extends `command`.
    pub fn extends(&self, command: &CommandDescriptor) -> bool {
        let ExtensionKind::Command { extends } = self.kind else {
            return false;
        };
        let mut commands = Vec::new();
        let mut capabilities = Vec::new();
        for entry in extends {
            match entry {
                Extends::Command(command) => commands.push(*command),
                Extends::Capability(word) => capabilities.push(*word),
            }
        }
        is_extended_by(command, &commands, &capabilities)
    }

    /// The option that it has an instance for each entity of, if any.
    pub fn instance_option(&self) -> Option<&'static ConfigOption> {
        self.config_options
            .iter()
            .find(|option| option.instantiate_on)
    }

    /// Where it is declared.
    pub fn place(&self) -> Place {
        Place::of(self)
    }
}

/// An extension with its dispatchers.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RegisteredExtension {
    /// The extension.
    pub descriptor: ExtensionDescriptor,
    /// Its dispatchers, by file and line.
    pub dispatchers: Vec<DispatcherSet>,
    /// Priorities of dispatchers that `plugins.<type>.order` raises.
    pub priorities: RaisedPriorities,
}

impl RegisteredExtension {
    pub(super) fn of_entry(entry: &ExtensionEntry) -> Self {
        Self {
            descriptor: entry.descriptor,
            dispatchers: entry.dispatchers.clone(),
            priorities: entry.priorities.clone(),
        }
    }

    /// Defines the extension's endpoints and messages.
    ///
    /// # Errors
    /// [`LoadError::Define`] with what the bus says.
    pub fn define(&self, bus: &MessageBus) -> Result<(), LoadError> {
        for (endpoint, messages) in self.descriptor.endpoints_and_messages {
            bus.define(*endpoint, messages)
                .map_err(|error| LoadError::Define {
                    extension: self.descriptor.name,
                    place: self.descriptor.place().to_string(),
                    endpoint: endpoint.name(),
                    cause: error.into(),
                })?;
        }
        Ok(())
    }
}

/// All extensions of an application, sorted by (load order, name, crate, file, line), and what is wrong with them.
///
/// An extension with a problem of its own is left out, so that the others can be asked what they know (for example for help).
#[derive(Debug, Default)]
pub struct ExtensionRegistry {
    extensions: Vec<RegisteredExtension>,
    problems: Vec<LoadError>,
}

impl ExtensionRegistry {
    /// A registry of exactly these extensions and dispatchers, in any order.
    pub fn new(
        extensions: impl IntoIterator<Item = ExtensionDescriptor>,
        dispatchers: impl IntoIterator<Item = DispatcherSet>,
    ) -> Self {
        let mut sorted: Vec<_> = extensions.into_iter().collect();
        sorted.sort_by_key(|extension| (extension.load_order(), extension.name, extension.place()));
        let mut sets: Vec<_> = dispatchers.into_iter().collect();
        sets.sort_by_key(|set| (set.file, set.line));

        let mut problems = Vec::new();
        let mut seen: BTreeMap<(&str, bool, TypeId), Place> = BTreeMap::new();
        let mut registered = Vec::new();
        let mut types = BTreeSet::new();
        let mut sets_of: BTreeMap<TypeId, Vec<DispatcherSet>> = BTreeMap::new();
        for set in &sets {
            sets_of.entry((set.type_id)()).or_default().push(*set);
        }
        for descriptor in sorted {
            let type_id = (descriptor.type_id)();
            types.insert(type_id);
            let identity = (descriptor.name, descriptor.is_framework(), type_id);
            if let Some(first) = seen.get(&identity) {
                problems.push(LoadError::Duplicate {
                    extension: descriptor.name,
                    places: [first.to_string(), descriptor.place().to_string()],
                });
                continue;
            }
            seen.insert(identity, descriptor.place());
            let own = sets_of.get(&type_id).cloned().unwrap_or_default();
            let own_problems = check(&descriptor, &own);
            if own_problems.is_empty() {
                registered.push(RegisteredExtension {
                    descriptor,
                    dispatchers: own,
                    priorities: RaisedPriorities::default(),
                });
            }
            problems.extend(own_problems);
        }
        problems.extend(
            sets.iter()
                .filter(|set| !types.contains(&(set.type_id)()))
                .map(|set| LoadError::StrayDispatchers {
                    place: format!("{}:{}", set.file, set.line),
                }),
        );
        Self {
            extensions: registered,
            problems,
        }
    }

    /// The extensions of all crates that are linked into this program.
    pub fn linked() -> Self {
        Self::new(
            ZAF_EXTENSIONS.iter().copied(),
            ZAF_DISPATCHERS.iter().copied(),
        )
    }

    /// The extensions of one Rust type that are linked into this program, with their dispatchers: one for each attribute on the
    /// type, sorted as ever.
    pub fn linked_type(type_id: TypeId) -> Self {
        Self::new(
            ZAF_EXTENSIONS
                .iter()
                .filter(|extension| (extension.type_id)() == type_id)
                .copied(),
            ZAF_DISPATCHERS
                .iter()
                .filter(|set| (set.type_id)() == type_id)
                .copied(),
        )
    }

    /// The extensions, sorted by (load order, name, crate, file, line).
    pub fn extensions(&self) -> &[RegisteredExtension] {
        &self.extensions
    }

    /// What is wrong with extensions that were left out, in the same order; then dispatchers that belong to none.
    pub fn problems(&self) -> &[LoadError] {
        &self.problems
    }

    pub(super) fn into_parts(self) -> (Vec<RegisteredExtension>, Vec<LoadError>) {
        (self.extensions, self.problems)
    }
}

/// What is wrong with one extension, looked at alone.
pub(super) fn check(
    descriptor: &ExtensionDescriptor,
    dispatchers: &[DispatcherSet],
) -> Vec<LoadError> {
    let extension = descriptor.name;
    let place = || descriptor.place().to_string();
    let mut problems = Vec::new();
    if !is_entity_name(extension) || matches!(extension, "all" | "default") {
        problems.push(LoadError::Name {
            extension,
            place: place(),
        });
    }
    if !(1..=COMMAND_LOAD_ORDER).contains(&descriptor.load_order()) {
        problems.push(LoadError::LoadOrder {
            extension,
            place: place(),
            load_order: descriptor.load_order(),
        });
    }
    for group in descriptor.groups {
        if !is_entity_name(group) || *group == "all" {
            problems.push(LoadError::GroupName {
                extension,
                place: place(),
                group,
            });
        }
    }
    if matches!(descriptor.kind, ExtensionKind::Command { extends: [] }) {
        problems.push(LoadError::ExtendsNothing {
            extension,
            place: place(),
        });
    }
    let mut instance_options = descriptor
        .config_options
        .iter()
        .filter(|option| option.instantiate_on)
        .map(|option| option.option);
    if let Some(first) = instance_options.next() {
        if !first.is_entity {
            problems.push(LoadError::NoEntityOption {
                extension,
                place: place(),
                key: first.key,
            });
        }
        if let Some(second) = instance_options.next() {
            problems.push(LoadError::SeveralInstanceOptions {
                extension,
                place: place(),
                keys: [first.key, second.key],
            });
        }
    }
    for (list, condition) in [
        ("activate_on", descriptor.activate_on),
        ("deactivate_on", descriptor.deactivate_on),
    ] {
        for key in not_requested(descriptor, condition) {
            problems.push(LoadError::ConditionNotRequested {
                extension,
                place: place(),
                list,
                key,
            });
        }
    }
    for set in dispatchers {
        for dispatcher in set.dispatchers {
            problems.extend(check_dispatcher(descriptor, set, dispatcher));
        }
    }
    problems
}

fn not_requested(descriptor: &ExtensionDescriptor, condition: Condition) -> Vec<&'static str> {
    condition
        .iter()
        .flat_map(|group| group.iter())
        .filter(|option| {
            !descriptor
                .config_options
                .iter()
                .any(|requested| requested.option == **option)
        })
        .map(|option| option.key)
        .collect()
}

fn check_dispatcher(
    descriptor: &ExtensionDescriptor,
    set: &DispatcherSet,
    dispatcher: &DispatcherDescriptor,
) -> Vec<LoadError> {
    let mut problems = Vec::new();
    let extension = descriptor.name;
    let place = || format!("{}:{}", set.file, dispatcher.line);
    if let Some(wanted) = dispatcher.entity_option {
        let own = descriptor.instance_option();
        if own.is_none_or(|own| own.option != wanted) {
            problems.push(LoadError::DispatcherEntity {
                extension,
                place: place(),
                handler: dispatcher.handler,
                key: wanted.key,
                expected: own.map_or_else(
                    || "that option among `config_options`, as `.instantiate_on()`".to_owned(),
                    |own| {
                        format!(
                            "`{}`, which the extension has instances for",
                            own.option.key
                        )
                    },
                ),
            });
        }
    }
    if dispatcher.workers == Some(0) {
        problems.push(LoadError::NoWorkers {
            extension,
            place: place(),
            handler: dispatcher.handler,
        });
    }
    problems
}
