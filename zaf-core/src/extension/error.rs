//! What can go wrong while extensions are loaded and unloaded.
//!
//! Long because all that can go wrong is one list, with one text, one exit code and one extension for each.

use std::time::Duration;

use thiserror::Error;

use super::Catalog;
use crate::application::ExitCode;
use crate::command::CommandError;
use crate::component::{ComponentConflict, ComponentError};

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Something is wrong with an extension or with how extensions fit together.
///
/// `extension` is always the name, `place` crate, file and line of the declaration; `places` and `by` are in the order in which
/// the text mentions them.
#[derive(Debug, Error)]
#[non_exhaustive]
#[expect(
    missing_docs,
    reason = "the fields are described once for all variants"
)]
pub enum LoadError {
    /// The load order is not between 1 and 1000.
    #[error("extension `{extension}` ({place}) has load order {load_order}; expected 1 to 1000")]
    LoadOrder {
        extension: &'static str,
        place: String,
        load_order: u16,
    },
    /// An extension that is described at run time would have been loaded already.
    #[error(
        "extension `{extension}` ({place}) has load order {load_order}, but is known after load order 10 only; expected 11 to 1000"
    )]
    ProvidedTooLate {
        extension: &'static str,
        place: String,
        load_order: u16,
    },
    /// An extension provides values for a configuration that is complete and was checked without them.
    #[error(
        "extension `{extension}` ({place}) has load order {load_order} and provides configuration, which is complete and checked by then; expected a load order up to 100"
    )]
    ConfigurationTooLate {
        extension: &'static str,
        place: String,
        load_order: u16,
    },
    /// The name cannot be used in keys and flags.
    #[error(
        "`{extension}` ({place}) is no name for an extension: expected lower-case letters and digits, not `all` or `default`"
    )]
    Name {
        extension: &'static str,
        place: String,
    },
    /// The same type is registered twice under one name and kind.
    #[error("extension `{extension}` is registered twice: {} and {}", places[0], places[1])]
    Duplicate {
        extension: &'static str,
        places: [String; 2],
    },
    /// A command extension that can never be loaded.
    #[error(
        "extension `{extension}` ({place}) extends nothing: name a command or a capability under `extends`"
    )]
    ExtendsNothing {
        extension: &'static str,
        place: String,
    },
    /// More than one option would make instances.
    #[error(
        "extension `{extension}` ({place}) has instances per entity of `{}` and of `{}`; expected one such option",
        keys[0], keys[1]
    )]
    SeveralInstanceOptions {
        extension: &'static str,
        place: String,
        keys: [&'static str; 2],
    },
    /// Instances are asked for per value of an option that names no entities.
    #[error(
        "extension `{extension}` ({place}) has instances per entity of `{key}`, which names no entities"
    )]
    NoEntityOption {
        extension: &'static str,
        place: String,
        key: &'static str,
    },
    /// A condition looks at an option that the extension does not ask for.
    #[error(
        "extension `{extension}` ({place}) depends on option `{key}` in `{list}` without asking for it; add it to `config_options`"
    )]
    ConditionNotRequested {
        extension: &'static str,
        place: String,
        list: &'static str,
        key: &'static str,
    },
    /// A dispatcher listens for an entity that its extension has no instances for.
    #[error(
        "dispatcher `{handler}` ({place}) of extension `{extension}` listens for the entity of `{key}`; expected {expected}"
    )]
    DispatcherEntity {
        extension: &'static str,
        place: String,
        handler: &'static str,
        key: &'static str,
        expected: String,
    },
    /// A thread pool without threads.
    #[error(
        "dispatcher `{handler}` ({place}) of extension `{extension}` has no workers; expected at least 1"
    )]
    NoWorkers {
        extension: &'static str,
        place: String,
        handler: &'static str,
    },
    /// Dispatchers that belong to no extension.
    #[error(
        "the dispatchers at {place} belong to a type that is no extension; add the attribute of an extension to it"
    )]
    StrayDispatchers { place: String },
    /// Two extensions ask for one option in different ways.
    #[error(
        "option `{key}` is declared twice and differently:\n  by {}: {}\n  by {}: {}",
        by[0], declared[0], by[1], declared[1]
    )]
    OptionConflict {
        key: &'static str,
        declared: [String; 2],
        by: [String; 2],
    },
    /// Two options differ only in their separators.
    #[error(
        "options `{}` of {} and `{}` of {} are one name (`.`, `-` and `_` are the same letter); rename one of them",
        keys[0], by[0], keys[1], by[1]
    )]
    OptionNamesFold {
        keys: [&'static str; 2],
        by: [String; 2],
    },
    /// Two options of one command line have one letter.
    #[error(
        "options `{}` of {} and `{}` of {} have one letter, `-{letter}`; rename one of them",
        keys[0], by[0], keys[1], by[1]
    )]
    OptionLetters {
        letter: char,
        keys: [&'static str; 2],
        by: [String; 2],
    },
    /// Two arguments of one line that both take all that is left of it.
    #[error(
        "options `{}` of {} and `{}` of {} are both arguments with several values: a line has only one rest; make one of them an option",
        keys[0], by[0], keys[1], by[1]
    )]
    OptionArguments {
        keys: [&'static str; 2],
        by: [String; 2],
    },
    /// Two extensions define one endpoint.
    #[error("endpoint `{endpoint}` is defined twice: by {} and by {}", by[0], by[1])]
    EndpointTwice {
        endpoint: &'static str,
        by: [String; 2],
    },
    /// One name for messages of different kinds or with different types.
    #[error(
        "message `{message}` is defined twice and differently:\n  by {}: {}\n  by {}: {}",
        by[0], declared[0], by[1], declared[1]
    )]
    MessageConflict {
        message: &'static str,
        declared: [String; 2],
        by: [String; 2],
    },
    /// Something is wrong with a command.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// Two components have one name and type.
    #[error(transparent)]
    Component(#[from] ComponentConflict),
    /// Extensions replace each other in a circle.
    #[error("extensions replace each other in a circle: {}; disable one of them", path.join(" -> "))]
    ReplaceCycle { path: Vec<&'static str> },
    /// Two extensions that are loaded replace the same one.
    #[error("extension `{extension}` is replaced by `{}` and by `{}`; disable one of them", by[0], by[1])]
    ReplacedTwice {
        extension: &'static str,
        by: [&'static str; 2],
    },
    /// An extension with a load order up to 20 is always loaded.
    #[error(
        "extension `{by}` ({place}) replaces `{extension}`, which is always loaded (load order up to 20)"
    )]
    ReplacesAlwaysLoaded {
        extension: &'static str,
        by: &'static str,
        place: String,
    },
    /// `plugins.disable` names what is no extension.
    #[error(
        "there is no plugin `{name}`, which {by} disables{}",
        near.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
    )]
    UnknownPlugin {
        name: String,
        by: String,
        near: Option<String>,
    },
    /// A framework extension with a load order up to 20 cannot be disabled.
    #[error(
        "extension `{extension}` cannot be disabled, as {by} says: it is always loaded (load order up to 20)"
    )]
    CannotBeDisabled { extension: String, by: String },
    /// `plugins.<type>.order` cannot be followed.
    #[error("{by} cannot be followed: {problem}")]
    Order { by: String, problem: String },
    /// The name of a group cannot be used in keys and flags.
    #[error(
        "extension `{extension}` ({place}) belongs to group `{group}`; expected a name of lower-case letters and digits, not `all`"
    )]
    GroupName {
        extension: &'static str,
        place: String,
        group: &'static str,
    },
    /// Configuration that decides about extensions cannot be read.
    #[error("the configuration of extensions cannot be read")]
    Config {
        #[source]
        cause: Cause,
    },
    /// A required option has no value.
    #[error(
        "extension `{extension}`{instance} ({place}) needs option `{key}`, which has no value; set it with `--{flag}`"
    )]
    OptionMissing {
        extension: &'static str,
        instance: String,
        place: String,
        key: String,
        flag: String,
    },
    /// The extension returned an error.
    #[error("extension `{extension}`{instance} ({place}) failed in `{step}`")]
    Failed {
        extension: &'static str,
        instance: String,
        place: String,
        step: &'static str,
        #[source]
        cause: Cause,
        hints: Vec<String>,
    },
    /// The extension panicked.
    #[error("extension `{extension}`{instance} ({place}) panicked in `{step}`: {message}")]
    Panicked {
        extension: &'static str,
        instance: String,
        place: String,
        step: &'static str,
        message: String,
    },
    /// A step of the extension took longer than `extension.init.timeout`.
    #[error("extension `{extension}`{instance} ({place}) is still in `{step}` after {} ms", limit.as_millis())]
    Hung {
        extension: &'static str,
        instance: String,
        place: String,
        step: &'static str,
        limit: Duration,
        hints: Vec<String>,
    },
    /// A dispatcher could not be registered.
    #[error(
        "dispatcher `{handler}` ({place}) of extension `{extension}`{instance} could not be registered"
    )]
    Dispatcher {
        extension: &'static str,
        instance: String,
        place: String,
        handler: &'static str,
        #[source]
        cause: Cause,
        hints: Vec<String>,
    },
    /// An extension needs one that is not loaded.
    #[error(
        "extension `{extension}` ({place}) needs message `{message}` in `{handler}`, which nobody defines: {}",
        chain.join(" -> ")
    )]
    SwitchedOff {
        extension: &'static str,
        place: String,
        handler: &'static str,
        message: &'static str,
        /// Who needs whom, from the command on; the last one is not loaded, and says why.
        chain: Vec<String>,
    },
    /// The command above one that an extension adds is switched off.
    #[error(
        "extension `{extension}` ({place}) adds command `{path}`, whose parent nobody adds: {}",
        chain.join(" -> ")
    )]
    ParentSwitchedOff {
        extension: &'static str,
        place: String,
        path: String,
        /// The extension, and who adds the parent and why that is not loaded.
        chain: Vec<String>,
    },
    /// The bus refused a definition.
    #[error("extension `{extension}` ({place}) could not define endpoint `{endpoint}`")]
    Define {
        extension: &'static str,
        place: String,
        endpoint: &'static str,
        #[source]
        cause: Cause,
    },
    /// Something could not be provided to components.
    #[error("the session could not be set up")]
    Session(#[from] ComponentError),
    /// A component needs itself, directly or through others.
    #[error(transparent)]
    Circle(ComponentError),
    /// A component that the command asks for cannot be had.
    #[error("command `{command}` ({place}) does not get what it asks for")]
    CommandNeeds {
        command: String,
        place: String,
        #[source]
        cause: Box<ComponentError>,
    },
    /// Nothing selected a command.
    #[error("no command was selected{}", without.iter().fold(String::new(), |text, one| text + "; not loaded is extension " + one))]
    NoCommand {
        /// What provides configuration and was switched off, with by whom.
        without: Vec<String>,
    },
    /// The selected command does not exist.
    #[error("there is no command `{command}`{}", near.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
    UnknownCommand {
        command: String,
        near: Option<String>,
    },
}

