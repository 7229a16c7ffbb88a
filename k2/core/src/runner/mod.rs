//! Runs the cases of a run queue.
//!
//! [`TestRunner`] answers [`RUN_TEST_CASES`] on the thread that asks and returns when every selected case has been told as finished,
//! whatever happened to it: passed or not, stopped, given up, or never started.
//!
//! Threads: `worker-1` to `worker-n` run cases; the asking thread supervises them (`pool`). Messages about a case are sent from
//! its worker, or from the supervising thread if the case was taken away from the worker.
//!
//! What it does is seen by messages. This extension listens to what the runner tells, on a run of two cases:
//!
//! ```
//! # use k2_core as k2;
//! use std::sync::Mutex;
//!
//! use k2::messages::{TEST_CASE_FINISHED, TestCaseFinished};
//! use zaf_core::prelude::*;
//!
//! static ENDED: Mutex<Vec<String>> = Mutex::new(Vec::new());
//!
//! /// Notes how cases end.
//! #[command_extension(name = "notes", extends = [k2::RUN_COMMAND])]
//! struct Notes;
//!
//! impl Extension for Notes {
//!     fn new(_: &ExtensionContext<'_>) -> Result<Self> {
//!         Ok(Self)
//!     }
//! }
//!
//! #[dispatchers]
//! impl Notes {
//!     #[callback_dispatcher(TEST_CASE_FINISHED)]
//!     fn on_finished(&self, message: &Message<TestCaseFinished>) {
//!         let case = message.data();
//!         let mut ended = ENDED.lock().expect("nobody panics while holding it");
//!         ended.push(format!("{} {}", case.case.as_str(), case.verdict));
//!     }
//! }
//!
//! fn main() -> Result<()> {
//!     use zaf_core::application::Console;
//!     use zaf_core::command::Invocation;
//!     let directory = tempfile::tempdir()?;
//!     let suite = directory.path().join("suite");
//!     std::fs::create_dir(&suite)?;
//!     std::os::unix::fs::symlink("/bin/true", suite.join("works"))?;
//!     std::os::unix::fs::symlink("/bin/false", suite.join("breaks"))?;
//!     let line = ["run".into(), suite.into_os_string(), "--output-dir".into(), directory.path().join("output").into()];
//!     let (console, printed) = Console::captured();
//!     let code = k2::application("acme").run_with(Invocation::new(line), &console);
//!     assert_eq!(code, ExitCode::CasesFailed, "{}", printed.stderr());
//!     let mut ended = ENDED.lock().expect("nobody panics while holding it").clone();
//!     ended.sort();
//!     let ends = |case: &str, with: &str| case.ends_with(with);
//!     assert!(ends(&ended[0], "::breaks failed") && ends(&ended[1], "::works passed"), "{ended:?}");
//!     Ok(())
//! }
//! ```

mod abort;
pub(crate) mod apart;
mod execution;
mod exit_watch;
mod expectation;
mod gate;
mod keeping;
mod left;
mod logs;
mod memory;
mod pauses;
mod pool;
mod record;
mod resumed;
mod scopes;
mod settings;
mod slot;
pub(crate) mod status;
mod worker;

use std::num::NonZeroUsize;
use std::sync::Arc;

use camino::Utf8PathBuf;
use zaf_core::application::{ABORT, Abort, CRITICAL_ABORT};
use zaf_core::component::Scope;
use zaf_core::config::ConfigView;
use zaf_core::prelude::*;

use self::abort::AbortState;
use self::gate::Gate;
pub use self::keeping::{ARTEFACT_BYTES, KEEP_ARTEFACTS};
pub use self::logs::{LOG_CASES, RunLogs};
pub use self::memory::MEMORY_LIMIT;
pub use self::resumed::Resumed;
use self::settings::Settings;
pub use self::settings::{
    ATTACHED_BYTES, ATTACHED_FILES, BODY_TIMEOUT, GRACE, ISOLATION, RETRIES, RETRY_KILLERS,
    RUN_TIMEOUT, SETUP_TIMEOUT, SKIP_CODES, STRICT, TEARDOWN_TIMEOUT, TIMEOUT, WORKERS, ZeroLimit,
};
use crate::messages::{
    CasesSelected, RUNNER, TEST_CASE_FINISHED, TEST_CASE_STARTED, TEST_CASES_SELECTED,
    TEST_RUN_CONTINUED, TEST_RUN_FINISHED, TEST_RUN_PAUSED, TEST_RUN_RESUMED, TEST_RUN_STARTED,
};
use crate::scheduler::{QueuedCase, TEST_CASES_HELD_BACK, WaitingWorkers};
use crate::supervisor::{ENV_ALLOW, ENV_INHERIT, GUARD, SECRETS, guard, withhold_by_options};
use crate::sut::{SUT_RESET_DONE, SUT_RESET_STARTED, SutReset, Suts};

/// By it a run is ended that does not do what it should: what it does is of interest.
const QUIT: i32 = rustix::process::Signal::QUIT.as_raw();

/// Runs everything that is in the run queue; answered when all cases are told as finished.
pub const RUN_TEST_CASES: RequestId<RunPlan, RunEnded> =
    RequestId::new("RUN_TEST_CASES", "Runs all test cases of the queue.");

