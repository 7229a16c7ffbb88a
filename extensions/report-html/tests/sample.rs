//! Runs to report on, and their pages.

use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use k2::case::{Attachment, CaseId, Location, Step, Verdict};
use k2::messages::{
    AskHistory, CapturedOutput, CaseHistory, CasesSelected, ExitStatus, ExpectedFailure, History,
    LeakedProcess, PastExecution, PastRun, RECORDED, RESULTS, RUN_HISTORY, RunEnd, RunFinished,
    RunStarted, TestCaseFinished, WRITE_REPORTS, WriteReports,
};
use k2::results::RecordBody;
use k2::results::event_log::EventLogWriter;
use k2_report_html::{HTML, HtmlReport};
use zaf_core::message::DispatcherKind;
use zaf_harness::prelude::*;

/// When everything begins: 2026-11-21T02:10:00Z.
pub(crate) const START: Timestamp = Timestamp::constant(1_795_227_000, 0);

/// Text that wants to be more than text.
pub(crate) const HOSTILE: [&str; 8] = [
    "</script><script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "'\"><svg onload=document.title='owned'>",
    "<!--<script>",
    "javascript:document.title='owned'",
    "\u{1b}[31mred\u{1b}]52;c;ZWNobw==\u{7}\u{0}\r\u{202e}gpj.exe",
    "__proto__",
    "]]></noscript><style>*{display:none}</style>",
];

pub(crate) fn case(execution: u64, id: &str, verdict: Verdict) -> TestCaseFinished {
    TestCaseFinished {
        duration: Some(Duration::from_millis(execution % 50)),
        worker: u32::try_from(execution % 4 + 1).unwrap(),
        started: START + Duration::from_millis(execution),
        ..TestCaseFinished::new(execution, CaseId::new(id), verdict, START)
    }
}

/// Two dozen cases: of each verdict some, one flaky, one with everything that a case can have.
pub(crate) fn cases() -> Vec<TestCaseFinished> {
    let mut cases = Vec::new();
    for (n, verdict) in (1..).zip(Verdict::ALL.into_iter().cycle().take(24)) {
        let mut ended = case(n, &format!("area{}::case_{n}", n % 3), verdict);
        if verdict.is_failure() {
            ended.reason = Some(format!("expected {n}, got nothing").into());
            ended.stdout = "one \u{1b}[1;31mred\u{1b}[0m word\n".into();
        }
        if n % 5 == 0 {
            ended.tags = vec!["smoke".into()];
        }
        cases.push(ended);
    }
    cases.push(TestCaseFinished {
        retried: true,
        reason: Some("connection refused".into()),
        ..case(30, "net::flaky", Verdict::Failed)
    });
    cases.push(TestCaseFinished {
        attempt: 2,
        ..case(30, "net::flaky", Verdict::Passed)
    });
    cases.push(TestCaseFinished {
        reason: Some("1 of 2 points failed".into()),
        detail: Some("got: 1\nexpected: 0".into()),
        exit: Some(ExitStatus::Code { code: 3 }),
        stdout: CapturedOutput::from_bytes(
            b"begin\n",
            b"end\n",
            1 << 20,
            Some("output/r1/outputs/31.stdout".into()),
        ),
        steps: vec![Step {
            name: "closes".into(),
            verdict: Verdict::Failed,
            detail: Some("too late".into()),
            location: None,
        }],
        leaked: vec![LeakedProcess {
            pid: 4711,
            command: "sleep 300".into(),
        }],
        parameters: [("size", "4")].into(),
        tags: vec!["door".into()],
        location: Some(Location::line("suite/door.rs", 12)),
        ..case(31, "suite::door[size=4]", Verdict::Failed)
    });
    cases
}

/// Cases in which every text is hostile.
pub(crate) fn hostile_cases() -> Vec<TestCaseFinished> {
    let cases = HOSTILE
        .iter()
        .enumerate()
        .map(|(n, evil)| TestCaseFinished {
            reason: Some((*evil).into()),
            detail: Some((*evil).into()),
            stdout: CapturedOutput {
                file: Some(format!("output/r1/{evil}").into()),
                ..CapturedOutput::from(*evil)
            },
            stderr: (*evil).into(),
            steps: vec![Step {
                name: (*evil).to_owned(),
                verdict: Verdict::Failed,
                detail: Some((*evil).to_owned()),
                location: None,
            }],
            leaked: vec![LeakedProcess {
                pid: 1,
                command: (*evil).into(),
            }],
            parameters: [(*evil, *evil)].into(),
            tags: vec![(*evil).into()],
            location: Some(Location::line(*evil, 1)),
            expected_failure: Some(Box::new(ExpectedFailure {
                ended: Verdict::Passed,
                reason: (*evil).into(),
                link: Some((*evil).into()),
                by: (*evil).into(),
            })),
            attachments: vec![Attachment {
                name: (*evil).into(),
                media_type: (*evil).into(),
                bytes: 3,
                sha256: (*evil).into(),
                file: format!("outputs/{evil}").into(),
            }],
            ..case(n as u64 + 1, evil, Verdict::Failed)
        });
    cases.collect()
}

