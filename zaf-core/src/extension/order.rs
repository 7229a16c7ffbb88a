//! Which of several extensions comes first: `plugins.<type>.order`. Pure, but for reading the lists.
//!
//! Extensions are loaded by (load order, name). A list changes that for the extensions of its type: those that it names come
//! first, as it names them; the others follow as ever. It cannot move an extension past its load order, which says what the
//! extension may rely on.
//!
//! Who is loaded first gets messages first, but for priorities of handlers: an extension that a list puts first is raised to the
//! highest priority that extensions of its type after it have for the same message, and no higher.

use std::collections::{BTreeMap, BTreeSet};

use super::core_options::order_of;
use super::error::LoadError;
use super::{DispatcherDescriptor, DispatcherSet, ExtensionDescriptor, PluginType};
use crate::config::{ConfigOption, ConfigStore, Key, Outcome, Source, nearest};

/// What one list says.
#[derive(Debug, Clone)]
pub(super) struct OrderList {
    plugin_type: PluginType,
    names: Vec<String>,
    /// Key and place of the list.
    by: String,
}

/// Priorities of dispatchers that are higher than declared, by index of the set and index in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RaisedPriorities(BTreeMap<(usize, usize), i32>);

impl RaisedPriorities {
    /// The priority of a dispatcher: `set` and `index` are those in [`RegisteredExtension`](super::RegisteredExtension).
    pub fn of(&self, set: usize, index: usize, descriptor: &DispatcherDescriptor) -> i32 {
        let raised = self.0.get(&(set, index));
        raised.copied().unwrap_or(descriptor.priority)
    }
}

/// The options that lists are read from: one for each type that there is.
pub(super) fn options<'a>(
    extensions: impl IntoIterator<Item = &'a ExtensionDescriptor>,
) -> Vec<ConfigOption> {
    let types: BTreeSet<PluginType> = extensions.into_iter().flat_map(PluginType::of).collect();
    types.iter().map(|one| order_of(one).optional()).collect()
}

/// The lists that are not empty, by type, and what cannot be read.
pub(super) fn lists<'a>(
    extensions: impl IntoIterator<Item = &'a ExtensionDescriptor>,
    store: &ConfigStore,
) -> (Vec<OrderList>, Vec<LoadError>) {
    let types: BTreeSet<PluginType> = extensions.into_iter().flat_map(PluginType::of).collect();
    let mut lists = Vec::new();
    let mut problems = Vec::new();
    for plugin_type in types {
        let option = order_of(&plugin_type);
        let key = Key::of(&option.descriptor(), None);
        if store.explain(&key).is_empty() {
            continue;
        }
        match store.get(option) {
            Ok(names) if names.is_empty() => {}
            Ok(names) => lists.push(OrderList {
                by: said_by(&key, store),
                plugin_type,
                names,
            }),
            Err(error) => problems.push(LoadError::Config {
                cause: error.into(),
            }),
        }
    }
    (lists, problems)
}

fn said_by(key: &Key, store: &ConfigStore) -> String {
    let values = store.explain(key);
    let first = values
        .iter()
        .find(|value| matches!(value.outcome, Outcome::Wins | Outcome::Adds));
    match first.map(|value| &value.source) {
        Some(source @ (Source::CommandLine { .. } | Source::Environment { .. })) => {
            source.to_string()
        }
        Some(source) => format!("{key} ({source})"),
        None => key.to_string(),
    }
}

