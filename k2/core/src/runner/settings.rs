//! Options of the runner, read once.

use std::num::NonZeroUsize;
use std::time::Duration;

use rustix::process::{Resource, getrlimit};
use zaf_core::config::{ConfigError, ConfigView};
use zaf_core::prelude::*;

use super::keeping::{ARTEFACT_BYTES, KEEP_ARTEFACTS};
use super::logs::Keep;
use super::memory::MEMORY_LIMIT;
use crate::case::artefacts::KeepRule;
use crate::case::{AttachmentLimits, Isolation, PhaseLimits};

/// How many cases run at the same time.
///
/// CLI `--parallel-workers`, environment `K2_PARALLEL_WORKERS`, default 0: one per processor.
pub const WORKERS: OptionId<u64> = OptionId::count("parallel.workers")
    .describe("How many cases run at the same time; 0: one per processor")
    .default(0);

/// Longest time one case may take before it is stopped.
///
/// CLI `--tests-timeout 5s`, environment `K2_TESTS_TIMEOUT`, no default (no limit). A case's own limit wins.
pub const TIMEOUT: OptionId<Duration> =
    OptionId::duration("tests.timeout").describe("Longest time one case may take, for example 5s");

/// Longest time that the cases of a run may take together: what runs then is ended as by an abort, what has not begun is not run, and the
/// run ends with exit code 3.
///
/// CLI `--run-timeout 30m`, environment `K2_RUN_TIMEOUT`, no default (no limit). It counts from the first case on; time for which the
/// run was stopped (Ctrl-Z) is not counted.
pub const RUN_TIMEOUT: OptionId<Duration> = OptionId::duration("run.timeout")
    .describe("Longest time that all cases together may take, for example 30m");

/// Longest time that what comes before the body of a test function may take: what it asks for is made then.
///
/// CLI `--tests-setup-timeout 30s`, environment `K2_TESTS_SETUP_TIMEOUT`, no default. It holds for functions, besides the limit of the
/// whole case; the start of the process of a function that has one is no part of its set-up.
pub const SETUP_TIMEOUT: OptionId<Duration> = OptionId::duration("tests.setup.timeout")
    .describe("Longest time that making what a test function asks for may take");

/// Longest time that the body of a case may take, without set-up and teardown. An executable is all body.
///
/// CLI `--tests-body-timeout 5s`, environment `K2_TESTS_BODY_TIMEOUT`, no default.
pub const BODY_TIMEOUT: OptionId<Duration> = OptionId::duration("tests.body.timeout")
    .describe("Longest time that the body of a case may take, without set-up and teardown");

/// Longest time that taking down what a test function had may take.
///
/// CLI `--tests-teardown-timeout 30s`, environment `K2_TESTS_TEARDOWN_TIMEOUT`, no default. As the limit of the set-up.
pub const TEARDOWN_TIMEOUT: OptionId<Duration> = OptionId::duration("tests.teardown.timeout")
    .describe("Longest time that taking down what a test function asked for may take");

/// A limit that nothing can keep.
#[derive(Debug, thiserror::Error)]
#[error(
    "option `{key}`: a time limit of zero ends everything at once; leave the option out for no limit"
)]
pub struct ZeroLimit {
    key: &'static str,
}

/// A limit of memory with which nothing can be started.
#[derive(Debug, thiserror::Error)]
#[error(
    "option `memory.limit`: nothing can be started without memory; leave the option out for no limit"
)]
struct NoMemory;

/// Time between asking a case to end and ending it.
///
/// CLI `--tests-grace`, environment `K2_TESTS_GRACE`, default 10 s, as cargo-nextest has it.
pub const GRACE: OptionId<Duration> = OptionId::duration("tests.grace")
    .describe("Time between asking a case to end (TERM) and ending it (KILL)")
    .default(Duration::from_secs(10));

/// Exit codes by which an executable says that it was skipped.
///
/// CLI `--tests-skip-codes`, environment `K2_TESTS_SKIP_CODES`, repeatable, default 77. Source: the convention of automake.
pub const SKIP_CODES: OptionId<Vec<i64>> = OptionId::integer("tests.skip.codes")
    .describe("Exit codes by which an executable says that it was skipped")
    .default(77)
    .multiple();

