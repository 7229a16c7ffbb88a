//! The extension that writes the JUnit report.

use camino::Utf8PathBuf;
use zaf_core::prelude::*;

use super::document::write_document;
use crate::file_report::file_report;

/// Whether to write a JUnit report.
///
/// Command line `--reports-junit`, environment `K2_REPORTS_JUNIT`, default `false`.
pub const JUNIT: OptionId<bool> = OptionId::flag("reports.junit")
    .describe("Write a JUnit XML report")
    .default(false);

/// Where to write the JUnit report.
///
/// Command line `--reports-junit-file`, environment `K2_REPORTS_JUNIT_FILE`; `junit.xml` in the directory of the run if
/// there is none. `-` is standard output.
pub const JUNIT_FILE: OptionId<Utf8PathBuf> = OptionId::path("reports.junit.file")
    .describe("File of the JUnit report instead of junit.xml in the directory of the run; - is standard output");

file_report! {
    /// Writes the run as JUnit XML.
    JunitReport, "junit", "junit.xml", JUNIT, JUNIT_FILE, write_document
}
