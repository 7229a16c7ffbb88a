//! What the records of a run add up to.
//!
//! A fold: takes records one by one and keeps counts only, so its size does not depend on the number of cases. It does not
//! read files and does not know the runner; the log of a run that was killed adds up like any other, with the cases that
//! have no verdict counted as not run.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use zaf_core::application::ExitCode;

use super::model::{
    CasesSelected, HookFailed, RunEnd, RunFinished, RunStarted, SutRecovery, TestCaseFinished,
};
use super::record::{Record, RecordBody};
use super::unkillable::Unkillable;
use crate::case::Verdict;

/// How many cases ended with which verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Counts {
    /// See [`Verdict::Passed`].
    pub passed: u64,
    /// See [`Verdict::Failed`].
    pub failed: u64,
    /// See [`Verdict::Error`].
    pub error: u64,
    /// See [`Verdict::TimedOut`].
    pub timed_out: u64,
    /// See [`Verdict::Skipped`].
    pub skipped: u64,
    /// See [`Verdict::Ignored`].
    pub ignored: u64,
    /// See [`Verdict::Aborted`].
    pub aborted: u64,
    /// See [`Verdict::NotRun`].
    pub not_run: u64,
}

impl Counts {
    /// How many cases ended with `verdict`.
    pub const fn of(&self, verdict: Verdict) -> u64 {
        match verdict {
            Verdict::Passed => self.passed,
            Verdict::Failed => self.failed,
            Verdict::Error => self.error,
            Verdict::TimedOut => self.timed_out,
            Verdict::Skipped => self.skipped,
            Verdict::Ignored => self.ignored,
            Verdict::Aborted => self.aborted,
            Verdict::NotRun => self.not_run,
        }
    }

    /// Counts one more `verdict`.
    pub const fn add(&mut self, verdict: Verdict) {
        let count = match verdict {
            Verdict::Passed => &mut self.passed,
            Verdict::Failed => &mut self.failed,
            Verdict::Error => &mut self.error,
            Verdict::TimedOut => &mut self.timed_out,
            Verdict::Skipped => &mut self.skipped,
            Verdict::Ignored => &mut self.ignored,
            Verdict::Aborted => &mut self.aborted,
            Verdict::NotRun => &mut self.not_run,
        };
        *count += 1;
    }

    /// All of them together.
    pub fn total(&self) -> u64 {
        Verdict::ALL
            .into_iter()
            .map(|verdict| self.of(verdict))
            .sum()
    }

    /// Those that ran and were not good: failed, timed out, error.
    pub const fn failures(&self) -> u64 {
        self.failed + self.timed_out + self.error
    }
}

/// How many failed hooks are kept, by far more than a run has hooks. Of more only that there are some is known.
const MOST_HOOKS: usize = 100;

/// How many attempts to bring systems under test back are kept; of more only the number is known.
const MOST_RECOVERIES: usize = 1000;

/// An attempt to bring a system under test back.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recovery {
    /// Name of the system.
    pub sut: Arc<str>,
    /// When it began.
    pub started: Timestamp,
    /// How long it took; none if it did not come to an end.
    pub duration: Option<Duration>,
}

impl fmt::Display for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            sut,
            started,
            duration,
        } = self;
        match duration {
            Some(duration) => write!(
                f,
                "{sut} at {started}, took {:.3} s",
                duration.as_secs_f64()
            ),
            None => write!(f, "{sut} at {started}, did not come to an end"),
        }
    }
}

/// What the records of a run add up to.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    run: Option<RunStarted>,
    end: Option<RunFinished>,
    recorded: Counts,
    selected: Option<u64>,
    filtered_out: u64,
    sources: u64,
    flaky: u64,
    expected_failures: u64,
    unexpected_passes: u64,
    conflicts: u64,
    tolerated_passes: u64,
    leaking: u64,
    unkillable: Unkillable,
    worst: Option<Verdict>,
    failed_hooks: Vec<HookFailed>,
    recoveries: Vec<Recovery>,
    more_recoveries: u64,
    parts: Vec<Arc<str>>,
}

impl Summary {
    /// Of no records.
    pub fn new() -> Self {
        Self::default()
    }

