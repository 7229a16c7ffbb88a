//! Starts a process: own group, both outputs piped, no input unless one is given.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::io::Errno;

use super::cookie::{COOKIE_VARIABLE, Owner};
use super::guard;
use super::shim::OrderNote;
use super::spec::EXECUTION_VARIABLE;
use super::{Cancellation, ProcessSpec, SpawnError, apart, withheld};

/// Tries after the first one, for errors that pass.
const RETRIES: u32 = 5;
/// Wait before the first of them; doubled for each further one.
const BACKOFF: Duration = Duration::from_millis(2);
/// Linux refuses a single string beyond this length (`MAX_ARG_STRLEN`), with the closing NUL.
const LONGEST_VARIABLE: usize = 128 * 1024;

/// This program, also if it was replaced since it was started.
const SAME_PROGRAM: &str = "/proc/self/exe";

/// Starts the process; one with a limit of memory by way of [`super::shim`], which notes if it could not become the program. Errors that pass by themselves are tried again: ETXTBSY (another thread forked while the program
/// was being written), EAGAIN (too many processes for a moment), EMFILE and ENFILE (too many files for a moment, because others are
/// being started).
pub(super) fn spawn(
    spec: &ProcessSpec,
    cancellation: &Cancellation,
) -> Result<(Child, Option<OrderNote>), SpawnError> {
    check_environment(spec)?;
    let mut backoff = BACKOFF;
    for attempt in 1.. {
        let started = command(spec).and_then(|(mut command, note)| Ok((command.spawn()?, note)));
        let error = match started {
            Ok(started) => return Ok(started),
            Err(error) => error,
        };
        if !passes(&error) || attempt > RETRIES || cancellation.wait(backoff) {
            return Err(SpawnError::start(&spec.program, error, attempt));
        }
        backoff *= 2;
    }
    unreachable!("the loop has no other end")
}

fn passes(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(Errno::TXTBSY | Errno::AGAIN | Errno::MFILE | Errno::NFILE)
    )
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the place that starts processes"
)]
fn command(spec: &ProcessSpec) -> io::Result<(Command, Option<OrderNote>)> {
    let note = match (spec.memory, &spec.input) {
        (Some(memory), None) => Some(OrderNote::new(&spec.program, &spec.arguments, memory)?),
        _ => None,
    };
    let mut command = match &note {
        // With the arguments of this process it knows that it is no other command.
        Some(_) => Command::new(SAME_PROGRAM),
        None => Command::new(&spec.program),
    };
    match &note {
        Some(_) => command.args(std::env::args_os().skip(1)),
        None => command.args(&spec.arguments),
    };
    let input = match (&note, &spec.input) {
        (Some(note), _) => note.input()?.into(),
        (None, Some(input)) => input.try_clone()?.into(),
        (None, None) => Stdio::null(),
    };
    for name in &spec.without {
        command.env_remove(name);
    }
    if !spec.inherits_secrets {
        for name in withheld::names().iter() {
            command.env_remove(name);
        }
    }
    command
        .envs(spec.environment.iter().map(|(name, value)| (name, value)))
        .stdin(input)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    if let Some(execution) = &spec.execution {
        command.env(EXECUTION_VARIABLE, execution);
    }
    // Otherwise it is inherited.
    if !guard::is_guarded()
        && apart::this().is_none()
        && let Some(owner) = Owner::this()
    {
        command.env(COOKIE_VARIABLE, owner.to_string());
    }
    if let Some(directory) = &spec.directory {
        command.current_dir(directory);
    }
    Ok((command, note))
}

fn check_environment(spec: &ProcessSpec) -> Result<(), SpawnError> {
    let problem = |name: &OsStr, value: &OsStr| {
        let (name, value) = (name.as_bytes(), value.as_bytes());
        if name.is_empty() {
            Some("has no name")
        } else if name.contains(&b'=') {
            Some("has a `=` in its name")
        } else if name.contains(&0) || value.contains(&0) {
            Some("contains a NUL character")
        } else if name.len() + value.len() + 2 > LONGEST_VARIABLE {
            Some("is longer than the 128 KiB that the system allows")
        } else {
            None
        }
    };
    let cookie = spec
        .execution
        .as_ref()
        .map(|execution| (OsStr::new(EXECUTION_VARIABLE), OsStr::new(execution)));
    let variables = spec
        .environment
        .iter()
        .map(|(name, value)| (name.as_os_str(), value.as_os_str()))
        .chain(cookie);
    for (name, value) in variables {
        if let Some(reason) = problem(name, value) {
            return Err(SpawnError::Environment {
                program: spec.program.clone(),
                name: name.to_owned(),
                reason,
            });
        }
    }
    Ok(())
}
