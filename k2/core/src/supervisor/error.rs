//! Why a process could not be started.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use thiserror::Error;

/// A process could not be started, or not be watched.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SpawnError {
    /// The system refused.
    #[error("cannot start `{}`: {}{explanation}", program.display(), describe(error))]
    Start {
        /// The program as it was asked for.
        program: PathBuf,
        /// What the system said.
        error: io::Error,
        /// How often it was tried.
        attempts: u32,
        /// What that probably means, starting with `; `, or empty.
        explanation: String,
    },
    /// A variable that no process can have.
    #[error("cannot start `{}`: environment variable `{}` {reason}", program.display(), name.display())]
    Environment {
        /// The program as it was asked for.
        program: PathBuf,
        /// Name of the variable.
        name: OsString,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// It was started, but cannot be watched; it was killed again.
    #[error("cannot watch `{}`: {}", program.display(), describe(error))]
    Watch {
        /// The program as it was asked for.
        program: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

impl SpawnError {
    /// True when this process or the system has run out of file descriptors: fewer processes at a time may help.
    pub fn is_out_of_descriptors(&self) -> bool {
        match self {
            Self::Start { error, .. } | Self::Watch { error, .. } => matches!(
                Errno::from_io_error(error),
                Some(Errno::MFILE | Errno::NFILE)
            ),
            Self::Environment { .. } => false,
        }
    }

    pub(super) fn start(program: &Path, error: io::Error, attempts: u32) -> Self {
        Self::Start {
            explanation: explain(program, &error),
            program: program.to_owned(),
            error,
            attempts,
        }
    }
}

fn explain(program: &Path, error: &io::Error) -> String {
    match Errno::from_io_error(error) {
        Some(Errno::NOENT) if program.exists() => {
            "; the file exists, so its interpreter or its working directory does not".to_owned()
        }
        Some(Errno::NOEXEC) => "; it has no `#!` line, or was built for another machine".to_owned(),
        Some(Errno::ACCESS) if program.is_file() => {
            format!("; `chmod +x {}` makes it executable", program.display())
        }
        Some(Errno::TOOBIG) => "; arguments and environment are too long together".to_owned(),
        _ => String::new(),
    }
}

/// The system's words and the name of the error: `Permission denied (EACCES)`.
fn describe(error: &io::Error) -> String {
    let Some(errno) = Errno::from_io_error(error) else {
        return error.to_string();
    };
    let text = error.to_string();
    let words = text
        .split_once(" (os error")
        .map_or(text.as_str(), |(words, _)| words);
    match name(errno) {
        Some(name) => format!("{words} ({name})"),
        None => format!("{words} (errno {})", errno.raw_os_error()),
    }
}

fn name(errno: Errno) -> Option<&'static str> {
    Some(match errno {
        Errno::NOENT => "ENOENT",
        Errno::ACCESS => "EACCES",
        Errno::PERM => "EPERM",
        Errno::NOEXEC => "ENOEXEC",
        Errno::TXTBSY => "ETXTBSY",
        Errno::TOOBIG => "E2BIG",
        Errno::AGAIN => "EAGAIN",
        Errno::MFILE => "EMFILE",
        Errno::NFILE => "ENFILE",
        Errno::NOMEM => "ENOMEM",
        Errno::NOTDIR => "ENOTDIR",
        Errno::ISDIR => "EISDIR",
        Errno::LOOP => "ELOOP",
        Errno::NAMETOOLONG => "ENAMETOOLONG",
        Errno::INVAL => "EINVAL",
        Errno::IO => "EIO",
        Errno::LIBBAD => "ELIBBAD",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lack_of_descriptors_can_be_told_apart() {
        let error = |errno: Errno| SpawnError::start(Path::new("p"), errno.into(), 1);
        assert!(error(Errno::MFILE).is_out_of_descriptors());
        assert!(error(Errno::NFILE).is_out_of_descriptors());
        assert!(!error(Errno::NOENT).is_out_of_descriptors());
        assert!(error(Errno::MFILE).to_string().ends_with("(EMFILE)"));
    }
}
