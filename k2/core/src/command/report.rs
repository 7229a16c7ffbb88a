//! `report`: makes the reports of a run from its event log, however the run ended.

use std::fs::File;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use thiserror::Error;
use zaf_core::builtin::OUTPUT_DIR;
use zaf_core::prelude::*;

use super::reports::Ending;
use crate::messages::{RECORDED, REPORTS_WRITTEN, RESULTS, RUN_HISTORY, WRITE_REPORTS};
use crate::results::event_log::{EventLogWriter, ReadError};
use crate::results::{EVENT_LOG_FILE, LATEST_LINK, Merged, RunDirectory, RunLogs};

/// The runs to report on: the directory of each, a directory of runs (the newest of them), or an event log. Several are put together.
///
/// Positional, repeatable; environment `K2_REPORT_RUN`; the newest run of `output.dir` if there is none.
pub const RUN: OptionId<Vec<Utf8PathBuf>> = OptionId::path("report.run")
    .describe("Directory of the run; the newest in output.dir if none is named; several become one")
    .multiple()
    .argument();

/// Makes the reports of a run anew from its event log, also of a run that was killed.
///
/// Takes the directory of a run; without one, the newest run in `output.dir`. Several, of parts of a run or of attempts, are put together
/// into a new directory in `output.dir`. Cases without a verdict count as not run. Ends as the
/// run did, by what its event log says: see the table of exit codes. Of a run that a signal ended that is 5, incomplete: the signal was sent to that run.
#[expect(
    clippy::missing_errors_doc,
    reason = "the documentation is the text of the help"
)]
#[command(name = "report", config_options = [RUN.optional(), OUTPUT_DIR.required()])]
pub fn report(cx: &CommandContext<'_>) -> Result<ExitCode> {
    let output = cx.config().get(OUTPUT_DIR)?;
    let named = cx.config().get_optional(RUN)?.unwrap_or_default();
    let directory = match &*named {
        [] => found(&output)?,
        [place] => found(place)?,
        places => {
            let places: Vec<_> = places
                .iter()
                .map(|place| found(place))
                .collect::<Result<_>>()?;
            merged(&places, &output)?
        }
    };
    let path = directory.join(EVENT_LOG_FILE);
    let log = cx.component::<RunLogs>()?.totals(&path);
    let log = log.map_err(|error| {
        ExitCode::Usage
            .with_error(error)
            .hint(format!("no report was made of `{path}`"))
    })?;
    let summary = log.summary();
    Ending {
        log: path,
        directory,
        failures: Vec::new(),
        exit: summary.exit_code(),
        summary: Arc::new(summary.clone()),
        signal: None,
    }
    .report(cx.bus(), |exit, _| exit)
}

/// The directory of a run that `place` stands for; a warning says if it goes on.
fn found(place: &Utf8Path) -> Result<Utf8PathBuf> {
    let directory = run_directory(place).map_err(|error| {
        ExitCode::Usage
            .with_error(error)
            .hint("name the directory of a run, as `output/latest`; it has its event log in it")
    })?;
    if RunDirectory::is_running(&directory) {
        tracing::warn!(
            "the run in {directory} goes on: cases without a verdict are shown as not run"
        );
    }
    Ok(directory)
}

/// Makes one run of several, in a new directory below `output`, and returns that.
fn merged(directories: &[Utf8PathBuf], output: &Utf8Path) -> Result<Utf8PathBuf> {
    let mut all = Merged::default();
    for directory in directories {
        let path = directory.join(EVENT_LOG_FILE);
        let unusable = |error| {
            ExitCode::Usage
                .with_error(Error::from(error))
                .hint(format!("`{path}` was not put together with the others"))
        };
        let file = File::open(&path).map_err(|source| {
            unusable(ReadError::Open {
                path: path.clone(),
                source,
            })
        })?;
        all.add(file, directory).map_err(unusable)?;
    }
    let made = RunDirectory::create(output).map_err(|error| ExitCode::Usage.with_error(error))?;
    for (target, source) in all.files() {
        let target = made.path().join(target);
        if let Some(parent) = target.parent() {
            std::fs::create_dir_all(parent)?;
        }
        // Logs may have been taken from another machine without their files; the reports say then where they were.
        if let Err(error) = std::fs::copy(source, &target) {
            tracing::warn!("a file of a case is left out: {source}: {error}");
        }
    }
    let mut log = EventLogWriter::new(made.event_log());
    let written = all.records(&made.id().to_shared(), made.path(), |record| {
        log.append(record);
        Ok::<(), ReadError>(())
    });
    if let Err(error) = written {
        return Err(ExitCode::ReportFailed.with_error(Error::from(error)));
    }
    log.sync();
    if let Some(problem) = log.state().problem {
        let error = Error::msg(format!("`{}`: {problem}", made.event_log()));
        return Err(ExitCode::ReportFailed.with_error(error));
    }
    let conflicts = all.conflicts();
    if conflicts > 0 {
        let cases = if conflicts == 1 { "case" } else { "cases" };
        tracing::warn!(
            "{conflicts} {cases} of which the runs say different things: the most serious counts, and all are shown"
        );
    }
    Ok(made.path().to_owned())
}

/// There is no event log where one should be.
#[derive(Debug, Error)]
#[error("`{place}` {what}: there is no `{EVENT_LOG_FILE}`")]
struct NoRun {
    place: Utf8PathBuf,
    what: &'static str,
}

/// The directory of the run that `place` stands for, without a link at its end: `latest` may lead elsewhere in a moment.
fn run_directory(place: &Utf8Path) -> std::result::Result<Utf8PathBuf, NoRun> {
    let no_run = |what| NoRun {
        place: place.to_owned(),
        what,
    };
    let found = place.metadata().map_err(|_| no_run("does not exist"))?;
    if found.is_file() {
        let parent = place
            .parent()
            .filter(|_| place.file_name() == Some(EVENT_LOG_FILE));
        let parent = parent.ok_or_else(|| no_run("is a file, not the directory of a run"))?;
        let is_here = parent.as_str().is_empty();
        return Ok(followed(if is_here { Utf8Path::new(".") } else { parent }));
    }
    let newest = place.join(LATEST_LINK);
    let directory = [place, &newest]
        .into_iter()
        .find(|directory| directory.join(EVENT_LOG_FILE).is_file());
    directory
        .map(followed)
        .ok_or_else(|| no_run("is not the directory of a run"))
}

fn followed(directory: &Utf8Path) -> Utf8PathBuf {
    match directory.read_link_utf8() {
        Ok(target) => directory
            .parent()
            .map_or_else(|| target.clone(), |parent| parent.join(&target)),
        Err(_) => directory.to_owned(),
    }
}

/// Defines for `report` what the event log defines for `run`: nobody records, but everybody may be asked for reports.
#[command_extension(
    name = "pastrun",
    extends = [REPORT_COMMAND],
    endpoints_and_messages = {
        RESULTS: [RECORDED, WRITE_REPORTS, RUN_HISTORY, REPORTS_WRITTEN]
    },
)]
#[derive(Debug)]
pub struct PastRunMessages;

impl Extension for PastRunMessages {
    fn new(_cx: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self)
    }
}
