//! From the sources on the command line to the selected cases: the first half of `run`, and all of `list`.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use thiserror::Error;
use zaf_core::application::CodedError;
use zaf_core::message::ReplyError;
use zaf_core::prelude::*;

use super::affinity;
use super::ask::{ask, nobody};
use crate::finder::{FIND_TEST_CASES, FINDER, FindTestCases, Problem, SourceSpec};
use crate::parameter::GivenParameters;
use crate::results::{printable_line, shell_command_line};
use crate::scheduler::{FILL_RUN_QUEUE, FillRunQueue, RunQueueFilled, SCHEDULER};
use crate::sut::{Suts, ask_for_suts, bind, unknown_names};

/// Files, directories and `kind:path` to take test cases from; none: the cases that are linked into the program.
///
/// Positional, repeatable; environment `K2_TEST_SOURCES`, no default.
pub const SOURCES: OptionId<Vec<String>> = OptionId::text("test.sources")
    .describe(
        "Files, directories or kind:path (exec, tap, libtest, gtest, rust) to take test cases \
         from; none: the cases that are linked in",
    )
    .multiple()
    .argument();

/// What a run would run.
#[derive(Debug)]
pub(super) struct Selection {
    /// The scheduler's answer; its queue is filled. At least one case is selected.
    pub(super) filled: RunQueueFilled,
    /// How many sources were asked for.
    pub(super) sources: usize,
    /// The systems under test.
    pub(super) suts: Suts,
}

/// The sources cannot be used as they are.
#[derive(Debug, Error)]
#[error("{}", listed(.0))]
struct Unusable(Vec<Problem>);

/// Most problems that are told one by one: a directory that is named twice has one for each of its cases.
const MOST_PROBLEMS: usize = 20;

/// A line for each problem. Names of files do nothing to the terminal.
fn listed(problems: &[Problem]) -> String {
    let mut lines: Vec<String> = problems
        .iter()
        .take(MOST_PROBLEMS)
        .map(|problem| printable_line(&problem.to_string()).into_owned())
        .collect();
    match problems.len().saturating_sub(MOST_PROBLEMS) {
        0 => {}
        1 => lines.push("and one more problem".to_owned()),
        more => lines.push(format!("and {more} more problems")),
    }
    lines.join("\n")
}

/// There is nothing to run.
#[derive(Debug, Error)]
enum Nothing {
    #[error(
        "nothing to run: no test function is linked into this program, and no source was named"
    )]
    Named,
    #[error("nothing to run: no test case was found")]
    Found,
    #[error("nothing to run: {}", filtered_out(*.0))]
    Selected(usize),
}

fn filtered_out(found: usize) -> String {
    match found {
        1 => "1 test case was found, and it is filtered out".to_owned(),
        found => format!("{found} test cases were found, and all are filtered out"),
    }
}

/// Asks the finder for cases and the scheduler for a selection.
///
/// # Errors
/// With exit code 2 if a source cannot be used or a case stands twice (all problems at once), with exit code 4 if nothing is
/// selected, with exit code 7 if an extension that finds cases fails.
pub(super) fn select(cx: &CommandContext<'_>) -> Result<Selection> {
    let given = GivenParameters::read(cx.config())?;
    let texts = cx.config().get_optional(SOURCES)?.unwrap_or_default();
    let specs: Vec<_> = texts
        .iter()
        .map(|text| SourceSpec::parse(text.as_ref()))
        .collect();
    let sources = specs.len().max(1);
    let (mut request, problems) = FindTestCases::of(&specs);
    request.directory = std::env::current_dir().unwrap_or_default();
    let replies = cx
        .bus()
        .send_request(FIND_TEST_CASES, FINDER, request.clone())
        .map_err(nobody)?;
    let mut answers = Vec::new();
    for reply in replies.all(Duration::MAX) {
        answers.extend(reply.result.map_err(broken)?);
    }
    let expanded = request.merge(answers, problems, &given).map_err(usage)?;
    for exclusion in &expanded.unmatched {
        tracing::warn!("option `parameter.exclude`: `{exclusion}` leaves nothing out");
    }
    let offer = ask_for_suts(cx.bus())?;
    if !offer.suts.is_empty() {
        cx.scope().provide(Arc::new(offer.suts.clone()))?;
    }
    let problems = unknown_names(&expanded.cases, &offer, cx.scope().registry(), &given);
    if !problems.is_empty() {
        return Err(usage(problems));
    }
    let mut found = bind(expanded.cases, &offer, cx.scope(), &given)?;
    affinity::assign(&mut found, cx.scope().registry());
    let count = found.len();
    let request = FillRunQueue {
        found: Mutex::new(found),
    };
    let filled = ask(cx.bus(), FILL_RUN_QUEUE, SCHEDULER, request)?;
    if filled.selected.is_empty() {
        let (nothing, mut hint) = match (count, specs.is_empty()) {
            (0, true) => (
                Nothing::Named,
                "name files or directories to take test cases from".to_owned(),
            ),
            (0, false) => (Nothing::Found, what_would_be_found(&specs)),
            _ => (
                Nothing::Selected(count),
                "without filters, `list` names them".to_owned(),
            ),
        };
        if let [_, ..] = filled.near.as_slice() {
            hint = filled.near.join("\n");
        }
        return Err(ExitCode::NothingToRun.with_error(nothing).hint(hint));
    }
    Ok(Selection {
        filled,
        sources,
        suts: offer.suts,
    })
}

/// What is a test case of a directory; with a script of it that only lacks the permission, if there is one.
fn what_would_be_found(specs: &[SourceSpec]) -> String {
    let rule = "of a directory, the files that are executable are test cases";
    let script = specs
        .iter()
        .find_map(|spec| script_below(&spec.path, DEEPEST));
    script.map_or_else(
        || rule.to_owned(),
        |script| {
            let script = script.display().to_string();
            let line = shell_command_line(["chmod", "+x", &*script]);
            format!("{rule}: {}", printable_line(&line))
        },
    )
}

/// How many directories deep a script is looked for that cannot be executed.
const DEEPEST: usize = 4;

/// The first file by name that begins with `#!`, of this directory or one below.
fn script_below(directory: &Path, depth: usize) -> Option<PathBuf> {
    let entries = directory.read_dir().ok()?;
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    paths.sort();
    paths.into_iter().find_map(|path| {
        // What a link leads to is not looked at, nor anything that could make a reader wait.
        let kind = path.symlink_metadata().ok()?.file_type();
        if kind.is_dir() && depth > 1 {
            return script_below(&path, depth - 1);
        }
        let mut begin = [0; 2];
        let is_script = kind.is_file()
            && File::open(&path)
                .and_then(|mut file| file.read_exact(&mut begin))
                .is_ok()
            && begin == *b"#!";
        is_script.then_some(path)
    })
}

fn usage(problems: Vec<Problem>) -> Error {
    ExitCode::Usage.with_error(Unusable(problems))
}

/// The error of an extension that was asked for cases: with its own exit code, or that of an extension that does not work.
fn broken(error: ReplyError) -> Error {
    let error = Error::from(error);
    let coded = error
        .chain()
        .find_map(|cause| cause.downcast_ref::<CodedError>());
    let code = coded.map_or(ExitCode::ExtensionFailed, CodedError::code);
    code.with_error(error)
}
