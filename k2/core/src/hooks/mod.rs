//! What runs around the tests of a run: four requests, each answered by every extension that has something to do then.
//!
//! ```text
//! TEST_RUN_STARTED → PRE_JOB → PRE_TESTS → (cases) → POST_TESTS → TEST_RUN_FINISHED → (reports) → POST_JOB → REPORTS_WRITTEN
//! ```
//!
//! - What is behind follows exactly once if what is before has begun: `POST_TESTS` behind `PRE_TESTS`, `POST_JOB` behind `PRE_JOB`,
//!   also when a hook, the run or the command failed or panicked, and after any signal that lets the process end by itself.
//! - A hook that fails, panics or hangs keeps no other from being asked, and is named.
//! - One that fails in front of the tests aborts the run: nothing has been started, all cases are told as not run.
//!
//! Handlers are best `concurrent_dispatcher`s: they run side by side. Callbacks run one after the other, by priority, and one that never
//! returns stands in the way of those behind it.
//!
//! ```
//! # use k2_core as k2;
//! use k2::hooks::{HOOKS, HookCall, PRE_JOB, Phase};
//! use zaf_core::prelude::*;
//! use zaf_harness::prelude::*;
//!
//! /// Refuses to run where there is no laboratory.
//! #[command_extension(name = "laboratory", extends = [k2::RUN_COMMAND])]
//! struct Laboratory;
//!
//! impl Extension for Laboratory {
//!     fn new(_: &ExtensionContext<'_>) -> Result<Self> {
//!         Ok(Self)
//!     }
//! }
//!
//! #[dispatchers]
//! impl Laboratory {
//!     #[concurrent_dispatcher(PRE_JOB, endpoints = [HOOKS])]
//!     fn before(&self, message: &Message<HookCall>) -> Result<()> {
//!         let place = message.data().directory.join("laboratory");
//!         if place.exists() { Ok(()) } else { Err(Error::msg("there is no laboratory")) }
//!     }
//! }
//!
//! fn main() -> TestResult {
//!     let harness = ExtensionTestHarness::<Laboratory>::builder().define(HOOKS, [PRE_JOB]).start()?;
//!     let call = HookCall::example(Phase::PreJob, "/nowhere")?;
//!     let replies = harness.send_request(PRE_JOB, HOOKS, call)?;
//!     let error = replies.values(Duration::from_secs(10)).expect_err("it refuses");
//!     assert!(format!("{error:?}").contains("there is no laboratory"), "{error:?}");
//!     Ok(())
//! }
//! ```

mod phases;
mod variables;
mod wire;

use std::sync::Arc;
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use zaf_core::application::ExitCode;
use zaf_core::prelude::*;

pub(crate) use self::phases::{Limits, Phases, Place};
pub(crate) use self::variables::names as variable_names;
use crate::results::{Counts, HookFailed};
use crate::supervisor::Cancellation;

/// Where hooks are asked.
pub const HOOKS: EndpointId = EndpointId::new("hooks", "What runs around the tests of a run.");

/// The run has its directory and has been announced.
///
/// | | |
/// |---|---|
/// | kind | request, answered by each hook; an error aborts the run |
/// | sender | the `run` command, on a thread of its own that it waits for |
/// | endpoint | [`HOOKS`] |
/// | entity | none |
/// | order | after `TEST_RUN_STARTED`; not sent by a runner that goes on with the run of another |
pub const PRE_JOB: RequestId<HookCall, ()> =
    RequestId::new("PRE_JOB", "Asks hooks to prepare a run.").portable_as_json();

/// The tests are about to begin.
///
/// | | |
/// |---|---|
/// | kind | request, answered by each hook; an error aborts the run |
/// | sender | the `run` command, on a thread of its own that it waits for |
/// | endpoint | [`HOOKS`] |
/// | entity | none |
/// | order | after [`PRE_JOB`], unless that failed or the run is being aborted; before `TEST_CASES_SELECTED` |
pub const PRE_TESTS: RequestId<HookCall, ()> =
    RequestId::new("PRE_TESTS", "Asks hooks to prepare for the tests.").portable_as_json();

/// All tests have their verdict, or the run cannot go on.
///
/// | | |
/// |---|---|
/// | kind | request, answered by each hook |
/// | sender | the `run` command, on a thread of its own that it waits for |
/// | endpoint | [`HOOKS`] |
/// | entity | none |
/// | order | once if [`PRE_TESTS`] was sent; before `TEST_RUN_FINISHED` |
pub const POST_TESTS: RequestId<HookCall, ()> =
    RequestId::new("POST_TESTS", "Asks hooks to tidy up behind the tests.").portable_as_json();

