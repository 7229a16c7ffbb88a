//! The bus itself: definition, registration, waiting, looking, ending. Sending is in [`send`](super::send).
//!
//! Locks: one for the registry (definitions and registrations), never held while foreign code runs; senders take none, they
//! read a snapshot. What a change leaves over is dropped after the lock.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;

use super::activity::Activity;
use super::current::{PLACES, RECORDS, with_record};
use super::dispatcher::pool::Pool;
use super::dispatcher::{Core, DispatcherBuilder, DispatcherKind};
use super::error::BusError;
use super::inventory::Listening;
use super::limits::BusLimits;
use super::observe::{Tap, Watch};
use super::queue::{MessageQueue, MessageQueueBuilder};
use super::registration::Application;
use super::registry::{Garbage, Registry};
use super::report::{APPLICATION_ENDPOINT, BusState, HANDLER_FAILED, SLOW_HANDLER};
use super::snapshot::Snapshot;
use super::{EndpointId, MessageDescriptor, MessageId};
use crate::sync::{Fences, Mutex, deadline_after};

/// Numbers of buses, unique in the process.
static NEXT_BUS: AtomicU32 = AtomicU32::new(1);

/// What all handles of a bus share.
pub(crate) struct Inner {
    number: u32,
    pub(super) snapshot: ArcSwap<Snapshot>,
    /// What a change publishes.
    pub(super) stale: Arc<Snapshot>,
    pub(super) registry: Mutex<Registry>,
    activity: Arc<Activity>,
    pub(super) pool: Arc<Pool>,
    pub(super) late_replies: Arc<AtomicU64>,
    limits: BusLimits,
    ending: AtomicBool,
    /// Who names slow handlers, if anybody.
    pub(super) watch: Mutex<Option<Watch>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Workers hold the pool, not the bus: they end when nothing waits any more.
        self.pool.stop();
        if let Some(watch) = self.watch.get_mut() {
            watch.stop();
        }
        if !self.snapshot.load().is_kept_by_nobody() {
            drop(PLACES.empty(self.number, &self.activity));
        }
    }
}

/// A handle of a message bus. Cheap to clone; all clones are the same bus.
///
/// The bus lives as long as a handle. Handlers get one when they are called; one that captured its own would keep the bus
/// alive until [`shutdown`](Self::shutdown), which is the way to be sure that no thread and no handler is left.
#[doc = include_str!("doc/bus.md")]
#[derive(Clone)]
pub struct MessageBus {
    pub(super) inner: Arc<Inner>,
}

impl Default for MessageBus {
    fn default() -> Self {
        Self::new()
    }
}

impl MessageBus {
    /// A bus with the usual limits. Only [`APPLICATION_ENDPOINT`] with [`HANDLER_FAILED`] and [`SLOW_HANDLER`] is defined.
    pub fn new() -> Self {
        Self::with_limits(BusLimits::default())
    }

    /// A bus with limits of one's own.
    ///
    /// # Panics
    /// Never: its own definitions do not contradict each other.
    pub fn with_limits(limits: BusLimits) -> Self {
        let number = NEXT_BUS.fetch_add(1, Ordering::Relaxed);
        let activity = Arc::new(Activity::new(Fences::detect()));
        let mut registry = Registry::new(number, Arc::clone(&activity));
        registry
            .define(
                APPLICATION_ENDPOINT,
                &[HANDLER_FAILED.descriptor(), SLOW_HANDLER.descriptor()],
            )
            .expect("invariant: an empty registry has no conflicting definition");
        let stale = Arc::new(Snapshot::stale());
        let snapshot = ArcSwap::new(Arc::clone(&stale));
        Self {
            inner: Arc::new(Inner {
                number,
                snapshot,
                stale,
                registry: Mutex::new(registry),
                activity,
                pool: Arc::new(Pool::new(limits.max_threads.get())),
                late_replies: Arc::new(AtomicU64::new(0)),
                limits,
                ending: AtomicBool::new(false),
                watch: Mutex::new(None),
            }),
        }
    }

