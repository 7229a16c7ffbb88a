//! `rerun`: the same run once more, or a part of it.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use k2::results::{EVENT_LOG_FILE, printable_line, shell_command_line};
use thiserror::Error;
use zaf_core::builtin::OUTPUT_DIR;
use zaf_core::prelude::*;

use super::Kept;
use crate::query::RunRow;

/// The run to repeat. Positional; environment `K2_RERUN_RUN`, default `latest`.
pub const RERUN_RUN: OptionId<String> = OptionId::text("rerun.run")
    .describe("Id of the run or a part of it, `latest`, `-1` for the one before, and so on")
    .default("latest")
    .argument();

/// Only what did not pass. `--failed`, default false.
pub const FAILED: OptionId<bool> = OptionId::flag("failed")
    .describe("Only the cases that did not pass, or have no verdict")
    .default(false);

/// Only what has no verdict. `--unfinished`, default false.
pub const UNFINISHED: OptionId<bool> = OptionId::flag("unfinished")
    .describe("Only the cases without a verdict: aborted, or not run")
    .default(false);

/// Verdicts that between them every case of a run has.
const ALL_OF_IT: &[&str] = &["failed", "passed", "skipped", "ignored"];

/// Starts an earlier run again: the same command line, in the same directory.
///
/// With --failed or --unfinished, only those of its cases. Environment and configuration files are those of now. Ends as the
/// new run does.
#[expect(
    clippy::missing_errors_doc,
    reason = "the documentation is the text of the help"
)]
#[command(
    name = "rerun",
    config_options = [
        OUTPUT_DIR.required(), RERUN_RUN.required(), FAILED.required(), UNFINISHED.required()
    ],
)]
pub fn rerun(cx: &CommandContext<'_>) -> Result<ExitCode> {
    let kept = Kept::open(cx)?;
    let found = kept.find(&[&cx.config().get(RERUN_RUN)?])?;
    let run = found.first().expect("invariant: one word, one run");
    let name = &*cx.application().name;
    if run.application != name {
        return Err(usage(RerunError::OtherProgram {
            run: run.run.clone(),
            theirs: printable_line(&run.application).into_owned(),
            ours: name.to_owned(),
        }));
    }
    let mut only = Vec::new();
    if cx.config().get(FAILED)? {
        only.push("failed");
    }
    if cx.config().get(UNFINISHED)? {
        only.push("unfinished");
    }
    let words = command_line(&run.command_line, &only, || directory(&kept.output, run));
    let words = words.map_err(usage)?;
    if words.is_empty() {
        return Err(usage(RerunError::NoCommandLine {
            run: run.run.clone(),
        }));
    }
    let shown = shell_command_line(words.iter().map(String::as_str));
    tracing::info!("rerun of {}: {shown}", run.run);
    Err(become_run(
        &words,
        Path::new(&run.working_directory),
        &shown,
    ))
}

fn usage(error: RerunError) -> Error {
    ExitCode::Usage.with_error(error)
}

/// Why a run cannot be started again.
#[derive(Debug, Error)]
enum RerunError {
    #[error("run {run} is one of `{theirs}`, this is `{ours}`")]
    OtherProgram {
        run: String,
        theirs: String,
        ours: String,
    },
    #[error("it is not known how run {run} was started")]
    NoCommandLine { run: String },
    #[error("the event log of run {run} is gone: it was in `{directory}`")]
    NoLog { run: String, directory: String },
    #[error("cannot start `{command}` in `{directory}`")]
    Start {
        command: String,
        directory: String,
        #[source]
        source: std::io::Error,
    },
}

/// Where the event log of the run is: in the output directory, or where it was when it was imported.
fn directory(output: &Utf8Path, run: &RunRow) -> std::result::Result<Utf8PathBuf, RerunError> {
    let places = [output.join(&run.run), Utf8PathBuf::from(&run.directory)];
    places
        .into_iter()
        .find(|place| place.join(EVENT_LOG_FILE).is_file())
        // The new run may start in another working directory.
        .and_then(|place| place.canonicalize_utf8().ok())
        .ok_or_else(|| RerunError::NoLog {
            run: run.run.clone(),
            directory: printable_line(&run.directory).into_owned(),
        })
}

