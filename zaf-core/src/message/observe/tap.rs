//! Writes entries down while messages are handed over.
//!
//! A [`Tap`] lies in every route of an observed bus. The sender opens a [`Sending`] with it, hands the message over through
//! it, and closes it by dropping it. For a queue the handler is wrapped for this one message; the wrapper notices when the
//! queue lets go of it without calling it.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Instant;

use crossbeam_channel::{Sender, TrySendError};
use parking_lot::Mutex;

use super::super::bus::MessageBus;
use super::super::carried::{Carried, Watched};
use super::super::current::with_record;
use super::super::dispatcher::Core;
use super::super::enqueue::Round;
use super::super::enqueue::enqueue;
use super::super::error::BusError;
use super::super::handler::{Handler, Look};
use super::super::message::{Message, Origin};
use super::super::presence::Record;
use super::super::report::Failure;
use super::super::route::Entry;
use super::super::{DispatcherKind, EndpointId, Entity, MessageDescriptor, MessageKind};
use super::{Delivery, Observed, ObservedMessage, Outcome, ThreadLabel};
use crate::error::Result;

/// Numbers of messages, unique in the process: handlers of one bus may send on another.
static NEXT_MESSAGE: AtomicU64 = AtomicU64::new(1);

/// Numbers of threads.
static NEXT_THREAD: AtomicU64 = AtomicU64::new(1);

thread_local! {
    static LABEL: RefCell<Option<ThreadLabel>> = const { RefCell::new(None) };
    /// Number of the observed message that this thread is handling; 0 for none.
    static INSIDE: Cell<u64> = const { Cell::new(0) };
}

fn this_thread() -> ThreadLabel {
    let new = || {
        let number = NEXT_THREAD.fetch_add(1, Ordering::Relaxed);
        let thread = std::thread::current();
        let name = match thread.name() {
            Some(name) => name.into(),
            None => format!("thread-{number}").into(),
        };
        ThreadLabel { number, name }
    };
    // A thread that is ending sends from a destructor: it gets a new number each time.
    let known = LABEL.try_with(|label| label.borrow_mut().get_or_insert_with(new).clone());
    known.unwrap_or_else(|_| new())
}

/// Where the entries of one observation go.
pub(crate) struct Sink {
    /// None if it only measures.
    entries: Option<Sender<Observed>>,
    lost: AtomicU64,
}

impl Sink {
    pub(super) fn recording(entries: Sender<Observed>) -> Self {
        Self {
            entries: Some(entries),
            lost: AtomicU64::new(0),
        }
    }

    pub(super) fn measuring() -> Self {
        Self {
            entries: None,
            lost: AtomicU64::new(0),
        }
    }

    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

/// All observations of a bus at one moment. Immutable.
pub(crate) struct Tap {
    sinks: Vec<Arc<Sink>>,
}

impl Tap {
    pub(super) fn with(old: Option<&Self>, sink: &Arc<Sink>) -> Arc<Self> {
        let mut sinks = old.map_or_else(Vec::new, |old| old.sinks.clone());
        sinks.push(Arc::clone(sink));
        Arc::new(Self { sinks })
    }

    /// None if nobody looks any more.
    pub(super) fn without(&self, sink: &Arc<Sink>) -> Option<Arc<Self>> {
        let mut sinks = self.sinks.clone();
        sinks.retain(|other| !Arc::ptr_eq(other, sink));
        (!sinks.is_empty()).then(|| Arc::new(Self { sinks }))
    }

