//! The extension that keeps the event log of a run.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use parking_lot::Mutex;
use zaf_core::extension::{Extension, ExtensionContext};
use zaf_core::message::{Message, MessageBus};
use zaf_core::prelude::{command_extension, dispatchers};
use zaf_core::{Error, Result};

use super::group::GroupedLog;
use super::sync::Syncer;
use super::{EncodedBody, EventLogWriter};
use crate::hooks::{HOOK_FAILED, HOOKS};
use crate::messages::{
    CasesSelected, EventLogState, HookFailed, RECORDED, REPORTS_WRITTEN, RESULTS, RUN_HISTORY,
    RUNNER, RunFinished, RunResumed, RunStarted, SYNC_EVENT_LOG, SyncEventLog, TEST_CASE_FINISHED,
    TEST_CASE_STARTED, TEST_CASES_SELECTED, TEST_RUN_FINISHED, TEST_RUN_RESUMED, TEST_RUN_STARTED,
    TestCaseFinished, TestCaseStarted, WRITE_REPORTS,
};
use crate::results::{EVENT_LOG_FILE, Progress, RecordBody, RunLogs, Summary, SutRecovery};
use crate::supervisor::guard;
use crate::sut::{SUT_RECOVERY_COMPLETED, SUT_RECOVERY_STARTED};

/// Writes what the runner says to the event log, before anybody else hears it, and then tells it as `RECORDED`.
///
/// A disk that is full does not end the run: it is said once, and the run ends with exit code 6.
#[command_extension(
    name = "eventlog",
    extends = ["run"],
    endpoints_and_messages = {
        RESULTS: [RECORDED, SYNC_EVENT_LOG, WRITE_REPORTS, RUN_HISTORY, REPORTS_WRITTEN]
    },
)]
#[derive(Debug)]
pub struct EventLog {
    open: Mutex<Option<Arc<Open>>>,
    /// When the attempts began to bring systems under test back that are not over.
    recoveries: Mutex<BTreeMap<Arc<str>, Instant>>,
}

/// The log of the run that goes on.
#[derive(Debug)]
struct Open {
    log: GroupedLog,
    /// None if its thread could not be started: then the log is brought to disk at the end only.
    syncer: Option<Syncer>,
    problem_was_said: AtomicBool,
    /// Whether another runner has begun with it: then not all records came by here.
    goes_on: bool,
}

impl Extension for EventLog {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self {
            open: Mutex::new(None),
            recoveries: Mutex::default(),
        })
    }

    fn destroy(&self) -> Result<()> {
        let open = self.open.lock().take();
        if let Some(open) = open {
            open.log.sync();
            if let Some(syncer) = &open.syncer {
                syncer.stop();
            }
        }
        Ok(())
    }
}

impl EventLog {
    fn record(&self, body: RecordBody, bus: &MessageBus) -> Result<()> {
        let body = EncodedBody::new(body);
        let Some(open) = self.open.lock().clone() else {
            return Err(Error::msg(
                "a message of a run that has not begun cannot be recorded",
            ));
        };
        let mut problem = None;
        let record = open.log.append(body, |writer| {
            if let Some(syncer) = &open.syncer {
                syncer.wake(writer.length());
            }
            problem = open.new_problem(writer);
        });
        if let Some(EventLogState {
            path,
            problem: Some(problem),
            ..
        }) = problem
        {
            tracing::warn!(
                "event log {path}: {problem}; the run goes on, records are kept in memory as far as they fit"
            );
        }
        // No lock is held here: receivers may take their time.
        bus.trigger_event(RECORDED, RESULTS, Arc::new(record))?;
        Ok(())
    }
}

impl EventLog {
    fn record_recovery(
        &self,
        sut: Arc<str>,
        duration: Option<Duration>,
        bus: &MessageBus,
    ) -> Result<()> {
        if self.open.lock().is_none() {
            // Before the run has a log: nothing is lost that anybody reports.
            return Ok(());
        }
        let recovery = SutRecovery {
            sut,
            at: Timestamp::now(),
            duration,
        };
        self.record(RecordBody::SutRecovery(recovery), bus)
    }
}

impl Open {
    /// What went wrong, the first time that something has.
    fn new_problem(&self, writer: &EventLogWriter) -> Option<EventLogState> {
        let is_problem =
            writer.has_problem() || self.syncer.as_ref().is_some_and(Syncer::has_problem);
        let is_new = is_problem && !self.problem_was_said.swap(true, Ordering::Relaxed);
        is_new.then(|| self.with_syncer(writer.state()))
    }

    /// `state`, and what went wrong elsewhere.
    fn with_syncer(&self, mut state: EventLogState) -> EventLogState {
        if state.problem.is_none() {
            state.problem = self.syncer.as_ref().and_then(Syncer::problem);
        }
        state
    }
}

