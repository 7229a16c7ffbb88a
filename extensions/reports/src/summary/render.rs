//! The summary as text: a function of the event log and of what the command says about reports and exit code.

use std::error::Error;
use std::io::{self, Write};

use camino::{Utf8Path, Utf8PathBuf};
use k2::case::Verdict;
use k2::messages::ReportsWritten;
use k2::results::{LATEST_LINK, ReportFailure, Summary, printable_line};
use k2::supervisor::signal_name;
use rustix::io::Errno;
use thiserror::Error;

use crate::block::Blocks;
use crate::layout::{columns, duration, many};
use crate::words::{BAD, DIM, GOOD, ODD, counted};
use k2::results::{RunLog, RunLogError};

/// Most cases that are shown in full. Who has more needs a report to look through, not a screen that scrolls by.
const MOST_BLOCKS: u64 = 100;

/// How many lines of each output are shown.
const OUTPUT_LINES: usize = 10;

/// Why there is no summary.
#[derive(Debug, Error)]
pub(crate) enum RenderError {
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] RunLogError),
    /// Nothing can be written.
    #[error("cannot write the summary")]
    Write(#[from] io::Error),
}

/// Writes the summary of the run that `written` is about, with what its log says, or why there is none. Colour sequences are in it.
/// Details of cases are wrapped at `wrap` columns, if it is for a terminal.
pub(crate) fn write_summary(
    log: Result<&RunLog, &RunLogError>,
    written: &ReportsWritten,
    width: usize,
    wrap: Option<usize>,
    out: &mut dyn Write,
) -> Result<(), RenderError> {
    writeln!(out)?;
    // The disk may be full, or the directory gone: what the command itself knows is told in any case.
    let mut damages = Vec::new();
    match log {
        Ok(log) => {
            let blocks = Blocks {
                width,
                wrap,
                lines: OUTPUT_LINES,
                run: log.summary().run(),
            };
            let hidden = write_failures(log, &blocks, MOST_BLOCKS, out)?;
            if hidden > 0 {
                writeln!(out, "  … and {}\n", many(hidden, "more case"))?;
            }
            damages = log.log_damages();
            let complete = &written.summary;
            if complete.end().is_some() && log.summary().end().is_none() {
                let lacking =
                    complete.recorded() - log.summary().recorded().min(complete.recorded());
                damages.pop();
                damages.push(format!(
                    "the event log is incomplete: it lacks the end of the run, with {}",
                    many(lacking, "verdict")
                ));
            }
        }
        Err(error) => damages.push(with_causes(error)),
    }
    writeln!(out, "{}", counts_line(&written.summary, width))?;
    for damage in damages {
        row(out, wrap, "log", &damage)?;
    }
    for hook in written.summary.failed_hooks() {
        row(out, wrap, "hook", &hook.to_string())?;
    }
    let unkillable = written.summary.unkillable();
    if !unkillable.is_empty() {
        row(out, wrap, "left", &unkillable.to_string())?;
    }
    for report in &written.reports {
        let path = by_latest(&report.path, &written.directory);
        row(out, wrap, "report", path.as_str())?;
    }
    for failure in &written.failures {
        let text = format!("{}: {}", failure.name, failure.reason);
        row(out, wrap, "missing", &text)?;
    }
    if written.failures.iter().any(is_for_want_of_room) {
        let run = log.ok().and_then(|log| log.summary().run());
        let program = run.and_then(|run| run.command_line.first());
        let program = program.map_or("zk2", |word| word);
        let directory = &written.directory;
        row(
            out,
            wrap,
            "hint",
            &format!(
                "the disk of {directory} is full: make room on it, then `{program} report {directory}` makes reports of what the log has"
            ),
        )?;
    }
    let (code, meaning) = exit_line(written);
    row(out, wrap, &format!("exit {code}"), &meaning)?;
    Ok(())
}

/// Whether the disk, or what its user may have of it, was full. Reasons are texts by now; the number of an error of the system is the same
/// in every language.
fn is_for_want_of_room(failure: &ReportFailure) -> bool {
    [Errno::NOSPC, Errno::DQUOT]
        .map(|errno| format!("(os error {})", errno.raw_os_error()))
        .iter()
        .any(|said| failure.reason.contains(said))
}

/// The number that the shell will see, and why.
fn exit_line(written: &ReportsWritten) -> (i32, String) {
    let meaning = written.summary.meaning_of(written.exit);
    match written.signal {
        None => (i32::from(written.exit.code()), meaning.to_owned()),
        Some(number) => {
            let name =
                signal_name(number).map_or_else(|| format!("signal {number}"), str::to_owned);
            // Source: what shells say of a program that a signal has ended.
            (128 + number, format!("ended by {name}; {meaning}"))
        }
    }
}

/// The error and its causes, on one line.
fn with_causes(error: &dyn Error) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    let texts: Vec<String> = causes.map(ToString::to_string).collect();
    texts.join(": ")
}

