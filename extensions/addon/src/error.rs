//! What can go wrong while addons are written and looked at.

use std::io;

use camino::Utf8PathBuf;
use thiserror::Error;

use crate::name::NameError;

/// Why nothing was written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AddonError {
    /// The name is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// An answer is missing, and there is nobody to ask.
    #[error("{what} was not said; without a terminal, and with `--yes`, nothing is asked")]
    Unknown {
        /// What is missing.
        what: &'static str,
    },
    /// An answer is wrong.
    #[error("`{answer}` is no {what}: expected {expected}")]
    Answer {
        /// What was asked for.
        what: &'static str,
        /// The answer, printable.
        answer: String,
        /// What would have been right.
        expected: String,
    },
    /// There is something in the place already.
    #[error("`{path}` is there already; nothing was changed")]
    Exists {
        /// The place.
        path: Utf8PathBuf,
    },
    /// Something of the workspace cannot be used.
    #[error("`{path}` cannot be used: {reason}")]
    Workspace {
        /// The file.
        path: Utf8PathBuf,
        /// Why not.
        reason: String,
    },
    /// Templates cannot be used.
    #[error("the templates `{path}` cannot be used: {reason}")]
    Templates {
        /// The file or directory.
        path: Utf8PathBuf,
        /// Why not.
        reason: String,
    },
    /// A template is wrong.
    #[error("the template of `{path}` is wrong")]
    Render {
        /// The file that it makes.
        path: Utf8PathBuf,
        /// What is wrong.
        #[source]
        source: minijinja::Error,
    },
    /// Nothing could be written; what was is gone again.
    #[error("cannot write `{path}`; nothing was changed")]
    Write {
        /// The file.
        path: Utf8PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The questions were broken off.
    #[error("broken off; nothing was changed")]
    BrokenOff,
    /// The terminal cannot be used for questions.
    #[error("the terminal cannot be used for questions: {0}")]
    Terminal(String),
}
