//! One execution of one case: from its start to what is said about its end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use zaf_core::component::Scope;

use super::settings::Settings;
use super::{RunPlan, apart, exit_watch, record, scopes};
use crate::case::{
    CaseAction, CaseFunction, CaseRun, Outcome, ProcessCase, TestCase, TestContext, Verdict, catch,
    take_down,
};
use crate::finder::interpret_end;
use crate::messages::{TestCaseFinished, TestCaseStarted};
use crate::supervisor::apart::Which;
use crate::supervisor::{self, Cancellation, OutputFiles, ProcessSpec, pause};

/// One try of a case on one worker.
#[derive(Debug)]
pub(super) struct Execution {
    /// Number of the execution, from 1; its attempts share it.
    pub(super) number: u64,
    /// Which try, from 1.
    pub(super) attempt: u32,
    /// Number of the worker, from 1.
    pub(super) worker: u32,
    /// Whether its function is called in a process of its own.
    pub(super) apart: bool,
    /// What is run.
    pub(super) case: Arc<TestCase>,
    /// When it began, for people.
    pub(super) started: Timestamp,
    /// When it began, for durations.
    pub(super) clock: Instant,
    /// How long the process had been stopped by then.
    pub(super) paused: Duration,
}

impl Execution {
    /// The time limit that applies; the case's own wins.
    pub(super) fn limit(&self, settings: &Settings) -> Option<Duration> {
        self.case.timeout.or(settings.timeout)
    }

    /// Whether it runs as a function on the worker's thread.
    pub(super) fn is_in_process(&self) -> bool {
        matches!(self.case.action, CaseAction::Function(_)) && !self.apart
    }

    /// What is said when it begins.
    pub(super) fn to_started(&self) -> TestCaseStarted {
        TestCaseStarted {
            execution: self.number,
            case: self.case.id.clone(),
            attempt: self.attempt,
            started: self.started,
            worker: self.worker,
            in_process: self.is_in_process(),
        }
    }

    /// What is said when it has ended like this, now.
    pub(super) fn to_finished(
        &self,
        verdict: Verdict,
        reason: Option<Arc<str>>,
    ) -> TestCaseFinished {
        let mut finished = not_started(self.number, &self.case, verdict, reason);
        finished.attempt = self.attempt;
        finished.started = self.started;
        let paused = pause::total().saturating_sub(self.paused);
        finished.duration = Some(self.clock.elapsed().saturating_sub(paused));
        finished.worker = self.worker;
        finished
    }

    /// Runs the case on the calling thread and says how it ended.
    ///
    /// `scope` is the module's scope, `cancellation` the worker's.
    pub(super) fn run(
        &self,
        settings: &Settings,
        scope: &Scope,
        plan: &RunPlan,
        cancellation: &Cancellation,
    ) -> TestCaseFinished {
        match &self.case.action {
            CaseAction::Function(_) if self.apart => self.run_apart(settings, plan, cancellation),
            CaseAction::Function(function) => {
                self.run_function(function, scope, plan, cancellation)
            }
            CaseAction::Process(process) => self.run_process(process, settings, plan, cancellation),
            CaseAction::LoadFailure(reason) => {
                self.to_finished(Verdict::Error, Some(reason.as_str().into()))
            }
        }
    }
}

/// What is said about a case that is not started.
pub(super) fn not_started(
    number: u64,
    case: &TestCase,
    verdict: Verdict,
    reason: Option<Arc<str>>,
) -> TestCaseFinished {
    let mut finished = TestCaseFinished::new(number, case.id.clone(), verdict, Timestamp::now());
    finished.reason = reason;
    finished.location.clone_from(&case.location);
    finished.owner.clone_from(&case.owner);
    finished.tags = case.tags.iter().map(|tag| tag.as_str().into()).collect();
    finished.parameters = case
        .parameters
        .iter()
        .map(|(name, value)| (name.as_str().into(), value.as_str().into()))
        .collect();
    finished
}

