//! The TAP report, of version 13 or 14: for tools that read the Test Anything Protocol.
//!
//! A point per case, with its diagnostics as a YAML block. Source: the TAP 14 specification. What only version 14 knows, escapes in
//! descriptions, readers of version 13 see as what they are; no description begins a directive in either.

use std::io::Write;
use std::time::Duration;

use camino::Utf8PathBuf;
use k2::case::Verdict;
use k2::results::{Execution, RunLog, printable_line};
use zaf_core::prelude::*;

use crate::file_report::{ReportError, file_report};
use crate::words::{attached, failed_steps, remark};

/// Whether to write a TAP report.
///
/// Command line `--reports-tap`, environment `K2_REPORTS_TAP`, default `false`.
pub const TAP: OptionId<bool> = OptionId::flag("reports.tap")
    .describe("Write a TAP report")
    .default(false);

/// Where to write the TAP report.
///
/// Command line `--reports-tap-file`, environment `K2_REPORTS_TAP_FILE`; `results.tap` in the directory of the run if there is
/// none. `-` is standard output.
pub const TAP_FILE: OptionId<Utf8PathBuf> = OptionId::path("reports.tap.file")
    .describe("File of the TAP report instead of results.tap in the directory of the run; - is standard output");

/// Version of the protocol.
///
/// Command line `--reports-tap-version`, environment `K2_REPORTS_TAP_VERSION`, default `14`.
pub const TAP_VERSION: OptionId<String> = OptionId::choice("reports.tap.version", &["13", "14"])
    .describe("Version of the TAP report")
    .default("14");

file_report! {
    /// Writes the run as TAP.
    TapReport, "tap", "results.tap", TAP, TAP_FILE, write_document, version = TAP_VERSION
}

/// Writes the stream of `log`.
pub(crate) fn write_document(
    log: &RunLog,
    version: &str,
    out: &mut dyn Write,
) -> Result<(), ReportError> {
    let summary = log.summary();
    writeln!(
        out,
        "TAP version {version}\n1..{}",
        summary.counts().total()
    )?;
    if let Some(run) = summary.run() {
        writeln!(out, "# run {}", printable_line(&run.run))?;
    }
    for damage in log.damages() {
        writeln!(out, "# {}", printable_line(&damage))?;
    }
    let mut number = 0_u64;
    log.for_each(|execution| {
        number += 1;
        point(number, execution, out)
    })
}

fn point(number: u64, execution: &Execution, out: &mut dyn Write) -> Result<(), ReportError> {
    let case = &execution.last;
    let is_ok = !case.is_expected_failure()
        && matches!(
            case.verdict,
            Verdict::Passed | Verdict::Skipped | Verdict::Ignored
        );
    let not = if is_ok { "" } else { "not " };
    write!(out, "{not}ok {number} - {}", escaped(case.case.as_str()))?;
    let remark = remark(case);
    let is_todo = case.is_expected_failure() || case.is_unexpected_pass() && is_ok;
    if let (true, Some(known)) = (is_todo, &case.expected_failure) {
        // In the words of TAP it is to be done: a point whose failure counts for nothing.
        write!(out, " # TODO {}", escaped(&known.reason))?;
    } else if matches!(case.verdict, Verdict::Skipped | Verdict::Ignored) {
        let reason = remark.as_deref().unwrap_or("no reason given");
        write!(out, " # SKIP {}", escaped(reason))?;
    }
    writeln!(out)?;
    let mut diagnostics: Vec<(&str, serde_json::Value)> = Vec::new();
    if !is_ok {
        diagnostics.push(("verdict", case.outcome().into()));
        diagnostics.extend(remark.map(|remark| ("message", remark.into())));
        diagnostics.extend(
            case.detail
                .as_deref()
                .map(|detail| ("detail", detail.into())),
        );
        diagnostics.extend(
            case.location
                .as_ref()
                .map(|at| ("at", at.to_string().into())),
        );
        for (label, output) in [("stdout", &case.stdout), ("stderr", &case.stderr)] {
            if !output.is_empty() {
                diagnostics.push((label, tail(output.end()).into()));
            }
        }
    }
    if !is_ok {
        let steps = failed_steps(case);
        diagnostics.extend((!steps.is_empty()).then(|| ("steps", steps.into())));
    }
    if !case.suts.is_empty() {
        let suts: Vec<&str> = case.suts.iter().map(AsRef::as_ref).collect();
        diagnostics.push(("suts", suts.into()));
    }
    let attachments = attached(case, ToString::to_string);
    if !attachments.is_empty() {
        diagnostics.push(("attachments", attachments.into()));
    }
    if case.attempt > 1 {
        diagnostics.push(("attempts", case.attempt.into()));
    }
    if let Some(time) = case.duration {
        diagnostics.push(("duration_ms", milliseconds(time).into()));
    }
    if diagnostics.is_empty() {
        return Ok(());
    }
    writeln!(out, "  ---")?;
    for (label, value) in diagnostics {
        // A JSON text on one line is a YAML value, whatever is in it.
        writeln!(out, "  {label}: {}", printable_line(&value.to_string()))?;
    }
    writeln!(out, "  ...")?;
    Ok(())
}

