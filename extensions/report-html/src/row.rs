//! What the page holds of a case: short, because there may be many.

use std::time::Duration;

use camino::Utf8Path;
use jiff::Timestamp;
use k2::messages::{CapturedOutput, TestCaseFinished};
use k2::results::Execution;
use serde::Serialize as Derive;
use serde::ser::{Serialize, SerializeTuple, Serializer};

use crate::content;

/// Most of one output that the page holds, in bytes: half of it head, half tail. All of it is in a file beside the page.
const MOST_OUTPUT: usize = 32 * 1024;

/// Most of all outputs together, in bytes: a page that nobody can open shows nothing.
const MOST_OF_ALL: usize = 48 * 1024 * 1024;

/// What cases that passed may have of it.
const MOST_OF_PASSED: usize = 16 * 1024 * 1024;

/// Most bytes of attachments that the page holds; the others are files beside it.
const MOST_ATTACHED: u64 = 16 * 1024 * 1024;

/// Makes rows, and keeps count of what they hold.
#[derive(Debug)]
pub(crate) struct Rows<'a> {
    /// What the times of rows count from.
    pub(crate) began: Timestamp,
    /// Directory of the run as the log names it, to find the files of outputs, and as links name it.
    pub(crate) directory: (&'a Utf8Path, &'a str),
    held: usize,
    /// Where the directory of the run is now.
    files: &'a Utf8Path,
    /// Bytes of attachments that the page holds.
    shown: u64,
}

impl<'a> Rows<'a> {
    /// `files` is where the directory of the run is now.
    pub(crate) fn new(
        began: Timestamp,
        directory: (&'a Utf8Path, &'a str),
        files: &'a Utf8Path,
    ) -> Self {
        Self {
            began,
            directory,
            held: 0,
            files,
            shown: 0,
        }
    }