// Above everybody else: what others do in answer to these messages must not happen before it is recorded.
#[dispatchers]
impl EventLog {
    #[callback_dispatcher(TEST_RUN_STARTED, endpoints = [RUNNER], priority = 1000)]
    fn run_started(&self, message: &Message<RunStarted>, bus: &MessageBus) -> Result<()> {
        let run = message.data();
        let goes_on = guard::continuation().is_some();
        let path = run.directory.join(EVENT_LOG_FILE);
        let syncer = match Syncer::start(path.clone()) {
            Ok(syncer) => Some(syncer),
            Err(error) => {
                tracing::warn!("event log {path} is brought to disk at the end only: {error}");
                None
            }
        };
        let writer = if goes_on {
            Progress::read(&path)?.resume(&path)?
        } else {
            EventLogWriter::new(path)
        };
        let before = self.open.lock().replace(Arc::new(Open {
            log: GroupedLog::new(writer, Summary::new()),
            syncer,
            problem_was_said: AtomicBool::new(false),
            goes_on,
        }));
        if let Some(syncer) = before.as_ref().and_then(|before| before.syncer.as_ref()) {
            syncer.stop();
        }
        if goes_on {
            return Ok(());
        }
        self.record(RecordBody::RunStarted(run.clone()), bus)
    }

    #[callback_dispatcher(TEST_CASES_SELECTED, endpoints = [RUNNER], priority = 1000)]
    fn cases_selected(&self, message: &Message<CasesSelected>, bus: &MessageBus) -> Result<()> {
        if guard::continuation().is_some() {
            return Ok(());
        }
        self.record(RecordBody::CasesSelected(message.data().clone()), bus)
    }

    #[callback_dispatcher(TEST_RUN_RESUMED, endpoints = [RUNNER], priority = 1000)]
    fn run_resumed(&self, message: &Message<RunResumed>, bus: &MessageBus) -> Result<()> {
        self.record(RecordBody::RunResumed(message.data().clone()), bus)
    }

    #[callback_dispatcher(HOOK_FAILED, endpoints = [HOOKS], priority = 1000)]
    fn hook_failed(&self, message: &Message<HookFailed>, bus: &MessageBus) -> Result<()> {
        self.record(RecordBody::HookFailed(message.data().clone()), bus)
    }

    #[callback_dispatcher(SUT_RECOVERY_STARTED, optional = true, priority = 1000)]
    fn recovery_started(&self, message: &Message<()>, bus: &MessageBus) -> Result<()> {
        let Some(sut) = message.entity().map(|sut| Arc::<str>::from(sut.name())) else {
            return Ok(());
        };
        let began = Instant::now();
        self.recoveries.lock().insert(Arc::clone(&sut), began);
        self.record_recovery(sut, None, bus)
    }

    #[callback_dispatcher(SUT_RECOVERY_COMPLETED, optional = true, priority = 1000)]
    fn recovery_completed(&self, message: &Message<()>, bus: &MessageBus) -> Result<()> {
        let Some(sut) = message.entity().map(|sut| Arc::<str>::from(sut.name())) else {
            return Ok(());
        };
        let began = self.recoveries.lock().remove(&sut);
        // The end of what has not begun is no attempt.
        began.map_or(Ok(()), |began| {
            self.record_recovery(sut, Some(began.elapsed()), bus)
        })
    }

    #[callback_dispatcher(TEST_CASE_STARTED, endpoints = [RUNNER], priority = 1000)]
    fn case_started(&self, message: &Message<TestCaseStarted>, bus: &MessageBus) -> Result<()> {
        self.record(RecordBody::CaseStarted(message.data().clone()), bus)
    }

    #[callback_dispatcher(TEST_CASE_FINISHED, endpoints = [RUNNER], priority = 1000)]
    fn case_finished(&self, message: &Message<TestCaseFinished>, bus: &MessageBus) -> Result<()> {
        self.record(RecordBody::CaseFinished(message.data().clone()), bus)
    }

    #[callback_dispatcher(TEST_RUN_FINISHED, endpoints = [RUNNER], priority = 1000)]
    fn run_finished(&self, message: &Message<RunFinished>, bus: &MessageBus) -> Result<()> {
        self.record(RecordBody::RunFinished(message.data().clone()), bus)
    }

    #[callback_dispatcher(SYNC_EVENT_LOG, endpoints = [RESULTS])]
    fn sync(&self, _message: &Message<SyncEventLog>, logs: &RunLogs) -> Result<EventLogState> {
        let Some(open) = self.open.lock().clone() else {
            return Err(Error::msg("there is no event log: no run has begun"));
        };
        let state = open.with_syncer(open.log.sync());
        // Reporters, and whoever says how the run ended, need not read it for its totals, unless somebody took it away.
        if !open.goes_on
            && let Ok(found) = state.path.metadata()
            && let Some(log) = open.log.to_run_log()
        {
            logs.remember(found.len(), log);
        }
        Ok(state)
    }
}

