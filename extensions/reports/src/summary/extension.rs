//! The extension that prints the summary.

use std::io::{self, BufWriter, Write};

use anstream::{AutoStream, ColorChoice};
use k2::messages::{REPORTS_WRITTEN, RESULTS, ReportsWritten};
use zaf_core::application::colour;
use zaf_core::prelude::*;

use super::render::{RenderError, write_summary};
use crate::live::width_of;
use k2::results::RunLogs;

/// Columns where there is no terminal.
const DEFAULT_WIDTH: usize = 100;

/// Prints what became of the run: failures, counts, reports, exit code.
#[command_extension(name = "summary", extends = ["report"])]
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
        let log = logs.open(&written.log);
        let width = width_of(io::stdout()).unwrap_or(DEFAULT_WIDTH);
        let choice = if colour::on_stdout() {
            ColorChoice::Always
        } else {
            ColorChoice::Never
        };
        let mut out = BufWriter::new(AutoStream::new(io::stdout(), choice));
        let printed = write_summary(log.as_deref(), written, width, &mut out)
            .and_then(|()| out.flush().map_err(RenderError::from));
        match printed {
            // Whoever stopped reading does not want to know.
            Err(RenderError::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            // A stream that takes nothing is no failure of the extension: the verdicts stand in the event log.
            Err(RenderError::Write(error)) => {
                tracing::error!("the summary cannot be shown: {error}");
                Ok(())
            }
            other => Ok(other?),
        }
    }
}
