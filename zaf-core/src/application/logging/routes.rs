//! Which sinks there are and which of them want a record.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use arc_swap::{ArcSwap, ArcSwapOption};
use camino::{Utf8Path, Utf8PathBuf};
use parking_lot::Mutex;
use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata};

use super::file::{LogFile, Rotation, Written};
use super::levels::Levels;
use super::mask::Masks;
use super::record::Record;
use super::render::{LogFormat, Look, console};
use crate::attribution;

/// Name of the file for what is logged outside of scopes.
const SESSION_FILE: &str = "session.log";

/// What the configuration says about the log.
#[derive(Debug, Clone)]
pub(crate) struct LogSettings {
    pub(crate) console: Levels,
    pub(crate) console_format: LogFormat,
    pub(crate) files: FileSettings,
}

/// What the configuration says about log files.
#[derive(Debug, Clone)]
pub(crate) struct FileSettings {
    pub(crate) levels: Levels,
    pub(crate) format: LogFormat,
    /// Where they are written; none: where the command wants them.
    pub(crate) directory: Option<Utf8PathBuf>,
    /// Bytes after which a file is put aside.
    pub(crate) size: u64,
    /// How many older files of the session are kept.
    pub(crate) keep: u64,
}

/// Where records go. See the [module](super).
pub(super) struct Routes {
    shown: ArcSwap<Shown>,
    /// None: no files are written.
    files: ArcSwapOption<Files>,
    /// What the configuration says about files, until somebody says where they are.
    wanted: Mutex<Option<FileSettings>>,
    out: Mutex<Box<dyn Write + Send>>,
    pub(super) masks: Masks,
    pub(super) scopes: super::scope::Scopes,
    problem_was_said: AtomicBool,
    /// Whether the console has it, too.
    problem_was_shown: AtomicBool,
    /// What the first problem was.
    problem: Mutex<Option<String>>,
    lost: AtomicU64,
}

/// What the console shows.
#[derive(Debug)]
struct Shown {
    levels: Levels,
    format: LogFormat,
    look: Look,
}

/// Log files that are written.
#[derive(Debug)]
pub(super) struct Files {
    levels: Levels,
    format: LogFormat,
    directory: Utf8PathBuf,
    size: u64,
    pub(super) session: LogFile,
}

impl Files {
    /// A file for a scope.
    pub(super) fn for_scope(&self, name: &str) -> LogFile {
        let rotation = Rotation {
            size: self.size,
            // The beginning and the end of it, of the same length.
            keep: 1,
        };
        LogFile::afresh(self.directory.join(name), rotation)
    }
}

/// Which sinks want a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wanted {
    console: bool,
    file: bool,
}

impl Wanted {
    pub(super) fn by_anybody(self) -> bool {
        self.console || self.file
    }
}

impl Routes {
    pub(super) fn new(out: Box<dyn Write + Send>, look: Look, level: LevelFilter) -> Self {
        let shown = Shown {
            levels: Levels::all(level),
            format: LogFormat::Text,
            look,
        };
        Self {
            shown: ArcSwap::from_pointee(shown),
            files: ArcSwapOption::empty(),
            wanted: Mutex::new(None),
            out: Mutex::new(out),
            masks: Masks::default(),
            scopes: super::scope::Scopes::default(),
            problem_was_said: AtomicBool::new(false),
            problem_was_shown: AtomicBool::new(false),
            problem: Mutex::new(None),
            lost: AtomicU64::new(0),
        }
    }

    pub(super) fn configure(&self, settings: LogSettings) {
        let LogSettings {
            console,
            console_format,
            files,
        } = settings;
        let look = Look {
            names: console.most() > LevelFilter::WARN,
            ..self.shown.load().look
        };
        self.shown.store(Arc::new(Shown {
            levels: console,
            format: console_format,
            look,
        }));
        let directory = files.directory.clone();
        *self.wanted.lock() = Some(files);
        if let Some(directory) = directory {
            self.begin_files(directory);
        }
    }

