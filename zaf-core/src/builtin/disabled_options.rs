//! Options and commands of extensions that are switched off or replaced: known, but without effect.

use crate::config::{ConfigStore, Key, OptionDescriptor};
use crate::extension::{Catalog, ExtensionEntry};

/// The options of everything that is not loaded, each with whose it is: `junit, which is disabled by k2.yaml:3:1`.
pub(super) fn of(catalog: &Catalog) -> impl Iterator<Item = (&'static OptionDescriptor, String)> {
    catalog
        .extensions()
        .iter()
        .filter(|entry| !entry.state.is_enabled())
        .flat_map(|entry| {
            let extension = &entry.descriptor;
            let of_commands = extension
                .commands()
                .iter()
                .flat_map(|command| command.config_options);
            extension
                .config_options
                .iter()
                .chain(of_commands)
                .map(|request| (&request.option, owner(entry)))
        })
}

fn owner(entry: &ExtensionEntry) -> String {
    format!("{}, which is {}", entry.descriptor.name, entry.state)
}

/// The store, with the options of what is not loaded declared too: their owners say why they have no effect.
pub(super) fn declared_too(catalog: &Catalog) -> ConfigStore {
    let mut store = catalog.store().clone();
    for (option, owner) in of(catalog) {
        if store.lookup(&Key::of(option, None)).is_some() {
            // Somebody who is loaded has it too.
            continue;
        }
        // An option that contradicts those of enabled extensions is nobody's problem while it is off.
        drop(store.define(option, &owner));
    }
    store
}

/// Whose option a key is that nobody who is loaded knows: `extension junit, which is disabled by k2.yaml:3:1`.
pub(super) fn owner_of(catalog: &Catalog, key: &Key) -> Option<String> {
    if catalog.store().lookup(key).is_some() {
        return None;
    }
    let store = declared_too(catalog);
    let (known, _) = store.lookup(key)?;
    Some(format!("extension {}", known.owners[0]))
}

/// Whose command a path is that nobody who is loaded has, in the same words.
pub(super) fn owner_of_command(catalog: &Catalog, path: &str) -> Option<String> {
    let mut off = catalog
        .extensions()
        .iter()
        .filter(|entry| !entry.state.is_enabled());
    let has_it = |entry: &&ExtensionEntry| {
        let mut commands = entry.descriptor.commands().iter();
        commands.any(|command| command.path() == path)
    };
    Some(format!("extension {}", owner(off.find(has_it)?)))
}
