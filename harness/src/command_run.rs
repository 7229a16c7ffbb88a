//! Runs of commands in a whole application, inside of the test.

use std::any::{TypeId, type_name};
use std::ffi::OsString;
use std::fmt;

use zaf_core::application::{Application, Console, ExitCode};
use zaf_core::builtin;
use zaf_core::command::Invocation;
use zaf_core::config::Priority;
use zaf_core::extension::{Extension, ExtensionRegistry};
use zaf_core::private::ZAF_COMPONENTS;

use crate::logs::LogGroup;
use crate::{HarnessBuilder, HarnessError, Logs};

/// How a command ended.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CommandRun {
    /// Exit code.
    pub code: ExitCode,
    /// What was written to standard output.
    pub stdout: String,
    /// What was written to standard error; failures are shown there.
    pub stderr: String,
    /// What was logged.
    pub logs: Logs,
}

impl CommandRun {
    /// The run, if it ended with this code.
    ///
    /// # Errors
    /// [`HarnessError::ExitCode`] with the output.
    pub fn expect_code(self, code: ExitCode) -> Result<Self, HarnessError> {
        if self.code == code {
            return Ok(self);
        }
        Err(HarnessError::ExitCode {
            expected: code.code(),
            got: self.code.code(),
            output: self.to_string(),
        })
    }

    /// The run, if it ended with code 0.
    ///
    /// # Errors
    /// As [`expect_code`](Self::expect_code).
    pub fn expect_success(self) -> Result<Self, HarnessError> {
        self.expect_code(ExitCode::Success)
    }
}

impl fmt::Display for CommandRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |text: &str| if text.is_empty() { "nothing\n" } else { "" }.to_owned() + text;
        write!(
            f,
            "stdout: {}stderr: {}",
            part(&self.stdout),
            part(&self.stderr)
        )
    }
}

impl<E: Extension> HarnessBuilder<E> {
    /// Also takes this extension into the application of [`run_command`](Self::run_command): one that adds the command that `E`
    /// extends, or that `E` needs.
    #[must_use]
    pub fn with_extension<O: Extension>(mut self) -> Self {
        self.others.push((TypeId::of::<O>(), type_name::<O>()));
        self
    }

    /// Sets an environment variable for the application of [`run_command`](Self::run_command), which sees no other ones: neither
    /// those of the test nor those of other tests. Options are read from variables that begin with `HARNESS_`.
    #[must_use]
    pub fn variable(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// Runs a command line, without the program's name, in an application of this extension and the built-in ones: reads the
    /// arguments, loads, runs the command, destroys. The environment is empty but for each [`variable`](Self::variable).
    /// Components, messages and configuration of the builder are there; what variables and arguments say wins over the
    /// configuration.
    ///
    /// Whatever goes wrong is what a user would see: exit code and text on standard error.
    ///
    /// # Errors
    /// [`HarnessError::NotRegistered`].
    pub fn run_command(
        self,
        arguments: impl IntoIterator<Item = impl Into<OsString>>,
    ) -> Result<CommandRun, HarnessError> {
        let mut extensions = builtin::EXTENSIONS.to_vec();
        let mut dispatchers = Vec::new();
        let own = (TypeId::of::<E>(), type_name::<E>());
        for (type_id, name) in [own].into_iter().chain(self.others) {
            let linked = ExtensionRegistry::linked_type(type_id);
            if linked.extensions().is_empty() {
                return Err(HarnessError::NotRegistered { name });
            }
            for extension in linked.extensions() {
                extensions.push(extension.descriptor);
                dispatchers.extend(extension.dispatchers.iter().copied());
            }
        }
        let components: Vec<_> = match &self.registry {
            Some(registry) => registry.iter().copied().collect(),
            None => ZAF_COMPONENTS.iter().copied().collect(),
        };
        let mut application = Application::new("harness")
            .version(env!("CARGO_PKG_VERSION"))
            .clock(self.clock)
            .made_of(extensions, dispatchers, components);
        for setting in self.settings {
            application = application.configured(|store| setting(store, Priority::APPLICATION));
        }
        for (endpoint, messages) in self.definitions {
            application = application.define(endpoint, messages);
        }
        for provide in self.components {
            application = application.provided(provide);
        }
        let group = LogGroup::begin();
        let _in_group = group.enter();
        let (console, captured) = Console::captured();
        let invocation = Invocation::new(arguments).environment(self.variables);
        let code = application.run_with(invocation, &console);
        Ok(CommandRun {
            code,
            stdout: captured.stdout(),
            stderr: captured.stderr(),
            logs: group.logs(),
        })
    }
}
