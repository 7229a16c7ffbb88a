//! The queue as others see it on the bus.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;
use zaf_core::application::{ABORT, Abort, CRITICAL_ABORT};
use zaf_core::message::DispatcherKind;
use zaf_core::prelude::*;
use zaf_harness::prelude::*;

use super::*;
use crate::case::{CaseAction, Verdict};
use crate::messages::RUNNER;

type Harness = ExtensionTestHarness<TestScheduler>;

const LIMIT: Duration = Duration::from_mins(1);

fn case(name: &str, resources: &[&str]) -> TestCase {
    let mut case = TestCase::new(CaseId::new(name), CaseAction::LoadFailure(String::new()));
    for resource in resources {
        case.need(resource);
    }
    case
}

fn builder() -> zaf_harness::HarnessBuilder<TestScheduler> {
    Harness::builder()
        .define(RUNNER, [TEST_CASE_FINISHED])
        .define(MOCK_ENDPOINT, [ABORT, CRITICAL_ABORT])
}

fn ask<P: Send + Sync + 'static, R: Send + 'static>(
    harness: &Harness,
    request: RequestId<P, R>,
    payload: P,
) -> Result<R> {
    let mut replies = harness.send_request(request, SCHEDULER, payload)?;
    let reply = replies.next(LIMIT).expect("the scheduler answers");
    Ok(reply.result?)
}

fn fill(harness: &Harness, cases: Vec<TestCase>) -> RunQueueFilled {
    let found = Mutex::new(cases);
    ask(harness, FILL_RUN_QUEUE, FillRunQueue { found }).unwrap()
}

fn next(harness: &Harness) -> Option<String> {
    let case = ask(harness, SCHEDULE_NEXT_TEST, NextTest::default()).unwrap();
    case.map(|case| case.id.as_str().to_owned())
}

fn names<C: Clone + Into<QueuedCase>>(cases: &[C]) -> Vec<String> {
    let cases = cases.iter().cloned().map(Into::into);
    cases
        .map(|case: QueuedCase| case.id().as_str().to_owned())
        .collect()
}

fn finish(harness: &Harness, name: &str, verdict: Verdict) {
    let finished = TestCaseFinished::new(1, CaseId::new(name), verdict, Timestamp::now());
    harness
        .trigger_event(TEST_CASE_FINISHED, RUNNER, finished)
        .unwrap();
}

#[test]
fn others_add_remove_and_reorder_cases() {
    let harness = builder().start().unwrap();
    let modified = harness.message_queue([RUN_QUEUE_MODIFIED]).unwrap();
    let filled = fill(&harness, ["a", "b", "c"].map(|name| case(name, &[])).into());
    assert_eq!(names(&filled.selected), ["a", "b", "c"]);
    let added = vec![Arc::new(case("d", &[]))];
    assert_eq!(ask(&harness, ADD_TEST_CASES, added).unwrap(), 4);
    let front = vec![CaseId::new("d"), CaseId::new("c")];
    ask(&harness, REORDER_TEST_CASES, front).unwrap();
    let removed = RemoveTestCases {
        cases: vec![CaseId::new("a"), CaseId::new("nobody")],
        reason: "not on this board".to_owned(),
    };
    assert_eq!(
        names(&ask(&harness, REMOVE_TEST_CASES, removed).unwrap()),
        ["a"]
    );
    let waiting = ask(&harness, GET_CURRENT_RUN_QUEUE, ()).unwrap();
    assert_eq!(names(&waiting), ["d", "c", "b"]);
    for waiting in [4, 4, 3] {
        let told = modified.recv_timeout(LIMIT).unwrap();
        assert_eq!(told.data().waiting, waiting);
    }
    assert_eq!(next(&harness).as_deref(), Some("d"));
    let last = ask(&harness, GET_LAST_SCHEDULED_TEST, ()).unwrap();
    assert_eq!(last.unwrap().id.as_str(), "d");
    assert_eq!(next(&harness).as_deref(), Some("c"));
    assert_eq!(next(&harness).as_deref(), Some("b"));
    // What was taken out of a run that goes on still gets its verdict.
    let ended = ask(&harness, SCHEDULE_NEXT_TEST, NextTest::default())
        .unwrap()
        .unwrap();
    assert_eq!(ended.id.as_str(), "a");
    assert_eq!(ended.disabled.as_deref(), Some("not on this board"));
    assert_eq!(next(&harness), None);
}

