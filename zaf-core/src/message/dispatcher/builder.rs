//! A dispatcher under construction.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};

use super::policy::QueuePolicy;
use super::strand::Strand;
use super::{
    Core, Dispatcher, DispatcherKind, NEXT_NUMBER, Shape, Tally, concurrent, sequential, threadpool,
};
use crate::error::Result;
use crate::message::bus::MessageBus;
use crate::message::handler::{Handler, Keep, Movable};
use crate::message::message::Message;
use crate::message::registration::{Application, Subscription};
use crate::message::routing::Audience;
use crate::message::{BusError, EndpointId, Entity, MessageId};
use crate::sync::Arc;

/// What the builder works for.
enum Target {
    New {
        bus: MessageBus,
        kind: DispatcherKind,
        name: Arc<str>,
    },
    Existing(Arc<Core>),
}

/// A dispatcher under construction. Nothing happens before [`register`](Self::register).
#[doc = include_str!("../doc/builder.md")]
#[must_use = "a builder does nothing before `register`"]
pub struct DispatcherBuilder {
    target: Target,
    priority: i32,
    endpoints: Vec<EndpointId>,
    entities: Vec<Entity>,
    any_entity: bool,
    optional: bool,
    long_running: bool,
    workers: Option<NonZeroUsize>,
    queue: Option<(QueuePolicy, NonZeroUsize)>,
    subscriptions: Vec<Subscription>,
}

impl DispatcherBuilder {
    pub(crate) fn new(bus: MessageBus, kind: DispatcherKind, name: Arc<str>) -> Self {
        Self::with_target(Target::New { bus, kind, name }, 0)
    }

    pub(crate) fn extending(core: Arc<Core>, priority: i32) -> Self {
        Self::with_target(Target::Existing(core), priority)
    }

    fn with_target(target: Target, priority: i32) -> Self {
        Self {
            target,
            priority,
            endpoints: Vec::new(),
            entities: Vec::new(),
            any_entity: false,
            optional: false,
            long_running: false,
            workers: None,
            queue: None,
            subscriptions: Vec::new(),
        }
    }

    /// Higher is served first; 0 unless said otherwise. Ties in order of registration.
    #[doc = include_str!("../doc/priority.md")]
    pub fn priority(mut self, priority: i32) -> Self {
        self.priority = priority;
        self
    }

    /// Listens at these endpoints only. Without any: at all that define the message when the dispatcher registers.
    #[doc = include_str!("../doc/endpoints.md")]
    pub fn endpoints(mut self, endpoints: impl IntoIterator<Item = EndpointId>) -> Self {
        self.endpoints.extend(endpoints);
        self
    }

    /// Listens for these entities only. Duplicates do no harm.
    #[doc = include_str!("../doc/entities.md")]
    pub fn entities<E: Into<Entity>>(mut self, entities: impl IntoIterator<Item = E>) -> Self {
        for entity in entities {
            let entity = entity.into();
            if !self.entities.contains(&entity) {
                self.entities.push(entity);
            }
        }
        self
    }

    /// Also gets requests that are for an entity, whatever entity it is.
    #[doc = include_str!("../doc/any_entity.md")]
    pub fn any_entity(mut self) -> Self {
        self.any_entity = true;
        self
    }

    /// Skips messages and endpoints that are not defined, one by one, instead of failing.
    #[doc = include_str!("../doc/optional.md")]
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// Its handlers may take as long as they like: they are not
    /// [named as slow](crate::message::MessageBus::name_slow_handlers), nor is who waits for them on the same thread.
    pub fn long_running(mut self) -> Self {
        self.long_running = true;
        self
    }

    /// How many handlers run at a time: for thread pools (one per processor unless said otherwise) and concurrent ones (the
    /// limit of the bus).
    #[doc = include_str!("../doc/workers.md")]
    pub fn workers(mut self, workers: NonZeroUsize) -> Self {
        self.workers = Some(workers);
        self
    }

    /// How many messages may wait, and what happens to the next one. Not for callbacks. Unless said otherwise:
    /// [`BusLimits::queue_bound`](crate::message::BusLimits), [`QueuePolicy::Reject`] for events and
    /// [`QueuePolicy::Block`] for requests.
    #[doc = include_str!("../doc/queue.md")]
    pub fn queue(mut self, policy: QueuePolicy, bound: NonZeroUsize) -> Self {
        self.queue = Some((policy, bound));
        self
    }

    /// Calls `handler` for each `id`. May be called for several messages; the handlers share the dispatcher's queue.
    ///
    /// What a handler of a request returns is the answer. An error or a panic of a handler of an event is logged, counted,
    /// and triggered as [`HANDLER_FAILED`](crate::message::HANDLER_FAILED).
    #[doc = include_str!("../doc/on.md")]
    pub fn on<M: MessageId>(
        self,
        id: M,
        handler: impl Fn(&Message<M::Payload>, &MessageBus) -> Result<M::Reply> + Send + Sync + 'static,
    ) -> Self {
        self.subscribe(id, Handler::Call(Movable::new(handler)))
    }

    /// Hands each `id` to `keep` on the sender's thread.
    pub(crate) fn keep<M: MessageId>(self, id: M, keep: Keep<M::Payload, M::Reply>) -> Self {
        self.subscribe(id, Handler::Keep(keep))
    }

