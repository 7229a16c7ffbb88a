//! What all benches that measure programs from outside have in common: starting them, and lines of targets.
#![allow(dead_code, reason = "not every bench needs everything")]

use std::error::Error;
use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};

pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// One line of the result.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    pub(crate) measured: f64,
    pub(crate) limit: f64,
    pub(crate) unit: &'static str,
}

impl Target {
    fn is_met(&self) -> bool {
        self.measured <= self.limit
    }

    fn print(&self) -> io::Result<()> {
        let Self {
            name,
            measured,
            limit,
            unit,
        } = self;
        let word = if self.is_met() { "ok" } else { "short" };
        let mut out = io::stdout().lock();
        writeln!(
            out,
            "{name:<48} {measured:>9.2} {unit:<4} ≤ {limit:>6.2} {unit:<4} {word}"
        )?;
        out.flush()
    }
}

/// Prints every line; whether all targets are met is how the bench ends.
pub(crate) fn print_all(targets: &[Target]) -> Result<ExitCode> {
    for target in targets {
        target.print()?;
    }
    Ok(if targets.iter().all(Target::is_met) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

#[expect(clippy::disallowed_methods, reason = "measures programs from outside")]
pub(crate) fn command<I: IntoIterator<Item = S>, S: AsRef<OsStr>>(
    program: impl AsRef<OsStr>,
    arguments: I,
) -> Command {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// Time from before the start of the program to after its end.
pub(crate) fn time(command: &mut Command) -> Result<Duration> {
    let start = Instant::now();
    let status = command.status()?;
    let elapsed = start.elapsed();
    if !status.success() {
        return Err(format!("{command:?} ended with {status}").into());
    }
    Ok(elapsed)
}

/// Peak memory of a program in KiB, its children included.
pub(crate) fn memory_of(program: impl AsRef<OsStr>, arguments: &[&str]) -> Result<f64> {
    let mut probe = command(std::env::current_exe()?, ["--memory-of"]);
    let output = probe
        .arg(program)
        .args(arguments)
        .stdout(Stdio::piped())
        .output()?;
    if !output.status.success() {
        return Err(format!("{probe:?} ended with {}", output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

/// Runs the program and prints its peak memory in KiB.
pub(crate) fn print_memory_of(line: &[String]) -> Result<ExitCode> {
    let (program, arguments) = line.split_first().ok_or("--memory-of wants a program")?;
    time(&mut command(program, arguments))?;
    writeln!(
        io::stdout(),
        "{}",
        getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss()
    )?;
    Ok(ExitCode::SUCCESS)
}

/// Bytes of all files in a directory and below.
pub(crate) fn kept_bytes(directory: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let found = entry.metadata()?;
        bytes += if found.is_dir() {
            kept_bytes(&entry.path())?
        } else {
            found.len()
        };
    }
    Ok(bytes)
}

pub(crate) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

pub(crate) fn best(times: &[Duration]) -> Duration {
    times.iter().copied().min().unwrap_or(Duration::MAX)
}

pub(crate) fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
