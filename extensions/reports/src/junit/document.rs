//! The JUnit document as a function of the event log.
//!
//! One suite per run, and one more if hooks around the tests failed: each is a case with an error in it. The document is made case by case, so memory does not grow with their number: an empty suite with
//! all totals is the frame, and cases are put between its tags, some at a time, as they would stand in a suite of their own.
//!
//! Long because a case that only passed has a shorter way, which must write the same.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::{self, Write as _};
use std::io::{self, Write};

use camino::Utf8Path;
use chrono::{DateTime, FixedOffset};
use jiff::Timestamp;
use k2::case::Verdict;
use k2::messages::{CapturedOutput, HookFailed, RunStarted, TestCaseFinished};
use k2::results::{Summary, printable, printable_line};
use quick_junit::{
    NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestRerun, TestSuite, XmlString,
};
use thiserror::Error;

use crate::layout::{Moments, id_parts, size};
use crate::words::remark;
use k2::results::ReplaceError;
use k2::results::{Execution, RunLog, RunLogError};

/// Most of an output that goes into the document, in bytes: half of it head, half tail. Readers of such documents hold
/// them in memory.
const MOST_OUTPUT: usize = 32 * 1024;

/// How many texts are kept for the cases to come.
const MOST_TEXTS: usize = 256;

/// How many cases are made into text together.
const CASES_AT_A_TIME: usize = 64;

/// With how much output they are at most, in bytes, but for the last of them.
const OUTPUT_AT_A_TIME: usize = 256 * 1024;

/// End of the frame's head and start of its foot.
const SUITE_END: &str = "    </testsuite>";

