//! What is known about extensions, commands and options at one moment of loading.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, OnceLock};

use super::core_options::entity_include;
use super::enablement::{self, Statement};
use super::options::{self, OptionEntry, Requester};
use super::{
    DispatcherSet, Extends, ExtensionDescriptor, ExtensionKind, LoadError, RaisedPriorities,
    RegisteredExtension,
};
use crate::command::{CommandDescriptor, CommandError, CommandTree};
use crate::config::{ConfigOption, ConfigStore, Key, nearest};

/// Whether an extension takes part, and because of whom.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExtensionState {
    /// A framework extension with a load order up to 20.
    AlwaysLoaded,
    /// It is decided after load order 20.
    Undecided,
    /// It is loaded (a command extension: with the commands it extends).
    Enabled,
    /// It is not loaded.
    Disabled {
        /// Who says so; none if its declaration does.
        by: Option<Statement>,
    },
    /// Another extension is loaded in its place.
    Replaced {
        /// Name of that extension.
        by: &'static str,
    },
}

impl ExtensionState {
    /// Whether the extension is loaded.
    pub fn is_enabled(&self) -> bool {
        matches!(self, Self::AlwaysLoaded | Self::Enabled)
    }
}

impl fmt::Display for ExtensionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AlwaysLoaded => f.write_str("always loaded"),
            Self::Undecided => f.write_str("undecided"),
            Self::Enabled => f.write_str("enabled"),
            Self::Disabled { by: None } => f.write_str("disabled by default"),
            Self::Disabled {
                by: Some(statement),
            } => write!(f, "disabled by {statement}"),
            Self::Replaced { by } => write!(f, "replaced by {by}"),
        }
    }
}

/// An extension and its state.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ExtensionEntry {
    /// The extension.
    pub descriptor: ExtensionDescriptor,
    /// Its dispatchers, by file and line.
    pub dispatchers: Vec<DispatcherSet>,
    /// Priorities of dispatchers that `plugins.<type>.order` raises.
    pub priorities: RaisedPriorities,
    /// Whether it takes part.
    pub state: ExtensionState,
}

/// What is known at one moment of loading. Cheap to clone; never changes, later moments have catalogs of their own.
///
/// Up to load order 20, options and commands are those of the extensions that are always loaded; from load order 21 on, those of
/// all enabled extensions, with command extensions.
#[derive(Clone)]
pub struct Catalog {
    known: Arc<Known>,
    store: ConfigStore,
    /// Whether something could not be loaded that would have been in it.
    pub(crate) is_incomplete: bool,
}

#[derive(Default)]
struct Known {
    extensions: Vec<ExtensionEntry>,
    commands: CommandTree,
    options: BTreeMap<Key, OptionEntry>,
    /// What the application itself asks for.
    core: Vec<ConfigOption>,
    /// Keys of the options that hold whatever the command is; each look at a command's options needs them.
    application_keys: OnceLock<BTreeSet<Key>>,
    /// What [`Catalog::command_options`] says of each command, by its path: the command line asks for all of them at each of
    /// its readings.
    command_keys: OnceLock<BTreeMap<String, Vec<Key>>>,
}

impl Catalog {
    /// What follows from extensions in these states, and what contradicts itself in it. `core` are the options of the
    /// application itself. The options are declared in the store.
    pub fn new(
        extensions: Vec<ExtensionEntry>,
        core: &[ConfigOption],
        mut store: ConfigStore,
    ) -> (Self, Vec<LoadError>) {
        let enabled = || {
            extensions
                .iter()
                .filter(|entry| entry.state.is_enabled())
                .map(|entry| &entry.descriptor)
        };
        let (commands, command_problems) = CommandTree::new(enabled().flat_map(|extension| {
            extension
                .commands()
                .iter()
                .map(|command| (extension.name, *command))
        }));
        let own = core.iter().map(|option| (Requester::Application, *option));
        let of_extensions = enabled().flat_map(|extension| {
            let requester = Requester::extension(extension);
            asked_for(extension.config_options).map(move |option| (requester, option))
        });
        let of_commands = commands.iter().flat_map(|(_, entry)| {
            asked_for(entry.command.config_options)
                .map(|option| (Requester::Command(entry.command), option))
        });
        let (options, mut problems) = options::collect(own.chain(of_extensions).chain(of_commands));
        problems.extend(
            command_problems
                .into_iter()
                .map(|problem| whose_parent_is_off(problem, &extensions)),
        );
        for entry in options.values() {
            for requester in &entry.requested_by {
                if let Err(error) = store.define(&entry.option, &requester.owner()) {
                    problems.push(LoadError::Config {
                        cause: error.into(),
                    });
                }
            }
        }
        let known = Known {
            extensions,
            commands,
            options,
            core: core.to_vec(),
            application_keys: OnceLock::new(),
            command_keys: OnceLock::new(),
        };
        let catalog = Self {
            known: Arc::new(known),
            store,
            is_incomplete: false,
        };
        problems.extend(catalog.letters());
        problems.extend(catalog.rests());
        (catalog, problems)
    }

