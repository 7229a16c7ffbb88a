//! The running extension.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use zaf_core::Result;
use zaf_core::extension::{Extension, Host, RunningExtension, TeardownLimits};
use zaf_core::message::{
    BusError, DispatchReport, EndpointId, Entity, EventId, MessageBus, MessageId, Replies,
    RequestId,
};

use crate::logs::{LogGroup, Logs};
use crate::messages::ExpectedMessages;
use crate::{HarnessBuilder, HarnessError, Recorder};

/// How long [`ExtensionTestHarness::wait_until_idle`] waits: far more than any handler of a test needs, and less than the time
/// after which a test runner gives up.
const IDLE_LIMIT: Duration = Duration::from_secs(30);

/// How long the end of the bus may take.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(10);

/// One extension on a bus of its own. Dropping it destroys the extension as an application would.
pub struct ExtensionTestHarness<E> {
    host: Host,
    running: Option<RunningExtension>,
    logs: LogGroup,
    extension: PhantomData<fn() -> E>,
}

impl<E: Extension> ExtensionTestHarness<E> {
    /// Begins to set a harness up.
    pub fn builder() -> HarnessBuilder<E> {
        HarnessBuilder::new()
    }
}

impl<E> ExtensionTestHarness<E> {
    pub(crate) fn new(host: Host, running: RunningExtension, logs: LogGroup) -> Self {
        Self {
            host,
            running: Some(running),
            logs,
            extension: PhantomData,
        }
    }

    /// The bus.
    pub fn bus(&self) -> &MessageBus {
        self.host.bus()
    }

    /// What the extension lives in: session, catalog, application.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Whether the extension takes part: its `activate_on` holds and its `deactivate_on` does not.
    pub fn is_active(&self) -> bool {
        self.running
            .as_ref()
            .is_some_and(RunningExtension::is_active)
    }

    /// A queue that collects messages at all endpoints, from now on.
    ///
    /// # Errors
    /// [`BusError`] if one of the messages is not defined anywhere.
    pub fn message_queue<M: MessageId>(
        &self,
        ids: impl IntoIterator<Item = M>,
    ) -> Result<ExpectedMessages<M::Payload>, BusError> {
        let ids: Vec<M> = ids.into_iter().collect();
        let names: Vec<_> = ids.iter().map(|id| id.descriptor().name).collect();
        let queue = self.bus().message_queue_of(ids).open()?;
        Ok(ExpectedMessages::new(queue, names.join(" or ")))
    }

    /// Records these messages at all endpoints, from now on, for expectations.
    ///
    /// # Errors
    /// [`BusError`] if one of the messages is not defined anywhere.
    pub fn record<M: MessageId>(
        &self,
        ids: impl IntoIterator<Item = M>,
    ) -> Result<Recorder<M::Payload>, BusError>
    where
        M::Payload: fmt::Debug,
    {
        Ok(Recorder::new(self.bus().message_queue_of(ids).open()?))
    }

    /// What this harness and the handlers of its extension log.
    pub fn logs(&self) -> Logs {
        self.logs.logs()
    }

    /// Triggers an event as its sender would.
    ///
    /// # Errors
    /// As [`MessageBus::trigger_event`].
    pub fn trigger_event<P: Send + Sync + 'static>(
        &self,
        id: EventId<P>,
        endpoint: EndpointId,
        payload: P,
    ) -> Result<DispatchReport, BusError> {
        let _in_group = self.logs.enter();
        self.bus().trigger_event(id, endpoint, payload)
    }

    /// Triggers an event about an entity as its sender would.
    ///
    /// # Errors
    /// As [`MessageBus::trigger_event_for`].
    pub fn trigger_event_for<P: Send + Sync + 'static>(
        &self,
        id: EventId<P>,
        endpoint: EndpointId,
        entity: impl Into<Entity>,
        payload: P,
    ) -> Result<DispatchReport, BusError> {
        let _in_group = self.logs.enter();
        self.bus()
            .trigger_event_for(id, endpoint, &entity.into(), payload)
    }

    /// Sends a request.
    ///
    /// # Errors
    /// As [`MessageBus::send_request`].
    pub fn send_request<P: Send + Sync + 'static, R: Send + 'static>(
        &self,
        id: RequestId<P, R>,
        endpoint: EndpointId,
        payload: P,
    ) -> Result<Replies<R>, BusError> {
        let _in_group = self.logs.enter();
        self.bus().send_request(id, endpoint, payload)
    }

    /// Sends a request about an entity.
    ///
    /// # Errors
    /// As [`MessageBus::send_request_for`].
    pub fn send_request_for<P: Send + Sync + 'static, R: Send + 'static>(
        &self,
        id: RequestId<P, R>,
        endpoint: EndpointId,
        entity: impl Into<Entity>,
        payload: P,
    ) -> Result<Replies<R>, BusError> {
        let _in_group = self.logs.enter();
        self.bus()
            .send_request_for(id, endpoint, &entity.into(), payload)
    }

    /// Waits until no message is queued and no handler runs, for at most 30 s.
    ///
    /// # Errors
    /// As [`MessageBus::wait_until_idle`].
    pub fn wait_until_idle(&self) -> Result<(), BusError> {
        self.bus().wait_until_idle(IDLE_LIMIT)
    }

    /// Ends the extension and says what went wrong while it ended. Dropping the harness ends it too, but can only log.
    ///
    /// # Errors
    /// [`HarnessError::Destroy`].
    pub fn destroy(mut self) -> Result<(), HarnessError> {
        let problems = self.end();
        if problems.is_empty() {
            Ok(())
        } else {
            Err(HarnessError::Destroy(problems.join("; ")))
        }
    }

    fn end(&mut self) -> Vec<String> {
        let Some(running) = self.running.take() else {
            return Vec::new();
        };
        let _in_group = self.logs.enter();
        let errors =
            RunningExtension::destroy_all(vec![running], &self.host, TeardownLimits::default());
        let mut problems: Vec<_> = errors.iter().map(ToString::to_string).collect();
        if let Err(error) = self.bus().shutdown(SHUTDOWN_LIMIT) {
            problems.push(error.to_string());
        }
        problems
    }
}

impl<E: Extension> ExtensionTestHarness<E> {
    /// The extension itself.
    ///
    /// # Panics
    /// Never: a harness runs the type that it was built for.
    pub fn extension(&self) -> Arc<E> {
        self.running
            .as_ref()
            .and_then(|running| running.instance().downcast().ok())
            .expect("invariant: the harness runs an instance of its own type")
    }
}

impl<E> Drop for ExtensionTestHarness<E> {
    fn drop(&mut self) {
        for problem in self.end() {
            tracing::error!(problem, "the extension could not be ended");
        }
    }
}

impl<E> fmt::Debug for ExtensionTestHarness<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExtensionTestHarness")
            .field("extension", &self.running)
            .finish_non_exhaustive()
    }
}
