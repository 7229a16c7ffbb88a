//! The CTRF report: JSON in the Common Test Report Format, for dashboards and pull request comments.
//!
//! Source: the CTRF specification, version 0.0.0 of its schema. Its only words for how a test ended are passed, failed, skipped, pending and
//! other; `rawStatus` has ours. Cases without a verdict of their own are other: so they are not taken for good ones.

use std::io::Write;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use k2::case::Verdict;
use k2::messages::{CapturedOutput, TestCaseFinished};
use k2::results::{Execution, RunLog};
use serde_json::{Map, Value, json};
use zaf_core::prelude::*;

use crate::file_report::{ReportError, file_report};
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
fn write_document(log: &RunLog, out: &mut dyn Write) -> Result<(), ReportError> {
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
    let mut separator = "\n";
    log.for_each(|execution| -> Result<(), ReportError> {
        out.write_all(separator.as_bytes())?;
        separator = ",\n";
        serde_json::to_writer(&mut *out, &test(execution, directory))?;
        Ok(())
    })?;
    out.write_all(b"\n]}}\n")?;
    Ok(())
}

fn test(execution: &Execution, directory: &Utf8Path) -> Value {
    let case = &execution.last;
    let (suite, name) = id_parts(&case.case);
    let mut test = attempt(case, directory);
    test.insert(
        "name".into(),
        if name.is_empty() { "(no name)" } else { name }.into(),
    );
    test.insert("rawStatus".into(), case.outcome().into());
    if !suite.is_empty() {
        test.insert("suite".into(), json!([suite]));
    }
    if case.worker > 0 {
        test.insert("threadId".into(), case.worker.to_string().into());
    }
    if let Some(location) = &case.location {
        test.insert("filePath".into(), (*location.file).into());
        if let Some(line) = location.line {
            test.insert("line".into(), line.into());
        }
    }
    if !case.tags.is_empty() {
        let tags: Vec<&str> = case.tags.iter().map(AsRef::as_ref).collect();
        test.insert("tags".into(), json!(tags));
    }
    if !case.parameters.is_empty() {
        let parameters: Map<String, Value> = case
            .parameters
            .iter()
            .map(|(name, value)| (name.to_string(), (**value).into()))
            .collect();
        test.insert("parameters".into(), parameters.into());
    }
    if !case.steps.is_empty() {
        let steps = case.steps.iter().map(
            |step| json!({"name": step_lines(step).join("\n"), "status": status(step.verdict)}),
        );
        test.insert("steps".into(), steps.collect());
    }
    if !execution.earlier.is_empty() {
        test.insert("retries".into(), execution.earlier.len().into());
        test.insert("flaky".into(), case.is_flaky().into());
        let earlier = execution.earlier.iter().map(|earlier| {
            let mut attempt = attempt(earlier, directory);
            attempt.insert("attempt".into(), earlier.attempt.max(1).into());
            Value::from(attempt)
        });
        test.insert("retryAttempts".into(), earlier.collect());
    }
    let mut extra = Map::new();
    extra.insert("id".into(), case.case.as_str().into());
    if let Some(owner) = &case.owner {
        extra.insert("owner".into(), (**owner).into());
    }
    if let Some(expected) = &case.expected_failure {
        extra.insert("expectedFailure".into(), json!(expected));
    }
    test.insert("extra".into(), extra.into());
    test.into()
}

/// What a test and an attempt have in common.
fn attempt(case: &TestCaseFinished, directory: &Utf8Path) -> Map<String, Value> {
    let took = case.duration.map_or(0, milliseconds);
    let start = case.started.as_millisecond();
    let mut attempt = Map::new();
    attempt.insert("status".into(), status(case.verdict).into());
    attempt.insert("duration".into(), took.into());
    attempt.insert("start".into(), start.into());
    attempt.insert("stop".into(), start.saturating_add(took).into());
    if case.verdict != Verdict::Passed
        && let Some(message) = remark(case)
    {
        attempt.insert("message".into(), message.into());
    }
    if let Some(detail) = &case.detail {
        attempt.insert("trace".into(), (**detail).into());
    }
    for (label, output) in [("stdout", &case.stdout), ("stderr", &case.stderr)] {
        if !output.is_empty() {
            attempt.insert(label.into(), lines(output));
        }
    }
    if !case.attachments.is_empty() {
        let attachments = case.attachments.iter().map(|one| {
            let path = directory.join(&one.file);
            json!({"name": &*one.name, "contentType": &*one.media_type, "path": path})
        });
        attempt.insert("attachments".into(), attachments.collect());
    }
    attempt
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
fn lines(output: &CapturedOutput) -> Value {
    let all: Vec<&str> = output.end().lines().collect();
    let start = all.len().saturating_sub(MOST_LINES);
    json!(all.get(start..).unwrap_or_default())
}

fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use k2::results::Record;
    use proptest::prelude::*;

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
