//! `run`: finds, selects, runs and reports test cases.

use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use parking_lot::Mutex;
use zaf_core::application::{ABORT, CRITICAL_ABORT, CodedError};
use zaf_core::builtin::OUTPUT_DIR;
use zaf_core::command::ApplicationInfo;
use zaf_core::message::DispatcherKind;
use zaf_core::prelude::*;

use super::ask::ask;
use super::one_case;
use super::reports::Ending;
use super::selection::{self, SOURCES, Selection};
use super::time_limit;
use crate::hooks::{HOOK_FAILED, HOOKS, HOOKS_GRACE, HOOKS_TIMEOUT, Limits, Phases, Place};
use crate::messages::{
    RESULTS, RUNNER, ReportFailure, RunEnd, RunFinished, RunStarted, SYNC_EVENT_LOG, SyncEventLog,
    TEST_CASE_FINISHED, TEST_CASES_SELECTED, TEST_RUN_FINISHED, TEST_RUN_STARTED,
};
use crate::parameter::{EXCLUDE, LIMIT, PARAMETER};
use crate::results::{OUTPUTS_DIRECTORY, Progress, RunDirectory, Summary};
use crate::runner::{RUN_TEST_CASES, Resumed, RunEnded, RunPlan, status, workers};
use crate::supervisor::cookie::{Life, Owner};
use crate::supervisor::{self, RunClock, apart, guard, job_control, reap};
use crate::sut::Sequence;

/// Longest id of an execution that is taken over from the environment, in bytes: some dozen runs inside each other.
const LONGEST_OUTER: usize = 1024;

/// Runs test cases and reports how they ended.
///
/// Takes cases from files, directories and `kind:path`; without any, the cases that are linked into the program. Ends with 0 only if
/// every selected case passed: see the table of exit codes.
#[expect(
    clippy::missing_errors_doc,
    reason = "the documentation is the text of the help"
)]
#[command(
    name = "run",
    uses = ["find", "schedule", "run-cases", "report", "sut"],
    config_options = [
        SOURCES.optional(),
        PARAMETER.optional(),
        EXCLUDE.optional(),
        LIMIT.required(),
        OUTPUT_DIR.required(),
        HOOKS_TIMEOUT.required(),
        HOOKS_GRACE.required(),
    ],
)]
pub fn run(cx: &CommandContext<'_>) -> Result<ExitCode> {
    if let Some(case) = apart::this() {
        return one_case::run(cx, case);
    }
    let selection = selection::select(cx)?;
    let (directory, resumed) = if let Some(continuation) = guard::continuation() {
        go_on(continuation)?
    } else {
        let output = cx.config().get(OUTPUT_DIR)?;
        end_what_was_left(&output);
        let created = RunDirectory::create(&output);
        let directory = created.map_err(|error| ExitCode::Usage.with_error(error))?;
        (directory, None)
    };
    if let Some(owner) = guard::owner() {
        directory.note_owner(&owner);
    }
    if let Err(error) = status::listen() {
        tracing::warn!("SIGUSR1 does not tell what the run does: {error}");
    }
    let under_way = guard::UnderWay::in_directory(directory.path().as_std_path());
    supervisor::prepare()?;
    if let Err(error) = job_control::start() {
        tracing::warn!("cases do not stop when the run is stopped: {error}");
    }
    let progress = resumed.as_deref().map(Resumed::progress);
    let summary = Tally::listen(cx, progress)?;
    let before = resumed.as_deref().map(Resumed::spent);
    let clock = RunClock::start();
    let mut hooks = hooks(cx, &directory, &summary, resumed.is_some())?;
    let limit = cx.config().get(HOOKS_TIMEOUT)?;
    let mut suts = Sequence::new(cx.bus(), selection.suts.clone(), limit, cx.abort())?;
    let ended = execute(cx, selection, &directory, resumed, &mut hooks, &mut suts);
    suts.uninitialize();
    hooks.after_tests();
    let end = match &ended {
        Ok(ended) if ended.is_out_of_time || time_limit::is_reached() => RunEnd::TimeLimit,
        Ok(RunEnded { aborted: None, .. }) => RunEnd::Completed,
        Ok(RunEnded {
            aborted: Some(reason),
            ..
        }) => RunEnd::Aborted {
            reason: Arc::clone(reason),
        },
        Err(error) => RunEnd::Aborted {
            reason: format!("{error:#}").into(),
        },
    };
    let mut finished = RunFinished {
        finished: Timestamp::now(),
        duration: before.unwrap_or_default() + clock.elapsed(),
        end,
        exit_code: None,
    };
    let mut known = summary.take();
    known.add_end(&finished);
    let mut exit = known.exit_code();
    if let Some(code) = ended.as_ref().err().and_then(carried_code) {
        exit = exit.merge(code);
    }
    exit = suts.with_failures(hooks.with_failures(exit));
    // Reports have to tell the same, today and when they are made anew.
    finished.exit_code = Some(exit);
    cx.bus()
        .trigger_event(TEST_RUN_FINISHED, RUNNER, finished)?;
    drop(under_way);
    let exit = report(cx, &directory, &summary, exit, hooks)?;
    guard::sweep_without_guard();
    directory.note_end();
    // The number that was shown is the one that the shell sees.
    ended.map(|_| exit).map_err(|error| exit.with_error(error))
}

