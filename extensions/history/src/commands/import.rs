//! `results import`: runs that were killed, or ran elsewhere.

use std::io::Write as _;

use camino::{Utf8Path, Utf8PathBuf};
use k2::results::{EVENT_LOG_FILE, LATEST_LINK, RunDirectory, RunLogs, printable_line};
use thiserror::Error;
use zaf_core::application::Console;
use zaf_core::builtin::OUTPUT_DIR;
use zaf_core::prelude::*;

use super::RESULTS_COMMAND;
use crate::error::in_one_line;
use crate::import::Imported;
use crate::recorder::{HISTORY_KEEP, record};

/// Where to take runs from. Positional; environment `K2_RESULTS_DIRECTORY`; the output directory if there is none.
pub const IMPORT_DIRECTORY: OptionId<Utf8PathBuf> = OptionId::path("results.directory")
    .describe("Directory of a run, or of runs; the output directory if none is named")
    .argument();

/// Puts runs into the history that are not there yet: those that were killed, or ran on other machines.
///
/// Runs that still go on are left out. What is there already stays as it is.
#[expect(
    clippy::missing_errors_doc,
    reason = "the documentation is the text of the help"
)]
#[command(
    name = "import",
    parent = RESULTS_COMMAND,
    config_options = [
        OUTPUT_DIR.required(), IMPORT_DIRECTORY.optional(), HISTORY_KEEP.required()
    ],
)]
pub fn results_import(cx: &CommandContext<'_>) -> Result<ExitCode> {
    let output = cx.config().get(OUTPUT_DIR)?;
    let place = cx.config().get_optional(IMPORT_DIRECTORY)?;
    let place = place.unwrap_or_else(|| output.clone());
    let directories = run_directories(&place).map_err(|error| {
        ExitCode::Usage
            .with_error(error)
            .hint("name the directory of a run, which has its event log in it, or one with such directories")
    })?;
    std::fs::create_dir_all(&output).map_err(|error| ExitCode::Usage.with_error(error))?;
    let keep = cx.config().get(HISTORY_KEEP)?;
    let logs = RunLogs::default();
    let console = cx.component::<Console>()?;
    let mut exit = ExitCode::Success;
    let (mut added, mut known, mut failed) = (0, 0, 0);
    for directory in directories {
        let shown = printable_line(directory.as_str()).into_owned();
        if RunDirectory::is_running(&directory) {
            writeln!(console.stderr(), "{shown}: left out, the run goes on")?;
            continue;
        }
        let log = directory.join(EVENT_LOG_FILE);
        match record(&output, &directory, &log, &logs, keep, None) {
            Ok(Imported::Added | Imported::Completed) => added += 1,
            Ok(Imported::Known) => known += 1,
            Ok(Imported::OfKnown(parts)) => {
                known += 1;
                let runs = if parts == 1 { "run" } else { "runs" };
                writeln!(
                    console.stderr(),
                    "{shown}: left out, it is put together of runs, and {parts} {runs} of these are known already"
                )?;
            }
            Ok(Imported::PartOfKnown) => {
                known += 1;
                writeln!(
                    console.stderr(),
                    "{shown}: left out, it is a part of a run that is known already"
                )?;
            }
            Err(error) => {
                failed += 1;
                exit = exit.merge(ExitCode::ReportFailed);
                writeln!(console.stderr(), "{shown}: {}", in_one_line(&error))?;
            }
        }
    }
    writeln!(
        console.stdout(),
        "{added} imported, {known} known already, {failed} failed"
    )?;
    Ok(exit)
}

/// There is nothing to import.
#[derive(Debug, Error)]
enum NothingThere {
    #[error("cannot read `{place}`")]
    Unreadable {
        place: Utf8PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("there is no run in `{place}`")]
    NoRun { place: Utf8PathBuf },
}

/// The directories of runs that `place` is, or has in it, in the order of their names, which is that of time.
fn run_directories(place: &Utf8Path) -> std::result::Result<Vec<Utf8PathBuf>, NothingThere> {
    let is_run = |directory: &Utf8Path| directory.join(EVENT_LOG_FILE).is_file();
    if is_run(place) {
        return Ok(vec![place.to_owned()]);
    }
    let unreadable = |source| NothingThere::Unreadable {
        place: place.to_owned(),
        source,
    };
    let mut found = Vec::new();
    for entry in place.read_dir_utf8().map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if entry.file_name() != LATEST_LINK && is_run(entry.path()) {
            found.push(entry.path().to_owned());
        }
    }
    if found.is_empty() {
        return Err(NothingThere::NoRun {
            place: place.to_owned(),
        });
    }
    found.sort();
    Ok(found)
}
