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
//! Reporters listen to [`RECORDED`], [`WRITE_REPORTS`] and [`REPORTS_WRITTEN`], never to the runner: what they show is then
//! what is on disk.

use std::sync::Arc;

use zaf_core::message::{EndpointId, EventId, RequestId};

use crate::results::Record;
pub use crate::results::{
    CapturedOutput, CasesSelected, EventLogState, ExitStatus, LeakedProcess, ReportFailure,
    ReportsWritten, RunEnd, RunFinished, RunStarted, SyncEventLog, TestCaseFinished,
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
pub const TEST_RUN_STARTED: EventId<RunStarted> = EventId::new("TEST_RUN_STARTED", "A run begins.");

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
);

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
    EventId::new("TEST_CASE_STARTED", "A test case begins.");

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
    EventId::new("TEST_CASE_FINISHED", "A test case has ended.");

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
    EventId::new("TEST_RUN_FINISHED", "The run has ended.");

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
    EventId::new("RECORDED", "A record was added to the event log.");

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
/// | sender | the `run` command, on the main thread |
/// | endpoint | [`RESULTS`] |
/// | entity | none |
/// | order | after [`SYNC_EVENT_LOG`] |
pub const WRITE_REPORTS: RequestId<WriteReports, Vec<WrittenReport>> = RequestId::new(
    "WRITE_REPORTS",
    "Asks each reporter for its report of the run.",
);

/// Everything is written; the exit code is known.
///
/// | | |
/// |---|---|
/// | kind | event |
/// | sender | the `run` command, on the main thread |
/// | endpoint | [`RESULTS`] |
/// | entity | none |
/// | order | last message of a run |
pub const REPORTS_WRITTEN: EventId<ReportsWritten> =
    EventId::new("REPORTS_WRITTEN", "The reports of the run are written.");
