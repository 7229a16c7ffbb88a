//! `list`: shows which cases `run` would run.

use std::io::Write as _;

use serde::{Serialize, Serializer};
use zaf_core::application::Console;
use zaf_core::builtin::LIST_FORMAT;
use zaf_core::prelude::*;

use super::selection::{self, SOURCES, Selection};
use crate::case::{CaseAction, Isolation, TestCase};
use crate::parameter::{EXCLUDE, LIMIT, PARAMETER};
use crate::results::printable_line;
use crate::scheduler::QueuedCase;

/// Version of the fields in JSON: a new field is a new minor version, another meaning a new major one. The schema is
/// `docs/src/schemas/list-1.json`.
const SCHEMA: &str = "1.0";

/// Lists the test cases that `run` would run with the same options.
///
/// One line per case: its id. The order is that of a run; `--format json` has all that is known of each. Ends with exit code 4 if
/// nothing is selected.
#[expect(
    clippy::missing_errors_doc,
    reason = "the documentation is the text of the help"
)]
#[command(
    name = "list",
    uses = ["find", "schedule", "sut", "preview"],
    config_options = [
        SOURCES.optional(),
        PARAMETER.optional(),
        EXCLUDE.optional(),
        LIMIT.required(),
        LIST_FORMAT.optional(),
    ],
)]
pub fn list(cx: &CommandContext<'_>) -> Result<ExitCode> {
    let selection = selection::select(cx)?;
    let text = if cx.config().get(LIST_FORMAT)? == "json" {
        let mut text = serde_json::to_string_pretty(&List::of(&selection))?;
        text.push('\n');
        text
    } else {
        lines(&selection)
    };
    print_list(cx, &text)
}

/// Writes a list to standard output, for commands that do nothing else.
///
/// A reader that has seen enough (`| head`) is no failure, which the console knows; a full disk is.
///
/// # Errors
/// If it cannot be written, with the exit code for reports that are missing.
pub fn print_list(cx: &CommandContext<'_>, text: &str) -> Result<ExitCode> {
    let console = cx.component::<Console>()?;
    let mut stdout = console.stdout();
    stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
        .map_err(|error| {
            ExitCode::ReportFailed
                .with_error(error)
                .hint("the list cannot be written")
        })?;
    Ok(ExitCode::Success)
}

/// A line per case; behind one that could not be loaded stands why.
fn lines(selection: &Selection) -> String {
    let mut text = String::new();
    for case in &selection.filled.selected {
        let case = case.to_case();
        text.push_str(&printable_line(case.id.as_str()));
        if let CaseAction::LoadFailure(reason) = &case.action {
            text.push_str("  (error: ");
            text.push_str(&printable_line(reason));
            text.push(')');
        }
        text.push('\n');
    }
    text
}

/// All of it.
#[derive(Debug, Serialize)]
struct List<'a> {
    schema: &'static str,
    /// How many were found and are not run.
    filtered_out: usize,
    /// What the order was drawn with.
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    cases: Vec<Listed<'a>>,
}

/// One case, known in full only while it is written.
#[derive(Debug)]
struct Listed<'a>(&'a QueuedCase);

impl Serialize for Listed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Entry::of(&self.0.to_case()).serialize(serializer)
    }
}

/// One case. What is not known, or empty, is left out.
#[derive(Debug, Serialize)]
struct Entry<'a> {
    id: &'a str,
    /// What its source is: `rust`, `exec`, `tap`, `libtest`, `gtest`, or the word of an extension.
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'a str>,
    /// The source as it was typed.
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    module: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<&'a str>,
    name: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    parameters: Vec<Parameter<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    tags: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<&'a str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    resources: &'a [String],
    /// Its own limit, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout_us: Option<u64>,
    /// Where it wants to be called, if it says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    isolation: Option<&'static str>,
    /// Why it will not be started.
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled: Option<&'a str>,
    /// Why it could not be loaded, which is the error that it ends in.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Parameter<'a> {
    name: &'a str,
    value: &'a str,
}

impl<'a> List<'a> {
    fn of(selection: &'a Selection) -> Self {
        let filled = &selection.filled;
        Self {
            schema: SCHEMA,
            filtered_out: filled.filtered_out,
            seed: filled.seed,
            cases: filled.selected.iter().map(Listed).collect(),
        }
    }
}

impl<'a> Entry<'a> {
    fn of(case: &'a TestCase) -> Self {
        let name = case.name();
        let location = case.location.as_ref();
        let parameters = case.parameters.iter();
        Self {
            id: case.id.as_str(),
            kind: case.source.as_ref().map(|(_, kind)| &**kind),
            source: case.source.as_ref().map(|(source, _)| &**source),
            module: case.module(),
            class: case.class.as_deref(),
            name: name.rsplit_once("::").map_or(name, |(_, name)| name),
            parameters: parameters
                .map(|(name, value)| Parameter { name, value })
                .collect(),
            tags: &case.tags,
            owner: case.owner.as_deref(),
            description: &case.description,
            file: location.map(|location| &*location.file),
            line: location.and_then(|location| location.line),
            resources: &case.resources,
            timeout_us: case
                .timeout
                .map(|limit| u64::try_from(limit.as_micros()).unwrap_or(u64::MAX)),
            isolation: case.isolation.map(|isolation| match isolation {
                Isolation::InProcess => "in-process",
                Isolation::Process => "process",
            }),
            disabled: case.disabled.as_deref(),
            error: match &case.action {
                CaseAction::LoadFailure(reason) => Some(reason),
                _ => None,
            },
        }
    }
}
