//! What can go wrong in a workspace.

use std::io;

use camino::Utf8PathBuf;
use thiserror::Error;

/// A workspace or a port could not be had or used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WorkspaceError {
    /// The system refused something.
    #[error("cannot {action} `{path}`")]
    Io {
        /// What was to be done, for example `create the file`.
        action: &'static str,
        /// With what.
        path: Utf8PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A path that leads out of the workspace.
    #[error("`{path}` is not inside the workspace: give a path relative to it, without `..`")]
    Outside {
        /// The path.
        path: Utf8PathBuf,
    },
    /// There is no free port.
    #[error("cannot find a free {kind} port")]
    NoPort {
        /// `TCP` or `UDP`.
        kind: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}
