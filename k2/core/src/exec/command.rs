//! What to run.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::supervisor::ExitStatus;

/// How a command may end without being a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expected {
    /// With this exit code.
    Code(i32),
    /// With an exit code other than 0, or by a signal.
    Failure,
    /// In any way.
    Anything,
}

impl Expected {
    /// Whether this end is one of those.
    pub fn allows(self, exit: ExitStatus) -> bool {
        match self {
            Self::Code(code) => exit == ExitStatus::Code(code),
            Self::Failure => exit != ExitStatus::Code(0),
            Self::Anything => true,
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Failure => f.write_str("an exit code other than 0"),
            Self::Anything => f.write_str("any end"),
        }
    }
}

/// A program with its arguments, or a line for the shell `/bin/sh`, and how it is run.
///
/// ```
/// # use std::time::Duration;
/// # use k2_core as k2;
/// use k2::exec::{Command, Expected};
///
/// let plain = Command::new("git").arguments(["status", "--short"]);
/// let piped = Command::shell("ls | wc -l").timeout(Duration::from_secs(2));
/// let refused = Command::new("git").argument("frobnicate").expect(Expected::Code(1));
/// assert_eq!(plain.to_string(), "git status --short");
/// assert_eq!(piped.to_string(), "sh -c 'ls | wc -l'");
/// # assert_eq!(refused.expected(), Expected::Code(1));
/// ```
#[derive(Clone)]
pub struct Command {
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<OsString>,
    pub(super) environment: Vec<(OsString, OsString)>,
    pub(super) directory: Option<PathBuf>,
    pub(super) timeout: Option<Duration>,
    pub(super) grace: Duration,
    pub(super) expected: Expected,
    pub(super) input: Vec<u8>,
}

impl Command {
    /// Time that [`Exec::run`](super::Exec::run) gives a command unless another is set.
    pub const TIMEOUT: Duration = Duration::from_mins(1);
    /// Time between asking it to end and killing it, unless another is set.
    pub const GRACE: Duration = Duration::from_secs(2);

    /// A program; a name without a slash is looked up in `PATH`. No shell reads its arguments.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            directory: None,
            timeout: Some(Self::TIMEOUT),
            grace: Self::GRACE,
            expected: Expected::Code(0),
            input: Vec::new(),
        }
    }

    /// A line for `/bin/sh`: pipes, quotes, variables and all.
    pub fn shell(line: impl Into<OsString>) -> Self {
        Self::new("sh").argument("-c").argument(line)
    }

    /// Adds an argument.
    #[must_use]
    pub fn argument(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn arguments<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Adds a variable to the environment; the last of equal names wins.
    #[must_use]
    pub fn variable(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Adds variables to the environment.
    #[must_use]
    pub fn variables<N: Into<OsString>, V: Into<OsString>>(
        mut self,
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let variables = variables.into_iter();
        self.environment
            .extend(variables.map(|(name, value)| (name.into(), value.into())));
        self
    }

    /// Runs it in that directory.
    #[must_use]
    pub fn directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Ends it after that time: SIGTERM, and SIGKILL after the grace.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Lets it run as long as the case does: for servers.
    #[must_use]
    pub fn without_timeout(mut self) -> Self {
        self.timeout = None;
        self
    }

    /// Sets the time between asking it to end and killing it.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Says how it has to end; otherwise with exit code 0.
    #[must_use]
    pub fn expect(mut self, expected: Expected) -> Self {
        self.expected = expected;
        self
    }

    /// What it reads first. With [`Exec::run`](super::Exec::run) that is all, and it sees the end of its input then.
    #[must_use]
    pub fn input(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.input = bytes.into();
        self
    }

    /// How it has to end.
    pub fn expected(&self) -> Expected {
        self.expected
    }

    /// The program.
    pub fn program(&self) -> &std::path::Path {
        &self.program
    }

    /// The arguments, without the program.
    pub fn argument_list(&self) -> &[OsString] {
        &self.arguments
    }

    /// The variables that it has in addition.
    pub fn variable_list(&self) -> &[(OsString, OsString)] {
        &self.environment
    }

    /// Where it runs, if that was said.
    pub fn working_directory(&self) -> Option<&std::path::Path> {
        self.directory.as_deref()
    }

    /// Its time limit.
    pub fn time_limit(&self) -> Option<Duration> {
        self.timeout
    }

    /// Time between asking it to end and killing it.
    pub fn grace_time(&self) -> Duration {
        self.grace
    }
}

impl fmt::Display for Command {
    /// As one would type it into a shell; without variables and input, which may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = std::iter::once(self.program.as_os_str());
        let words = words.chain(self.arguments.iter().map(OsString::as_os_str));
        for (index, word) in words.enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(&quoted(word))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.environment.iter().map(|(name, _)| name);
        f.debug_struct("Command")
            .field("line", &self.to_string())
            .field("variables", &names.collect::<Vec<_>>())
            .field("directory", &self.directory)
            .field("timeout", &self.timeout)
            .field("expected", &self.expected)
            .finish_non_exhaustive()
    }
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.into_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
