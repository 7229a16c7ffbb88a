//! What to run, and within which limits.

use std::ffi::OsString;
use std::fmt;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::phases::PhaseWatch;
use crate::case::{CaseId, ProcessCase};

/// Environment variable that carries [`ProcessSpec::execution`], by which stray processes are recognised.
pub const EXECUTION_VARIABLE: &str = "K2_EXECUTION";

/// Environment variable that carries the id of the case.
pub const CASE_ID_VARIABLE: &str = "K2_CASE_ID";

/// Environment variable with the absolute path of a directory: what the case leaves there is attached to its result. It does not exist
/// until the case makes it.
pub const ATTACHMENTS_VARIABLE: &str = "K2_ATTACHMENTS_DIR";

/// The environment variables that the processes of every case have.
pub const VARIABLES_OF_A_CASE: [&str; 3] =
    [CASE_ID_VARIABLE, EXECUTION_VARIABLE, ATTACHMENTS_VARIABLE];

/// Files for output that is too long for memory.
#[derive(Debug, Clone)]
pub struct OutputFiles {
    /// File for standard output; missing directories are made.
    pub stdout: PathBuf,
    /// File for standard error.
    pub stderr: PathBuf,
    /// Longest either may get, in bytes.
    pub limit: u64,
    /// Write them also when everything fits in memory, unless nothing was written at all.
    pub always: bool,
}

impl OutputFiles {
    /// Largest file unless another limit is set: 100 MiB.
    pub const LIMIT: u64 = 100 * 1024 * 1024;

    /// Files with the usual limit, written only when they are needed.
    pub fn new(stdout: impl Into<PathBuf>, stderr: impl Into<PathBuf>) -> Self {
        Self {
            stdout: stdout.into(),
            stderr: stderr.into(),
            limit: Self::LIMIT,
            always: false,
        }
    }
}

/// One of the outputs of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OutputStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl fmt::Display for OutputStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Stdout => "standard output",
            Self::Stderr => "standard error",
        })
    }
}

/// Is told of a process while it runs, on the thread that runs it: what takes long here, or waits, keeps the process from being
/// watched.
pub trait ProcessWatcher: fmt::Debug + Send + Sync {
    /// It was started.
    fn started(&self, pid: u32);

    /// It wrote this much more, cut wherever the pipe was read.
    fn wrote(&self, stream: OutputStream, bytes: &[u8]);

    /// Calls `look`, which says whether the process has ended, and if so takes its number from it. Who sends signals to that number
    /// holds a lock around both.
    fn look_for_end(&self, look: &mut dyn FnMut() -> bool) {
        look();
    }
}

/// A process to run.
#[derive(Debug, Clone)]
pub struct ProcessSpec {
    /// Program; a name without a slash is looked up in `PATH`.
    pub program: PathBuf,
    /// Arguments without the program's name.
    pub arguments: Vec<OsString>,
    /// Variables in addition to the inherited ones; the last of equal names wins.
    pub environment: Vec<(OsString, OsString)>,
    /// Names of inherited variables that it does not get.
    pub without: Vec<OsString>,
    /// Whether it inherits the variables that are [withheld](super::withhold).
    pub inherits_secrets: bool,
    /// Working directory; by default that of this process.
    pub directory: Option<PathBuf>,
    /// Longest time until it is asked to end; `None` means no limit.
    pub timeout: Option<Duration>,
    /// Time between asking it to end and killing it.
    pub grace: Duration,
    /// Time that descendants may go on after it has ended, before they count as leaked and are killed.
    pub leak_timeout: Duration,
    /// Where output beyond what fits in memory goes; without files it is dropped and counted.
    pub files: Option<OutputFiles>,
    /// Different for each execution, also across runs: the variable `K2_EXECUTION` by which stray processes are found. One that
    /// begins with this and a slash belongs to a run inside this execution, and its processes to this execution too.
    pub execution: Option<String>,
    /// Standard input; without one the process reads an empty one.
    pub input: Option<Arc<OwnedFd>>,
    /// Is told of it while it runs.
    pub watcher: Option<Arc<dyn ProcessWatcher>>,
    /// How much memory it and each process that it starts may have, in bytes.
    pub memory: Option<u64>,
    /// Limits of the parts of what it does, of which it tells.
    pub(crate) phases: Option<Arc<PhaseWatch>>,
}

impl ProcessSpec {
    /// Grace unless another is set.
    pub const GRACE: Duration = Duration::from_secs(10);
    /// Leak time-out unless another is set.
    pub const LEAK_TIMEOUT: Duration = Duration::from_millis(200);

    /// A program without arguments and without a time limit.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            without: Vec::new(),
            inherits_secrets: false,
            directory: None,
            timeout: None,
            grace: Self::GRACE,
            leak_timeout: Self::LEAK_TIMEOUT,
            files: None,
            execution: None,
            input: None,
            watcher: None,
            memory: None,
            phases: None,
        }
    }

    /// The process of a case. It sees its id as `K2_CASE_ID` and `execution` as `K2_EXECUTION`.
    pub fn for_case(process: &ProcessCase, id: &CaseId, execution: impl Into<String>) -> Self {
        // A variable cannot hold NUL, an id can.
        let visible_id = id.as_str().replace('\0', "\u{2400}");
        let mut environment = process.environment.clone();
        environment.push((CASE_ID_VARIABLE.into(), visible_id.into()));
        Self {
            arguments: process.arguments.clone(),
            environment,
            directory: process.directory.clone(),
            execution: Some(execution.into()),
            ..Self::new(&process.program)
        }
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

    /// Adds a variable.
    #[must_use]
    pub fn variable(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Sets the time limit.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets the time between asking to end and killing.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Sets the files for output.
    #[must_use]
    pub fn files(mut self, files: OutputFiles) -> Self {
        self.files = Some(files);
        self
    }

    /// Sets the cookie.
    #[must_use]
    pub fn execution(mut self, execution: impl Into<String>) -> Self {
        self.execution = Some(execution.into());
        self
    }

    /// Sets what it reads.
    #[must_use]
    pub fn input(mut self, input: impl Into<OwnedFd>) -> Self {
        self.input = Some(Arc::new(input.into()));
        self
    }

    /// Sets who is told of it while it runs.
    #[must_use]
    pub fn watcher(mut self, watcher: Arc<dyn ProcessWatcher>) -> Self {
        self.watcher = Some(watcher);
        self
    }
}
