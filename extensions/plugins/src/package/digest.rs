//! What a plugin consists of, as one number.
//!
//! Everything in its folder counts: names, what may be executed, contents, where links lead. So a plugin that was trusted is no longer
//! when a single module of it has changed.

use std::fmt::{self, Write as _};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::check;
use super::{Insecure, InsecureProblem};

/// Most files and directories of a plugin: a package of modules, no data set.
const MOST_FILES: usize = 10_000;
/// Most bytes of all files together.
const MOST_BYTES: u64 = 256 << 20;
/// How deep directories may lie in each other.
const DEEPEST: usize = 32;

/// SHA-256 of everything in the folder of a plugin, as hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(String);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The folder of a plugin cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DigestError {
    /// A file cannot be read.
    #[error("cannot read `{}`, a part of a plugin", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file that others may change.
    #[error(transparent)]
    Insecure(#[from] Insecure),
    /// There is too much in it.
    #[error("the folder `{}` has more than {MOST_FILES} files or {} MiB; a plugin is smaller", path.display(), MOST_BYTES >> 20)]
    TooLarge {
        /// The folder.
        path: PathBuf,
    },
    /// Something that is neither a file, nor a directory, nor a link.
    #[error("`{}` is neither a file nor a directory nor a link", path.display())]
    Odd {
        /// What it is about.
        path: PathBuf,
    },
}

impl Digest {
    /// The digest of a folder. `main` is read from `opened`, whatever stands at its path by now.
    ///
    /// # Errors
    /// [`DigestError`]; unless `insecure`, also for files that others may write, and links that lead out of the folder.
    pub(super) fn of(
        directory: &Path,
        main: &Path,
        opened: &OwnedFd,
        insecure: bool,
    ) -> Result<Self, DigestError> {
        let mut walk = Walk {
            root: directory,
            main,
            opened,
            insecure,
            files: 0,
            bytes: 0,
            sum: Sha256::new(),
        };
        walk.directory(directory, 0)?;
        let digest = walk.sum.finalize();
        let mut digits = String::with_capacity(64);
        for byte in digest {
            // Writing to a string cannot fail.
            let _ = write!(digits, "{byte:02x}");
        }
        Ok(Self(digits))
    }
}

struct Walk<'a> {
    root: &'a Path,
    main: &'a Path,
    opened: &'a OwnedFd,
    insecure: bool,
    files: usize,
    bytes: u64,
    sum: Sha256,
}

impl Walk<'_> {
    /// Adds what is in a directory, by name.
    fn directory(&mut self, directory: &Path, depth: usize) -> Result<(), DigestError> {
        let unreadable = |source| DigestError::Unreadable {
            path: directory.to_owned(),
            source,
        };
        let mut names = Vec::new();
        for entry in std::fs::read_dir(directory).map_err(unreadable)? {
            names.push(entry.map_err(unreadable)?.file_name());
            self.files += 1;
            if self.files > MOST_FILES || depth > DEEPEST {
                return Err(DigestError::TooLarge {
                    path: self.root.to_owned(),
                });
            }
        }
        names.sort();
        for name in names {
            self.entry(&directory.join(name), depth)?;
        }
        Ok(())
    }

    fn entry(&mut self, path: &Path, depth: usize) -> Result<(), DigestError> {
        if !self.insecure {
            check::path(path)?;
        }
        let unreadable = |source| DigestError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let state = std::fs::symlink_metadata(path).map_err(unreadable)?;
        let kind = state.file_type();
        let name = path.strip_prefix(self.root).unwrap_or(path);
        if kind.is_dir() {
            self.part(b"d", name.as_os_str().as_bytes());
            self.directory(path, depth + 1)
        } else if kind.is_symlink() {
            let target = std::fs::read_link(path).map_err(unreadable)?;
            self.part(b"l", name.as_os_str().as_bytes());
            self.part(b"t", target.as_os_str().as_bytes());
            self.stays_inside(path, target)
        } else if kind.is_file() {
            let is_executable = std::os::unix::fs::MetadataExt::mode(&state) & 0o111 != 0;
            let mark: &[u8] = if is_executable { b"x" } else { b"f" };
            self.part(mark, name.as_os_str().as_bytes());
            self.content(path).map_err(unreadable)?;
            if self.bytes > MOST_BYTES {
                return Err(DigestError::TooLarge {
                    path: self.root.to_owned(),
                });
            }
            Ok(())
        } else {
            Err(DigestError::Odd {
                path: path.to_owned(),
            })
        }
    }

    /// A link that leads out of the folder leads to what is not part of the digest.
    fn stays_inside(&self, path: &Path, target: PathBuf) -> Result<(), DigestError> {
        let is_inside = std::fs::canonicalize(path).is_ok_and(|real| real.starts_with(self.root));
        if is_inside || self.insecure {
            return Ok(());
        }
        Err(Insecure {
            path: path.to_owned(),
            problem: InsecureProblem::Link { target },
        }
        .into())
    }

    /// Marks where a part begins and how long it is, so that no two folders give the same bytes.
    fn part(&mut self, mark: &[u8], bytes: &[u8]) {
        self.sum.update(mark);
        self.sum.update((bytes.len() as u64).to_le_bytes());
        self.sum.update(bytes);
    }

    fn content(&mut self, path: &Path) -> io::Result<()> {
        let mut content = Sha256::new();
        let mut buffer = vec![0; 64 * 1024];
        if path == self.main {
            let mut at = 0;
            loop {
                let read = rustix::io::pread(self.opened.as_fd(), &mut *buffer, at)?;
                if read == 0 || self.bytes > MOST_BYTES {
                    break;
                }
                content.update(&buffer[..read]);
                at += read as u64;
                self.bytes += read as u64;
            }
        } else {
            let mut file = File::open(path)?;
            loop {
                let read = file.read(&mut buffer)?;
                if read == 0 || self.bytes > MOST_BYTES {
                    break;
                }
                content.update(&buffer[..read]);
                self.bytes += read as u64;
            }
        }
        let content = content.finalize();
        self.part(b"c", &content);
        Ok(())
    }
}
