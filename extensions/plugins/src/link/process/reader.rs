//! Reads what a plugin writes, and sees that it ends: the thread of a link.
//!
//! One thread waits for both outputs and the end of the process, gives each frame to whom it belongs, and when the process has ended
//! ends what is left of its group and tells everybody who waits. It writes nothing and calls nothing that could wait for the plugin.

use std::fs::File;
use std::io::Read;
use std::mem;
use std::os::fd::OwnedFd;
use std::process::{Child, ExitStatus};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::Pid;

use super::super::LinkProblem;
use super::super::printable::printable;
use super::ended::{Ended, problem_of};
use super::input::timespec;
use super::leftovers;
use super::running::Running;
use super::spawn::Started;
use super::tail::Tail;
use super::waiting::Arrival;
use crate::protocol::{Codec, FrameError, FromPlugin, LogLevel, binary, json, limits};

/// Bytes that are read at once.
const CHUNK: usize = 64 << 10;

/// Bytes of garbage that are shown.
const SHOWN: usize = 200;

/// The outputs of a plugin, and its process.
pub(super) struct Reader {
    running: Arc<Running>,
    child: Child,
    exit: OwnedFd,
    stdout: Option<File>,
    stderr: Option<File>,
    /// What was read and is no whole frame yet.
    begun: Vec<u8>,
    codec: Codec,
    tail: Tail,
    chunk: Box<[u8]>,
    /// How long it may live without an output.
    patience: Duration,
}

/// What came out of an output.
enum Output {
    Bytes(usize),
    Nothing,
    End,
}

impl Reader {
    /// Of what was started, without its input.
    pub(super) fn new(running: Arc<Running>, started: StartedOutputs, patience: Duration) -> Self {
        Self {
            running,
            child: started.child,
            exit: started.exit,
            stdout: Some(started.stdout),
            stderr: Some(started.stderr),
            begun: Vec::new(),
            codec: Codec::Json,
            tail: Tail::default(),
            chunk: vec![0; CHUNK].into_boxed_slice(),
            patience,
        }
    }

    /// Until the process has ended.
    pub(super) fn run(mut self) {
        let mut silent_until = None;
        while !self.wait(silent_until) {
            self.read_stdout();
            self.read_stderr();
            if self.stdout.is_none() && silent_until.is_none() {
                silent_until = Some(Instant::now() + self.patience);
            }
        }
        // What it wrote before it ended.
        while self.read_stdout() {}
        while self.read_stderr() {}
        self.end();
    }

    /// Waits for something to read, at most until `deadline`, after which the process is ended; returns whether it has ended.
    fn wait(&self, deadline: Option<Instant>) -> bool {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let time = left.map(timespec);
        let mut wanted = Vec::with_capacity(3);
        wanted.push(PollFd::new(&self.exit, PollFlags::IN));
        for output in [&self.stdout, &self.stderr].into_iter().flatten() {
            wanted.push(PollFd::new(output, PollFlags::IN));
        }
        match poll(&mut wanted, time.as_ref()) {
            Ok(0) => {
                self.running.fail(LinkProblem::ClosedOutput {});
                false
            }
            Ok(_) => {
                !wanted[0].revents().is_empty()
                    && wanted[1..].iter().all(|fd| fd.revents().is_empty())
            }
            Err(Errno::INTR) => false,
            Err(error) => {
                self.running.fail(LinkProblem::Io(error.into()));
                // Its end is all that is left to wait for.
                true
            }
        }
    }

    /// Reads once; returns whether there may be more.
    fn read_stdout(&mut self) -> bool {
        match read(&mut self.stdout, &mut self.chunk) {
            Output::Bytes(length) => {
                self.begun.extend_from_slice(&self.chunk[..length]);
                self.take_frames();
                true
            }
            Output::Nothing => false,
            Output::End => {
                self.stdout = None;
                false
            }
        }
    }

    /// Reads once; returns whether there may be more.
    fn read_stderr(&mut self) -> bool {
        match read(&mut self.stderr, &mut self.chunk) {
            Output::Bytes(length) => {
                let running = &self.running;
                self.tail.push(&self.chunk[..length], |line| {
                    running.log(LogLevel::Info, line);
                });
                true
            }
            Output::Nothing => false,
            Output::End => {
                self.stderr = None;
                false
            }
        }
    }