    pub(crate) fn with_subscription(mut self, subscription: Subscription) -> Self {
        self.subscriptions.push(subscription);
        self
    }

    /// The bus that the dispatcher is, or will be, registered at.
    pub(crate) fn bus(&self) -> Result<MessageBus, BusError> {
        let bus = match &self.target {
            Target::New { bus, .. } => Some(bus.clone()),
            Target::Existing(core) => core.bus(),
        };
        bus.ok_or_else(|| BusError::Closed {
            what: "the bus".to_owned(),
        })
    }

    fn subscribe<M: MessageId>(mut self, id: M, handler: Handler<M::Payload, M::Reply>) -> Self {
        self.subscriptions.push(Subscription {
            descriptor: id.descriptor(),
            handler: Arc::new(handler),
        });
        self
    }

    /// Registers the dispatcher: everything that was asked for, or nothing.
    ///
    /// # Errors
    /// [`BusError::NoSuchEndpoint`], [`BusError::NoSuchMessage`] and [`BusError::NotDefinedAt`] unless
    /// [`optional`](Self::optional); [`BusError::TypeMismatch`]; [`BusError::AlreadyRegistered`];
    /// [`BusError::NothingToRegister`] without a message; [`BusError::Contradiction`] for settings that do not go together;
    /// [`BusError::Closed`] after the end of the bus.
    #[doc = include_str!("../doc/register.md")]
    pub fn register(self) -> Result<Dispatcher, BusError> {
        if let Some(reason) = self.contradiction() {
            return Err(BusError::Contradiction {
                dispatcher: self.name(),
                reason,
            });
        }
        let (bus, core) = match &self.target {
            Target::New { bus, kind, name } => (
                bus.clone(),
                Arc::new(self.core(bus, *kind, Arc::clone(name))),
            ),
            Target::Existing(core) if core.is_marked() => {
                return Err(BusError::Closed {
                    what: format!("dispatcher `{}`", core.name),
                });
            }
            Target::Existing(core) => match core.bus() {
                Some(bus) => (bus, Arc::clone(core)),
                None => {
                    return Err(BusError::Closed {
                        what: "the bus".to_owned(),
                    });
                }
            },
        };
        let audience = if self.any_entity {
            Audience::AnyEntity
        } else if self.entities.is_empty() {
            Audience::Endpoint
        } else {
            Audience::Entities(self.entities)
        };
        let application = Application {
            core: &core,
            subscriptions: self.subscriptions,
            endpoints: &self.endpoints,
            audience,
            priority: self.priority,
            optional: self.optional,
        };
        let is_new = matches!(self.target, Target::New { .. });
        bus.register(&application, is_new)?;
        Ok(Dispatcher { core })
    }

    fn name(&self) -> Arc<str> {
        match &self.target {
            Target::New { name, .. } => Arc::clone(name),
            Target::Existing(core) => Arc::clone(&core.name),
        }
    }

    fn contradiction(&self) -> Option<&'static str> {
        if self.any_entity && !self.entities.is_empty() {
            return Some("it listens either for any entity or for the named ones");
        }
        match &self.target {
            Target::Existing(_)
                if self.workers.is_some() || self.queue.is_some() || self.long_running =>
            {
                Some("workers, queue and long running are decided when it is first registered")
            }
            Target::New { kind, .. } => match kind {
                DispatcherKind::Callback if self.workers.is_some() => {
                    Some("a callback dispatcher runs on its senders' threads and has no workers")
                }
                DispatcherKind::Callback if self.queue.is_some() => {
                    Some("a callback dispatcher has no queue")
                }
                DispatcherKind::Sequential if self.workers.is_some_and(|count| count.get() > 1) => {
                    Some("a sequential dispatcher has exactly one worker")
                }
                _ => None,
            },
            Target::Existing(_) => None,
        }
    }

    fn core(&self, bus: &MessageBus, kind: DispatcherKind, name: Arc<str>) -> Core {
        let limits = bus.limits();
        let bound = self
            .queue
            .map_or(limits.queue_bound, |(_, bound)| bound)
            .get();
        let shape = match kind {
            DispatcherKind::Callback => None,
            DispatcherKind::Sequential => Some(sequential::shape(bound)),
            DispatcherKind::ThreadPool => Some(threadpool::shape(self.workers, bound)),
            DispatcherKind::Concurrent => {
                let max_threads = limits.max_threads.get();
                Some(concurrent::shape(self.workers, bound, max_threads))
            }
        };
        let strand = shape.map(|shape| {
            let activity = Arc::clone(bus.shared_activity());
            Box::new(Strand::new(activity, shape.workers, shape.bound))
        });
        Core {
            number: NEXT_NUMBER.fetch_add(1, Ordering::Relaxed),
            name,
            kind,
            tally: Tally::new(strand.is_some()),
            strand,
            long_running: self.long_running,
            shape: shape.unwrap_or(Shape {
                workers: 0,
                bound: 0,
            }),
            priority: self.priority,
            policy: self.queue.map(|(policy, _)| policy),
            mark: AtomicBool::new(false),
            bus: bus.downgrade(),
        }
    }
}

impl fmt::Debug for DispatcherBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DispatcherBuilder")
            .field("name", &self.name())
            .field("messages", &self.subscriptions.len())
            .finish_non_exhaustive()
    }
}
