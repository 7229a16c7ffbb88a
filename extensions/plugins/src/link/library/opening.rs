//! The time limit of opening a library in this process.
//!
//! The constructors of a library run with the lock of the system's loader. One that never returns keeps it, and whoever starts a
//! thread or uses a thread-local variable for the first time waits for it: the error could neither be told nor end the application.
//! So a thread that was made ready before watches the time. When it is over, it writes what it was given and ends the process; for
//! that it needs no memory, no lock and no stream, and it waits for nobody who might read it: standard error may be a pipe that is full.

use std::io::{self, IoSlice};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::FileType;
use rustix::io::{Errno, ReadWriteFlags};
use zaf_core::application::ExitCode;
use zaf_core::config::flag_name;
use zaf_core::extension::INIT_TIMEOUT;
use zaf_core::thread::{JoinHandle, spawn};

use crate::link::Launch;

/// How much of the limit passes at a time: while the process is stopped, no more than this does.
const NAP: Duration = Duration::from_millis(100);

/// Bytes that a pipe takes whole, without waiting, when it says that it takes some. Source: POSIX, `PIPE_BUF`, as Linux has it.
const WHOLE: usize = 4096;
/// How often the last words are tried, each time for a nap at most: room for what is said, and a second for a reader who is only slow.
const TRIES: u32 = 10;

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
            say(rustix::stdio::stderr(), text.as_bytes());
            // Runs no destructor: those of libraries wait for the lock.
            signal_hook::low_level::exit(ExitCode::ExtensionFailed.code().into());
        }
        let nap = left.min(NAP);
        std::thread::park_timeout(nap);
        left -= nap;
    }
}

/// Writes what there is to say, or as much of it as is taken. Nobody is left to be told that it cannot be told.
fn say(to: impl AsFd, mut text: &[u8]) {
    let is_pipe = rustix::fs::fstat(&to)
        .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Fifo);
    let nap = Timespec {
        tv_sec: 0,
        tv_nsec: NAP.subsec_nanos().into(),
    };
    for _ in 0..TRIES {
        if text.is_empty() {
            return;
        }
        let mut wanted = [PollFd::new(&to, PollFlags::OUT)];
        // Nothing: it is full.
        if poll(&mut wanted, Some(&nap)).is_ok_and(|ready| ready > 0) {
            match write_now(&to, &text[..text.len().min(WHOLE)], is_pipe) {
                Ok(written) => text = &text[written..],
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(_) => return,
            }
        }
    }
}

/// Writes to something that has said that it takes some. Somebody else may have filled a pipe since: it does not wait then.
fn write_now(to: &impl AsFd, bytes: &[u8], is_pipe: bool) -> rustix::io::Result<usize> {
    /// At the end, as `write` does.
    const NO_OFFSET: u64 = u64::MAX;
    if is_pipe {
        let written = rustix::io::pwritev2(
            to,
            &[IoSlice::new(bytes)],
            NO_OFFSET,
            ReadWriteFlags::NOWAIT,
        );
        // A system that cannot do it.
        if !matches!(written, Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL)) {
            return written;
        }
    }
    rustix::io::write(to, bytes)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    /// A pipe that takes nothing any more, and how much is in it.
    fn full_pipe() -> (io::PipeReader, io::PipeWriter, usize) {
        let (reader, mut writer) = io::pipe().unwrap();
        rustix::io::ioctl_fionbio(&writer, true).unwrap();
        let mut length = 0;
        while let Ok(written) = writer.write(&[b'.'; WHOLE]) {
            length += written;
        }
        rustix::io::ioctl_fionbio(&writer, false).unwrap();
        (reader, writer, length)
    }

    #[test]
    fn the_last_words_wait_for_nobody_who_does_not_read() {
        let (reader, writer, _) = full_pipe();
        say(&writer, b"never read");
        // Somebody else was faster.
        let (_other, empty) = io::pipe().unwrap();
        let byte = [IoSlice::new(b".")];
        let system = rustix::io::pwritev2(&empty, &byte, u64::MAX, ReadWriteFlags::NOWAIT);
        if system.is_ok() {
            let late = write_now(&writer, b"never read", true);
            assert!(matches!(late, Err(Errno::AGAIN)), "{late:?}");
        }
        drop(reader);
        say(&writer, b"nobody is there");
    }

    #[test]
    fn the_last_words_come_whole_to_a_reader_who_is_slow() {
        let (mut reader, writer, length) = full_pipe();
        let text = [b'x'; 3 * WHOLE + 1];
        let read = std::thread::scope(|scope| {
            let slow = scope.spawn(|| {
                let mut read = Vec::new();
                reader.read_to_end(&mut read).unwrap();
                read
            });
            say(&writer, &text);
            drop(writer);
            slow.join().unwrap()
        });
        assert_eq!(read.len(), length + text.len());
        assert!(read.ends_with(&text));
    }

    #[test]
    fn the_last_words_stand_behind_what_is_in_a_file() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"before\n").unwrap();
        say(&file, b"the last\n");
        let mut read = String::new();
        io::Seek::rewind(&mut file).unwrap();
        file.read_to_string(&mut read).unwrap();
        assert_eq!(read, "before\nthe last\n");
    }
}
