//! The reports of a run that has ended, whoever ended it: the last part of `run`, and all of `report`.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use camino::Utf8PathBuf;
use zaf_core::message::ReplyError;
use zaf_core::prelude::*;

use super::ask::nobody;
use crate::messages::{
    REPORTS_WRITTEN, RESULTS, ReportFailure, ReportsWritten, WRITE_REPORTS, WriteReports,
    WrittenReport,
};
use crate::results::Summary;

/// Longest wait for all reports together; a report that hangs is missing, and the command ends nevertheless.
const REPORT_LIMIT: Duration = Duration::from_secs(30);

/// What is known when there is nothing left to do but to report.
pub(super) struct Ending {
    pub(super) log: Utf8PathBuf,
    pub(super) directory: Utf8PathBuf,
    /// What went wrong before any report.
    pub(super) failures: Vec<ReportFailure>,
    pub(super) summary: Arc<Summary>,
    /// How the command ends if no report is missing.
    pub(super) exit: ExitCode,
    pub(super) signal: Option<i32>,
}

impl Ending {
    /// Has the reports written and says how the command ends. `last` comes when they are written; it is told the exit code so far,
    /// and says what it is
    /// then; it may say more about the run.
    pub(super) fn report(
        self,
        bus: &MessageBus,
        last: impl FnOnce(ExitCode, &mut Arc<Summary>) -> ExitCode,
    ) -> Result<ExitCode> {
        let Self {
            log,
            directory,
            mut failures,
            mut summary,
            mut exit,
            signal,
        } = self;
        let mut reports: Vec<WrittenReport> = Vec::new();
        let request = WriteReports {
            log: log.clone(),
            directory: directory.clone(),
        };
        let replies = bus
            .send_request_optional(WRITE_REPORTS, RESULTS, None, request)
            .map_err(nobody)?;
        for reply in replies.all(REPORT_LIMIT) {
            match reply.result {
                Ok(written) => reports.extend(written),
                Err(error) => failures.push(missing_report(&reply.handler, &error)),
            }
        }
        if !failures.is_empty() {
            exit = exit.merge(ExitCode::ReportFailed);
        }
        exit = last(exit, &mut summary);
        let written = ReportsWritten {
            log,
            directory,
            reports,
            failures,
            summary,
            exit,
            signal,
        };
        bus.trigger_event(REPORTS_WRITTEN, RESULTS, written)?;
        Ok(exit)
    }
}

/// What is said about a report that is missing: the extension's name, and what it says itself.
fn missing_report(handler: &str, error: &ReplyError) -> ReportFailure {
    let own: &(dyn StdError + 'static) = match error {
        ReplyError::Failed { source, .. } => &**source,
        other => other,
    };
    let causes = std::iter::successors(Some(own), |&error| error.source());
    let reason: Vec<String> = causes.map(ToString::to_string).collect();
    ReportFailure {
        name: handler.split('.').next().unwrap_or(handler).into(),
        reason: reason.join(": ").into(),
    }
}
