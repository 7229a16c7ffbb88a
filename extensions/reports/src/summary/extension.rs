//! The extension that prints the summary.

use std::io::{self, BufWriter, Write};

use anstream::AutoStream;
use k2::messages::{REPORTS_WRITTEN, RESULTS, ReportsWritten};
use zaf_core::prelude::*;

use super::render::{RenderError, write_summary};
use crate::live::width_of;
use crate::log::RunLogs;

/// Columns where there is no terminal.
const DEFAULT_WIDTH: usize = 100;

/// Prints what became of the run: failures, counts, reports, exit code.
#[command_extension(name = "summary", extends = ["run"])]
#[derive(Debug)]
pub struct SummaryReport {}

impl Extension for SummaryReport {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self {})
    }
}

#[dispatchers]
impl SummaryReport {
    #[callback_dispatcher(REPORTS_WRITTEN, endpoints = [RESULTS])]
    #[expect(clippy::unused_self, reason = "a handler is a method")]
    fn print(&self, message: &Message<ReportsWritten>, logs: &RunLogs) -> Result<()> {
        let written = message.data();
        let log = logs.open(&written.log)?;
        let width = width_of(io::stdout()).unwrap_or(DEFAULT_WIDTH);
        let mut out = BufWriter::new(AutoStream::auto(io::stdout()));
        let printed = write_summary(&log, written, width, &mut out)
            .and_then(|()| out.flush().map_err(RenderError::from));
        match printed {
            // Whoever stopped reading does not want to know.
            Err(RenderError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => Ok(other?),
        }
    }
}
