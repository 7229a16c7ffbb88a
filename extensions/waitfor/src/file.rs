//! Waiting for a file.

use std::fs;
use std::io::{ErrorKind, Read};
use std::path::PathBuf;

use k2::exec::{Command, Exec};
use zaf_core::prelude::*;

use crate::wait::{Look, Matched, WaitFor, regex, tail};

/// Largest part of a file that is read at each look: its beginning.
const LONGEST: u64 = 64 * 1024 * 1024;

/// A wait for a file; made by [`WaitFor::file`].
#[derive(Debug, Clone)]
pub struct WaitForFile<'a> {
    wait: &'a WaitFor,
    path: PathBuf,
    exec: Option<Exec>,
}

impl<'a> WaitForFile<'a> {
    pub(crate) fn new(wait: &'a WaitFor, path: PathBuf) -> Self {
        Self {
            wait,
            path,
            exec: None,
        }
    }

    /// Reads the file with `cat` where `exec` runs commands, rather than on this machine. A command that fails means that it is not
    /// there yet.
    #[must_use]
    pub fn on(mut self, exec: &Exec) -> Self {
        self.exec = Some(exec.clone());
        self
    }

    /// Waits until there is something at the path and it can be read.
    ///
    /// # Errors
    /// When the time is over, or the case is asked to end.
    pub fn exists(&self) -> Result<()> {
        self.wait.until(&self.what(), |_| match self.read() {
            Ok(_) => Look::There(()),
            Err(seen) => Look::NotYet(seen),
        })
    }

    /// Waits until what the file holds matches a regular expression.
    ///
    /// # Errors
    /// When the pattern is none, the time is over, or the case is asked to end.
    pub fn matches(&self, pattern: &str) -> Result<Matched> {
        let regex = regex(pattern)?;
        let what = format!("a match of `{pattern}` in {}", self.what());
        self.wait.until(&what, |_| match self.read() {
            Ok(text) => match Matched::in_text(&regex, &text) {
                Some(found) => Look::There(found),
                None if text.is_empty() => Look::NotYet("it is empty".to_owned()),
                None => Look::NotYet(format!("it ends with: {}", tail(&text))),
            },
            Err(seen) => Look::NotYet(seen),
        })
    }

    fn what(&self) -> String {
        match &self.exec {
            Some(exec) => format!("`{}` {}", self.path.display(), exec.place()),
            None => format!("`{}`", self.path.display()),
        }
    }

    /// Its text, or why there is none.
    fn read(&self) -> Result<String, String> {
        if let Some(exec) = &self.exec {
            let cat = Command::new("cat").argument("--").argument(&self.path);
            let finished = exec.run(&cat).map_err(|error| error.to_string())?;
            return Ok(finished.stdout);
        }
        let mut bytes = Vec::new();
        fs::File::open(&self.path)
            .and_then(|file| {
                if file.metadata()?.is_dir() {
                    return Ok(0);
                }
                file.take(LONGEST).read_to_end(&mut bytes)
            })
            .map_err(|error| match error.kind() {
                ErrorKind::NotFound => "there is no such file".to_owned(),
                _ => error.to_string(),
            })?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}
