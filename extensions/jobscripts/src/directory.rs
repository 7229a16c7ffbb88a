//! Which scripts there are.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use camino::Utf8PathBuf;
use rustix::fs::{Access, access};
use thiserror::Error;

/// A directory of scripts that cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// It cannot be read.
    #[error("cannot read the directory of scripts `{path}`")]
    Unreadable {
        /// Which.
        path: Utf8PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// A directory that holds scripts, if it is there.
#[derive(Debug)]
pub(crate) struct Directory {
    /// None if the user has no place for configuration.
    path: Option<Utf8PathBuf>,
    warns: bool,
}

impl Directory {
    /// `told`, or `default` in the place of the user's configuration of the application called `name`.
    pub(crate) fn new(
        told: Option<Utf8PathBuf>,
        default: &str,
        name: &str,
        environment: &[(OsString, OsString)],
        warns: bool,
    ) -> Self {
        let variable = |wanted: &str| {
            let found = environment
                .iter()
                .find(|(key, _)| key == OsStr::new(wanted));
            let path = Utf8PathBuf::from(found?.1.to_str()?);
            path.is_absolute().then_some(path)
        };
        let user = || {
            let home = || Some(variable("HOME")?.join(".config"));
            let place = variable("XDG_CONFIG_HOME").or_else(home)?;
            Some(place.join(name).join("job").join(default))
        };
        Self {
            path: told.or_else(user),
            warns,
        }
    }

    /// All files in it that this user may read and execute, hidden ones too, by the bytes of their paths.
    ///
    /// # Errors
    /// If it cannot be read. One that is not there has no scripts.
    pub(crate) fn scripts(&self) -> Result<Vec<PathBuf>, DirectoryError> {
        let Some(path) = &self.path else {
            return Ok(Vec::new());
        };
        let unreadable = |source| DirectoryError::Unreadable {
            path: path.clone(),
            source,
        };
        let entries = match path.as_std_path().read_dir() {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if self.warns {
                    tracing::warn!("the directory of scripts `{path}` does not exist");
                }
                return Ok(Vec::new());
            }
            Err(error) => return Err(unreadable(error)),
        };
        let mut scripts = Vec::new();
        for entry in entries {
            let script = entry.map_err(unreadable)?.path();
            let wanted = Access::READ_OK | Access::EXEC_OK;
            if script.is_file() && access(&script, wanted).is_ok() {
                scripts.push(script);
            }
        }
        scripts.sort_by(|a, b| {
            let (a, b) = (a.as_os_str(), b.as_os_str());
            a.as_bytes().cmp(b.as_bytes())
        });
        Ok(scripts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(told: Option<&str>, environment: &[(&str, &str)]) -> Option<String> {
        let environment: Vec<(OsString, OsString)> = environment
            .iter()
            .map(|(key, value)| (key.into(), value.into()))
            .collect();
        let told = told.map(Utf8PathBuf::from);
        let directory = Directory::new(told, "pre.d", "demo", &environment, false);
        directory.path.map(Utf8PathBuf::into_string)
    }

    #[test]
    fn the_directory_is_that_of_the_option_or_of_the_user() {
        let home = ("HOME", "/home/me");
        assert_eq!(place(Some("x"), &[home]).as_deref(), Some("x"));
        let default = place(None, &[home]);
        assert_eq!(default.as_deref(), Some("/home/me/.config/demo/job/pre.d"));
        let moved = place(None, &[home, ("XDG_CONFIG_HOME", "/x")]);
        assert_eq!(moved.as_deref(), Some("/x/demo/job/pre.d"));
        assert_eq!(place(None, &[("HOME", "relative")]), None);
    }
}
