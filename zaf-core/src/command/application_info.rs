//! Who the application is, for everything that is made for it.

use std::sync::Arc;

/// Who an application is for: decides which commands and options it shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ApplicationContext {
    /// For the developers of extensions.
    Internal,
    /// For users who add extensions of their own.
    #[default]
    Extendable,
    /// For users who take it as it is.
    Standalone,
}

/// Who the application is. Cheap to clone; never changes during a run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApplicationInfo {
    /// Name of the program, as users type it.
    pub name: Arc<str>,
    /// Version of the program.
    pub version: Arc<str>,
    /// What the names of its environment variables begin with, without the underscore, upper case.
    pub environment_prefix: Arc<str>,
    /// Who it is for.
    pub context: ApplicationContext,
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
            name,
            version: version.into(),
            context: ApplicationContext::default(),
        }
    }

    /// With another environment prefix.
    #[must_use]
    pub fn environment_prefix(mut self, prefix: impl Into<Arc<str>>) -> Self {
        self.environment_prefix = prefix.into();
        self
    }

    /// For other users.
    #[must_use]
    pub fn context(mut self, context: ApplicationContext) -> Self {
        self.context = context;
        self
    }
}
