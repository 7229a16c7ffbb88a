//! What happens in a run: payloads of the runner's messages and bodies of the event log's records.
//!
//! All are cheap to clone (texts are shared), and a reader of another version must cope with them: fields are only added,
//! each new one with a default.
//!
//! Long because every payload of a run is here, with the documentation of each field.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use camino::Utf8PathBuf;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use zaf_core::application::ExitCode;

use crate::case::{Attachment, CaseId, Location, Parameters, Step, Verdict};
use crate::supervisor::signal_name;

/// A run begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunStarted {
    /// Short id of the run; the name of its directory.
    pub run: Arc<str>,
    /// Name of the application, for example `zk2`.
    pub application: Arc<str>,
    /// Version of the application.
    pub version: Arc<str>,
    /// When it began.
    pub started: Timestamp,
    /// The command line as it was typed, program first.
    #[serde(default)]
    pub command_line: Vec<Arc<str>>,
    /// The command line without any selection of cases: with `--tests-include <id>` behind it, it runs one case again.
    /// Empty if there is no such command line.
    #[serde(default)]
    pub again: Vec<Arc<str>>,
    /// Working directory.
    #[serde(default)]
    pub working_directory: Utf8PathBuf,
    /// Name of the machine; empty if unknown.
    #[serde(default)]
    pub host: Arc<str>,
    /// Directory of the run: event log, reports, outputs of cases.
    pub directory: Utf8PathBuf,
    /// How many cases may run at once.
    #[serde(default)]
    pub workers: u32,
}

/// The cases of the run are known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CasesSelected {
    /// The cases that will each get a verdict, in the order in which they are queued. May be empty.
    pub cases: Arc<[CaseId]>,
    /// How many more were found and filtered out.
    #[serde(default)]
    pub filtered_out: u64,
    /// How many sources they come from.
    #[serde(default)]
    pub sources: u64,
    /// What the order was drawn with, if it was drawn: the same seed gives the same order again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

/// An attempt at a case begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestCaseStarted {
    /// Number of the execution, from 1: one per selected case, shared by its attempts.
    pub execution: u64,
    /// Which case.
    pub case: CaseId,
    /// Which try, from 1.
    pub attempt: u32,
    /// When it began.
    pub started: Timestamp,
    /// The worker that runs it, from 1.
    pub worker: u32,
    /// Whether it runs as a function of the runner itself, which it can take down.
    #[serde(default, skip_serializing_if = "is_default")]
    pub in_process: bool,
    /// What the monotonic clock of the machine said then; whole microseconds in the log. Who gives it a verdict after its runner has died
    /// knows by it how long it took, whatever was done to the time of day. Since schema 1.4.
    #[serde(
        rename = "clock_us",
        default,
        with = "microseconds",
        skip_serializing_if = "Option::is_none"
    )]
    pub clock: Option<Duration>,
}

/// The runner was killed by a case, and another one goes on with the run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunResumed {
    /// When it goes on.
    pub resumed: Timestamp,
    /// How the runner before this one ended, in one line: `runner crashed (SIGSEGV)`.
    pub reason: Arc<str>,
    /// The how-manieth runner this is, from 2.
    pub runner: u32,
    /// How many cases were selected in all.
    pub selected: u64,
    /// How many have their verdict, those that the end of the runner gave them not among them.
    pub finished: u64,
    /// How many of these are failures.
    pub failures: u64,
}

/// One of the runs that a log was put together of. Since schema 1.3.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunMerged {
    /// How it began.
    pub run: RunStarted,
    /// How it ended; none if it was killed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished: Option<RunFinished>,
    /// How many cases it had.
    #[serde(default)]
    pub selected: u64,
    /// How many more it had found, those of other parts among them.
    #[serde(default)]
    pub filtered_out: u64,
    /// How many sources they came from.
    #[serde(default)]
    pub sources: u64,
}

/// Something about an attempt to bring a system under test back. Since schema 1.4.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SutRecovery {
    /// Name of the system.
    pub sut: Arc<str>,
    /// When that was.
    pub at: Timestamp,
    /// How long the attempt took, by the monotonic clock; whole microseconds in the log. None if it only begins.
    #[serde(
        rename = "duration_us",
        default,
        with = "microseconds",
        skip_serializing_if = "Option::is_none"
    )]
    pub duration: Option<Duration>,
}

