//! From what the supervisor saw of a process to what is recorded about it.

use camino::Utf8PathBuf;

use crate::messages::{CapturedOutput, ExitStatus, LeakedProcess};
use crate::supervisor;

/// Head, tail and size of an output; a file that was not written is not named.
pub(super) fn output(captured: &supervisor::CapturedOutput) -> CapturedOutput {
    let file = captured
        .file
        .clone()
        .and_then(|path| Utf8PathBuf::try_from(path).ok());
    let mut output =
        CapturedOutput::from_bytes(&captured.head, &captured.tail, captured.bytes, file);
    output.lossy |= captured.lossy;
    output
}

/// How the process ended.
pub(super) fn exit(status: supervisor::ExitStatus) -> ExitStatus {
    match status {
        supervisor::ExitStatus::Code(code) => ExitStatus::Code { code },
        supervisor::ExitStatus::Signal { number, core } => ExitStatus::Signal {
            signal: number,
            core,
        },
    }
}

/// Processes that the case left behind.
pub(super) fn leaked(found: &[supervisor::LeakedProcess]) -> Vec<LeakedProcess> {
    let record = |process: &supervisor::LeakedProcess| LeakedProcess {
        pid: process.pid,
        command: process.command.as_str().into(),
    };
    found.iter().map(record).collect()
}

/// Processes of the case that are still there although they were killed.
pub(super) fn unkillable(end: &supervisor::ProcessEnd) -> Vec<u32> {
    let left = end.unkillable_leaked.iter().copied();
    end.unkillable.into_iter().chain(left).collect()
}
