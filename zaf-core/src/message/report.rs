//! What senders and watchers are told: reports, failures, counters, the state of the bus.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{BusError, DispatcherKind, EndpointId, Entity, EventId};
use crate::error::{Error, Result};

/// The endpoint of the application itself. Every bus defines it.
pub const APPLICATION_ENDPOINT: EndpointId =
    EndpointId::new("application", "The application itself.");

/// A handler of an event failed.
///
/// | | |
/// |---|---|
/// | kind | event |
/// | sender | the bus, on the thread on which the handler failed |
/// | endpoint | `application` |
/// | entity | none; that of the failed message is in the payload |
/// | order | after the handler; for callbacks after all receivers of the event |
///
/// A failure of a handler of this event is counted and logged, but triggers nothing.
#[doc = include_str!("doc/handler_failed.md")]
pub const HANDLER_FAILED: EventId<HandlerFailed> =
    EventId::new("HANDLER_FAILED", "A handler of an event failed.");

/// Payload of [`HANDLER_FAILED`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct HandlerFailed {
    /// Name of the dispatcher.
    pub handler: Arc<str>,
    /// Name of the message.
    pub message: &'static str,
    /// Where it was triggered.
    pub endpoint: Option<EndpointId>,
    /// What it was about.
    pub entity: Option<Entity>,
    /// The error with its causes on one line, or the text of the panic.
    pub error: String,
    /// Whether it panicked.
    pub panicked: bool,
}

/// A handler has been running for longer than
/// [`name_slow_handlers`](super::MessageBus::name_slow_handlers) allows.
///
/// | | |
/// |---|---|
/// | kind | event |
/// | sender | the bus, on the thread that looks for slow handlers |
/// | endpoint | `application` |
/// | entity | none |
/// | order | while the handler runs; once for each message that it handles |
///
/// While a callback handler of this event runs, no other slow handler is found. One that is slow itself is logged only.
pub const SLOW_HANDLER: EventId<SlowHandler> =
    EventId::new("SLOW_HANDLER", "A handler takes longer than it should.");

/// Payload of [`SLOW_HANDLER`]. Shows itself as one line.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SlowHandler {
    /// Name of the dispatcher.
    pub handler: Arc<str>,
    /// Name of the message.
    pub message: &'static str,
    /// Where it was triggered, or sent to; of a request to all endpoints one of them.
    pub endpoint: Option<EndpointId>,
    /// What a queued message is about. None for callbacks: their sender is on the same thread and waits.
    pub entity: Option<Entity>,
    /// Name of the dispatcher whose handler sent it; none if it was no handler, or one of a destroyed dispatcher. That of a
    /// callback waits, that of a queued message went on.
    pub sender: Option<Arc<str>>,
    /// Name of the thread on which the handler runs.
    pub thread: Arc<str>,
    /// How long it has run so far, at least.
    pub running_for: Duration,
    /// What was exceeded.
    pub limit: Duration,
}

impl fmt::Display for SlowHandler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "handler `{}` of {}", self.handler, self.message)?;
        if let Some(endpoint) = self.endpoint {
            write!(f, " at `{endpoint}`")?;
        }
        if let Some(entity) = &self.entity {
            write!(f, " for `{entity}`")?;
        }
        let seconds = self.running_for.as_secs_f64();
        write!(
            f,
            " has been running for {seconds:.1} s on thread `{}`",
            self.thread
        )?;
        match &self.sender {
            Some(sender) => write!(f, ", sent by `{sender}`"),
            None => Ok(()),
        }
    }
}

/// A callback handler that failed, or a queue that did not take the event.
#[derive(Debug)]
#[non_exhaustive]
pub struct Undelivered {
    /// Name of the dispatcher.
    pub handler: Arc<str>,
    /// What happened: the handler's own error, a [`HandlerPanicked`], or a [`BusError`].
    pub error: Error,
}

/// A handler panicked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("handler panicked: {message}")]
#[non_exhaustive]
pub struct HandlerPanicked {
    /// Text of the panic.
    pub message: String,
}

impl HandlerPanicked {
    pub(crate) fn new(message: String) -> Self {
        Self { message }
    }
}

/// What became of an event. May be ignored: failures are logged, counted and triggered as [`HANDLER_FAILED`] anyway.
///
/// Small as long as nothing went wrong: every event makes one.
#[doc = include_str!("doc/report.md")]
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct DispatchReport {
    /// Number of dispatchers that handled it or took it into their queue.
    pub delivered: usize,
    problems: Problems,
}

/// Who failed and who refused; nearly always nobody.
#[derive(Debug, Default)]
pub(crate) struct Problems(Option<Box<Lists>>);

#[derive(Debug, Default)]
struct Lists {
    failed: Vec<Undelivered>,
    refused: Vec<Undelivered>,
}