    /// Gives away all whole frames that have been read.
    fn take_frames(&mut self) {
        let begun = mem::take(&mut self.begun);
        let mut rest = &begun[..];
        let problem = loop {
            match next_frame(rest, self.codec) {
                Ok(Some((frame, behind))) => {
                    rest = behind;
                    if let Err(problem) = self.take(frame) {
                        break Some(problem);
                    }
                }
                Ok(None) => break None,
                Err(error) => break Some(garbage(&error, rest)),
            }
        };
        match problem {
            None => {
                let consumed = begun.len() - rest.len();
                self.begun = begun;
                self.begun.drain(..consumed);
            }
            Some(problem) => {
                self.running.fail(problem);
                // Nothing that it writes from here on means anything.
                self.stdout = None;
            }
        }
    }

    fn take(&mut self, frame: FromPlugin) -> Result<(), LinkProblem> {
        let running = &self.running;
        match frame {
            FromPlugin::Description { id, .. } => {
                if let FromPlugin::Description { plugin, .. } = &frame {
                    self.codec = plugin.codec;
                    running.input.set_codec(plugin.codec);
                }
                self.answer(id, frame)
            }
            FromPlugin::Stopped { id } => {
                running.has_stopped();
                self.answer(id, frame)
            }
            FromPlugin::Done { id }
            | FromPlugin::Reply { id, .. }
            | FromPlugin::Error { id: Some(id), .. } => self.answer(id, frame),
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

    fn answer(&self, id: u64, frame: FromPlugin) -> Result<(), LinkProblem> {
        let waiting = &self.running.waiting;
        if waiting.arrive(id, Arrival::Answer(frame)).is_none() || waiting.has_given_out(id) {
            return Ok(());
        }
        Err(LinkProblem::OutOfOrder {
            problem: format!("it answers id {id}, which the host has not used"),
        })
    }

    /// Takes leave of the process: it is dead, or as good as dead.
    fn end(mut self) {
        let running = &self.running;
        self.tail.finish(|line| running.log(LogLevel::Info, line));
        // As long as the process is not waited for, its number and that of its group are nobody else's.
        running.kill_group();
        let group = Pid::from_child(&self.child);
        let status = running.reap(&mut self.child);
        leftovers::wait(group, Instant::now() + self.patience);
        let (given, as_asked) =
            running.verdict(status.as_ref().ok().is_some_and(ExitStatus::success));
        let problem = match (given, status) {
            (Some(problem), _) => problem,
            (None, _) if as_asked => LinkProblem::Stopped {},
            (None, Ok(status)) => problem_of(status),
            (None, Err(error)) => LinkProblem::Io(error),
        };
        running.waiting.end(Arc::new(Ended {
            problem: Arc::new(problem),
            stderr: self.tail.lines(),
            as_asked,
        }));
    }
}

/// What a reader needs of a process that was started.
pub(super) struct StartedOutputs {
    child: Child,
    exit: OwnedFd,
    stdout: File,
    stderr: File,
}

impl Started {
    /// The input, and the rest.
    pub(super) fn split(self) -> (OwnedFd, StartedOutputs) {
        let Self {
            child,
            exit,
            stdin,
            stdout,
            stderr,
        } = self;
        let outputs = StartedOutputs {
            child,
            exit,
            stdout,
            stderr,
        };
        (stdin, outputs)
    }
}

fn read(output: &mut Option<File>, chunk: &mut [u8]) -> Output {
    let Some(file) = output else {
        return Output::Nothing;
    };
    loop {
        return match file.read(chunk) {
            Ok(0) => Output::End,
            Ok(length) => Output::Bytes(length),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Output::Nothing,
            Err(_) => Output::End,
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

fn garbage(error: &FrameError, bytes: &[u8]) -> LinkProblem {
    if let FrameError::OtherProtocol { found, expected } = *error {
        return LinkProblem::OtherProtocol { found, expected };
    }
    let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or(bytes);
    LinkProblem::Garbage {
        problem: error.to_string(),
        found: printable(line, SHOWN),
    }
}

fn shown(text: &str) -> String {
    printable(text.as_bytes(), limits::STRING)
}