#[test]
fn k2_f21_clearing_is_told_and_adding_after_an_abort_is_refused() {
    let harness = builder().start().unwrap();
    let modified = harness.message_queue([RUN_QUEUE_MODIFIED]).unwrap();
    fill(&harness, vec![case("a", &[])]);
    harness
        .trigger_event(ABORT, MOCK_ENDPOINT, Abort::because("enough"))
        .unwrap();
    let error = ask(&harness, ADD_TEST_CASES, vec![Arc::new(case("b", &[]))]).unwrap_err();
    assert!(
        format!("{error:#}").contains("is being aborted"),
        "{error:#}"
    );
    assert_eq!(names(&ask(&harness, CLEAR_RUN_QUEUE, ()).unwrap()), ["a"]);
    assert_eq!(modified.recv_timeout(LIMIT).unwrap().data().waiting, 0);
    assert_eq!(next(&harness), None);
}

#[test]
fn what_a_listener_changes_counts_for_the_very_next_case() {
    let harness = builder().start().unwrap();
    let more = Mutex::new(vec![Arc::new(case("more", &[]))]);
    let listener = harness
        .bus()
        .dispatcher(DispatcherKind::Callback, "looper")
        .on(RUN_QUEUE_INITIALIZED, |_, bus| {
            let removed = RemoveTestCases {
                cases: vec![CaseId::new("b")],
                reason: String::new(),
            };
            bus.send_request(REMOVE_TEST_CASES, SCHEDULER, removed)?;
            Ok(())
        })
        .on(SCHEDULING_NEXT_TEST, |_, bus| {
            let front = vec![CaseId::new("c")];
            bus.send_request(REORDER_TEST_CASES, SCHEDULER, front)?;
            Ok(())
        })
        .on(RUN_QUEUE_EMPTY, move |_, bus| {
            let more = std::mem::take(&mut *more.lock());
            bus.send_request(ADD_TEST_CASES, SCHEDULER, more)?;
            Ok(())
        })
        .endpoints([SCHEDULER])
        .register()
        .unwrap();
    let filled = fill(&harness, ["a", "b", "c"].map(|name| case(name, &[])).into());
    assert_eq!(names(&filled.selected), ["a", "c"]);
    assert_eq!(filled.filtered_out, 1);
    let order: Vec<_> = std::iter::from_fn(|| next(&harness)).collect();
    assert_eq!(order, ["c", "a", "more"]);
    listener.destroy();
}

#[test]
fn who_needs_what_another_has_waits_for_it() {
    let harness = builder().start().unwrap();
    fill(&harness, vec![case("a", &["db"]), case("b", &["db"])]);
    assert_eq!(next(&harness).as_deref(), Some("a"));
    std::thread::scope(|scope| {
        let second = scope.spawn(|| next(&harness));
        finish(&harness, "a", Verdict::Passed);
        assert_eq!(second.join().unwrap().as_deref(), Some("b"));
    });
    // Nobody is kept waiting by a run that is being aborted.
    ask(&harness, ADD_TEST_CASES, vec![Arc::new(case("c", &["db"]))]).unwrap();
    std::thread::scope(|scope| {
        let third = scope.spawn(|| next(&harness));
        harness
            .trigger_event(ABORT, MOCK_ENDPOINT, Abort::because("enough"))
            .unwrap();
        assert_eq!(third.join().unwrap(), None);
    });
}

#[test]
fn rounds_go_on_until_a_case_fails() {
    let harness = builder()
        .config(REPEAT_UNTIL_FAILURE, true)
        .start()
        .unwrap();
    fill(&harness, vec![case("a", &[])]);
    for round in 1..=3 {
        let name = next(&harness).unwrap();
        assert_eq!(name, format!("a[repetition={round}]"));
        let verdict = if round == 3 {
            Verdict::Failed
        } else {
            Verdict::Passed
        };
        finish(&harness, &name, verdict);
    }
    assert_eq!(next(&harness), None);
}
