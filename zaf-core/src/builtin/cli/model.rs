//! Everything that the command line may say: one description, from which lines are read, help and manual pages are written,
//! and words are completed.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::sync::Arc;

use super::options::{CliOption, Owner, Table, table};
use crate::command::ApplicationInfo;
use crate::config::{ConfigOption, ConfigStore, Key, Operation, OptionDescriptor};
use crate::extension::{ALL_EXTENSIONS, Catalog, OptionEntry, Requester, SELECTED_COMMAND};
use crate::message::Entity;

/// Everything that the command line may say, as far as it is known.
#[derive(Debug)]
pub(super) struct Model {
    /// Name of the application: of its configuration files.
    pub(super) name: String,
    /// Word that starts the application.
    pub(super) program: String,
    /// One sentence; may be empty.
    pub(super) about: String,
    pub(super) version: String,
    /// What the names of environment variables begin with, without the underscore.
    pub(super) environment_prefix: String,
    /// Columns of the terminal.
    pub(super) width: usize,
    /// Options of the application.
    pub(super) main: Vec<CliOption>,
    /// Sorted by path, parents before their children.
    pub(super) commands: Vec<CliCommand>,
    /// Name and description of every extension, by name.
    pub(super) extensions: BTreeMap<&'static str, &'static str>,
    /// The values that are known.
    pub(super) store: ConfigStore,
    /// Where options are looked for that nobody who is loaded has.
    pub(super) catalog: Option<Catalog>,
}

/// A command as the command line shows it.
#[derive(Debug)]
pub(super) struct CliCommand {
    /// Words from the outermost parent, with blanks between.
    pub(super) path: String,
    pub(super) description: &'static str,
    pub(super) hidden: bool,
    /// Its own options and those of the extensions that extend it.
    pub(super) options: Vec<CliOption>,
}

impl CliCommand {
    /// The last word of its path.
    pub(super) fn name(&self) -> &str {
        self.path.rsplit(' ').next().unwrap_or(&self.path)
    }
}

impl Model {
    /// What `catalog` says about the command line of `application`.
    pub(super) fn new(catalog: &Catalog, application: &ApplicationInfo) -> Self {
        Self::with(catalog, application, |_| true)
    }

    /// The same with no other options than those that a line could mean, for [`Self::lenient`].
    pub(super) fn on(catalog: &Catalog, application: &ApplicationInfo, line: &[OsString]) -> Self {
        let written = Written::of(line);
        Self::with(catalog, application, |option| written.could_mean(option))
    }

    fn with(
        catalog: &Catalog,
        application: &ApplicationInfo,
        is_meant: impl Fn(&OptionDescriptor) -> bool,
    ) -> Self {
        let is_for = |entry: &&OptionEntry| {
            entry.option.is_for(application.context) && is_meant(&entry.option)
        };
        let mut entities = Entities::new(catalog.store());
        let main = catalog
            .application_options()
            .into_iter()
            .filter(is_for)
            // What nobody but the loader sets.
            .filter(|entry| {
                ![SELECTED_COMMAND.key(), ALL_EXTENSIONS.key()].contains(&entry.option.key)
            })
            .map(|entry| cli_option(&mut entities, entry))
            .collect();
        let commands = catalog
            .commands()
            .iter()
            .map(|(path, entry)| {
                let mut options: Vec<CliOption> = catalog
                    .command_options(entry.command)
                    .into_iter()
                    .filter(is_for)
                    .map(|entry| cli_option(&mut entities, entry))
                    .collect();
                // Sorted by key so far; for arguments the order of the declaration is the order on the line.
                let own = entry.command.config_options;
                options.sort_by_key(|option| {
                    let is_it = |own: &ConfigOption| own.option == option.descriptor;
                    option
                        .descriptor
                        .argument
                        .then(|| own.iter().position(is_it))
                });
                CliCommand {
                    path: path.to_owned(),
                    description: entry.command.description,
                    hidden: entry.command.hidden,
                    options,
                }
            })
            .collect();
        let mut extensions = BTreeMap::new();
        for entry in catalog.extensions() {
            let descriptor = &entry.descriptor;
            extensions
                .entry(descriptor.name)
                .or_insert(descriptor.description);
        }
        Self {
            name: application.name.to_string(),
            program: application.program.to_string(),
            about: application.about.to_string(),
            version: application.version.to_string(),
            environment_prefix: application.environment_prefix.to_string(),
            width: application.invocation.width,
            main,
            commands,
            extensions,
            store: catalog.store().clone(),
            catalog: Some(catalog.clone()),
        }
    }

