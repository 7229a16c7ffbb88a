//! The words that stand for verdicts, and how they are set.
//!
//! Colour only adds: every word says the same without it. Colour sequences are always written; whoever owns the stream
//! removes them where they are not wanted.

use anstyle::{AnsiColor, Style};
use camino::Utf8Path;
use k2::case::{Step, Verdict};
use k2::messages::TestCaseFinished;

use crate::layout::{many, size};

/// Good news.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// What needs somebody to look at it.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// What is not as it should be, but fails nothing.
pub(crate) const ODD: Style = AnsiColor::Yellow.on_default();
/// What is only there for completeness.
pub(crate) const DIM: Style = Style::new().dimmed();

/// The word for how a case ended, and its colour. At most six letters.
pub(crate) const fn word(verdict: Verdict, is_flaky: bool) -> (&'static str, Style) {
    match verdict {
        Verdict::Passed if is_flaky => ("FLAKY", ODD),
        Verdict::Passed => ("PASS", GOOD),
        Verdict::Failed => ("FAIL", BAD),
        Verdict::Error => ("ERROR", BAD),
        Verdict::TimedOut => ("TIME", BAD),
        Verdict::Skipped => ("SKIP", ODD),
        Verdict::Ignored => ("IGNORE", DIM),
        Verdict::Aborted => ("ABORT", ODD),
        Verdict::NotRun => ("NOTRUN", ODD),
    }
}

/// The word for how this case ended, and its colour. At most six letters.
pub(crate) fn case_word(case: &TestCaseFinished) -> (&'static str, Style) {
    if case.is_expected_failure() {
        return ("XFAIL", ODD);
    }
    if case.is_unexpected_pass() {
        let style = if case.verdict.is_failure() { BAD } else { ODD };
        return ("XPASS", style);
    }
    word(case.verdict, case.is_flaky())
}

/// Attachments of an attempt, a line each, and how many there would be more; files as `place` says.
pub(crate) fn attached(
    case: &TestCaseFinished,
    place: impl Fn(&Utf8Path) -> String,
) -> Vec<String> {
    let mut lines: Vec<_> = case
        .attachments
        .iter()
        .map(|one| {
            let (kind, bytes) = (&one.media_type, size(one.bytes));
            format!(
                "{} ({kind}, {bytes}): {}",
                one_line(&one.name),
                place(&one.file)
            )
        })
        .collect();
    if case.attachments_left_out > 0 {
        let many = many(case.attachments_left_out, "more file");
        lines.push(format!(
            "{many} left out: over a limit, or no regular files"
        ));
    }
    lines
}

/// A step on as many lines as it takes: its name and place, then what is known about it, indented.
pub(crate) fn step_lines(step: &Step) -> Vec<String> {
    let place = step.location.as_ref();
    let place = place.map_or_else(String::new, |place| format!(" ({place})"));
    let mut lines = vec![format!("{}{place}", step.name)];
    let detail = step.detail.iter();
    let detail = detail.flat_map(|detail| detail.trim_end().lines());
    lines.extend(detail.map(|line| format!("  {line}")));
    lines
}

/// The steps that failed, as text; empty if none did.
pub(crate) fn failed_steps(case: &TestCaseFinished) -> String {
    let failed = case.steps.iter().filter(|step| step.verdict.is_failure());
    failed.flat_map(step_lines).collect::<Vec<_>>().join("\n")
}

/// The word for a count of cases with this verdict.
pub(crate) const fn counted(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "passed",
        Verdict::Failed => "failed",
        Verdict::Error => "errors",
        Verdict::TimedOut => "timed out",
        Verdict::Skipped => "skipped",
        Verdict::Ignored => "ignored",
        Verdict::Aborted => "aborted",
        Verdict::NotRun => "not run",
    }
}

/// What stands behind the name of a case, on one line: its reason, or that it is flaky. None for a plain pass.
pub(crate) fn remark(case: &TestCaseFinished) -> Option<String> {
    let own = own_remark(case);
    if !case.conflict {
        return own;
    }
    let own = own.unwrap_or_else(|| case.verdict.to_string());
    Some(format!("conflict of runs: {own}"))
}

/// What another run says of a case, on one line.
pub(crate) fn said_elsewhere(case: &TestCaseFinished, run: &str) -> String {
    match own_remark(case) {
        Some(remark) => format!("{} in run {run}: {remark}", case.verdict),
        None => format!("{} in run {run}", case.verdict),
    }
}

fn own_remark(case: &TestCaseFinished) -> Option<String> {
    if case.is_flaky() {
        return Some(format!("passed on try {}", case.attempt));
    }
    let reason = match &case.reason {
        Some(reason) => one_line(reason),
        None if case.verdict == Verdict::Passed => return leak(case),
        None => case
            .exit
            .as_ref()
            .map_or_else(|| case.verdict.to_string(), ToString::to_string),
    };
    Some(match leak(case) {
        Some(leak) => format!("{reason}; {leak}"),
        None => reason,
    })
}

/// The lines of `text` on one line.
fn one_line(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("; ")
}

fn leak(case: &TestCaseFinished) -> Option<String> {
    match case.leaked.len() {
        0 => None,
        1 => Some("left a process behind".to_owned()),
        count => Some(format!("left {count} processes behind")),
    }
}
