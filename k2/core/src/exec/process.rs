//! A command that runs.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use regex::bytes::Regex;

use super::executor::Control;
use super::transcript::{Ended, Found, Transcript};
use super::{Command, ExecError};
use crate::supervisor::{Cancellation, ExitStatus, OutputStream, WaitEnd};

/// Lines of output in an error.
const SHOWN_LINES: usize = 20;

/// A command that has been started. Dropping it ends the command, and returns when nothing of it is left.
#[derive(Debug)]
pub struct Process {
    command: Command,
    control: Arc<Box<dyn Control>>,
    transcript: Arc<Transcript>,
    cancellation: Cancellation,
    started: Instant,
}

/// A command that has ended.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Finished {
    /// How.
    pub exit: ExitStatus,
    /// What it wrote to its standard output: of more than a mebibyte the end. Invalid UTF-8 is replaced.
    pub stdout: String,
    /// What it wrote to its standard error, likewise.
    pub stderr: String,
    /// How long it took until its end was noticed.
    pub duration: Duration,
}

impl Process {
    pub(super) fn new(
        command: Command,
        control: Arc<Box<dyn Control>>,
        transcript: Arc<Transcript>,
        cancellation: Cancellation,
    ) -> Self {
        Self {
            command,
            control,
            transcript,
            cancellation,
            started: Instant::now(),
        }
    }

    /// What was started.
    pub fn command(&self) -> &Command {
        &self.command
    }

    /// Whether it has not ended yet.
    pub fn is_running(&self) -> bool {
        self.transcript.ended().is_none()
    }

