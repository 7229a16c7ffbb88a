//! What the machine takes for a round trip between two processes when neither does anything: some bytes through two pipes.
//!
//! Most of a round trip is that two threads that sleep are woken, which takes 5 to 40 µs on the same machine from one hour to the
//! next. So it is measured in the same run.

use std::io::{Read, Write};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

/// As many as a small frame has.
const BYTES: usize = 100;

/// The other process: writes what it reads until its input ends.
pub(crate) fn pong() -> ExitCode {
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    let mut bytes = [0; BYTES];
    while input.read_exact(&mut bytes).is_ok() {
        output.write_all(&bytes).expect("a reader");
        output.flush().expect("a reader");
    }
    ExitCode::SUCCESS
}

/// The round trip.
pub(crate) fn measure() -> Duration {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["plugin", "pong"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a process");
    let mut input = child.stdin.take().expect("a pipe");
    let mut output = child.stdout.take().expect("a pipe");
    let mut bytes = [7; BYTES];
    let measured = super::best(|| {
        input.write_all(&bytes).expect("a reader");
        output.read_exact(&mut bytes).expect("a writer");
    });
    drop(input);
    child.wait().expect("an end");
    measured
}