/// `path` by way of the link to the newest run, if `directory` is that of the newest run: shorter, and the same after each run.
fn by_latest(path: &Utf8Path, directory: &Utf8Path) -> Utf8PathBuf {
    let short = || {
        let latest = directory.parent()?.join(LATEST_LINK);
        let newest = latest.read_link_utf8().ok()?;
        let rest = path.strip_prefix(directory).ok()?;
        (newest.file_name() == directory.file_name()).then(|| latest.join(rest))
    };
    short().unwrap_or_else(|| path.to_owned())
}

/// A row of the summary, broken between words where it does not fit. Words are not: paths are to be copied.
fn row(out: &mut dyn Write, wrap: Option<usize>, label: &str, text: &str) -> io::Result<()> {
    let text = printable_line(text);
    let mut line = format!("  {label:<8}");
    let indent = " ".repeat(columns(&line));
    let mut is_empty = true;
    for word in text.split(' ') {
        let is_too_long = wrap.is_some_and(|wrap| columns(&line) + 1 + columns(word) > wrap);
        if is_too_long && !is_empty {
            writeln!(out, "{line}")?;
            line.clone_from(&indent);
        }
        line.push(' ');
        line.push_str(word);
        is_empty = false;
    }
    writeln!(out, "{line}")
}

/// Writes a block for each execution that failed or is flaky, `most` at most. Returns how many more there are.
pub(crate) fn write_failures(
    log: &RunLog,
    blocks: &Blocks<'_>,
    most: u64,
    out: &mut dyn Write,
) -> Result<u64, RenderError> {
    if log.summary().counts().failures() == 0 {
        return Ok(0);
    }
    let mut count = 0;
    log.for_each(|execution| -> Result<(), RenderError> {
        if execution.last.verdict.is_failure() {
            count += 1;
            if count <= most {
                blocks.write(execution, out)?;
            }
        }
        Ok(())
    })?;
    Ok(count.saturating_sub(most))
}

