//! The text report as a function of the event log.

use std::io::{self, Write};

use anstream::adapter::StripBytes;
use k2::results::printable_line;
use thiserror::Error;

use crate::block::Blocks;
use crate::live::case_row;
use crate::summary::{counts_line, write_failures};
use k2::results::ReplaceError;
use k2::results::{RunLog, RunLogError};

/// Columns of the report.
const WIDTH: usize = 100;

/// How many lines of each output are in the report.
const OUTPUT_LINES: usize = 200;

/// Why there is no text report.
#[derive(Debug, Error)]
pub(crate) enum TextError {
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] RunLogError),
    /// The file cannot be written.
    #[error(transparent)]
    File(#[from] ReplaceError),
    /// Nothing can be written.
    #[error("cannot write the text report")]
    Write(#[from] io::Error),
    /// The details of cases cannot be written.
    #[error(transparent)]
    Details(#[from] crate::summary::RenderError),
}

/// Writes the report of `log`, without colour: all of it if `format` is `full`, without the list of cases if it is `brief`,
/// and without the details of those that failed too if it is `summary`.
pub(crate) fn write_report(
    log: &RunLog,
    format: &str,
    out: &mut dyn Write,
) -> Result<(), TextError> {
    let mut out = Plain {
        out,
        strip: StripBytes::new(),
    };
    let out: &mut dyn Write = &mut out;
    head(log, out)?;
    if format == "full" {
        log.for_each(|execution| -> Result<(), TextError> {
            out.write_all(case_row(&execution.last).as_bytes())?;
            Ok(())
        })?;
        writeln!(out)?;
    }
    if format != "summary" {
        let blocks = Blocks {
            width: WIDTH,
            wrap: None,
            lines: OUTPUT_LINES,
            run: log.summary().run(),
        };
        write_failures(log, &blocks, u64::MAX, out)?;
    }
    writeln!(out, "{}", counts_line(log.summary(), WIDTH))?;
    for damage in log.damages() {
        writeln!(out, "  {}", printable_line(&damage))?;
    }
    let summary = log.summary();
    for recovery in summary.recoveries() {
        writeln!(
            out,
            "  recovery of {}",
            printable_line(&recovery.to_string())
        )?;
    }
    if summary.more_recoveries() > 0 {
        writeln!(out, "  and {} more recoveries", summary.more_recoveries())?;
    }
    Ok(())
}

/// Removes colour sequences from what is written.
struct Plain<'a> {
    out: &'a mut dyn Write,
    strip: StripBytes,
}

impl Write for Plain<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for part in self.strip.strip_next(bytes) {
            self.out.write_all(part)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn head(log: &RunLog, out: &mut dyn Write) -> io::Result<()> {
    let Some(run) = log.summary().run() else {
        return writeln!(
            out,
            "A run of which the beginning is not in the event log\n"
        );
    };
    let mut row = |label: &str, text: &str| writeln!(out, "{label:<10}{}", printable_line(text));
    row("run", &run.run)?;
    row("by", &format!("{} {}", run.application, run.version))?;
    row("started", &run.started.to_string())?;
    if !run.host.is_empty() {
        row("on", &run.host)?;
    }
    row("in", run.working_directory.as_str())?;
    row(
        "command",
        &k2::results::shell_command_line(run.command_line.iter().map(AsRef::as_ref)),
    )?;
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canned;

    fn report(records: &[k2::results::Record], format: &str) -> String {
        canned::document(records, |log, out| write_report(log, format, out))
    }

    #[test]
    fn what_is_brief_leaves_out_what_did_not_fail_and_a_summary_all_cases() {
        let (full, brief, summary) = (
            report(&canned::run(), "full"),
            report(&canned::run(), "brief"),
            report(&canned::run(), "summary"),
        );
        let counts = "2 passed (1 flaky) · 3 failed";
        for text in [&full, &brief, &summary] {
            assert!(text.contains(counts), "{text}");
            assert!(text.starts_with("run       019e8b0d3a11-7f3a\n"), "{text}");
        }
        assert!(full.contains("PASS    0.004s  git::version_is_recent"));
        assert!(!brief.contains("git::version_is_recent"), "{brief}");
        assert!(full.contains("  FAIL coreutils::sort_is_stable  "));
        assert!(brief.contains("  FAIL coreutils::sort_is_stable  "));
        assert!(!summary.contains("coreutils"), "{summary}");
    }

    #[test]
    fn the_report_of_a_run_with_one_case_of_each_kind() {
        let text = report(&canned::run(), "full");
        insta::assert_snapshot!(text, @r"
        run       019e8b0d3a11-7f3a
        by        zk2 0.1.0
        started   2026-11-21T02:10:00Z
        on        build
        in        /home/me
        command   zk2 run suite

             PASS    0.004s  git::version_is_recent
             SKIP            docker::daemon_answers              no docker on this machine
             FAIL    0.012s  coreutils::sort_is_stable           exit status 1, expected 0
             FLAKY   0.220s  net::port_opens                     passed on try 2
             TIME    5.001s  slow::never_ends                    stopped after 5 s (TERM, then KILL); left a process behind
             FAIL    0.003s  suite/door.tap                      1 of 2 points failed
             FAIL    0.000s  rust::parse[flag=-s]                assertion failed: left == right; left: 1; right: 2
             ERROR           suite/broken.sh                     cannot start `suite/broken.sh`: permission denied
             IGNORE          old::never_worked                   needs hardware
             ABORT   0.100s  slow::sleeps                        interrupted
             NOTRUN          late::never_started                 the run was aborted

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
        ");
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn f6_the_report_of_a_torn_log_says_so() {
        let (_dir, path) = canned::log(&canned::run());
        let mut content = std::fs::read(&path).unwrap();
        content.truncate(content.len() - 7);
        std::fs::write(&path, content).unwrap();
        let mut out = Vec::new();
        write_report(&RunLog::open(&path).unwrap(), "full", &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("ends in the middle of a record"), "{text}");
    }
}
