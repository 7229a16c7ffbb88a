//! The JSON report, for programs. Its schema is published: `docs/src/schemas/report-1.json`.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use camino::Utf8PathBuf;
use jiff::Timestamp;
use k2::messages::{
    CapturedOutput, ExitStatus, ExpectedFailure, LeakedProcess, RunEnd, TestCaseFinished,
};
use k2::results::{Execution, RunLog};
use serde::Serialize;
use zaf_core::prelude::*;

use crate::file_report::{ReportError, file_report, write_elements};

/// Version of the schema: fields do not change their meaning within a major version, new ones may come.
const SCHEMA: &str = "1.0";

/// Largest whole number that every reader of JSON keeps. Greater ones are strings.
const LARGEST: u64 = 1 << 53;

/// Whether to write a JSON report.
///
/// Command line `--reports-json`, environment `K2_REPORTS_JSON`, default `false`.
pub const JSON: OptionId<bool> = OptionId::flag("reports.json")
    .describe("Write a JSON report")
    .default(false);

/// Where to write the JSON report.
///
/// Command line `--reports-json-file`, environment `K2_REPORTS_JSON_FILE`; `report.json` in the directory of the run if there is
/// none. `-` is standard output.
pub const JSON_FILE: OptionId<Utf8PathBuf> = OptionId::path("reports.json.file")
    .describe("File of the JSON report instead of report.json in the directory of the run; - is standard output");

file_report! {
    /// Writes the run as JSON.
    JsonReport, "json", "report.json", JSON, JSON_FILE, write_document
}

#[derive(Debug, Serialize)]
struct Run<'a> {
    id: &'a str,
    application: &'a str,
    version: &'a str,
    started: Timestamp,
    command_line: Vec<&'a str>,
    working_directory: &'a str,
    host: &'a str,
    workers: u32,
}

#[derive(Debug, Serialize)]
struct Summary<'a> {
    /// None if the run was killed.
    end: Option<&'a RunEnd>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_us: Option<Number>,
    exit_code: u8,
    selected: u64,
    filtered_out: u64,
    flaky: u64,
    expected_failures: u64,
    unexpected_passes: u64,
    conflicts: u64,
    counts: BTreeMap<&'static str, u64>,
    damages: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    recoveries: Vec<Recovery<'a>>,
}

/// An attempt to bring a system under test back.
#[derive(Debug, Serialize)]
struct Recovery<'a> {
    sut: &'a str,
    started: Timestamp,
    /// None if it did not come to an end.
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_us: Option<Number>,
}

/// A whole number, as text if it is too large for some readers.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Number {
    Small(u64),
    Large(String),
}

impl From<u64> for Number {
    fn from(number: u64) -> Self {
        if number <= LARGEST {
            Self::Small(number)
        } else {
            Self::Large(number.to_string())
        }
    }
}

#[derive(Debug, Serialize)]
#[expect(clippy::struct_field_names, reason = "as the schema calls it")]
struct Attempt<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected_failure: Option<&'a ExpectedFailure>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    flaky: bool,
    attempt: u32,
    started: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_us: Option<Number>,
    worker: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit: Option<&'a ExitStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stdout: Option<Output<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stderr: Option<Output<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    steps: Vec<Step<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    leaked: &'a [LeakedProcess],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    unkillable: &'a [u32],
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    parameters: BTreeMap<&'a str, &'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suts: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    conflict: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<Location<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<Attached<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attachments_left_out: Option<Number>,
    /// Attempts before this one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    earlier: Vec<Self>,
}

#[derive(Debug, Serialize)]
struct Output<'a> {
    head: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    tail: &'a str,
    bytes: Number,
    truncated: bool,
    lossy: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Step<'a> {
    name: &'a str,
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    location: Option<Location<'a>>,
}

#[derive(Debug, Serialize)]
struct Attached<'a> {
    name: &'a str,
    media_type: &'a str,
    bytes: Number,
    sha256: &'a str,
    file: &'a str,
}

#[derive(Debug, Serialize)]
struct Location<'a> {
    file: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
}

/// Writes the document of `log`: one object, a case per line.
pub(crate) fn write_document(log: &RunLog, out: &mut dyn Write) -> Result<(), ReportError> {
    write!(out, "{{\"schema\":\"{SCHEMA}\",\n\"run\":")?;
    let run = log.summary().run().map(|run| Run {
        id: &run.run,
        application: &run.application,
        version: &run.version,
        started: run.started,
        command_line: run.command_line.iter().map(AsRef::as_ref).collect(),
        working_directory: run.working_directory.as_str(),
        host: &run.host,
        workers: run.workers,
    });
    serde_json::to_writer(&mut *out, &run)?;
    out.write_all(b",\n\"summary\":")?;
    serde_json::to_writer(&mut *out, &summary(log))?;
    out.write_all(b",\n\"cases\":[")?;
    write_elements(log, out, |execution, text| {
        serde_json::to_writer(text, &case(execution))
    })?;
    out.write_all(b"\n]}\n")?;
    Ok(())
}

