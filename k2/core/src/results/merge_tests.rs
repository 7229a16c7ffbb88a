use std::io;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::results::Summary;
use crate::results::event_log::EncodedBody;

fn at(seconds: i64) -> Timestamp {
    Timestamp::new(1_795_227_000 + seconds, 0).unwrap()
}

fn run(id: &str, started: i64) -> RunStarted {
    RunStarted {
        run: id.into(),
        application: "zk2".into(),
        version: "1.0.0".into(),
        started: at(started),
        command_line: vec!["zk2".into(), "run".into()],
        again: vec!["zk2".into(), "run".into()],
        working_directory: "/w".into(),
        host: format!("host-{id}").into(),
        directory: format!("output/{id}").into(),
        workers: 2,
    }
}

fn case(id: &str, verdict: Verdict, reason: Option<&str>, started: i64) -> TestCaseFinished {
    TestCaseFinished {
        reason: reason.map(Into::into),
        duration: Some(Duration::from_millis(5)),
        worker: 1,
        ..TestCaseFinished::new(1, CaseId::new(id), verdict, at(started))
    }
}

/// The log of a run of these cases, each with its attempts; cases without any are left open.
fn log(
    id: &str,
    started: i64,
    cases: &[(&str, Vec<TestCaseFinished>)],
    is_whole: bool,
) -> Vec<RecordBody> {
    let mut log = vec![
        RecordBody::RunStarted(run(id, started)),
        RecordBody::CasesSelected(CasesSelected {
            cases: cases.iter().map(|(id, _)| CaseId::new(*id)).collect(),
            filtered_out: 1,
            sources: 1,
            seed: None,
        }),
    ];
    for ((_, attempts), execution) in cases.iter().zip(1..) {
        for (case, attempt) in attempts.iter().zip(1..) {
            log.push(RecordBody::CaseFinished(TestCaseFinished {
                execution,
                attempt,
                retried: usize::try_from(attempt).unwrap() < attempts.len(),
                ..case.clone()
            }));
        }
    }
    if is_whole {
        log.push(RecordBody::RunFinished(RunFinished {
            finished: at(started + 60),
            duration: Duration::from_mins(1),
            end: RunEnd::Completed,
            exit_code: None,
        }));
    }
    log
}

/// The log with this exit code at its end.
fn ended_with(exit: Option<ExitCode>, mut log: Vec<RecordBody>) -> Vec<RecordBody> {
    if let Some(RecordBody::RunFinished(end)) = log.last_mut() {
        end.exit_code = exit;
    }
    log
}

fn merge(logs: &[Vec<RecordBody>]) -> Vec<RecordBody> {
    let mut merged = Merged::default();
    for log in logs {
        let directory = log.iter().find_map(|record| match record {
            RecordBody::RunStarted(run) => Some(run.directory.clone()),
            _ => None,
        });
        let text = io::Cursor::new(text(log));
        merged.add(text, &directory.unwrap_or_default()).unwrap();
    }
    let mut records = Vec::new();
    let add = |record| -> Result<(), ReadError> {
        records.push(record);
        Ok(())
    };
    let place = Utf8Path::new("output/merged");
    merged.records(&"merged".into(), place, add).unwrap();
    records
}

/// The lines of a log.
fn text(log: &[RecordBody]) -> Vec<u8> {
    let mut lines = Vec::new();
    for (body, seq) in log.iter().zip(1..) {
        let (_, put) = EncodedBody::new(body.clone()).number(seq, &mut lines);
        put.unwrap();
    }
    lines
}

/// Id, verdict, whether it is a conflict, and what else is said, of each case.
fn told(log: &[RecordBody]) -> Vec<(String, Verdict, bool, Vec<Verdict>)> {
    let mut told: Vec<(String, Verdict, bool, Vec<Verdict>)> = Vec::new();
    let mut before = Vec::new();
    for record in log {
        if let RecordBody::CaseFinished(case) = record {
            if case.retried {
                before.push(case.verdict);
            } else {
                let before = std::mem::take(&mut before);
                told.push((
                    case.case.as_str().to_owned(),
                    case.verdict,
                    case.conflict,
                    before,
                ));
            }
        }
    }
    told
}

