//! Commands on this machine.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, Signal, kill_process_group};
use zaf_core::thread::JoinHandle;

use super::executor::{Control, Executor, Feed};
use super::{Command, Environment, ExecError};
use crate::supervisor::{
    self, Cancellation, Direction, EndedBy, OutputStream, ProcessEnd, ProcessSpec, ProcessWatcher,
    SpawnError, WaitEnd,
};

/// Longest that a command may leave its input unread.
const INPUT_LIMIT: Duration = Duration::from_secs(10);

/// Runs commands as processes of this machine, each with a thread that watches it. They and everything that they start end with
/// the case: by their process group, and by the variable `K2_EXECUTION`.
#[derive(Debug, Default)]
pub struct Host {
    execution: Option<String>,
    commands: AtomicU64,
    environment: Environment,
}

impl Host {
    /// Commands on behalf of nobody in particular.
    pub fn new() -> Self {
        Self::default()
    }

    /// Commands on behalf of this execution: see [`CaseRun::execution`](crate::case::CaseRun::execution).
    #[must_use]
    pub fn execution(mut self, execution: impl Into<String>) -> Self {
        self.execution = Some(execution.into());
        self
    }

    /// Runs all commands in this environment, as it is when they start.
    #[must_use]
    pub fn environment(mut self, environment: &Environment) -> Self {
        self.environment = environment.clone();
        self
    }
}

impl Executor for Host {
    fn start(&self, command: &Command, feed: Feed) -> Result<Box<dyn Control>, ExecError> {
        let failed = |error: io::Error| ExecError::Executor {
            command: command.to_string(),
            place: self.place(),
            reason: error.to_string(),
        };
        let flags = PipeFlags::CLOEXEC;
        let (theirs, ours) = pipe_with(flags).map_err(|error| failed(error.into()))?;
        rustix::io::ioctl_fionbio(&ours, true).map_err(|error| failed(error.into()))?;
        let cancellation = Cancellation::new().map_err(failed)?;
        let (told, answer) = crossbeam_channel::bounded(1);
        let process = Arc::new(Mutex::new(None));
        let mut spec = ProcessSpec::new(&command.program)
            .arguments(command.arguments.iter().cloned())
            .grace(command.grace)
            .input(theirs)
            .watcher(Arc::new(Watcher {
                feed: feed.clone(),
                process: Arc::clone(&process),
                started: Mutex::new(Some(told.clone())),
            }));
        self.environment.apply(&mut spec);
        spec.environment.extend_from_slice(&command.environment);
        spec.directory.clone_from(&command.directory);
        spec.timeout = command.timeout;
        // A name of its own for each: the end of one command must not end the others of the case.
        spec.execution = self.execution.as_ref().map(|execution| {
            let number = self.commands.fetch_add(1, Ordering::Relaxed) + 1;
            format!("{execution}/{number}")
        });
        let thread = {
            let cancellation = cancellation.clone();
            zaf_core::thread::spawn("command", move || {
                match supervisor::run(&spec, &cancellation) {
                    Ok(end) => tell_end(&feed, &end),
                    Err(error) => {
                        feed.lost(error.to_string());
                        // The other side is gone if it was told already that the process had started.
                        told.send(Err(error)).ok();
                    }
                }
            })
            .map_err(failed)?
        };
        match answer.recv() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                thread.join().ok();
                return Err(error.into());
            }
            Err(_) => return Err(failed(io::Error::other("the thread that runs it died"))),
        }
        Ok(Box::new(HostProcess {
            line: command.to_string(),
            process,
            input: Mutex::new(Some(ours)),
            cancellation,
            thread: Some(thread),
        }))
    }

    fn place(&self) -> String {
        "on this machine".to_owned()
    }
}

fn tell_end(feed: &Feed, end: &ProcessEnd) {
    match (end.ended_by, end.exit) {
        (EndedBy::Timeout(_) | EndedBy::PhaseTimeout { .. }, exit) => feed.timed_out(exit),
        (_, Some(exit)) => feed.ended(exit),
        (_, None) => feed.lost("it does not end, not even by SIGKILL"),
    }
}

/// The process, as long as its number is its own.
type Alive = Arc<Mutex<Option<Pid>>>;

/// Tells the thread that starts a command that it has started, and all others what it writes.
#[derive(Debug)]
struct Watcher {
    feed: Feed,
    process: Alive,
    started: Mutex<Option<crossbeam_channel::Sender<Result<(), SpawnError>>>>,
}

impl ProcessWatcher for Watcher {
    fn started(&self, pid: u32) {
        *self.process.lock() = i32::try_from(pid).ok().and_then(Pid::from_raw);
        if let Some(started) = self.started.lock().take() {
            started.send(Ok(())).ok();
        }
    }

    fn wrote(&self, stream: OutputStream, bytes: &[u8]) {
        self.feed.wrote(stream, bytes);
    }

    fn look_for_end(&self, look: &mut dyn FnMut() -> bool) {
        let mut process = self.process.lock();
        if look() {
            *process = None;
        }
    }
}

#[derive(Debug)]
struct HostProcess {
    line: String,
    process: Alive,
    input: Mutex<Option<OwnedFd>>,
    cancellation: Cancellation,
    thread: Option<JoinHandle<()>>,
}

impl HostProcess {
    fn input_closed(&self) -> ExecError {
        ExecError::InputClosed {
            command: self.line.clone(),
        }
    }
}

impl Control for HostProcess {
    fn write(&self, mut bytes: &[u8], cancellation: &Cancellation) -> Result<(), ExecError> {
        let input = self.input.lock();
        let Some(pipe) = &*input else {
            return Err(self.input_closed());
        };
        let deadline = Instant::now().checked_add(INPUT_LIMIT);
        while !bytes.is_empty() {
            match rustix::io::write(pipe, bytes) {
                Ok(written) => bytes = &bytes[written..],
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    match cancellation.wait_for(pipe, Direction::Write, deadline) {
                        WaitEnd::Ready => {}
                        WaitEnd::Deadline => {
                            return Err(ExecError::InputBlocked {
                                command: self.line.clone(),
                                limit: INPUT_LIMIT,
                            });
                        }
                        WaitEnd::Cancelled => {
                            return Err(ExecError::Cancelled {
                                command: self.line.clone(),
                            });
                        }
                    }
                }
                Err(_) => return Err(self.input_closed()),
            }
        }
        Ok(())
    }

    fn close_input(&self) {
        self.input.lock().take();
    }

    fn signal(&self, signal: i32) -> Result<(), ExecError> {
        let failed = |reason: &str| ExecError::Signal {
            command: self.line.clone(),
            signal,
            reason: reason.to_owned(),
        };
        let named =
            Signal::from_named_raw(signal).ok_or_else(|| failed("there is no such signal"))?;
        match *self.process.lock() {
            Some(process) => {
                kill_process_group(process, named).map_err(|error| failed(&error.to_string()))
            }
            None => Err(failed("it has ended")),
        }
    }

    fn stop(&self) {
        self.cancellation.request(Signal::TERM.as_raw());
    }

    fn kill(&self) {
        self.cancellation.kill();
    }
}

impl Drop for HostProcess {
    fn drop(&mut self) {
        self.input.get_mut().take();
        self.stop();
        if let Some(thread) = self.thread.take() {
            // It cannot panic: it runs no code of others.
            thread.join().ok();
        }
    }
}
