//! The extension that keeps the event log of a run.

use std::sync::Arc;

use parking_lot::Mutex;
use zaf_core::extension::{Extension, ExtensionContext};
use zaf_core::message::{Message, MessageBus};
use zaf_core::prelude::{command_extension, dispatchers};
use zaf_core::{Error, Result};

use super::EventLogWriter;
use super::sync::Syncer;
use crate::messages::{
    CasesSelected, EventLogState, RECORDED, REPORTS_WRITTEN, RESULTS, RUNNER, RunFinished,
    RunStarted, SYNC_EVENT_LOG, SyncEventLog, TEST_CASE_FINISHED, TEST_CASE_STARTED,
    TEST_CASES_SELECTED, TEST_RUN_FINISHED, TEST_RUN_STARTED, TestCaseFinished, TestCaseStarted,
    WRITE_REPORTS,
};
use crate::results::{EVENT_LOG_FILE, RecordBody};

/// Writes what the runner says to the event log, before anybody else hears it, and then tells it as `RECORDED`.
///
/// A disk that is full does not end the run: it is said once, and the run ends with exit code 6.
#[command_extension(
    name = "eventlog",
    extends = ["run"],
    endpoints_and_messages = {
        RESULTS: [RECORDED, SYNC_EVENT_LOG, WRITE_REPORTS, REPORTS_WRITTEN]
    },
)]
#[derive(Debug)]
pub struct EventLog {
    open: Mutex<Option<Open>>,
}

/// The log of the run that goes on.
#[derive(Debug)]
struct Open {
    writer: EventLogWriter,
    /// None if its thread could not be started: then the log is brought to disk at the end only.
    syncer: Option<Syncer>,
    problem_was_said: bool,
}

impl Extension for EventLog {
    fn new(_: &ExtensionContext<'_>) -> Result<Self> {
        Ok(Self {
            open: Mutex::new(None),
        })
    }

    fn destroy(&self) -> Result<()> {
        let open = self.open.lock().take();
        if let Some(mut open) = open {
            open.writer.sync();
            if let Some(syncer) = open.syncer {
                syncer.stop();
            }
        }
        Ok(())
    }
}

impl EventLog {
    fn record(&self, body: RecordBody, bus: &MessageBus) -> Result<()> {
        let (record, problem) = {
            let mut open = self.open.lock();
            let Some(open) = open.as_mut() else {
                return Err(Error::msg(
                    "a message of a run that has not begun cannot be recorded",
                ));
            };
            let record = open.writer.append(body);
            if let Some(syncer) = &open.syncer {
                syncer.wake();
            }
            (record, open.new_problem())
        };
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

impl Open {
    /// What went wrong, the first time that something has.
    fn new_problem(&mut self) -> Option<EventLogState> {
        if self.problem_was_said {
            return None;
        }
        let state = self.state();
        self.problem_was_said = state.problem.is_some();
        self.problem_was_said.then_some(state)
    }

    fn state(&self) -> EventLogState {
        let mut state = self.writer.state();
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
        let path = run.directory.join(EVENT_LOG_FILE);
        let syncer = match Syncer::start(path.clone()) {
            Ok(syncer) => Some(syncer),
            Err(error) => {
                tracing::warn!("event log {path} is brought to disk at the end only: {error}");
                None
            }
        };
        let writer = EventLogWriter::new(path);
        let before = self.open.lock().replace(Open {
            writer,
            syncer,
            problem_was_said: false,
        });
        if let Some(syncer) = before.and_then(|before| before.syncer) {
            syncer.stop();
        }
        self.record(RecordBody::RunStarted(run.clone()), bus)
    }

    #[callback_dispatcher(TEST_CASES_SELECTED, endpoints = [RUNNER], priority = 1000)]
    fn cases_selected(&self, message: &Message<CasesSelected>, bus: &MessageBus) -> Result<()> {
        self.record(RecordBody::CasesSelected(message.data().clone()), bus)
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
    fn sync(&self, _message: &Message<SyncEventLog>) -> Result<EventLogState> {
        let mut open = self.open.lock();
        let Some(open) = open.as_mut() else {
            return Err(Error::msg("there is no event log: no run has begun"));
        };
        open.writer.sync();
        Ok(open.state())
    }
}
