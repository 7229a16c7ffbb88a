//! What a plugin is started from, and how long each step may take.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What a plugin is started from.
#[derive(Debug, Clone)]
pub struct Launch {
    /// Absolute path of the program or library, for texts and as the program's own name.
    pub file: PathBuf,
    /// The same file, opened and checked by the caller: this is what is run, whatever stands at the path by now. None: the path.
    pub opened: Option<Arc<OwnedFd>>,
    /// Arguments of the program; no shell reads them. Libraries have none.
    pub arguments: Vec<OsString>,
    /// Working directory of the program; none: that of this process.
    pub directory: Option<PathBuf>,
    /// All variables of the environment that the program gets.
    pub environment: Vec<(OsString, OsString)>,
    /// For libraries: a program with arguments that calls [`serve_probe`](super::serve_probe) with the path behind them. It opens the
    /// library first, and may die of it. None: nobody does.
    pub probe: Option<Vec<OsString>>,
    /// What the plugin is called, if it has said so before: for what is told before it says so again.
    pub name: Option<String>,
    /// Name and version of the host, which it tells the plugin.
    pub host: (String, String),
    /// How long each step may take.
    pub deadlines: Deadlines,
}

impl Launch {
    /// Without arguments, with an empty environment.
    pub fn new(file: impl Into<PathBuf>) -> Self {
        Self {
            file: file.into(),
            opened: None,
            arguments: Vec::new(),
            directory: None,
            environment: Vec::new(),
            probe: None,
            name: None,
            host: ("zaf".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
            deadlines: Deadlines::default(),
        }
    }
}

/// How long each step of a plugin may take before it is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// Until the constructors of a library have returned in this process: one that does not return holds the lock of the system's
    /// loader, and with it everything, so then the process ends (exit code 7). None: however long it takes. Half a minute.
    pub open: Option<Duration>,
    /// Until it has said what it is, with the start of its process. Five seconds.
    pub describe: Duration,
    /// Until it has begun. Ten seconds.
    pub start: Duration,
    /// Until it has handled a message. A minute.
    pub deliver: Duration,
    /// Until it has ended after it was asked to; as long again after it was told to (SIGTERM). Two seconds.
    pub stop: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self {
            open: Some(Duration::from_secs(30)),
            describe: Duration::from_secs(5),
            start: Duration::from_secs(10),
            deliver: Duration::from_mins(1),
            stop: Duration::from_secs(2),
        }
    }
}
