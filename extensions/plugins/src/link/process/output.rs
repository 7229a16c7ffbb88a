//! The standard output of a plugin, and what becomes of the frames in it. Who reads it is said in [`turns`](super::turns): the thread of
//! the link is told of what comes, and kept from hearing of it, by `epoll`.

use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Instant;

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use super::super::patience::Patience;
use super::super::printable::printable;
use super::super::{LinkProblem, Written};
use super::input::timespec;
use super::running::Running;
use super::turns::{Got, Source, Turns};
use super::waiting::{Arrival, NoArrival, Place};
use crate::protocol::{Codec, FrameError, FromPlugin, LogLevel, binary, json, limits};

/// Bytes that are read at once.
pub(super) const CHUNK: usize = 64 << 10;

/// Bytes of garbage that are shown.
const SHOWN: usize = 200;

/// What the reader of a link is told of.
pub(super) const EXIT: u64 = 0;
/// The standard output.
pub(super) const STDOUT: u64 = 1;
/// The standard error.
pub(super) const STDERR: u64 = 2;

/// The reading end, and what was read and is no whole frame yet.
#[derive(Debug)]
pub(super) struct Output {
    turns: Turns<Frames>,
    /// What the thread of the link waits for.
    epoll: Arc<OwnedFd>,
    /// Readable when the process has ended.
    exit: OwnedFd,
    patience: Option<Patience>,
}

#[derive(Debug)]
struct Frames {
    /// None when it has ended, or what comes out of it means nothing any more.
    stdout: Option<File>,
    epoll: Arc<OwnedFd>,
    begun: Vec<u8>,
    /// How many frames were taken before, and how many bytes they had.
    taken: u64,
    taken_bytes: u64,
    codec: Codec,
    chunk: Box<[u8]>,
}

impl Output {
    /// Of a process that was just started; neither end may block.
    pub(super) fn new(stdout: File, exit: OwnedFd) -> std::io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, &exit, EventData::new_u64(EXIT), EventFlags::IN)?;
        epoll::add(&epoll, &stdout, EventData::new_u64(STDOUT), EventFlags::IN)?;
        let epoll = Arc::new(epoll);
        Ok(Self {
            turns: Turns::new(Frames {
                stdout: Some(stdout),
                epoll: Arc::clone(&epoll),
                begun: Vec::new(),
                taken: 0,
                taken_bytes: 0,
                codec: Codec::Json,
                chunk: vec![0; CHUNK].into_boxed_slice(),
            }),
            epoll,
            exit,
            patience: Patience::new(),
        })
    }

    /// What the thread of the link waits for, of which each has a number of this module.
    pub(super) fn epoll(&self) -> &OwnedFd {
        &self.epoll
    }

    /// As [`Turns::read_once`].
    pub(super) fn read_once(&self, running: &Arc<Running>, until_end: bool) -> bool {
        self.turns.read_once(running, until_end)
    }

    /// As [`Turns::is_over`].
    pub(super) fn is_over(&self) -> bool {
        self.turns.is_over()
    }

    /// Nothing is read from here on.
    pub(super) fn close(&self) {
        self.turns.close();
    }

    /// Waits for the next thing that belongs to a place; reads while it waits, if nobody else does.
    pub(super) fn next(
        &self,
        running: &Arc<Running>,
        place: &Place<'_>,
        deadline: Instant,
    ) -> Result<Arrival, NoArrival> {
        let begun = Instant::now();
        let patience = self.patience.as_ref();
        let looks = patience.and_then(|patience| patience.look_until(begun));
        let wait = |frames: &mut Frames| self.wait(frames, looks, deadline);
        match self.turns.read_until(running, || place.arrived(), wait) {
            Some(arrival) => {
                if let Some(patience) = patience {
                    patience.learn(begun.elapsed());
                }
                Ok(arrival)
            }
            None => place.next(deadline),
        }
    }

    /// Waits until there may be something to read; false if nothing will come, or the deadline has passed.
    fn wait(&self, frames: &mut Frames, looks: Option<Instant>, deadline: Instant) -> bool {
        loop {
            let now = Instant::now();
            if looks.is_some_and(|end| now < end) {
                std::hint::spin_loop();
                return true;
            }
            let left = deadline.saturating_duration_since(now);
            let Some(stdout) = frames.stdout.as_ref().filter(|_| !left.is_zero()) else {
                return false;
            };
            let mut wanted = [
                PollFd::new(stdout, PollFlags::IN),
                PollFd::new(&self.exit, PollFlags::IN),
            ];
            match poll(&mut wanted, Some(&timespec(left))) {
                Err(Errno::INTR) => {}
                Ok(_) => return !wanted[0].revents().is_empty(),
                Err(_) => return false,
            }
        }
    }
}

impl Source for Frames {
    type Readers = Arc<Running>;

    fn take_over(&mut self) -> bool {
        self.tell_of(EventFlags::empty()).is_ok_and(|told| told)
    }

    fn give_back(&mut self) {
        // What is there already wakes the thread of the link. It cannot fail: the descriptor is there, and was added.
        let _told = self.tell_of(EventFlags::IN);
    }

    fn read(&mut self, running: &Arc<Running>) -> Got {
        let read = running.contained(|| {
            let got = read(&mut self.stdout, &mut self.chunk);
            if let Got::Bytes(length) = got {
                self.begun.extend_from_slice(&self.chunk[..length]);
                self.take_frames(running);
            }
            got
        });
        // Where the next frame begins is not known then.
        read.unwrap_or(Got::End)
    }

