//! `run`: finds, selects, runs and reports test cases.

use std::sync::Arc;
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use jiff::Timestamp;
use parking_lot::Mutex;
use zaf_core::builtin::OUTPUT_DIR;
use zaf_core::message::DispatcherKind;
use zaf_core::prelude::*;

use super::ask::{ask, nobody};
use super::selection::{self, SOURCES, Selection};
use crate::messages::{
    REPORTS_WRITTEN, RESULTS, RUNNER, ReportFailure, ReportsWritten, RunEnd, RunFinished,
    RunStarted, SYNC_EVENT_LOG, SyncEventLog, TEST_CASE_FINISHED, TEST_CASES_SELECTED,
    TEST_RUN_FINISHED, TEST_RUN_STARTED, WRITE_REPORTS, WriteReports, WrittenReport,
};
use crate::results::{RunDirectory, Summary};
use crate::runner::{RUN_TEST_CASES, RunPlan, workers};
use crate::supervisor;

/// Longest wait for all reports together; a report that hangs is missing, and the run ends nevertheless.
const REPORT_LIMIT: Duration = Duration::from_secs(30);

/// Runs test cases and reports how they ended.
///
/// Takes cases from files, directories and `kind:path`; without any, the cases that are linked into the program. Ends with 0 only if
/// every selected case passed: see the table of exit codes.
#[expect(
    clippy::missing_errors_doc,
    reason = "the documentation is the text of the help"
)]
#[command(
    name = "run",
    uses = ["find", "schedule", "run-cases", "report"],
    config_options = [SOURCES.optional(), OUTPUT_DIR.required()],
)]
pub fn run(cx: &CommandContext<'_>) -> Result<ExitCode> {
    let selection = selection::select(cx)?;
    let directory = RunDirectory::create(&cx.config().get(OUTPUT_DIR)?)
        .map_err(|error| ExitCode::Usage.with_error(error))?;
    supervisor::prepare()?;
    let summary = Tally::listen(cx)?;
    let started = Instant::now();
    let ended = execute(cx, selection, &directory);
    let end = match &ended {
        Ok(None) => RunEnd::Completed,
        Ok(Some(reason)) => RunEnd::Aborted {
            reason: Arc::clone(reason),
        },
        Err(error) => RunEnd::Aborted {
            reason: format!("{error:#}").into(),
        },
    };
    let finished = RunFinished {
        finished: Timestamp::now(),
        duration: started.elapsed(),
        end,
    };
    cx.bus()
        .trigger_event(TEST_RUN_FINISHED, RUNNER, finished)?;
    let exit = report(cx, &directory, &summary.take())?;
    ended.map(|_| exit)
}

/// Runs the cases; returns why the run was aborted, if it was.
fn execute(
    cx: &CommandContext<'_>,
    selection: Selection,
    directory: &RunDirectory,
) -> Result<Option<Arc<str>>> {
    cx.bus()
        .trigger_event(TEST_RUN_STARTED, RUNNER, describe(cx, directory)?)?;
    let plan = RunPlan {
        selected: selection.filled.selected.into(),
        filtered_out: selection.filled.filtered_out,
        sources: selection.sources,
        run: directory.id().to_shared(),
        outputs: directory.path().join("outputs"),
        scope: cx.scope().clone(),
    };
    Ok(ask(cx.bus(), RUN_TEST_CASES, RUNNER, plan)?.aborted)
}

/// Who runs what, where.
fn describe(cx: &CommandContext<'_>, directory: &RunDirectory) -> Result<RunStarted> {
    let working_directory = std::env::current_dir().unwrap_or_default();
    let command_line: Vec<Arc<str>> = std::env::args_os()
        .map(|word| word.to_string_lossy().into())
        .collect();
    let workers = workers(cx.config())?.get();
    Ok(RunStarted {
        run: directory.id().to_shared(),
        application: Arc::clone(&cx.application().name),
        version: Arc::clone(&cx.application().version),
        started: Timestamp::now(),
        again: again(&command_line),
        command_line,
        working_directory: Utf8PathBuf::try_from(working_directory).unwrap_or_default(),
        host: rustix::system::uname().nodename().to_string_lossy().into(),
        directory: directory.path().to_owned(),
        workers: u32::try_from(workers).unwrap_or(u32::MAX),
    })
}