/// A case of each outcome that is no verdict, one with attachments and checks among them; [`ATTACHED`] are its files.
pub(crate) fn outcomes() -> Vec<TestCaseFinished> {
    let known = |ended, link: Option<&str>| {
        Some(Box::new(ExpectedFailure {
            ended,
            reason: "the board drops every second frame".into(),
            link: link.map(Into::into),
            by: "known.toml:3".into(),
        }))
    };
    let attached = ATTACHED.iter().map(|(name, kind, content)| Attachment {
        name: (*name).into(),
        media_type: (*kind).into(),
        bytes: content.len() as u64,
        sha256: "0".repeat(64).into(),
        file: format!("outputs/3-1-shows.attachments/{name}").into(),
    });
    let step = |name: &str, detail: &str, line| Step {
        name: name.into(),
        verdict: Verdict::Failed,
        detail: Some(detail.into()),
        location: Some(Location::line("suite/page.rs", line)),
    };
    vec![
        TestCaseFinished {
            reason: Some("expected to fail: the board drops every second frame".into()),
            detail: Some("failed: frame 2 is missing".into()),
            expected_failure: known(Verdict::Failed, Some("https://tracker.example/7")),
            ..case(1, "net::frames", Verdict::Skipped)
        },
        TestCaseFinished {
            reason: Some("passed, but was expected to fail: the fan does not start".into()),
            expected_failure: known(Verdict::Passed, None),
            ..case(2, "fan::starts", Verdict::Passed)
        },
        TestCaseFinished {
            reason: Some(
                "2 checks failed, the first: title == \"Welcome\" (suite/page.rs:12)".into(),
            ),
            steps: vec![
                step(
                    "title == \"Welcome\"",
                    "left:  \"Error\"\nright: \"Welcome\"",
                    12,
                ),
                step("form.fields() == 3", "left:  2\nright: 3", 14),
            ],
            attachments: attached.collect(),
            attachments_left_out: 2,
            ..case(3, "page::shows", Verdict::Failed)
        },
    ]
}

/// Name, media type and content of what is attached: an image that is a drawing, a text, and what is neither.
pub(crate) const ATTACHED: [(&str, &str, &str); 3] = [
    (
        "screen.svg",
        "image/svg+xml",
        "<svg xmlns='http://www.w3.org/2000/svg' width='640' height='240'><rect width='640' height='240' fill='#2b6cb0'/>\
         <text x='40' y='130' font-size='48' fill='white'>Error 500</text><script>document.title='owned'</script></svg>",
    ),
    (
        "board.log",
        "text/plain",
        "boot\n\u{1b}[31mno frame\u{1b}[0m <b>2</b>\n",
    ),
    ("core.bin", "application/octet-stream", "\u{1}\u{2}"),
];

/// Cases with everything that a page is sorted and grouped by: owners, systems under test, tags, parameters, tries, and names and
/// values that are longer than any window is wide.
pub(crate) fn laboratory() -> Vec<TestCaseFinished> {
    let long = "a-name-that-says-everything-about-the-case-".repeat(8);
    let texts = |all: &[&str]| all.iter().map(|&text| text.into()).collect::<Vec<_>>();
    let on = |n, id: &str, verdict, suts: &[&str], owner: Option<&str>| TestCaseFinished {
        suts: texts(suts),
        owner: owner.map(Into::into),
        ..case(n, id, verdict)
    };
    let mut cases = vec![
        on(
            1,
            "net::ping[sut=box]",
            Verdict::Passed,
            &["box"],
            Some("network team"),
        ),
        on(
            2,
            "net::ping[sut=phone]",
            Verdict::Failed,
            &["phone"],
            Some("network team"),
        ),
        on(
            3,
            "net::link",
            Verdict::TimedOut,
            &["phone", "box"],
            Some("Network team"),
        ),
        TestCaseFinished {
            retried: true,
            ..on(
                4,
                "disk::writes",
                Verdict::Failed,
                &["box"],
                Some("storage"),
            )
        },
        TestCaseFinished {
            attempt: 2,
            ..on(
                4,
                "disk::writes",
                Verdict::Passed,
                &["box"],
                Some("storage"),
            )
        },
        on(5, "disk::reads", Verdict::Skipped, &[], Some("storage")),
        on(6, "host::only", Verdict::Passed, &[], None),
        TestCaseFinished {
            reason: Some(long.as_str().into()),
            parameters: [("value", long.as_str())].into(),
            tags: texts(&[&long, "smoke"]),
            location: Some(Location::line(format!("suite/{long}.rs").as_str(), 7)),
            stdout: long.as_str().into(),
            ..on(
                7,
                &format!("{long}::{long}[value={long}]"),
                Verdict::Error,
                &[&long],
                Some(&long),
            )
        },
    ];
    cases.extend(
        outcomes()
            .into_iter()
            .zip(8..)
            .map(|(case, n)| TestCaseFinished {
                execution: n,
                ..case
            }),
    );
    cases
}