    fn close(&mut self) {
        if let Some(stdout) = self.stdout.take() {
            // A process that is started at this moment may have a copy, with which it would stay there.
            let _gone = epoll::delete(&*self.epoll, stdout.as_fd());
        }
    }

    fn is_over(&self) -> bool {
        self.stdout.is_none()
    }
}

impl Frames {
    /// Of what the thread of the link is told. Of the end it is in any case. False if there is nothing to read any more.
    fn tell_of(&self, what: EventFlags) -> rustix::io::Result<bool> {
        let Some(stdout) = &self.stdout else {
            return Ok(false);
        };
        epoll::modify(&*self.epoll, stdout, EventData::new_u64(STDOUT), what)?;
        Ok(true)
    }

    /// Gives away all whole frames that have been read.
    fn take_frames(&mut self, running: &Arc<Running>) {
        let begun = std::mem::take(&mut self.begun);
        let mut rest = &begun[..];
        let problem = loop {
            match next_frame(rest, self.codec) {
                Ok(Some((frame, behind))) => {
                    let at = self.at();
                    self.taken += 1;
                    self.taken_bytes += (rest.len() - behind.len()) as u64;
                    rest = behind;
                    if let Err(problem) = self.take(frame, at, running) {
                        break Some(problem);
                    }
                }
                Ok(None) => break None,
                Err(error) => break Some(garbage(&error, self.at(), rest)),
            }
        };
        match problem {
            None => {
                let consumed = begun.len() - rest.len();
                self.begun = begun;
                self.begun.drain(..consumed);
            }
            Some(problem) => {
                running.fail(problem);
                // Nothing that it writes from here on means anything.
                self.close();
            }
        }
    }

    /// Where the next frame is.
    fn at(&self) -> Written {
        let number = self.taken + 1;
        match self.codec {
            Codec::Json => Written::Line(number),
            Codec::Binary => Written::Frame {
                number,
                byte: self.taken_bytes,
            },
        }
    }

    fn take(
        &mut self,
        frame: FromPlugin,
        at: Written,
        running: &Arc<Running>,
    ) -> Result<(), LinkProblem> {
        match frame {
            FromPlugin::Description { id, .. } => {
                if let FromPlugin::Description { plugin, .. } = &frame {
                    self.codec = plugin.codec;
                    running.input.set_codec(plugin.codec);
                }
                answer(running, id, frame, at)
            }
            FromPlugin::Stopped { id } => {
                running.has_stopped();
                answer(running, id, frame, at)
            }
            FromPlugin::Done { id }
            | FromPlugin::Reply { id, .. }
            | FromPlugin::Error { id: Some(id), .. } => answer(running, id, frame, at),
            FromPlugin::Error { id: None, text, .. } => {
                let text = format!("did not understand a frame: {}", shown(&text));
                running.log(LogLevel::Warn, &text);
                Ok(())
            }
            FromPlugin::Trigger { during, .. } | FromPlugin::Send { during, .. } => {
                let arrival = Arrival::Call(frame);
                let back = match during {
                    Some(id) => running.waiting.arrive(id, arrival),
                    None => Some(arrival),
                };
                match back {
                    Some(Arrival::Call(frame)) => running.call_unasked(frame),
                    _ => Ok(()),
                }
            }
            FromPlugin::Log { level, text } => {
                running.log(level, &shown(&text));
                Ok(())
            }
        }
    }
}

fn answer(running: &Running, id: u64, frame: FromPlugin, at: Written) -> Result<(), LinkProblem> {
    let waiting = &running.waiting;
    if waiting.arrive(id, Arrival::Answer(frame)).is_none() || waiting.has_given_out(id) {
        return Ok(());
    }
    Err(LinkProblem::OutOfOrder {
        problem: format!("it answers id {id}, which the host has not used ({at})"),
    })
}

pub(super) fn read(output: &mut Option<File>, chunk: &mut [u8]) -> Got {
    let Some(file) = output else {
        return Got::Nothing;
    };
    loop {
        return match file.read(chunk) {
            Ok(0) => Got::End,
            Ok(length) => Got::Bytes(length),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Got::Nothing,
            Err(_) => Got::End,
        };
    }
}

/// The first frame of `bytes` and what is behind it; none if it is not whole yet.
fn next_frame(bytes: &[u8], codec: Codec) -> Result<Option<(FromPlugin, &[u8])>, FrameError> {
    match codec {
        Codec::Json => {
            let Some(end) = bytes.iter().position(|&byte| byte == b'\n') else {
                limits::check_length(bytes.len())?;
                return Ok(None);
            };
            let frame = json::read_from_plugin(&bytes[..end])?;
            Ok(Some((frame, &bytes[end + 1..])))
        }
        Codec::Binary => {
            let Some((length, rest)) = bytes.split_first_chunk() else {
                return Ok(None);
            };
            let length = binary::length(*length)?;
            let Some((body, rest)) = rest.split_at_checked(length) else {
                return Ok(None);
            };
            Ok(Some((binary::read_from_plugin(body)?, rest)))
        }
    }
}

fn garbage(error: &FrameError, at: Written, bytes: &[u8]) -> LinkProblem {
    if let FrameError::OtherProtocol { found, expected } = *error {
        return LinkProblem::OtherProtocol { found, expected };
    }
    let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or(bytes);
    LinkProblem::Garbage {
        at: Some(at),
        problem: error.to_string(),
        found: printable(line, SHOWN),
    }
}

fn shown(text: &str) -> String {
    printable(text.as_bytes(), limits::STRING)
}