/// Ends what is left of the newest run in `output` if that was killed together with its guard. What other runs have left is for
/// `reap`: to look at all processes takes too long for the start of every run.
fn end_what_was_left(output: &Utf8Path) {
    let owner = RunDirectory::owner_of_dead_run(output);
    let owner: Option<Owner> = owner.and_then(|owner| owner.parse().ok());
    let Some(owner) = owner.filter(|owner| owner.life() == Life::Dead) else {
        return;
    };
    let reaped = reap::reap(Some(&owner));
    if !reaped.killed.is_empty() {
        let pids: Vec<String> = reaped
            .killed
            .iter()
            .map(|killed| killed.pid.to_string())
            .collect();
        tracing::warn!(
            "the last run was killed with its guard; what it had left behind was ended: {}",
            pids.join(", ")
        );
    }
    if !reaped.left.is_empty() {
        tracing::warn!(
            "processes that the last run left behind cannot be ended: see `reap --dry-run`"
        );
    }
}

/// The directory of a run whose runner died, and what is left of it to do.
fn go_on(continuation: &guard::Continuation) -> Result<(RunDirectory, Option<Arc<Resumed>>)> {
    let directory = RunDirectory::reopen(&continuation.directory)?;
    let progress = Progress::read(&directory.event_log())?;
    let resumed = Resumed::new(continuation, progress);
    Ok((directory, Some(Arc::new(resumed))))
}

/// The exit code that an error or one of its causes asks for, if any does.
fn carried_code(error: &Error) -> Option<ExitCode> {
    let mut causes = error.chain();
    causes.find_map(|cause| cause.downcast_ref::<CodedError>().map(CodedError::code))
}

/// What runs around the tests of this run.
fn hooks(
    cx: &CommandContext<'_>,
    directory: &RunDirectory,
    tally: &Tally,
    resumed: bool,
) -> Result<Phases> {
    let place = Place {
        run: directory.id().to_shared(),
        directory: directory.path().to_owned(),
        application: Arc::clone(&cx.application().name),
        execution: execution_prefix(cx, directory),
    };
    let limits = Limits {
        each: cx.config().get(HOOKS_TIMEOUT)?,
        grace: cx.config().get(HOOKS_GRACE)?,
    };
    let summary = Arc::clone(&tally.summary);
    Phases::new(cx.bus(), place, limits, summary, cx.abort(), resumed)
}

/// Runs the cases; returns how that went.
fn execute(
    cx: &CommandContext<'_>,
    selection: Selection,
    directory: &RunDirectory,
    resumed: Option<Arc<Resumed>>,
    hooks: &mut Phases,
    suts: &mut Sequence,
) -> Result<RunEnded> {
    let began = resumed
        .as_ref()
        .and_then(|resumed| resumed.progress().run());
    let run = match began {
        Some(run) => run.clone(),
        None => describe(cx, directory)?,
    };
    cx.bus().trigger_event(TEST_RUN_STARTED, RUNNER, run)?;
    if resumed.is_none() {
        hooks.before()?;
    }
    // A runner that goes on with a run has extensions that know nothing of those before.
    suts.initialize()?;
    let plan = RunPlan {
        selected: selection.filled.selected.into(),
        filtered_out: selection.filled.filtered_out,
        sources: selection.sources,
        seed: selection.filled.seed,
        run: execution_prefix(cx, directory),
        outputs: directory.path().join(OUTPUTS_DIRECTORY),
        scope: cx.scope().clone(),
        suts: selection.suts,
        resumed,
    };
    ask(cx.bus(), RUN_TEST_CASES, RUNNER, plan)
}