impl LoadError {
    /// What the application ends with because of this.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::OptionConflict { .. }
            | Self::OptionNamesFold { .. }
            | Self::OptionLetters { .. }
            | Self::OptionArguments { .. }
            | Self::EndpointTwice { .. }
            | Self::MessageConflict { .. }
            | Self::Command(_)
            | Self::Config { .. }
            | Self::OptionMissing { .. }
            | Self::UnknownPlugin { .. }
            | Self::CannotBeDisabled { .. }
            | Self::Order { .. }
            | Self::NoCommand { .. }
            | Self::UnknownCommand { .. } => ExitCode::Usage,
            _ => ExitCode::ExtensionFailed,
        }
    }

    /// Name of the extension that is wrong; none if several are, or the application is.
    pub fn extension(&self) -> Option<&'static str> {
        match self {
            Self::LoadOrder { extension, .. }
            | Self::ProvidedTooLate { extension, .. }
            | Self::ConfigurationTooLate { extension, .. }
            | Self::Name { extension, .. }
            | Self::Duplicate { extension, .. }
            | Self::ExtendsNothing { extension, .. }
            | Self::SeveralInstanceOptions { extension, .. }
            | Self::NoEntityOption { extension, .. }
            | Self::GroupName { extension, .. }
            | Self::ConditionNotRequested { extension, .. }
            | Self::DispatcherEntity { extension, .. }
            | Self::NoWorkers { extension, .. }
            | Self::Command(
                CommandError::NoParent { extension, .. } | CommandError::BadName { extension, .. },
            )
            | Self::ReplacesAlwaysLoaded { by: extension, .. }
            | Self::OptionMissing { extension, .. }
            | Self::Failed { extension, .. }
            | Self::Panicked { extension, .. }
            | Self::Hung { extension, .. }
            | Self::Dispatcher { extension, .. }
            | Self::SwitchedOff { extension, .. }
            | Self::ParentSwitchedOff { extension, .. }
            | Self::Define { extension, .. } => Some(extension),
            _ => None,
        }
    }

    /// What the reader can do; may be empty.
    pub fn hints(&self) -> &[String] {
        match self {
            Self::Failed { hints, .. }
            | Self::Hung { hints, .. }
            | Self::Dispatcher { hints, .. } => hints,
            _ => &[],
        }
    }

    /// The error itself and then its causes, joined by `: `.
    pub fn with_causes(&self) -> String {
        let first: &dyn std::error::Error = self;
        std::iter::successors(Some(first), |&error| error.source())
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(": ")
    }
}