/// The command line of a run again, with the cases cut down to those with the verdicts `only`. A run that had itself been cut down
/// by an earlier one has all its own cases again, if nothing else is asked for.
fn command_line(
    words: &[String],
    only: &[&str],
    directory: impl FnOnce() -> std::result::Result<Utf8PathBuf, RerunError>,
) -> std::result::Result<Vec<String>, RerunError> {
    let mut kept: Vec<String> = Vec::new();
    let mut was_cut = false;
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let (name, has_value) = match word.split_once('=') {
            Some((name, _)) => (name, true),
            None => (word.as_str(), false),
        };
        match name {
            "--" => {
                kept.push(word.clone());
                kept.extend(rest.by_ref().cloned());
            }
            "--rerun" | "--rerun-from" => {
                was_cut |= name == "--rerun";
                if !has_value {
                    rest.next();
                }
            }
            _ => kept.push(word.clone()),
        }
    }
    let only = match (only, was_cut) {
        ([], false) => return Ok(words.to_vec()),
        ([], true) => ALL_OF_IT,
        (some, _) => some,
    };
    let directory = directory()?;
    let mut added: Vec<String> = only.iter().map(|word| format!("--rerun={word}")).collect();
    added.push(format!("--rerun-from={directory}"));
    // Options end at the double dash.
    let end = kept.iter().position(|word| word == "--");
    let end = end.unwrap_or(kept.len());
    kept.splice(end..end, added);
    Ok(kept)
}

/// Replaces this process by the run; returns why it could not.
#[expect(
    clippy::disallowed_methods,
    reason = "nothing is left of this process that could supervise it: the run supervises itself"
)]
fn become_run(words: &[String], directory: &Path, shown: &str) -> Error {
    let failed = |source| {
        usage(RerunError::Start {
            command: shown.to_owned(),
            directory: printable_line(&directory.to_string_lossy()).into_owned(),
            source,
        })
    };
    let Some((program, arguments)) = words.split_first() else {
        return failed(std::io::Error::from(std::io::ErrorKind::InvalidInput));
    };
    let this = match std::env::current_exe() {
        Ok(this) => this,
        Err(error) => return failed(error),
    };
    let mut command = Command::new(this);
    command.arg0(program).args(arguments);
    if !directory.as_os_str().is_empty() {
        command.current_dir(directory);
    }
    failed(command.exec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(line: &str, only: &[&str]) -> String {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        command_line(&words, only, || Ok("/o/r1".into()))
            .unwrap()
            .join(" ")
    }

    #[test]
    fn the_command_line_is_the_same_or_cut_down_to_some_verdicts() {
        let line = "zk2 run suite --tests-include a";
        assert_eq!(again(line, &[]), line);
        assert_eq!(
            again(line, &["failed"]),
            "zk2 run suite --tests-include a --rerun=failed --rerun-from=/o/r1"
        );
        assert_eq!(
            again("zk2 run -- --rerun", &["failed", "unfinished"]),
            "zk2 run --rerun=failed --rerun=unfinished --rerun-from=/o/r1 -- --rerun"
        );
    }

    #[test]
    fn a_rerun_of_a_rerun_looks_at_the_run_that_is_meant() {
        assert_eq!(
            again(
                "zk2 run --rerun failed --rerun-from=/o/r0 suite",
                &["failed"]
            ),
            "zk2 run suite --rerun=failed --rerun-from=/o/r1"
        );
        assert_eq!(
            again("zk2 run suite --rerun=failed", &[]),
            "zk2 run suite --rerun=failed --rerun=passed --rerun=skipped --rerun=ignored --rerun-from=/o/r1"
        );
    }
}
