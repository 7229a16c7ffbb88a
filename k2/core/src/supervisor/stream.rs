//! One output of a process: what is read of its pipe, and kept.

use std::io;
use std::os::fd::OwnedFd;

use rustix::io::Errno;

use super::capture::Capture;
use super::{OutputStream, ProcessSpec};

/// Reads of one pipe before the clock and the others are looked at again.
const READS_PER_TURN: usize = 16;

/// One output of the process.
pub(super) struct Stream {
    which: OutputStream,
    /// `None` once everybody who could write has closed it.
    pub(super) pipe: Option<OwnedFd>,
    pub(super) capture: Capture,
}

impl Stream {
    pub(super) fn new(
        pipe: Option<OwnedFd>,
        spec: &ProcessSpec,
        which: OutputStream,
    ) -> io::Result<Self> {
        if let Some(pipe) = &pipe {
            // Another process that holds the other end must not be able to block the loop.
            rustix::io::ioctl_fionbio(pipe, true)?;
        }
        let capture = match &spec.files {
            Some(files) => {
                let path = match which {
                    OutputStream::Stdout => &files.stdout,
                    OutputStream::Stderr => &files.stderr,
                };
                Capture::new(Some(path.clone()), files.limit, files.always)
            }
            None => Capture::new(None, 0, false),
        };
        Ok(Self {
            which,
            pipe,
            capture,
        })
    }

    /// Takes what is there, within one turn's limit.
    pub(super) fn read(&mut self, spec: &ProcessSpec, ready: bool, buffer: &mut [u8]) {
        if !ready {
            return;
        }
        for _ in 0..READS_PER_TURN {
            let Some(pipe) = &self.pipe else { return };
            match rustix::io::read(pipe, &mut *buffer) {
                Ok(0) => self.pipe = None,
                Ok(length) => {
                    self.capture.push(&buffer[..length]);
                    if let Some(watcher) = &spec.watcher {
                        watcher.wrote(self.which, &buffer[..length]);
                    }
                    // A short read has emptied the pipe; asking again would only say so.
                    if length < buffer.len() {
                        return;
                    }
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                Err(_) => self.pipe = None,
            }
        }
    }
}
