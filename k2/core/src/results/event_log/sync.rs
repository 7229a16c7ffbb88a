//! Brings an event log to disk every now and then, on a thread of its own, so that a power failure costs little and no case
//! waits for the disk.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use camino::Utf8PathBuf;
use crossbeam_channel::{Receiver, Sender, after, bounded, select};
use parking_lot::Mutex;
use zaf_core::thread::{JoinHandle, spawn};

/// How long records may wait for the disk: one wait for all that come in this time.
///
/// Source: reliability, F16.
const GROUP: Duration = Duration::from_millis(200);

/// How much of a log may wait for the disk, in bytes: more is brought there at once.
///
/// Source: reliability, F16.
const MOST_WAITING: u64 = 64 * 1024;

/// The thread. Dropping it ends the thread without waiting for it.
#[derive(Debug)]
pub(super) struct Syncer {
    lengths: Arc<Lengths>,
    wake: Sender<()>,
    hurry: Sender<()>,
    /// Dropped to end the thread.
    stop: Mutex<Option<Sender<()>>>,
    problem: Arc<Mutex<Option<Arc<str>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Syncer {
    /// Starts the thread for the file `path`.
    pub(super) fn start(path: Utf8PathBuf) -> io::Result<Self> {
        let mut file = None;
        Self::start_with(GROUP, move || {
            let file = match &mut file {
                Some(file) => file,
                // The writer says so if there is none.
                none => match File::open(&path) {
                    Ok(file) => none.insert(file),
                    Err(_) => return Ok(()),
                },
            };
            file.sync_data()
        })
    }

    /// Starts a thread that calls `sync` when something has waited for `group`, or is too much to wait for that.
    fn start_with(
        group: Duration,
        sync: impl FnMut() -> io::Result<()> + Send + 'static,
    ) -> io::Result<Self> {
        let (wake, woken) = bounded(1);
        let (hurry, hurried) = bounded(1);
        let (stop, stopped) = bounded(0);
        let problem = Arc::new(Mutex::new(None));
        let noted = Arc::clone(&problem);
        let lengths = Arc::new(Lengths::default());
        let told = Told {
            lengths: Arc::clone(&lengths),
            woken,
            hurried,
            stopped,
        };
        let thread = spawn("event-log-sync", move || {
            if let Err(error) = told.sync_until_stopped(group, sync) {
                *noted.lock() = Some(format!("cannot be brought to disk: {error}").into());
            }
        })?;
        Ok(Self {
            lengths,
            wake,
            hurry,
            stop: Mutex::new(Some(stop)),
            problem,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Says that the log has `length` bytes now, so that there is something to bring to disk. Never blocks.
    pub(super) fn wake(&self, length: u64) {
        self.lengths.written.store(length, Ordering::Release);
        // Full means that it knows already.
        let _full = self.wake.try_send(());
        if self.lengths.is_much() {
            let _full = self.hurry.try_send(());
        }
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

/// How long the log is, and how much of it is on disk as far as this thread knows.
#[derive(Debug, Default)]
struct Lengths {
    written: AtomicU64,
    synced: AtomicU64,
}

impl Lengths {
    /// Whether everything is on disk.
    fn is_nothing(&self) -> bool {
        self.synced.load(Ordering::Acquire) == self.written.load(Ordering::Acquire)
    }

    /// Whether more waits for the disk than may.
    fn is_much(&self) -> bool {
        let synced = self.synced.load(Ordering::Acquire);
        let written = self.written.load(Ordering::Acquire);
        written.saturating_sub(synced) >= MOST_WAITING
    }
}

/// What the thread hears.
struct Told {
    lengths: Arc<Lengths>,
    /// Something waits.
    woken: Receiver<()>,
    /// Too much waits.
    hurried: Receiver<()>,
    stopped: Receiver<()>,
}

impl Told {
    fn sync_until_stopped(
        &self,
        group: Duration,
        mut sync: impl FnMut() -> io::Result<()>,
    ) -> io::Result<()> {
        loop {
            select! {
                recv(self.woken) -> message => if message.is_err() { return Ok(()) },
                recv(self.stopped) -> _ => return Ok(()),
            }
            if self.lengths.is_nothing() {
                continue;
            }
            let end = after(group);
            // A word of before the last time may be about what is on disk by now.
            while !self.lengths.is_much() {
                select! {
                    recv(self.hurried) -> message => if message.is_err() { return Ok(()) },
                    recv(self.stopped) -> _ => return Ok(()),
                    recv(end) -> _ => break,
                }
            }
            let written = self.lengths.written.load(Ordering::Acquire);
            sync()?;
            self.lengths.synced.store(written, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);
    const PATIENCE: Duration = Duration::from_mins(1);

    /// A thread that tells each time that it brings something to disk.
    fn syncer(group: Duration) -> (Syncer, Receiver<()>) {
        let (done, told) = bounded(100);
        let syncer = Syncer::start_with(group, move || {
            done.send(()).map_err(io::Error::other)?;
            Ok(())
        });
        (syncer.unwrap(), told)
    }

    #[test]
    fn f16_what_is_little_waits_for_more() {
        let (syncer, told) = syncer(HOUR);
        for length in [1, 1000, MOST_WAITING - 1] {
            syncer.wake(length);
        }
        syncer.stop();
        assert_eq!(told.len(), 0);
    }

    #[test]
    fn f16_as_soon_as_64_kib_wait_they_are_brought_to_disk() {
        let (syncer, told) = syncer(HOUR);
        for group in 1..=3 {
            syncer.wake(group * MOST_WAITING - 1);
            syncer.wake(group * MOST_WAITING);
            told.recv_timeout(PATIENCE).unwrap();
        }
        syncer.stop();
        assert_eq!(told.len(), 0, "each group once");
    }

    #[test]
    fn f16_the_first_of_a_group_does_not_wait_longer_than_its_time() {
        let (syncer, told) = syncer(Duration::ZERO);
        syncer.wake(1);
        told.recv_timeout(PATIENCE).unwrap();
        syncer.stop();
    }
}