/// The counts of a run and how long it took, on one line of `width` columns if it fits.
pub(crate) fn counts_line(summary: &Summary, width: usize) -> String {
    let counts = summary.counts();
    let mut plain = Vec::new();
    let mut coloured = Vec::new();
    for verdict in [
        Verdict::Passed,
        Verdict::Failed,
        Verdict::Error,
        Verdict::TimedOut,
        Verdict::Skipped,
        Verdict::Ignored,
        Verdict::Aborted,
        Verdict::NotRun,
    ] {
        let count = counts.of(verdict);
        if count == 0 && verdict != Verdict::Passed {
            continue;
        }
        let flaky = match (verdict, summary.flaky()) {
            (Verdict::Passed, flaky) if flaky > 0 => format!(" ({flaky} flaky)"),
            (Verdict::Skipped, _) if summary.expected_failures() > 0 => {
                format!(" ({} expected to fail)", summary.expected_failures())
            }
            _ => String::new(),
        };
        let mut word = counted(verdict);
        if verdict == Verdict::Error && count == 1 {
            word = "error";
        }
        let text = format!("{count} {word}{flaky}");
        let style = match verdict {
            Verdict::Passed if count > 0 => GOOD,
            verdict if verdict.is_failure() => BAD,
            Verdict::Passed => DIM,
            _ => ODD,
        };
        coloured.push(format!("{style}{text}{style:#}"));
        plain.push(text);
    }
    let unexpected = summary.unexpected_passes();
    if unexpected > 0 {
        let words = if unexpected == 1 { "pass" } else { "passes" };
        let text = format!("{unexpected} unexpected {words}");
        coloured.push(format!("{ODD}{text}{ODD:#}"));
        plain.push(text);
    }
    if summary.conflicts() > 0 {
        let text = many(summary.conflicts(), "conflict");
        coloured.push(format!("{BAD}{text}{BAD:#}"));
        plain.push(text);
    }
    let cases = many(summary.selected(), "case");
    let took = summary
        .duration()
        .map_or(cases.clone(), |time| format!("{}, {cases}", duration(time)));
    let used = 2 + columns(&plain.join(" · ")) + columns(&took);
    let gap = width.saturating_sub(used).clamp(2, 8);
    format!("  {}{:gap$}{took}", coloured.join(" · "), "")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use k2::messages::{ReportFailure, WrittenReport};
    use k2::results::Record;

    use super::*;
    use crate::canned;

    fn summary(records: &[Record], failures: Vec<ReportFailure>) -> String {
        let (_dir, log) = canned::log(records);
        let summary = Summary::of(records);
        let written = ReportsWritten {
            log,
            directory: "output/019e8b0d3a11-7f3a".into(),
            reports: vec![WrittenReport {
                name: "text".into(),
                path: "output/019e8b0d3a11-7f3a/report.txt".into(),
            }],
            failures,
            exit: summary.exit_code(),
            signal: None,
            summary: Arc::new(summary),
        };
        let mut out = Vec::new();
        let log = RunLog::open(&written.log).unwrap();
        write_summary(Ok(&log), &written, 100, None, &mut out).unwrap();
        anstream::adapter::strip_str(std::str::from_utf8(&out).unwrap()).to_string()
    }

    #[test]
    fn the_summary_of_a_run_with_one_case_of_each_kind() {
        insta::assert_snapshot!(summary(&canned::run(), Vec::new()), @r"

        FAIL coreutils::sort_is_stable                                          quickstart/coreutils.sh:12
          reason  exit status 1, expected 0
          stdout  expected 'a 1', got 'a 2'
          stderr  (empty)
          again   zk2 run suite --tests-include coreutils::sort_is_stable

        TIME slow::never_ends
          reason  stopped after 5 s (TERM, then KILL)
          leaked  sleep 300 (pid 4711)
          stdout  … the end of 1.0 GiB, all of it in out/flood.stdout
                  y
                  y
                  last line
          stderr  (empty)
          again   zk2 run suite --tests-include slow::never_ends

        FAIL suite/door.tap
          reason  1 of 2 points failed
          step    closes
                    got: 1
                    expected: 0
          stdout  (empty)
          stderr  (empty)
          again   zk2 run suite --tests-include suite/door.tap

        FAIL rust::parse[flag=-s]
          reason  assertion failed: left == right
                    left: 1
                   right: 2
                  panicked at src/parse.rs:7:9
          again   zk2 run suite --tests-include 'rust::parse[flag=-s]'

        ERROR suite/broken.sh
          reason  cannot start `suite/broken.sh`: permission denied
          again   zk2 run suite --tests-include suite/broken.sh

        2 passed (1 flaky) · 3 failed · 1 error · 1 timed out · 1 skipped · 1 ignored · 1 aborted · 1 not run  5.31 s, 11 cases
        report   output/019e8b0d3a11-7f3a/report.txt
        exit 5   incomplete: cases without a verdict
        ");
    }

    #[test]
    fn p2_the_summary_of_a_killed_run_counts_what_has_no_verdict() {
        let mut records = canned::run();
        records.truncate(4);
        insta::assert_snapshot!(summary(&records, Vec::new()), @r"

        1 passed · 1 skipped · 9 not run        11 cases
        log      the event log ends before the run did: it was killed, or its disk was full
        report   output/019e8b0d3a11-7f3a/report.txt
        exit 5   incomplete: cases without a verdict
        ");
    }

    #[test]
    fn f7_a_report_that_is_missing_is_said() {
        let failure = ReportFailure {
            name: "junit".into(),
            reason: "no space left".into(),
        };
        let text = summary(&canned::run(), vec![failure]);
        assert!(
            text.contains("\n  missing  junit: no space left\n"),
            "{text}"
        );
    }

    #[test]
    fn f1_a_full_disk_is_said_with_what_to_do_and_once() {
        let failed = |reason: &str| ReportFailure {
            name: "junit".into(),
            reason: reason.into(),
        };
        let full = "cannot write `a`: No space left on device (os error 28)";
        let text = summary(&canned::run(), vec![failed(full), failed(full)]);
        let hints: Vec<_> = text.lines().filter(|line| line.contains("hint")).collect();
        assert_eq!(hints.len(), 1, "{text}");
        assert!(hints[0].contains("is full: make room on it"), "{text}");
        let other = summary(&canned::run(), vec![failed("os error 5")]);
        assert!(!other.contains("hint"), "{other}");
    }

    #[test]
    fn p12_a_hook_that_failed_is_said() {
        let mut records = canned::run();
        let hook = k2::messages::HookFailed {
            phase: "POST_TESTS".into(),
            hook: "lab".into(),
            reason: "no\nanswer".into(),
        };
        records.extend(canned::records(vec![k2::results::RecordBody::HookFailed(
            hook,
        )]));
        let text = summary(&records, Vec::new());
        let row = "\n  hook     POST_TESTS: lab: no\\nanswer\n";
        assert!(text.contains(row), "{text}");
    }

    #[test]
    fn e11_hostile_output_does_nothing_to_the_terminal() {
        let case = k2::results::RecordBody::CaseFinished(canned::hostile_case());
        let mut records = canned::run();
        records.truncate(1);
        records.extend(canned::records(vec![case]));
        insta::assert_snapshot!(summary(&records, Vec::new()), @r"

        FAIL x\u{1b}]52;c;ZWNobw==\u{7}\r\u{202e}y\u{0}
          reason  x\u{1b}]52;c;ZWNobw==\u{7}\r\u{202e}y\u{0}
                  more
          stdout  x\u{1b}]52;c;ZWNobw==\u{7}\r\u{202e}y\u{0}
                  \u{1b}[2J
          stderr  (empty)
          again   zk2 run suite --tests-include $'x\x1b]52;c;ZWNobw==\x07\x0d\xe2\x80\xaey\x00'

        0 passed · 1 failed        1 case
        log      the event log ends before the run did: it was killed, or its disk was full
        report   output/019e8b0d3a11-7f3a/report.txt
        exit 5   incomplete: cases without a verdict
        ");
    }
}
