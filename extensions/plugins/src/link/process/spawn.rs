//! Starts the program of a plugin: own process group, no shell, nothing inherited but what it is given.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, getpid, pidfd_open};

use super::super::Launch;

/// Tries after the first one, for errors that pass.
const RETRIES: u32 = 5;
/// Wait before the first of them; doubled for each further one.
const BACKOFF: Duration = Duration::from_millis(2);

/// A process that was just started.
#[derive(Debug)]
pub(super) struct Started {
    pub(super) child: Child,
    /// Readable when it has ended.
    pub(super) exit: OwnedFd,
    /// None of them blocks.
    pub(super) stdin: OwnedFd,
    pub(super) stdout: File,
    pub(super) stderr: File,
}

/// Starts it. What passes by itself is tried again: somebody still writes to the program (ETXTBSY), too many processes or files for
/// a moment.
pub(super) fn spawn(launch: &Launch) -> io::Result<Started> {
    let mut backoff = BACKOFF;
    let mut left = RETRIES;
    let mut child = loop {
        match command(launch).spawn() {
            Ok(child) => break child,
            Err(error) if left == 0 || !passes(&error) => return Err(error),
            Err(_) => {}
        }
        left -= 1;
        // Nothing tells when the system has what was missing.
        let _nothing = crossbeam_channel::never::<()>().recv_timeout(backoff);
        backoff *= 2;
    };
    match pipes(&mut child) {
        Ok((exit, stdin, stdout, stderr)) => Ok(Started {
            child,
            exit,
            stdin,
            stdout,
            stderr,
        }),
        Err(error) => {
            drop(child.kill());
            drop(child.wait());
            Err(error)
        }
    }
}

fn passes(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(Errno::TXTBSY | Errno::AGAIN | Errno::MFILE | Errno::NFILE)
    )
}

#[expect(
    clippy::disallowed_methods,
    reason = "the supervisor belongs to k2; a plugin outlives cases and is watched here"
)]
fn command(launch: &Launch) -> Command {
    let mut command = match &launch.opened {
        // By way of this process: the interpreter of a script opens it too, after its own copy was closed.
        Some(opened) => {
            let descriptor = opened.as_raw_fd();
            let process = getpid().as_raw_nonzero();
            Command::new(PathBuf::from(format!("/proc/{process}/fd/{descriptor}")))
        }
        None => Command::new(&launch.file),
    };
    command
        .arg0(&launch.file)
        .args(&launch.arguments)
        .env_clear()
        .envs(launch.environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    if let Some(directory) = &launch.directory {
        command.current_dir(directory);
    }
    command
}

fn pipes(child: &mut Child) -> io::Result<(OwnedFd, OwnedFd, File, File)> {
    let pid = Pid::from_child(child);
    let exit = pidfd_open(pid, PidfdFlags::empty())?;
    let stdin = OwnedFd::from(child.stdin.take().expect(PIPED));
    let stdout = OwnedFd::from(child.stdout.take().expect(PIPED));
    let stderr = OwnedFd::from(child.stderr.take().expect(PIPED));
    for pipe in [&stdin, &stdout, &stderr] {
        let flags = rustix::fs::fcntl_getfl(pipe)?;
        rustix::fs::fcntl_setfl(pipe, flags | OFlags::NONBLOCK)?;
    }
    Ok((exit, stdin, stdout.into(), stderr.into()))
}

const PIPED: &str = "invariant: the command asks for a pipe";
