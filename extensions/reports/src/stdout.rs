//! Who may write to standard output: everybody, or one report whose file is `-`.

use k2::results::ReportFile;
use thiserror::Error;
use zaf_core::config::ConfigView;
use zaf_core::prelude::*;

use crate::{
    CTRF, CTRF_FILE, JSON, JSON_FILE, JUNIT, JUNIT_FILE, MARKDOWN, MARKDOWN_FILE, TAP, TAP_FILE,
    TESTNG, TESTNG_FILE, TEXT, TEXT_FILE,
};

/// Two reports cannot be told apart on one stream.
#[derive(Debug, Error)]
#[error("`{}` and `{}` are both `-`: standard output takes one report", .0[0], .0[1])]
struct TwoReports([&'static str; 2]);

/// Whether a report takes standard output, so that everything else goes to standard error.
///
/// The extension that asks has the options of all reports among its own.
pub(crate) fn is_taken(config: &ConfigView) -> Result<bool> {
    let mut takers = Vec::new();
    for (on, file) in [
        (JUNIT, JUNIT_FILE),
        (TESTNG, TESTNG_FILE),
        (TAP, TAP_FILE),
        (JSON, JSON_FILE),
        (CTRF, CTRF_FILE),
        (MARKDOWN, MARKDOWN_FILE),
        (TEXT, TEXT_FILE),
    ] {
        let elsewhere = config.get_optional(file)?;
        if config.get(on)? && ReportFile::is_stdout(elsewhere.as_deref()) {
            takers.push(file.key());
        }
    }
    match takers.as_slice() {
        [] => Ok(false),
        [_] => Ok(true),
        [first, second, ..] => Err(ExitCode::Usage.with_error(TwoReports([first, second]))),
    }
}
