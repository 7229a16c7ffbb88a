//! The extension that writes the JUnit report.

use std::sync::Arc;

use camino::Utf8PathBuf;
use k2::messages::{RECORDED, RESULTS, WRITE_REPORTS, WriteReports, WrittenReport};
use k2::results::{Record, ReportFile, RunLogs};
use zaf_core::prelude::*;

use super::document::{JunitError, write_document};

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
    file: ReportFile,
}

impl Extension for JunitReport {
    fn new(cx: &ExtensionContext<'_>) -> Result<Self> {
        let elsewhere = cx.config().get_optional(JUNIT_FILE)?;
        Ok(Self {
            file: ReportFile::new("junit", "junit.xml", elsewhere),
        })
    }
}

#[dispatchers]
impl JunitReport {
    #[callback_dispatcher(RECORDED, endpoints = [RESULTS])]
    fn remove_old(&self, message: &Message<Arc<Record>>) -> Result<()> {
        Ok(self.file.remove_old(message.data())?)
    }

    #[concurrent_dispatcher(WRITE_REPORTS, endpoints = [RESULTS])]
    fn write(&self, message: &Message<WriteReports>, logs: &RunLogs) -> Result<Vec<WrittenReport>> {
        let request = message.data();
        let log = logs.open(&request.log)?;
        let written = self.file.write(request, |out| -> Result<(), JunitError> {
            write_document(&log, out)
        })?;
        Ok(written)
    }
}