fn summary(log: &RunLog) -> Summary<'_> {
    let summary = log.summary();
    let counts = summary.counts();
    let duration = summary.duration();
    Summary {
        end: summary.end().map(|end| &end.end),
        duration_us: duration.map(microseconds),
        exit_code: summary.exit_code().code(),
        selected: summary.selected(),
        filtered_out: summary.filtered_out(),
        flaky: summary.flaky(),
        expected_failures: summary.expected_failures(),
        unexpected_passes: summary.unexpected_passes(),
        conflicts: summary.conflicts(),
        counts: k2::case::Verdict::ALL
            .into_iter()
            .map(|verdict| (verdict.as_str(), counts.of(verdict)))
            .collect(),
        damages: log.damages(),
        recoveries: summary
            .recoveries()
            .iter()
            .map(|recovery| Recovery {
                sut: &recovery.sut,
                started: recovery.started,
                duration_us: recovery.duration.map(microseconds),
            })
            .collect(),
    }
}

fn case(execution: &Execution) -> Attempt<'_> {
    Attempt {
        id: Some(execution.last.case.as_str()),
        earlier: execution.earlier.iter().map(attempt).collect(),
        ..attempt(&execution.last)
    }
}

fn attempt(case: &TestCaseFinished) -> Attempt<'_> {
    Attempt {
        id: None,
        verdict: case.verdict.as_str(),
        expected_failure: case.expected_failure.as_deref(),
        flaky: case.is_flaky(),
        attempt: case.attempt,
        started: case.started,
        duration_us: case.duration.map(microseconds),
        worker: case.worker,
        reason: case.reason.as_deref(),
        detail: case.detail.as_deref(),
        exit: case.exit.as_ref(),
        stdout: output(&case.stdout),
        stderr: output(&case.stderr),
        steps: case
            .steps
            .iter()
            .map(|step| Step {
                name: &step.name,
                verdict: step.verdict.as_str(),
                detail: step.detail.as_deref(),
                location: step.location.as_ref().map(location),
            })
            .collect(),
        leaked: &case.leaked,
        unkillable: &case.unkillable,
        parameters: case
            .parameters
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect(),
        tags: case.tags.iter().map(AsRef::as_ref).collect(),
        suts: case.suts.iter().map(AsRef::as_ref).collect(),
        run: case.run.as_deref(),
        conflict: case.conflict,
        owner: case.owner.as_deref(),
        location: case.location.as_ref().map(location),
        attachments: case
            .attachments
            .iter()
            .map(|one| Attached {
                name: &one.name,
                media_type: &one.media_type,
                bytes: one.bytes.into(),
                sha256: &one.sha256,
                file: one.file.as_str(),
            })
            .collect(),
        attachments_left_out: Some(case.attachments_left_out)
            .filter(|&count| count > 0)
            .map(Number::from),
        earlier: Vec::new(),
    }
}

fn microseconds(time: Duration) -> Number {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX).into()
}

fn location(location: &k2::case::Location) -> Location<'_> {
    Location {
        file: &location.file,
        line: location.line,
    }
}

fn output(output: &CapturedOutput) -> Option<Output<'_>> {
    (!output.is_empty()).then(|| Output {
        head: &output.head,
        tail: &output.tail,
        bytes: output.bytes.into(),
        truncated: output.truncated,
        lossy: output.lossy,
        file: output.file.as_deref().map(camino::Utf8Path::as_str),
    })
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
        let text = canned::document(records, write_document);
        serde_json::from_str(&text).unwrap()
    }

    fn schema() -> Schema {
        Schema::of(include_str!("../../../docs/src/schemas/report-1.json"))
    }

    #[test]
    fn the_document_of_a_run_with_one_case_of_each_kind_is_as_the_schema_says() {
        let text = canned::document(&canned::run(), write_document);
        insta::assert_snapshot!(text);
        assert_eq!(schema().problems(&document(&canned::run())), [""; 0]);
    }

    #[test]
    fn p2_the_document_of_a_killed_run_is_as_the_schema_says_and_has_every_case() {
        for length in [0, 1, 2, 4, 9] {
            let mut records = canned::run();
            records.truncate(length);
            let document = document(&records);
            assert_eq!(schema().problems(&document), [""; 0]);
            let cases = document["cases"].as_array().unwrap();
            assert_eq!(cases.len(), if length < 2 { 0 } else { 11 });
            assert_eq!(document["summary"]["end"], Value::Null);
        }
    }

    #[test]
    fn f11_numbers_that_readers_would_round_are_texts() {
        let mut records = canned::run();
        records.truncate(1);
        let mut case = TestCaseFinished::example();
        case.stdout = CapturedOutput::from_bytes(b"a", b"b", (1 << 53) + 1, None);
        records.extend(canned::records(vec![
            k2::results::RecordBody::CaseFinished(case),
        ]));
        let document = document(&records);
        assert_eq!(document["cases"][0]["stdout"]["bytes"], "9007199254740993");
        assert_eq!(schema().problems(&document), [""; 0]);
    }

    proptest! {
        #[test]
        fn every_text_comes_back_and_the_document_is_as_the_schema_says(cases in canned::any_cases()) {
            let document = document(&canned::records_of(&cases));
            prop_assert_eq!(schema().problems(&document), Vec::<String>::new());
            let read = document["cases"].as_array().unwrap();
            prop_assert_eq!(read.len(), cases.len());
            for (read, case) in read.iter().zip(&cases) {
                prop_assert_eq!(read["id"].as_str(), Some(case.case.as_str()));
                prop_assert_eq!(read["reason"].as_str(), case.reason.as_deref());
                prop_assert_eq!(read["verdict"].as_str(), Some(case.verdict.as_str()));
                prop_assert_eq!(read["stdout"]["head"].as_str().unwrap_or_default(), &*case.stdout.head);
            }
        }
    }
}
