//! Annotations for GitHub Actions: workflow commands that show failures beside the lines of a pull request, and the summary of the job.
//!
//! Source: GitHub, "Workflow commands for GitHub Actions".

use std::fs::OpenOptions;
use std::io::{BufWriter, Write};

use camino::Utf8PathBuf;
use k2::messages::{RESULTS, WRITE_REPORTS, WriteReports, WrittenReport};
use k2::results::{Execution, ReportFile, RunLog, RunLogs, printable};
use zaf_core::component::Scope;
use zaf_core::prelude::*;

use crate::file_report::ReportError;
use crate::markdown;
use crate::words::{attached, failed_steps, remark};

/// Most annotations. GitHub shows ten of a step; readers of the log may want more, but not all of a run in which everything fails.
const MOST: u64 = 50;

/// Most of a message, in bytes.
const MOST_MESSAGE: usize = 4096;

/// Whether to write annotations for GitHub Actions.
///
/// Command line `--reports-github`, environment `K2_REPORTS_GITHUB`, default `false`.
pub const GITHUB: OptionId<bool> = OptionId::flag("reports.github")
    .describe("Write annotations for GitHub Actions")
    .default(false);

/// Where to write the annotations.
///
/// Command line `--reports-github-file`, environment `K2_REPORTS_GITHUB_FILE`; standard output if there is none, which is
/// where GitHub looks for them.
pub const GITHUB_FILE: OptionId<Utf8PathBuf> = OptionId::path("reports.github.file")
    .describe("File of the annotations instead of standard output");

/// File to which a summary in Markdown is added: `$GITHUB_STEP_SUMMARY`.
///
/// Command line `--reports-github-summary`, environment `K2_REPORTS_GITHUB_SUMMARY`, no default.
pub const GITHUB_SUMMARY: OptionId<Utf8PathBuf> = OptionId::path("reports.github.summary")
    .describe("File to which a summary in Markdown is added, as $GITHUB_STEP_SUMMARY");

/// Writes annotations for GitHub Actions.
#[command_extension(
    name = "github",
    extends = ["report"],
    config_options = [GITHUB.required(), GITHUB_FILE.optional(), GITHUB_SUMMARY.optional()],
    activate_on = [GITHUB],
)]
#[derive(Debug)]
pub struct GithubReport {
    file: ReportFile,
    summary: Option<Utf8PathBuf>,
}

impl Extension for GithubReport {
    fn new(cx: &ExtensionContext<'_>) -> Result<Self> {
        let elsewhere = cx.config().get_optional(GITHUB_FILE)?;
        let elsewhere = elsewhere.unwrap_or_else(|| "-".into());
        Ok(Self {
            file: ReportFile::new("github", "annotations.txt", Some(elsewhere)),
            summary: cx.config().get_optional(GITHUB_SUMMARY)?,
        })
    }

    fn register_components(&self, session: &Scope) -> Result<()> {
        self.file.in_session(session);
        Ok(())
    }
}

#[dispatchers]
impl GithubReport {
    #[concurrent_dispatcher(WRITE_REPORTS, endpoints = [RESULTS])]
    fn write(&self, message: &Message<WriteReports>, logs: &RunLogs) -> Result<Vec<WrittenReport>> {
        let log = logs.open(&message.data().log)?;
        let write = |out: &mut dyn Write| write_annotations(&log, out);
        let written = self.file.write(message.data(), write)?;
        if let Some(summary) = &self.summary {
            add_summary(&log, summary)?;
        }
        Ok(written)
    }
}

/// Adds the Markdown summary to a file that other steps write to as well.
fn add_summary(log: &RunLog, path: &Utf8PathBuf) -> Result<()> {
    let file = OpenOptions::new().append(true).create(true).open(path);
    let file = file.map_err(|error| Error::msg(format!("cannot write `{path}`: {error}")))?;
    let mut out = BufWriter::new(file);
    markdown::write_document(log, &mut out)?;
    Ok(out.flush()?)
}