    /// The command that the first words name, the longest path that fits, and how many words it takes.
    pub(super) fn find(&self, line: &[&str]) -> Option<(&CliCommand, usize)> {
        let deepest = self
            .commands
            .iter()
            .map(|command| command.path.split(' ').count())
            .max()
            .unwrap_or(0);
        (1..=line.len().min(deepest)).rev().find_map(|count| {
            let path = line[..count].join(" ");
            let index = self
                .commands
                .binary_search_by(|command| command.path.as_str().cmp(&path))
                .ok()?;
            Some((&self.commands[index], count))
        })
    }

    /// The commands directly below `parent`; without one, those that belong to no other.
    pub(super) fn children(
        &self,
        parent: Option<&CliCommand>,
    ) -> impl Iterator<Item = &CliCommand> {
        let parent = parent.map(|parent| parent.path.clone());
        self.commands.iter().filter(
            move |command| match (&parent, command.path.rsplit_once(' ')) {
                (None, None) => true,
                (Some(parent), Some((above, _))) => parent == above,
                _ => false,
            },
        )
    }

    /// What a person types to get to a command.
    pub(super) fn typed_path(&self, command: Option<&CliCommand>) -> String {
        match command {
            Some(command) => format!("{} {}", self.program, command.path),
            None => self.program.clone(),
        }
    }

    /// The options of the application and of a command, each once.
    pub(super) fn options_of(&self, command: Option<&CliCommand>) -> Vec<CliOption> {
        let own = command.map(|command| command.options.as_slice());
        merged(std::iter::once(self.main.as_slice()).chain(own).flatten())
    }

    /// The spellings that mean the same whatever the command is, and the options that they are about.
    ///
    /// All readings but the one that knows the command use only these: what is read early holds to the end, so nothing may be
    /// read early that could turn out to mean something else.
    pub(super) fn common(&self) -> (Table, Vec<CliOption>) {
        self.common_of(|_| true)
    }

    /// The same, of the options that a line could mean: a line has few words, and an application may have thousands of options.
    pub(super) fn common_on(&self, line: &[OsString]) -> (Table, Vec<CliOption>) {
        let written = Written::of(line);
        self.common_of(|option| written.could_mean(&option.descriptor))
    }

    fn common_of(&self, is_meant: impl Fn(&CliOption) -> bool) -> (Table, Vec<CliOption>) {
        let commands = self
            .commands
            .iter()
            .map(|command| command.options.as_slice());
        let lists = std::iter::once(self.main.as_slice()).chain(commands);
        let options = merged(lists.flatten().filter(|option| is_meant(option)));
        let (mut table, conflicts) = table(&options);
        for conflict in conflicts {
            table.remove(&conflict.flag);
        }
        (table, options)
    }
}

/// What the words of a line could be names of, whatever option they belong to.
struct Written {
    /// Long flags as keys, also without what a flag has beside the key: `no-` in front, an instruction behind.
    keys: BTreeSet<String>,
    has_letters: bool,
}

