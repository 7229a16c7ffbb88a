//! A case that did not go well, with everything a person needs to look into it.

use std::io::{self, Write};

use camino::{Utf8Path, Utf8PathBuf};
use k2::case::Verdict;
use k2::messages::{CapturedOutput, RunStarted, TestCaseFinished};
use k2::results::{printable_line, shell_command_line};

use crate::layout::{columns, many, size, wrapped};
use crate::words::{DIM, attached, case_word, said_elsewhere, step_lines};
use k2::results::Execution;

/// Column at which the texts of a block begin.
const INDENT: usize = 12;

/// With less room for text than that, wrapping makes nothing better.
const LEAST_ROOM: usize = 20;

/// Writes blocks.
#[derive(Debug)]
pub(crate) struct Blocks<'a> {
    /// Columns there are; the place in the source stands at the right end.
    pub(crate) width: usize,
    /// Columns at which lines are wrapped; none in files, where whoever reads them decides.
    pub(crate) wrap: Option<usize>,
    /// How many lines of each output are shown, from its end.
    pub(crate) lines: usize,
    /// The run that it is about, for the command that runs the case again.
    pub(crate) run: Option<&'a RunStarted>,
}

impl Blocks<'_> {
    /// Writes the block of one execution, with an empty line behind it.
    pub(crate) fn write(&self, execution: &Execution, out: &mut dyn Write) -> io::Result<()> {
        let case = &execution.last;
        let (word, style) = case_word(case);
        let id = printable_line(case.case.as_str());
        write!(out, "  {style}{word}{style:#} {id}")?;
        if let Some(location) = &case.location {
            let location = location.to_string();
            let place = printable_line(&location);
            let used = 3 + word.len() + columns(&id) + columns(&place);
            match self.width.checked_sub(used) {
                Some(gap @ 2..) => write!(out, "{:gap$}{DIM}{place}{DIM:#}", "")?,
                // On a line of its own rather than wrapped anywhere.
                _ => write!(out, "\n    {DIM}at      {place}{DIM:#}")?,
            }
        }
        writeln!(out)?;
        if let Some(owner) = &case.owner {
            self.lines("owner", &[owner.to_string()], out)?;
        }
        if !case.suts.is_empty() {
            self.lines("on", &[case.suts.join(" ")], out)?;
        }
        self.reason(case, out)?;
        for earlier in &execution.earlier {
            if let Some(run) = earlier.run.as_ref().filter(|_| earlier.run != case.run) {
                self.lines("other", &[said_elsewhere(earlier, run)], out)?;
                continue;
            }
            let reason =
                crate::words::remark(earlier).unwrap_or_else(|| earlier.verdict.to_string());
            self.lines(&format!("try {}", earlier.attempt), &[reason], out)?;
        }
        self.steps(case, out)?;
        for leaked in &case.leaked {
            self.lines(
                "leaked",
                &[format!("{} (pid {})", leaked.command, leaked.pid)],
                out,
            )?;
        }
        for pid in &case.unkillable {
            self.lines("left", &[format!("pid {pid} could not be killed")], out)?;
        }
        // A function does not write to outputs of its own; an empty one of a process may be the news.
        let is_process = case.exit.is_some();
        for (label, output) in [("stdout", &case.stdout), ("stderr", &case.stderr)] {
            if is_process || !output.is_empty() {
                self.output(label, output, out)?;
            }
        }
        let directory = self.run.map_or(Utf8Path::new(""), |run| &run.directory);
        let place = |file: &Utf8Path| directory.join(file).into_string();
        for earlier in &execution.earlier {
            let files = attached(earlier, place).into_iter();
            let files: Vec<_> = files
                .map(|file| format!("try {}: {file}", earlier.attempt))
                .collect();
            self.lines("files", &files, out)?;
        }
        self.lines("files", &attached(case, place), out)?;
        if let Some(again) = self
            .run
            .map(|run| &run.again)
            .filter(|again| !again.is_empty())
        {
            let mut words: Vec<&str> = again.iter().map(AsRef::as_ref).collect();
            words.extend(["--tests-include", case.case.as_str()]);
            self.lines("again", &[shell_command_line(words)], out)?;
        }
        writeln!(out)
    }

    fn reason(&self, case: &TestCaseFinished, out: &mut dyn Write) -> io::Result<()> {
        let mut lines: Vec<String> = match &case.reason {
            Some(reason) => reason.trim_end().lines().map(str::to_owned).collect(),
            None => case.exit.iter().map(ToString::to_string).collect(),
        };
        if case.verdict == Verdict::Passed {
            lines.clear();
        }
        let detail = case.detail.as_deref().unwrap_or_default().trim_end();
        lines.extend(detail.lines().map(str::to_owned));
        if lines.is_empty() {
            Ok(())
        } else {
            self.lines("reason", &lines, out)
        }
    }

    fn steps(&self, case: &TestCaseFinished, out: &mut dyn Write) -> io::Result<()> {
        for step in case.steps.iter().filter(|step| step.verdict.is_failure()) {
            self.lines("step", &step_lines(step), out)?;
        }
        Ok(())
    }

    fn output(&self, label: &str, output: &CapturedOutput, out: &mut dyn Write) -> io::Result<()> {
        let all: Vec<&str> = output.end().trim_end().split('\n').collect();
        if output.is_empty() {
            return self.lines(label, &["(empty)".to_owned()], out);
        }
        let shown = all
            .get(all.len().saturating_sub(self.lines)..)
            .unwrap_or_default();
        let hidden = all.len() - shown.len();
        let mut lines = Vec::with_capacity(shown.len() + 1);
        if output.truncated || hidden > 0 {
            let what = if output.truncated {
                format!("the end of {}", size(output.bytes))
            } else {
                format!("{} above", many(hidden as u64, "line"))
            };
            let file = output.file.as_ref().map_or_else(String::new, in_file);
            lines.push(format!("… {what}{file}"));
        }
        lines.extend(
            shown
                .iter()
                .map(|line| line.trim_end_matches('\r').to_owned()),
        );
        if output.lossy {
            lines.push("(bytes that are not UTF-8 are shown as \u{fffd})".to_owned());
        }
        self.lines(label, &lines, out)
    }

    /// Writes `lines` with `label` before the first one. Nothing in them reaches a terminal unescaped.
    fn lines(&self, label: &str, lines: &[String], out: &mut dyn Write) -> io::Result<()> {
        let mut label = label;
        for line in lines {
            let line = printable_line(&line.replace('\t', "    ")).into_owned();
            for part in self.wrapped(&line) {
                let text = format!("    {label}");
                let row = format!("{text:INDENT$}{part}");
                writeln!(out, "{}", row.trim_end())?;
                label = "";
            }
        }
        Ok(())
    }
}

impl Blocks<'_> {
    /// The parts of a line, each on a line of its own.
    fn wrapped<'a>(&self, line: &'a str) -> Vec<&'a str> {
        let room = self.wrap.and_then(|wrap| wrap.checked_sub(INDENT));
        match room {
            Some(room @ LEAST_ROOM..) => wrapped(line, room),
            _ => vec![line],
        }
    }
}

fn in_file(file: &Utf8PathBuf) -> String {
    format!(", all of it in {file}")
}
