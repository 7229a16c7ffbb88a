//! Programs with a limit of memory: what has to be done between the start of a process and that of its program.
//!
//! A limit is inherited, and a program may start others at once; so it has to be there before the program is. What runs between fork
//! and exec cannot be written safely, therefore this program is started again, sets the limit for itself, and becomes the other one.
//! It is told what to become by a file in memory that is its standard input ([`super::apart`] does the same), and notes in it
//! why it could not.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::event::{Timespec, poll};
use rustix::fs::{MemfdFlags, Mode, OFlags, memfd_create};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::{Deserialize, Serialize};

/// Name of the file; the kernel shows it as `/memfd:NAME (deleted)`.
const NAME: &str = "k2-exec";

/// Standard input of this process.
const INPUT: &str = "/proc/self/fd/0";

/// What a shell ends with that cannot start a program.
const CANNOT_START: u8 = 127;

/// Tries after the first one while somebody writes to the program.
const RETRIES: u32 = 5;
/// Wait before the first of them; doubled for each further one.
const BACKOFF: Duration = Duration::from_millis(2);

/// What a process is to become.
#[derive(Debug, Serialize, Deserialize)]
struct Order {
    program: PathBuf,
    arguments: Vec<OsString>,
    /// Longest address space, in bytes.
    memory: u64,
}

/// The file, in the process that starts the other one.
#[derive(Debug)]
pub(super) struct OrderNote(File);

impl OrderNote {
    /// A file that says what to become.
    pub(super) fn new(program: &Path, arguments: &[OsString], memory: u64) -> io::Result<Self> {
        let order = Order {
            program: program.to_owned(),
            arguments: arguments.to_vec(),
            memory,
        };
        let mut file = File::from(memfd_create(NAME, MemfdFlags::CLOEXEC)?);
        let mut line = serde_json::to_vec(&order)?;
        line.push(b'\n');
        file.write_all(&line)?;
        Ok(Self(file))
    }

    /// For the process to read and write.
    pub(super) fn input(&self) -> io::Result<File> {
        self.0.try_clone()
    }

    /// Why it did not become the program; none if it did.
    pub(super) fn problem(&self) -> Option<io::Error> {
        let text = read(&self.0).ok()?;
        let number = text.split(|&byte| byte == b'\n').nth(1)?;
        let number: i32 = std::str::from_utf8(number).ok()?.parse().ok()?;
        Some(io::Error::from_raw_os_error(number))
    }
}

fn read(mut file: impl Read + Seek) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut text)?;
    Ok(text)
}

/// Becomes another program if this process was started for that. Returns the exit code if it cannot, and none if it was started for
/// something else.
pub(crate) fn become_program() -> Option<u8> {
    let target = std::fs::read_link(INPUT).ok()?;
    let name = format!("/memfd:{NAME} ");
    if !target.as_os_str().as_bytes().starts_with(name.as_bytes()) {
        return None;
    }
    let flags = OFlags::RDWR | OFlags::APPEND | OFlags::CLOEXEC;
    let file = rustix::fs::open(INPUT, flags, Mode::empty()).ok()?;
    let mut file = File::from(file);
    let order: Order = serde_json::from_slice(&read(&mut file).ok()?).ok()?;
    let error = match become_other(&order) {
        Ok(code) => return Some(code),
        Err(error) => error,
    };
    let number = error.raw_os_error().unwrap_or(Errno::INVAL.raw_os_error());
    // Otherwise the exit code has to do.
    drop(file.write_all(format!("{number}\n").as_bytes()));
    Some(CANNOT_START)
}

/// Returns the exit code of a program that this process could not become, but only start.
#[expect(
    clippy::disallowed_methods,
    reason = "the supervisor is what starts processes"
)]
fn become_other(order: &Order) -> io::Result<u8> {
    hide_input()?;
    limit_memory(order.memory)?;
    let mut command = Command::new(&order.program);
    command.args(&order.arguments);
    if !is_ordinary(&order.program) {
        let status = command.spawn()?.wait()?;
        let by_signal = || Some(128 + status.signal()?);
        let code = status.code().or_else(by_signal);
        return Ok(code
            .and_then(|code| u8::try_from(code).ok())
            .unwrap_or(u8::MAX));
    }
    let mut backoff = BACKOFF;
    for _ in 0..RETRIES {
        let error = command.exec();
        if Errno::from_io_error(&error) != Some(Errno::TXTBSY) {
            return Err(error);
        }
        let timeout = Timespec::try_from(backoff).ok();
        let _ = poll(&mut [], timeout.as_ref());
        backoff *= 2;
    }
    Err(command.exec())
}

/// Whether the kernel itself can execute the file, as far as one sees: a C library that is told to execute anything else runs it as a
/// shell script, while one that starts a process says that it cannot.
fn is_ordinary(program: &Path) -> bool {
    let mut head = Vec::new();
    let read = File::open(program).and_then(|file| file.take(4).read_to_end(&mut head));
    // What cannot be read is tried.
    read.is_err() || head.starts_with(b"#!") || head == b"\x7fELF"
}

fn hide_input() -> io::Result<()> {
    let null = rustix::fs::open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    Ok(rustix::stdio::dup2_stdin(&null)?)
}

/// From now on this process has at most so much memory in addition to what it has now, and what it starts has what that makes together.
pub(crate) fn limit_growth(bytes: u64) -> io::Result<()> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let size = status.lines().find_map(|line| line.strip_prefix("VmSize:"));
    let kilobytes = size.and_then(|size| size.trim().strip_suffix(" kB")?.parse().ok());
    let own = kilobytes.unwrap_or(0_u64) * 1024;
    limit_memory(own.saturating_add(bytes))
}

/// From now on this process and all that it starts have at most so much memory. A lower limit that holds already stays.
fn limit_memory(bytes: u64) -> io::Result<()> {
    let now = getrlimit(Resource::As);
    let lower = |limit: Option<u64>| Some(limit.map_or(bytes, |limit| limit.min(bytes)));
    let limit = Rlimit {
        current: lower(now.current),
        maximum: lower(now.maximum),
    };
    Ok(setrlimit(Resource::As, limit)?)
}
