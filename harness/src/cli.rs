//! A program in a home of its own: how a whole application is tested as its users start it.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::HarnessError;
use crate::cli_session::CliSession;

/// A temporary home with a working directory in it, and a program. Both directories vanish when this is dropped.
///
/// ```
/// use zaf_harness::CliHarness;
///
/// # fn main() -> zaf_harness::TestResult {
/// let cli = CliHarness::new("/bin/sh")?;
/// cli.write("greeting", "hello")?;
/// let ended = cli.run(["-c", "cat greeting; exit 3"])?;
/// assert_eq!((ended.code, ended.stdout.as_str()), (Some(3), "hello"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct CliHarness {
    program: PathBuf,
    home: tempfile::TempDir,
}

/// How a program ended, and what it wrote. On a terminal everything is in `stdout`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CliEnded {
    /// Exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// Number of the signal that ended it.
    pub signal: Option<i32>,
    /// Standard output; invalid UTF-8 is replaced.
    pub stdout: String,
    /// Standard error; invalid UTF-8 is replaced.
    pub stderr: String,
}

impl fmt::Display for CliEnded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code, self.signal) {
            (Some(code), _) => write!(f, "exit code {code}")?,
            (None, Some(signal)) => write!(f, "signal {signal}")?,
            (None, None) => f.write_str("no end")?,
        }
        write!(f, "; stdout: {:?}; stderr: {:?}", self.stdout, self.stderr)
    }
}

impl CliHarness {
    /// A new home for this program, usually `env!("CARGO_BIN_EXE_…")`.
    ///
    /// # Errors
    /// [`HarnessError::Cli`] if there is no place for directories.
    pub fn new(program: impl Into<PathBuf>) -> Result<Self, HarnessError> {
        let home = tempfile::tempdir().map_err(HarnessError::cli("no temporary directory"))?;
        fs::create_dir(home.path().join("work"))
            .map_err(HarnessError::cli("no working directory"))?;
        let program = program.into();
        Ok(Self { program, home })
    }

    /// The home directory.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// The working directory, `work` in the home.
    pub fn directory(&self) -> PathBuf {
        self.home.path().join("work")
    }

    /// Writes a file below the working directory, with the directories it needs.
    ///
    /// # Errors
    /// [`HarnessError::Cli`].
    pub fn write(&self, name: &str, text: &str) -> Result<PathBuf, HarnessError> {
        let path = self.directory().join(name);
        let directory = path.parent().unwrap_or(self.home.path());
        fs::create_dir_all(directory)
            .and_then(|()| fs::write(&path, text))
            .map_err(HarnessError::cli(format!("`{name}` cannot be written")))?;
        Ok(path)
    }

    /// Writes a shell script that can be executed.
    ///
    /// # Errors
    /// [`HarnessError::Cli`].
    pub fn script(&self, name: &str, body: &str) -> Result<PathBuf, HarnessError> {
        let path = self.write(name, &format!("#!/bin/sh\n{body}\n"))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))
            .map_err(HarnessError::cli(format!("`{name}` cannot be executed")))?;
        Ok(path)
    }

    /// Reads a file below the working directory.
    ///
    /// # Errors
    /// [`HarnessError::Cli`].
    pub fn read(&self, name: &str) -> Result<String, HarnessError> {
        fs::read_to_string(self.directory().join(name))
            .map_err(HarnessError::cli(format!("`{name}` cannot be read")))
    }

    /// Begins to say how the program is started.
    pub fn command(
        &self,
        arguments: impl IntoIterator<Item = impl Into<OsString>>,
    ) -> CliCommand<'_> {
        CliCommand {
            harness: self,
            arguments: arguments.into_iter().map(Into::into).collect(),
            environment: Vec::new(),
            terminal: None,
            limit: Duration::from_mins(1),
        }
    }

    /// Runs the program without a terminal and with an empty standard input, for at most 60 s.
    ///
    /// # Errors
    /// As [`CliSession::wait`].
    pub fn run(
        &self,
        arguments: impl IntoIterator<Item = impl Into<OsString>>,
    ) -> Result<CliEnded, HarnessError> {
        self.command(arguments).start()?.wait()
    }
}

/// How a program is started. The environment is empty but for `HOME`, `PATH`, `LANG=C.UTF-8`, on a terminal `TERM=xterm-256color`,
/// and the mark by which what it leaves behind is found.
#[derive(Debug)]
#[must_use = "nothing runs before `start`"]
pub struct CliCommand<'a> {
    pub(crate) harness: &'a CliHarness,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) environment: Vec<(OsString, OsString)>,
    /// Columns and rows.
    pub(crate) terminal: Option<(u16, u16)>,
    pub(crate) limit: Duration,
}

impl CliCommand<'_> {
    /// Sets an environment variable.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        let variable = (name.as_ref().to_owned(), value.as_ref().to_owned());
        self.environment.push(variable);
        self
    }

    /// Runs it in a session of its own on a terminal of this size, so that control characters become signals.
    pub fn terminal(mut self, columns: u16, rows: u16) -> Self {
        self.terminal = Some((columns, rows));
        self
    }

    /// Kills it after this long instead of 60 s.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// [`HarnessError::Cli`] if there is no such program, or no terminal.
    pub fn start(self) -> Result<CliSession, HarnessError> {
        CliSession::start(&self)
    }

    pub(crate) fn program(&self) -> &Path {
        &self.harness.program
    }
}