/// To the microsecond, without what the binary fraction adds behind it.
fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1000.0
}

/// Most of an output that is in a point, in bytes.
const MOST_OUTPUT: usize = 4096;

/// The end of `text`.
fn tail(text: &str) -> &str {
    let start = text.ceil_char_boundary(text.len().saturating_sub(MOST_OUTPUT));
    text.get(start..).unwrap_or_default()
}

/// A description: one line, in which nothing begins a directive.
fn escaped(text: &str) -> String {
    let text = printable_line(text.trim());
    text.replace('\\', "\\\\").replace('#', "\\#")
}

#[cfg(test)]
mod tests {
    use k2::finder::tap::{Directive, parse};
    use k2::results::Record;
    use proptest::prelude::*;

    use super::*;
    use crate::canned;

    fn document(records: &[Record], version: &str) -> String {
        canned::document(records, |log, out| write_document(log, version, out))
    }

    #[test]
    fn the_stream_of_a_run_with_one_case_of_each_kind() {
        insta::assert_snapshot!(document(&canned::run(), "14"));
    }

    #[test]
    fn p2_the_plan_of_a_killed_run_has_every_case() {
        let mut records = canned::run();
        records.truncate(4);
        for version in ["13", "14"] {
            let text = document(&records, version);
            let stream = parse(&text);
            assert_eq!(stream.points.len(), 11);
            assert_eq!(stream.problems, Vec::<String>::new());
            assert_eq!(stream.points.iter().filter(|point| point.ok).count(), 2);
        }
    }

    proptest! {
        #[test]
        fn av18_f10_a_parser_finds_every_case_once_with_its_name(cases in canned::any_cases()) {
            let records = canned::records_of(&cases);
            for version in ["13", "14"] {
                let stream = parse(&document(&records, version));
                prop_assert_eq!(&stream.problems, &Vec::<String>::new());
                prop_assert_eq!(stream.version.map(|number| number.to_string()), Some(version.to_owned()));
                prop_assert_eq!(stream.points.len(), cases.len());
                for (point, case) in stream.points.iter().zip(&cases) {
                    let expected = case.is_expected_failure();
                    let good = matches!(case.verdict, Verdict::Passed | Verdict::Skipped | Verdict::Ignored) && !expected;
                    let skipped = matches!(case.verdict, Verdict::Skipped | Verdict::Ignored) && !expected;
                    if expected {
                        prop_assert!(matches!(point.directive, Some(Directive::Todo(_))));
                    }
                    prop_assert_eq!(point.ok, good);
                    prop_assert_eq!(matches!(point.directive, Some(Directive::Skip(_))), skipped);
                    prop_assert!(point.children.is_empty());
                }
            }
        }
    }
}
