//! The TestNG report: `testng-results.xml`, for tools that know that format.
//!
//! A `class` for each run of consecutive cases with the same first part of their ids, so the same class may stand there several times, as
//! readers of the format expect. Skipped and ignored cases are skipped; every other case that did not pass is a failure whose exception has the
//! verdict for its class.

use std::fmt::{self, Write as _};
use std::io::Write;

use camino::Utf8PathBuf;
use jiff::Timestamp;
use k2::case::Verdict;
use k2::messages::TestCaseFinished;
use k2::results::{RunLog, printable, printable_line};
use zaf_core::prelude::*;

use crate::file_report::{ReportError, file_report};
use crate::layout::{Moments, id_parts};
use crate::words::{attached, failed_steps, remark};

/// Whether to write a TestNG report.
///
/// Command line `--reports-testng`, environment `K2_REPORTS_TESTNG`, default `false`.
pub const TESTNG: OptionId<bool> = OptionId::flag("reports.testng")
    .describe("Write a TestNG XML report")
    .default(false);

/// Where to write the TestNG report.
///
/// Command line `--reports-testng-file`, environment `K2_REPORTS_TESTNG_FILE`; `testng-results.xml` in the directory of the run
/// if there is none. `-` is standard output.
pub const TESTNG_FILE: OptionId<Utf8PathBuf> = OptionId::path("reports.testng.file")
    .describe("File of the TestNG report instead of testng-results.xml in the directory of the run; - is standard output");

file_report! {
    /// Writes the run as TestNG XML.
    TestngReport, "testng", "testng-results.xml", TESTNG, TESTNG_FILE, write_document
}

/// Writes the document of `log`.
pub(crate) fn write_document(log: &RunLog, out: &mut dyn Write) -> Result<(), ReportError> {
    let summary = log.summary();
    let counts = summary.counts();
    let skipped = counts.skipped + counts.ignored;
    let failed = counts.total() - counts.passed - skipped;
    writeln!(
        out,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testng-results version=\"1.0\" total=\"{}\" passed=\"{}\" failed=\"{failed}\" \
         skipped=\"{}\" ignored=\"{}\">",
        counts.total(),
        counts.passed,
        counts.skipped,
        counts.ignored
    )?;
    out.write_all(b"    <reporter-output>\n")?;
    for damage in log.damages() {
        writeln!(out, "        <line>{}</line>", cdata(&damage))?;
    }
    out.write_all(b"    </reporter-output>\n")?;
    let run = summary.run();
    let name = attribute(run.map_or("run", |run| &run.application));
    let started = run.map_or(Timestamp::UNIX_EPOCH, |run| run.started);
    let took = summary.duration().unwrap_or_default();
    let (mut starts, mut ends) = (Moments::default(), Moments::default());
    let times = format!(
        "duration-ms=\"{}\" started-at=\"{}Z\" finished-at=\"{}Z\"",
        took.as_millis(),
        starts.second(started),
        ends.second(after(started, took))
    );
    writeln!(
        out,
        "    <suite name=\"{name}\" {times}>\n        <groups/>\n        <test name=\"{name}\" {times}>"
    )?;
    let mut open: Option<String> = None;
    let mut text = String::new();
    log.for_each(|execution| -> Result<(), ReportError> {
        let case = &execution.last;
        let (class, name) = id_parts(&case.case);
        if open.as_deref() != Some(class) {
            if open.replace(class.to_owned()).is_some() {
                out.write_all(b"            </class>\n")?;
            }
            writeln!(out, "            <class name=\"{}\">", attribute(class))?;
        }
        text.clear();
        method(case, name, &mut starts, &mut ends, &mut text)
            .expect("invariant: writing to a string does not fail");
        Ok(out.write_all(text.as_bytes())?)
    })?;
    if open.is_some() {
        out.write_all(b"            </class>\n")?;
    }
    out.write_all(b"        </test>\n    </suite>\n</testng-results>\n")?;
    Ok(())
}