/// Id of the run, behind that of the execution that it is a part of: a case may run `zk2` itself, and what that leaves behind has
/// to be found by both.
fn execution_prefix(cx: &CommandContext<'_>, directory: &RunDirectory) -> Arc<str> {
    let environment = &cx.application().invocation.environment;
    let outer = environment
        .iter()
        .rfind(|(name, _)| name == supervisor::EXECUTION_VARIABLE)
        .and_then(|(_, value)| value.to_str())
        .filter(|outer| !outer.is_empty() && outer.len() <= LONGEST_OUTER);
    match outer {
        Some(outer) => format!("{outer}/{}", directory.id()).into(),
        None => directory.id().to_shared(),
    }
}

/// Who runs what, where.
fn describe(cx: &CommandContext<'_>, directory: &RunDirectory) -> Result<RunStarted> {
    let (working_directory, command_line) = called(cx.application());
    let workers = workers(cx.config())?.get();
    Ok(RunStarted {
        run: directory.id().to_shared(),
        application: Arc::clone(&cx.application().name),
        version: Arc::clone(&cx.application().version),
        started: Timestamp::now(),
        again: again(&command_line),
        command_line,
        working_directory,
        host: rustix::system::uname().nodename().to_string_lossy().into(),
        directory: directory.path().to_owned(),
        workers: u32::try_from(workers).unwrap_or(u32::MAX),
    })
}

/// Where and how the application was called: not the process, which may be another program that runs it inside.
fn called(application: &ApplicationInfo) -> (Utf8PathBuf, Vec<Arc<str>>) {
    let invocation = &application.invocation;
    let of_process = std::env::current_dir().unwrap_or_default();
    let directory = Utf8PathBuf::try_from(of_process).unwrap_or_default();
    let program = match invocation.program.to_string_lossy() {
        unknown if unknown.is_empty() => Arc::clone(&application.name),
        program => program.into(),
    };
    let arguments = invocation.arguments.iter();
    let arguments = arguments.map(|word| word.to_string_lossy().into());
    let command_line = std::iter::once(program).chain(arguments).collect();
    (directory.join(&invocation.directory), command_line)
}

/// The command line without its selection and order of cases, so that one with a selection can be made of it.
fn again(command_line: &[Arc<str>]) -> Vec<Arc<str>> {
    const SELECTION: [&str; 15] = [
        "--rerun",
        "--rerun-from",
        "--tests-exclude",
        "--tests-exclude-regex",
        "--tests-include",
        "--tests-include-regex",
        "--tests-order",
        "--tests-owner",
        "--tests-parameters",
        "--tests-repeat",
        "--tests-repeat-for",
        "--tests-seed",
        "--tests-shard",
        "--tests-shard-from",
        "--tests-tags",
    ];
    // The only one of them that takes no value.
    const FLAG: &str = "--tests-repeat-until-failure";
    let mut words = command_line.iter();
    let mut again = Vec::new();
    while let Some(word) = words.next() {
        let name = word.split_once('=').map_or(&**word, |(name, _)| name);
        if SELECTION.contains(&name) {
            if !word.contains('=') {
                words.next();
            }
        } else if name != FLAG {
            again.push(Arc::clone(word));
        }
    }
    again
}

