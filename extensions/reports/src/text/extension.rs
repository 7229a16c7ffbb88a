//! The extension that writes the text report.

use k2::messages::{RESULTS, WRITE_REPORTS, WriteReports, WrittenReport};
use zaf_core::prelude::*;

use super::render::{TextError, write_report};
use k2::results::RunLogs;
use k2::results::replace_file;

/// Name of the report in the directory of the run.
const FILE: &str = "report.txt";

/// Whether to write a text report.
///
/// Command line `--reports-text`, environment `K2_REPORTS_TEXT`, default `true`.
pub const TEXT: OptionId<bool> = OptionId::flag("reports.text")
    .describe("Write report.txt into the directory of the run")
    .default(true);

/// Writes every case of the run on a line, and the details of those that failed.
#[command_extension(
    name = "text",
    extends = ["report"],
    config_options = [TEXT.required()],
    activate_on = [TEXT],
)]
#[derive(Debug)]
pub struct TextReport {}

impl Extension for TextReport {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self {})
    }
}

#[dispatchers]
impl TextReport {
    #[callback_dispatcher(WRITE_REPORTS, endpoints = [RESULTS])]
    #[expect(clippy::unused_self, reason = "a handler is a method")]
    fn write(&self, message: &Message<WriteReports>, logs: &RunLogs) -> Result<Vec<WrittenReport>> {
        let request = message.data();
        let path = request.directory.join(FILE);
        let log = logs.open(&request.log)?;
        replace_file(&path, |out| -> Result<(), TextError> {
            write_report(&log, out)
        })?;
        Ok(vec![WrittenReport {
            name: "text".into(),
            path,
        }])
    }
}
