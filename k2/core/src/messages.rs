//! The messages of a run, and the order in which they come.
//!
//! The runner speaks on [`RUNNER`]; each of its payloads is also the body of one record of the event log
//! ([`RecordBody`](crate::results::RecordBody)). What became of the run is spoken of on [`RESULTS`].
//!
//! ```text
//! TEST_RUN_STARTED → TEST_CASES_SELECTED → (TEST_CASE_STARTED →) TEST_CASE_FINISHED … → TEST_RUN_FINISHED
//!        └───────────── each is written, and then told as RECORDED ─────────────┘          │
//!                                     SYNC_EVENT_LOG → WRITE_REPORTS → REPORTS_WRITTEN ◄───┘
//! ```
//!
//! Those on [`RUNNER`] are portable, and so are [`RECORDED`], [`WRITE_REPORTS`] and [`REPORTS_WRITTEN`]: see
//! [`zaf_core::message::portable`]; the last one can be heard, not triggered. [`SYNC_EVENT_LOG`] and [`RUN_HISTORY`] are not: only what
//! has the log and the history of this process can answer them. As in the event log they travel as JSON, so that a peer of
//! another version can read them.
//!
//! Reporters listen to [`RECORDED`], [`WRITE_REPORTS`] and [`REPORTS_WRITTEN`], never to the runner: what they show is then
//! what is on disk.
//!
//! ```
//! # use k2_core as k2;
//! use std::sync::atomic::{AtomicU64, Ordering};
//! use k2::messages::{RUNNER, TEST_CASE_FINISHED, TestCaseFinished};
//! use zaf_core::prelude::*;
//! use zaf_harness::prelude::*;
//!
//! /// Counts the cases that end.
//! #[command_extension(name = "counter", extends = [k2::RUN_COMMAND])]
//! struct Counter(AtomicU64);
//!
//! impl Extension for Counter {
//!     fn new(_: &ExtensionContext<'_>) -> Result<Self> {
//!         Ok(Self(AtomicU64::new(0)))
//!     }
//! }
//!
//! #[dispatchers]
//! impl Counter {
//!     #[sequential_dispatcher(TEST_CASE_FINISHED)]
//!     fn on_finished(&self, _: &Message<TestCaseFinished>) {
//!         self.0.fetch_add(1, Ordering::Relaxed);
//!     }
//! }
//!
//! fn main() -> TestResult {
//!     let harness = ExtensionTestHarness::<Counter>::builder().define(RUNNER, [TEST_CASE_FINISHED]).start()?;
//!     for _ in 0..3 {
//!         harness.trigger_event(TEST_CASE_FINISHED, RUNNER, TestCaseFinished::example())?;
//!     }
//!     harness.wait_until_idle()?;
//!     assert_eq!(harness.extension().0.load(Ordering::Relaxed), 3);
//!     Ok(())
//! }
//! ```

use std::sync::Arc;

use zaf_core::message::{EndpointId, EventId, RequestId};

use crate::results::Record;
pub use crate::results::{
    AskHistory, CapturedOutput, CaseHistory, CasesSelected, EventLogState, ExitStatus,
    ExpectedFailure, History, HookFailed, LeakedProcess, PastExecution, PastRun, ReportFailure,
    ReportsWritten, RunEnd, RunFinished, RunResumed, RunStarted, SyncEventLog, TestCaseFinished,
    TestCaseStarted, WriteReports, WrittenReport,
};

/// Where the runner tells what happens to the run and to its cases.
pub const RUNNER: EndpointId = EndpointId::new(
    "runner",
    "Tells what happens to a run and to its test cases.",
);

/// Where the event log and the reports speak.
pub const RESULTS: EndpointId =
    EndpointId::new("results", "What has been recorded, and what is made of it.");

/// A run begins.
///
/// | | |
/// |---|---|
/// | kind | event |
/// | sender | the `run` command, on the main thread |
/// | endpoint | [`RUNNER`] |
/// | entity | none |
/// | order | first message of a run; its output directory exists |
pub const TEST_RUN_STARTED: EventId<RunStarted> =
    EventId::new("TEST_RUN_STARTED", "A run begins.").portable_as_json();

/// The finder and the filters are done: these cases will each get exactly one verdict.
///
/// | | |
/// |---|---|
/// | kind | event |
/// | sender | the runner, on the main thread |
/// | endpoint | [`RUNNER`] |
/// | entity | none |
/// | order | after [`TEST_RUN_STARTED`], before the first case |
pub const TEST_CASES_SELECTED: EventId<CasesSelected> = EventId::new(
    "TEST_CASES_SELECTED",
    "The test cases of the run are known.",
)
.portable_as_json();