    /// The row of one execution.
    pub(crate) fn row<'b>(&mut self, execution: &'b Execution) -> Row<'b> {
        let case = &execution.last;
        let mut attempt = self.attempt(case);
        let mut extra = attempt.3.take().unwrap_or_default();
        extra.location = case.location.as_ref().map(ToString::to_string);
        extra.parameters = case
            .parameters
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect();
        extra.owner = case.owner.as_deref();
        extra.suts = case.suts.iter().map(AsRef::as_ref).collect();
        extra.tags = case.tags.iter().map(AsRef::as_ref).collect();
        extra.attempts = execution
            .earlier
            .iter()
            .map(|earlier| self.attempt(earlier))
            .collect();
        attempt.3 = (!extra.is_empty()).then_some(extra);
        Row(case.case.as_str(), attempt)
    }

    fn attempt<'b>(&mut self, case: &'b TestCaseFinished) -> Attempt<'b> {
        let microseconds = |time: Duration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
        let start = case.started.duration_since(self.began).as_micros();
        let extra = Extra {
            detail: case.detail.as_deref().unwrap_or_default(),
            exit: case
                .exit
                .as_ref()
                .map_or_else(String::new, ToString::to_string),
            stdout: self.output(case, &case.stdout),
            stderr: self.output(case, &case.stderr),
            steps: case
                .steps
                .iter()
                .map(|step| {
                    let detail = step.detail.as_deref().unwrap_or_default();
                    let place = step.location.as_ref();
                    let place = place.map_or_else(String::new, ToString::to_string);
                    (&*step.name, step.verdict as u8, detail, place)
                })
                .collect(),
            leaked: case
                .leaked
                .iter()
                .map(|leaked| {
                    let is_there = case.unkillable.contains(&leaked.pid);
                    let not_ended = if is_there {
                        "; could not be killed"
                    } else {
                        ""
                    };
                    format!("{} (pid {}{not_ended})", leaked.command, leaked.pid)
                })
                .collect(),
            expected: case.expected_failure.as_ref().map(|known| Known {
                is_met: known.is_met(),
                by: &known.by,
                link: known.link.as_deref().unwrap_or_default(),
            }),
            attachments: self.attachments(case),
            left_out: case.attachments_left_out,
            run: case.run.as_deref(),
            conflict: case.conflict,
            ..Extra::default()
        };
        Attempt(
            case.verdict as u8,
            [
                i64::try_from(start).unwrap_or(i64::MAX),
                case.duration.map_or(-1, microseconds),
                i64::from(case.worker),
                i64::from(case.attempt),
            ],
            case.reason.as_deref().unwrap_or_default(),
            (!extra.is_empty()).then_some(extra),
        )
    }

    fn output<'b>(
        &mut self,
        case: &TestCaseFinished,
        output: &'b CapturedOutput,
    ) -> Option<Output<'b>> {
        if output.is_empty() {
            return None;
        }
        let most = if case.verdict.is_failure() || case.retried {
            MOST_OF_ALL
        } else {
            MOST_OF_PASSED
        };
        let room = most.saturating_sub(self.held).min(MOST_OUTPUT);
        let (head, tail) = cut(output, room);
        self.held += head.len() + tail.len();
        let is_cut = (head.len() + tail.len()) < (output.head.len() + output.tail.len());
        Some(Output {
            head,
            tail,
            bytes: output.bytes,
            is_cut: output.truncated || is_cut,
            lossy: output.lossy,
            file: output
                .file
                .as_deref()
                .map_or_else(String::new, |file| self.link(file)),
        })
    }

    /// The attachments of an attempt. What can be shown in place is held by the page as long as there is room, of cases that need a look
    /// as of others: there are few.
    fn attachments<'b>(&mut self, case: &'b TestCaseFinished) -> Vec<Shown<'b>> {
        let attachments = case.attachments.iter();
        attachments
            .map(|attachment| {
                let room = MOST_ATTACHED.saturating_sub(self.shown);
                let content = content::read(self.files, attachment, room);
                if !content.is_empty() {
                    self.shown += attachment.bytes;
                }
                Shown {
                    name: &attachment.name,
                    kind: &attachment.media_type,
                    bytes: attachment.bytes,
                    link: format!("{}{}", self.directory.1, attachment.file),
                    content,
                }
            })
            .collect()
    }

    /// `file` as seen from the page.
    fn link(&self, file: &Utf8Path) -> String {
        let (directory, seen_from_page) = self.directory;
        match file.strip_prefix(directory) {
            Ok(rest) => format!("{seen_from_page}{rest}"),
            Err(_) => file.to_string(),
        }
    }
}

/// At most `room` bytes of both ends of `output`.
fn cut(output: &CapturedOutput, room: usize) -> (&str, &str) {
    let half = room / 2;
    if !output.truncated && output.head.len() <= room {
        return (&output.head, "");
    }
    let head_end = output.head.floor_char_boundary(half);
    let end = output.end();
    let tail_start = end.ceil_char_boundary(end.len().saturating_sub(half));
    (
        output.head.get(..head_end).unwrap_or_default(),
        end.get(tail_start..).unwrap_or_default(),
    )
}

/// A case: id and the attempt that decided, as one array.
#[derive(Debug)]
pub(crate) struct Row<'a>(&'a str, Attempt<'a>);

/// Verdict as its place in `Verdict::ALL` is counted by `as`; start and duration in microseconds (-1: did not start), worker and
/// number of the attempt; reason; and what most do not have.
#[derive(Debug)]
struct Attempt<'a>(u8, [i64; 4], &'a str, Option<Extra<'a>>);

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(8)?;
        tuple.serialize_element(self.0)?;
        self.1.elements(&mut tuple)?;
        tuple.end()
    }
}

impl Serialize for Attempt<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(8)?;
        tuple.serialize_element("")?;
        self.elements(&mut tuple)?;
        tuple.end()
    }
}

impl Attempt<'_> {
    fn elements<T: SerializeTuple>(&self, tuple: &mut T) -> Result<(), T::Error> {
        tuple.serialize_element(&self.0)?;
        for number in self.1 {
            tuple.serialize_element(&number)?;
        }
        tuple.serialize_element(self.2)?;
        match &self.3 {
            Some(extra) => tuple.serialize_element(extra),
            None => tuple.serialize_element(&0),
        }
    }
}