fn row(
    id: &str,
    verdict: Verdict,
    conflict: bool,
    before: &[Verdict],
) -> (String, Verdict, bool, Vec<Verdict>) {
    (id.to_owned(), verdict, conflict, before.to_vec())
}

#[test]
fn f18_what_is_said_twice_is_one_and_what_differs_is_a_conflict_of_which_the_worst_counts() {
    use Verdict::{Failed, Passed};
    let one = log(
        "r1",
        0,
        &[
            ("a", vec![case("a", Passed, None, 1)]),
            ("b", vec![case("b", Passed, None, 2)]),
            ("c", vec![case("c", Failed, Some("exit code 1"), 3)]),
        ],
        true,
    );
    let other = log(
        "r2",
        10,
        &[
            ("a", vec![case("a", Passed, None, 11)]),
            ("b", vec![case("b", Failed, Some("exit code 7"), 12)]),
            ("c", vec![case("c", Failed, Some("exit code 1"), 13)]),
            (
                "d",
                vec![
                    case("d", Failed, Some("x"), 14),
                    case("d", Passed, None, 15),
                ],
            ),
        ],
        true,
    );
    let merged = merge(&[one, other]);
    let mut all = told(&merged);
    all.sort();
    assert_eq!(
        all,
        [
            row("a", Passed, false, &[]),
            row("b", Failed, true, &[Passed]),
            row("c", Failed, false, &[]),
            row("d", Passed, false, &[Failed]),
        ]
    );
    let RecordBody::RunStarted(run) = &merged[0] else {
        panic!("{merged:?}");
    };
    assert_eq!(
        (&*run.host, run.workers, run.started),
        ("host-r1, host-r2", 4, at(0))
    );
}

#[test]
fn f18_a_case_without_a_verdict_has_that_of_another_log() {
    use Verdict::{Aborted, NotRun, Passed};
    let killed = log(
        "r1",
        0,
        &[
            ("a", vec![]),
            ("b", vec![]),
            ("c", vec![case("c", Aborted, None, 1)]),
        ],
        false,
    );
    let again = log("r2", 10, &[("a", vec![case("a", Passed, None, 11)])], true);
    let merged = merge(&[killed.clone(), again.clone()]);
    let mut all = told(&merged);
    all.sort();
    assert_eq!(
        all,
        [
            row("a", Passed, false, &[]),
            row("b", NotRun, false, &[]),
            row("c", Aborted, false, &[]),
        ]
    );
    let has_end = |log: &[RecordBody]| {
        log.iter()
            .any(|record| matches!(record, RecordBody::RunFinished(_)))
    };
    assert!(
        !has_end(&merged),
        "what is left is the fault of the run that was killed"
    );
    let rest = log(
        "r3",
        20,
        &[
            ("b", vec![case("b", Passed, None, 21)]),
            ("c", vec![case("c", Passed, None, 22)]),
        ],
        true,
    );
    assert!(has_end(&merge(&[killed, again, rest])));
}

#[test]
fn f18_files_are_named_by_the_run_that_they_are_of_however_often_it_is_merged() {
    let mut flood = case("a", Verdict::Failed, None, 1);
    flood.stdout = CapturedOutput::from_bytes(
        b"a",
        b"b",
        1 << 20,
        Some("output/r1/outputs/1.stdout".into()),
    );
    let one = log("r1", 0, &[("a", vec![flood])], true);
    let other = log(
        "r2",
        10,
        &[("b", vec![case("b", Verdict::Passed, None, 11)])],
        true,
    );
    for merged in [
        merge(&[one.clone(), other.clone()]),
        merge(&[merge(&[one]), other]),
    ] {
        let file = merged.iter().find_map(|record| match record {
            RecordBody::CaseFinished(case) => case.stdout.file.clone(),
            _ => None,
        });
        assert_eq!(file.unwrap(), "output/merged/runs/r1/outputs/1.stdout");
    }
}

