//! The extension that writes the text report.

use camino::Utf8PathBuf;
use zaf_core::prelude::*;

use super::render::write_report;
use crate::file_report::file_report;

/// Whether to write a text report.
///
/// Command line `--reports-text`, environment `K2_REPORTS_TEXT`, default `true`.
pub const TEXT: OptionId<bool> = OptionId::flag("reports.text")
    .describe("Write report.txt into the directory of the run")
    .default(true);

/// Where to write the text report.
///
/// Command line `--reports-text-file`, environment `K2_REPORTS_TEXT_FILE`; `report.txt` in the directory of the run if there is
/// none. `-` is standard output.
pub const TEXT_FILE: OptionId<Utf8PathBuf> = OptionId::path("reports.text.file")
    .describe("File of the text report instead of report.txt in the directory of the run; - is standard output");

/// How much is in the text report: `full` is every case on a line, the details of those that failed, and the counts; `brief`
/// leaves out the cases that did not fail, `summary` leaves out all cases.
///
/// Command line `--reports-text-format`, environment `K2_REPORTS_TEXT_FORMAT`, default `full`.
pub const TEXT_FORMAT: OptionId<String> =
    OptionId::choice("reports.text.format", &["full", "brief", "summary"])
        .describe("How much is in the text report")
        .default("full");

file_report! {
    /// Writes every case of the run on a line, and the details of those that failed.
    TextReport, "text", "report.txt", TEXT, TEXT_FILE, write_report, format = TEXT_FORMAT
}
