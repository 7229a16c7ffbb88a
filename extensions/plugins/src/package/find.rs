//! Which plugins there are in a directory: folders with a manifest, one level deep, by name.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::MANIFEST;

/// What a path of plugins leads to.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    /// Folders of plugins, absolute and without links, by name.
    pub folders: Vec<PathBuf>,
    /// Links to folders elsewhere: what they lead to is not in the directory that the user named.
    pub links: Vec<PathBuf>,
}

/// A path of plugins that cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FindError {
    /// Nothing is there.
    #[error("`{}` does not exist", path.display())]
    Missing {
        /// The path.
        path: PathBuf,
    },
    /// It is a file.
    #[error("`{}` is not a directory", path.display())]
    NotADirectory {
        /// The path.
        path: PathBuf,
    },
    /// It cannot be read.
    #[error("`{}` cannot be read: {source}", path.display())]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The plugins of a directory; if it has a manifest itself, it is the one.
///
/// Only names are looked at, and for each folder whether it has a manifest: what else lies there costs nothing.
///
/// # Errors
/// [`FindError`].
pub fn find(path: &Path) -> Result<Found, FindError> {
    let of = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => FindError::Missing {
            path: path.to_owned(),
        },
        io::ErrorKind::NotADirectory => FindError::NotADirectory {
            path: path.to_owned(),
        },
        _ => FindError::Unreadable {
            path: path.to_owned(),
            source,
        },
    };
    let real = std::fs::canonicalize(path).map_err(of)?;
    let entries = std::fs::read_dir(&real).map_err(of)?;
    let mut found = Found {
        folders: Vec::new(),
        links: Vec::new(),
    };
    if has_manifest(&real) {
        found.folders.push(real);
        return Ok(found);
    }
    for entry in entries {
        let entry = entry.map_err(of)?;
        let kind = entry.file_type().map_err(of)?;
        let folder = real.join(entry.file_name());
        if kind.is_dir() && has_manifest(&folder) {
            found.folders.push(folder);
        } else if kind.is_symlink() && has_manifest(&folder) {
            // A name for a neighbour is harmless; that one is found by its own name.
            let is_inside = std::fs::canonicalize(&folder).is_ok_and(|to| to.starts_with(&real));
            if !is_inside {
                found.links.push(folder);
            }
        }
    }
    found.folders.sort();
    found.links.sort();
    Ok(found)
}

fn has_manifest(folder: &Path) -> bool {
    folder.join(MANIFEST).symlink_metadata().is_ok()
}