#[test]
fn f18_what_went_wrong_besides_cases_in_one_run_went_wrong_in_the_whole() {
    let part = |id, verdict, exit| {
        let cases = [(id, vec![case(id, verdict, None, 1)])];
        ended_with(Some(exit), log(id, 0, &cases, true))
    };
    let good = part("r1", Verdict::Passed, ExitCode::Success);
    let failed = part("r2", Verdict::Failed, ExitCode::CasesFailed);
    let incomplete = part("r3", Verdict::Passed, ExitCode::Incomplete);
    let faulty = part("r4", Verdict::Passed, ExitCode::ExtensionFailed);
    for (logs, exit) in [
        (vec![&good, &incomplete], ExitCode::Success),
        (vec![&good, &failed, &incomplete], ExitCode::CasesFailed),
        (vec![&good, &faulty], ExitCode::ExtensionFailed),
        (vec![&faulty, &failed], ExitCode::ExtensionFailed),
    ] {
        let logs: Vec<_> = logs.into_iter().cloned().collect();
        let merged = merge(&logs);
        let mut summary = Summary::new();
        for record in &merged {
            summary.add(record);
        }
        assert_eq!(summary.exit_code(), exit, "{merged:#?}");
        assert_eq!(
            merge(&[merged.clone(), good.clone()]).last(),
            merge(&logs).last()
        );
    }
}

fn any_attempt() -> impl Strategy<Value = (Verdict, Option<&'static str>, i64)> {
    let verdict = prop::sample::select(Verdict::ALL.to_vec());
    let reason = prop::sample::select(vec![None, Some("one"), Some("two")]);
    (verdict, reason, 0..3_i64)
}

/// Logs of runs whose cases are the same few.
fn any_log(id: &'static str) -> impl Strategy<Value = Vec<RecordBody>> {
    let attempts = prop::collection::vec(any_attempt(), 0..3);
    let cases =
        prop::collection::btree_map(prop::sample::select(vec!["a", "b", "c"]), attempts, 0..4);
    let exit = prop::option::of(prop::sample::select(ExitCode::ALL.to_vec()));
    (cases, 0..3_i64, any::<bool>(), exit).prop_map(move |(cases, started, is_whole, exit)| {
        let cases: Vec<_> = cases
            .into_iter()
            .map(|(id, attempts)| {
                let attempts = attempts.into_iter();
                let attempts = attempts.map(|(verdict, reason, at)| case(id, verdict, reason, at));
                (id, attempts.collect())
            })
            .collect();
        ended_with(exit, log(id, started, &cases, is_whole))
    })
}

proptest! {
    #[test]
    fn f18_to_merge_is_commutative_associative_and_idempotent(
        a in any_log("r1"), b in any_log("r2"), c in any_log("r3"), torn in any::<prop::sample::Index>()
    ) {
        let [a, b, c] = [a, b, c];
        let all = merge(&[a.clone(), b.clone(), c.clone()]);
        prop_assert_eq!(&merge(&[c.clone(), a.clone(), b.clone()]), &all);
        prop_assert_eq!(&merge(&[merge(&[a.clone(), b.clone()]), c.clone()]), &all);
        prop_assert_eq!(&merge(&[a.clone(), merge(&[c.clone(), b.clone()])]), &all);
        prop_assert_eq!(&merge(&[a.clone(), a.clone(), b.clone(), c.clone(), b.clone()]), &all);
        prop_assert_eq!(&merge(&[all.clone(), all.clone()]), &all);
        prop_assert_eq!(&merge(&[all.clone(), a.clone()]), &all);
        // A copy that was made while the run went on adds nothing to the whole log.
        let mut copy = a.clone();
        copy.truncate(1 + torn.index(a.len()));
        let mut with_copy = told(&merge(&[copy, a.clone()]));
        let mut alone = told(&merge(std::slice::from_ref(&a)));
        // Cases that never began have no time that would say where they stand.
        with_copy.sort();
        alone.sort();
        prop_assert_eq!(with_copy, alone);
        // Every case has one verdict, the most serious one that anybody knows.
        for (id, verdict, ..) in told(&all) {
            let known = [&a, &b, &c].into_iter().flatten().filter_map(|record| match record {
                RecordBody::CaseFinished(case) if !case.retried && case.case.as_str() == id => Some(case.verdict),
                _ => None,
            });
            let worst = known.filter(|verdict| !verdict.is_incomplete()).max();
            prop_assert!(worst.is_none_or(|worst| worst == verdict), "{} {:?} {:?}", id, worst, verdict);
        }
    }
}
