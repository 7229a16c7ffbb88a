//! The extensions that keep the history while runs run, and tell reports of it.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use k2::messages::{RECORDED, REPORTS_WRITTEN, RESULTS, RUN_HISTORY, ReportsWritten};
use k2::results::{AskHistory, History, Record, RecordBody, RunLogs};
use parking_lot::Mutex;
use zaf_core::builtin::OUTPUT_DIR;
use zaf_core::prelude::*;

use crate::database::{self, Database};
use crate::error::{HistoryError, in_one_line};
use crate::import::{Imported, Kept, import};
use crate::past;

/// Whether a run is kept in the history of its output directory.
///
/// Command line `--no-history`, environment `K2_HISTORY=false`, default true.
pub const HISTORY: OptionId<bool> = OptionId::flag("history")
    .describe("Keep the run in the history of the output directory: see `results`")
    .default(true);

/// How many runs a history keeps.
///
/// Command line `--history-keep`, environment `K2_HISTORY_KEEP`, default 500; 0 for all. Only the history forgets: directories of
/// runs stay.
pub const HISTORY_KEEP: OptionId<u64> = OptionId::count("history.keep")
    .describe("How many runs the history keeps, the newest ones; 0 for all")
    .default(500);

/// Of how many executions is kept in memory what is put into the history: some megabytes. The log of a longer run is read once more.
const MOST_NOTED: usize = 50_000;

/// Puts each run into the history once it has ended.
#[command_extension(
    name = "history",
    extends = [k2::RUN_COMMAND],
    config_options = [HISTORY.required(), HISTORY_KEEP.required(), OUTPUT_DIR.required()],
    activate_on = [HISTORY],
)]
#[derive(Debug)]
pub struct RunRecorder {
    output: Utf8PathBuf,
    keep: u64,
    /// None if there are too many.
    executions: Mutex<Option<Vec<Kept>>>,
}

impl Extension for RunRecorder {
    fn new(cx: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self {
            output: cx.config().get(OUTPUT_DIR)?,
            keep: cx.config().get(HISTORY_KEEP)?,
            executions: Mutex::new(Some(Vec::new())),
        })
    }
}

#[dispatchers]
impl RunRecorder {
    /// Keeps what was said about executions: nobody has to read the log for it, unless there are very many.
    #[callback_dispatcher(RECORDED, endpoints = [RESULTS])]
    fn note(&self, message: &Message<Arc<Record>>) {
        if let RecordBody::CaseFinished(case) = &message.data().body
            && !case.retried
        {
            let mut executions = self.executions.lock();
            if executions
                .as_ref()
                .is_some_and(|all| all.len() >= MOST_NOTED)
            {
                *executions = None;
            }
            if let Some(executions) = &mut *executions {
                executions.push(Kept::of(case));
            }
        }
    }

    /// Comes after everything that people wait for, and when the exit code is decided: whatever happens here changes no
    /// verdict.
    #[callback_dispatcher(REPORTS_WRITTEN, endpoints = [RESULTS], priority = -100)]
    fn keep(&self, message: &Message<ReportsWritten>, logs: &RunLogs) -> Result<()> {
        let ended = message.data();
        let executions = self.executions.lock().take();
        let kept = record(
            &self.output,
            &ended.directory,
            &ended.log,
            logs,
            self.keep,
            executions.as_deref(),
        );
        if let Err(error) = kept {
            tracing::warn!("the run is not in the history: {}", in_one_line(&error));
        }
        Ok(())
    }
}

/// Puts the run in `directory` with the event log `path` into the history in `output`. The log is not read for its executions if they
/// are given, and are all.
pub(crate) fn record(
    output: &Utf8Path,
    directory: &Utf8Path,
    path: &Utf8Path,
    logs: &RunLogs,
    keep: u64,
    executions: Option<&[Kept]>,
) -> Result<Imported, HistoryError> {
    // Before it is read: a log that grows meanwhile counts as the shorter one.
    let bytes = path.metadata().map_or(0, |found| found.len());
    let log = logs.totals(path)?;
    let summary = log.summary();
    let executions = executions.filter(|known| {
        summary.unfinished() == 0
            && u64::try_from(known.len()).is_ok_and(|known| known == summary.recorded())
    });
    let directory = directory
        .canonicalize_utf8()
        .unwrap_or_else(|_| directory.to_owned());
    database::write(output, |database| {
        import(database, &log, &directory, bytes, keep, executions)
    })
}

/// Tells reports what is known of earlier runs.
#[command_extension(
    name = "historyofruns",
    extends = ["report"],
    config_options = [HISTORY.required(), OUTPUT_DIR.required()],
    activate_on = [HISTORY],
)]
#[derive(Debug)]
pub struct HistoryOfRuns {
    output: Utf8PathBuf,
}

impl Extension for HistoryOfRuns {
    fn new(cx: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self {
            output: cx.config().get(OUTPUT_DIR)?,
        })
    }
}

#[dispatchers]
impl HistoryOfRuns {
    #[concurrent_dispatcher(RUN_HISTORY, endpoints = [RESULTS])]
    fn tell(&self, message: &Message<AskHistory>) -> Result<History> {
        let ask = message.data();
        let run = ask.run.as_ref().map(Arc::as_ref);
        match Database::read(&self.output)? {
            Some(database) => Ok(past::earlier(&database, run, ask.most_runs)?),
            None => Ok(History::default()),
        }
    }
}