    /// Arguments of one line that both take the rest of it.
    fn rests(&self) -> Vec<LoadError> {
        let takes_rest = |entry: &&OptionEntry| entry.option.argument && entry.option.multiple;
        let general = self.application_options();
        let mut found: BTreeMap<[&str; 2], LoadError> = BTreeMap::new();
        for (_, entry) in self.commands().iter() {
            let own = self.command_options(entry.command);
            let line = general.iter().copied().chain(own).filter(takes_rest);
            for error in options::rests(line) {
                if let LoadError::OptionArguments { keys, .. } = &error {
                    found.entry(*keys).or_insert(error);
                }
            }
        }
        found.into_values().collect()
    }

    /// Letters that two options of the application, or of the application and one command, share.
    fn letters(&self) -> Vec<LoadError> {
        if !self.options().any(|entry| entry.option.short.is_some()) {
            return Vec::new();
        }
        let general = self.application_options();
        let mut found: BTreeMap<(char, [&str; 2]), LoadError> = BTreeMap::new();
        let of_commands = self
            .commands()
            .iter()
            .map(|(_, entry)| self.command_options(entry.command));
        for own in std::iter::once(Vec::new()).chain(of_commands) {
            let line = general.iter().copied().chain(own);
            for error in options::letters(line) {
                if let LoadError::OptionLetters { letter, keys, .. } = &error {
                    found.entry((*letter, *keys)).or_insert(error);
                }
            }
        }
        found.into_values().collect()
    }

    /// A catalog of exactly these extensions, all enabled: for tests of single extensions.
    pub fn of_enabled(
        extensions: &[RegisteredExtension],
        store: ConfigStore,
    ) -> (Self, Vec<LoadError>) {
        let entries = extensions
            .iter()
            .map(|extension| ExtensionEntry {
                descriptor: extension.descriptor,
                dispatchers: extension.dispatchers.clone(),
                priorities: extension.priorities.clone(),
                state: ExtensionState::Enabled,
            })
            .collect();
        Self::new(entries, &[], store)
    }

    /// All extensions with their states, in the order in which they are loaded: sorted by load order, then as
    /// `plugins.<type>.order` says, then by (name, crate, file, line).
    pub fn extensions(&self) -> &[ExtensionEntry] {
        &self.known.extensions
    }

    /// All that is said about whether an extension is loaded, what counts most first. Defaults, and the declaration, say nothing;
    /// neither do values that cannot be read.
    pub fn statements(&self, extension: &ExtensionDescriptor) -> Vec<Statement> {
        let listed = enablement::disabled_list(&self.store).unwrap_or_default();
        enablement::statements(extension, &listed, &self.store).0
    }

    /// The commands of enabled extensions.
    pub fn commands(&self) -> &CommandTree {
        &self.known.commands
    }

    /// The capabilities that `extension` extends and no command of any extension has, each with the nearest that one has:
    /// with one of these it is never loaded. Empty for framework extensions.
    pub fn unknown_capabilities(
        &self,
        extension: &ExtensionDescriptor,
    ) -> Vec<(&'static str, Option<&'static str>)> {
        let ExtensionKind::Command { extends } = extension.kind else {
            return Vec::new();
        };
        // Those of extensions that are not loaded are known: whoever switches a command off has not misspelled it.
        let words: BTreeSet<&'static str> = self
            .known
            .extensions
            .iter()
            .flat_map(|entry| entry.descriptor.commands())
            .flat_map(|command| std::iter::once(command.name).chain(command.uses.iter().copied()))
            .collect();
        extends
            .iter()
            .filter_map(|extended| match extended {
                Extends::Capability(word) if !words.contains(word) => {
                    Some((*word, nearest(word, words.iter().copied())))
                }
                _ => None,
            })
            .collect()
    }

    /// All options that enabled extensions, their commands and the application ask for, sorted by key.
    pub fn options(&self) -> impl Iterator<Item = &OptionEntry> {
        self.known.options.values()
    }

    /// Options that hold whatever the command is: those of the application and of framework extensions, sorted by key.
    pub fn application_options(&self) -> Vec<&OptionEntry> {
        self.application_keys()
            .iter()
            .filter_map(|key| self.known.options.get(key))
            .collect()
    }

    /// Options of a command beyond those of the application: its own, those of the commands above it, and those of the command
    /// extensions that extend it. Sorted by key.
    pub fn command_options(&self, command: &CommandDescriptor) -> Vec<&OptionEntry> {
        let all = self.known.command_keys.get_or_init(|| {
            let commands = self.commands().iter();
            commands
                .map(|(path, entry)| (path.to_owned(), self.find_command_keys(entry.command)))
                .collect()
        });
        let found;
        let keys = if let Some(keys) = all.get(&command.path()) {
            keys
        } else {
            // A command of an extension that is not enabled.
            found = self.find_command_keys(command);
            &found
        };
        keys.iter()
            .filter_map(|key| self.known.options.get(key))
            .collect()
    }

