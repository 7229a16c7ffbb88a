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

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    /// A folder with a program of this text.
    fn folder(place: &Path, text: &str) -> PathBuf {
        let folder = fs::canonicalize(place).unwrap().join("one");
        fs::create_dir_all(&folder).unwrap();
        fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
        for (name, text, mode) in [
            (MANIFEST, "run = [\"main\", \"fast\"]", 0o644),
            ("main", text, 0o755),
        ] {
            let file = folder.join(name);
            fs::write(&file, text).unwrap();
            fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
        }
        folder
    }

    fn content(package: &Package) -> Vec<u8> {
        let mut content = vec![0; 64];
        let length = rustix::io::pread(&*package.opened, &mut *content, 0).unwrap();
        content.truncate(length);
        content
    }

    #[test]
    fn everything_in_the_folder_counts() {
        let place = tempfile::tempdir().unwrap();
        let folder = folder(place.path(), "#!/bin/sh\n");
        let digest = || Package::read(&folder, false).unwrap().digest;
        let first = digest();
        assert_eq!(first.to_string().len(), 64);
        assert_eq!(digest(), first);
        let mut seen = vec![first];
        let mut is_new = |digest: Digest| {
            assert!(!seen.contains(&digest));
            seen.push(digest);
        };
        let module = folder.join("module.py");
        fs::write(&module, "x").unwrap();
        fs::set_permissions(&module, Permissions::from_mode(0o644)).unwrap();
        is_new(digest());
        fs::set_permissions(&module, Permissions::from_mode(0o755)).unwrap();
        is_new(digest());
        fs::rename(&module, folder.join("other.py")).unwrap();
        is_new(digest());
        fs::create_dir(folder.join("empty")).unwrap();
        fs::set_permissions(folder.join("empty"), Permissions::from_mode(0o755)).unwrap();
        is_new(digest());
        std::os::unix::fs::symlink("other.py", folder.join("link")).unwrap();
        is_new(digest());
        fs::write(folder.join("main"), "#!/bin/bash\n").unwrap();
        is_new(digest());
    }

    #[test]
    fn what_cannot_be_run_is_said_with_why() {
        let place = tempfile::tempdir().unwrap();
        let folder = folder(place.path(), "#!/bin/sh\n");
        let problem = || {
            let error = zaf_core::Error::from(Package::read(&folder, false).unwrap_err());
            let chain: Vec<String> = error.chain().map(ToString::to_string).collect();
            chain.join(": ")
        };
        let main = folder.join("main");
        fs::set_permissions(&main, Permissions::from_mode(0o644)).unwrap();
        assert!(
            problem().contains("not executable (mode 0644)"),
            "{}",
            problem()
        );
        fs::remove_file(&main).unwrap();
        assert!(
            problem().contains("which cannot be opened: No such file"),
            "{}",
            problem()
        );
        fs::create_dir(&main).unwrap();
        assert!(problem().contains("no regular file"), "{}", problem());
        fs::remove_dir(&main).unwrap();
        std::os::unix::fs::symlink("/bin/sh", &main).unwrap();
        assert!(problem().contains("cannot be opened"), "{}", problem());
        fs::remove_file(folder.join(MANIFEST)).unwrap();
        assert!(problem().starts_with("cannot read `"), "{}", problem());
    }

    #[test]
    fn c19_what_is_checked_is_what_is_opened_however_often_it_is_exchanged() {
        const ROUNDS: usize = 10_000;
        let place = tempfile::tempdir().unwrap();
        let folder = folder(place.path(), "good");
        let main = folder.join("main");
        let (good, evil) = (place.path().join("good"), place.path().join("evil"));
        let digest_of = |text: &str| {
            fs::write(&main, text).unwrap();
            Package::read(&folder, false).unwrap().digest
        };
        let (of_evil, of_good) = (digest_of("evil"), digest_of("good"));
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let exchanging = scope.spawn(|| {
                let mut exchanges = 0;
                while !is_over.load(Ordering::Relaxed) {
                    for (file, text) in [(&evil, "evil"), (&good, "good")] {
                        fs::write(file, text).unwrap();
                        fs::set_permissions(file, Permissions::from_mode(0o755)).unwrap();
                        fs::rename(file, &main).unwrap();
                        exchanges += 1;
                    }
                }
                exchanges
            });
            for _ in 0..ROUNDS {
                let package = Package::read(&folder, false).unwrap();
                let expected: &[u8] = if package.digest == of_good {
                    b"good"
                } else {
                    assert_eq!(package.digest, of_evil);
                    b"evil"
                };
                assert_eq!(content(&package), expected);
            }
            is_over.store(true, Ordering::Relaxed);
            assert!(exchanging.join().unwrap() > 0);
        });
    }
}
