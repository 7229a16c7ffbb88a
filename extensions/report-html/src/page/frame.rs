//! The parts of the page that can be read without scripts.

use std::borrow::Cow;
use std::io::{self, Write};
use std::time::Duration;

use k2::case::Verdict;
use k2::results::{RunLog, Summary, printable_line, shell_command_line};
use zaf_core::application::ExitCode;

use super::end_in_words;

/// The verdicts in the order in which a person asks for them, with the words for counts of them.
const COUNTED: [(Verdict, &str); 8] = [
    (Verdict::Failed, "failed"),
    (Verdict::Error, "error"),
    (Verdict::TimedOut, "timed out"),
    (Verdict::Aborted, "aborted"),
    (Verdict::NotRun, "not run"),
    (Verdict::Passed, "passed"),
    (Verdict::Skipped, "skipped"),
    (Verdict::Ignored, "ignored"),
];

/// `text` on one line, safe as text and as the value of an attribute.
fn escaped(text: &str) -> String {
    let text = printable_line(text);
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

/// Everything up to the body. Nothing is loaded, sent or run but what carries `nonce`.
pub(super) fn head(log: &RunLog, nonce: &str, style: &str, out: &mut dyn Write) -> io::Result<()> {
    let name = log.summary().run().map_or("run", |run| &run.run);
    let (word, _) = outcome(log.summary());
    write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'nonce-{nonce}'; \
         style-src 'nonce-{nonce}'; img-src data:; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"generator\" content=\"k2\">\n\
         <title>{word} · {}</title>\n<style nonce=\"{nonce}\">\n{style}</style>\n</head>\n<body>\n",
        escaped(name)
    )
}

/// How the run as a whole is called, and the class of its colour.
fn outcome(summary: &Summary) -> (&'static str, &'static str) {
    let counts = summary.counts();
    let exit = summary.exit_code();
    if counts.failures() > 0 {
        ("Failed", "failed")
    } else if matches!(exit, ExitCode::Incomplete | ExitCode::TimeLimit)
        || counts.aborted + counts.not_run > 0
    {
        ("Incomplete", "not-run")
    } else if !matches!(exit, ExitCode::Success | ExitCode::NothingToRun) {
        // The cases are well, and something around them is not.
        ("Error", "error")
    } else if counts.passed == 0 {
        ("Nothing passed", "skipped")
    } else {
        ("Passed", "passed")
    }
}

/// How the run ended, what was run, and the counts.
pub(super) fn summary(log: &RunLog, out: &mut dyn Write) -> io::Result<()> {
    let summary = log.summary();
    let (word, class) = outcome(summary);
    let run = summary.run();
    let title = run.map_or_else(
        || Cow::Borrowed("A run of which the beginning is not in the event log"),
        |run| {
            Cow::Owned(shell_command_line(
                run.command_line.iter().map(AsRef::as_ref),
            ))
        },
    );
    write!(
        out,
        "<header>\n<div class=\"top\"><p class=\"outcome {class}\">{word}</p>\n<h1><code>{}</code></h1>\n</div>\n<dl class=\"facts\">\n",
        escaped(&title)
    )?;
    let exit = summary.exit_code();
    let mut facts = vec![
        ("cases", summary.selected().to_string()),
        (
            "exit",
            format!("{}, {}", exit.code(), summary.meaning_of(exit)),
        ),
    ];
    if let Some(time) = summary.duration() {
        facts.insert(0, ("took", length(time)));
    }
    if summary.filtered_out() > 0 {
        facts.push(("filtered out", summary.filtered_out().to_string()));
    }
    if let Some(run) = run {
        facts.push(("workers", run.workers.to_string()));
        facts.push(("on", run.host.to_string()));
        facts.push(("in", run.working_directory.to_string()));
        facts.push(("by", format!("{} {}", run.application, run.version)));
        facts.push(("run", run.run.to_string()));
        let second = run.started.strftime("%Y-%m-%d %H:%M:%S UTC");
        facts.push(("started", second.to_string()));
    }
    for (label, text) in facts.iter().filter(|(_, text)| !text.is_empty()) {
        writeln!(out, "<div><dt>{label}</dt><dd>{}</dd></div>", escaped(text))?;
    }
    out.write_all(b"</dl>\n")?;
    let mut damages = log.damages();
    damages.extend(
        end_in_words(summary.end().map(|end| &end.end)).map(|end| format!("the run was {end}")),
    );
    for damage in damages {
        writeln!(
            out,
            "<p class=\"damage\" role=\"alert\">{}</p>",
            escaped(&damage)
        )?;
    }
    counts(summary, out)?;
    out.write_all(b"</header>\n")
}