/// A hook before or after the tests has failed, or what readies a system under test or puts it away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HookFailed {
    /// Which request it was asked: `PRE_JOB`, `PRE_TESTS`, `POST_TESTS` or `POST_JOB`; since schema 1.5 also which event about a
    /// system it handled: `PRE_INITIALIZE_SUT`, `INITIALIZE_SUT`, `POST_INITIALIZE_SUT` or `UNINITIALIZE_SUT`.
    pub phase: Arc<str>,
    /// Name of the extension; none if nobody can be blamed by name.
    #[serde(default, skip_serializing_if = "is_default")]
    pub hook: Arc<str>,
    /// What went wrong, with its causes, in one line.
    pub reason: Arc<str>,
}

impl fmt::Display for HookFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            phase,
            hook,
            reason,
        } = self;
        match &**hook {
            "" => write!(f, "{phase}: {reason}"),
            hook => write!(f, "{phase}: {hook}: {reason}"),
        }
    }
}

/// An attempt at a case has ended, or a case will not be started at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestCaseFinished {
    /// Number of the execution, from 1: one per selected case, shared by its attempts.
    pub execution: u64,
    /// Which case.
    pub case: CaseId,
    /// Which try, from 1.
    pub attempt: u32,
    /// How it ended.
    pub verdict: Verdict,
    /// Whether another attempt follows; if so, this is not the verdict of the execution.
    #[serde(default, skip_serializing_if = "is_default")]
    pub retried: bool,
    /// When it began; for a case that did not start, when that was decided.
    pub started: Timestamp,
    /// How long it took, by the monotonic clock; whole microseconds in the log. None if it did not start.
    #[serde(
        rename = "duration_us",
        default,
        with = "microseconds",
        skip_serializing_if = "Option::is_none"
    )]
    pub duration: Option<Duration>,
    /// The worker that ran it, from 1; 0 if it did not start.
    #[serde(default)]
    pub worker: u32,
    /// Why, in one line: for everything but a pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Arc<str>>,
    /// More about the reason, in as many lines as it takes; without frames of the framework.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<Arc<str>>,
    /// How its process ended; none for functions and for cases that did not start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<ExitStatus>,
    /// What it wrote to standard output.
    #[serde(default, skip_serializing_if = "CapturedOutput::is_empty")]
    pub stdout: CapturedOutput,
    /// What it wrote to standard error.
    #[serde(default, skip_serializing_if = "CapturedOutput::is_empty")]
    pub stderr: CapturedOutput,
    /// Verdicts within the case, in order: the points of a TAP producer, or the checks that failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
    /// Processes that it left behind and that were ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leaked: Vec<LeakedProcess>,
    /// Parameters, in the order of the case's declaration.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub parameters: Parameters,
    /// Words to select cases by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Arc<str>>,
    /// Who looks after the case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Arc<str>>,
    /// Names of the systems under test that it ran on; that of the first parameter first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suts: Vec<Arc<str>>,
    /// Where the case is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// That it was expected to fail, if it was, and it failed or passed. Since schema 1.2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_failure: Option<Box<ExpectedFailure>>,
    /// Files that belong to the attempt. Since schema 1.2.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// How many more files there were: over a limit, or no regular files. Since schema 1.2.
    #[serde(default, skip_serializing_if = "is_default")]
    pub attachments_left_out: u64,
    /// Id of the run that it was a part of, in a log that was put together of several. Since schema 1.3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Arc<str>>,
    /// Whether other runs said something else of the case: then theirs stand before it as attempts. Since schema 1.3.
    #[serde(default, skip_serializing_if = "is_default")]
    pub conflict: bool,
}

/// What became of the expectation that a case fails.
///
/// The verdict of a case that failed as expected is *skipped*, that of one that passed *failed*, or *passed* where a pass is only
/// told; so whoever does not know of expectations counts it right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpectedFailure {
    /// How the case ended by itself: failed, error, timed out, or passed.
    pub ended: Verdict,
    /// Why it was expected to fail.
    pub reason: Arc<str>,
    /// Where the fault is tracked, if that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Arc<str>>,
    /// Who said so: `code`, `run time`, or `file:line` of a list.
    pub by: Arc<str>,
}

impl ExpectedFailure {
    /// Whether it failed, as expected.
    pub fn is_met(&self) -> bool {
        self.ended.is_failure()
    }
}

impl TestCaseFinished {
    /// The case `case` with `verdict`, nothing else known: first attempt, no worker, no output.
    pub fn new(execution: u64, case: CaseId, verdict: Verdict, started: Timestamp) -> Self {
        Self {
            execution,
            case,
            attempt: 1,
            verdict,
            retried: false,
            started,
            duration: None,
            worker: 0,
            reason: None,
            detail: None,
            exit: None,
            stdout: CapturedOutput::default(),
            stderr: CapturedOutput::default(),
            steps: Vec::new(),
            leaked: Vec::new(),
            parameters: Parameters::default(),
            tags: Vec::new(),
            owner: None,
            suts: Vec::new(),
            location: None,
            expected_failure: None,
            attachments: Vec::new(),
            attachments_left_out: 0,
            run: None,
            conflict: false,
        }
    }

