//! The Markdown report: what a reviewer wants to see below a pull request.
//!
//! Texts of cases stand in code spans and code blocks only, whose fences are longer than anything in them: nothing of them is markup.

use std::fmt;
use std::io::Write;
use std::time::Duration;

use camino::Utf8PathBuf;
use k2::case::Verdict;
use k2::results::{Execution, RunLog, printable, printable_line, shell_command_line};
use zaf_core::prelude::*;

use crate::file_report::{ReportError, file_report};
use crate::layout::{duration, many};
use crate::words::{attached, counted, failed_steps, remark};

/// Most cases that are shown in full: such texts are cut by who shows them, and read by people.
const MOST_BLOCKS: usize = 50;

/// Most of a text in a code block, in bytes.
const MOST_TEXT: usize = 4096;

/// How many of the longest cases are named.
const SLOWEST: usize = 5;

/// Whether to write a Markdown report.
///
/// Command line `--reports-markdown`, environment `K2_REPORTS_MARKDOWN`, default `false`.
pub const MARKDOWN: OptionId<bool> = OptionId::flag("reports.markdown")
    .describe("Write a summary in Markdown")
    .default(false);

/// Where to write the Markdown report.
///
/// Command line `--reports-markdown-file`, environment `K2_REPORTS_MARKDOWN_FILE`; `summary.md` in the directory of the run if
/// there is none. `-` is standard output.
pub const MARKDOWN_FILE: OptionId<Utf8PathBuf> = OptionId::path("reports.markdown.file")
    .describe("File of the Markdown summary instead of summary.md in the directory of the run; - is standard output");

file_report! {
    /// Writes a summary of the run in Markdown.
    MarkdownReport, "markdown", "summary.md", MARKDOWN, MARKDOWN_FILE, write_document
}

/// Writes the summary of `log`.
pub(crate) fn write_document(log: &RunLog, out: &mut dyn Write) -> Result<(), ReportError> {
    let summary = log.summary();
    let counts = summary.counts();
    let word = match (counts.failures(), summary.exit_code()) {
        (0, ExitCode::Success) => "✅ passed",
        (0, ExitCode::Incomplete | ExitCode::TimeLimit | ExitCode::NothingToRun) => "⚠️ incomplete",
        (0, _) if counts.aborted + counts.not_run > 0 => "⚠️ incomplete",
        // The cases are well, and something around them is not.
        (0, _) => "❌ error",
        _ => "❌ failed",
    };
    writeln!(out, "## {word}\n")?;
    if let Some(run) = summary.run() {
        let command = shell_command_line(run.command_line.iter().map(AsRef::as_ref));
        writeln!(out, "{}\n", span(&command))?;
    }
    let mut columns: Vec<(&str, u64)> = Verdict::ALL
        .into_iter()
        .rev()
        .map(|verdict| (counted(verdict), counts.of(verdict)))
        .chain([
            ("of them flaky", summary.flaky()),
            ("expected to fail", summary.expected_failures()),
            ("unexpected passes", summary.unexpected_passes()),
        ])
        .collect();
    columns.retain(|&(_, count)| count > 0);
    if !columns.is_empty() {
        let (words, numbers): (Vec<_>, Vec<_>) = columns
            .iter()
            .map(|&(word, count)| (word, count.to_string()))
            .unzip();
        let line = vec!["---:"; words.len()].join(" | ");
        let (words, numbers) = (words.join(" | "), numbers.join(" | "));
        writeln!(out, "| {words} |\n| {line} |\n| {numbers} |\n")?;
    }
    let took = summary
        .duration()
        .map_or_else(String::new, |time| format!(" in {}", duration(time)));
    writeln!(out, "{}{took}.\n", many(summary.selected(), "case"))?;
    for damage in log.damages() {
        writeln!(out, "> ⚠️ {}\n", span(&damage))?;
    }
    let rest = blocks(log, out)?;
    if rest.hidden > 0 {
        writeln!(out, "… and {}.\n", many(rest.hidden, "more case"))?;
    }
    for (title, lines) in [
        ("Flaky", &rest.flaky),
        ("Unexpected passes", &rest.unexpected),
        ("Expected to fail", &rest.expected),
        ("Slowest", &rest.slowest()),
    ] {
        if !lines.is_empty() {
            writeln!(out, "### {title}\n")?;
            for line in lines {
                writeln!(out, "- {line}")?;
            }
            writeln!(out)?;
        }
    }
    Ok(())
}

