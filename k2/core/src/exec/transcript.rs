//! What a command has written so far, for those who wait for something in it.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;
use regex::bytes::Regex;
use rustix::event::{EventfdFlags, eventfd};

use crate::supervisor::{Cancellation, Direction, ExitStatus, OutputStream, WaitEnd};

/// Bytes of an output that are kept; what was written before them is dropped.
const KEPT: usize = 1024 * 1024;

/// What was looked for and found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Found {
    /// The text that matched.
    pub text: String,
    /// The groups of the pattern, from the first one in parentheses on; those that took no part are `None`.
    pub groups: Vec<Option<String>>,
}

/// How a command ended.
#[derive(Debug, Clone)]
pub(super) struct Ended {
    /// What the system says; none if nothing is known about its end.
    pub(super) exit: Option<ExitStatus>,
    /// It was ended because its time was over.
    pub(super) timed_out: bool,
    /// Why it could not be run, after all.
    pub(super) error: Option<String>,
}

/// Shared by the thread that runs a command and those that look at it.
#[derive(Debug, Default)]
pub(super) struct Transcript {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    stdout: Kept,
    stderr: Kept,
    ended: Option<Ended>,
    waiters: Vec<Arc<OwnedFd>>,
}

/// The end of an output.
#[derive(Debug, Default)]
struct Kept {
    bytes: Vec<u8>,
    /// Bytes that were dropped before those.
    dropped: u64,
    /// Where the match ended that was found last, counted from the beginning of the output.
    found_to: u64,
}

impl Kept {
    fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        // Twice as much may lie there, so that each byte is moved once and not with every piece.
        if self.bytes.len() > 2 * KEPT {
            let excess = self.bytes.len() - KEPT;
            self.bytes.drain(..excess);
            self.dropped += excess as u64;
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    fn find(&mut self, pattern: &Regex, further: bool) -> Option<Found> {
        let from = if further {
            usize::try_from(self.found_to.saturating_sub(self.dropped)).unwrap_or(usize::MAX)
        } else {
            0
        };
        let rest = self.bytes.get(from..)?;
        let captures = pattern.captures(rest)?;
        let whole = captures.get(0)?;
        self.found_to = self.dropped + (from + whole.end()) as u64;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Some(Found {
            text: text(whole.as_bytes()),
            groups: captures
                .iter()
                .skip(1)
                .map(|group| group.map(|group| text(group.as_bytes())))
                .collect(),
        })
    }
}

impl State {
    fn stream(&mut self, stream: OutputStream) -> &mut Kept {
        match stream {
            OutputStream::Stdout => &mut self.stdout,
            OutputStream::Stderr => &mut self.stderr,
        }
    }

    fn wake(&self) {
        for waiter in &self.waiters {
            // A counter that is full is readable as well.
            let _ = rustix::io::write(waiter, &1_u64.to_ne_bytes());
        }
    }
}

impl Transcript {
    pub(super) fn wrote(&self, stream: OutputStream, bytes: &[u8]) {
        let mut state = self.state.lock();
        state.stream(stream).push(bytes);
        state.wake();
    }

    /// Says that nothing comes any more; the first to say so counts.
    pub(super) fn end(&self, ended: Ended) {
        let mut state = self.state.lock();
        state.ended.get_or_insert(ended);
        state.wake();
    }

    pub(super) fn ended(&self) -> Option<Ended> {
        self.state.lock().ended.clone()
    }

    pub(super) fn text(&self, stream: OutputStream) -> String {
        self.state.lock().stream(stream).text()
    }

    /// The first match, or the first behind the one found last.
    pub(super) fn find(
        &self,
        stream: OutputStream,
        pattern: &Regex,
        further: bool,
    ) -> Option<Found> {
        self.state.lock().stream(stream).find(pattern, further)
    }

    /// Asks `question` now and after each change, until it has an answer; what it is asked about cannot change while it looks.
    /// `Err` says why there is none.
    pub(super) fn wait<T>(
        &self,
        cancellation: &Cancellation,
        deadline: Option<Instant>,
        mut question: impl FnMut() -> Option<T>,
    ) -> io::Result<Result<T, WaitEnd>> {
        if let Some(answer) = question() {
            return Ok(Ok(answer));
        }
        let changed = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        self.state.lock().waiters.push(Arc::clone(&changed));
        let result = loop {
            // After the waiter is known, or a change between the question and the wait would be lost.
            if let Some(answer) = question() {
                break Ok(answer);
            }
            match cancellation.wait_for(&changed, Direction::Read, deadline) {
                WaitEnd::Ready => {
                    let _ = rustix::io::read(&changed, &mut [0; 8]);
                }
                end => break Err(end),
            }
        };
        let mut state = self.state.lock();
        state
            .waiters
            .retain(|waiter| !Arc::ptr_eq(waiter, &changed));
        Ok(result)
    }
}
