//! A program that runs in a [`CliHarness`](crate::CliHarness).

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::HarnessError;
use crate::cli::{CliCommand, CliEnded};
use crate::leftovers::{Mark, ended_within};

/// How long what the program has started may take to end after it.
const GRACE: Duration = Duration::from_secs(1);

/// A signal that a user, a terminal or an init system sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CliSignal {
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-\.
    Quit,
    /// The usual end.
    Terminate,
    /// The terminal has gone.
    Hangup,
    /// An end without a chance.
    Kill,
    /// Stops it until it is continued.
    Stop,
    /// Continues it.
    Continue,
}

impl CliSignal {
    fn signal(self) -> Signal {
        match self {
            Self::Interrupt => Signal::INT,
            Self::Quit => Signal::QUIT,
            Self::Terminate => Signal::TERM,
            Self::Hangup => Signal::HUP,
            Self::Kill => Signal::KILL,
            Self::Stop => Signal::STOP,
            Self::Continue => Signal::CONT,
        }
    }
}

/// A running program. Dropping it kills it and everything that it started.
#[derive(Debug)]
pub struct CliSession {
    child: Child,
    process: OwnedFd,
    mark: Mark,
    stdout: Output,
    stderr: Option<Output>,
    master: Option<File>,
    deadline: Instant,
    limit: Duration,
    ended: Option<ExitStatus>,
}

impl CliSession {
    pub(crate) fn start(how: &CliCommand<'_>) -> Result<Self, HarnessError> {
        let mark = Mark::new(how.harness.home());
        let terminal = how.terminal.map(Terminal::open).transpose()?;
        #[expect(
            clippy::disallowed_methods,
            reason = "a program is started as a user would, not as a part of a run"
        )]
        let mut command = match terminal {
            // Makes the terminal its controlling one, which takes a step between fork and exec.
            Some(_) => Command::new("setsid"),
            None => Command::new(how.program()),
        };
        command
            .env_clear()
            .env("HOME", how.harness.home())
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("LANG", "C.UTF-8")
            .current_dir(how.harness.directory());
        if let Some(terminal) = &terminal {
            let stream = || terminal.slave.try_clone().map(Stdio::from);
            let streams = || Ok((stream()?, stream()?, stream()?));
            let (stdin, stdout, stderr) = streams().map_err(HarnessError::cli("no terminal"))?;
            command.arg("--ctty").arg(how.program());
            command.env("TERM", "xterm-256color");
            command.stdin(stdin).stdout(stdout).stderr(stderr);
        } else {
            command.process_group(0).stdin(Stdio::null());
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
        }
        command
            .args(&how.arguments)
            .envs(how.environment.iter().map(|(name, value)| (name, value)))
            .env(Mark::VARIABLE, mark.value());
        let what = format!("`{}` cannot be started", how.program().display());
        let mut child = command.spawn().map_err(HarnessError::cli(what))?;
        // The terminal is to be held by the program alone.
        drop(command);
        let pid = Pid::from_child(&child);
        let process = pidfd_open(pid, PidfdFlags::empty())
            .map_err(|error| HarnessError::cli("the program cannot be watched")(error.into()))?;
        let (stdout, stderr, master) = if let Some(Terminal { master, slave }) = terminal {
            drop(slave);
            let copy = master
                .try_clone()
                .map_err(HarnessError::cli("no terminal"))?;
            let screen = Output::of(File::from(copy))?;
            (screen, None, Some(File::from(master)))
        } else {
            let stdout = child.stdout.take().map(Output::of).transpose()?;
            let stderr = child.stderr.take().map(Output::of).transpose()?;
            (stdout.unwrap_or_default(), stderr, None)
        };
        let deadline = Instant::now() + how.limit;
        Ok(Self {
            child,
            process,
            mark,
            stdout,
            stderr,
            master,
            deadline,
            limit: how.limit,
            ended: None,
        })
    }

    /// Sends a signal to the program alone, as `kill` does. Write control characters with [`type_in`](Self::type_in) to reach
    /// all that runs in the foreground of its terminal.
    ///
    /// # Errors
    /// [`HarnessError::Cli`] if it has ended.
    pub fn signal(&self, signal: CliSignal) -> Result<(), HarnessError> {
        pidfd_send_signal(&self.process, signal.signal())
            .map_err(|error| HarnessError::cli("no signal can be sent")(error.into()))
    }

    /// Types text into the terminal: `"\r"` is the key Enter, `"\u{3}"` Ctrl-C.
    ///
    /// # Errors
    /// [`HarnessError::Cli`] without a terminal, or if it has gone.
    pub fn type_in(&mut self, text: &str) -> Result<(), HarnessError> {
        let failed = HarnessError::cli("nothing can be typed in");
        let Some(master) = &mut self.master else {
            return Err(failed(std::io::Error::other("start it with a `terminal`")));
        };
        master.write_all(text.as_bytes()).map_err(failed)
    }

    /// Gives the terminal another size; the program gets `SIGWINCH`.
    ///
    /// # Errors
    /// [`HarnessError::Cli`] without a terminal, or if it has gone.
    pub fn resize(&mut self, columns: u16, rows: u16) -> Result<(), HarnessError> {
        let failed = HarnessError::cli("the terminal cannot be resized");
        let Some(master) = &self.master else {
            return Err(failed(std::io::Error::other("start it with a `terminal`")));
        };
        tcsetwinsize(master, size(columns, rows)).map_err(|error| failed(error.into()))
    }

    /// Waits until the program has written `text` to standard output (or its terminal), and returns everything up to then.
    ///
    /// # Errors
    /// [`HarnessError::NoOutput`] if it ends or reaches its time limit before; with what it wrote.
    pub fn wait_for(&self, text: &str) -> Result<String, HarnessError> {
        self.stdout.wait(self.deadline, |state| {
            state.text().contains(text) || state.is_over
        });
        let got = self.stdout.text();
        if got.contains(text) {
            return Ok(got);
        }
        let stderr = self.stderr.as_ref().map(Output::text).unwrap_or_default();
        Err(HarnessError::NoOutput {
            expected: text.to_owned(),
            got: format!("stdout: {got:?}; stderr: {stderr:?}"),
        })
    }

    /// Waits until it has ended, and makes sure that nothing that it started is alive.
    ///
    /// # Errors
    /// [`HarnessError::TimeLimit`] if it had to be killed, [`HarnessError::LeftBehind`] with the processes that it left and that
    /// were killed instead; both with its output.
    pub fn wait(mut self) -> Result<CliEnded, HarnessError> {
        let in_time = ended_within(&self.process, self.deadline);
        let left = self.end(in_time)?;
        let status = self.ended.unwrap_or_default();
        let ended = CliEnded {
            code: status.code(),
            signal: status.signal(),
            stdout: self.stdout.text(),
            stderr: self.stderr.as_ref().map(Output::text).unwrap_or_default(),
        };
        if !in_time {
            let (limit, output) = (self.limit, ended.to_string());
            return Err(HarnessError::TimeLimit { limit, output });
        }
        if !left.is_empty() {
            let (processes, output) = (left.join(", "), ended.to_string());
            return Err(HarnessError::LeftBehind { processes, output });
        }
        Ok(ended)
    }

    /// Ends everything and collects what it wrote; returns the processes that had to be killed.
    fn end(&mut self, in_time: bool) -> Result<Vec<String>, HarnessError> {
        let mut killed = Vec::new();
        if !in_time {
            killed = self.mark.alive();
            // Its children go with it; it may have ended by now.
            drop(self.signal(CliSignal::Kill));
        }
        let status = self
            .child
            .wait()
            .map_err(HarnessError::cli("no end was seen"))?;
        self.ended = Some(status);
        let grace = if in_time { GRACE } else { Duration::ZERO };
        let left = self.mark.end_all(grace);
        // The mark of a process is gone a moment before the process is.
        let deadline = Instant::now() + GRACE;
        for (_, process) in killed {
            ended_within(&process, deadline);
        }
        let deadline = Instant::now() + GRACE;
        for output in [Some(&self.stdout), self.stderr.as_ref()]
            .into_iter()
            .flatten()
        {
            output.wait(deadline, |state| state.is_over);
        }
        Ok(left)
    }
}