/// How often a case that fails is tried again. A pass after a failure is flaky.
///
/// CLI `--tests-retries`, environment `K2_TESTS_RETRIES`, default 0.
pub const RETRIES: OptionId<u64> = OptionId::count("tests.retries")
    .describe("How often a case that fails is tried again; a pass then counts as flaky")
    .default(0);

/// Whether a case that killed the runner is tried again like one that fails: in a process of its own, where it kills only itself.
///
/// CLI `--tests-retry-killers`, environment `K2_TESTS_RETRY_KILLERS`, default false.
pub const RETRY_KILLERS: OptionId<bool> = OptionId::flag("tests.retry.killers")
    .describe("Whether a case that killed the runner is tried again too, in a process of its own")
    .default(false);

/// Where test functions are called, unless a case says it itself: on a thread of the runner, or each in a process of its own.
///
/// CLI `--isolation process`, environment `K2_ISOLATION`, default `in-process`.
pub const ISOLATION: OptionId<String> = OptionId::choice("isolation", &["in-process", "process"])
    .describe("Where test functions are called: in this process, or each in one of its own")
    .default("in-process");

/// Whether a case that passes although it is expected to fail counts as failed; otherwise it passes, and that is told.
///
/// CLI `--tests-expected-failures-strict=false`, environment `K2_TESTS_EXPECTED_FAILURES_STRICT`, default true: a list of known faults
/// that nobody has to shorten is soon wrong. An entry of a list may say it itself.
pub const STRICT: OptionId<bool> = OptionId::flag("tests.expected.failures.strict")
    .describe("Whether a case that is expected to fail and passes counts as failed")
    .default(true);

/// Most files that one attempt at a case may attach; of more only the number is told.
///
/// CLI `--attachments-files`, environment `K2_ATTACHMENTS_FILES`, default 100.
pub const ATTACHED_FILES: OptionId<u64> = OptionId::count("attachments.files")
    .describe("Most files that one attempt at a case may attach")
    .default(100);

/// Most bytes that the files of one attempt may have together; what does not fit is left out.
///
/// CLI `--attachments-bytes 1GiB`, environment `K2_ATTACHMENTS_BYTES`, default 100 MiB.
pub const ATTACHED_BYTES: OptionId<u64> = OptionId::size("attachments.bytes")
    .describe("Most bytes that the files that one attempt at a case attaches may have together")
    .default(100 * 1024 * 1024);

/// More workers than this are never started: each may need a thread, a process and some file descriptors.
const MOST_WORKERS: usize = 1024;

/// File descriptors of a worker whose process runs: two pipes, the process, its cancellation and two files of long output. While
/// the process is started there are some more for a moment; if they are lacking then, the start is tried again.
const DESCRIPTORS_PER_WORKER: u64 = 6;

/// File descriptors of everything but the workers, with room for reports.
const OTHER_DESCRIPTORS: u64 = 33;

/// What the runner was told.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    /// Number of workers.
    pub workers: NonZeroUsize,
    /// Limit for cases that have none of their own.
    pub timeout: Option<Duration>,
    /// Limits of the parts of a case.
    pub phases: PhaseLimits,
    /// Limit for all cases together.
    pub run_timeout: Option<Duration>,
    /// Time between TERM and KILL.
    pub grace: Duration,
    /// How often a failed case is tried again.
    pub retries: u64,
    /// Whether one that killed the runner is, too.
    pub retry_killers: bool,
    /// Where functions are called.
    pub isolation: Isolation,
    /// Exit codes that mean skipped.
    pub skip_codes: Vec<i32>,
    /// Which cases keep their log.
    pub keep_logs: Keep,
    /// Whether an unexpected pass is a failure.
    pub strict_expectations: bool,
    /// How much an attempt may attach.
    pub attachments: AttachmentLimits,
    /// Which cases keep their files, and how many bytes of all together.
    pub artefacts: (KeepRule, u64),
    /// How much memory a process of a case may have.
    pub memory: Option<u64>,
}

