//! Where log records go: to standard error, to a file of the session, to files of their own while something has a scope.
//!
//! ```text
//!  tracing::warn!(…) ─► Routes::wants ─► Record, formatted once ─┬─► console
//!                       levels only                              └─► file of the scope, else of the session
//! ```
//!
//! [`Application::run`](super::Application::run) installs the one subscriber of the process before anything else, with a console
//! that shows warnings; the extension `logging` says what the configuration wants. An application that is run inside another
//! program (tests, embedding) installs nothing: the program around it decides.
//!
//! Invariants
//! - What no sink wants is not formatted, and its fields are not looked at.
//! - Nobody who logs waits for another one but for a write, and none of it fails for him.
//! - A record is one line, whatever it contains; on the console, further lines are indented.

mod escape;
mod file;
mod layer;
mod levels;
mod mask;
mod record;
mod render;
mod routes;
mod scope;

use std::borrow::Cow;
use std::io::{self, IsTerminal};
use std::sync::{Arc, OnceLock};

use camino::{Utf8Path, Utf8PathBuf};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Registry, reload};

use self::layer::Records;
use self::routes::Routes;
use super::colour;

pub(crate) use levels::{LEVELS, Levels, level_of, louder};
pub(crate) use render::LogFormat;
pub(crate) use routes::{FileSettings, LogSettings};
pub use scope::LogScope;

/// Level until the configuration is known.
const INITIAL: LevelFilter = LevelFilter::WARN;

/// A process has one subscriber, so where its records go is one too.
static INSTALLED: OnceLock<Installed> = OnceLock::new();

#[derive(Debug)]
struct Installed {
    routes: Arc<Routes>,
    /// The most talkative level that any sink wants: what is beyond it costs a comparison where it is logged.
    most: reload::Handle<LevelFilter, Registry>,
}

/// Installs the subscriber; does nothing if the process has one.
pub(super) fn install() {
    let (level, most) = reload::Layer::new(INITIAL);
    let look = render::Look {
        coloured: colour::on_stderr(),
        erases: io::stderr().is_terminal() && anstyle_query::term_supports_ansi_color(),
        names: false,
    };
    let routes = Arc::new(Routes::new(Box::new(io::stderr()), look, INITIAL));
    let subscriber = tracing_subscriber::registry()
        .with(level)
        .with(Records::new(Arc::clone(&routes)));
    if tracing::subscriber::set_global_default(subscriber).is_ok() {
        drop(INSTALLED.set(Installed { routes, most }));
    }
}

/// The log of the process: what other extensions can ask of it. A component of every application; cheap to clone.
///
/// In an application that is run inside another program it does nothing.
#[derive(Debug, Clone, Default)]
pub struct Log {
    routes: Option<Arc<Routes>>,
}

impl Log {
    /// The log of this process.
    pub(crate) fn of_process() -> Self {
        Self {
            routes: INSTALLED
                .get()
                .map(|installed| Arc::clone(&installed.routes)),
        }
    }

    /// From now on, records go where these settings say.
    pub(crate) fn configure(&self, settings: LogSettings) {
        if let Some(routes) = &self.routes {
            routes.configure(settings);
            publish(routes);
        }
    }

    /// Begins to write log files into `directory`, unless the configuration names another one or wants no files. The directory
    /// is made when the first record comes.
    pub fn begin_files(&self, directory: impl Into<Utf8PathBuf>) {
        if let Some(routes) = &self.routes {
            routes.begin_files(directory.into());
            publish(routes);
        }
    }

    /// A scope with a file of its own: what is logged inside of [`LogScope::run`], and by handlers of messages that are sent
    /// there, goes to `file` in the log directory, and not to the file of the session. `name` is what records say they belong to.
    ///
    /// The file is made by the first record. A file of that name that is there already is replaced.
    pub fn scope(&self, name: &str, file: &str) -> LogScope {
        match &self.routes {
            Some(routes) => LogScope::begin(routes, name, file),
            None => LogScope::default(),
        }
    }

    /// Where log files are written; none if none are.
    pub fn directory(&self) -> Option<Utf8PathBuf> {
        let files = self.routes.as_ref()?.files()?;
        files.session.path().parent().map(Utf8Path::to_owned)
    }

    /// Why log files are not complete, if something went wrong: a sentence with the number of records that are missing.
    pub fn problem(&self) -> Option<String> {
        self.routes.as_ref()?.problem()
    }

    /// The same for the end of the console, where the reason may stand already, as a warning.
    pub(crate) fn rest_of_problem(&self) -> Option<String> {
        self.routes.as_ref()?.rest_of_problem()
    }

    /// Hides this text in everything that is logged from now on. For passwords and tokens; texts of less than 4 bytes are not
    /// hidden.
    pub fn hide(&self, secret: &str) {
        if let Some(routes) = &self.routes {
            routes.masks.add(secret);
        }
    }

    /// A text as it would be logged: without what is [hidden](Self::hide).
    pub fn without_secrets<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match &self.routes {
            Some(routes) => routes.masks.hide(text),
            None => Cow::Borrowed(text),
        }
    }
}

/// Makes the level of the process that of its most talkative sink.
fn publish(routes: &Routes) {
    if let Some(installed) = INSTALLED.get() {
        let wanted = routes.most();
        // Fails only if the subscriber is gone, which a global one never is.
        drop(installed.most.modify(|most| *most = wanted));
    }
}

#[cfg(test)]
mod tests;
