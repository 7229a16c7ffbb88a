//! Running scripts one after the other, whatever becomes of each.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use camino::Utf8PathBuf;
use k2::exec::{Command, Exec, ExecError, Expected, Finished, Host, Process};
use k2::hooks::{HookCall, Phase};
use k2::supervisor::{ExitStatus, OutputStream};
use thiserror::Error;

/// Lines of output that are shown of a script that fails.
const SHOWN_LINES: usize = 20;

/// Directory of the outputs in that of the run.
const OUTPUTS: &str = "job-scripts";

/// Scripts that did not do what scripts have to do.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ScriptError {
    /// Some could not be started, did not end in time or were killed. All others were run.
    #[error("{}", .0.join("; "))]
    NotRun(
        /// What became of each.
        Vec<String>,
    ),
}

/// How scripts are run.
#[derive(Debug)]
pub(crate) struct Scripts {
    /// Longest time of one.
    pub(crate) timeout: Duration,
    /// Whether an exit code other than 0 is worth a warning.
    pub(crate) warns: bool,
}

impl Scripts {
    /// Runs all of them; of several failures each is named.
    ///
    /// # Errors
    /// [`ScriptError::NotRun`]; an exit code other than 0 is a warning.
    pub(crate) fn run(&self, scripts: &[PathBuf], call: &HookCall) -> Result<(), ScriptError> {
        if scripts.is_empty() {
            return Ok(());
        }
        let host = Host::new().execution(format!("{}-{}", call.execution, call.phase.name()));
        let exec = Exec::new(Arc::new(host), call.cancellation.clone());
        let problems: Vec<String> = scripts
            .iter()
            .filter_map(|script| self.run_one(script, &exec, call).err())
            .collect();
        if problems.is_empty() {
            Ok(())
        } else {
            Err(ScriptError::NotRun(problems))
        }
    }

    fn run_one(&self, script: &Path, exec: &Exec, call: &HookCall) -> Result<(), String> {
        let name = format!("script `{}`", script.display());
        let left = call.time_left();
        if call.cancellation.is_cancelled() || left.is_zero() {
            return Err(format!(
                "{name} was not started: the time of the hooks is over"
            ));
        }
        let limit = self.timeout.min(left);
        let command = Command::new(script)
            .variables(call.variables())
            .timeout(limit)
            .expect(Expected::Anything);
        let process = exec.start(&command).map_err(|error| match error {
            ExecError::Start(error) => format!("{name} cannot be started: {error}"),
            other => format!("{name} cannot be started: {other}"),
        })?;
        process.close_input();
        let ended = process.wait();
        let kept = keep(&process, script, call);
        let shown = || shown(&process, kept.as_deref());
        match ended {
            Ok(Finished {
                exit: ExitStatus::Code(0),
                ..
            }) => Ok(()),
            Ok(Finished {
                exit: ExitStatus::Code(code),
                ..
            }) => {
                if self.warns {
                    let when = if call.phase == Phase::PreJob {
                        "pre"
                    } else {
                        "post"
                    };
                    tracing::warn!("{when}-job {name} ended with exit code {code}{}", shown());
                }
                Ok(())
            }
            Ok(finished) => Err(format!("{name} ended with {}{}", finished.exit, shown())),
            Err(ExecError::TimedOut { limit, .. }) => Err(format!(
                "{name} did not end within {limit:?} and was ended{}",
                shown()
            )),
            Err(ExecError::Cancelled { .. }) => {
                Err(format!("{name} was ended with the run{}", shown()))
            }
            Err(error) => Err(format!("{name}: {error}")),
        }
    }
}

/// Keeps what a script has written in the directory of the run; says where, if it has written anything.
fn keep(process: &Process, script: &Path, call: &HookCall) -> Option<Utf8PathBuf> {
    let name = script.file_name().unwrap_or_default().to_string_lossy();
    let directory = call.directory.join(OUTPUTS).join(call.phase.name());
    let mut kept = None;
    for (stream, ending) in [
        (OutputStream::Stdout, "stdout"),
        (OutputStream::Stderr, "stderr"),
    ] {
        let text = process.output(stream);
        if text.is_empty() {
            continue;
        }
        let file = directory.join(format!("{name}.{ending}"));
        match write(&directory, &file, &text) {
            Ok(()) => kept = Some(directory.clone()),
            Err(error) => tracing::warn!("the output of a script is not kept in `{file}`: {error}"),
        }
    }
    kept
}

fn write(directory: &Utf8PathBuf, file: &Utf8PathBuf, text: &str) -> io::Result<()> {
    std::fs::create_dir_all(directory)?;
    std::fs::write(file, text)
}

/// The end of what it has written, for a message, and where the rest is.
fn shown(process: &Process, kept: Option<&camino::Utf8Path>) -> String {
    let mut text = String::new();
    if let Some(kept) = kept {
        // Writing to a string cannot fail.
        let _ = write!(text, "; its output is in `{kept}`");
    }
    for stream in [OutputStream::Stdout, OutputStream::Stderr] {
        let output = process.output(stream);
        let lines: Vec<&str> = output.lines().collect();
        for line in &lines[lines.len().saturating_sub(SHOWN_LINES)..] {
            let _ = write!(text, "\n    {line}");
        }
    }
    text
}