/// The counts: a bar, and a word each. The script makes them choose what is shown.
fn counts(summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    let counts = summary.counts();
    let mut all: Vec<(&str, &str, u64)> = COUNTED
        .iter()
        .map(|&(verdict, word)| (verdict.as_str(), word, counts.of(verdict)))
        .collect();
    let flaky = summary.flaky();
    if let Some(passed) = all.iter_mut().find(|(class, ..)| *class == "passed") {
        passed.2 -= flaky.min(passed.2);
    }
    all.insert(5, ("flaky", "flaky", flaky));
    for (class, of, word, count) in [
        (
            "expected-failure",
            "skipped",
            "expected to fail",
            summary.expected_failures(),
        ),
        (
            "unexpected-pass",
            "passed",
            "unexpected passes",
            summary.tolerated_passes(),
        ),
    ] {
        if let Some(other) = all.iter_mut().find(|(known, ..)| *known == of) {
            other.2 -= count.min(other.2);
        }
        all.push((class, word, count));
    }
    all.retain(|&(.., count)| count > 0);
    // Widths are those of a drawing: a style of each would need to be allowed.
    let total = all.iter().map(|&(.., count)| count).sum::<u64>().max(1);
    let widths: Vec<u64> = all
        .iter()
        .map(|&(.., count)| (count * 1000 / total).max(4))
        .collect();
    write!(
        out,
        "<svg class=\"bar\" viewBox=\"0 0 {} 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">",
        widths.iter().sum::<u64>().max(1)
    )?;
    let mut left = 0;
    for (&(class, ..), width) in all.iter().zip(widths) {
        write!(
            out,
            "<rect class=\"fill {class}\" data-verdict=\"{class}\" x=\"{left}\" width=\"{width}\" height=\"10\"/>"
        )?;
        left += width;
    }
    out.write_all(b"</svg>\n<ul class=\"counts\" aria-label=\"Cases by verdict\">\n")?;
    for (class, word, count) in all {
        writeln!(
            out,
            "<li><span class=\"chip {class}\" data-verdict=\"{class}\"><b>{count}</b> {word}</span></li>"
        )?;
    }
    out.write_all(b"</ul>\n")
}

/// A length of time for a person.
fn length(time: Duration) -> String {
    match time.as_secs() {
        0..60 => format!("{:.2} s", time.as_secs_f64()),
        seconds @ 60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        seconds => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// The cases that failed, for who reads without scripts; `all` is how many there are.
pub(super) fn failed_cases(failed: &[String], all: u64, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"<noscript>\n<section class=\"plain\">\n")?;
    if failed.is_empty() {
        out.write_all(
            b"<p>No case failed. With scripts allowed, all cases are listed here.</p>\n",
        )?;
    } else {
        out.write_all(b"<h2>Failed cases</h2>\n<ol>\n")?;
        for line in failed {
            writeln!(out, "<li><code>{}</code></li>", escaped(line))?;
        }
        out.write_all(b"</ol>\n")?;
        let more = all.saturating_sub(failed.len() as u64);
        if more > 0 {
            writeln!(out, "<p>and {more} more</p>")?;
        }
    }
    out.write_all(b"</section>\n</noscript>\n")
}

/// The script and the end of the page.
pub(super) fn foot(nonce: &str, script: &[&str], out: &mut dyn Write) -> io::Result<()> {
    write!(
        out,
        "<script nonce=\"{nonce}\">\n\"use strict\";\n(() => {{\n"
    )?;
    for part in script {
        out.write_all(part.as_bytes())?;
    }
    out.write_all(b"})();\n</script>\n</body>\n</html>\n")
}