/// A directory with the log of a run of `cases`, whose own words are `word`.
pub(crate) struct Sample {
    directory: tempfile::TempDir,
}

impl Sample {
    pub(crate) fn new(cases: impl IntoIterator<Item = TestCaseFinished>, word: &str) -> Self {
        let sample = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        std::fs::write(sample.log(), "").unwrap();
        let mut log = EventLogWriter::new(sample.log());
        log.append(RecordBody::RunStarted(RunStarted {
            run: word.into(),
            application: word.into(),
            version: "0.1.0".into(),
            started: START,
            command_line: ["zk2", "run", word].map(Into::into).to_vec(),
            again: ["zk2", "run", word].map(Into::into).to_vec(),
            working_directory: word.into(),
            host: word.into(),
            directory: "output/r1".into(),
            workers: 4,
        }));
        let cases: Vec<_> = cases.into_iter().collect();
        log.append(RecordBody::CasesSelected(CasesSelected {
            cases: cases
                .iter()
                .filter(|case| !case.retried)
                .map(|case| case.case.clone())
                .collect(),
            filtered_out: 0,
            sources: 1,
            seed: None,
        }));
        for case in cases {
            log.append(RecordBody::CaseFinished(case));
        }
        log.append(RecordBody::RunFinished(RunFinished {
            finished: START,
            duration: Duration::from_millis(310),
            end: RunEnd::Completed,
            exit_code: None,
        }));
        log.sync();
        sample
    }

    pub(crate) fn path(&self) -> &Utf8Path {
        Utf8Path::from_path(self.directory.path()).unwrap()
    }

    /// Writes the files of [`ATTACHED`].
    pub(crate) fn attach(&self) {
        let directory = self.path().join("outputs/3-1-shows.attachments");
        std::fs::create_dir_all(&directory).unwrap();
        for (name, _, content) in ATTACHED {
            std::fs::write(directory.join(name), content).unwrap();
        }
    }

    fn log(&self) -> Utf8PathBuf {
        self.path().join("events.jsonl")
    }

    /// Has the extension write the page; with a history if there is one.
    pub(crate) fn page(&self, history: Option<History>) -> Utf8PathBuf {
        let harness = ExtensionTestHarness::<HtmlReport>::builder()
            .define(RESULTS, [RECORDED])
            .define(RESULTS, [WRITE_REPORTS])
            .define(RESULTS, [RUN_HISTORY])
            .config(HTML, true)
            .start()
            .unwrap();
        if let Some(history) = history {
            harness
                .bus()
                .dispatcher(DispatcherKind::Callback, "history")
                .on(RUN_HISTORY, move |message, _| {
                    let _asked: &AskHistory = message.data();
                    Ok(history.clone())
                })
                .register()
                .unwrap();
        }
        let request = WriteReports {
            log: self.log(),
            directory: self.path().to_owned(),
        };
        let replies = harness
            .send_request(WRITE_REPORTS, RESULTS, request)
            .unwrap();
        let mut written = replies.values(Duration::from_mins(1)).unwrap().concat();
        assert_eq!(written.len(), 1);
        written.remove(0).path
    }
}

/// Three earlier runs, in which one case was flaky once.
pub(crate) fn history() -> History {
    let runs = (0..3).map(|n| PastRun {
        run: format!("past-{n}").into(),
        started: START - Duration::from_hours(24 * (3 - n)),
        duration: Some(Duration::from_millis(200 + n)),
        passed: 20 + n,
        failures: 3 - n,
        flaky: 1,
        others: 2,
    });
    let executions = (0..3).map(|run| PastExecution {
        run,
        verdict: Verdict::Passed,
        is_flaky: run == 1,
        duration: Some(Duration::from_millis(5)),
    });
    History {
        runs: runs.collect(),
        cases: vec![CaseHistory {
            case: CaseId::new("net::flaky"),
            executions: executions.collect(),
        }],
    }
}