/// Why there is no JUnit report.
#[derive(Debug, Error)]
pub(crate) enum JunitError {
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] RunLogError),
    /// The file cannot be written.
    #[error(transparent)]
    File(#[from] ReplaceError),
    /// Nothing can be written.
    #[error("cannot write the JUnit report")]
    Write(#[from] io::Error),
    /// The document cannot be made.
    #[error("cannot make a JUnit document")]
    Document(#[from] quick_junit::SerializeError),
}

/// Writes the document of `log`.
pub(crate) fn write_document(log: &RunLog, out: &mut dyn Write) -> Result<(), JunitError> {
    let frame = frame(log).to_string()?;
    let (head, foot) = frame
        .rfind(SUITE_END)
        .map_or((frame.as_str(), ""), |at| frame.split_at(at));
    out.write_all(head.as_bytes())?;
    let run = log.summary().run();
    let directory = run.map_or(Utf8Path::new(""), |run| &run.directory);
    let mut texts = Texts::default();
    let mut moments = Moments::default();
    let mut text = String::new();
    let mut some = Vec::new();
    let mut bytes = 0;
    log.for_each(|execution| -> Result<(), JunitError> {
        if is_plain(execution) {
            if !some.is_empty() {
                write_cases(std::mem::take(&mut some), out)?;
                bytes = 0;
            }
            text.clear();
            write_plain(&execution.last, &mut moments, &mut text)
                .expect("invariant: writing to a string does not fail");
            return Ok(out.write_all(text.as_bytes())?);
        }
        bytes += output_bytes(execution);
        some.push(test_case(execution, directory, &mut texts));
        if some.len() >= CASES_AT_A_TIME || bytes >= OUTPUT_AT_A_TIME {
            write_cases(std::mem::take(&mut some), out)?;
            bytes = 0;
        }
        Ok(())
    })?;
    write_cases(some, out)?;
    out.write_all(foot.as_bytes())?;
    Ok(())
}

/// Whether there is nothing to say about a case but that it passed. Most are like that, and are written without the detour by a suite,
/// which takes several times as long.
fn is_plain(execution: &Execution) -> bool {
    let case = &execution.last;
    case.verdict == Verdict::Passed
        && execution.earlier.is_empty()
        && case.stdout.is_empty()
        && case.stderr.is_empty()
        && case.leaked.is_empty()
        && case.unkillable.is_empty()
        && case.expected_failure.is_none()
        && case.attachments.is_empty()
        && case.attachments_left_out == 0
        && case.run.is_none()
}

/// Adds a case of which [`is_plain`] holds to `out`, as it would stand in a suite.
fn write_plain(case: &TestCaseFinished, moments: &mut Moments, out: &mut String) -> fmt::Result {
    let (class, name) = id_parts(&case.case);
    put_attribute("        <testcase name", name, out);
    if !class.is_empty() {
        put_attribute(" classname", class, out);
    }
    write!(
        out,
        " timestamp=\"{}.{:03}+00:00\" time=\"{:.3}\"",
        moments.second(case.started),
        Moments::millisecond(case.started),
        case.duration.unwrap_or_default().as_secs_f64()
    )?;
    let number = case.location.as_ref().and_then(|at| at.line);
    let number = number.map(|number| number.to_string());
    let file = case.location.as_ref().map(|at| &*at.file);
    let place = [("file", file), ("line", number.as_deref())];
    let place = || {
        place
            .iter()
            .filter_map(|&(name, value)| Some((name, value?)))
    };
    for (name, value) in place() {
        out.push(' ');
        put_attribute(name, value, out);
    }
    let is_bare = case.owner.is_none() && case.parameters.is_empty() && case.suts.is_empty();
    if place().next().is_none() && is_bare {
        out.push_str(
            "/>
",
        );
        return Ok(());
    }
    out.push_str(">\n            <properties>\n");
    for (name, value) in place() {
        out.push_str("                <property name=\"");
        out.push_str(name);
        put_attribute("\" value", value, out);
        out.push_str("/>\n");
    }
    if let Some(owner) = &case.owner {
        out.push_str("                <property name=\"owner");
        put_attribute("\" value", owner, out);
        out.push_str("/>\n");
    }
    for (name, value) in &case.parameters {
        out.push_str("                <property name=\"parameter.");
        put_text(name, out);
        put_attribute("\" value", value, out);
        out.push_str("/>\n");
    }
    for sut in &case.suts {
        out.push_str("                <property name=\"sut");
        put_attribute("\" value", sut, out);
        out.push_str("/>\n");
    }
    out.push_str("            </properties>\n        </testcase>\n");
    Ok(())
}

/// Adds `name="value"` to `out`.
fn put_attribute(name: &str, value: &str, out: &mut String) {
    out.push_str(name);
    out.push_str("=\"");
    put_text(value, out);
    out.push('"');
}

/// Adds `text` to `out` as a part of the value of an attribute: what [`line`] makes of it, without the detour by what a terminal
/// would make of escape sequences, because none is left.
fn put_text(text: &str, out: &mut String) {
    out.push_str(&attribute(&printable_line(text)));
}

/// Text as the value of an attribute.
fn attribute(text: &str) -> Cow<'_, str> {
    let is_marked = |byte| matches!(byte, b'&' | b'<' | b'>' | b'"' | b'\'');
    if !text.bytes().any(is_marked) {
        return Cow::Borrowed(text);
    }
    let text = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    Cow::Owned(text.replace('"', "&quot;").replace('\'', "&apos;"))
}

/// Writes the cases as they stand in a suite, without the suite.
fn write_cases(cases: Vec<TestCase>, out: &mut dyn Write) -> Result<(), JunitError> {
    if cases.is_empty() {
        return Ok(());
    }
    let mut suite = TestSuite::new("");
    suite.test_cases = cases;
    let mut report = Report::new("");
    report.test_suites.push(suite);
    let text = report.to_string()?;
    out.write_all(between_tags(&text).as_bytes())?;
    Ok(())
}

/// Roughly how much memory the outputs of a case need.
fn output_bytes(execution: &Execution) -> usize {
    let attempts = std::iter::once(&execution.last).chain(&execution.earlier);
    let bytes = |output: &CapturedOutput| output.head.len() + output.tail.len();
    attempts
        .map(|case| bytes(&case.stdout) + bytes(&case.stderr))
        .sum()
}

/// The cases in the document of a suite that has nothing else, with their indentation and line breaks.
///
/// Quotes in names are escaped in XML, so the first and the last tag are what they look like.
fn between_tags(document: &str) -> &str {
    let start = document.find("        <testcase").unwrap_or(document.len());
    let end = document.rfind(SUITE_END).unwrap_or(document.len());
    document.get(start..end).unwrap_or_default()
}

/// The document without its cases.
fn frame(log: &RunLog) -> Report {
    let summary = log.summary();
    let name = line(summary.run().map_or("run", |run| &*run.application));
    let mut suite = TestSuite::new(name.clone());
    // There is always one, so the suite has a closing tag.
    suite.add_property(property("flaky", &summary.flaky().to_string()));
    if let Some(run) = summary.run() {
        suite.set_timestamp(time(run.started));
        suite.add_properties(run_properties(run));
        if !run.host.is_empty() {
            suite.extra.insert("hostname".into(), line(&run.host));
        }
    }
    for damage in log.log_damages() {
        suite.add_property(property("event-log", &damage));
    }
    let totals = Totals::of(summary);
    suite.tests = totals.tests;
    suite.failures = totals.failures;
    suite.errors = totals.errors;
    suite.skipped = totals.skipped;
    suite.time = summary.duration();

    let hooks = failed_hooks(summary.failed_hooks());
    let failed = hooks.iter().map(|suite| suite.tests).sum::<usize>();
    let mut report = Report::new(name);
    // In front: cases are put at the end of the last suite.
    report.test_suites.extend(hooks);
    report.timestamp = suite.timestamp;
    report.time = summary.duration();
    report.tests = totals.tests + failed;
    report.failures = totals.failures;
    report.errors = totals.errors + failed;
    report.skipped = totals.skipped;
    report.test_suites.push(suite);
    report
}

/// A suite of the hooks that failed; none if none did. Whoever only counts errors in JUnit documents has to see them too.
fn failed_hooks(failed: &[HookFailed]) -> Option<TestSuite> {
    if failed.is_empty() {
        return None;
    }
    let mut suite = TestSuite::new("hooks");
    suite.add_test_cases(failed.iter().map(|hook| {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_message(line(&hook.reason)).set_type("hook");
        let name = match &*hook.hook {
            "" => &*hook.phase,
            name => name,
        };
        let mut case = TestCase::new(line(name), status);
        case.set_classname(line(&hook.phase));
        case
    }));
    Some(suite)
}

#[derive(Debug)]
struct Totals {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
}

impl Totals {
    fn of(summary: &Summary) -> Self {
        let counts = summary.counts();
        let number = |count| usize::try_from(count).unwrap_or(usize::MAX);
        Self {
            tests: number(counts.total()),
            failures: number(counts.failed + counts.timed_out),
            errors: number(counts.error + counts.aborted + counts.not_run),
            skipped: number(counts.skipped + counts.ignored),
        }
    }
}

fn run_properties(run: &RunStarted) -> Vec<Property> {
    let command = k2::results::shell_command_line(run.command_line.iter().map(AsRef::as_ref));
    [
        ("run", &*run.run),
        ("version", &*run.version),
        ("command", &command),
        ("directory", run.working_directory.as_str()),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_empty())
    .map(|(name, value)| property(name, value))
    .collect()
}

fn property(name: &str, value: &str) -> Property {
    Property::new(name, line(value))
}

/// Text for an attribute: one line, in which everything that XML forbids is shown as its number.
fn line(text: &str) -> XmlString {
    XmlString::new(printable_line(text))
}

/// Texts that stand in most cases: classes, files, names of properties. To make them fit for XML takes longer than anything else in
/// the document of a run whose cases pass, so it is done once.
#[derive(Default)]
struct Texts(HashMap<Box<str>, XmlString>);

impl Texts {
    /// As [`line`].
    fn line(&mut self, text: &str) -> XmlString {
        if let Some(known) = self.0.get(text) {
            return known.clone();
        }
        if self.0.len() == MOST_TEXTS {
            self.0.clear();
        }
        let made = line(text);
        self.0.insert(text.into(), made.clone());
        made
    }
}

/// Text with its lines, in which everything that XML forbids is shown as its number.
fn text(text: &str) -> XmlString {
    XmlString::new(printable(text))
}

/// Output of a process: colour is taken out, and what XML forbids is gone or replaced. The event log has it as it was.
fn plain(output: &str) -> XmlString {
    // quick-junit leaves these two in.
    XmlString::new(output.replace(['\u{fffe}', '\u{ffff}'], "\u{fffd}"))
}

fn test_case(execution: &Execution, directory: &Utf8Path, texts: &mut Texts) -> TestCase {
    let case = &execution.last;
    let (class, name) = id_parts(&case.case);
    let mut status = status(case);
    let earlier = execution.earlier.iter();
    status.add_reruns(earlier.map(|earlier| rerun(earlier, directory)));
    let mut test = TestCase::new(line(name), status);
    if !class.is_empty() {
        test.set_classname(texts.line(class));
    }
    test.set_timestamp(time(case.started));
    test.set_time(case.duration.unwrap_or_default());
    if let Some(location) = &case.location {
        let number = location.line.map(|number| number.to_string());
        let file = Some(("file", &*location.file));
        for (name, value) in file
            .into_iter()
            .chain(number.as_deref().map(|n| ("line", n)))
        {
            let (name, value) = (texts.line(name), texts.line(value));
            test.add_property(Property::new(name.clone(), value.clone()));
            test.extra.insert(name, value);
        }
    }
    if let Some(owner) = &case.owner {
        test.add_property(property("owner", owner));
    }
    for (name, value) in &case.parameters {
        let name = texts.line(&format!("parameter.{name}"));
        test.add_property(Property::new(name, line(value)));
    }
    if let Some(known) = &case.expected_failure {
        test.add_property(property(case.outcome(), &known.reason));
        if let Some(link) = &known.link {
            test.add_property(property("issue", link));
        }
    }
    for sut in &case.suts {
        test.add_property(property("sut", sut));
    }
    if let Some(run) = &case.run {
        test.add_property(property("run", run));
    }
    if case.conflict {
        test.add_property(property(
            "conflict",
            "runs say different things; the most serious counts",
        ));
    }
    for leaked in &case.leaked {
        let what = format!("{} (pid {})", leaked.command, leaked.pid);
        test.add_property(property("leaked-process", &what));
    }
    for pid in &case.unkillable {
        test.add_property(property("unkillable-process", &pid.to_string()));
    }
    test.system_out = with_attachments(output(&case.stdout), case, directory);
    test.system_err = output(&case.stderr);
    test
}

fn status(case: &TestCaseFinished) -> TestCaseStatus {
    let mut status = match case.verdict {
        Verdict::Passed => return TestCaseStatus::success(),
        Verdict::Failed | Verdict::TimedOut => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Verdict::Skipped | Verdict::Ignored => TestCaseStatus::skipped(),
        // A case without a result must not look like a good one to who reads nothing else.
        _ => TestCaseStatus::non_success(NonSuccessKind::Error),
    };
    status.set_type(case.outcome());
    if let Some(message) = remark(case) {
        status.set_message(line(&message));
    }
    let description = description(case);
    if !description.is_empty() {
        status.set_description(text(&description));
    }
    status
}

/// Text of a failure: its detail, and the verdict of each step.
fn description(case: &TestCaseFinished) -> String {
    let mut text = case
        .detail
        .as_deref()
        .unwrap_or_default()
        .trim_end()
        .to_owned();
    for step in &case.steps {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(step.verdict.as_str());
        text.push_str("  ");
        text.push_str(&step.name);
        if let Some(place) = &step.location {
            text.extend([" (", &place.to_string(), ")"]);
        }
        for line in step
            .detail
            .iter()
            .flat_map(|detail| detail.trim_end().lines())
        {
            text.push_str("\n    ");
            text.push_str(line);
        }
    }
    text
}

fn rerun(case: &TestCaseFinished, directory: &Utf8Path) -> TestRerun {
    let kind = match case.verdict {
        Verdict::Failed | Verdict::TimedOut => NonSuccessKind::Failure,
        _ => NonSuccessKind::Error,
    };
    let mut rerun = TestRerun::new(kind);
    rerun.set_timestamp(time(case.started));
    rerun.set_time(case.duration.unwrap_or_default());
    rerun.set_type(case.verdict.as_str());
    rerun.set_message(line(
        &remark(case).unwrap_or_else(|| case.verdict.to_string()),
    ));
    let description = description(case);
    if !description.is_empty() {
        rerun.set_description(text(&description));
    }
    rerun.system_out = with_attachments(output(&case.stdout), case, directory);
    rerun.system_err = output(&case.stderr);
    rerun
}

/// The output with a line for each attachment, as Jenkins, GitLab and others find them: `[[ATTACHMENT|/path/of/the/file]]`.
fn with_attachments(
    output: Option<XmlString>,
    case: &TestCaseFinished,
    directory: &Utf8Path,
) -> Option<XmlString> {
    if case.attachments.is_empty() && case.attachments_left_out == 0 {
        return output;
    }
    let mut text = output.map_or_else(String::new, |output| output.to_string());
    for attachment in &case.attachments {
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str("[[ATTACHMENT|");
        text.push_str(directory.join(&attachment.file).as_str());
        text.push_str("]]\n");
    }
    if case.attachments_left_out > 0 {
        let count = case.attachments_left_out.to_string();
        text.extend([&*count, " attachments were left out\n"]);
    }
    Some(plain(&text))
}

/// Head and tail of an output, cut to [`MOST_OUTPUT`]; none if nothing was written.
fn output(output: &CapturedOutput) -> Option<XmlString> {
    if output.is_empty() {
        return None;
    }
    let half = MOST_OUTPUT / 2;
    let all_of_it = !output.truncated && output.head.len() <= MOST_OUTPUT;
    if all_of_it {
        return Some(plain(&output.head));
    }
    let head_end = output.head.floor_char_boundary(half);
    let head = output.head.get(..head_end).unwrap_or_default();
    let end = output.end();
    let tail_start = end.ceil_char_boundary(end.len().saturating_sub(half));
    let tail = end.get(tail_start..).unwrap_or_default();
    let missing = output
        .bytes
        .saturating_sub((head.len() + tail.len()) as u64);
    let file = output
        .file
        .as_ref()
        .map_or_else(String::new, |file| format!(", see {file}"));
    let gap = format!("\n[… {} left out{file} …]\n", size(missing));
    Some(plain(&[head, &gap, tail].concat()))
}

fn time(time: Timestamp) -> DateTime<FixedOffset> {
    let nanosecond = u32::try_from(time.subsec_nanosecond()).unwrap_or(0);
    DateTime::from_timestamp(time.as_second(), nanosecond)
        .unwrap_or_default()
        .fixed_offset()
}

#[cfg(test)]
mod tests {
    use k2::case::CaseId;
    use k2::results::{Record, RecordBody};
    use proptest::prelude::*;

    use super::*;
    use crate::canned;

    fn document(records: &[Record]) -> String {
        let (_dir, path) = canned::log(records);
        let mut out = Vec::new();
        write_document(&RunLog::open(&path).unwrap(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// Number of cases, of failures, of errors and of skipped ones, by elements and by attributes.
    fn counts(document: &str) -> ([usize; 4], [usize; 4]) {
        let parsed = roxmltree::Document::parse(document).unwrap();
        let elements = |name| {
            parsed
                .descendants()
                .filter(|node| node.has_tag_name(name))
                .count()
        };
        let suite = parsed
            .descendants()
            .find(|node| node.has_tag_name("testsuite"))
            .unwrap();
        let attribute = |name| suite.attribute(name).unwrap().parse().unwrap();
        (
            ["testcase", "failure", "error", "skipped"].map(elements),
            ["tests", "failures", "errors", "skipped"].map(attribute),
        )
    }

    #[test]
    fn the_document_of_a_run_with_one_case_of_each_kind() {
        let text = document(&canned::run());
        insta::assert_snapshot!(text);
        let (elements, attributes) = counts(&text);
        assert_eq!(elements, attributes);
        assert_eq!(elements, [11, 4, 3, 2]);
    }

    #[test]
    fn p12_hooks_that_failed_are_errors_of_a_suite_of_their_own() {
        let mut records = canned::run();
        for hook in ["<lab>", ""] {
            records.extend(canned::records(vec![RecordBody::HookFailed(HookFailed {
                phase: "POST_TESTS".into(),
                hook: hook.into(),
                reason: "no \u{1b} answer".into(),
            })]));
        }
        let text = document(&records);
        let parsed = roxmltree::Document::parse(&text).unwrap();
        let root = parsed.root_element();
        assert_eq!(root.attribute("tests"), Some("13"));
        assert_eq!(root.attribute("errors"), Some("5"));
        let suites: Vec<_> = root
            .children()
            .filter(roxmltree::Node::is_element)
            .collect();
        assert_eq!(suites.len(), 2);
        let cases = |suite: roxmltree::Node<'_, '_>| {
            let cases = suite
                .children()
                .filter(|node| node.has_tag_name("testcase"));
            cases
                .map(|case| case.attribute("name").unwrap().to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(cases(suites[0]), ["<lab>", "POST_TESTS"]);
        assert_eq!(cases(suites[1]).len(), 11);
    }

    #[test]
    fn a_plain_case_is_written_as_any_other() {
        use k2::case::{CaseId, Location, Parameters};
        let hostile = "<&>\"\u{1b}";
        let mark = |is_marked: bool| is_marked.then(|| hostile.into());
        for marked in 0..8 {
            let parameters: Parameters = mark(marked & 1 > 0)
                .into_iter()
                .map(|value| ("a'b", value))
                .collect();
            let owner = mark(marked & 2 > 0);
            let suts: Vec<_> = mark(marked & 4 > 0).into_iter().collect();
            for (location, id) in [
                (None, "x"),
                (Some(Location::line("a/b<c>.rs", 7)), "m::x['\"&<>\\n]"),
                (Some(Location::file("a")), "m::\u{1}"),
            ] {
                let last = TestCaseFinished {
                    case: CaseId::new(id),
                    started: canned::START + std::time::Duration::from_micros(1_234_567),
                    parameters: parameters.clone(),
                    owner: owner.clone(),
                    suts: suts.clone(),
                    location,
                    ..TestCaseFinished::example()
                };
                let mut texts = Texts::default();
                let (mut plain, mut other) = (String::new(), Vec::new());
                write_plain(&last, &mut Moments::default(), &mut plain).unwrap();
                let execution = Execution {
                    last,
                    earlier: Vec::new(),
                };
                assert!(is_plain(&execution));
                write_cases(
                    vec![test_case(&execution, Utf8Path::new("/r"), &mut texts)],
                    &mut other,
                )
                .unwrap();
                assert_eq!(Ok(plain), String::from_utf8(other));
            }
        }
    }

    #[test]
    fn many_cases_are_all_there_once_and_in_order() {
        let mut records = canned::run();
        records.truncate(1);
        let names: Vec<_> = (0..=3 * CASES_AT_A_TIME)
            .map(|n| format!("case-{n}"))
            .collect();
        let bodies = names.iter().map(|name| {
            let mut case = TestCaseFinished::example();
            case.case = CaseId::new(name.as_str());
            // Some are written earlier because of what they hold.
            if name.ends_with('7') {
                case.stdout = "y\n".repeat(OUTPUT_AT_A_TIME / 3).as_str().into();
            }
            RecordBody::CaseFinished(case)
        });
        records.extend(canned::records(bodies.collect()));
        let text = document(&records);
        let parsed = roxmltree::Document::parse(&text).unwrap();
        let written: Vec<_> = parsed
            .descendants()
            .filter(|node| node.has_tag_name("testcase"))
            .map(|node| node.attribute("name").unwrap().to_owned())
            .collect();
        assert_eq!(written, names);
    }

    #[test]
    fn p1_the_document_of_a_killed_run_has_every_selected_case() {
        let mut records = canned::run();
        records.truncate(5);
        let (elements, attributes) = counts(&document(&records));
        assert_eq!(elements, attributes);
        assert_eq!(elements[0], 11);
    }

    #[test]
    fn e8_a_flood_stays_small_and_says_what_is_missing() {
        let flood = "y\n".repeat(64 * 1024);
        let output = CapturedOutput::from_bytes(flood.as_bytes(), b"end", 1 << 30, None);
        let text = super::output(&output).unwrap();
        assert!(text.len() < MOST_OUTPUT + 100);
        assert!(
            text.contains("1023.9 MiB left out") && text.ends_with("end"),
            "{}",
            text.len()
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn f8_any_bytes_make_a_document_that_a_strict_parser_takes(
            cases in prop::collection::vec(
                (any::<String>(), any::<Vec<u8>>(), 0..8_usize, "(]]>|[<>&\"'\\x00-\\x1f\u{fffe}\u{ffff}]){0,9}"), 0..5),
        ) {
            let bodies = (1..).zip(&cases).map(|(execution, (name, bytes, verdict, nasty))| {
                let out = CapturedOutput::from_bytes(bytes, nasty.as_bytes(), 1 << 40, None);
                RecordBody::CaseFinished(TestCaseFinished {
                    reason: Some(nasty.as_str().into()),
                    detail: Some(String::from_utf8_lossy(bytes).into()),
                    stdout: out.clone(),
                    stderr: out,
                    parameters: [(name.as_str(), nasty.as_str())].into(),
                    ..TestCaseFinished::new(
                        execution,
                        CaseId::new(format!("{name}{nasty}")),
                        Verdict::ALL[*verdict],
                        canned::START,
                    )
                })
            });
            let records = canned::records(bodies.collect());
            let (elements, attributes) = counts(&document(&records));
            prop_assert_eq!(elements, attributes);
            prop_assert_eq!(elements[0], cases.len());
        }
    }
}