/// An attempt at a test case begins.
///
/// | | |
/// |---|---|
/// | kind | event |
/// | sender | the runner, on the worker that will run the case |
/// | endpoint | [`RUNNER`] |
/// | entity | none |
/// | order | before [`TEST_CASE_FINISHED`] of the same execution and attempt; not sent for cases that do not start |
pub const TEST_CASE_STARTED: EventId<TestCaseStarted> =
    EventId::new("TEST_CASE_STARTED", "A test case begins.").portable_as_json();

/// An attempt at a test case has ended, or a case will not be started at all.
///
/// | | |
/// |---|---|
/// | kind | event |
/// | sender | the runner, on the worker that ran the case |
/// | endpoint | [`RUNNER`] |
/// | entity | none |
/// | order | after [`TEST_CASE_STARTED`] of the same execution and attempt; cases of other workers in between |
pub const TEST_CASE_FINISHED: EventId<TestCaseFinished> =
    EventId::new("TEST_CASE_FINISHED", "A test case has ended.").portable_as_json();

/// A case has killed the runner before this one; this one goes on with the run.
///
/// | | |
/// |---|---|
/// | kind | event |
/// | sender | the runner, on the main thread |
/// | endpoint | [`RUNNER`] |
/// | entity | none |
/// | order | after [`TEST_RUN_STARTED`] and [`TEST_CASES_SELECTED`], which are told again as they were, but not recorded again; before the first case |
pub const TEST_RUN_RESUMED: EventId<RunResumed> =
    EventId::new("TEST_RUN_RESUMED", "A new runner goes on with the run.").portable_as_json();

/// No case runs, and none begins before the systems under test that are resetting have come back: see
/// [`SUT_RESET_STARTED`](crate::sut::SUT_RESET_STARTED).
///
/// | | |
/// |---|---|
/// | kind | event |
/// | sender | the runner, on the main thread |
/// | endpoint | [`RUNNER`] |
/// | entity | none |
/// | order | when the last case that was running has ended; a reset that is over by then is not told of |
pub const TEST_RUN_PAUSED: EventId<RunPaused> = EventId::new(
    "TEST_RUN_PAUSED",
    "No test case runs before resets are over.",
)
.portable_as_json();

/// Cases begin again.
///
/// | | |
/// |---|---|
/// | kind | event |
/// | sender | the runner, on the main thread |
/// | endpoint | [`RUNNER`] |
/// | entity | none |
/// | order | after [`TEST_RUN_PAUSED`], unless the run ends paused; cases may begin before it is handled |
pub const TEST_RUN_CONTINUED: EventId<()> =
    EventId::new("TEST_RUN_CONTINUED", "Test cases begin again.").portable_as_json();

/// Payload of [`TEST_RUN_PAUSED`].
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RunPaused {
    /// Names of what is resetting, sorted.
    pub suts: Vec<Arc<str>>,
}

/// All cases have their verdict.
///
/// | | |
/// |---|---|
/// | kind | event |
/// | sender | the runner, on the main thread |
/// | endpoint | [`RUNNER`] |
/// | entity | none |
/// | order | last message on [`RUNNER`] |
pub const TEST_RUN_FINISHED: EventId<RunFinished> =
    EventId::new("TEST_RUN_FINISHED", "The run has ended.").portable_as_json();

/// A record was added to the event log.
///
/// | | |
/// |---|---|
/// | kind | event |
/// | sender | the event log, on the thread of the message that it recorded |
/// | endpoint | [`RESULTS`] |
/// | entity | none |
/// | order | after the record was written, or kept for a later try if the disk is full; records of different workers may overtake each other by a little, their sequence numbers tell |
pub const RECORDED: EventId<Arc<Record>> =
    EventId::new("RECORDED", "A record was added to the event log.").portable_as_json();

/// Brings the event log to disk and asks how it went.
///
/// | | |
/// |---|---|
/// | kind | request, answered once by the event log |
/// | sender | the `run` command, on the main thread |
/// | endpoint | [`RESULTS`] |
/// | entity | none |
/// | order | after [`TEST_RUN_FINISHED`], before [`WRITE_REPORTS`] |
pub const SYNC_EVENT_LOG: RequestId<SyncEventLog, EventLogState> = RequestId::new(
    "SYNC_EVENT_LOG",
    "Brings the event log to disk and asks how it went.",
);

/// Asks for the reports of a run. Each reporter answers with the files that it wrote; an error is a report that is missing
/// (exit code 6), and hinders no other reporter.
///
/// | | |
/// |---|---|
/// | kind | request, answered by each reporter |
/// | sender | the commands `run` and `report`, on the main thread |
/// | endpoint | [`RESULTS`] |
/// | entity | none |
/// | order | after [`SYNC_EVENT_LOG`] if there is a run |
pub const WRITE_REPORTS: RequestId<WriteReports, Vec<WrittenReport>> = RequestId::new(
    "WRITE_REPORTS",
    "Asks each reporter for its report of the run.",
)
.portable_as_json();