    /// A case that passed, for tests and documentation.
    pub fn example() -> Self {
        Self {
            duration: Some(Duration::from_millis(4)),
            worker: 1,
            exit: Some(ExitStatus::Code { code: 0 }),
            ..Self::new(
                1,
                CaseId::new("example::passes"),
                Verdict::Passed,
                Timestamp::UNIX_EPOCH,
            )
        }
    }

    /// Whether it passed after an attempt that did not.
    pub fn is_flaky(&self) -> bool {
        self.verdict == Verdict::Passed && self.attempt > 1
    }

    /// Whether it failed and was expected to.
    pub fn is_expected_failure(&self) -> bool {
        let expected = self.expected_failure.as_ref();
        expected.is_some_and(|expected| expected.is_met())
    }

    /// Whether it passed and was expected to fail.
    pub fn is_unexpected_pass(&self) -> bool {
        let expected = self.expected_failure.as_ref();
        expected.is_some_and(|expected| !expected.is_met())
    }

    /// The word for how it ended: that of the verdict, or `expected-failure` or `unexpected-pass`.
    pub fn outcome(&self) -> &'static str {
        match &self.expected_failure {
            Some(expected) if expected.is_met() => "expected-failure",
            Some(_) => "unexpected-pass",
            None => self.verdict.as_str(),
        }
    }
}

/// All cases have their verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunFinished {
    /// When the run ended.
    pub finished: Timestamp,
    /// Time from start to end by the monotonic clock; whole microseconds in the log.
    #[serde(rename = "duration_us", with = "whole_microseconds")]
    pub duration: Duration,
    /// Why it ended.
    pub end: RunEnd,
    /// How the command ends, as far as that is known before the reports and the last hooks; none if nobody says, or what is said is
    /// unknown here. Since schema 1.5.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "super::fault::known"
    )]
    pub exit_code: Option<ExitCode>,
}

/// Why a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RunEnd {
    /// Every case had its turn.
    Completed,
    /// It was stopped before.
    Aborted {
        /// By what, in one line.
        reason: Arc<str>,
    },
    /// The time limit of the command was reached.
    TimeLimit,
}

/// What a case wrote to one of its outputs: head and tail, with a gap between them if it wrote much.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapturedOutput {
    /// The beginning, or everything if there is no tail.
    #[serde(default)]
    pub head: Arc<str>,
    /// The end, behind the gap; empty unless `truncated`.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub tail: Arc<str>,
    /// How many bytes were written in all.
    #[serde(default)]
    pub bytes: u64,
    /// Whether there is a gap between head and tail.
    #[serde(default, skip_serializing_if = "is_default")]
    pub truncated: bool,
    /// Whether bytes that are not UTF-8 were replaced by U+FFFD; the file has them as they were.
    #[serde(default, skip_serializing_if = "is_default")]
    pub lossy: bool,
    /// File with the whole output (up to the cap); none if head and tail say it all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<Utf8PathBuf>,
}

impl CapturedOutput {
    /// Output of which `head` was kept of the beginning and `tail` of the end; `bytes` were written in all.
    ///
    /// There is a gap if `bytes` is more than both together; if not, the two are joined.
    pub fn from_bytes(head: &[u8], tail: &[u8], bytes: u64, file: Option<Utf8PathBuf>) -> Self {
        let kept = head.len() as u64 + tail.len() as u64;
        let truncated = bytes > kept;
        let lossy = |part: &[u8]| std::str::from_utf8(part).is_err();
        if truncated {
            // A character cut in two by the gap is no sign of bad output.
            let (head, tail) = (trim_cut_end(head), trim_cut_start(tail));
            Self {
                lossy: lossy(head) || lossy(tail),
                head: String::from_utf8_lossy(head).into(),
                tail: String::from_utf8_lossy(tail).into(),
                bytes,
                truncated,
                file,
            }
        } else {
            let all = [head, tail].concat();
            Self {
                lossy: lossy(&all),
                head: String::from_utf8_lossy(&all).into(),
                tail: Arc::default(),
                bytes,
                truncated,
                file,
            }
        }
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.bytes == 0
    }

    /// The last part that was kept: the tail if there is a gap, otherwise everything.
    pub fn end(&self) -> &str {
        if self.truncated {
            &self.tail
        } else {
            &self.head
        }
    }