    pub(super) fn write(&self, entry: impl Fn() -> Observed) {
        for sink in &self.sinks {
            let Some(entries) = &sink.entries else {
                continue;
            };
            match entries.try_send(entry()) {
                // An observation that has ended wants nothing more.
                Ok(()) | Err(TrySendError::Disconnected(_)) => {}
                Err(TrySendError::Full(_)) => {
                    sink.lost.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    }
}

/// A message of an observed bus that is being handed over.
pub(crate) struct Sending {
    tap: Arc<Tap>,
    message: Arc<ObservedMessage>,
    receivers: Mutex<Vec<Arc<str>>>,
}

/// A message that this thread sends now.
pub(super) fn observed(
    bus: &MessageBus,
    sender: Option<u64>,
    id: MessageDescriptor,
    endpoint: Option<EndpointId>,
    entity: Option<&Entity>,
) -> ObservedMessage {
    let parent = INSIDE.try_with(Cell::get).unwrap_or(0);
    ObservedMessage {
        number: NEXT_MESSAGE.fetch_add(1, Ordering::Relaxed),
        id,
        endpoint,
        entity: entity.cloned(),
        sender: sender.and_then(|number| bus.name_of(number)),
        parent: (parent != 0).then_some(parent),
        thread: this_thread(),
        sent: Instant::now(),
    }
}

/// A message that reaches nobody.
#[inline]
pub(crate) fn send_nowhere(
    tap: Option<&Arc<Tap>>,
    bus: &MessageBus,
    origin: &'static Origin,
    entity: Option<&Entity>,
) {
    if let Some(tap) = tap {
        let sender = with_record(Record::innermost);
        drop(Sending::new(tap, bus, sender, origin, entity));
    }
}

impl Sending {
    /// Opens it if somebody looks. The frame of this message is already open in `record`.
    #[inline]
    pub(crate) fn open<P>(
        tap: Option<&Arc<Tap>>,
        bus: &MessageBus,
        record: &Record,
        message: &Message<P>,
    ) -> Option<Box<Self>> {
        let tap = tap?;
        let sender = record.sender();
        Some(Box::new(Self::new(
            tap,
            bus,
            sender,
            message.origin,
            message.entity.as_ref(),
        )))
    }

    #[cold]
    fn new(
        tap: &Arc<Tap>,
        bus: &MessageBus,
        sender: Option<u64>,
        origin: &'static Origin,
        entity: Option<&Entity>,
    ) -> Self {
        let (id, endpoint) = (origin.descriptor, origin.endpoint);
        Self {
            tap: Arc::clone(tap),
            message: Arc::new(observed(bus, sender, id, endpoint, entity)),
            receivers: Mutex::new(Vec::new()),
        }
    }

    fn deliver(&self, core: &Arc<Core>) -> InFlight {
        self.receivers.lock().push(Arc::clone(&core.name));
        let is_queued = core.kind != DispatcherKind::Callback;
        InFlight {
            tap: Arc::clone(&self.tap),
            message: Arc::clone(&self.message),
            receiver: Arc::clone(&core.name),
            kind: core.kind,
            core: Arc::downgrade(core),
            accepted: Instant::now(),
            state: Mutex::new(Progress {
                queued: if is_queued { core.counts().0 + 1 } else { 0 },
                ..Progress::default()
            }),
        }
    }

    /// Calls a handler on this thread; `call` returns none if the dispatcher was destroyed.
    #[cold]
    pub(crate) fn call<T>(
        &self,
        core: &Arc<Core>,
        call: impl FnOnce() -> Option<Result<T, Failure>>,
    ) -> Option<Result<T, Failure>> {
        let delivery = self.deliver(core);
        let handling = delivery.begin();
        let outcome = call();
        match &outcome {
            None => delivery.settle(Outcome::Cancelled, None),
            Some(Ok(_)) => handling.end(Outcome::Handled, None),
            Some(Err(failure @ Failure::Error(_))) => {
                handling.end(Outcome::Failed, Some(failure.text()));
            }
            Some(Err(failure @ Failure::Panic(_))) => {
                handling.end(Outcome::Panicked, Some(failure.text()));
            }
        }
        outcome
    }

    /// As [`enqueue`].
    #[cold]
    pub(crate) fn enqueue<P: Send + Sync + 'static, R: Send + 'static>(
        &self,
        record: &Record,
        entry: &Entry<P, R>,
        kind: MessageKind,
        carried: impl Carried,
        round: &mut Round<'_>,
    ) -> Result<bool, BusError> {
        let delivery = Arc::new(self.deliver(&entry.core));
        let Some(call) = entry.handler.look() else {
            return enqueue(record, entry, kind, carried, round);
        };
        let handler = Arc::new(Handler::Encoded(delivery.wrap(call)));
        let carried = Watched { carried, handler };
        let outcome = enqueue(record, entry, kind, carried, round);
        match &outcome {
            Ok(true) => {}
            Ok(false) => delivery.settle(Outcome::Cancelled, None),
            Err(error) => delivery.settle(Outcome::Rejected, Some(error.to_string())),
        }
        outcome
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        let handed_over = Instant::now();
        let receivers = std::mem::take(&mut *self.receivers.lock());
        self.tap.write(|| Observed::Sent {
            message: Arc::clone(&self.message),
            receivers: receivers.clone(),
            handed_over,
        });
    }
}

#[derive(Debug, Default)]
struct Progress {
    settled: bool,
    queued: usize,
    queued_at_begin: usize,
    begun: Option<(Instant, ThreadLabel)>,
}

/// A message on its way to one receiver. If nobody settles it, its drop does: then it left the queue unhandled.
struct InFlight {
    tap: Arc<Tap>,
    message: Arc<ObservedMessage>,
    receiver: Arc<str>,
    kind: DispatcherKind,
    /// Weak: this lies in the queue of that very dispatcher.
    core: Weak<Core>,
    accepted: Instant,
    state: Mutex<Progress>,
}

impl InFlight {
    /// Says that a handler begins on this thread.
    fn begin(&self) -> Handling<'_> {
        let now = Instant::now();
        let queued = self.core.upgrade().map_or(0, |core| core.counts().0);
        let mut state = self.state.lock();
        state.begun = Some((now, this_thread()));
        if self.kind != DispatcherKind::Callback {
            state.queued_at_begin = queued;
        }
        drop(state);
        let outer = INSIDE.try_with(|inside| inside.replace(self.message.number));
        Handling {
            delivery: self,
            begun: now,
            outer: outer.unwrap_or(0),
        }
    }

    /// The handler of a queue, for this one message.
    fn wrap<P: 'static, R: 'static>(
        self: &Arc<Self>,
        call: &Arc<dyn Look<P, R>>,
    ) -> Arc<dyn Look<P, R>> {
        let (delivery, call) = (Arc::clone(self), Arc::clone(call));
        Arc::new(move |message: &Message<P>, bus: &MessageBus| {
            let handling = delivery.begin();
            match catch_unwind(AssertUnwindSafe(|| call.call(message, bus))) {
                Ok(outcome) => {
                    match &outcome {
                        Ok(_) => handling.end(Outcome::Handled, None),
                        Err(error) => handling.end(Outcome::Failed, Some(format!("{error:#}"))),
                    }
                    outcome
                }
                Err(payload) => {
                    let text = payload_text(&*payload);
                    handling.end(Outcome::Panicked, Some(text));
                    // Whoever called catches it, as it would without us.
                    resume_unwind(payload)
                }
            }
        })
    }

    fn settle(&self, outcome: Outcome, error: Option<String>) {
        let ended = Instant::now();
        let mut state = self.state.lock();
        if std::mem::replace(&mut state.settled, true) {
            return;
        }
        let begun = match outcome {
            Outcome::Handled | Outcome::Failed | Outcome::Panicked => state.begun.clone(),
            _ => None,
        };
        let delivery = Delivery {
            message: Arc::clone(&self.message),
            receiver: Arc::clone(&self.receiver),
            kind: self.kind,
            accepted: self.accepted,
            begun,
            ended,
            outcome,
            error,
            queued: state.queued,
            queued_at_begin: state.queued_at_begin,
        };
        drop(state);
        self.tap.write(|| Observed::Delivered(delivery.clone()));
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        let is_destroyed = self.core.upgrade().is_none_or(|core| core.is_marked());
        let outcome = if is_destroyed {
            Outcome::Cancelled
        } else {
            Outcome::Dropped
        };
        self.settle(outcome, None);
    }
}

/// A handler that runs.
struct Handling<'a> {
    delivery: &'a InFlight,
    begun: Instant,
    /// What [`INSIDE`] was before.
    outer: u64,
}

impl Handling<'_> {
    fn end(self, outcome: Outcome, error: Option<String>) {
        if let Some(core) = self.delivery.core.upgrade() {
            core.tally.measured(self.begun.elapsed());
            if self.delivery.kind == DispatcherKind::Callback {
                core.tally.handled();
            }
        }
        self.delivery.settle(outcome, error);
    }
}

impl Drop for Handling<'_> {
    fn drop(&mut self) {
        // A thread that is ending has no marks left to restore.
        let _ended = INSIDE.try_with(|inside| inside.set(self.outer));
    }
}

fn payload_text(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&'static str>()
        .map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "(the panic carried no text)".to_owned())
}
