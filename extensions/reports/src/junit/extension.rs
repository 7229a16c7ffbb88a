//! The extension that writes the JUnit report.

use std::sync::Arc;

use camino::Utf8PathBuf;
use k2::messages::{RECORDED, RESULTS, WRITE_REPORTS, WriteReports, WrittenReport};
use k2::results::{Record, RecordBody};
use zaf_core::prelude::*;

use super::document::{JunitError, write_document};
use k2::results::RunLogs;
use k2::results::replace_file;

/// Name of the report in the directory of the run.
const FILE: &str = "junit.xml";

/// Whether to write a JUnit report.
///
/// Command line `--reports-junit`, environment `K2_REPORTS_JUNIT`, default `false`.
pub const JUNIT: OptionId<bool> = OptionId::flag("reports.junit")
    .describe("Write a JUnit XML report")
    .default(false);

/// Where to write the JUnit report.
///
/// Command line `--reports-junit-file`, environment `K2_REPORTS_JUNIT_FILE`; `junit.xml` in the directory of the run if
/// there is none.
pub const JUNIT_FILE: OptionId<Utf8PathBuf> = OptionId::path("reports.junit.file")
    .describe("File of the JUnit report instead of junit.xml in the directory of the run");

/// Writes the run as JUnit XML.
#[command_extension(
    name = "junit",
    extends = ["report"],
    config_options = [JUNIT.required(), JUNIT_FILE.optional()],
    activate_on = [JUNIT],
)]
#[derive(Debug)]
pub struct JunitReport {
    file: Option<Utf8PathBuf>,
}

impl Extension for JunitReport {
    fn new(cx: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self {
            file: cx.config().get_optional(JUNIT_FILE)?,
        })
    }
}

#[dispatchers]
impl JunitReport {
    /// Removes the report of an older run, so that nobody takes it for that of a run that was killed.
    #[callback_dispatcher(RECORDED, endpoints = [RESULTS])]
    fn remove_old(&self, message: &Message<Arc<Record>>) -> Result<()> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        if !matches!(message.data().body, RecordBody::RunStarted(_)) {
            return Ok(());
        }
        // Only what a report may be: not a directory, not a device.
        if file.symlink_metadata().is_ok_and(|found| found.is_file()) {
            std::fs::remove_file(file)?;
        }
        Ok(())
    }

    #[callback_dispatcher(WRITE_REPORTS, endpoints = [RESULTS])]
    fn write(&self, message: &Message<WriteReports>, logs: &RunLogs) -> Result<Vec<WrittenReport>> {
        let request = message.data();
        let path = self
            .file
            .clone()
            .unwrap_or_else(|| request.directory.join(FILE));
        let log = logs.open(&request.log)?;
        replace_file(&path, |out| -> Result<(), JunitError> {
            write_document(&log, out)
        })?;
        Ok(vec![WrittenReport {
            name: "junit".into(),
            path,
        }])
    }
}