/// The command line without its selection of cases, so that one with a selection can be made of it.
fn again(command_line: &[Arc<str>]) -> Vec<Arc<str>> {
    let mut words = command_line.iter();
    let mut again = Vec::new();
    while let Some(word) = words.next() {
        let name = word.split_once('=').map_or(&**word, |(name, _)| name);
        let selects = ["--tests-include", "--tests-exclude"]
            .iter()
            .any(|flag| name == *flag || name.strip_prefix(flag) == Some("-regex"));
        if !selects {
            again.push(Arc::clone(word));
        } else if !word.contains('=') {
            words.next();
        }
    }
    again
}

/// Has the reports written and says how the command ends.
fn report(
    cx: &CommandContext<'_>,
    directory: &RunDirectory,
    summary: &Summary,
) -> Result<ExitCode> {
    let mut reports: Vec<WrittenReport> = Vec::new();
    let mut failures: Vec<ReportFailure> = Vec::new();
    match ask(cx.bus(), SYNC_EVENT_LOG, RESULTS, SyncEventLog::default()) {
        Ok(log) => failures.extend(log.problem.map(|reason| ReportFailure {
            name: "events".into(),
            reason,
        })),
        Err(error) => failures.push(ReportFailure {
            name: "events".into(),
            reason: format!("{error:#}").into(),
        }),
    }
    let request = WriteReports {
        log: directory.event_log(),
        directory: directory.path().to_owned(),
    };
    let replies = cx
        .bus()
        .send_request_optional(WRITE_REPORTS, RESULTS, None, request)
        .map_err(nobody)?;
    for reply in replies.all(REPORT_LIMIT) {
        match reply.result {
            Ok(written) => reports.extend(written),
            Err(error) => failures.push(ReportFailure {
                name: reply.handler,
                reason: format!("{:#}", Error::from(error)).into(),
            }),
        }
    }
    let mut exit = summary.exit_code();
    if !failures.is_empty() {
        exit = exit.merge(ExitCode::ReportFailed);
    }
    let written = ReportsWritten {
        log: directory.event_log(),
        directory: directory.path().to_owned(),
        reports,
        failures,
        summary: Arc::new(summary.clone()),
        exit,
    };
    cx.bus().trigger_event(REPORTS_WRITTEN, RESULTS, written)?;
    Ok(exit)
}

/// Adds up what the runner says: the same sum that a reader of the event log gets, also when nobody writes one.
struct Tally(Arc<Mutex<Summary>>);

impl Tally {
    fn listen(cx: &CommandContext<'_>) -> Result<Self> {
        let summary = Arc::new(Mutex::new(Summary::new()));
        let [started, selected, finished, ended] = std::array::from_fn(|_| Arc::clone(&summary));
        cx.bus()
            .dispatcher(DispatcherKind::Callback, "run-summary")
            .on(TEST_RUN_STARTED, move |message, _| {
                started.lock().add_start(message.data());
                Ok(())
            })
            .on(TEST_CASES_SELECTED, move |message, _| {
                selected.lock().add_selection(message.data());
                Ok(())
            })
            .on(TEST_CASE_FINISHED, move |message, _| {
                finished.lock().add_case(message.data());
                Ok(())
            })
            .on(TEST_RUN_FINISHED, move |message, _| {
                ended.lock().add_end(message.data());
                Ok(())
            })
            .endpoints([RUNNER])
            .register()?;
        Ok(Self(summary))
    }

    fn take(&self) -> Summary {
        self.0.lock().clone()
    }
}