/// Names in lists that are no extension's of the type, or whose place is fixed, or that load orders put the other way round.
pub(super) fn check(extensions: &[&ExtensionDescriptor], lists: &[OrderList]) -> Vec<LoadError> {
    let mut problems = Vec::new();
    for list in lists {
        let members = || {
            extensions
                .iter()
                .copied()
                .filter(|extension| PluginType::of(extension).contains(&list.plugin_type))
        };
        let mut add = |problem: String| {
            problems.push(LoadError::Order {
                by: list.by.clone(),
                problem,
            });
        };
        let mut latest: Option<(&str, u16)> = None;
        for name in &list.names {
            let mut orders: Vec<u16> = members()
                .filter(|extension| extension.name == name)
                .map(ExtensionDescriptor::load_order)
                .collect();
            orders.sort_unstable();
            let (Some(&first), Some(&last)) = (orders.first(), orders.last()) else {
                let near = nearest(name, members().map(|extension| extension.name));
                let hint =
                    near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
                add(format!(
                    "there is no plugin `{name}` of type `{}`{hint}",
                    list.plugin_type
                ));
                continue;
            };
            let is_fixed = |extension: &ExtensionDescriptor| extension.is_always_loaded();
            if members()
                .filter(|extension| extension.name == name)
                .all(is_fixed)
            {
                add(format!(
                    "the place of `{name}` is fixed, it is always loaded (load order up to 20)"
                ));
                continue;
            }
            if let Some((before, order)) = latest
                && order > last
            {
                add(format!(
                    "`{name}` (load order {last}) is loaded before `{before}` (load order {order})"
                ));
            }
            latest = Some((name, first));
        }
    }
    problems
}

/// The extensions, given by load order, as indices in the order in which they are loaded.
pub(super) fn arranged(extensions: &[&ExtensionDescriptor], lists: &[OrderList]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..extensions.len()).collect();
    for list in lists {
        let mut places: BTreeMap<u16, Vec<usize>> = BTreeMap::new();
        for (place, &index) in order.iter().enumerate() {
            let extension = extensions[index];
            let is_member = PluginType::of(extension).contains(&list.plugin_type);
            if is_member && !extension.is_always_loaded() {
                places
                    .entry(extension.load_order())
                    .or_default()
                    .push(place);
            }
        }
        for places in places.into_values() {
            let mut members: Vec<usize> = places.iter().map(|&place| order[place]).collect();
            // Stable: who is not named stays where it is among its like.
            members.sort_by_key(|&index| list.position(extensions[index].name));
            for (place, index) in places.into_iter().zip(members) {
                order[place] = index;
            }
        }
    }
    order
}

/// The priorities that lists raise, for each of the extensions that are loaded, which are in the order of loading.
pub(super) fn raised(
    extensions: &[(&ExtensionDescriptor, &[DispatcherSet])],
    lists: &[OrderList],
) -> Vec<RaisedPriorities> {
    let mut raised = vec![RaisedPriorities::default(); extensions.len()];
    for list in lists {
        let mut members: Vec<usize> = (0..extensions.len())
            .filter(|&index| PluginType::of(extensions[index].0).contains(&list.plugin_type))
            .collect();
        members.sort_by_key(|&index| list.position(extensions[index].0.name));
        // From the last one that is named to the first: each counts on those after it.
        for (place, &index) in members.iter().enumerate().rev() {
            if list.position(extensions[index].0.name) == usize::MAX {
                continue;
            }
            for (set, number, own) in dispatchers(extensions[index].1) {
                let highest = members[place + 1..]
                    .iter()
                    .flat_map(|&later| {
                        let priorities = &raised[later];
                        dispatchers(extensions[later].1)
                            .filter(|(_, _, other)| share_a_message(own, other))
                            .map(|(set, number, other)| priorities.of(set, number, other))
                    })
                    .max();
                if let Some(highest) = highest
                    && highest > raised[index].of(set, number, own)
                {
                    raised[index].0.insert((set, number), highest);
                }
            }
        }
    }
    raised
}

/// Dispatchers with the indices of their sets and in them.
fn dispatchers(
    sets: &[DispatcherSet],
) -> impl Iterator<Item = (usize, usize, &'static DispatcherDescriptor)> {
    sets.iter().enumerate().flat_map(|(set, descriptor)| {
        let numbered = descriptor.dispatchers.iter().enumerate();
        numbered.map(move |(number, dispatcher)| (set, number, dispatcher))
    })
}

fn share_a_message(one: &DispatcherDescriptor, other: &DispatcherDescriptor) -> bool {
    let names = |message: &crate::message::MessageDescriptor| message.name;
    let of_other: BTreeSet<&str> = other.messages.iter().map(names).collect();
    one.messages
        .iter()
        .any(|message| of_other.contains(message.name))
}

impl OrderList {
    /// Position of a name; the last of all if it is not in the list.
    fn position(&self, name: &str) -> usize {
        self.names
            .iter()
            .position(|other| other == name)
            .unwrap_or(usize::MAX)
    }
}
