//! The words that stand for verdicts, and how they are set.
//!
//! Colour only adds: every word says the same without it. Colour sequences are always written; whoever owns the stream
//! removes them where they are not wanted.

use anstyle::{AnsiColor, Style};
use k2::case::Verdict;
use k2::messages::TestCaseFinished;

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
