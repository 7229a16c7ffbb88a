//! What a `main` says about its application, and the two ways to run it.

use crate::clock::Clock;
use crate::command::{ApplicationContext, ApplicationInfo, CommandDescriptor, Invocation};
use crate::component::{
    ComponentConflict, ComponentDescriptor, ComponentError, ComponentRegistry, Scope,
};
use crate::config::{ConfigLayer, ConfigStore, OptionId, OptionType, Priority, Source, Value};
use crate::extension::{DispatcherSet, ExtensionDescriptor, ExtensionRegistry, SELECTED_COMMAND};
use crate::message::{EndpointId, MessageDescriptor};
use crate::private::{BUILT_IN_EXTENSIONS, ZAF_DISPATCHERS, ZAF_EXTENSIONS};

use super::given::Given;
use super::lifecycle::{Ended, Run, Signals};
use super::{BeforeStart, Console, ExitCode, Front, Start, logging, signal};

/// An application made of extensions.
///
/// ```no_run
/// use std::process::ExitCode;
///
/// use zaf_core::application::Application;
///
/// fn main() -> ExitCode {
///     Application::new("demo").version("1.0.0").about("Shows how it is done.").run()
/// }
/// ```
#[derive(Debug)]
pub struct Application {
    pub(super) info: ApplicationInfo,
    pub(super) store: ConfigStore,
    pub(super) parts: Parts,
    pub(super) given: Given,
    own_variables: Vec<String>,
    before_start: Option<BeforeStart>,
    /// Path of the command that it always runs.
    chosen: Option<String>,
}

/// Where extensions and components come from.
#[derive(Debug)]
pub(super) enum Parts {
    /// From the crates that are linked.
    Linked,
    /// From these lists.
    Listed {
        extensions: Vec<ExtensionDescriptor>,
        dispatchers: Vec<DispatcherSet>,
        components: Vec<ComponentDescriptor>,
    },
}

impl Application {
    /// An application of the extensions that are linked into the program. `name` is that of its configuration files and, upper
    /// case, the prefix of its environment variables.
    pub fn new(name: &str) -> Self {
        Self {
            info: ApplicationInfo::new(name, "0.0.0"),
            store: ConfigStore::new(),
            parts: Parts::Linked,
            given: Given::default(),
            own_variables: Vec::new(),
            before_start: None,
            chosen: None,
        }
    }

    /// The word that users type to start it, if it is not its name.
    #[must_use]
    pub fn command_name(mut self, program: &str) -> Self {
        self.info = self.info.program(program);
        self
    }

    /// The version that `--version` shows.
    #[must_use]
    pub fn version(mut self, version: &str) -> Self {
        self.info.version = version.into();
        self
    }

    /// What the names of its environment variables begin with, without the underscore.
    #[must_use]
    pub fn environment_prefix(mut self, prefix: &str) -> Self {
        self.info = self.info.environment_prefix(prefix);
        self
    }

    /// One sentence for the help.
    #[must_use]
    pub fn about(mut self, about: &str) -> Self {
        self.info = self.info.about(about);
        self
    }

    /// Who it is for.
    #[must_use]
    pub fn context(mut self, context: ApplicationContext) -> Self {
        self.info = self.info.context(context);
        self
    }