/// Writes a line for each case that failed, and for each that is flaky.
fn write_annotations(log: &RunLog, out: &mut dyn Write) -> Result<(), ReportError> {
    let mut count = 0;
    log.for_each(|execution| -> Result<(), ReportError> {
        let case = &execution.last;
        let level = match () {
            () if case.verdict.is_failure() => "error",
            () if case.is_flaky() || case.is_unexpected_pass() => "warning",
            () => return Ok(()),
        };
        count += 1;
        if count <= MOST {
            writeln!(out, "{}", annotation(level, execution))?;
        }
        Ok(())
    })?;
    if count > MOST {
        writeln!(
            out,
            "::notice title=More::{} more cases failed, are flaky or passed unexpectedly",
            count - MOST
        )?;
    }
    for hook in log.summary().failed_hooks() {
        writeln!(out, "::error title=Hook::{}", data(&hook.to_string()))?;
    }
    let unkillable = log.summary().unkillable();
    if !unkillable.is_empty() {
        writeln!(out, "::error title=Left::{}", data(&unkillable.to_string()))?;
    }
    for damage in log.log_damages() {
        writeln!(out, "::warning title=Event log::{}", data(&damage))?;
    }
    Ok(())
}

fn annotation(level: &str, execution: &Execution) -> String {
    let case = &execution.last;
    let mut place = String::new();
    if let Some(location) = &case.location {
        place = format!("file={},", property(&location.file));
        if let Some(line) = location.line {
            place = format!("{place}line={line},");
        }
    }
    let mut message = remark(case).unwrap_or_else(|| case.verdict.to_string());
    for more in [
        case.detail.as_deref().unwrap_or_default(),
        &failed_steps(case),
        case.stderr.end(),
        &attached(case, ToString::to_string).join("\n"),
    ] {
        if !more.trim().is_empty() && message.len() < MOST_MESSAGE {
            let end = more.floor_char_boundary(MOST_MESSAGE);
            message += "\n";
            message += more.get(..end).unwrap_or_default().trim_end();
        }
    }
    let word = if case.is_flaky() {
        "flaky"
    } else {
        case.outcome()
    };
    let title = format!("{word}: {}", case.case);
    format!(
        "::{level} {place}title={}::{}",
        property(&title),
        data(&message)
    )
}

/// A message: its line breaks are written as numbers, so that it stays one command.
fn data(text: &str) -> String {
    let text = printable(text).replace('%', "%25");
    text.replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::canned;

    #[test]
    fn the_annotations_of_a_run_with_one_case_of_each_kind() {
        insta::assert_snapshot!(canned::document(&canned::run(), write_annotations));
    }

    /// What GitHub reads in a value.
    fn read(text: &str) -> String {
        let text = text.replace("%0D", "\r").replace("%0A", "\n");
        text.replace("%3A", ":")
            .replace("%2C", ",")
            .replace("%25", "%")
    }

    proptest! {
        #[test]
        fn every_failure_is_one_command_with_its_title(cases in canned::any_cases()) {
            let text = canned::document(&canned::records_of(&cases), write_annotations);
            let failed: Vec<_> = cases.iter().filter(|case| case.verdict.is_failure()).collect();
            let lines: Vec<_> = text.lines().filter(|line| line.starts_with("::error ")).collect();
            prop_assert_eq!(lines.len(), failed.len());
            prop_assert!(text.lines().all(|line| line.starts_with("::error ") || line.starts_with("::warning ")));
            for (line, case) in lines.iter().zip(failed) {
                let (properties, _) = line["::error ".len()..].split_once("::").unwrap();
                let title = properties.split(',').find_map(|pair| pair.strip_prefix("title=")).unwrap();
                let expected = format!("{}: {}", case.outcome(), case.case);
                prop_assert_eq!(read(title), printable(&expected));
            }
        }
    }
}
