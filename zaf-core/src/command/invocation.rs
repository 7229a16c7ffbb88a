//! What an application was started with.

use std::ffi::OsString;
use std::fmt;

use camino::Utf8PathBuf;

/// What an application was started with: the only way in which arguments, environment and working directory reach it, so that
/// tests and embedding programs decide about them. Never changes during a run.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Invocation {
    /// How the program was called, its first word; empty for the name of the application.
    pub program: OsString,
    /// Arguments without the program's name.
    pub arguments: Vec<OsString>,
    /// All environment variables.
    pub environment: Vec<(OsString, OsString)>,
    /// Where relative paths start; empty for the working directory of the process.
    pub directory: Utf8PathBuf,
    /// Columns of the terminal, 80 where there is none.
    pub width: usize,
    /// Environment variables with the application's prefix that are no options; nobody warns about them.
    pub own_variables: Vec<String>,
}

impl fmt::Debug for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Variables may be secrets, whoever's they are.
        f.debug_struct("Invocation")
            .field("program", &self.program)
            .field("arguments", &self.arguments)
            .field("environment", &self.environment.len())
            .field("directory", &self.directory)
            .field("width", &self.width)
            .finish_non_exhaustive()
    }
}

impl Default for Invocation {
    /// No arguments, an empty environment, the working directory of the process.
    fn default() -> Self {
        Self {
            program: OsString::new(),
            arguments: Vec::new(),
            environment: Vec::new(),
            directory: Utf8PathBuf::new(),
            width: 80,
            own_variables: Vec::new(),
        }
    }
}

impl Invocation {
    /// Started with these arguments, the program's name left out.
    pub fn new(arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        Self {
            arguments: arguments.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }

    /// With these environment variables.
    #[must_use]
    pub fn environment(
        mut self,
        variables: impl IntoIterator<Item = (impl Into<OsString>, impl Into<OsString>)>,
    ) -> Self {
        self.environment = variables
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        self
    }

    /// In this working directory.
    #[must_use]
    pub fn directory(mut self, directory: impl Into<Utf8PathBuf>) -> Self {
        self.directory = directory.into();
        self
    }
}
