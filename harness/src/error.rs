//! What can keep a test of an extension from going on.

use zaf_core::component::ComponentConflict;
use zaf_core::extension::LoadError;

/// A harness could not be started or did not get what it waited for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HarnessError {
    /// The type is not registered as an extension.
    #[error("`{name}` has no `#[framework_extension]` or `#[command_extension]`")]
    NotRegistered {
        /// Name of the type.
        name: &'static str,
    },
    /// The extension could not be registered or made.
    #[error("the extension could not be started: {}", with_causes(.0))]
    Load(Vec<LoadError>),
    /// Two components cannot be told apart.
    #[error("components contradict each other: {}", list(.0))]
    Components(Vec<ComponentConflict>),
    /// The extension needs an entity that nobody chose.
    #[error(
        "extension `{extension}` is instantiated per entity of `{option}`; name one with `.entity(\"…\")`"
    )]
    EntityMissing {
        /// Name of the extension.
        extension: &'static str,
        /// Key of the option that names its entities.
        option: &'static str,
    },
    /// An entity was chosen for an extension that has none.
    #[error(
        "extension `{extension}` is not instantiated per entity, so it cannot be made for `{entity}`"
    )]
    EntityUnexpected {
        /// Name of the extension.
        extension: &'static str,
        /// The chosen entity.
        entity: String,
    },
    /// The chosen entity is not among those that the configuration names.
    #[error("`{entity}` is no entity of `{option}`, which names: {known}")]
    EntityUnknown {
        /// The chosen entity.
        entity: String,
        /// Key of the option.
        option: &'static str,
        /// What it names, separated by commas.
        known: String,
    },
    /// An expected message did not come.
    #[error("expected {expected} within {waited:?}; got: {got}")]
    NoMessage {
        /// Names of the messages that were waited for.
        expected: String,
        /// How long.
        waited: std::time::Duration,
        /// What came before, oldest first.
        got: String,
    },
    /// Messages came that nobody expected.
    #[error("expected nothing else; got: {got}")]
    Unexpected {
        /// The messages, oldest first.
        got: String,
    },
    /// An expected log record is not there.
    #[error("expected a log record {expected}; got: {got}")]
    NoLog {
        /// Level and text.
        expected: String,
        /// What was logged, oldest first.
        got: String,
    },
    /// Something was logged that should not have been.
    #[error("expected no log records from {level} on; got: {got}")]
    Logged {
        /// The least serious level that counts.
        level: tracing::Level,
        /// What was logged, oldest first.
        got: String,
    },
    /// A command ended with another exit code than the expected one.
    #[error("expected exit code {expected}, got {got}; {output}")]
    ExitCode {
        /// The expected code.
        expected: u8,
        /// The code it ended with.
        got: u8,
        /// What it wrote.
        output: String,
    },
    /// A program, its home or its terminal cannot be used.
    #[error("{what}")]
    Cli {
        /// What cannot be done.
        what: String,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// A program did not write what was waited for.
    #[error("expected {expected:?} on standard output; got: {got}")]
    NoOutput {
        /// The text.
        expected: String,
        /// What it wrote.
        got: String,
    },
    /// A program did not end in time and was killed.
    #[error("it was killed after {limit:?}: {output}")]
    TimeLimit {
        /// Its limit.
        limit: std::time::Duration,
        /// How it ended, and what it wrote.
        output: String,
    },
    /// A program ended and left processes behind, which were killed.
    #[error("it left behind: {processes}; {output}")]
    LeftBehind {
        /// Their numbers and command lines.
        processes: String,
        /// How it ended, and what it wrote.
        output: String,
    },
    /// The extension, or a component, could not be ended in order.
    #[error("it could not be ended: {0}")]
    Destroy(String),
}

impl HarnessError {
    /// Makes an error of what the system says.
    pub(crate) fn cli(what: impl Into<String>) -> impl Fn(std::io::Error) -> Self {
        let what = what.into();
        move |cause| Self::Cli {
            what: what.clone(),
            cause,
        }
    }
}

/// With what each is caused by: a test shows nothing but this line.
fn with_causes(errors: &[LoadError]) -> String {
    let text = |error: &LoadError| {
        let mut text = error.to_string();
        let mut next = std::error::Error::source(error);
        while let Some(cause) = next {
            text.extend([": ", &cause.to_string()]);
            next = cause.source();
        }
        text
    };
    list(&errors.iter().map(text).collect::<Vec<_>>())
}

fn list<T: std::fmt::Display>(items: &[T]) -> String {
    let items: Vec<_> = items.iter().map(ToString::to_string).collect();
    items.join("; ")
}