/// All that is wrong with the extensions; never empty. What had been started is destroyed already.
#[derive(Debug, Error)]
#[error("{}", errors.iter().map(LoadError::with_causes).collect::<Vec<_>>().join("\n"))]
pub struct LoadErrors {
    errors: Vec<LoadError>,
    teardown: Vec<DestroyError>,
    catalog: Catalog,
}

impl LoadErrors {
    pub(super) fn new(
        errors: Vec<LoadError>,
        teardown: Vec<DestroyError>,
        catalog: Catalog,
    ) -> Self {
        Self {
            errors,
            teardown,
            catalog,
        }
    }

    /// The errors: first those of declarations, then those of starting, in load order.
    pub fn errors(&self) -> &[LoadError] {
        &self.errors
    }

    /// What went wrong while the extensions that had been started were destroyed.
    pub fn teardown(&self) -> &[DestroyError] {
        &self.teardown
    }

    /// The errors, and what went wrong while the extensions that had been started were destroyed.
    pub fn into_parts(self) -> (Vec<LoadError>, Vec<DestroyError>) {
        (self.errors, self.teardown)
    }

    /// What was known by then.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// What the application ends with: the strongest of the errors'.
    pub fn exit_code(&self) -> ExitCode {
        self.errors
            .iter()
            .map(LoadError::exit_code)
            .fold(ExitCode::Success, ExitCode::merge)
    }
}

/// An extension was not destroyed as it should have been. The others were.
#[derive(Debug, Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields say what they are")]
pub enum DestroyError {
    /// `destroy` returned an error.
    #[error("extension `{extension}`{instance} failed in `destroy`")]
    Failed {
        extension: &'static str,
        instance: String,
        #[source]
        cause: Cause,
    },
    /// `destroy` or the drop of the extension panicked.
    #[error("extension `{extension}`{instance} panicked in `{step}`: {message}")]
    Panicked {
        extension: &'static str,
        instance: String,
        step: &'static str,
        message: String,
    },
    /// The extension did not end in time; it was left behind.
    #[error("extension `{extension}`{instance} was not destroyed within {} ms ({step})", limit.as_millis())]
    Hung {
        extension: &'static str,
        instance: String,
        step: &'static str,
        limit: Duration,
    },
    /// A component of the session or of the extension panicked when it was dropped.
    #[error(transparent)]
    Component(#[from] ComponentError),
}
