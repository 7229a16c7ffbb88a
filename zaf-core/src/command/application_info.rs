//! Who the application is, for everything that is made for it.

use std::sync::Arc;

use super::Invocation;
use crate::config::ApplicationContext;

/// Who the application is. Cheap to clone; never changes during a run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApplicationInfo {
    /// Name of the application: of its configuration files and, upper case, of its environment variables.
    pub name: Arc<str>,
    /// Word that users type to start it.
    pub program: Arc<str>,
    /// One sentence for the help; may be empty.
    pub about: Arc<str>,
    /// Version of the program.
    pub version: Arc<str>,
    /// What the names of its environment variables begin with, without the underscore, upper case.
    pub environment_prefix: Arc<str>,
    /// Who it is for.
    pub context: ApplicationContext,
    /// What it was started with.
    pub invocation: Arc<Invocation>,
}

impl ApplicationInfo {
    /// An application for users who add extensions, with the environment prefix that its name gives: upper case, dashes and
    /// dots as underscores.
    pub fn new(name: impl Into<Arc<str>>, version: impl Into<Arc<str>>) -> Self {
        let name = name.into();
        Self {
            environment_prefix: name
                .to_ascii_uppercase()
                .replace(|letter: char| !letter.is_ascii_alphanumeric(), "_")
                .into(),
            program: Arc::clone(&name),
            name,
            about: "".into(),
            version: version.into(),
            context: ApplicationContext::default(),
            invocation: Arc::default(),
        }
    }

    /// With another environment prefix.
    #[must_use]
    pub fn environment_prefix(mut self, prefix: impl Into<Arc<str>>) -> Self {
        self.environment_prefix = prefix.into();
        self
    }

    /// Started by another word than its name.
    #[must_use]
    pub fn program(mut self, program: impl Into<Arc<str>>) -> Self {
        self.program = program.into();
        self
    }

    /// Described by this sentence.
    #[must_use]
    pub fn about(mut self, about: impl Into<Arc<str>>) -> Self {
        self.about = about.into();
        self
    }

    /// Started like this.
    #[must_use]
    pub fn invocation(mut self, invocation: Invocation) -> Self {
        self.invocation = Arc::new(invocation);
        self
    }

    /// For other users.
    #[must_use]
    pub fn context(mut self, context: ApplicationContext) -> Self {
        self.context = context;
        self
    }
}
