//! A run with one case of each kind, for tests.

use std::time::Duration;

use jiff::Timestamp;
use k2::case::{Attachment, CaseId, Location, Step, Verdict};
use k2::messages::{
    CapturedOutput, CasesSelected, ExitStatus, ExpectedFailure, LeakedProcess, RunEnd, RunFinished,
    RunStarted, TestCaseFinished, TestCaseStarted,
};
use k2::results::{Record, RecordBody, RunLog, SCHEMA_VERSION};
use proptest::prelude::*;

use crate::live::Event;

/// When everything begins: 2026-11-21T02:10:00Z.
pub(crate) const START: Timestamp = Timestamp::constant(1_795_227_000, 0);

/// Records out of bodies.
pub(crate) fn records(bodies: Vec<RecordBody>) -> Vec<Record> {
    let number = |(seq, body)| Record {
        schema: SCHEMA_VERSION,
        seq,
        time: START,
        body,
    };
    (1..).zip(bodies).map(number).collect()
}

fn case(execution: u64, id: &str, verdict: Verdict, reason: Option<&str>) -> TestCaseFinished {
    TestCaseFinished {
        reason: reason.map(Into::into),
        ..TestCaseFinished::new(execution, CaseId::new(id), verdict, START)
    }
}

fn took(milliseconds: u64, case: TestCaseFinished) -> TestCaseFinished {
    TestCaseFinished {
        duration: Some(Duration::from_millis(milliseconds)),
        worker: 1,
        ..case
    }
}

/// The cases of the run, in the order in which they end.
#[expect(clippy::too_many_lines, reason = "a list")]
pub(crate) fn cases() -> Vec<TestCaseFinished> {
    use Verdict::{Aborted, Error, Failed, Ignored, NotRun, Passed, Skipped, TimedOut};
    let sort = TestCaseFinished {
        exit: Some(ExitStatus::Code { code: 1 }),
        stdout: "expected 'a 1', got 'a 2'\n".into(),
        location: Some(Location::line("quickstart/coreutils.sh", 12)),
        ..took(
            12,
            case(
                3,
                "coreutils::sort_is_stable",
                Failed,
                Some("exit status 1, expected 0"),
            ),
        )
    };
    let first_try = TestCaseFinished {
        retried: true,
        ..took(
            90,
            case(4, "net::port_opens", Failed, Some("connection refused")),
        )
    };
    let flood = CapturedOutput::from_bytes(
        b"begin\n",
        b"y\ny\nlast line\n",
        1 << 30,
        Some("out/flood.stdout".into()),
    );
    let never = TestCaseFinished {
        stdout: flood,
        exit: Some(ExitStatus::Signal {
            signal: 9,
            core: false,
        }),
        leaked: vec![LeakedProcess {
            pid: 4711,
            command: "sleep 300".into(),
        }],
        ..took(
            5001,
            case(
                5,
                "slow::never_ends",
                TimedOut,
                Some("stopped after 5 s (TERM, then KILL)"),
            ),
        )
    };
    let tap = TestCaseFinished {
        exit: Some(ExitStatus::Code { code: 0 }),
        steps: vec![
            Step {
                name: "opens".into(),
                verdict: Passed,
                detail: None,
                location: None,
            },
            Step {
                name: "closes".into(),
                verdict: Failed,
                detail: Some("got: 1\nexpected: 0".into()),
                location: None,
            },
        ],
        ..took(
            3,
            case(6, "suite/door.tap", Failed, Some("1 of 2 points failed")),
        )
    };
    let panic = TestCaseFinished {
        detail: Some("panicked at src/parse.rs:7:9".into()),
        parameters: [("flag", "-s")].into(),
        ..took(
            0,
            case(
                7,
                "rust::parse[flag=-s]",
                Failed,
                Some("assertion failed: left == right\n  left: 1\n right: 2"),
            ),
        )
    };
    vec![
        took(4, case(1, "git::version_is_recent", Passed, None)),
        case(
            2,
            "docker::daemon_answers",
            Skipped,
            Some("no docker on this machine"),
        ),
        sort,
        first_try,
        TestCaseFinished {
            attempt: 2,
            ..took(220, case(4, "net::port_opens", Passed, None))
        },
        never,
        tap,
        panic,
        case(
            8,
            "suite/broken.sh",
            Error,
            Some("cannot start `suite/broken.sh`: permission denied"),
        ),
        case(10, "old::never_worked", Ignored, Some("needs hardware")),
        took(100, case(11, "slow::sleeps", Aborted, Some("interrupted"))),
        case(
            12,
            "late::never_started",
            NotRun,
            Some("the run was aborted"),
        ),
    ]
}

/// The whole run.
pub(crate) fn run() -> Vec<Record> {
    let mut ids: Vec<_> = cases().into_iter().map(|case| case.case).collect();
    ids.dedup();
    let mut bodies = vec![
        RecordBody::RunStarted(RunStarted {
            run: "019e8b0d3a11-7f3a".into(),
            application: "zk2".into(),
            version: "0.1.0".into(),
            started: START,
            command_line: ["zk2", "run", "suite"].map(Into::into).to_vec(),
            again: ["zk2", "run", "suite"].map(Into::into).to_vec(),
            working_directory: "/home/me".into(),
            host: "build".into(),
            directory: "output/019e8b0d3a11-7f3a".into(),
            workers: 4,
        }),
        RecordBody::CasesSelected(CasesSelected {
            cases: ids.into(),
            filtered_out: 2,
            sources: 3,
            seed: None,
        }),
    ];
    bodies.extend(cases().into_iter().map(RecordBody::CaseFinished));
    bodies.push(RecordBody::RunFinished(RunFinished {
        finished: START,
        duration: Duration::from_millis(5310),
        end: RunEnd::Aborted {
            reason: "SIGINT".into(),
        },
        exit_code: None,
    }));
    records(bodies)
}