    /// Begins to write files, if they are wanted and nobody has begun.
    pub(super) fn begin_files(&self, directory: Utf8PathBuf) {
        let wanted = self.wanted.lock().take();
        let Some(wanted) = wanted else {
            return;
        };
        if wanted.levels.most() == LevelFilter::OFF {
            return;
        }
        let rotation = Rotation {
            size: wanted.size,
            keep: wanted.keep,
        };
        self.files.store(Some(Arc::new(Files {
            session: LogFile::new(directory.join(SESSION_FILE), rotation),
            levels: wanted.levels,
            format: wanted.format,
            size: wanted.size,
            directory,
        })));
    }

    pub(super) fn files(&self) -> Option<Arc<Files>> {
        self.files.load_full()
    }

    /// The most talkative level that any sink wants.
    pub(super) fn most(&self) -> LevelFilter {
        let of_files = self.files.load().as_ref().map(|files| files.levels.most());
        let of_console = self.shown.load().levels.most();
        of_files.map_or(of_console, |files| files.max(of_console))
    }

    /// Which sinks want a record of this origin. Looks at levels only.
    pub(super) fn wanted(&self, metadata: &Metadata<'_>) -> Wanted {
        let (level, target) = (*metadata.level(), metadata.target());
        let wants = |levels: &Levels| levels.wants(level, target, attribution::current);
        Wanted {
            console: wants(&self.shown.load().levels),
            file: (self.files.load().as_ref()).is_some_and(|files| wants(&files.levels)),
        }
    }

    /// Writes a record to those that want it; `scope` is the file that it belongs to, if it has one.
    pub(super) fn write(&self, record: &Record<'_>, wanted: Wanted, scope: Option<&LogFile>) {
        if wanted.console {
            let shown = self.shown.load();
            let line = match shown.format {
                LogFormat::Text => console(record, shown.look),
                LogFormat::Json => LogFormat::Json.line(record),
            };
            self.show(&line);
        }
        if !wanted.file {
            return;
        }
        let files = self.files.load();
        let Some(files) = files.as_ref() else {
            return;
        };
        let line = files.format.line(record);
        let mut file = scope.unwrap_or(&files.session);
        let mut outcome = file.write(&line);
        if matches!(outcome, Written::Closed) {
            // It comes from a thread that outlived its scope.
            file = &files.session;
            outcome = file.write(&line);
        }
        if let Written::Lost(error) = outcome {
            self.lost.fetch_add(1, Ordering::Relaxed);
            if let Some(error) = error {
                self.tell_problem(file.path(), &error);
            }
        }
    }

    fn show(&self, line: &str) {
        let mut out = self.out.lock();
        // There is nobody left to tell.
        drop(out.write_all(line.as_bytes()).and_then(|()| out.flush()));
    }

    /// Says on the console that a file cannot be written, the first time that one cannot.
    fn tell_problem(&self, path: &Utf8Path, error: &std::io::Error) {
        if self.problem_was_said.swap(true, Ordering::Relaxed) {
            return;
        }
        let text = format!("log file {path} cannot be written: {error}");
        let said = format!("{text}; the command goes on without it");
        *self.problem.lock() = Some(text);
        let record = Record {
            time: jiff::Timestamp::now(),
            level: Level::WARN,
            target: module_path!(),
            extension: None,
            scope: None,
            thread: String::new(),
            message: said,
            fields: Vec::new(),
        };
        if self.shown.load().levels.general() >= LevelFilter::WARN {
            let wanted = Wanted {
                console: true,
                file: false,
            };
            self.write(&record, wanted, None);
            self.problem_was_shown.store(true, Ordering::Relaxed);
        }
    }

    /// Why files are not complete.
    pub(super) fn problem(&self) -> Option<String> {
        let first = self.problem.lock().clone()?;
        Some(format!("{first}; {}", self.missing()))
    }

    /// The same, without what the console has already.
    pub(super) fn rest_of_problem(&self) -> Option<String> {
        let problem = self.problem()?;
        let is_known = self.problem_was_shown.load(Ordering::Relaxed);
        Some(if is_known {
            format!("log files are not complete: {}", self.missing())
        } else {
            problem
        })
    }

    fn missing(&self) -> String {
        match self.lost.load(Ordering::Relaxed) {
            1 => "1 record is missing".to_owned(),
            lost => format!("{lost} records are missing"),
        }
    }
}

impl std::fmt::Debug for Routes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Routes")
            .field("shown", &self.shown)
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}
