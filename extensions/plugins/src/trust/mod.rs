//! What the user said about plugins, and what plugins said about themselves: kept in the user's state directory.
//!
//! - `trusted.json`: folders of plugins with their digests, written by `trust`.
//! - `descriptions/DIGEST.json`: what a plugin with this digest said when it was asked. So options and handlers of a plugin are known
//!   without running it.
//!
//! Both are believed only if nobody else may write them.

mod command;
mod probe;

pub use command::{TRUST_COMMAND, TRUST_DIR, TRUST_LIST, TRUST_REMOVE, trust};
pub use probe::{PROBE_FILE, PROBE_PLUGIN_COMMAND, probe_plugin};

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use zaf_core::command::ApplicationInfo;

use crate::package::{Digest, Insecure, Package, path_is_safe};
use crate::protocol::Description;

/// Version of the files: another one is not read.
const SCHEMA: u32 = 1;

/// The place in which all this is kept.
#[derive(Debug, Clone)]
pub struct TrustStore {
    /// None if the user has no place for it.
    directory: Option<PathBuf>,
}

/// One plugin that the user trusts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trusted {
    /// Its folder, absolute and without links.
    pub path: PathBuf,
    /// What it consisted of then.
    pub digest: Digest,
    /// The name that it gave itself.
    pub name: String,
    /// Its version, for people.
    pub version: String,
}

/// The state of plugins cannot be read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TrustError {
    /// There is no place for it.
    #[error(
        "there is no place to keep what is trusted: neither `XDG_STATE_HOME` nor `HOME` is an absolute path"
    )]
    NoPlace,
    /// Somebody else may have written it.
    #[error("what is trusted is not believed")]
    Insecure(#[from] Insecure),
    /// It cannot be read.
    #[error("cannot read `{}`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It cannot be written.
    #[error("cannot write `{}`", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Its text is wrong.
    #[error("`{}` is damaged: {problem}; remove it and trust your plugins again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
}

#[derive(Serialize, Deserialize)]
struct TrustedFile {
    schema: u32,
    plugins: Vec<Trusted>,
}

#[derive(Serialize, Deserialize)]
struct DescriptionFile {
    schema: u32,
    description: Description,
}

impl TrustStore {
    /// That of the user of an application: `$XDG_STATE_HOME/NAME/plugins` or `~/.local/state/NAME/plugins`.
    pub fn of(application: &ApplicationInfo) -> Self {
        let place = state_home(&application.invocation.environment);
        Self {
            directory: place.map(|place| place.join(&*application.name).join("plugins")),
        }
    }

    /// All that is trusted, in the order of the paths.
    ///
    /// # Errors
    /// [`TrustError`]; without a file nothing is trusted.
    pub fn trusted(&self) -> Result<Vec<Trusted>, TrustError> {
        let Some(directory) = &self.directory else {
            return Ok(Vec::new());
        };
        let file: Option<TrustedFile> = read(&directory.join("trusted.json"))?;
        match file {
            Some(file) if file.schema == SCHEMA => Ok(file.plugins),
            Some(file) => Err(TrustError::Damaged {
                path: directory.join("trusted.json"),
                problem: format!("its schema is {}, expected {SCHEMA}", file.schema),
            }),
            None => Ok(Vec::new()),
        }
    }

    /// Replaces what is trusted.
    ///
    /// # Errors
    /// [`TrustError`]; then it is as it was.
    pub fn write(&self, mut plugins: Vec<Trusted>) -> Result<(), TrustError> {
        plugins.sort_by(|one, other| one.path.cmp(&other.path));
        let file = TrustedFile {
            schema: SCHEMA,
            plugins,
        };
        write(&self.place()?.join("trusted.json"), &file)
    }

    /// What a plugin with this digest said about itself; none if it was never asked, or if that cannot be read any more.
    pub fn description(&self, digest: &Digest) -> Option<Description> {
        let path = self.description_file(digest)?;
        match read::<DescriptionFile>(&path) {
            Ok(Some(file)) if file.schema == SCHEMA => Some(file.description),
            Ok(_) => None,
            Err(error) => {
                tracing::warn!("{error}; the plugin is asked again");
                None
            }
        }
    }

    /// Keeps what a plugin said about itself.
    ///
    /// # Errors
    /// [`TrustError`].
    pub fn keep(&self, package: &Package, description: &Description) -> Result<(), TrustError> {
        let path = self
            .description_file(&package.digest)
            .ok_or(TrustError::NoPlace)?;
        let file = DescriptionFile {
            schema: SCHEMA,
            description: description.clone(),
        };
        write(&path, &file)
    }

    fn description_file(&self, digest: &Digest) -> Option<PathBuf> {
        let directory = self.directory.as_ref()?.join("descriptions");
        Some(directory.join(format!("{digest}.json")))
    }

    fn place(&self) -> Result<&Path, TrustError> {
        self.directory.as_deref().ok_or(TrustError::NoPlace)
    }
}

/// Where the state of applications of the user is.
///
/// Source: XDG Base Directory Specification.
fn state_home(environment: &[(OsString, OsString)]) -> Option<PathBuf> {
    let variable = |wanted: &str| {
        let found = environment
            .iter()
            .find(|(key, _)| key == OsStr::new(wanted))?;
        let path = PathBuf::from(&found.1);
        path.is_absolute().then_some(path)
    };
    variable("XDG_STATE_HOME").or_else(|| Some(variable("HOME")?.join(".local/state")))
}

/// Reads a file that nobody else may write; none if it is not there.
fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, TrustError> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(TrustError::Unreadable {
                path: path.to_owned(),
                source,
            });
        }
    };
    path_is_safe(path)?;
    if let Some(directory) = path.parent() {
        path_is_safe(directory)?;
    }
    serde_json::from_str(&text)
        .map(Some)
        .map_err(|error| TrustError::Damaged {
            path: path.to_owned(),
            problem: error.to_string(),
        })
}

/// Writes a file as a whole, for the user alone.
fn write(path: &Path, content: &impl Serialize) -> Result<(), TrustError> {
    let unwritable = |source| TrustError::Unwritable {
        path: path.to_owned(),
        source,
    };
    let mut text = serde_json::to_vec_pretty(content).map_err(|error| unwritable(error.into()))?;
    text.push(b'\n');
    let directory = path.parent().unwrap_or(path);
    std::os::unix::fs::DirBuilderExt::mode(&mut std::fs::DirBuilder::new(), 0o700)
        .recursive(true)
        .create(directory)
        .map_err(unwritable)?;
    // Its mode is 0600.
    let mut file = tempfile::NamedTempFile::new_in(directory).map_err(unwritable)?;
    file.write_all(&text).map_err(unwritable)?;
    file.persist(path)
        .map_err(|error| unwritable(error.error))?;
    Ok(())
}
