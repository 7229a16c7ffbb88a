//! One execution of one case: from its start to what is said about its end.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use zaf_core::component::Scope;

use super::settings::Settings;
use super::{RunPlan, apart, exit_watch, expectation, memory, record, scopes};
use crate::case::journal::CaseFiles;
use crate::case::{
    CaseAction, CaseFunction, CaseRun, Evidence, Outcome, Phase, PhaseListener, ProcessCase,
    TestCase, TestContext, Told, Verdict, catch, collect, take_down,
};
use crate::finder::interpret_end;
use crate::messages::{TestCaseFinished, TestCaseStarted};
use crate::supervisor::apart::{Note, Which};
use crate::supervisor::clock::monotonic;
use crate::supervisor::{
    self, ATTACHMENTS_VARIABLE, Cancellation, OutputFiles, ProcessSpec, pause,
};

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
    /// What its function tells, once that runs.
    pub(super) evidence: OnceLock<Evidence>,
}

/// What is known when an attempt has ended, before it is weighed against what was expected.
struct Ended {
    finished: TestCaseFinished,
    told: Told,
    /// Components that could not be taken down.
    problems: Vec<String>,
}

impl Ended {
    /// Without problems of components.
    fn new(finished: TestCaseFinished, told: Told) -> Self {
        Self {
            finished,
            told,
            problems: Vec::new(),
        }
    }
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
            clock: Some(monotonic().saturating_sub(self.clock.elapsed())),
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
        finished.duration = Some(self.age());
        finished.worker = self.worker;
        finished
    }

    /// How long it has been going on, without the time for which the process was stopped.
    pub(super) fn age(&self) -> Duration {
        let elapsed = self.clock.elapsed();
        elapsed.saturating_sub(pause::total().saturating_sub(self.paused))
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
        phases: Option<PhaseListener>,
    ) -> TestCaseFinished {
        let ended = match &self.case.action {
            CaseAction::Function(_) if self.apart => self.run_apart(settings, plan, cancellation),
            CaseAction::Function(function) => {
                self.run_function(function, scope, settings, plan, cancellation, phases)
            }
            CaseAction::Process(process) => {
                let finished = self.run_process(process, settings, plan, cancellation);
                let told = self.collect(settings, plan, Told::default());
                Ended::new(finished, told)
            }
            CaseAction::LoadFailure(reason) => {
                let reason = Some(reason.as_str().into());
                Ended::new(self.to_finished(Verdict::Error, reason), Told::default())
            }
        };
        let mut finished = ended.finished;
        self.conclude(&mut finished, ended.told, settings);
        // Behind that: whatever was expected of the case, its components were expected to end well.
        scopes::tell_components(&mut finished, &ended.problems);
        finished
    }

    /// What is said when the function was given up like this, now.
    pub(super) fn given_up(
        &self,
        verdict: Verdict,
        reason: &str,
        settings: &Settings,
    ) -> TestCaseFinished {
        let told = self.evidence.get().map(Evidence::close);
        let mut finished = self.to_finished(verdict, Some(reason.into()));
        self.conclude(&mut finished, told.unwrap_or_default(), settings);
        finished
    }

    /// The event log has what the case told: it is not kept for the case that this process dies any more.
    pub(super) fn is_told(&self) {
        if let Some(evidence) = self.evidence.get() {
            evidence.forget();
        }
    }

    /// Adds what the case told, and weighs its end against what was expected.
    fn conclude(&self, finished: &mut TestCaseFinished, told: Told, settings: &Settings) {
        if !told.checks.is_empty() {
            finished.steps = told.checks;
        }
        finished.attachments = told.attachments;
        finished.attachments_left_out = told.attachments_left_out;
        if told.attachments_left_out > 0 {
            tracing::warn!(
                case = %self.case.id,
                "{} attachments were left out: over a limit, or no regular files",
                told.attachments_left_out
            );
        }
        let strict = settings.strict_expectations;
        expectation::weigh(finished, &self.case, told.expected_to_fail, strict);
    }

    /// Takes over what the processes of the case left in its directory of attachments, in addition to what was `told`.
    fn collect(&self, settings: &Settings, plan: &RunPlan, mut told: Told) -> Told {
        let directory = plan.outputs.join(format!("{}.attachments", self.name()));
        let root = plan.outputs.parent().unwrap_or(&plan.outputs);
        let known = std::mem::take(&mut told.attachments);
        match collect::collect(&directory, root, settings.attachments, known) {
            Ok(collected) => {
                told.attachments = collected.attachments;
                told.attachments_left_out += collected.left_out;
            }
            Err(error) => {
                tracing::warn!(case = %self.case.id, "attachments in `{directory}` are lost: {error}");
            }
        }
        told
    }

    /// What files of the attempt are called.
    fn name(&self) -> String {
        self.files().name()
    }

    /// What names them.
    pub(super) fn files(&self) -> CaseFiles<'_> {
        CaseFiles {
            number: self.number,
            attempt: self.attempt,
            case: &self.case.id,
        }
    }

    /// Whether there may be files that it has made; of a process of its own nobody knows.
    pub(super) fn may_have_files(&self) -> bool {
        self.apart || self.evidence.get().is_some_and(Evidence::has_directory)
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
    finished.suts = sut_names(case);
    finished.owner.clone_from(&case.owner);
    finished.tags = case.tags.iter().map(|tag| tag.as_str().into()).collect();
    finished.parameters = case.parameters.clone();
    finished
}