/// The reports are written.
///
/// | | |
/// |---|---|
/// | kind | request, answered by each hook |
/// | sender | the `run` command, on a thread of its own that it waits for |
/// | endpoint | [`HOOKS`] |
/// | entity | none |
/// | order | once if [`PRE_JOB`] was sent; after `WRITE_REPORTS`, before `REPORTS_WRITTEN` |
pub const POST_JOB: RequestId<HookCall, ()> =
    RequestId::new("POST_JOB", "Asks hooks to tidy up behind a run.").portable_as_json();

/// A hook, or a handler that readies a system under test or puts it away, has failed, panicked, or did not answer in time.
///
/// | | |
/// |---|---|
/// | kind | event |
/// | sender | the `run` command, on the main thread |
/// | endpoint | [`HOOKS`] |
/// | entity | none |
/// | order | after the request that it was asked, when all hooks of that phase have answered or are left behind; `POST_JOB`'s come after `TEST_RUN_FINISHED` |
pub const HOOK_FAILED: EventId<HookFailed> =
    EventId::new("HOOK_FAILED", "A hook has failed.").portable_as_json();

/// Longest time that the hooks of one phase may take.
///
/// CLI `--hooks-timeout 30s`, environment `K2_HOOKS_TIMEOUT`, default 5 min.
pub const HOOKS_TIMEOUT: OptionId<Duration> = OptionId::duration("hooks.timeout")
    .describe("Longest time that each hook before and after the tests may take")
    .default(Duration::from_mins(5));

/// Time between asking a hook to end and giving it up. The commands of `jobscripts` have their own grace of two seconds in it.
///
/// CLI `--hooks-grace 10s`, environment `K2_HOOKS_GRACE`, default 4 s.
pub const HOOKS_GRACE: OptionId<Duration> = OptionId::duration("hooks.grace")
    .describe("How long a hook whose time is over may take to end before it is left behind")
    .default(Duration::from_secs(4));

/// When a hook is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// See [`PRE_JOB`].
    PreJob,
    /// See [`PRE_TESTS`].
    PreTests,
    /// See [`POST_TESTS`].
    PostTests,
    /// See [`POST_JOB`].
    PostJob,
}

impl Phase {
    /// Its message.
    pub const fn request(self) -> RequestId<HookCall, ()> {
        match self {
            Self::PreJob => PRE_JOB,
            Self::PreTests => PRE_TESTS,
            Self::PostTests => POST_TESTS,
            Self::PostJob => POST_JOB,
        }
    }

    /// Whether it lies before the tests.
    pub const fn is_before(self) -> bool {
        matches!(self, Self::PreJob | Self::PreTests)
    }
}

/// Payload of [`PRE_JOB`], [`PRE_TESTS`], [`POST_TESTS`] and [`POST_JOB`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct HookCall {
    /// Which of them it is.
    pub phase: Phase,
    /// Id of the run.
    pub run: Arc<str>,
    /// Its directory, absolute.
    pub directory: Utf8PathBuf,
    /// Name of the application.
    pub application: Arc<str>,
    /// What the `K2_EXECUTION` of processes of the run begins with.
    pub execution: Arc<str>,
    /// Asks the hook to end: its time is over, or the run is aborted.
    pub cancellation: Cancellation,
    /// When its time is over.
    pub deadline: Instant,
    /// How the cases ended that have ended so far.
    pub counts: Counts,
    /// How the command ends as far as is known; at [`POST_JOB`] only.
    pub exit: Option<ExitCode>,
}

impl HookCall {
    /// A call that is not part of a run, with a minute of time: for tests of hooks. What else it says is set in the fields.
    ///
    /// # Errors
    /// Whatever the system says if it cannot make what the call is cancelled by.
    pub fn example(phase: Phase, directory: impl Into<Utf8PathBuf>) -> std::io::Result<Self> {
        Ok(Self {
            phase,
            run: "example".into(),
            directory: directory.into(),
            application: "example".into(),
            execution: "example".into(),
            cancellation: Cancellation::new()?,
            deadline: Instant::now() + Duration::from_mins(1),
            counts: Counts::default(),
            exit: None,
        })
    }

    /// Time until the hook is asked to end.
    pub fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}