/// A case that begins at [`START`].
pub(crate) fn started(execution: u64, id: &str) -> Event {
    let body = RecordBody::CaseStarted(TestCaseStarted {
        execution,
        case: CaseId::new(id),
        attempt: 1,
        started: START,
        worker: 1,
        clock: None,
        in_process: false,
    });
    Event::of(&records(vec![body])[0]).unwrap()
}

/// A case that wants to take over the terminal.
pub(crate) fn hostile_case() -> TestCaseFinished {
    let evil = "x\u{1b}]52;c;ZWNobw==\u{7}\r\u{202e}y\u{0}";
    TestCaseFinished {
        stdout: format!("{evil}\n\u{1b}[2J").as_str().into(),
        exit: Some(ExitStatus::Code { code: 1 }),
        ..took(
            1,
            case(1, evil, Verdict::Failed, Some(&format!("{evil}\nmore"))),
        )
    }
}

/// The same as an event of the display.
pub(crate) fn hostile() -> Event {
    Event::of(&records(vec![RecordBody::CaseFinished(hostile_case())])[0]).unwrap()
}

/// Writes `records` to a file in a directory of its own.
pub(crate) fn log(records: &[Record]) -> (tempfile::TempDir, camino::Utf8PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = camino::Utf8PathBuf::from_path_buf(dir.path().join("events.jsonl")).unwrap();
    std::fs::write(&path, "").unwrap();
    let mut writer = k2::results::event_log::EventLogWriter::new(path.clone());
    for record in records {
        writer.append(record.body.clone());
    }
    (dir, path)
}

/// What `write` makes of the log of `records`.
pub(crate) fn document<E: std::fmt::Debug>(
    records: &[Record],
    write: impl FnOnce(&RunLog, &mut dyn std::io::Write) -> Result<(), E>,
) -> String {
    let (_dir, path) = log(records);
    let mut out = Vec::new();
    write(&RunLog::open(&path).unwrap(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// The log of a run of which only the ends of `cases` are known.
pub(crate) fn records_of(cases: &[TestCaseFinished]) -> Vec<Record> {
    let mut bodies: Vec<_> = run()
        .into_iter()
        .take(1)
        .map(|record| record.body)
        .collect();
    bodies.extend(cases.iter().cloned().map(RecordBody::CaseFinished));
    records(bodies)
}

/// Some cases in which every text may be anything, bytes that are no text and signs of the formats among it.
pub(crate) fn any_cases() -> impl Strategy<Value = Vec<TestCaseFinished>> {
    let nasty = prop_oneof![
        any::<String>(),
        "(]]>|<|&|\\x00|\\x1b\\[31m|\u{fffe}|\u{202e}|\"|'|\n|\r|.)*",
        "(ok 1|not ok 2|# SKIP|#|1\\.\\.3|---|\\.\\.\\.|Bail out!|\\||`|\\*|::error::|%0A|\n|    )*",
        prop::collection::vec(any::<u8>(), 0..20)
            .prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
    ];
    let one = (
        nasty.clone(),
        nasty,
        prop::sample::select(&Verdict::ALL[..]),
        0..5_u32,
    );
    prop::collection::vec(one, 0..8).prop_map(|all| {
        let cases = (1..)
            .zip(all)
            .map(|(execution, (name, text, verdict, worker))| {
                let ended = match (worker, verdict) {
                    (0, Verdict::Skipped) => Some(Verdict::Failed),
                    (0, Verdict::Failed | Verdict::Passed) => Some(Verdict::Passed),
                    _ => None,
                };
                TestCaseFinished {
                    reason: Some(text.as_str().into()),
                    detail: Some(name.as_str().into()),
                    stdout: text.as_str().into(),
                    stderr: CapturedOutput::from_bytes(
                        text.as_bytes(),
                        name.as_bytes(),
                        1 << 40,
                        Some(name.as_str().into()),
                    ),
                    parameters: [(name.as_str(), text.as_str())].into(),
                    tags: vec![text.as_str().into()],
                    suts: vec![text.as_str().into()],
                    location: Some(Location::line(name.as_str(), worker)),
                    steps: vec![Step {
                        name: text.clone(),
                        verdict,
                        detail: Some(name.clone()),
                        location: None,
                    }],
                    worker,
                    expected_failure: ended.map(|ended| {
                        Box::new(ExpectedFailure {
                            ended,
                            reason: text.as_str().into(),
                            link: Some(name.as_str().into()),
                            by: name.as_str().into(),
                        })
                    }),
                    attachments: vec![Attachment {
                        name: text.as_str().into(),
                        media_type: name.as_str().into(),
                        bytes: 1 << 60,
                        sha256: name.as_str().into(),
                        file: name.as_str().into(),
                    }],
                    attachments_left_out: u64::from(worker),
                    ..TestCaseFinished::new(
                        execution,
                        CaseId::new(format!("{name}{text}")),
                        verdict,
                        START,
                    )
                }
            });
        cases.collect()
    })
}