    fn find_command_keys(&self, command: &CommandDescriptor) -> Vec<Key> {
        let general = self.application_keys();
        let mut keys = BTreeSet::new();
        let mut next = Some(command);
        while let Some(command) = next {
            keys.extend(asked_for(command.config_options).map(|option| key(&option)));
            next = command.parent;
        }
        for extension in self.enabled() {
            if !extension.config_options.is_empty() && extension.extends(command) {
                keys.extend(asked_for(extension.config_options).map(|option| key(&option)));
            }
        }
        keys.retain(|key| !general.contains(key));
        keys.into_iter().collect()
    }

    /// Options that need a value if `command` runs, sorted by key, each with the first who cannot do without: the application,
    /// an enabled framework extension, the command, a command above it, or an extension that extends it. What other commands
    /// need does not count. Without a command, what is needed whatever the command is.
    pub fn required_options(
        &self,
        command: Option<&'static CommandDescriptor>,
    ) -> Vec<(&OptionEntry, Requester)> {
        let mut required: BTreeMap<Key, Requester> = BTreeMap::new();
        let mut add = |requester: Requester, options: &[ConfigOption]| {
            for option in options.iter().filter(|option| options::needs_value(option)) {
                required.entry(key(option)).or_insert(requester);
            }
        };
        add(Requester::Application, &self.known.core);
        for extension in self.enabled() {
            if extension.is_framework() || command.is_some_and(|command| extension.extends(command))
            {
                add(Requester::extension(extension), extension.config_options);
            }
        }
        let mut next = command;
        while let Some(command) = next {
            add(Requester::Command(command), command.config_options);
            next = command.parent;
        }
        required
            .into_iter()
            .filter_map(|(key, requester)| Some((self.known.options.get(&key)?, requester)))
            .collect()
    }

    /// All values that are known, with their sources.
    pub fn store(&self) -> &ConfigStore {
        &self.store
    }

    /// The same with other values.
    #[must_use]
    pub fn with_store(&self, store: ConfigStore) -> Self {
        Self {
            known: Arc::clone(&self.known),
            store,
            is_incomplete: self.is_incomplete,
        }
    }

    fn enabled(&self) -> impl Iterator<Item = &ExtensionDescriptor> {
        self.known
            .extensions
            .iter()
            .filter(|entry| entry.state.is_enabled())
            .map(|entry| &entry.descriptor)
    }

    fn application_keys(&self) -> &BTreeSet<Key> {
        self.known
            .application_keys
            .get_or_init(|| self.find_application_keys())
    }

    fn find_application_keys(&self) -> BTreeSet<Key> {
        let is_own = |entry: &OptionEntry| {
            entry
                .requested_by
                .iter()
                .any(|requester| matches!(requester, Requester::Application))
        };
        let of_application = self
            .known
            .options
            .iter()
            .filter(|(_, entry)| is_own(entry))
            .map(|(key, _)| key.clone());
        self.enabled()
            .filter(|extension| extension.is_framework())
            .flat_map(|extension| asked_for(extension.config_options).map(|option| key(&option)))
            .chain(of_application)
            .collect()
    }
}

/// A problem of a command; if only somebody's wish keeps its parent away, with who said so.
fn whose_parent_is_off(problem: CommandError, extensions: &[ExtensionEntry]) -> LoadError {
    let CommandError::NoParent {
        path,
        parent,
        extension,
        place,
    } = &problem
    else {
        return problem.into();
    };
    let adds_it = |entry: &&ExtensionEntry| {
        let mut commands = entry.descriptor.commands().iter();
        !entry.state.is_enabled() && commands.any(|command| command.path() == *parent)
    };
    match extensions.iter().find(adds_it) {
        Some(off) => LoadError::ParentSwitchedOff {
            extension,
            place: place.clone(),
            path: path.clone(),
            chain: vec![
                (*extension).to_owned(),
                format!("{} ({})", off.descriptor.name, off.state),
            ],
        },
        None => problem.into(),
    }
}

/// The options of a list, and with each entity option the one that includes files for its entities.
fn asked_for(list: &'static [ConfigOption]) -> impl Iterator<Item = ConfigOption> {
    let includes = list
        .iter()
        .filter(|request| request.option.is_entity)
        .map(|request| entity_include(&request.option));
    list.iter().copied().chain(includes)
}

fn key(option: &ConfigOption) -> Key {
    Key::of(&option.option, None)
}

impl fmt::Debug for Catalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Catalog")
            .field("extensions", &self.known.extensions.len())
            .field("commands", &self.known.commands.iter().count())
            .field("options", &self.known.options.len())
            .finish_non_exhaustive()
    }
}