    /// Of all `records`.
    pub fn of<'a>(records: impl IntoIterator<Item = &'a Record>) -> Self {
        let mut summary = Self::new();
        for record in records {
            summary.add(&record.body);
        }
        summary
    }

    /// Takes one more record into account.
    pub fn add(&mut self, body: &RecordBody) {
        match body {
            RecordBody::RunStarted(run) => self.add_start(run),
            RecordBody::CasesSelected(selected) => self.add_selection(selected),
            RecordBody::CaseStarted(_) | RecordBody::RunResumed(_) => {}
            RecordBody::RunMerged(part) => self.parts.push(Arc::clone(&part.run.run)),
            RecordBody::CaseFinished(case) => self.add_case(case),
            RecordBody::HookFailed(hook) => self.add_failed_hook(hook),
            RecordBody::SutRecovery(recovery) => self.add_recovery(recovery),
            RecordBody::RunFinished(end) => self.add_end(end),
        }
    }

    /// Takes the beginning or the end of an attempt to bring a system under test back into account.
    fn add_recovery(&mut self, told: &SutRecovery) {
        if let Some(duration) = told.duration {
            let mut open = self.recoveries.iter_mut().rev();
            let open = open.find(|known| known.sut == told.sut && known.duration.is_none());
            if let Some(known) = open {
                known.duration = Some(duration);
            }
        } else if self.recoveries.len() < MOST_RECOVERIES {
            self.recoveries.push(Recovery {
                sut: Arc::clone(&told.sut),
                started: told.at,
                duration: None,
            });
        } else {
            self.more_recoveries += 1;
        }
    }

    /// Ids of the runs that it was put together of; empty for the log of a single run.
    pub fn parts(&self) -> &[Arc<str>] {
        &self.parts
    }

    /// Attempts to bring systems under test back, in the order in which they began; of very many the first.
    pub fn recoveries(&self) -> &[Recovery] {
        &self.recoveries
    }

    /// How many attempts there were besides.
    pub fn more_recoveries(&self) -> u64 {
        self.more_recoveries
    }

    /// Takes the start of the run into account.
    pub fn add_start(&mut self, run: &RunStarted) {
        self.run = Some(run.clone());
    }

    /// Takes the selection of cases into account.
    pub fn add_selection(&mut self, selected: &CasesSelected) {
        self.selected = Some(selected.cases.len() as u64);
        self.filtered_out = selected.filtered_out;
        self.sources = selected.sources;
    }

    /// Takes the end of an attempt at a case into account.
    pub fn add_case(&mut self, case: &TestCaseFinished) {
        if !case.leaked.is_empty() {
            self.leaking += 1;
        }
        self.unkillable.add(case);
        if case.retried {
            return;
        }
        self.recorded.add(case.verdict);
        self.flaky += u64::from(case.is_flaky());
        self.expected_failures += u64::from(case.is_expected_failure());
        self.conflicts += u64::from(case.conflict);
        if case.is_unexpected_pass() {
            self.unexpected_passes += 1;
            self.tolerated_passes += u64::from(case.verdict == Verdict::Passed);
        }
        self.worst = Some(
            self.worst
                .map_or(case.verdict, |worst| worst.worst(case.verdict)),
        );
    }

    /// Takes a hook that failed into account.
    pub fn add_failed_hook(&mut self, hook: &HookFailed) {
        if self.failed_hooks.len() < MOST_HOOKS {
            self.failed_hooks.push(hook.clone());
        }
    }

    /// Takes the end of the run into account.
    pub fn add_end(&mut self, end: &RunFinished) {
        self.end = Some(end.clone());
    }

    /// Of how many cases the runs that the log was put together of say different things.
    pub fn conflicts(&self) -> u64 {
        self.conflicts
    }

    /// How the run began; none if the log does not say.
    pub fn run(&self) -> Option<&RunStarted> {
        self.run.as_ref()
    }

    /// How the run ended; none if it has not, or was killed.
    pub fn end(&self) -> Option<&RunFinished> {
        self.end.as_ref()
    }

    /// Verdicts of all selected cases. Cases without a verdict count as not run.
    pub fn counts(&self) -> Counts {
        Counts {
            not_run: self.recorded.not_run + self.unfinished(),
            ..self.recorded
        }
    }

    /// Cases that were selected and have no verdict: still running or waiting, or lost with a killed run.
    pub fn unfinished(&self) -> u64 {
        self.selected
            .unwrap_or(0)
            .saturating_sub(self.recorded.total())
    }

    /// How many cases have a verdict.
    pub fn recorded(&self) -> u64 {
        self.recorded.total()
    }

    /// How many cases were selected; those with a verdict if the log does not say.
    pub fn selected(&self) -> u64 {
        self.selected.unwrap_or(0).max(self.recorded.total())
    }

    /// How many cases were found and filtered out.
    pub const fn filtered_out(&self) -> u64 {
        self.filtered_out
    }

    /// How many sources the cases come from.
    pub const fn sources(&self) -> u64 {
        self.sources
    }

    /// How many passed after an attempt that did not. They are among the passed ones.
    pub const fn flaky(&self) -> u64 {
        self.flaky
    }

    /// How many failed and were expected to. They are among the skipped ones.
    pub const fn expected_failures(&self) -> u64 {
        self.expected_failures
    }

    /// How many passed and were expected to fail.
    pub const fn unexpected_passes(&self) -> u64 {
        self.unexpected_passes
    }

    /// How many of the unexpected passes are only told; these are among the passed ones, the others among the failed ones.
    pub const fn tolerated_passes(&self) -> u64 {
        self.tolerated_passes
    }

    /// How many attempts left processes behind.
    pub const fn leaking(&self) -> u64 {
        self.leaking
    }

    /// Processes that could not be killed.
    pub const fn unkillable(&self) -> &Unkillable {
        &self.unkillable
    }

    /// Hooks before and after the tests that failed, in the order in which they did: the first hundred.
    pub fn failed_hooks(&self) -> &[HookFailed] {
        &self.failed_hooks
    }

    /// The worst verdict; none if there is no case.
    pub fn worst(&self) -> Option<Verdict> {
        let missing = (self.unfinished() > 0).then_some(Verdict::NotRun);
        self.worst.max(missing)
    }

    /// How long the run took; none if it has not ended.
    pub fn duration(&self) -> Option<Duration> {
        self.end.as_ref().map(|end| end.duration)
    }

    /// How the command ends: by its cases and hooks, and by what else the end of the run says. Reports that fail and the like are merged
    /// by the command.
    pub fn exit_code(&self) -> ExitCode {
        let counts = self.counts();
        let mut exit = ExitCode::Success;
        if self.selected() == 0 {
            exit = exit.merge(ExitCode::NothingToRun);
        }
        if counts.failures() > 0 {
            exit = exit.merge(ExitCode::CasesFailed);
        }
        if counts.aborted + counts.not_run > 0 || !self.unkillable.is_empty() {
            exit = exit.merge(ExitCode::Incomplete);
        }
        if !self.failed_hooks.is_empty() {
            exit = exit.merge(ExitCode::ExtensionFailed);
        }
        let Some(end) = &self.end else {
            return exit.merge(ExitCode::Incomplete);
        };
        exit = match end.end {
            RunEnd::Completed => exit,
            RunEnd::TimeLimit => exit.merge(ExitCode::TimeLimit),
            RunEnd::Aborted { .. } => exit.merge(ExitCode::Incomplete),
        };
        end.fault().map_or(exit, |fault| exit.merge(fault))
    }

    /// What the exit code `exit` says of this run, as a fragment for a summary line: of several reasons that a code can have, those that
    /// apply.
    pub fn meaning_of(&self, exit: ExitCode) -> &'static str {
        let counts = self.counts();
        match exit {
            ExitCode::Incomplete if self.unkillable.is_empty() => {
                "incomplete: cases without a verdict"
            }
            ExitCode::Incomplete if counts.aborted + counts.not_run == 0 => {
                "incomplete: a process could not be killed"
            }
            _ => exit.meaning(),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::case::CaseId;

    fn selected(count: usize) -> RecordBody {
        let cases = (0..count)
            .map(|n| CaseId::new(format!("case-{n}")))
            .collect();
        RecordBody::CasesSelected(CasesSelected {
            cases,
            filtered_out: 2,
            sources: 1,
            seed: None,
        })
    }

    fn case(verdict: Verdict) -> TestCaseFinished {
        TestCaseFinished {
            verdict,
            ..TestCaseFinished::example()
        }
    }

    fn end(end: RunEnd) -> RecordBody {
        let duration = Duration::from_secs(1);
        RecordBody::RunFinished(RunFinished {
            finished: Timestamp::UNIX_EPOCH,
            duration,
            end,
            exit_code: None,
        })
    }

    fn summary(verdicts: &[Verdict], how: Option<RunEnd>) -> Summary {
        let mut summary = Summary::new();
        summary.add(&selected(verdicts.len()));
        for &verdict in verdicts {
            summary.add(&RecordBody::CaseFinished(case(verdict)));
        }
        if let Some(how) = how {
            summary.add(&end(how));
        }
        summary
    }

    fn exit(verdicts: &[Verdict], how: RunEnd) -> ExitCode {
        summary(verdicts, Some(how)).exit_code()
    }

    #[test]
    fn p5_the_exit_code_tells_the_worst_that_happened() {
        use Verdict::{Aborted, Error, Failed, Ignored, NotRun, Passed, Skipped, TimedOut};
        let aborted = || RunEnd::Aborted {
            reason: "SIGINT".into(),
        };
        assert_eq!(
            exit(&[Passed, Skipped, Ignored], RunEnd::Completed),
            ExitCode::Success
        );
        assert_eq!(exit(&[Skipped], RunEnd::Completed), ExitCode::Success);
        for bad in [Failed, Error, TimedOut] {
            assert_eq!(
                exit(&[Passed, bad], RunEnd::Completed),
                ExitCode::CasesFailed
            );
        }
        for open in [Aborted, NotRun] {
            assert_eq!(
                exit(&[Failed, open], RunEnd::Completed),
                ExitCode::Incomplete
            );
        }
        assert_eq!(exit(&[Passed], aborted()), ExitCode::Incomplete);
        for (verdict, retried) in [(Error, false), (Skipped, false), (Error, true)] {
            let mut held = summary(&[Passed], Some(RunEnd::Completed));
            held.add(&RecordBody::CaseFinished(TestCaseFinished {
                unkillable: vec![7],
                retried,
                ..case(verdict)
            }));
            assert_eq!(held.exit_code(), ExitCode::Incomplete, "{verdict}");
        }
        assert_eq!(
            exit(&[Failed, NotRun], RunEnd::TimeLimit),
            ExitCode::TimeLimit
        );
        assert_eq!(exit(&[], RunEnd::Completed), ExitCode::NothingToRun);
        let mut hooked = summary(&[Failed], Some(RunEnd::Completed));
        hooked.add(&RecordBody::HookFailed(HookFailed {
            phase: "POST_TESTS".into(),
            hook: "lab".into(),
            reason: "no answer".into(),
        }));
        assert_eq!(hooked.exit_code(), ExitCode::ExtensionFailed);
        // What the end says counts besides, but nothing that it says of cases: their verdicts are there.
        for (said, told) in [
            (ExitCode::ExtensionFailed, ExitCode::ExtensionFailed),
            (ExitCode::Usage, ExitCode::Usage),
            (ExitCode::InternalError, ExitCode::InternalError),
            (ExitCode::Incomplete, ExitCode::CasesFailed),
            (ExitCode::Success, ExitCode::CasesFailed),
        ] {
            let mut ended = summary(&[Failed], None);
            ended.add_end(&RunFinished {
                finished: Timestamp::UNIX_EPOCH,
                duration: Duration::from_secs(1),
                end: RunEnd::Completed,
                exit_code: Some(said),
            });
            assert_eq!(ended.exit_code(), told, "{said}");
        }
        assert_eq!(Summary::new().exit_code(), ExitCode::Incomplete);
    }

    #[test]
    fn p1_cases_without_a_verdict_count_as_not_run() {
        let mut summary = summary(&[], None);
        summary.add(&selected(3));
        summary.add(&RecordBody::CaseFinished(case(Verdict::Passed)));
        assert_eq!(
            summary.counts(),
            Counts {
                passed: 1,
                not_run: 2,
                ..Counts::default()
            }
        );
        assert_eq!(summary.worst(), Some(Verdict::NotRun));
        assert_eq!(summary.exit_code(), ExitCode::Incomplete);
    }

    #[test]
    fn e27_a_case_that_passes_on_a_later_attempt_is_flaky_and_counts_once() {
        let mut summary = Summary::new();
        summary.add(&selected(1));
        let first = TestCaseFinished {
            retried: true,
            ..case(Verdict::Failed)
        };
        summary.add(&RecordBody::CaseFinished(first));
        assert_eq!(summary.unfinished(), 1);
        let second = TestCaseFinished {
            attempt: 2,
            ..case(Verdict::Passed)
        };
        summary.add(&RecordBody::CaseFinished(second));
        summary.add(&end(RunEnd::Completed));
        assert_eq!((summary.counts().total(), summary.flaky()), (1, 1));
        assert_eq!(summary.worst(), Some(Verdict::Passed));
        assert_eq!(summary.exit_code(), ExitCode::Success);
    }
}
