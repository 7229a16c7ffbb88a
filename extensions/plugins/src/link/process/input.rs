//! The standard input of a plugin: whole frames, one write each, none later than its deadline.

use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::protocol::{Codec, FrameError, ToPlugin, binary, json};

/// The writing end of its pipe.
#[derive(Debug)]
pub(super) struct Input(Mutex<Writer>);

#[derive(Debug)]
struct Writer {
    /// None when it has been closed.
    pipe: Option<OwnedFd>,
    codec: Codec,
    /// The frame that is written; kept, so that it grows once.
    buffer: Vec<u8>,
}

/// Why a frame was not written.
#[derive(Debug)]
pub(super) enum WriteError {
    /// It cannot be written; the plugin got nothing of it.
    Frame(FrameError),
    /// The plugin did not read in time. It may have got a part.
    TimedOut,
    /// The other end is closed, or this one.
    Closed,
    /// Something else.
    Io(io::Error),
}

impl Input {
    /// The pipe must not block.
    pub(super) fn new(pipe: OwnedFd) -> Self {
        Self(Mutex::new(Writer {
            pipe: Some(pipe),
            codec: Codec::Json,
            buffer: Vec::new(),
        }))
    }

    /// How all frames from here on are written.
    pub(super) fn set_codec(&self, codec: Codec) {
        self.0.lock().codec = codec;
    }

    /// Writes one frame. Blocks while the pipe is full, and while others write.
    pub(super) fn write(&self, frame: &ToPlugin<'_>, deadline: Instant) -> Result<(), WriteError> {
        let Some(mut writer) = self.0.try_lock_until(deadline) else {
            return Err(WriteError::TimedOut);
        };
        let writer = &mut *writer;
        writer.buffer.clear();
        match writer.codec {
            Codec::Json => json::write_to_plugin(frame, &mut writer.buffer),
            Codec::Binary => binary::write_to_plugin(frame, &mut writer.buffer),
        }
        .map_err(WriteError::Frame)?;
        let pipe = writer.pipe.as_ref().ok_or(WriteError::Closed)?;
        let written = write_all(pipe, &writer.buffer, deadline);
        if matches!(written, Err(WriteError::TimedOut)) {
            // Whatever came next would stand in the middle of this frame.
            writer.pipe = None;
        }
        written
    }

    /// Writes bytes as they are: for checks of what a plugin makes of what is no frame.
    pub(super) fn write_raw(&self, bytes: &[u8], deadline: Instant) -> Result<(), WriteError> {
        let writer = self.0.lock();
        let pipe = writer.pipe.as_ref().ok_or(WriteError::Closed)?;
        write_all(pipe, bytes, deadline)
    }

    /// Ends the plugin's input. Waits for nobody: what is being written keeps it open until then.
    pub(super) fn close(&self, deadline: Instant) {
        if let Some(mut writer) = self.0.try_lock_until(deadline) {
            writer.pipe = None;
        }
    }
}

fn write_all(pipe: &OwnedFd, mut bytes: &[u8], deadline: Instant) -> Result<(), WriteError> {
    while !bytes.is_empty() {
        match rustix::io::write(pipe, bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => wait_for_room(pipe, deadline)?,
            Err(Errno::PIPE) => return Err(WriteError::Closed),
            Err(error) => return Err(WriteError::Io(error.into())),
        }
    }
    Ok(())
}

fn wait_for_room(pipe: &OwnedFd, deadline: Instant) -> Result<(), WriteError> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(WriteError::TimedOut);
    }
    let mut wanted = [PollFd::new(pipe, PollFlags::OUT)];
    match poll(&mut wanted, Some(&timespec(left))) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(WriteError::Io(error.into())),
    }
}

/// A wait for `poll`.
pub(super) fn timespec(duration: Duration) -> Timespec {
    Timespec::try_from(duration).unwrap_or(Timespec {
        tv_sec: i64::MAX,
        tv_nsec: 0,
    })
}
