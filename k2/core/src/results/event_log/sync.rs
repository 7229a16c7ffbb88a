//! Brings an event log to disk every now and then, on a thread of its own, so that a power failure costs little and no case
//! waits for the disk.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use camino::Utf8PathBuf;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, select};
use parking_lot::Mutex;
use zaf_core::thread::{JoinHandle, spawn};

/// How long records may wait for the disk: one wait for all that come in this time.
///
/// Source: reliability, F16.
const GROUP: Duration = Duration::from_millis(200);

/// The thread. Dropping it ends the thread without waiting for it.
#[derive(Debug)]
pub(super) struct Syncer {
    wake: Sender<()>,
    /// Dropped to end the thread.
    stop: Mutex<Option<Sender<()>>>,
    problem: Arc<Mutex<Option<Arc<str>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Syncer {
    /// Starts the thread for the file `path`.
    pub(super) fn start(path: Utf8PathBuf) -> io::Result<Self> {
        let (wake, woken) = bounded(1);
        let (stop, stopped) = bounded(0);
        let problem = Arc::new(Mutex::new(None));
        let noted = Arc::clone(&problem);
        let thread = spawn("event-log-sync", move || {
            if let Err(error) = sync_until(&path, &woken, &stopped) {
                *noted.lock() = Some(format!("cannot be brought to disk: {error}").into());
            }
        })?;
        Ok(Self {
            wake,
            stop: Mutex::new(Some(stop)),
            problem,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Says that there is something to bring to disk. Never blocks.
    pub(super) fn wake(&self) {
        // Full means that it knows already.
        let _full = self.wake.try_send(());
    }

    /// Whether something went wrong.
    pub(super) fn has_problem(&self) -> bool {
        self.problem.lock().is_some()
    }

    /// What went wrong; after that nothing is brought to disk any more.
    pub(super) fn problem(&self) -> Option<Arc<str>> {
        self.problem.lock().clone()
    }

    /// Ends the thread and waits for it: at most as long as one wait for the disk.
    pub(super) fn stop(&self) {
        drop(self.stop.lock().take());
        let thread = self.thread.lock().take();
        if let Some(thread) = thread {
            // A panic was logged where it happened.
            drop(thread.join());
        }
    }
}

fn sync_until(path: &Utf8PathBuf, woken: &Receiver<()>, stopped: &Receiver<()>) -> io::Result<()> {
    let mut file = None;
    loop {
        select! {
            recv(woken) -> message => if message.is_err() { return Ok(()) },
            recv(stopped) -> _ => return Ok(()),
        }
        match stopped.recv_timeout(GROUP) {
            Err(RecvTimeoutError::Timeout) => {}
            _ => return Ok(()),
        }
        let file = match &mut file {
            Some(file) => file,
            // The writer says so if there is none.
            none => match File::open(path) {
                Ok(file) => none.insert(file),
                Err(_) => continue,
            },
        };
        file.sync_data()?;
    }
}