impl DispatchReport {
    #[inline]
    pub(crate) fn new(delivered: usize, problems: Problems) -> Self {
        Self {
            delivered,
            problems,
        }
    }

    /// Callback handlers that failed, in the order in which they were called.
    pub fn failed(&self) -> &[Undelivered] {
        self.problems.failed()
    }

    /// Queues that did not take it, in order of priority. The error is a [`BusError`].
    pub fn refused(&self) -> &[Undelivered] {
        self.problems.0.as_ref().map_or(&[], |lists| &lists.refused)
    }

    /// The first failure as an error: for events whose handlers may stop their sender. All receivers have been called.
    ///
    /// # Errors
    /// The first that [`failed`](Self::failed), else the first that [`refused`](Self::refused).
    pub fn into_result(self) -> Result<usize> {
        let problems = self.problems.0.map(|lists| *lists).unwrap_or_default();
        let first = problems.failed.into_iter().chain(problems.refused).next();
        first.map_or(Ok(self.delivered), |problem| Err(problem.error))
    }
}

impl Problems {
    pub(crate) fn failed(&self) -> &[Undelivered] {
        self.0.as_ref().map_or(&[], |lists| &lists.failed)
    }

    #[cold]
    pub(crate) fn add_failed(&mut self, one: Undelivered) {
        self.0.get_or_insert_default().failed.push(one);
    }

    /// What a queue said: taken, destroyed meanwhile, or refused. Returns how many it was delivered to.
    pub(crate) fn add_outcome(
        &mut self,
        handler: &Arc<str>,
        outcome: Result<bool, BusError>,
    ) -> usize {
        match outcome {
            Ok(taken) => usize::from(taken),
            Err(error) => {
                self.add_refused(handler, error);
                0
            }
        }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    #[cold]
    fn add_refused(&mut self, handler: &Arc<str>, error: BusError) {
        let refused = &mut self.0.get_or_insert_default().refused;
        refused.push(Undelivered {
            handler: Arc::clone(handler),
            error: error.into(),
        });
    }
}

/// What a dispatcher has lived through.
///
/// Counting every call of a callback would cost its sender more than the rest of an event, so callbacks count failures; what
/// else they do is counted only while the bus is [measured](super::MessageBus::measure) or
/// [observed](super::MessageBus::observe).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Counters {
    /// Taken into the queue; 0 for callbacks, which have none.
    pub accepted: u64,
    /// Handled, successfully or not. Of a callback dispatcher what was handled while somebody measured; none if nothing was.
    pub handled: Option<u64>,
    /// The longest time that a handler took while somebody measured, from its beginning to its return; none if nothing was
    /// measured.
    pub longest: Option<Duration>,
    /// Handled with an error or a panic.
    pub failed: u64,
    /// Refused because the queue was full.
    pub rejected: u64,
    /// Pushed out of the queue by newer ones.
    pub dropped: u64,
    /// Still queued when the dispatcher was destroyed.
    pub cancelled: u64,
}

/// One dispatcher at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DispatcherState {
    /// Its name.
    pub name: Arc<str>,
    /// Its kind.
    pub kind: DispatcherKind,
    /// Accepted and waiting for a worker.
    pub queued: usize,
    /// Handlers that run.
    pub active: usize,
    /// What happened so far.
    pub counters: Counters,
}

/// The bus at one moment. Figures of different dispatchers need not belong to the same instant.
#[doc = include_str!("doc/bus_state.md")]
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct BusState {
    /// All dispatchers, in order of registration.
    pub dispatchers: Vec<DispatcherState>,
    /// Threads of the shared pool.
    pub threads: usize,
    /// Answers that came after their time-out and were dropped.
    pub late_replies: u64,
    /// Whether it was idle.
    pub is_idle: bool,
}

impl fmt::Display for BusState {
    /// One line per dispatcher with work; "idle" if there is none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut nothing = true;
        for dispatcher in &self.dispatchers {
            if dispatcher.queued + dispatcher.active > 0 {
                nothing = false;
                writeln!(
                    f,
                    "{}: {} queued, {} active",
                    dispatcher.name, dispatcher.queued, dispatcher.active
                )?;
            }
        }
        if nothing { f.write_str("idle") } else { Ok(()) }
    }
}

/// What a call of a handler led to, other than a value.
#[derive(Debug)]
pub(crate) enum Failure {
    Error(Error),
    Panic(String),
}

impl Failure {
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Error(error) => format!("{error:#}"),
            Self::Panic(message) => message.clone(),
        }
    }

    pub(crate) fn into_error(self) -> Error {
        match self {
            Self::Error(error) => error,
            Self::Panic(message) => HandlerPanicked::new(message).into(),
        }
    }
}