    /// What it has written so far: of more than a mebibyte the end. Invalid UTF-8 is replaced.
    pub fn output(&self, stream: OutputStream) -> String {
        self.transcript.text(stream)
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    /// [`ExecError::TimedOut`], [`ExecError::Unexpected`], [`ExecError::Cancelled`]; the command has ended in all cases but the last.
    pub fn wait(&self) -> Result<Finished, ExecError> {
        let ended = self
            .transcript
            .wait(&self.cancellation, None, || self.transcript.ended())
            .map_err(|error| self.not_watched(&error))?
            .map_err(|_| self.cancelled())?;
        let duration = self.started.elapsed();
        let exit = self.exit_of(&ended)?;
        if !self.command.expected.allows(exit) {
            return Err(ExecError::Unexpected {
                command: self.command.to_string(),
                exit,
                expected: self.command.expected,
                output: self.last_lines(),
            });
        }
        Ok(Finished {
            exit,
            stdout: self.output(OutputStream::Stdout),
            stderr: self.output(OutputStream::Stderr),
            duration,
        })
    }

    /// Waits until what it has written to `stream`, from its beginning on, matches the regular expression; also the beginning of a
    /// line that is not complete counts.
    ///
    /// # Errors
    /// [`ExecError::NoMatch`] after `limit`, [`ExecError::EndedFirst`], [`ExecError::Pattern`], [`ExecError::Cancelled`].
    pub fn wait_for(
        &self,
        stream: OutputStream,
        pattern: &str,
        limit: Duration,
    ) -> Result<Found, ExecError> {
        self.wait_for_match(stream, pattern, limit, false)
    }

    /// As [`wait_for`](Self::wait_for), but looks only behind what was found last: for one answer after another.
    ///
    /// # Errors
    /// As [`wait_for`](Self::wait_for).
    pub fn wait_for_next(
        &self,
        stream: OutputStream,
        pattern: &str,
        limit: Duration,
    ) -> Result<Found, ExecError> {
        self.wait_for_match(stream, pattern, limit, true)
    }

    /// Writes to its standard input.
    ///
    /// # Errors
    /// [`ExecError::InputClosed`], [`ExecError::InputBlocked`], [`ExecError::Cancelled`].
    pub fn write(&self, bytes: impl AsRef<[u8]>) -> Result<(), ExecError> {
        self.control.write(bytes.as_ref(), &self.cancellation)
    }

    /// Closes its standard input: it reads the end.
    pub fn close_input(&self) {
        self.control.close_input();
    }

    /// Sends a signal to it and to all that it started.
    ///
    /// # Errors
    /// When it has ended.
    pub fn signal(&self, signal: i32) -> Result<(), ExecError> {
        self.control.signal(signal)
    }

    /// Asks it to end, and ends it after its grace; returns how it ended, whatever was expected.
    ///
    /// # Errors
    /// [`ExecError::Cancelled`]; it is ended all the same.
    pub fn stop(&self) -> Result<ExitStatus, ExecError> {
        self.control.stop();
        self.end_without_judgement()
    }

    /// Ends it at once, with all that it started; returns how it ended, whatever was expected.
    ///
    /// # Errors
    /// [`ExecError::Cancelled`]; it is ended all the same.
    pub fn kill(&self) -> Result<ExitStatus, ExecError> {
        self.control.kill();
        self.end_without_judgement()
    }

    fn end_without_judgement(&self) -> Result<ExitStatus, ExecError> {
        let ended = self
            .transcript
            .wait(&self.cancellation, None, || self.transcript.ended())
            .map_err(|error| self.not_watched(&error))?
            .map_err(|_| self.cancelled())?;
        match ended.exit {
            Some(exit) => Ok(exit),
            None => self.exit_of(&ended),
        }
    }

    fn wait_for_match(
        &self,
        stream: OutputStream,
        pattern: &str,
        limit: Duration,
        further: bool,
    ) -> Result<Found, ExecError> {
        let regex = Regex::new(pattern).map_err(|source| ExecError::Pattern {
            pattern: pattern.to_owned(),
            source: Box::new(source),
        })?;
        let deadline = Instant::now().checked_add(limit);
        let waited = self.transcript.wait(&self.cancellation, deadline, || {
            // Whether it has ended is looked at first: what it wrote before is all there then.
            let ended = self.transcript.ended();
            match self.transcript.find(stream, &regex, further) {
                Some(found) => Some(Ok(found)),
                None => ended.map(Err),
            }
        });
        match waited.map_err(|error| self.not_watched(&error))? {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(ended)) => Err(ExecError::EndedFirst {
                command: self.command.to_string(),
                pattern: pattern.to_owned(),
                stream,
                exit: ended.exit,
                output: last_lines(&self.output(stream)),
            }),
            Err(WaitEnd::Cancelled) => Err(self.cancelled()),
            Err(_) => Err(ExecError::NoMatch {
                command: self.command.to_string(),
                pattern: pattern.to_owned(),
                stream,
                limit,
                output: last_lines(&self.output(stream)),
            }),
        }
    }

    fn exit_of(&self, ended: &Ended) -> Result<ExitStatus, ExecError> {
        if ended.timed_out {
            return Err(ExecError::TimedOut {
                command: self.command.to_string(),
                limit: self.command.timeout.unwrap_or_default(),
                output: self.last_lines(),
            });
        }
        ended.exit.ok_or_else(|| ExecError::Executor {
            command: self.command.to_string(),
            place: "to its end".to_owned(),
            reason: ended
                .error
                .clone()
                .unwrap_or_else(|| "it cannot be ended".to_owned()),
        })
    }

    fn cancelled(&self) -> ExecError {
        ExecError::Cancelled {
            command: self.command.to_string(),
        }
    }

    fn not_watched(&self, error: &io::Error) -> ExecError {
        ExecError::Executor {
            command: self.command.to_string(),
            place: "and wait for it".to_owned(),
            reason: error.to_string(),
        }
    }

    /// Of both outputs, standard error last: there the reason stands.
    fn last_lines(&self) -> String {
        let mut text = last_lines(&self.output(OutputStream::Stdout));
        let stderr = last_lines(&self.output(OutputStream::Stderr));
        if !text.is_empty() && !text.ends_with('\n') && !stderr.is_empty() {
            text.push('\n');
        }
        text.push_str(&stderr);
        text
    }
}

fn last_lines(text: &str) -> String {
    let lines: Vec<_> = text.lines().collect();
    let skipped = lines.len().saturating_sub(SHOWN_LINES);
    lines[skipped..].join("\n")
}