impl Written {
    fn of(line: &[OsString]) -> Self {
        let mut keys = BTreeSet::new();
        let mut has_letters = false;
        for word in line.iter().filter_map(|word| word.to_str()) {
            let Some(flag) = word.strip_prefix("--") else {
                has_letters |= word.starts_with('-');
                continue;
            };
            let name = flag.split_once('=').map_or(flag, |(name, _)| name);
            let key = Key::fold(&name.replace('@', ".")).as_str().to_owned();
            let without_no = key.strip_prefix("no.").map(str::to_owned);
            let instruction = Operation::EXPLICIT.into_iter().find_map(|operation| {
                let key = key.strip_suffix(operation.word()?)?;
                key.strip_suffix('.').map(str::to_owned)
            });
            keys.extend(without_no.into_iter().chain(instruction).chain([key]));
        }
        Self { keys, has_letters }
    }

    fn could_mean(&self, descriptor: &OptionDescriptor) -> bool {
        let is_written = |name: &str| {
            self.keys.iter().any(|key| {
                let end = match descriptor.at {
                    // The entity and its option stand in front.
                    Some(_) => key.len().checked_sub(name.len()),
                    None => (key.len() == name.len()).then_some(0),
                };
                end.and_then(|end| key.as_bytes().get(end..))
                    .is_some_and(|end| is_same(end, name.as_bytes()))
            })
        };
        (self.has_letters && descriptor.short.is_some())
            || is_written(descriptor.key)
            || descriptor.aliases.iter().any(|alias| is_written(alias))
    }
}

/// Whether a folded key is that of a name: `.`, `-` and `_` are one letter in the name.
fn is_same(key: &[u8], name: &[u8]) -> bool {
    key.len() == name.len()
        && key.iter().zip(name).all(|(key, name)| match name {
            b'-' | b'_' => *key == b'.',
            letter => key == letter,
        })
}

/// The entities of entity options, each asked for once: many options hang at the same one.
struct Entities<'a> {
    store: &'a ConfigStore,
    known: BTreeMap<&'static str, Arc<[Entity]>>,
}

impl<'a> Entities<'a> {
    fn new(store: &'a ConfigStore) -> Self {
        Self {
            store,
            known: BTreeMap::new(),
        }
    }

    fn of(&mut self, option: &OptionDescriptor) -> Arc<[Entity]> {
        let store = self.store;
        let entities = self.known.entry(option.key);
        // Entities that cannot be read are a problem that the validation finds.
        entities
            .or_insert_with(|| store.entities(option).unwrap_or_default().into())
            .clone()
    }
}

fn cli_option(entities: &mut Entities<'_>, entry: &OptionEntry) -> CliOption {
    CliOption {
        descriptor: entry.option,
        required: entry.required,
        owner: match owner(entry) {
            Some(Requester::Command(_)) => Owner::Command,
            Some(Requester::Extension(name, place)) if place.krate != env!("CARGO_PKG_NAME") => {
                Owner::Extension(name)
            }
            _ => Owner::Application,
        },
        entities: entry
            .option
            .at
            .map_or_else(Arc::default, |at| entities.of(at)),
    }
}

/// Under whose name an option is shown: of several that ask for it the one whose name is a word of its key, as `junit` is of
/// `reports.junit`; else the first in load order.
fn owner(entry: &OptionEntry) -> Option<&Requester> {
    let is_named = |requester: &&Requester| match requester {
        Requester::Extension(name, _) => entry
            .option
            .key
            .split(['.', '-', '_'])
            .any(|word| word == *name),
        _ => false,
    };
    let first = entry.requested_by.first();
    match first {
        Some(Requester::Extension(..)) => entry.requested_by.iter().find(is_named).or(first),
        _ => first,
    }
}

/// Each option once, required if anybody requires it.
fn merged<'a>(options: impl Iterator<Item = &'a CliOption>) -> Vec<CliOption> {
    let mut all: Vec<CliOption> = Vec::new();
    let mut index = BTreeMap::new();
    for option in options {
        let identity = (option.descriptor.key, option.descriptor.at.map(|at| at.key));
        match index.get(&identity) {
            None => {
                index.insert(identity, all.len());
                all.push(option.clone());
            }
            Some(&known) => {
                let known: &mut CliOption = &mut all[known];
                known.required |= option.required;
            }
        }
    }
    all
}
