//! The extension that writes the HTML report.

use std::sync::Arc;
use std::time::Duration;

use camino::Utf8PathBuf;
use k2::messages::{
    AskHistory, History, RECORDED, RESULTS, RUN_HISTORY, WRITE_REPORTS, WriteReports, WrittenReport,
};
use k2::results::{Record, ReportFile, RunLog, RunLogs};
use zaf_core::component::Scope;
use zaf_core::message::Replies;
use zaf_core::prelude::*;

use crate::page::{HtmlError, write_page};

/// Whether to write an HTML report.
///
/// Command line `--reports-html`, environment `K2_REPORTS_HTML`, default `true`.
pub const HTML: OptionId<bool> = OptionId::flag("reports.html")
    .describe("Write an HTML report")
    .default(true);

/// Where to write the HTML report.
///
/// Command line `--reports-html-file`, environment `K2_REPORTS_HTML_FILE`; `report.html` in the directory of the run if
/// there is none.
pub const HTML_FILE: OptionId<Utf8PathBuf> = OptionId::path("reports.html.file")
    .describe("File of the HTML report instead of report.html in the directory of the run");

/// Most earlier runs that are shown.
const MOST_RUNS: usize = 50;

/// Longest wait for the history; without it the report is as good as one of the first run.
const HISTORY_LIMIT: Duration = Duration::from_secs(5);

/// Writes the run as one HTML file.
#[command_extension(
    name = "html",
    extends = ["report"],
    config_options = [HTML.required(), HTML_FILE.optional()],
    activate_on = [HTML],
)]
#[derive(Debug)]
pub struct HtmlReport {
    file: ReportFile,
}

impl Extension for HtmlReport {
    fn new(cx: &ExtensionContext<'_>) -> Result<Self> {
        let elsewhere = cx.config().get_optional(HTML_FILE)?;
        Ok(Self {
            file: ReportFile::new("html", "report.html", elsewhere),
        })
    }

    fn register_components(&self, session: &Scope) -> Result<()> {
        self.file.in_session(session);
        Ok(())
    }
}

#[dispatchers]
impl HtmlReport {
    #[callback_dispatcher(RECORDED, endpoints = [RESULTS])]
    fn remove_old(&self, message: &Message<Arc<Record>>) -> Result<()> {
        Ok(self.file.remove_old(message.data())?)
    }

    #[concurrent_dispatcher(WRITE_REPORTS, endpoints = [RESULTS])]
    fn write(
        &self,
        message: &Message<WriteReports>,
        bus: &MessageBus,
        logs: &RunLogs,
    ) -> Result<Vec<WrittenReport>> {
        let request = message.data();
        let log = logs.open(&request.log)?;
        // It is looked for while the cases are written.
        let asked = ask_for_history(bus, &log)?;
        let page = self.file.path(&request.directory);
        let written = self.file.write(request, |out| -> Result<(), HtmlError> {
            let history = || history(asked);
            write_page(&log, history, &request.directory, &page, out)
        })?;
        Ok(written)
    }
}

/// Asks who knows of earlier runs.
fn ask_for_history(bus: &MessageBus, log: &RunLog) -> Result<Replies<History>> {
    let ask = AskHistory {
        run: log.summary().run().map(|run| Arc::clone(&run.run)),
        most_runs: MOST_RUNS,
    };
    Ok(bus.send_request_optional(RUN_HISTORY, RESULTS, None, ask)?)
}

/// What the first one says who knew something; empty if nobody did.
fn history(asked: Replies<History>) -> History {
    let mut answers = asked
        .all(HISTORY_LIMIT)
        .into_iter()
        .map(|reply| reply.result);
    answers
        .find_map(std::result::Result::ok)
        .unwrap_or_default()
}