/// What stands below the cases that failed.
#[derive(Debug, Default)]
struct Rest {
    hidden: u64,
    flaky: Vec<String>,
    unexpected: Vec<String>,
    expected: Vec<String>,
    /// Longest first.
    longest: Vec<(Duration, String)>,
}

impl Rest {
    fn slowest(&self) -> Vec<String> {
        let line = |(time, id): &(Duration, String)| format!("{} {}", duration(*time), span(id));
        self.longest.iter().map(line).collect()
    }

    fn add(&mut self, execution: &Execution) {
        let case = &execution.last;
        if case.is_flaky() && self.flaky.len() < MOST_BLOCKS {
            let tries = case.attempt;
            self.flaky.push(format!(
                "{} passed on try {tries}",
                span(case.case.as_str())
            ));
        }
        if let Some(known) = &case.expected_failure {
            let list = if known.is_met() {
                &mut self.expected
            } else {
                &mut self.unexpected
            };
            if list.len() < MOST_BLOCKS {
                let link = known.link.as_deref().map(|link| format!(" ({link})"));
                let reason = format!("{}{}", known.reason, link.unwrap_or_default());
                list.push(format!("{}: {}", span(case.case.as_str()), span(&reason)));
            }
        }
        let took = case.duration.unwrap_or_default();
        let is_slow = self.longest.last().is_none_or(|(least, _)| took > *least);
        if !took.is_zero() && (is_slow || self.longest.len() < SLOWEST) {
            let at = self.longest.partition_point(|(longer, _)| *longer >= took);
            self.longest
                .insert(at, (took, case.case.as_str().to_owned()));
            self.longest.truncate(SLOWEST);
        }
    }
}

/// Writes the cases that failed.
fn blocks(log: &RunLog, out: &mut dyn Write) -> Result<Rest, ReportError> {
    let mut rest = Rest::default();
    let mut shown = 0;
    log.for_each(|execution| -> Result<(), ReportError> {
        rest.add(execution);
        if !execution.last.verdict.is_failure() {
            return Ok(());
        }
        if shown == MOST_BLOCKS {
            rest.hidden += 1;
            return Ok(());
        }
        if shown == 0 {
            writeln!(out, "### Failures\n")?;
        }
        shown += 1;
        block(execution, out)
    })?;
    Ok(rest)
}

fn block(execution: &Execution, out: &mut dyn Write) -> Result<(), ReportError> {
    let case = &execution.last;
    // The id as text of HTML, because Markdown is not read within a summary everywhere.
    writeln!(
        out,
        "<details>\n<summary>{} <code>{}</code></summary>\n",
        case.verdict,
        html(case.case.as_str())
    )?;
    if let Some(location) = &case.location {
        writeln!(out, "at {}\n", span(&location.to_string()))?;
    }
    if let Some(owner) = &case.owner {
        writeln!(out, "owner: {}\n", span(owner))?;
    }
    if !case.suts.is_empty() {
        writeln!(out, "on: {}\n", span(&case.suts.join(", ")))?;
    }
    let message = remark(case).unwrap_or_default();
    let (steps, attachments) = (failed_steps(case), attached(case, ToString::to_string));
    let attachments = attachments.join("\n");
    let texts = [
        ("", message.as_str()),
        ("", case.detail.as_deref().unwrap_or_default()),
        ("failed steps\n\n", steps.as_str()),
        ("stdout\n\n", case.stdout.end()),
        ("stderr\n\n", case.stderr.end()),
        ("attachments\n\n", attachments.as_str()),
    ];
    for (label, text) in texts {
        if !text.trim().is_empty() {
            writeln!(out, "{label}{}\n", fenced(text))?;
        }
    }
    writeln!(out, "</details>\n")?;
    Ok(())
}

