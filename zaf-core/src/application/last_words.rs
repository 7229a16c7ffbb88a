//! What a process says when it ends and something may hang: to whoever reads standard error, and without waiting for one who does not.

use std::io::IoSlice;
use std::os::fd::AsFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::FileType;
use rustix::io::{Errno, ReadWriteFlags};

/// How long one try waits for room.
const NAP: Duration = Duration::from_millis(100);
/// Bytes that a pipe takes whole, without waiting, when it says that it takes some. Source: POSIX, `PIPE_BUF`, as Linux has it.
const WHOLE: usize = 4096;
/// How often it is tried: room for what is said, and a second for a reader who is only slow.
const TRIES: u32 = 10;

/// Writes to the standard error of the process, for whoever ends it at once afterwards because something hangs. Takes a second at most:
/// a pipe may be full and its reader gone to sleep. What is not taken by then is lost, of a text longer than 40 KiB the rest.
///
/// Needs no memory, no lock and no stream of the process, so that it works whatever hangs. Not through the [`Console`](super::Console),
/// which somebody may hold.
pub fn last_words(text: &str) {
    say(rustix::stdio::stderr(), text.as_bytes());
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
    use std::io::{self, Read, Write};

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