    pub(crate) fn from_inner(inner: Arc<Inner>) -> Self {
        Self { inner }
    }

    pub(crate) fn downgrade(&self) -> Weak<Inner> {
        Arc::downgrade(&self.inner)
    }

    pub(crate) fn limits(&self) -> BusLimits {
        self.inner.limits
    }

    pub(crate) fn activity(&self) -> &Activity {
        &self.inner.activity
    }

    pub(crate) fn shared_activity(&self) -> &Arc<Activity> {
        &self.inner.activity
    }

    fn look<T>(&self, look: impl FnOnce(&Registry) -> T) -> T {
        look(&self.inner.registry.lock())
    }

    /// Defines an endpoint.
    ///
    /// # Errors
    /// [`BusError::EndpointAlreadyDefined`], [`BusError::Closed`].
    pub fn define_endpoint(&self, endpoint: EndpointId) -> Result<(), BusError> {
        self.change(|registry, _| registry.define_endpoint(endpoint))
    }

    /// Defines messages at an endpoint, and the endpoint itself if it is new. Defining the same message again is harmless.
    ///
    /// # Errors
    /// [`BusError::TypeMismatch`] if a message of that name has another kind, payload or reply; then nothing was defined.
    /// [`BusError::Closed`].
    #[doc = include_str!("doc/define.md")]
    pub fn define(
        &self,
        endpoint: EndpointId,
        messages: &[MessageDescriptor],
    ) -> Result<(), BusError> {
        self.change(|registry, _| registry.define(endpoint, messages))
    }

    /// Begins to build a dispatcher. `name` is how replies, logs and states call it; it need not be unique.
    pub fn dispatcher(&self, kind: DispatcherKind, name: impl Into<Arc<str>>) -> DispatcherBuilder {
        DispatcherBuilder::new(self.clone(), kind, name.into())
    }

    pub(crate) fn register(
        &self,
        application: &Application<'_>,
        is_new: bool,
    ) -> Result<(), BusError> {
        let core = Arc::clone(application.core);
        self.change(|registry, garbage| {
            if core.is_marked() {
                let what = format!("dispatcher `{}`", core.name);
                return Err(BusError::Closed { what });
            }
            registry.register(application, garbage)?;
            if is_new {
                self.inner.pool.reserve(core.reserved_workers());
            }
            Ok(())
        })
    }

    /// A queue that collects one message at one endpoint, from now on. See [`message_queue_of`](Self::message_queue_of).
    ///
    /// # Errors
    /// As [`DispatcherBuilder::register`].
    pub fn message_queue<M: MessageId>(
        &self,
        id: M,
        endpoint: EndpointId,
    ) -> Result<MessageQueue<M::Payload>, BusError> {
        self.message_queue_of([id]).endpoints([endpoint]).open()
    }

    /// Begins to build a queue that collects messages, at all endpoints unless told otherwise.
    pub fn message_queue_of<M: MessageId>(
        &self,
        ids: impl IntoIterator<Item = M>,
    ) -> MessageQueueBuilder<M> {
        MessageQueueBuilder::new(self.clone(), ids.into_iter().collect())
    }

    /// Whether nothing is queued and no handler runs. Costs a look at each thread that ever sent something.
    pub fn is_idle(&self) -> bool {
        self.is_quiet(None, &self.inner.activity.busy)
    }

    /// Whether nothing is queued and no handler runs for messages of this endpoint.
    ///
    /// # Errors
    /// [`BusError::NoSuchEndpoint`].
    pub fn is_idle_at(&self, endpoint: EndpointId) -> Result<bool, BusError> {
        let (number, busy) = self.look(|registry| registry.endpoint(endpoint))?;
        Ok(self.is_quiet(Some(number), &busy))
    }

    fn is_quiet(&self, endpoint: Option<u32>, busy: &super::activity::Busy) -> bool {
        RECORDS.quiet(self.inner.number, endpoint, || busy.is_zero())
    }

