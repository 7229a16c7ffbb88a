//! The page as a function of the event log and of what is known about earlier runs.
//!
//! It is written case by case: memory does not grow with their number.

mod frame;
mod history;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Write};

use camino::Utf8Path;
use k2::case::Verdict;
use k2::messages::{History, RunEnd};
use k2::results::{
    Execution, ReplaceError, RunLog, RunLogError, printable_line, shell_command_line,
};
use serde::Serialize;
use thiserror::Error;

use self::history::Past;
use crate::json::write_json;
use crate::row::Rows;

/// How many cases stand in one script element: a text of some hundred kilobytes is parsed without a copy of everything.
const CASES_AT_A_TIME: usize = 1000;

/// Most failed cases that are listed for readers without scripts.
const MOST_LISTED: usize = 200;

const STYLE: &str = include_str!("style.css");
const BODY: &str = include_str!("body.html");

/// The script, a concept per file; together they are one function.
const SCRIPT: [&str; 7] = [
    include_str!("data.js"),
    include_str!("text.js"),
    include_str!("state.js"),
    include_str!("list.js"),
    include_str!("detail.js"),
    include_str!("plots.js"),
    include_str!("main.js"),
];

/// Why there is no HTML report.
#[derive(Debug, Error)]
pub(crate) enum HtmlError {
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] RunLogError),
    /// The file cannot be written.
    #[error(transparent)]
    File(#[from] ReplaceError),
    /// Nothing can be written.
    #[error("cannot write the HTML report")]
    Write(#[from] io::Error),
}

/// What the script wants to know of the run.
#[derive(Debug, Serialize)]
struct Run<'a> {
    verdicts: [&'static str; 8],
    application: &'a str,
    id: &'a str,
    /// Milliseconds since 1970; 0 if the log does not say.
    started: i64,
    /// Microseconds; none if the run was killed.
    duration: Option<u64>,
    workers: u32,
    /// Words of a shell that run cases of this run again, up to the selection.
    again: String,
    history: Past<'a>,
}

/// Writes the page `page` about the run of `log`, which is kept in `directory`. `history` is asked for behind the cases.
pub(crate) fn write_page(
    log: &RunLog,
    history: impl FnOnce() -> History,
    directory: &Utf8Path,
    page: &Utf8Path,
    out: &mut dyn Write,
) -> Result<(), HtmlError> {
    let nonce = nonce();
    frame::head(log, &nonce, STYLE, out)?;
    frame::summary(log, out)?;
    out.write_all(BODY.as_bytes())?;
    let failed = write_cases(log, directory, page, out)?;

    let history = history();
    let run = log.summary().run();
    let description = Run {
        verdicts: Verdict::ALL.map(Verdict::as_str),
        application: run.map_or("", |run| &run.application),
        id: run.map_or("", |run| &run.run),
        started: run.map_or(0, |run| run.started.as_millisecond()),
        duration: log
            .summary()
            .duration()
            .map(|time| u64::try_from(time.as_micros()).unwrap_or(u64::MAX)),
        workers: run.map_or(0, |run| run.workers),
        again: run.map_or_else(String::new, |run| {
            shell_command_line(run.again.iter().map(AsRef::as_ref))
        }),
        history: Past::of(&history),
    };
    element("id=\"run\"", &description, out)?;
    frame::failed_cases(&failed, log.summary().counts().failures(), out)?;
    frame::foot(&nonce, &SCRIPT, out)?;
    Ok(())
}

/// Writes all cases as data and returns the first of those that failed, a line each.
fn write_cases(
    log: &RunLog,
    directory: &Utf8Path,
    page: &Utf8Path,
    out: &mut dyn Write,
) -> Result<Vec<String>, HtmlError> {
    let run = log.summary().run();
    let began = run.map_or(jiff::Timestamp::UNIX_EPOCH, |run| run.started);
    let named = run.map_or(directory, |run| &run.directory);
    let is_beside = page.parent() == Some(directory);
    let seen_from_page = if is_beside {
        String::new()
    } else {
        let absolute = directory.canonicalize_utf8();
        format!("{}/", absolute.as_deref().unwrap_or(directory))
    };
    let mut rows = Rows::new(began, (named, &seen_from_page), directory);
    let mut failed = Vec::new();
    let mut text = Vec::new();
    let mut count = 0;
    log.for_each(|execution| -> Result<(), HtmlError> {
        let separator: &[u8] = match count % CASES_AT_A_TIME {
            0 if count > 0 => b"]</script>\n<script type=\"application/json\" class=\"cases\">[",
            0 => b"<script type=\"application/json\" class=\"cases\">[",
            _ => b",\n",
        };
        text.clear();
        text.extend_from_slice(separator);
        write_json(&rows.row(execution), &mut text)?;
        out.write_all(&text)?;
        count += 1;
        if execution.last.verdict.is_failure() && failed.len() < MOST_LISTED {
            failed.push(line(execution));
        }
        Ok(())
    })?;
    if count > 0 {
        out.write_all(b"]</script>\n")?;
    }
    Ok(failed)
}

/// Verdict, id and reason of a case on one line.
fn line(execution: &Execution) -> String {
    let case = &execution.last;
    let reason = case.reason.as_deref().unwrap_or_default();
    let first = reason.lines().next().unwrap_or_default();
    let text = format!("{}  {}  {first}", case.verdict, case.case);
    printable_line(text.trim_end()).into_owned()
}

/// Writes `value` as the content of a script element that holds data.
fn element<T: Serialize>(attributes: &str, value: &T, out: &mut dyn Write) -> io::Result<()> {
    write!(out, "<script type=\"application/json\" {attributes}>")?;
    write_json(value, out)?;
    out.write_all(b"</script>\n")
}

/// A number that no case can have known when it wrote its output: only what carries it is run or styles the page.
fn nonce() -> String {
    // The keys of each are random.
    let random = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", random(), random())
}

/// Whether the run ended before its time, and why, in words.
fn end_in_words(end: Option<&RunEnd>) -> Option<String> {
    match end {
        Some(RunEnd::Completed) => None,
        Some(RunEnd::Aborted { reason }) => Some(format!("aborted: {reason}")),
        Some(RunEnd::TimeLimit) => Some("the time limit of the command was reached".to_owned()),
        _ => Some("killed before its end".to_owned()),
    }
}
