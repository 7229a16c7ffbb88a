//! The extension that prints the summary.

use std::io::{self, BufWriter, Write};
use std::sync::OnceLock;

use anstream::StripStream;
use k2::messages::{REPORTS_WRITTEN, RESULTS, ReportsWritten};
use zaf_core::application::{Console, colour};
use zaf_core::component::Scope;
use zaf_core::prelude::*;

use super::render::{RenderError, write_summary};
use crate::live::width_of;
use crate::{
    CTRF, CTRF_FILE, JSON, JSON_FILE, JUNIT, JUNIT_FILE, MARKDOWN, MARKDOWN_FILE, TAP, TAP_FILE,
    TESTNG, TESTNG_FILE, TEXT, TEXT_FILE, stdout,
};
use k2::results::RunLogs;

/// Columns where there is no terminal.
const DEFAULT_WIDTH: usize = 100;

/// Prints what became of the run: failures, counts, reports, exit code.
#[command_extension(
    name = "summary",
    extends = ["report"],
    config_options = [
        JUNIT.required(), JUNIT_FILE.optional(), TESTNG.required(), TESTNG_FILE.optional(), TAP.required(), TAP_FILE.optional(),
        JSON.required(), JSON_FILE.optional(), CTRF.required(), CTRF_FILE.optional(), MARKDOWN.required(), MARKDOWN_FILE.optional(),
        TEXT.required(), TEXT_FILE.optional(),
    ],
)]
#[derive(Debug)]
pub struct SummaryReport {
    stdout_is_taken: bool,
    console: OnceLock<Console>,
}

impl Extension for SummaryReport {
    fn new(cx: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self {
            stdout_is_taken: stdout::is_taken(cx.config())?,
            console: OnceLock::new(),
        })
    }

    fn register_components(&self, session: &Scope) -> Result<()> {
        self.console.get_or_init(|| Console::of(session));
        Ok(())
    }
}

impl SummaryReport {
    /// Where it is printed, the columns of the terminal there, and whether there may be colours.
    fn stream(&self) -> (Box<dyn Write>, Option<usize>, bool) {
        let console = self.console.get().filter(|it| !it.is_of_process());
        match (console, self.stdout_is_taken) {
            (Some(console), true) => (Box::new(console.stderr_writer()), None, false),
            (Some(console), false) => (Box::new(console.stdout_writer()), None, false),
            (None, true) => {
                let columns = width_of(io::stderr());
                (Box::new(io::stderr()), columns, colour::on_stderr())
            }
            (None, false) => {
                let columns = width_of(io::stdout());
                (Box::new(io::stdout()), columns, colour::on_stdout())
            }
        }
    }
}

#[dispatchers]
impl SummaryReport {
    #[callback_dispatcher(REPORTS_WRITTEN, endpoints = [RESULTS])]
    fn print(&self, message: &Message<ReportsWritten>, logs: &RunLogs) -> Result<()> {
        let written = message.data();
        let log = logs.totals(&written.log);
        let (stream, columns, has_colour) = self.stream();
        let width = columns.unwrap_or(DEFAULT_WIDTH);
        let mut out: Box<dyn Write> = if has_colour {
            Box::new(BufWriter::new(stream))
        } else {
            Box::new(BufWriter::new(StripStream::new(stream)))
        };
        let printed = write_summary(log.as_deref(), written, width, columns, &mut out)
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