/// Asks for what is known of earlier runs. A reporter that gets no answer, or an error, shows no history.
///
/// | | |
/// |---|---|
/// | kind | request, answered by whoever keeps a history; nobody as a rule |
/// | sender | reporters, while they answer [`WRITE_REPORTS`] |
/// | endpoint | [`RESULTS`] |
/// | entity | none |
/// | order | after [`WRITE_REPORTS`] |
pub const RUN_HISTORY: RequestId<AskHistory, History> =
    RequestId::new("RUN_HISTORY", "Asks for what is known of earlier runs.");

/// Everything is written; the exit code is known.
///
/// | | |
/// |---|---|
/// | kind | event |
/// | sender | the commands `run` and `report`, on the main thread |
/// | endpoint | [`RESULTS`] |
/// | entity | none |
/// | order | last message of a run |
pub const REPORTS_WRITTEN: EventId<ReportsWritten> =
    EventId::new("REPORTS_WRITTEN", "The reports of the run are written.").portable_as_json();

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::Timestamp;
    use zaf_core::message::{
        DispatcherKind, EncodedMessage, MessageBus, MessageDescriptor, WireFormat,
    };

    use super::*;
    use crate::case::{CaseId, Location, Step, Verdict};

    const ON_THE_WIRE: [MessageDescriptor; 5] = [
        TEST_RUN_STARTED.descriptor(),
        TEST_CASES_SELECTED.descriptor(),
        TEST_CASE_STARTED.descriptor(),
        TEST_CASE_FINISHED.descriptor(),
        TEST_RUN_FINISHED.descriptor(),
    ];

    fn trigger_all(bus: &MessageBus) {
        let started = Timestamp::UNIX_EPOCH;
        let case = CaseId::new("suite::case");
        let run = RunStarted {
            run: "r1".into(),
            application: "zk2".into(),
            version: "1.2.3".into(),
            started,
            command_line: vec!["zk2".into(), "run".into()],
            again: vec!["zk2".into(), "run".into()],
            working_directory: "/w".into(),
            host: "h".into(),
            directory: "/w/output/r1".into(),
            workers: 2,
        };
        bus.trigger_event(TEST_RUN_STARTED, RUNNER, run).unwrap();
        let selected = CasesSelected {
            cases: [case.clone()].into(),
            filtered_out: 3,
            sources: 1,
            seed: None,
        };
        bus.trigger_event(TEST_CASES_SELECTED, RUNNER, selected)
            .unwrap();
        let begun = TestCaseStarted {
            execution: 1,
            case: case.clone(),
            attempt: 1,
            started,
            worker: 2,
            in_process: false,
            clock: None,
        };
        bus.trigger_event(TEST_CASE_STARTED, RUNNER, begun).unwrap();
        let finished = TestCaseFinished {
            attempt: 2,
            retried: true,
            duration: Some(Duration::from_micros(1500)),
            worker: 2,
            reason: Some("killed".into()),
            detail: Some("one\ntwo".into()),
            exit: Some(ExitStatus::Signal {
                signal: 11,
                core: true,
            }),
            stdout: "größe".into(),
            stderr: CapturedOutput::from_bytes(b"head", b"tail", 100, Some("err.txt".into())),
            steps: vec![Step {
                name: "first".to_owned(),
                verdict: Verdict::Passed,
                detail: None,
                location: None,
            }],
            leaked: vec![LeakedProcess {
                pid: 7,
                command: "sleep 9".into(),
            }],
            parameters: [("flag", "-s")].into(),
            tags: vec!["smoke".into()],
            location: Some(Location::line("src/a.rs", 4)),
            ..TestCaseFinished::new(1, case.clone(), Verdict::Failed, started)
        };
        bus.trigger_event(TEST_CASE_FINISHED, RUNNER, finished)
            .unwrap();
        // What is usual is left out.
        let shortest = TestCaseFinished::new(2, case, Verdict::NotRun, started);
        bus.trigger_event(TEST_CASE_FINISHED, RUNNER, shortest)
            .unwrap();
        for end in [
            RunEnd::Completed,
            RunEnd::Aborted {
                reason: "SIGINT received".into(),
            },
            RunEnd::TimeLimit,
        ] {
            let finished = RunFinished {
                finished: started,
                duration: Duration::from_secs(2),
                end,
                exit_code: None,
            };
            bus.trigger_event(TEST_RUN_FINISHED, RUNNER, finished)
                .unwrap();
        }
    }

    /// What a bridge gets of a run.
    fn encoded(trigger: impl FnOnce(&MessageBus)) -> Vec<EncodedMessage> {
        let bus = MessageBus::new();
        bus.define(RUNNER, &ON_THE_WIRE).unwrap();
        let (sender, receiver) = crossbeam_channel::unbounded();
        bus.dispatcher(DispatcherKind::Callback, "bridge")
            .on_encoded(
                ON_THE_WIRE.map(|message| message.name),
                WireFormat::Json,
                move |message, _| Ok(sender.send(message.clone())?),
            )
            .unwrap()
            .register()
            .unwrap();
        trigger(&bus);
        receiver.try_iter().collect()
    }

    /// Peers of other versions read this: a change that is not a new field with a default is a new message.
    #[test]
    fn the_messages_of_a_run_are_on_the_wire_what_they_always_were() {
        let lines: Vec<String> = encoded(trigger_all)
            .iter()
            .map(|message| {
                let text = std::str::from_utf8(message.payload().bytes()).unwrap();
                let endpoint = message.endpoint().unwrap();
                format!("{} {endpoint} {text}", message.name())
            })
            .collect();
        insta::assert_snapshot!(lines.join("\n"), @r#"
        TEST_RUN_STARTED runner {"run":"r1","application":"zk2","version":"1.2.3","started":"1970-01-01T00:00:00Z","command_line":["zk2","run"],"again":["zk2","run"],"working_directory":"/w","host":"h","directory":"/w/output/r1","workers":2}
        TEST_CASES_SELECTED runner {"cases":["suite::case"],"filtered_out":3,"sources":1}
        TEST_CASE_STARTED runner {"execution":1,"case":"suite::case","attempt":1,"started":"1970-01-01T00:00:00Z","worker":2}
        TEST_CASE_FINISHED runner {"execution":1,"case":"suite::case","attempt":2,"verdict":"failed","retried":true,"started":"1970-01-01T00:00:00Z","duration_us":1500,"worker":2,"reason":"killed","detail":"one\ntwo","exit":{"how":"signal","signal":11,"core":true},"stdout":{"head":"größe","bytes":7},"stderr":{"head":"head","tail":"tail","bytes":100,"truncated":true,"file":"err.txt"},"steps":[{"name":"first","verdict":"passed","detail":null}],"leaked":[{"pid":7,"command":"sleep 9"}],"parameters":[["flag","-s"]],"tags":["smoke"],"location":{"file":"src/a.rs","line":4}}
        TEST_CASE_FINISHED runner {"execution":2,"case":"suite::case","attempt":1,"verdict":"not-run","started":"1970-01-01T00:00:00Z","worker":0}
        TEST_RUN_FINISHED runner {"finished":"1970-01-01T00:00:00Z","duration_us":2000000,"end":{"how":"completed"}}
        TEST_RUN_FINISHED runner {"finished":"1970-01-01T00:00:00Z","duration_us":2000000,"end":{"how":"aborted","reason":"SIGINT received"}}
        TEST_RUN_FINISHED runner {"finished":"1970-01-01T00:00:00Z","duration_us":2000000,"end":{"how":"time-limit"}}
        "#);
    }

    #[test]
    fn a_record_travels_as_the_line_of_the_event_log_that_it_is() {
        let record = Record {
            schema: crate::results::SCHEMA_VERSION,
            seq: 3,
            time: Timestamp::UNIX_EPOCH,
            body: crate::results::RecordBody::CaseFinished(TestCaseFinished::new(
                1,
                CaseId::new("a"),
                Verdict::Passed,
                Timestamp::UNIX_EPOCH,
            )),
        };
        let line = serde_json::to_string(&Arc::new(record.clone())).unwrap();
        assert!(
            line.contains(
                r#""seq":3,"time":"1970-01-01T00:00:00Z","kind":"case-finished","data":{"#
            )
        );
        assert_eq!(
            serde_json::from_str::<Arc<Record>>(&line).unwrap(),
            Arc::new(record)
        );
    }

    #[test]
    fn the_messages_of_a_run_are_the_same_behind_a_bridge() {
        let sent = encoded(trigger_all);
        let bridged = encoded(|bus| {
            for message in &sent {
                let report = bus.trigger_encoded(message).unwrap();
                report.into_result().unwrap();
            }
        });
        assert_eq!(bridged, sent);
    }

    #[test]
    fn a_message_of_an_older_and_of_a_newer_version_can_be_read() {
        let bus = MessageBus::new();
        bus.define(RUNNER, &ON_THE_WIRE).unwrap();
        let queue = bus.message_queue(TEST_RUN_STARTED, RUNNER).unwrap();
        let text = r#"{"run":"r","application":"a","version":"v","started":"1970-01-01T00:00:00Z","directory":"d","shard":4}"#;
        let payload = zaf_core::message::EncodedPayload::new(WireFormat::Json, text.as_bytes());
        let message = EncodedMessage::new("TEST_RUN_STARTED", payload).at("runner");
        bus.trigger_encoded(&message).unwrap();
        let got = queue.recv().unwrap();
        assert_eq!((&*got.data().run, got.data().workers), ("r", 0));
    }
}
