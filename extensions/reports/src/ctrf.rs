//! The CTRF report: JSON in the Common Test Report Format, for dashboards and pull request comments.
//!
//! Source: the CTRF specification, version 0.0.0 of its schema. Its only words for how a test ended are passed, failed, skipped, pending and
//! other; `rawStatus` has ours. Cases without a verdict of their own are other: so they are not taken for good ones.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use k2::case::Verdict;
use k2::messages::{CapturedOutput, TestCaseFinished};
use k2::results::{Execution, ExpectedFailure, RunLog};
use serde::Serialize;
use serde_json::json;
use zaf_core::prelude::*;

use crate::file_report::{ReportError, file_report, write_elements};
use crate::layout::id_parts;
use crate::words::{remark, step_lines};

/// Most lines of an output.
const MOST_LINES: usize = 200;

/// Whether to write a CTRF report.
///
/// Command line `--reports-ctrf`, environment `K2_REPORTS_CTRF`, default `false`.
pub const CTRF: OptionId<bool> = OptionId::flag("reports.ctrf")
    .describe("Write a CTRF report")
    .default(false);

/// Where to write the CTRF report.
///
/// Command line `--reports-ctrf-file`, environment `K2_REPORTS_CTRF_FILE`; `ctrf.json` in the directory of the run if there is
/// none. `-` is standard output.
pub const CTRF_FILE: OptionId<Utf8PathBuf> = OptionId::path("reports.ctrf.file")
    .describe("File of the CTRF report instead of ctrf.json in the directory of the run; - is standard output");

file_report! {
    /// Writes the run in the Common Test Report Format.
    CtrfReport, "ctrf", "ctrf.json", CTRF, CTRF_FILE, write_document
}

/// Writes the document of `log`: one object, a test per line.
pub(crate) fn write_document(log: &RunLog, out: &mut dyn Write) -> Result<(), ReportError> {
    let summary = log.summary();
    let run = summary.run();
    let counts = summary.counts();
    let start = run.map_or(0, |run| run.started.as_millisecond());
    let length = summary.duration().map_or(0, milliseconds);
    let tool = json!({
        "name": run.map_or("k2", |run| if run.application.is_empty() { "k2" } else { &run.application }),
        "version": run.map_or("", |run| &run.version),
    });
    let totals = json!({
        "tests": counts.total(),
        "passed": counts.passed,
        "failed": counts.failures(),
        "skipped": counts.skipped + counts.ignored,
        "pending": 0,
        "other": counts.aborted + counts.not_run,
        "flaky": summary.flaky(),
        "start": start,
        "stop": start.saturating_add(length),
        "duration": length,
        "extra": {"exitCode": summary.exit_code().code(), "damages": log.damages()},
    });
    write!(
        out,
        "{{\"reportFormat\":\"CTRF\",\"specVersion\":\"0.0.0\",\"generatedBy\":\"k2\",\"results\":{{\"tool\":{tool},\n\"summary\":{totals},\n\"tests\":["
    )?;
    let directory = summary
        .run()
        .map_or(Utf8Path::new(""), |run| &run.directory);
    write_elements(log, out, |execution, text| {
        serde_json::to_writer(text, &test(execution, directory))
    })?;
    out.write_all(b"\n]}}\n")?;
    Ok(())
}