impl Settings {
    pub(super) fn read(config: &ConfigView) -> Result<Self, ConfigError> {
        let workers = Self::read_workers(config)?;
        let wanted = wanted_workers(config)?;
        if workers < wanted {
            tracing::warn!(
                "parallel.workers is cut from {wanted} to {workers}: {}",
                if wanted.get() > MOST_WORKERS {
                    "more are never started"
                } else {
                    "this process may not open more files at the same time (see `ulimit -n`)"
                }
            );
        }
        Ok(Self {
            workers,
            timeout: config.get_optional(TIMEOUT)?,
            phases: PhaseLimits {
                setup: config.get_optional(SETUP_TIMEOUT)?,
                body: config.get_optional(BODY_TIMEOUT)?,
                teardown: config.get_optional(TEARDOWN_TIMEOUT)?,
            },
            run_timeout: config.get_optional(RUN_TIMEOUT)?,
            grace: config.get(GRACE)?,
            retries: config.get(RETRIES)?,
            retry_killers: config.get(RETRY_KILLERS)?,
            isolation: match config.get(ISOLATION)?.as_str() {
                "process" => Isolation::Process,
                _ => Isolation::InProcess,
            },
            skip_codes: config
                .get(SKIP_CODES)?
                .into_iter()
                .filter_map(|code| i32::try_from(code).ok())
                .collect(),
            keep_logs: Keep::read(config)?,
            strict_expectations: config.get(STRICT)?,
            attachments: AttachmentLimits {
                files: config.get(ATTACHED_FILES)?,
                bytes: config.get(ATTACHED_BYTES)?,
            },
            artefacts: (
                KeepRule::of(&config.get(KEEP_ARTEFACTS)?),
                config.get(ARTEFACT_BYTES)?,
            ),
            memory: config.get_optional(MEMORY_LIMIT)?,
        })
    }

    /// Refuses limits that nothing can keep.
    ///
    /// # Errors
    /// With exit code 2, of the first one.
    pub(super) fn check_limits(config: &ConfigView) -> Result<(), Error> {
        for option in [
            TIMEOUT,
            RUN_TIMEOUT,
            SETUP_TIMEOUT,
            BODY_TIMEOUT,
            TEARDOWN_TIMEOUT,
        ] {
            if config.get_optional(option)? == Some(Duration::ZERO) {
                let key = option.descriptor().key;
                return Err(ExitCode::Usage.with_error(ZeroLimit { key }));
            }
        }
        if config.get_optional(MEMORY_LIMIT)? == Some(0) {
            return Err(ExitCode::Usage.with_error(NoMemory));
        }
        Ok(())
    }

    /// As many as are wanted, or fewer if there are not enough file descriptors for them; at least one.
    pub(super) fn read_workers(config: &ConfigView) -> Result<NonZeroUsize, ConfigError> {
        let wanted = wanted_workers(config)?;
        let possible = possible_workers(getrlimit(Resource::Nofile).current);
        let most = possible.min(MOST_WORKERS);
        Ok(NonZeroUsize::new(most).map_or(NonZeroUsize::MIN, |most| most.min(wanted)))
    }
}

/// The number that the option stands for.
fn wanted_workers(config: &ConfigView) -> Result<NonZeroUsize, ConfigError> {
    let wanted = usize::try_from(config.get(WORKERS)?).unwrap_or(usize::MAX);
    Ok(NonZeroUsize::new(wanted).unwrap_or_else(|| {
        // Unknown on exotic systems only; one worker is always right, if slow.
        std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
    }))
}

/// How many workers there are enough file descriptors for if this process may have `limit` of them; none means no limit.
fn possible_workers(limit: Option<u64>) -> usize {
    let limit = limit.unwrap_or(u64::MAX);
    let possible = limit.saturating_sub(OTHER_DESCRIPTORS) / DESCRIPTORS_PER_WORKER;
    usize::try_from(possible).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g8_few_descriptors_mean_few_workers() {
        assert_eq!(possible_workers(Some(0)), 0);
        assert_eq!(possible_workers(Some(40)), 1);
        assert_eq!(possible_workers(Some(64)), 5);
        assert_eq!(possible_workers(Some(1024)), 165);
        assert!(possible_workers(None) > MOST_WORKERS);
    }
}