    /// Environment variables with its prefix that are no options; nobody warns about them.
    #[must_use]
    pub fn own_variables<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        self.own_variables
            .extend(names.into_iter().map(str::to_owned));
        self
    }

    /// A value of its own for an option, instead of the option's default; every file, variable and flag still wins.
    #[must_use]
    pub fn preset<T: OptionType>(mut self, option: OptionId<T>, value: impl Into<Value>) -> Self {
        let layer = ConfigLayer::new(Priority::APPLICATION, Source::Fixed);
        self.store
            .add(layer.with_option(&option.descriptor(), None, value));
        self
    }

    /// Values of its own, written by `fill`. With [`Priority::APPLICATION`] they are as those of [`preset`](Self::preset).
    #[must_use]
    pub fn configured(mut self, fill: impl FnOnce(&mut ConfigStore)) -> Self {
        fill(&mut self.store);
        self
    }

    /// Gives it components of the session that are made already: `provide` is called before any extension is made. What cannot be
    /// provided is a load error.
    #[must_use]
    pub fn provided(
        mut self,
        provide: impl FnOnce(&Scope) -> Result<(), ComponentError> + 'static,
    ) -> Self {
        self.given.provide(provide);
        self
    }

    /// Defines messages that no extension of it defines. Those that clash are a load error.
    #[must_use]
    pub fn define(
        mut self,
        endpoint: EndpointId,
        messages: impl IntoIterator<Item = MessageDescriptor>,
    ) -> Self {
        self.given.define(endpoint, messages.into_iter().collect());
        self
    }

    /// Gives extensions this clock instead of that of the machine.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.given.clock = clock;
        self
    }

    /// Always runs this command and reads no command line: for programs that have other ways to be told what to do.
    #[must_use]
    pub fn always(mut self, command: &CommandDescriptor) -> Self {
        let layer = ConfigLayer::new(Priority::FIXED, Source::Fixed);
        self.chosen = Some(command.path());
        self.store
            .add(layer.with_option(&SELECTED_COMMAND.descriptor(), None, command.path()));
        self
    }

    /// Asks `before_start` in which process the application runs, before anything is loaded. Only [`run`](Self::run) asks:
    /// [`run_with`](Self::run_with) always runs it where it is.
    #[must_use]
    pub fn before_start(mut self, before_start: BeforeStart) -> Self {
        self.before_start = Some(before_start);
        self
    }

    /// Made of exactly these extensions (with their dispatchers) and components, instead of those that are linked. Those of
    /// every application are [`builtin::EXTENSIONS`](crate::builtin::EXTENSIONS).
    #[must_use]
    pub fn made_of(
        mut self,
        extensions: impl IntoIterator<Item = ExtensionDescriptor>,
        dispatchers: impl IntoIterator<Item = DispatcherSet>,
        components: impl IntoIterator<Item = ComponentDescriptor>,
    ) -> Self {
        self.parts = Parts::Listed {
            extensions: extensions.into_iter().collect(),
            dispatchers: dispatchers.into_iter().collect(),
            components: components.into_iter().collect(),
        };
        self
    }

    /// Runs it as this process: with its arguments, environment, streams and signals. The one thing left to do is to return
    /// the exit code from `main`.
    ///
    /// If a signal ended the run, it is raised again with its default action after everything was written and taken down, so
    /// this does not return.
    pub fn run(self) -> std::process::ExitCode {
        let mut words = std::env::args_os();
        let invocation = Invocation {
            program: words.next().unwrap_or_default(),
            environment: crate::config::load::process_environment(),
            ..Invocation::new(words)
        };
        let (relay, warning) = match self.front(&invocation) {
            Front::Here { relay, warning } => (relay, warning),
            Front::Elsewhere(code) => return code,
        };
        logging::install();
        if let Some(warning) = warning {
            tracing::warn!("{warning}");
        }
        let console = Console::process();
        let invocation = Invocation {
            width: console.width(),
            ..invocation
        };
        let Ended { code, signal } = self.execute(invocation, &console, Signals::OfProcess(relay));
        console.flush_free();
        if let Some(signal) = signal {
            signal::raise_again(signal);
        }
        code.into()
    }

    fn front(&self, invocation: &Invocation) -> Front {
        let Some(before_start) = self.before_start else {
            return Front::Here {
                relay: None,
                warning: None,
            };
        };
        before_start(&Start {
            application: &self.info.clone().invocation(invocation.clone()),
            parts: &self.parts,
            chosen: self.chosen.as_deref(),
        })
    }

    /// Runs it inside another program, for tests and embedding: nothing of the process is read or changed, signals are left
    /// alone.
    pub fn run_with(self, invocation: Invocation, console: &Console) -> ExitCode {
        self.execute(invocation, console, Signals::LeftAlone).code
    }

    fn execute(self, invocation: Invocation, console: &Console, signals: Signals) -> Ended {
        let own_variables = self.own_variables.clone();
        let invocation = Invocation {
            own_variables,
            ..invocation
        };
        Run::new(self, invocation, console.clone(), signals).run()
    }
}

impl Parts {
    /// The extensions, checked, and the components.
    ///
    /// # Errors
    /// All components that clash.
    pub(super) fn registries(
        self,
    ) -> Result<(ExtensionRegistry, ComponentRegistry), Vec<ComponentConflict>> {
        match self {
            Self::Linked => {
                let extensions = ZAF_EXTENSIONS.iter().chain(BUILT_IN_EXTENSIONS).copied();
                let dispatchers = ZAF_DISPATCHERS.iter().copied();
                Ok((
                    ExtensionRegistry::new(extensions, dispatchers),
                    ComponentRegistry::linked()?,
                ))
            }
            Self::Listed {
                extensions,
                dispatchers,
                components,
            } => Ok((
                ExtensionRegistry::new(extensions, dispatchers),
                ComponentRegistry::new(components)?,
            )),
        }
    }
}