impl Execution {
    fn run_function(
        &self,
        function: &CaseFunction,
        module: &Scope,
        plan: &RunPlan,
        cancellation: &Cancellation,
    ) -> TestCaseFinished {
        let scope = module.child("test");
        let mut run = CaseRun::new(
            self.case.id.clone(),
            Arc::clone(&plan.run),
            plan.outputs.clone(),
            cancellation.clone(),
        );
        (run.number, run.attempt) = (self.number, self.attempt);
        // A scope that has ended already says so to whoever asks it for something.
        scope.provide(Arc::new(run)).ok();
        let context = TestContext::new(
            self.case.id.clone(),
            self.case.parameters.clone(),
            scope.clone(),
            cancellation.clone(),
        );
        let outcome = exit_watch::watched(&self.case.id, || catch(|| function(&context)));
        // Components of the test end within its time and before its verdict is told.
        let problems = take_down(&scope);
        let verdict = match (cancellation.is_cancelled(), outcome.verdict()) {
            // Asked to end, it ended: what it says about itself no longer counts.
            (true, _) => Verdict::Aborted,
            (false, verdict) => verdict,
        };
        let mut finished = self.to_finished(verdict, None);
        if let Some(reason) = outcome.reason() {
            let more = match &outcome {
                Outcome::Failed { detail, .. } => detail,
                _ => "",
            };
            tell_reason(&mut finished, reason, more);
        }
        scopes::tell_components(&mut finished, &problems);
        finished
    }

    fn run_process(
        &self,
        process: &ProcessCase,
        settings: &Settings,
        plan: &RunPlan,
        cancellation: &Cancellation,
    ) -> TestCaseFinished {
        let spec = self.spec(process, settings, plan);
        let end = match supervisor::run(&spec, cancellation) {
            Ok(end) => end,
            Err(error) => {
                let reason = format!("{:#}", zaf_core::Error::from(error));
                return self.to_finished(Verdict::Error, Some(reason.into()));
            }
        };
        let told = interpret_end(process.protocol, &end, &settings.skip_codes);
        let mut finished = self.to_finished(told.verdict, None);
        finished.duration = Some(end.duration);
        if let Some(reason) = told.reason {
            tell_reason(&mut finished, &reason, "");
        }
        finished.exit = end.exit.map(record::exit);
        finished.stdout = record::output(&end.stdout);
        finished.stderr = record::output(&end.stderr);
        finished.steps = told.steps;
        finished.leaked = record::leaked(&end.leaked);
        finished
    }

    /// Runs the function in a process of its own.
    fn run_apart(
        &self,
        settings: &Settings,
        plan: &RunPlan,
        cancellation: &Cancellation,
    ) -> TestCaseFinished {
        let which = Which {
            case: self.case.id.clone(),
            number: self.number,
            attempt: self.attempt,
            run: Arc::clone(&plan.run),
            outputs: plan.outputs.clone(),
        };
        let prepared = apart::prepare(&which).and_then(|(note, process)| {
            let input = note.input()?;
            let mut spec = self.spec(&process, settings, plan).input(input);
            // It is this program again, with the same configuration; what the case starts there does not get them.
            spec.inherits_secrets = true;
            Ok((note, spec))
        });
        let (note, spec) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => {
                let reason = format!("cannot be run in a process of its own: {error}");
                return self.to_finished(Verdict::Error, Some(reason.into()));
            }
        };
        let end = match supervisor::run(&spec, cancellation) {
            Ok(end) => end,
            Err(error) => {
                let reason = format!("{:#}", zaf_core::Error::from(error));
                return self.to_finished(Verdict::Error, Some(reason.into()));
            }
        };
        let told = apart::outcome(&note, &end);
        let mut finished = self.to_finished(told.verdict, None);
        finished.duration = Some(end.duration);
        if let Some(reason) = told.reason {
            tell_reason(&mut finished, &reason, &told.detail);
        }
        finished.exit = end.exit.map(record::exit);
        finished.stdout = record::output(&end.stdout);
        finished.stderr = record::output(&end.stderr);
        finished.leaked = record::leaked(&end.leaked);
        scopes::tell_components(&mut finished, &told.problems);
        finished
    }

    fn spec(&self, process: &ProcessCase, settings: &Settings, plan: &RunPlan) -> ProcessSpec {
        let cookie = format!("{}-{}-{}", plan.run, self.number, self.attempt);
        let mut spec = ProcessSpec::for_case(process, &self.case.id, cookie);
        spec.timeout = self.limit(settings);
        spec.grace = settings.grace;
        let name = format!(
            "{}-{}-{}",
            self.number,
            self.attempt,
            self.case.id.file_name()
        );
        let file = |stream: &str| plan.outputs.join(format!("{name}.{stream}"));
        spec.files = Some(OutputFiles::new(file("stdout"), file("stderr")));
        spec
    }
}

/// Notes why a case ended as it did: one line for summaries, the rest of a longer reason and `more` as detail.
fn tell_reason(finished: &mut TestCaseFinished, reason: &str, more: &str) {
    let (first, rest) = reason.split_once('\n').unwrap_or((reason, ""));
    finished.reason = Some(first.into());
    let detail = [rest, more].into_iter().filter(|part| !part.is_empty());
    let detail = detail.collect::<Vec<_>>().join("\n");
    if !detail.is_empty() {
        finished.detail = Some(detail.into());
    }
}