#[cfg(test)]
mod tests {
    use camino::Utf8PathBuf;
    use zaf_core::message::{DispatcherKind, MessageBus};

    use super::*;
    use crate::results::Record;
    use crate::results::event_log::EventLogReader;

    /// A bus with the log on it.
    fn bus() -> (MessageBus, Arc<EventLog>) {
        let bus = MessageBus::new();
        let runner = [
            TEST_RUN_STARTED.descriptor(),
            TEST_CASE_FINISHED.descriptor(),
        ];
        let results = [RECORDED.descriptor(), SYNC_EVENT_LOG.descriptor()];
        bus.define(RUNNER, &runner).unwrap();
        bus.define(RESULTS, &results).unwrap();
        let log = Arc::new(EventLog {
            open: Mutex::new(None),
            recoveries: Mutex::default(),
        });
        let (started, finished, sync) = (Arc::clone(&log), Arc::clone(&log), Arc::clone(&log));
        let dispatcher = bus.dispatcher(DispatcherKind::Callback, "eventlog");
        dispatcher
            .on(TEST_RUN_STARTED, move |message, bus| {
                started.run_started(message, bus)
            })
            .on(TEST_CASE_FINISHED, move |message, bus| {
                finished.case_finished(message, bus)
            })
            .on(SYNC_EVENT_LOG, move |message, _| {
                sync.sync(message, &RunLogs::default())
            })
            .register()
            .unwrap();
        (bus, log)
    }

    fn begin(bus: &MessageBus, directory: &Utf8PathBuf) {
        let run = RunStarted {
            run: "1".into(),
            application: "zk2".into(),
            version: "0.1.0".into(),
            started: Timestamp::UNIX_EPOCH,
            command_line: Vec::new(),
            again: Vec::new(),
            working_directory: "/".into(),
            host: "".into(),
            directory: directory.clone(),
            workers: 1,
        };
        bus.trigger_event(TEST_RUN_STARTED, RUNNER, run).unwrap();
    }

    fn finish_one(bus: &MessageBus) {
        let case = TestCaseFinished::example();
        bus.trigger_event(TEST_CASE_FINISHED, RUNNER, case).unwrap();
    }

    fn state(bus: &MessageBus) -> EventLogState {
        let replies = bus.send_request(SYNC_EVENT_LOG, RESULTS, SyncEventLog::default());
        let mut replies = replies.unwrap().all(Duration::from_secs(10));
        replies.remove(0).result.unwrap()
    }

    fn scratch() -> (tempfile::TempDir, Utf8PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(dir.path().to_owned()).unwrap();
        (dir, path)
    }

    #[test]
    fn p2_a_record_is_in_the_file_before_it_is_told() {
        let (_dir, path) = scratch();
        let file = path.join(EVENT_LOG_FILE);
        std::fs::write(&file, "").unwrap();
        let (bus, log) = bus();
        let told = Arc::new(Mutex::new(Vec::new()));
        let (seen, log_file) = (Arc::clone(&told), file.clone());
        bus.dispatcher(DispatcherKind::Callback, "reader")
            .on(RECORDED, move |message, _| {
                let record: &Arc<Record> = message.data();
                let mut reader = EventLogReader::open(&log_file)?;
                let in_file = reader.any(|read| read.is_ok_and(|read| read == **record));
                seen.lock().push((record.seq, in_file));
                Ok(())
            })
            .register()
            .unwrap();
        begin(&bus, &path);
        finish_one(&bus);
        assert_eq!(*told.lock(), [(1, true), (2, true)]);
        assert!(state(&bus).is_complete());
        assert_eq!(state(&bus).written, 2);
        log.destroy().unwrap();
    }

    #[test]
    fn f1_a_file_that_cannot_be_written_does_not_end_the_run_but_is_known_at_the_end() {
        let (_dir, path) = scratch();
        let (bus, log) = bus();
        let told = Arc::new(Mutex::new(0));
        let seen = Arc::clone(&told);
        bus.dispatcher(DispatcherKind::Callback, "reader")
            .on(RECORDED, move |_, _| {
                *seen.lock() += 1;
                Ok(())
            })
            .register()
            .unwrap();
        begin(&bus, &path.join("nowhere"));
        finish_one(&bus);
        assert_eq!(*told.lock(), 2);
        let state = state(&bus);
        assert_eq!((state.written, state.lost), (0, 2));
        assert!(!state.is_complete());
        log.destroy().unwrap();
    }

    #[test]
    fn nothing_is_recorded_before_a_run_begins() {
        let (bus, _log) = bus();
        finish_one(&bus);
        let replies = bus.send_request(SYNC_EVENT_LOG, RESULTS, SyncEventLog::default());
        let replies = replies.unwrap().all(Duration::from_secs(10));
        assert!(replies[0].result.is_err());
    }
}