/// A test or an attempt at one. Its fields are in the order of their names.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Test<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<Attached<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<u32>,
    duration: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    extra: Option<Extra<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file_path: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    flaky: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    parameters: BTreeMap<&'a str, &'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw_status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retries: Option<usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    retry_attempts: Vec<Self>,
    start: i64,
    status: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stderr: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stdout: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    steps: Vec<Step>,
    stop: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    suite: Option<[&'a str; 1]>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thread_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Extra<'a> {
    #[serde(rename = "expectedFailure", skip_serializing_if = "Option::is_none")]
    expected_failure: Option<&'a ExpectedFailure>,
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suts: Vec<&'a str>,
}

#[derive(Debug, Serialize)]
struct Step {
    name: String,
    status: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Attached<'a> {
    content_type: &'a str,
    name: &'a str,
    path: Utf8PathBuf,
}

fn test<'a>(execution: &'a Execution, directory: &Utf8Path) -> Test<'a> {
    let case = &execution.last;
    let (suite, name) = id_parts(&case.case);
    let location = case.location.as_ref();
    let steps = case.steps.iter().map(|step| Step {
        name: step_lines(step).join("\n"),
        status: status(step.verdict),
    });
    let parameters = case.parameters.iter();
    let is_retried = !execution.earlier.is_empty();
    let earlier = execution.earlier.iter().map(|earlier| Test {
        attempt: Some(earlier.attempt.max(1)),
        ..attempt(earlier, directory)
    });
    Test {
        name: Some(if name.is_empty() { "(no name)" } else { name }),
        raw_status: Some(case.outcome()),
        suite: (!suite.is_empty()).then_some([suite]),
        thread_id: (case.worker > 0).then(|| case.worker.to_string()),
        file_path: location.map(|location| &*location.file),
        line: location.and_then(|location| location.line),
        tags: case.tags.iter().map(AsRef::as_ref).collect(),
        parameters: parameters
            .map(|(name, value)| (&**name, &**value))
            .collect(),
        steps: steps.collect(),
        retries: is_retried.then_some(execution.earlier.len()),
        flaky: is_retried.then(|| case.is_flaky()),
        retry_attempts: earlier.collect(),
        extra: Some(Extra {
            expected_failure: case.expected_failure.as_deref(),
            id: case.case.as_str(),
            owner: case.owner.as_deref(),
            suts: case.suts.iter().map(AsRef::as_ref).collect(),
        }),
        ..attempt(case, directory)
    }
}

/// What a test and an attempt have in common.
fn attempt<'a>(case: &'a TestCaseFinished, directory: &Utf8Path) -> Test<'a> {
    let took = case.duration.map_or(0, milliseconds);
    let start = case.started.as_millisecond();
    let attachments = case.attachments.iter().map(|one| Attached {
        content_type: &one.media_type,
        name: &one.name,
        path: directory.join(&one.file),
    });
    Test {
        attachments: attachments.collect(),
        status: status(case.verdict),
        duration: took,
        start,
        stop: start.saturating_add(took),
        message: (case.verdict != Verdict::Passed)
            .then(|| remark(case))
            .flatten(),
        trace: case.detail.as_deref(),
        stdout: lines(&case.stdout),
        stderr: lines(&case.stderr),
        ..Test::default()
    }
}

fn status(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "passed",
        Verdict::Failed | Verdict::Error | Verdict::TimedOut => "failed",
        Verdict::Skipped | Verdict::Ignored => "skipped",
        _ => "other",
    }
}

/// The last lines of an output.
fn lines(output: &CapturedOutput) -> Vec<&str> {
    let mut last: Vec<&str> = output.end().lines().rev().take(MOST_LINES).collect();
    last.reverse();
    last
}

fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use k2::results::Record;
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;
    use crate::canned;
    use crate::schema::Schema;

    fn document(records: &[Record]) -> Value {
        serde_json::from_str(&canned::document(records, write_document)).unwrap()
    }

    /// What the format allows of what is written here.
    fn schema() -> Schema {
        Schema::of(include_str!("ctrf.schema.json"))
    }

    #[test]
    fn the_document_of_a_run_with_one_case_of_each_kind() {
        insta::assert_snapshot!(canned::document(&canned::run(), write_document));
        assert_eq!(schema().problems(&document(&canned::run())), [""; 0]);
        assert_eq!(document(&[])["results"]["summary"]["start"], 0);
    }

    proptest! {
        #[test]
        fn every_case_is_there_and_the_counts_are_those_of_the_tests(cases in canned::any_cases()) {
            let document = document(&canned::records_of(&cases));
            prop_assert_eq!(schema().problems(&document), Vec::<String>::new());
            let results = &document["results"];
            let tests = results["tests"].as_array().unwrap();
            prop_assert_eq!(tests.len(), cases.len());
            for status in ["passed", "failed", "skipped", "pending", "other"] {
                let count = tests.iter().filter(|test| test["status"] == status).count();
                prop_assert_eq!(&results["summary"][status], &json!(count));
            }
            for (test, case) in tests.iter().zip(&cases) {
                prop_assert_eq!(test["extra"]["id"].as_str(), Some(case.case.as_str()));
            }
        }
    }
}
