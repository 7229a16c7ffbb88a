//! What it means for the verdict that a case was expected to fail.

use std::sync::Arc;

use crate::case::{CaseAction, ExpectedToFail, TestCase, Verdict};
use crate::results::{ExpectedFailure, TestCaseFinished};

/// Weighs how a case ended against what was expected. What it said itself while it ran counts more than what was known before.
///
/// A case that could not be loaded, was skipped, or was ended by the end of the run says nothing about a fault, and stays as it is.
pub(super) fn weigh(
    finished: &mut TestCaseFinished,
    case: &TestCase,
    at_run_time: Option<String>,
    is_strict: bool,
) {
    let at_run_time = at_run_time.map(|reason| {
        let known = case.expected_to_fail.as_deref();
        let mut said = ExpectedToFail::new(reason, "run time");
        said.link = known.and_then(|known| known.link.clone());
        said.strict = known.and_then(|known| known.strict);
        said
    });
    let Some(known) = at_run_time.as_ref().or(case.expected_to_fail.as_deref()) else {
        return;
    };
    let ended = finished.verdict;
    let can_be_expected = !matches!(case.action, CaseAction::LoadFailure(_));
    if !can_be_expected || !(ended.is_failure() || ended == Verdict::Passed) {
        return;
    }
    let ExpectedToFail { reason, strict, .. } = known;
    let why = match &known.link {
        Some(link) => format!("{reason} ({link})"),
        None => reason.clone(),
    };
    if ended.is_failure() {
        let lines = [
            finished
                .reason
                .as_deref()
                .map(|why| format!("{ended}: {why}")),
            finished.detail.as_deref().map(str::to_owned),
        ];
        let lines: Vec<_> = lines.into_iter().flatten().collect();
        finished.detail = (!lines.is_empty()).then(|| lines.join("\n").into());
        finished.reason = Some(format!("expected to fail: {why}").into());
        finished.verdict = Verdict::Skipped;
    } else {
        finished.reason = Some(format!("passed, but was expected to fail: {why}").into());
        if strict.unwrap_or(is_strict) {
            finished.verdict = Verdict::Failed;
            finished.detail = Some(format!("expected by {}", known.by).into());
        }
    }
    finished.expected_failure = Some(Box::new(ExpectedFailure {
        ended,
        reason: reason.as_str().into(),
        link: known.link.as_deref().map(Arc::from),
        by: known.by.as_str().into(),
    }));
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::case::{CaseId, ProcessCase, Protocol};

    fn weighed(
        ended: Verdict,
        strict: Option<bool>,
        at_run_time: Option<&str>,
        is_strict: bool,
    ) -> TestCaseFinished {
        let action = CaseAction::Process(Box::new(ProcessCase {
            program: "true".into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            directory: None,
            protocol: Protocol::ExitCode,
        }));
        let mut case = TestCase::new(CaseId::new("a"), action);
        let mut known = ExpectedToFail::new("broken board", "known.toml:3");
        known.strict = strict;
        case.expected_to_fail = Some(Box::new(known));
        let mut finished = TestCaseFinished::new(1, case.id.clone(), ended, Timestamp::UNIX_EPOCH);
        finished.reason = Some("exit status 1".into());
        weigh(
            &mut finished,
            &case,
            at_run_time.map(str::to_owned),
            is_strict,
        );
        finished
    }

    #[test]
    fn a_failure_that_was_expected_is_none_and_says_what_happened() {
        for ended in [Verdict::Failed, Verdict::Error, Verdict::TimedOut] {
            let finished = weighed(ended, None, None, true);
            assert_eq!(finished.verdict, Verdict::Skipped);
            assert_eq!(finished.outcome(), "expected-failure");
            assert_eq!(
                finished.reason.as_deref(),
                Some("expected to fail: broken board")
            );
            let detail = format!("{ended}: exit status 1");
            assert_eq!(finished.detail.as_deref(), Some(detail.as_str()));
        }
    }

    #[test]
    fn a_pass_that_was_not_expected_fails_or_is_told() {
        for (own, run, verdict) in [
            (None, true, Verdict::Failed),
            (None, false, Verdict::Passed),
            (Some(false), true, Verdict::Passed),
            (Some(true), false, Verdict::Failed),
        ] {
            let finished = weighed(Verdict::Passed, own, None, run);
            assert_eq!(finished.verdict, verdict);
            assert_eq!(finished.outcome(), "unexpected-pass");
            let reason = finished.reason.as_deref();
            assert_eq!(
                reason,
                Some("passed, but was expected to fail: broken board")
            );
        }
    }

    #[test]
    fn what_says_nothing_about_the_fault_stays_as_it_is() {
        use Verdict::{Aborted, Ignored, NotRun, Skipped};
        for ended in [Skipped, Ignored, Aborted, NotRun] {
            let finished = weighed(ended, None, Some("x"), true);
            assert_eq!((finished.verdict, finished.expected_failure), (ended, None));
        }
    }

    #[test]
    fn what_the_case_says_counts_more() {
        let finished = weighed(Verdict::Failed, None, Some("no rack"), true);
        let known = finished.expected_failure.unwrap();
        assert_eq!((&*known.reason, &*known.by), ("no rack", "run time"));
    }
}