/// Text on one line that is shown as it is.
fn span(text: &str) -> String {
    let text = printable_line(text);
    let fence = "`".repeat(longest_run(&text) + 1);
    format!("{fence} {} {fence}", text.trim())
}

/// The end of a text in a block that shows it as it is.
fn fenced(text: &str) -> String {
    let start = text.ceil_char_boundary(text.len().saturating_sub(MOST_TEXT));
    let end = text.get(start..).unwrap_or_default();
    let plain = anstream::adapter::strip_str(end).to_string();
    let plain = printable(&plain);
    let fence = "`".repeat(longest_run(&plain).max(2) + 1);
    format!("{fence}text\n{}\n{fence}", plain.trim_end())
}

fn html(text: &str) -> String {
    let mut safe = String::new();
    for c in printable_line(text).chars() {
        // Letters, digits and blanks are never markup; everything else is written as its number.
        if c.is_alphanumeric() || c == ' ' {
            safe.push(c);
        } else {
            // Writing to a String cannot fail.
            let _ = fmt::Write::write_fmt(&mut safe, format_args!("&#{};", u32::from(c)));
        }
    }
    safe
}

/// Length of the longest run of backticks.
fn longest_run(text: &str) -> usize {
    let runs = text.split(|c| c != '`').map(str::len);
    runs.max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::canned;

    #[test]
    fn the_summary_of_a_run_with_one_case_of_each_kind() {
        insta::assert_snapshot!(canned::document(&canned::run(), write_document));
    }

    /// The lines that are no code block, without their code spans.
    fn markup(text: &str) -> Vec<String> {
        let mut fence: Option<&str> = None;
        let mut lines = Vec::new();
        for line in text.lines() {
            let ticks = &line[..line.len() - line.trim_start_matches('`').len()];
            match fence {
                Some(open) if line == open => fence = None,
                Some(_) => {}
                None if ticks.len() >= 3 && line.strip_prefix(ticks) == Some("text") => {
                    fence = Some(ticks);
                }
                None => lines.push(without_spans(line)),
            }
        }
        assert_eq!(fence, None, "every block is closed");
        lines
    }

    fn without_spans(line: &str) -> String {
        let mut rest = line;
        let mut left = String::new();
        while let Some(start) = rest.find('`') {
            left += &rest[..start];
            let ticks = rest[start..].len() - rest[start..].trim_start_matches('`').len();
            let after = &rest[start + ticks..];
            let runs = after
                .match_indices('`')
                .map(|(at, _)| at)
                .filter(|&at| at == 0 || !after[..at].ends_with('`'));
            let end = runs
                .into_iter()
                .find(|&at| after[at..].len() - after[at..].trim_start_matches('`').len() == ticks);
            rest = &after[end.expect("every span is closed") + ticks..];
        }
        left + rest
    }

    proptest! {
        #[test]
        fn nothing_of_a_case_is_markup(cases in canned::any_cases()) {
            let text = canned::document(&canned::records_of(&cases), write_document);
            let markup = markup(&text);
            let failures = cases.iter().filter(|case| case.verdict.is_failure()).count();
            let count = |word: &str| markup.iter().filter(|line| line.starts_with(word)).count();
            prop_assert_eq!(count("<details>"), failures);
            prop_assert_eq!(count("</details>"), failures);
            prop_assert_eq!(count("<summary>"), failures);
            for line in &markup {
                let known = ["## ", "### ", "| ", "> ⚠️ ", "- ", "<details>", "</details>", "<summary>", "at ", "on: ", "failed steps", "stdout", "stderr", "attachments"];
                let is_known = line.is_empty() || line.ends_with("case.") || line.ends_with("cases.") || known.iter().any(|word| line.starts_with(word)) || line.trim().is_empty();
                prop_assert!(is_known, "{:?}", line);
                prop_assert!(!line.contains("error::"));
            }
        }
    }
}