/// Adds a case to `out`. Whole seconds in UTC are all that the format has.
fn method(
    case: &TestCaseFinished,
    name: &str,
    starts: &mut Moments,
    ends: &mut Moments,
    out: &mut String,
) -> fmt::Result {
    let status = match case.verdict {
        Verdict::Passed => "PASS",
        Verdict::Skipped | Verdict::Ignored => "SKIP",
        _ => "FAIL",
    };
    let took = case.duration.unwrap_or_default();
    let remark = remark(case);
    out.push_str("                <test-method status=\"");
    out.push_str(status);
    out.push_str("\" signature=\"");
    put_attribute(case.case.as_str(), out);
    out.push_str("\" name=\"");
    put_attribute(name, out);
    write!(
        out,
        "\" duration-ms=\"{}\" started-at=\"{}Z\" finished-at=\"{}Z\"",
        took.as_millis(),
        starts.second(case.started),
        ends.second(after(case.started, took))
    )?;
    let owner = case.owner.as_ref().map(|owner| format!("owner: {owner}"));
    let told = remark.as_ref().filter(|_| status != "FAIL");
    let suts = (!case.suts.is_empty()).then(|| format!("on {}", case.suts.join(", ")));
    let told = told.into_iter().chain(&owner).chain(&suts);
    let told = told.map(String::as_str);
    let told = told.collect::<Vec<_>>().join("; ");
    if !told.is_empty() {
        write!(out, " description=\"{}\"", attribute(&told))?;
    }
    out.push_str(">\n");
    if !case.parameters.is_empty() {
        out.push_str("                    <params>\n");
        for (index, (name, value)) in case.parameters.iter().enumerate() {
            let value = cdata(&format!("{name}={value}"));
            writeln!(
                out,
                "                        <param index=\"{index}\"><value>{value}</value></param>"
            )?;
        }
        out.push_str("                    </params>\n");
    }
    if status == "FAIL" {
        let message = remark.unwrap_or_default();
        let detail = case.detail.as_deref().unwrap_or_default();
        writeln!(
            out,
            "                    <exception class=\"{}\">\n                        <message>{}</message>\n                        \
             <full-stacktrace>{}</full-stacktrace>\n                    </exception>",
            case.verdict,
            cdata(&message),
            cdata(&format!("{message}\n{detail}\n{}", failed_steps(case)))
        )?;
    }
    let attachments = attached(case, ToString::to_string);
    if attachments.is_empty() {
        out.push_str("                    <reporter-output/>\n");
    } else {
        out.push_str("                    <reporter-output>\n");
        for line in attachments {
            let line = cdata(&format!("attached {line}"));
            writeln!(out, "                        <line>{line}</line>")?;
        }
        out.push_str("                    </reporter-output>\n");
    }
    out.push_str("                </test-method>\n");
    Ok(())
}

/// Text as the value of an attribute.
fn attribute(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    put_attribute(text, &mut safe);
    safe
}

/// Adds text as the value of an attribute.
fn put_attribute(text: &str, out: &mut String) {
    let text = printable_line(text);
    if !text.bytes().any(|byte| matches!(byte, b'&' | b'<' | b'"')) {
        out.push_str(&text);
        return;
    }
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
}

/// Text as a section that holds markup signs as they are.
fn cdata(text: &str) -> String {
    format!(
        "<![CDATA[{}]]>",
        printable(text).replace("]]>", "]]]]><![CDATA[>")
    )
}

fn after(start: Timestamp, took: std::time::Duration) -> Timestamp {
    start.checked_add(took).unwrap_or(start)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::canned;

    #[test]
    fn the_document_of_a_run_with_one_case_of_each_kind() {
        insta::assert_snapshot!(canned::document(&canned::run(), write_document));
    }

    proptest! {
        #[test]
        fn k2_f11_f8_a_strict_parser_finds_every_case_with_its_texts(cases in canned::any_cases()) {
            let text = canned::document(&canned::records_of(&cases), write_document);
            let document = roxmltree::Document::parse(&text).unwrap();
            let methods: Vec<_> = document.descendants().filter(|node| node.has_tag_name("test-method")).collect();
            prop_assert_eq!(methods.len(), cases.len());
            for (method, case) in methods.iter().zip(&cases) {
                let signature = printable_line(case.case.as_str()).into_owned();
                prop_assert_eq!(method.attribute("signature"), Some(signature.as_str()));
                let failed = method.attribute("status") == Some("FAIL");
                prop_assert_eq!(method.descendants().filter(|node| node.has_tag_name("exception")).count(), usize::from(failed));
                let value: String = method.descendants().find(|node| node.has_tag_name("value")).unwrap()
                    .descendants().filter(roxmltree::Node::is_text).filter_map(|node| node.text()).collect();
                let (name, parameter) = &case.parameters[0];
                let expected = format!("{name}={parameter}");
                prop_assert_eq!(value, printable(&expected));
            }
            let root = document.root_element();
            let total: usize = ["passed", "failed", "skipped", "ignored"].iter()
                .map(|name| root.attribute(*name).unwrap().parse::<usize>().unwrap()).sum();
            prop_assert_eq!(total, cases.len());
        }
    }
}
