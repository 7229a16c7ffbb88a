//! `report`: makes the reports of a run from its event log, however the run ended.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use thiserror::Error;
use zaf_core::builtin::OUTPUT_DIR;
use zaf_core::prelude::*;

use super::reports::Ending;
use crate::messages::{RECORDED, REPORTS_WRITTEN, RESULTS, RUN_HISTORY, WRITE_REPORTS};
use crate::results::{EVENT_LOG_FILE, LATEST_LINK, RunDirectory, RunLogs};

/// The run to report on: its directory, a directory of runs (the newest of them), or an event log.
///
/// Positional; environment `K2_REPORT_RUN`; the newest run of `output.dir` if there is none.
pub const RUN: OptionId<Utf8PathBuf> = OptionId::path("report.run")
    .describe("Directory of the run; the newest in output.dir if none is named")
    .argument();

/// Makes the reports of a run anew from its event log, also of a run that was killed.
///
/// Takes the directory of a run; without one, the newest run in `output.dir`. Cases without a verdict count as not run. Ends as the
/// run did, by what its event log says: see the table of exit codes.
#[expect(
    clippy::missing_errors_doc,
    reason = "the documentation is the text of the help"
)]
#[command(name = "report", config_options = [RUN.optional(), OUTPUT_DIR.required()])]
pub fn report(cx: &CommandContext<'_>) -> Result<ExitCode> {
    let named = cx.config().get_optional(RUN)?;
    let place = match named {
        Some(path) => path,
        None => cx.config().get(OUTPUT_DIR)?,
    };
    let directory = run_directory(&place).map_err(|error| {
        ExitCode::Usage
            .with_error(error)
            .hint("name the directory of a run, as `output/latest`; it has its event log in it")
    })?;
    if RunDirectory::is_running(&directory) {
        tracing::warn!(
            "the run in {directory} goes on: cases without a verdict are shown as not run"
        );
    }
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
