//! A plugin as it lies in a directory: a folder with a manifest, everything that it is made of, and what that adds up to.

mod check;
mod digest;
mod find;
mod manifest;

pub(crate) use check::path as path_is_safe;
pub use check::{Insecure, InsecureProblem};
pub use digest::{Digest, DigestError};
pub use find::{FindError, Found, find};
pub use manifest::{MANIFEST, Manifest, ManifestError, Program};

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{Mode, OFlags};
use thiserror::Error;

/// A plugin that was read and checked, and is not running.
#[derive(Debug, Clone)]
pub struct Package {
    /// Its folder, absolute and without links.
    pub directory: PathBuf,
    /// What its manifest says.
    pub manifest: Manifest,
    /// The file that is run or loaded, absolute.
    pub file: PathBuf,
    /// That file, opened before it was checked: what is checked is what is run.
    pub opened: Arc<OwnedFd>,
    /// Digest of everything in the folder.
    pub digest: Digest,
}

/// Why a folder is no plugin that can be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PackageError {
    /// Somebody else could have changed it.
    #[error(transparent)]
    Insecure(#[from] Insecure),
    /// The manifest cannot be used.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// What it consists of cannot be read.
    #[error(transparent)]
    Digest(#[from] DigestError),
    /// The program or library is not there, or cannot be opened.
    #[error("the plugin `{}` names `{}`, which cannot be opened", directory.display(), file.display())]
    File {
        /// Folder of the plugin.
        directory: PathBuf,
        /// What it names.
        file: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl PackageError {
    /// Whether all that is wrong is that others may change it.
    pub fn is_insecure(&self) -> bool {
        matches!(
            self,
            Self::Insecure(_) | Self::Digest(DigestError::Insecure(_))
        )
    }
}

impl Package {
    /// Reads and checks the plugin in a folder. Nothing of it is run.
    ///
    /// The program is opened first and everything else is about what was opened: an exchange between the check and the start
    /// starts what was checked.
    ///
    /// # Errors
    /// The first thing that is wrong: the manifest, files that others may write (unless `insecure`), files that cannot be read.
    pub fn read(directory: &Path, insecure: bool) -> Result<Self, PackageError> {
        if !insecure {
            check::folder(directory)?;
        }
        let manifest = Manifest::read(directory)?;
        let file = directory.join(manifest.file());
        let unopened = |source: io::Error| PackageError::File {
            directory: directory.to_owned(),
            file: file.clone(),
            source,
        };
        let opened = rustix::fs::open(
            &file,
            OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK,
            Mode::empty(),
        )
        .map_err(|error| unopened(error.into()))?;
        let state = rustix::fs::fstat(&opened).map_err(|error| unopened(error.into()))?;
        if !rustix::fs::FileType::from_raw_mode(state.st_mode).is_file() {
            return Err(unopened(io::Error::other("it is no regular file")));
        }
        if !insecure {
            check::opened(&file, &state)?;
        }
        if matches!(manifest.program, Program::Run(_)) && state.st_mode & 0o111 == 0 {
            return Err(unopened(io::Error::other(format!(
                "it is not executable (mode {:04o}); `chmod +x` makes it so",
                state.st_mode & 0o7777
            ))));
        }
        let digest = Digest::of(directory, &file, &opened, insecure)?;
        Ok(Self {
            directory: directory.to_owned(),
            manifest,
            file,
            opened: Arc::new(opened),
            digest,
        })
    }

    /// Name of its folder: what it is called before it has said its name.
    pub fn folder(&self) -> String {
        folder_name(&self.directory)
    }

    /// The words after the program.
    pub fn arguments(&self) -> Vec<OsString> {
        match &self.manifest.program {
            Program::Run(words) => words.iter().skip(1).map(OsString::from).collect(),
            Program::Library(_) => Vec::new(),
        }
    }
}

/// Last part of a path, for people.
pub(crate) fn folder_name(directory: &Path) -> String {
    let name = directory.file_name().unwrap_or(directory.as_os_str());
    name.to_string_lossy().into_owned()
}