/// Brings the event log to disk, has the reports written and asks the last hooks; says how the command ends: with `exit`, unless a
/// report is missing or a hook fails.
fn report(
    cx: &CommandContext<'_>,
    directory: &RunDirectory,
    tally: &Tally,
    exit: ExitCode,
    mut hooks: Phases,
) -> Result<ExitCode> {
    let problem = match ask(cx.bus(), SYNC_EVENT_LOG, RESULTS, SyncEventLog::default()) {
        Ok(log) => {
            let path = log.path;
            log.problem
                .map(|problem| format!("{path}: {problem}").into())
        }
        Err(error) => Some(format!("{error:#}").into()),
    };
    let failures = problem.map(|reason| ReportFailure {
        name: "events".into(),
        reason,
    });
    Ending {
        log: directory.event_log(),
        directory: directory.path().to_owned(),
        failures: failures.into_iter().collect(),
        summary: Arc::new(tally.take()),
        exit,
        signal: tally.signal(),
    }
    .report(cx.bus(), |exit, summary| {
        let exit = hooks.after_job(exit);
        *summary = Arc::new(tally.take());
        exit
    })
}

/// Adds up what the runner says: the same sum that a reader of the event log gets, also when nobody writes one.
struct Tally {
    summary: Arc<Mutex<Summary>>,
    /// The first signal that an abort came from; 0 for none.
    signal: Arc<AtomicI32>,
}

impl Tally {
    /// Begins with what the log of a run says that goes on.
    fn listen(cx: &CommandContext<'_>, progress: Option<&Progress>) -> Result<Self> {
        let before = progress.map(|progress| progress.summary.clone());
        let summary = Arc::new(Mutex::new(before.unwrap_or_default()));
        let [started, selected, finished, ended] = std::array::from_fn(|_| Arc::clone(&summary));
        cx.bus()
            .dispatcher(DispatcherKind::Callback, "run-summary")
            .on(TEST_RUN_STARTED, move |message, _| {
                started.lock().add_start(message.data());
                Ok(())
            })
            .on(TEST_CASES_SELECTED, move |message, _| {
                selected.lock().add_selection(message.data());
                Ok(())
            })
            .on(TEST_CASE_FINISHED, move |message, _| {
                finished.lock().add_case(message.data());
                Ok(())
            })
            .on(TEST_RUN_FINISHED, move |message, _| {
                ended.lock().add_end(message.data());
                Ok(())
            })
            .endpoints([RUNNER])
            .register()?;
        let failed = Arc::clone(&summary);
        cx.bus()
            .dispatcher(DispatcherKind::Callback, "run-hooks-summary")
            .on(HOOK_FAILED, move |message, _| {
                failed.lock().add_failed_hook(message.data());
                Ok(())
            })
            .endpoints([HOOKS])
            .register()?;
        let signal = Arc::new(AtomicI32::new(0));
        let (noted, at_once) = (Arc::clone(&signal), Arc::clone(&signal));
        cx.bus()
            .dispatcher(DispatcherKind::Callback, "run-signal")
            .on(ABORT, move |message, _| {
                let number = message.data().signal.unwrap_or(0);
                // Only the first counts, as for what is raised again at the end.
                let _ = noted.compare_exchange(0, number, Ordering::SeqCst, Ordering::SeqCst);
                Ok(())
            })
            .on(CRITICAL_ABORT, move |message, _| {
                // SIGQUIT comes without an ABORT.
                let number = message.data().signal.unwrap_or(0);
                let _ = at_once.compare_exchange(0, number, Ordering::SeqCst, Ordering::SeqCst);
                Ok(())
            })
            .register()?;
        Ok(Self { summary, signal })
    }

    fn take(&self) -> Summary {
        self.summary.lock().clone()
    }

    fn signal(&self) -> Option<i32> {
        Some(self.signal.load(Ordering::SeqCst)).filter(|&number| number != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_a_case_what_it_is_stays_in_the_command_line_that_runs_it_again() {
        let again = |words: &str| {
            let words: Vec<Arc<str>> = words.split(' ').map(Into::into).collect();
            again(&words).join(" ")
        };
        assert_eq!(
            again(
                "zk2 run suite --tests-include a --tests-tags=smoke --tests-suts net=each: --tests-timeout 2s \
                 --tests-shard 1/2 --tests-repeat-until-failure --rerun failed --suts-ids box -p size=4"
            ),
            "zk2 run suite --tests-suts net=each: --tests-timeout 2s --suts-ids box -p size=4"
        );
    }
}