impl Drop for CliSession {
    fn drop(&mut self) {
        if self.ended.is_none()
            && let Err(error) = self.end(false)
        {
            tracing::error!(%error, "a program could not be ended");
        }
    }
}

/// The two ends of a terminal.
struct Terminal {
    master: OwnedFd,
    slave: OwnedFd,
}

impl Terminal {
    fn open((columns, rows): (u16, u16)) -> Result<Self, HarnessError> {
        let open = || -> rustix::io::Result<Self> {
            let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
            grantpt(&master)?;
            unlockpt(&master)?;
            rustix::io::fcntl_setfd(&master, rustix::io::FdFlags::CLOEXEC)?;
            let name = ptsname(&master, Vec::new())?;
            let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
            let slave = rustix::fs::open(name.as_c_str(), flags, Mode::empty())?;
            tcsetwinsize(&slave, size(columns, rows))?;
            Ok(Self { master, slave })
        };
        open().map_err(|error| HarnessError::cli("no terminal")(error.into()))
    }
}

fn size(columns: u16, rows: u16) -> Winsize {
    Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    }
}

/// What a stream has brought so far; read on a thread of its own so that the program never waits.
#[derive(Debug, Clone, Default)]
struct Output(Arc<(Mutex<Written>, Condvar)>);

#[derive(Debug, Default)]
struct Written {
    bytes: Vec<u8>,
    is_over: bool,
}

impl Written {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

impl Output {
    fn of(mut stream: impl Read + Send + 'static) -> Result<Self, HarnessError> {
        let output = Self::default();
        let own = output.clone();
        let body = move || {
            let mut buffer = [0; 4096];
            // A terminal that nobody holds any more is an error (EIO), not an end.
            while let Ok(count @ 1..) = stream.read(&mut buffer) {
                own.0.0.lock().bytes.extend_from_slice(&buffer[..count]);
                own.0.1.notify_all();
            }
            own.0.0.lock().is_over = true;
            own.0.1.notify_all();
        };
        // It ends with the stream, whose writers are all killed.
        drop(zaf_core::thread::spawn("cli-output", body).map_err(HarnessError::cli("no thread"))?);
        Ok(output)
    }

    fn text(&self) -> String {
        self.0.0.lock().text()
    }

    /// Waits until `is_enough`, at most until `deadline`.
    fn wait(&self, deadline: Instant, is_enough: impl Fn(&Written) -> bool) {
        let mut written = self.0.0.lock();
        while !is_enough(&written) {
            if self.0.1.wait_until(&mut written, deadline).timed_out() {
                return;
            }
        }
    }
}