/// What most cases have little of. What is empty is left out.
#[derive(Debug, Default, Derive)]
struct Extra<'a> {
    #[serde(rename = "d", skip_serializing_if = "str::is_empty")]
    detail: &'a str,
    #[serde(rename = "x", skip_serializing_if = "String::is_empty")]
    exit: String,
    #[serde(rename = "o", skip_serializing_if = "Option::is_none")]
    stdout: Option<Output<'a>>,
    #[serde(rename = "e", skip_serializing_if = "Option::is_none")]
    stderr: Option<Output<'a>>,
    #[serde(rename = "s", skip_serializing_if = "Vec::is_empty")]
    steps: Vec<(&'a str, u8, &'a str, String)>,
    #[serde(rename = "k", skip_serializing_if = "Vec::is_empty")]
    leaked: Vec<String>,
    #[serde(rename = "l", skip_serializing_if = "Option::is_none")]
    location: Option<String>,
    #[serde(rename = "p", skip_serializing_if = "Vec::is_empty")]
    parameters: Vec<(&'a str, &'a str)>,
    #[serde(rename = "u", skip_serializing_if = "Option::is_none")]
    owner: Option<&'a str>,
    #[serde(rename = "t", skip_serializing_if = "Vec::is_empty")]
    tags: Vec<&'a str>,
    #[serde(rename = "v", skip_serializing_if = "Vec::is_empty")]
    suts: Vec<&'a str>,
    #[serde(rename = "r", skip_serializing_if = "Option::is_none")]
    run: Option<&'a str>,
    #[serde(rename = "q", skip_serializing_if = "std::ops::Not::not")]
    conflict: bool,
    #[serde(rename = "a", skip_serializing_if = "Vec::is_empty")]
    attempts: Vec<Attempt<'a>>,
    #[serde(rename = "w", skip_serializing_if = "Option::is_none")]
    expected: Option<Known<'a>>,
    #[serde(rename = "f", skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<Shown<'a>>,
    #[serde(rename = "m", skip_serializing_if = "is_zero")]
    left_out: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands out a reference to the field"
)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// That a case was expected to fail.
#[derive(Debug, Derive)]
struct Known<'a> {
    /// Whether it did.
    #[serde(rename = "m")]
    is_met: bool,
    #[serde(rename = "b")]
    by: &'a str,
    #[serde(rename = "l", skip_serializing_if = "str::is_empty")]
    link: &'a str,
}

/// An attachment.
#[derive(Debug, Derive)]
struct Shown<'a> {
    #[serde(rename = "n")]
    name: &'a str,
    #[serde(rename = "k")]
    kind: &'a str,
    #[serde(rename = "b")]
    bytes: u64,
    #[serde(rename = "f")]
    link: String,
    /// What is shown in place: text, or bytes of an image in base 64; empty if it is not.
    #[serde(rename = "c", skip_serializing_if = "String::is_empty")]
    content: String,
}

impl Extra<'_> {
    fn is_empty(&self) -> bool {
        self.detail.is_empty()
            && self.exit.is_empty()
            && self.stdout.is_none()
            && self.stderr.is_none()
            && self.steps.is_empty()
            && self.leaked.is_empty()
            && self.location.is_none()
            && self.parameters.is_empty()
            && self.owner.is_none()
            && self.tags.is_empty()
            && self.suts.is_empty()
            && self.run.is_none()
            && self.attempts.is_empty()
            && self.expected.is_none()
            && self.attachments.is_empty()
            && self.left_out == 0
    }
}

#[derive(Debug, Derive)]
struct Output<'a> {
    #[serde(rename = "h")]
    head: &'a str,
    #[serde(rename = "t", skip_serializing_if = "str::is_empty")]
    tail: &'a str,
    #[serde(rename = "b")]
    bytes: u64,
    /// Whether there is a gap between head and tail.
    #[serde(rename = "c", skip_serializing_if = "std::ops::Not::not")]
    is_cut: bool,
    #[serde(rename = "l", skip_serializing_if = "std::ops::Not::not")]
    lossy: bool,
    #[serde(rename = "f", skip_serializing_if = "String::is_empty")]
    file: String,
}
