//! What will be written, and writing it: all of it or nothing.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;

use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::{CWD, RenameFlags};

use crate::error::AddonError;
use crate::replacement::{Replacements, changes};
use crate::staging;
use crate::workspace::Edit;

/// A new directory with its files, and edits of files that exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The directory that is made; its parent too if only that is missing.
    pub(crate) directory: Utf8PathBuf,
    /// What is in it, by relative path.
    pub(crate) files: BTreeMap<Utf8PathBuf, String>,
    /// What else changes.
    pub(crate) edits: Vec<Edit>,
    /// The product that links it from then on, if one does.
    pub(crate) product: Option<String>,
}

impl Plan {
    /// The plan in words: a line for each file, and the lines that edits add or take away.
    pub(crate) fn describe(&self) -> String {
        let mut text = String::new();
        for (path, content) in &self.files {
            let lines = content.lines().count();
            let _ = writeln!(
                text,
                "new     {} ({lines} lines)",
                self.directory.join(path)
            );
        }
        text += &changes(&self.edits);
        text
    }

    /// Writes it. The directory is made beside its place and moved there when it is complete; files that change are replaced by
    /// complete ones. If anything fails, what was done is undone.
    ///
    /// # Errors
    /// [`AddonError::Exists`] if something is in the place of the directory, whatever it is; [`AddonError::Write`].
    pub(crate) fn write(&self) -> Result<(), AddonError> {
        let parent = self.directory.parent().unwrap_or(Utf8Path::new("/"));
        let unwritten = |path: &Utf8Path| {
            let path = path.to_owned();
            move |source| AddonError::Write { path, source }
        };
        if self.directory.symlink_metadata().is_ok() {
            return Err(AddonError::Exists {
                path: self.directory.clone(),
            });
        }
        let _empty_is_taken_away = Parent::made(parent).map_err(unwritten(parent))?;
        staging::sweep(parent);
        let made = tempfile::Builder::new()
            .prefix(staging::PREFIX)
            // As any directory that is made: what the umask leaves of it.
            .permissions(std::fs::Permissions::from_mode(0o777))
            .tempdir_in(parent)
            .map_err(unwritten(parent))?;
        let place = Utf8Path::from_path(made.path())
            .unwrap_or(parent)
            .to_owned();
        let _held = staging::hold(&place).map_err(unwritten(parent))?;
        for (path, content) in &self.files {
            let target = place.join(path);
            write_new(&target, content).map_err(unwritten(&self.directory.join(path)))?;
        }
        let replacements = Replacements::prepared(&self.edits)?;
        // Refuses whatever is there, a link that leads elsewhere too.
        rustix::fs::renameat_with(
            CWD,
            place.as_str(),
            CWD,
            self.directory.as_str(),
            RenameFlags::NOREPLACE,
        )
        .map_err(|error| match error {
            rustix::io::Errno::EXIST => AddonError::Exists {
                path: self.directory.clone(),
            },
            error => AddonError::Write {
                path: self.directory.clone(),
                source: error.into(),
            },
        })?;
        // It has moved: there is nothing left to remove.
        let _moved = made.keep();
        if let Err(error) = replacements.commit() {
            if let Err(error) = std::fs::remove_dir_all(&self.directory) {
                tracing::error!(%error, "`{}` could not be taken away again", self.directory);
            }
            return Err(error);
        }
        Ok(())
    }
}

/// The directory that the new one is made in; taken away again if this made it and nothing came into it.
struct Parent<'a>(Option<&'a Utf8Path>);

impl<'a> Parent<'a> {
    fn made(path: &'a Utf8Path) -> io::Result<Self> {
        match std::fs::create_dir(path) {
            Ok(()) => Ok(Self(Some(path))),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Self(None)),
            Err(error) => Err(error),
        }
    }
}

impl Drop for Parent<'_> {
    fn drop(&mut self) {
        if let Some(path) = self.0 {
            // Fails if something is in it, and then it stays.
            let _kept = std::fs::remove_dir(path);
        }
    }
}

fn write_new(path: &Utf8Path, content: &str) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)?;
    }
    let mut file = std::fs::File::create_new(path)?;
    file.write_all(content.as_bytes())?;
    file.sync_all()
}
