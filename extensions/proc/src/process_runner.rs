//! Commands whose wrong end fails the case.

use std::time::Duration;

use k2::exec::{Command, Exec, ExecError, Finished, Found, Process};
use k2::supervisor::{ExitStatus, OutputStream};
use zaf_core::prelude::*;

/// Runs commands for a case. What a command does wrong (it ends otherwise than expected, takes too long, does not write what it should) makes the
/// case *failed* when the error is returned from the test function; what keeps it from being run makes it *error*.
#[derive(Debug, Clone)]
pub struct ProcessRunner {
    exec: Exec,
}

impl ProcessRunner {
    /// Runs commands by `exec`.
    pub fn new(exec: Exec) -> Self {
        Self { exec }
    }

    /// Runs a command to its end.
    ///
    /// # Errors
    /// As [`Exec::run`].
    pub fn run(&self, command: &Command) -> Result<Finished> {
        self.exec.run(command).map_err(judged)
    }

    /// Starts a command that goes on beside the case: it ends when the returned process is dropped.
    ///
    /// # Errors
    /// As [`Exec::start`].
    pub fn start(&self, command: &Command) -> Result<RunningProcess> {
        let process = self.exec.start(command).map_err(judged)?;
        Ok(RunningProcess { process })
    }
}

/// A command that runs beside its case, and ends when this is dropped.
#[derive(Debug)]
pub struct RunningProcess {
    process: Process,
}

impl RunningProcess {
    /// The process itself, with errors that say more.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Waits until it has ended as it should.
    ///
    /// # Errors
    /// As [`Process::wait`].
    pub fn wait(&self) -> Result<Finished> {
        self.process.wait().map_err(judged)
    }

    /// Waits until what it has written to its standard output matches the regular expression.
    ///
    /// # Errors
    /// As [`Process::wait_for`].
    pub fn wait_for_match_in_stdout(&self, pattern: &str, limit: Duration) -> Result<Found> {
        let stream = OutputStream::Stdout;
        self.process
            .wait_for(stream, pattern, limit)
            .map_err(judged)
    }

    /// Waits until what it has written to its standard error matches the regular expression.
    ///
    /// # Errors
    /// As [`Process::wait_for`].
    pub fn wait_for_match_in_stderr(&self, pattern: &str, limit: Duration) -> Result<Found> {
        let stream = OutputStream::Stderr;
        self.process
            .wait_for(stream, pattern, limit)
            .map_err(judged)
    }

    /// Writes to its standard input.
    ///
    /// # Errors
    /// As [`Process::write`].
    pub fn write_stdin(&self, bytes: impl AsRef<[u8]>) -> Result<()> {
        self.process.write(bytes).map_err(judged)
    }

    /// Sends a signal to it and to all that it started.
    ///
    /// # Errors
    /// When it has ended.
    pub fn signal(&self, signal: i32) -> Result<()> {
        self.process.signal(signal).map_err(judged)
    }

    /// Asks it to end, and ends it after its grace; returns how it ended.
    ///
    /// # Errors
    /// As [`Process::stop`].
    pub fn stop(&self) -> Result<ExitStatus> {
        self.process.stop().map_err(judged)
    }

    /// Ends it at once; returns how it ended.
    ///
    /// # Errors
    /// As [`Process::kill`].
    pub fn kill(&self) -> Result<ExitStatus> {
        self.process.kill().map_err(judged)
    }
}

/// What an error means for the case that returns it.
fn judged(error: ExecError) -> Error {
    if error.is_failure() {
        k2::fail(error.to_string())
    } else {
        error.into()
    }
}