    /// How many bytes are missing between head and tail, as far as can be told from the text that was kept.
    pub fn missing_bytes(&self) -> u64 {
        let kept = self.head.len() as u64 + self.tail.len() as u64;
        if self.truncated {
            self.bytes.saturating_sub(kept)
        } else {
            0
        }
    }
}

impl From<&str> for CapturedOutput {
    fn from(text: &str) -> Self {
        Self::from_bytes(text.as_bytes(), &[], text.len() as u64, None)
    }
}

/// Cuts an unfinished character off the end; bytes that are no character at all stay.
fn trim_cut_end(bytes: &[u8]) -> &[u8] {
    let start = bytes.len().saturating_sub(3);
    let cut = (start..bytes.len()).find(|&at| {
        bytes.get(at..).is_some_and(|rest| {
            std::str::from_utf8(rest)
                .is_err_and(|error| error.valid_up_to() == 0 && error.error_len().is_none())
        })
    });
    cut.and_then(|at| bytes.get(..at)).unwrap_or(bytes)
}

/// Cuts up to three continuation bytes off the start: the rest of a character whose beginning is in the gap.
fn trim_cut_start(bytes: &[u8]) -> &[u8] {
    let cut = bytes
        .iter()
        .take(3)
        .take_while(|&&byte| byte & 0xC0 == 0x80)
        .count();
    bytes.get(cut..).unwrap_or(bytes)
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "how")]
#[non_exhaustive]
pub enum ExitStatus {
    /// By itself.
    Code {
        /// Its exit status, 0 to 255.
        code: i32,
    },
    /// By a signal.
    Signal {
        /// Number of the signal.
        signal: i32,
        /// Whether a core was dumped.
        #[serde(default, skip_serializing_if = "is_default")]
        core: bool,
    },
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code { code } => write!(f, "exit status {code}"),
            Self::Signal { signal, core } => {
                match signal_name(*signal) {
                    Some(name) => write!(f, "killed by {name}")?,
                    None => write!(f, "killed by signal {signal}")?,
                }
                if *core {
                    f.write_str(" (core dumped)")
                } else {
                    Ok(())
                }
            }
        }
    }
}

/// A process that a case left behind and that was ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeakedProcess {
    /// Its process id at that time.
    pub pid: u32,
    /// Its command line, as far as it could be read.
    pub command: Arc<str>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A length of time as whole microseconds; what is longer than 584 000 years is cut.
mod whole_microseconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        duration: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_micros)
    }
}

/// The same, where there may be none.
mod microseconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(
        clippy::ref_option,
        reason = "serde's `with` hands out a reference to the field"
    )]
    pub(super) fn serialize<S: Serializer>(
        duration: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match duration {
            Some(duration) => super::whole_microseconds::serialize(duration, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<u64>::deserialize(deserializer)?.map(Duration::from_micros))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e8_head_and_tail_of_a_flood_with_the_count_of_all_bytes() {
        let output = CapturedOutput::from_bytes(b"begin", b"end", 1 << 30, None);
        assert_eq!((&*output.head, output.end()), ("begin", "end"));
        assert!(output.truncated && !output.lossy);
        assert_eq!(output.missing_bytes(), (1 << 30) - 8);
    }

    #[test]
    fn head_and_tail_without_a_gap_are_joined() {
        let output = CapturedOutput::from_bytes(b"gr\xc3", b"\xb6\xc3\x9fe", 6, None);
        assert_eq!((&*output.head, output.end()), ("größe", "größe"));
        assert!(!output.truncated && !output.lossy);
    }

    #[test]
    fn e10_bytes_that_are_no_text_are_replaced_and_that_is_said() {
        let output = CapturedOutput::from_bytes(b"a\xffb", &[], 3, None);
        assert_eq!((&*output.head, output.lossy), ("a\u{fffd}b", true));
    }

    #[test]
    fn e10_a_character_cut_by_the_gap_is_not_bad_output() {
        let euro = "€".as_bytes();
        let head = [b"a", &euro[..2]].concat();
        let tail = [&euro[2..], b"z"].concat();
        let output = CapturedOutput::from_bytes(&head, &tail, 100, None);
        assert_eq!(
            (&*output.head, &*output.tail, output.lossy),
            ("a", "z", false)
        );
    }

    #[test]
    fn signals_have_names() {
        let segv = ExitStatus::Signal {
            signal: 11,
            core: true,
        };
        assert_eq!(segv.to_string(), "killed by SIGSEGV (core dumped)");
        let odd = ExitStatus::Signal {
            signal: 40,
            core: false,
        };
        assert_eq!(odd.to_string(), "killed by signal 40");
    }
}