    /// Waits until nothing is queued and no handler runs: there was a moment, after the call, at which this was so.
    ///
    /// Succeeds at once on an idle bus, also with a `timeout` of zero. [`Duration::MAX`] waits for ever.
    ///
    /// # Errors
    /// [`BusError::StillBusy`] with the busy dispatchers; [`BusError::WouldDeadlock`] inside a handler of this bus.
    #[doc = include_str!("doc/wait_until_idle.md")]
    pub fn wait_until_idle(&self, timeout: Duration) -> Result<(), BusError> {
        self.wait_quiet(None, &self.inner.activity.busy, timeout)
    }

    /// As [`wait_until_idle`](Self::wait_until_idle), for the messages of one endpoint.
    ///
    /// # Errors
    /// The same, and [`BusError::NoSuchEndpoint`].
    pub fn wait_until_idle_at(
        &self,
        endpoint: EndpointId,
        timeout: Duration,
    ) -> Result<(), BusError> {
        let (number, busy) = self.look(|registry| registry.endpoint(endpoint))?;
        self.wait_quiet(Some(number), &busy, timeout)
    }

    fn wait_quiet(
        &self,
        endpoint: Option<u32>,
        busy: &super::activity::Busy,
        timeout: Duration,
    ) -> Result<(), BusError> {
        if self.is_inside_handler() {
            return Err(BusError::WouldDeadlock {
                what: "the bus to become idle".to_owned(),
            });
        }
        let is_quiet = || self.is_quiet(endpoint, busy);
        if is_quiet() || self.inner.activity.wait(deadline_after(timeout), is_quiet) {
            return Ok(());
        }
        Err(BusError::StillBusy {
            after: timeout,
            busy: self.busy_dispatchers(),
        })
    }

    /// Whether the calling thread is inside a handler of this bus.
    pub(crate) fn is_inside_handler(&self) -> bool {
        with_record(|record| record.is_on(self.inner.number))
    }

    fn busy_dispatchers(&self) -> Vec<(Arc<str>, usize, usize)> {
        self.cores()
            .iter()
            .filter_map(|core| {
                let (queued, active) = core.counts();
                (queued + active > 0).then(|| (Arc::clone(&core.name), queued, active))
            })
            .collect()
    }

    fn cores(&self) -> Vec<Arc<Core>> {
        self.look(|registry| registry.dispatchers().cloned().collect())
    }

    /// Name of a registered dispatcher.
    pub(super) fn name_of(&self, dispatcher: u64) -> Option<Arc<str>> {
        self.look(|registry| Some(Arc::clone(&registry.dispatcher(dispatcher)?.name)))
    }

    /// Whether the dispatcher may take as long as it likes.
    pub(super) fn is_long_running(&self, dispatcher: u64) -> bool {
        self.look(|registry| {
            registry
                .dispatcher(dispatcher)
                .is_some_and(|core| core.long_running)
        })
    }

    /// Who looks at all messages, if somebody does.
    pub(super) fn tap(&self) -> Option<Arc<Tap>> {
        self.look(|registry| registry.tap.clone())
    }

    /// See [`Registry::names_at`].
    pub(super) fn names_at(
        &self,
        message: u32,
        endpoint: u32,
    ) -> (Option<&'static str>, Option<EndpointId>) {
        self.look(|registry| registry.names_at(message, endpoint))
    }

    pub(super) fn number(&self) -> u32 {
        self.inner.number
    }

    /// What the bus is doing.
    #[doc = include_str!("doc/bus_state.md")]
    pub fn state(&self) -> BusState {
        BusState {
            dispatchers: self.cores().iter().map(|core| core.state()).collect(),
            threads: self.inner.pool.threads(),
            late_replies: self.inner.late_replies.load(Ordering::Relaxed),
            is_idle: self.is_idle(),
        }
    }

    /// All endpoints with their messages, both in order of definition.
    pub fn endpoints(&self) -> Vec<(EndpointId, Vec<MessageDescriptor>)> {
        self.look(Registry::endpoints)
    }