/// What is to be run.
#[derive(Debug, Clone)]
pub struct RunPlan {
    /// The cases in the queue, in its order.
    pub selected: Arc<[QueuedCase]>,
    /// How many more were found and filtered out.
    pub filtered_out: usize,
    /// How many sources they come from.
    pub sources: usize,
    /// What their order was drawn with, if it was.
    pub seed: Option<u64>,
    /// What the `K2_EXECUTION` of every process of the run begins with: the id of the run, behind that of the execution whose
    /// case the run is a part of, if any.
    pub run: Arc<str>,
    /// Directory for outputs that are too long for a record; exists or can be made.
    pub outputs: Utf8PathBuf,
    /// Parent of all scopes of the run.
    pub scope: Scope,
    /// The systems under test.
    pub suts: Suts,
    /// What is left to do, if another runner died of a case of this run.
    pub resumed: Option<Arc<Resumed>>,
}

/// How a run went, apart from its cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunEnded {
    /// Why the run was aborted, if it was.
    pub aborted: Option<Arc<str>>,
    /// Whether that was because the time limit of the run was reached.
    pub is_out_of_time: bool,
}

/// Runs test cases in parallel, each with its time limit, and ends them when the run is aborted.
#[command_extension(
    name = "testrunner",
    extends = ["run-cases"],
    config_options = [
        WORKERS.required(),
        TIMEOUT.optional(),
        RUN_TIMEOUT.optional(),
        SETUP_TIMEOUT.optional(),
        BODY_TIMEOUT.optional(),
        TEARDOWN_TIMEOUT.optional(),
        GRACE.required(),
        SKIP_CODES.required(),
        RETRIES.required(),
        RETRY_KILLERS.required(),
        ISOLATION.required(),
        STRICT.required(),
        ATTACHED_FILES.required(),
        ATTACHED_BYTES.required(),
        KEEP_ARTEFACTS.required(),
        ARTEFACT_BYTES.required(),
        MEMORY_LIMIT.optional(),
        LOG_CASES.required(),
        GUARD.required(),
        SECRETS.required(),
        ENV_INHERIT.required(),
        ENV_ALLOW.optional(),
    ],
    endpoints_and_messages = {
        RUNNER: [
            RUN_TEST_CASES,
            TEST_RUN_STARTED,
            TEST_CASES_SELECTED,
            TEST_CASE_STARTED,
            TEST_CASE_FINISHED,
            TEST_RUN_RESUMED,
            TEST_RUN_PAUSED,
            TEST_RUN_CONTINUED,
            TEST_RUN_FINISHED,
            ABORT,
        ],
    },
)]
#[derive(Debug)]
pub struct TestRunner {
    settings: Settings,
    abort: Arc<AbortState>,
    /// Exists from the start: a reset that is announced before the run counts.
    gate: Arc<Gate>,
}

impl Extension for TestRunner {
    fn new(cx: &ExtensionContext<'_>) -> Result<Self> {
        guard::check_option(cx.config())?;
        withhold_by_options(cx)?;
        Settings::check_limits(cx.config())?;
        Ok(Self {
            settings: Settings::read(cx.config())?,
            abort: Arc::default(),
            gate: Arc::default(),
        })
    }
}

#[dispatchers]
impl TestRunner {
    #[callback_dispatcher(RUN_TEST_CASES, long_running = true)]
    fn run(&self, message: &Message<RunPlan>, bus: &MessageBus) -> Result<RunEnded> {
        let plan = message.data().clone();
        let resumed = plan.resumed.clone();
        let again = resumed.as_ref().and_then(|resumed| resumed.selected());
        let selected = again.unwrap_or_else(|| CasesSelected {
            cases: plan.selected.iter().map(QueuedCase::id).collect(),
            filtered_out: plan.filtered_out as u64,
            sources: plan.sources as u64,
            seed: plan.seed,
        });
        bus.trigger_event(TEST_CASES_SELECTED, RUNNER, selected)?;
        if let Some(resumed) = resumed {
            bus.trigger_event(TEST_RUN_RESUMED, RUNNER, resumed.to_message())?;
        }
        let is_out_of_time = pool::Run::execute(
            bus.clone(),
            self.settings.clone(),
            plan,
            &self.abort,
            &self.gate,
        )?;
        Ok(RunEnded {
            is_out_of_time,
            aborted: self.abort.reason(),
        })
    }

    #[callback_dispatcher(SUT_RESET_STARTED, optional = true)]
    fn on_reset_started(&self, message: &Message<SutReset>) {
        if let Some(sut) = message.entity() {
            self.gate.close(sut);
        }
    }

    #[callback_dispatcher(SUT_RESET_DONE, optional = true)]
    fn on_reset_done(&self, message: &Message<SutReset>) {
        if let Some(sut) = message.entity() {
            self.gate.open(sut);
        }
    }

    #[callback_dispatcher(TEST_CASES_HELD_BACK, optional = true)]
    fn on_held_back(&self, message: &Message<WaitingWorkers>) {
        self.gate.note_held_back(*message.data());
    }

    #[callback_dispatcher(ABORT)]
    fn on_abort(&self, message: &Message<Abort>) {
        self.abort.abort(message.data());
    }

    #[callback_dispatcher(CRITICAL_ABORT)]
    fn on_critical_abort(&self, message: &Message<Abort>) {
        let abort = message.data();
        // Before what runs is killed.
        if abort.signal == Some(QUIT) {
            status::dump(&abort.reason);
        }
        self.abort.kill(abort);
    }
}

/// The number of workers that `parallel.workers` stands for: 0 is one per processor.
///
/// # Errors
/// If the option has no usable value.
pub fn workers(config: &ConfigView) -> Result<NonZeroUsize> {
    Ok(Settings::read_workers(config)?)
}
