//! Where commands run: the trait that extensions implement, and the component that cases use.

use std::fmt;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use super::process::{Finished, Process};
use super::transcript::{Ended, Transcript};
use super::{Command, ExecError};
use crate::supervisor::{Cancellation, ExitStatus, OutputStream};

/// Runs commands somewhere.
pub trait Executor: fmt::Debug + Send + Sync {
    /// Starts a command and returns without waiting for its end. What it writes, and its end, go to `feed`, from whichever thread.
    ///
    /// The executor keeps the command's time limit: it ends it, and says so by [`Feed::timed_out`].
    ///
    /// # Errors
    /// When it could not be started; nothing runs then.
    fn start(&self, command: &Command, feed: Feed) -> Result<Box<dyn Control>, ExecError>;

    /// Where that is, for messages: `on this machine`, `in container web`.
    fn place(&self) -> String;
}

/// A command that runs, seen from the side that started it. Dropping it ends the command, and returns when it has ended.
pub trait Control: fmt::Debug + Send + Sync {
    /// Writes all of it to its standard input; blocks while the command does not read.
    ///
    /// # Errors
    /// When the input is closed, the command does not read for long, or the case was asked to end.
    fn write(&self, bytes: &[u8], cancellation: &Cancellation) -> Result<(), ExecError>;

    /// Closes its standard input: it reads the end.
    fn close_input(&self);

    /// Sends a signal to it and to all that it started.
    ///
    /// # Errors
    /// When there is nobody left to send it to, or no way to do so.
    fn signal(&self, signal: i32) -> Result<(), ExecError>;

    /// Asks it to end: SIGTERM, and SIGKILL after its grace.
    fn stop(&self);

    /// Ends it at once, with all that it started.
    fn kill(&self);
}

/// Where an executor puts what a command writes. Clones are the same feed.
#[derive(Debug, Clone)]
pub struct Feed {
    pub(super) transcript: Arc<Transcript>,
}

impl Feed {
    /// It wrote this much more.
    pub fn wrote(&self, stream: OutputStream, bytes: &[u8]) {
        self.transcript.wrote(stream, bytes);
    }

    /// It has ended and everything that it wrote was told. Only the first word about its end counts.
    pub fn ended(&self, exit: ExitStatus) {
        self.end(Some(exit), false, None);
    }

    /// It was ended because its time was over.
    pub fn timed_out(&self, exit: Option<ExitStatus>) {
        self.end(exit, true, None);
    }

    /// It is not known how it ended, because of this.
    pub fn lost(&self, reason: impl Into<String>) {
        self.end(None, false, Some(reason.into()));
    }

    fn end(&self, exit: Option<ExitStatus>, timed_out: bool, error: Option<String>) {
        self.transcript.end(Ended {
            exit,
            timed_out,
            error,
        });
    }
}

/// Runs commands for a case: the component that cases ask for, `fn my_case(exec: &Exec)`.
///
/// It ends what it started when it is dropped, at the latest with the scope that it lives in, and what waits for a command
/// returns as soon as the case is asked to end.
#[derive(Debug, Clone)]
pub struct Exec {
    executor: Arc<dyn Executor>,
    cancellation: Cancellation,
    started: Arc<Started>,
}

/// All processes that may still run; those of clones too.
#[derive(Debug, Default)]
struct Started(Mutex<Vec<Weak<Box<dyn Control>>>>);

impl Drop for Started {
    fn drop(&mut self) {
        let started = self.0.get_mut();
        let running: Vec<_> = started.iter().filter_map(Weak::upgrade).collect();
        // All are asked before the first is waited for.
        for control in &running {
            control.stop();
        }
        drop(running);
    }
}

impl Exec {
    /// Runs commands by `executor`, on behalf of what `cancellation` belongs to.
    pub fn new(executor: Arc<dyn Executor>, cancellation: Cancellation) -> Self {
        Self {
            executor,
            cancellation,
            started: Arc::default(),
        }
    }

    /// Where commands run.
    pub fn place(&self) -> String {
        self.executor.place()
    }

    /// Starts a command and returns at once.
    ///
    /// # Errors
    /// When it cannot be started, or does not read [`Command::input`].
    pub fn start(&self, command: &Command) -> Result<Process, ExecError> {
        let process = self.start_as_told(command)?;
        if !command.input.is_empty() {
            process.write(&command.input)?;
        }
        Ok(process)
    }

    /// Runs a command to its end. Its input ends behind [`Command::input`].
    ///
    /// # Errors
    /// When it cannot be started, takes longer than its time limit, or ends otherwise than it is expected to.
    pub fn run(&self, command: &Command) -> Result<Finished, ExecError> {
        let process = self.start_as_told(command)?;
        let written = if command.input.is_empty() {
            Ok(())
        } else {
            process.write(&command.input)
        };
        process.close_input();
        let finished = process.wait()?;
        // A command need not read everything; how it ended says whether that was right.
        match written {
            Ok(()) | Err(ExecError::InputClosed { .. }) => Ok(finished),
            Err(error) => Err(error),
        }
    }

    fn start_as_told(&self, command: &Command) -> Result<Process, ExecError> {
        let transcript = Arc::new(Transcript::default());
        let feed = Feed {
            transcript: Arc::clone(&transcript),
        };
        let control = Arc::new(self.executor.start(command, feed)?);
        let mut started = self.started.0.lock();
        started.retain(|control| control.strong_count() > 0);
        started.push(Arc::downgrade(&control));
        drop(started);
        Ok(Process::new(
            command.clone(),
            control,
            transcript,
            self.cancellation.clone(),
        ))
    }
}