    /// All messages with the endpoints that define them, both in order of definition; none without an endpoint.
    pub fn messages(&self) -> Vec<(MessageDescriptor, Vec<EndpointId>)> {
        self.look(Registry::messages)
    }

    /// Who listens for what and where: dispatchers and queues, message by message, in order of registration.
    pub fn listeners(&self) -> Vec<Listening> {
        self.look(Registry::listeners)
    }

    /// Whether the endpoint is defined.
    pub fn is_endpoint_defined(&self, endpoint: EndpointId) -> bool {
        self.look(|registry| registry.endpoint(endpoint).is_ok())
    }

    /// Whether the message is defined at the endpoint, with the same types.
    pub fn is_defined<M: MessageId>(&self, id: M, endpoint: EndpointId) -> bool {
        self.look(|registry| registry.check(&id.descriptor(), Some(endpoint)).is_ok())
    }

    /// Whether anybody is registered for the message at the endpoint, for whatever entity. False if they are not defined.
    pub fn has_receivers<M: MessageId>(&self, id: M, endpoint: EndpointId) -> bool {
        self.look(|registry| registry.has_receivers(id.descriptor().name, endpoint.name()))
    }

    /// Whether [`shutdown`](Self::shutdown) was called.
    pub fn is_closed(&self) -> bool {
        self.inner.ending.load(Ordering::SeqCst)
    }

    /// What is wrong with a message that no route was found for.
    pub(super) fn explain(
        &self,
        message: &MessageDescriptor,
        endpoint: Option<EndpointId>,
    ) -> BusError {
        if self.is_closed() {
            return closed();
        }
        let checked = self.look(|registry| registry.check(message, endpoint));
        checked.err().unwrap_or(BusError::NoSuchMessage {
            message: message.name,
            nearest: None,
        })
    }

    /// Ends the bus: nothing can be sent, defined or registered any more, queued messages are cancelled, handlers that run
    /// are waited for, and no thread of the bus is left. Calling it again waits again.
    ///
    /// # Errors
    /// [`BusError::StillBusy`] with the dispatchers whose handlers still run after `timeout`; their threads end when they do.
    /// [`BusError::WouldDeadlock`] inside a handler of this bus; then nothing was done.
    #[doc = include_str!("doc/shutdown.md")]
    pub fn shutdown(&self, timeout: Duration) -> Result<(), BusError> {
        if self.is_inside_handler() {
            return Err(BusError::WouldDeadlock {
                what: "the end of the bus".to_owned(),
            });
        }
        let deadline = deadline_after(timeout);
        self.inner.ending.store(true, Ordering::SeqCst);
        let mut registry = self.inner.registry.lock();
        registry.closed = true;
        let cores: Vec<Arc<Core>> = registry.dispatchers().cloned().collect();
        let mut garbage = Garbage::new();
        self.replace(Arc::new(registry.snapshot()), &mut garbage);
        drop(registry);
        drop(garbage);
        let mut busy = Vec::new();
        for core in &cores {
            core.close();
        }
        for core in &cores {
            if core.wait_for_end(self, deadline) {
                self.remove(core);
            } else {
                let (queued, active) = core.counts();
                busy.push((Arc::clone(&core.name), queued, active));
            }
        }
        self.inner.pool.stop();
        let left = self.inner.pool.join(deadline);
        let watch = self.inner.watch.lock().take();
        if let Some(watch) = watch {
            watch.end(busy.is_empty());
        }
        if busy.is_empty() && left == 0 {
            return Ok(());
        }
        Err(BusError::StillBusy {
            after: timeout,
            busy,
        })
    }
}

pub(super) fn closed() -> BusError {
    BusError::Closed {
        what: "the bus".to_owned(),
    }
}

impl fmt::Debug for MessageBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageBus")
            .field("number", &self.inner.number)
            .finish_non_exhaustive()
    }
}
