//! The time limit of opening a library in this process.
//!
//! The constructors of a library run with the lock of the system's loader. One that never returns keeps it, and whoever starts a
//! thread or uses a thread-local variable for the first time waits for it: the error could neither be told nor end the application.
//! So a thread that was made ready before watches the time. When it is over, it writes what it was given and ends the process; for
//! that it needs no memory, no lock and no stream, and it waits for nobody who might read it: standard error may be a pipe that is full.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Thread;
use std::time::Duration;

use zaf_core::application::{ExitCode, last_words};
use zaf_core::config::flag_name;
use zaf_core::extension::INIT_TIMEOUT;
use zaf_core::thread::{JoinHandle, spawn};

use crate::link::Launch;

/// How much of the limit passes at a time: while the process is stopped, no more than this does.
const NAP: Duration = Duration::from_millis(100);

/// Watches the time until it is dropped.
#[derive(Debug)]
pub(super) struct OpeningLimit {
    is_open: Arc<AtomicBool>,
    watcher: Thread,
    ends: Option<JoinHandle<()>>,
}

impl OpeningLimit {
    /// From now on; returns when the watching thread needs the system's loader no more. After `limit` it writes `text` to standard error
    /// and ends the process with the exit code of an extension that failed.
    ///
    /// # Errors
    /// There are too many threads.
    pub(super) fn begin(limit: Duration, text: String) -> io::Result<Self> {
        let is_open = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&is_open);
        let (ready, readied) = crossbeam_channel::bounded(1);
        let ends = spawn("plugin-open-limit", move || {
            // Whoever opens the library waits for this; if he has left, there is nothing to watch.
            if ready.send(std::thread::current()).is_ok() {
                watch(limit, &seen, &text);
            }
        })?;
        let watcher = readied.recv().map_err(io::Error::other)?;
        Ok(Self {
            is_open,
            watcher,
            ends: Some(ends),
        })
    }
}

impl Drop for OpeningLimit {
    fn drop(&mut self) {
        self.is_open.store(true, Ordering::Release);
        self.watcher.unpark();
        if let Some(ends) = self.ends.take() {
            // A panic has been logged.
            let _panic = ends.join();
        }
    }
}

/// What is said when a library was not open in time: as errors are shown.
pub(super) fn not_in_time(launch: &Launch, limit: Duration) -> String {
    let file = launch.file.display();
    let plugin = match &launch.name {
        Some(name) => format!("`{name}` (`{file}`)"),
        None => format!("`{file}`"),
    };
    let flag = flag_name(&INIT_TIMEOUT.descriptor(), None);
    format!(
        "error: plugin {plugin}, when it was loaded: its constructors did not return within {limit:?}
  caused by: they hold the lock of the system's loader, without which nothing in this program can go on: it ends
  hint: --{flag} gives them more time; what may take long belongs into `start`, which holds no lock
"
    )
}

fn watch(limit: Duration, is_open: &AtomicBool, text: &str) {
    let mut left = limit;
    while !is_open.load(Ordering::Acquire) {
        if left.is_zero() {
            last_words(text);
            // Runs no destructor: those of libraries wait for the lock.
            signal_hook::low_level::exit(ExitCode::ExtensionFailed.code().into());
        }
        let nap = left.min(NAP);
        std::thread::park_timeout(nap);
        left -= nap;
    }
}