impl Execution {
    fn run_function(
        &self,
        function: &CaseFunction,
        module: &Scope,
        settings: &Settings,
        plan: &RunPlan,
        cancellation: &Cancellation,
        phases: Option<PhaseListener>,
    ) -> Ended {
        let scope = module.child("test");
        let mut run = CaseRun::new(
            self.case.id.clone(),
            Arc::clone(&plan.run),
            plan.outputs.clone(),
            cancellation.clone(),
        );
        (run.number, run.attempt) = (self.number, self.attempt);
        // A scope that has ended already says so to whoever asks it for something.
        let run = Arc::new(run);
        scope.provide(Arc::clone(&run)).ok();
        let evidence = Evidence::in_runner(run, settings.attachments, phases);
        let evidence = self.evidence.get_or_init(|| evidence);
        evidence.enter(Phase::SetUp);
        let context = TestContext::with_evidence(
            self.case.id.clone(),
            self.case.parameters.clone(),
            scope.clone(),
            cancellation.clone(),
            evidence.clone(),
        )
        .bound(&self.case.binding);
        let outcome = exit_watch::watched(&self.case.id, || {
            evidence.within(|| catch(|| function(&context)))
        });
        // Components of the test end within its time and before its verdict is told.
        evidence.enter(Phase::Teardown);
        let problems = take_down(&scope);
        let told = evidence.close();
        let outcome = told.weigh(outcome);
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
        Ended {
            finished,
            told,
            problems,
        }
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
        if let Some(limit) = settings.memory {
            memory::weigh(&mut finished, limit);
        }
        finished.steps = told.steps;
        finished.leaked = record::leaked(&end.leaked);
        finished.unkillable = record::unkillable(&end);
        finished
    }

    /// Runs the function in a process of its own.
    fn run_apart(&self, settings: &Settings, plan: &RunPlan, cancellation: &Cancellation) -> Ended {
        let failed = |reason: String| {
            let finished = self.to_finished(Verdict::Error, Some(reason.into()));
            Ended::new(finished, Told::default())
        };
        let mut which = Which {
            case: self.case.id.clone(),
            number: self.number,
            attempt: self.attempt,
            run: Arc::clone(&plan.run),
            outputs: plan.outputs.clone(),
            limits: settings.attachments,
            suts: sut_names(&self.case),
            bell: None,
            memory: settings.memory,
        };
        let noted = Note::with_limits(&mut which, settings.phases);
        let prepared = noted.and_then(|(note, phases)| {
            let input = note.input()?;
            let mut spec = self.spec(&apart::process(), settings, plan).input(input);
            spec.phases = phases;
            // It limits itself, when all that the function does not need is there.
            spec.memory = None;
            // It is this program again, with the same configuration; what the case starts there does not get them.
            spec.inherits_secrets = true;
            Ok((note, spec))
        });
        let (note, spec) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => {
                return failed(format!("cannot be run in a process of its own: {error}"));
            }
        };
        let end = match supervisor::run(&spec, cancellation) {
            Ok(end) => end,
            Err(error) => return failed(format!("{:#}", zaf_core::Error::from(error))),
        };
        let mut told = Told::default();
        for entry in note.told() {
            told.add(entry);
        }
        let told = self.collect(settings, plan, told);
        let how = apart::outcome(&note, &end, &told);
        let mut finished = self.to_finished(how.verdict, None);
        finished.duration = Some(end.duration);
        if let Some(reason) = how.reason {
            tell_reason(&mut finished, &reason, &how.detail);
        }
        finished.exit = end.exit.map(record::exit);
        finished.stdout = record::output(&end.stdout);
        finished.stderr = record::output(&end.stderr);
        if let Some(limit) = settings.memory {
            memory::weigh(&mut finished, limit);
        }
        finished.leaked = record::leaked(&end.leaked);
        finished.unkillable = record::unkillable(&end);
        Ended {
            finished,
            told,
            problems: how.problems,
        }
    }

    fn spec(&self, process: &ProcessCase, settings: &Settings, plan: &RunPlan) -> ProcessSpec {
        let cookie = format!("{}-{}-{}", plan.run, self.number, self.attempt);
        let mut spec = ProcessSpec::for_case(process, &self.case.id, cookie);
        spec.timeout = match (self.limit(settings), settings.phases.body) {
            // The process of an executable is all body; that of a function has its set-up and teardown too.
            (whole, Some(body)) if !self.apart => Some(whole.map_or(body, |whole| whole.min(body))),
            (whole, _) => whole,
        };
        spec.grace = settings.grace;
        spec.memory = settings.memory;
        let name = self.name();
        let file = |stream: &str| plan.outputs.join(format!("{name}.{stream}"));
        spec.files = Some(OutputFiles::new(file("stdout"), file("stderr")));
        // The case may work in another directory.
        if let Ok(attachments) = std::path::absolute(file("attachments")) {
            spec.environment
                .push((ATTACHMENTS_VARIABLE.into(), attachments.into()));
        }
        spec
    }
}

/// Names of the systems under test that a case runs on.
fn sut_names(case: &TestCase) -> Vec<Arc<str>> {
    let suts = case.binding.suts().iter();
    suts.map(|sut| sut.name().into()).collect()
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
