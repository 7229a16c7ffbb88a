//! A queue that collects messages for code that is not a handler: tests, waiters, tools.
//!
//! Closing and unblocking are states of their own, not messages in the queue: neither waits behind what is queued.

use std::any::Any;
use std::collections::VecDeque;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use super::bus::MessageBus;
use super::dispatcher::{Dispatcher, DispatcherKind};
use super::error::BusError;
use super::message::Message;
use super::{EndpointId, Entity, MessageId};
use crate::sync::{Condvar, Mutex, deadline_after, wait_until};

type Filter<P> = Box<dyn Fn(&Message<P>) -> bool + Send + Sync>;

/// A [`MessageQueue`] under construction.
#[doc = include_str!("doc/message_queue_builder.md")]
#[must_use = "a builder does nothing before `open`"]
pub struct MessageQueueBuilder<M: MessageId> {
    bus: MessageBus,
    ids: Vec<M>,
    endpoints: Vec<EndpointId>,
    entities: Vec<Entity>,
    any_entity: bool,
    optional: bool,
    priority: i32,
    bound: NonZeroUsize,
    filter: Option<Filter<M::Payload>>,
}

impl<M: MessageId> MessageQueueBuilder<M> {
    pub(crate) fn new(bus: MessageBus, ids: Vec<M>) -> Self {
        Self {
            bound: bus.limits().queue_bound,
            bus,
            ids,
            endpoints: Vec::new(),
            entities: Vec::new(),
            any_entity: false,
            optional: false,
            priority: 0,
            filter: None,
        }
    }

    /// Collects at these endpoints only.
    pub fn endpoints(mut self, endpoints: impl IntoIterator<Item = EndpointId>) -> Self {
        self.endpoints.extend(endpoints);
        self
    }

    /// Collects messages for these entities only.
    pub fn entities<E: Into<Entity>>(mut self, entities: impl IntoIterator<Item = E>) -> Self {
        self.entities.extend(entities.into_iter().map(Into::into));
        self
    }

    /// Also collects requests for any entity.
    pub fn any_entity(mut self) -> Self {
        self.any_entity = true;
        self
    }

    /// Skips what is not defined.
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// When it gets its turn; 0 unless said otherwise.
    pub fn priority(mut self, priority: i32) -> Self {
        self.priority = priority;
        self
    }

    /// How many messages it holds. A further one is not collected: counted by [`MessageQueue::lost`], and an error in the
    /// sender's report.
    pub fn bound(mut self, bound: NonZeroUsize) -> Self {
        self.bound = bound;
        self
    }

    /// Collects only messages for which `filter` says so. Called on the sender's thread; a panic is that of a handler.
    pub fn filter(
        mut self,
        filter: impl Fn(&Message<M::Payload>) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.filter = Some(Box::new(filter));
        self
    }

    /// Begins to collect. Requests are answered when they are collected, if their answer is `()`; others have
    /// [`Abandoned`](super::ReplyError::Abandoned) from the queue.
    ///
    /// # Errors
    /// As [`DispatcherBuilder::register`](super::DispatcherBuilder::register).
    pub fn open(self) -> Result<MessageQueue<M::Payload>, BusError> {
        let names: Vec<&str> = self.ids.iter().map(|id| id.descriptor().name).collect();
        let name: Arc<str> = format!("queue of {}", names.join(", ")).into();
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                messages: VecDeque::new(),
                unblocked: false,
                closed: false,
                lost: 0,
            }),
            change: Condvar::new(),
            bound: self.bound.get(),
            filter: self.filter,
            name: Arc::clone(&name),
        });
        let mut builder = self
            .bus
            .dispatcher(DispatcherKind::Callback, name)
            .priority(self.priority)
            .endpoints(self.endpoints)
            .entities(self.entities);
        if self.any_entity {
            builder = builder.any_entity();
        }
        if self.optional {
            builder = builder.optional();
        }
        for id in self.ids {
            let shared = Arc::clone(&shared);
            builder = builder.keep(
                id,
                Box::new(move |message| {
                    shared.collect(message)?;
                    // The value `()` if that is what an answer is, else none.
                    let nothing: Box<dyn Any> = Box::new(());
                    Ok(nothing.downcast::<M::Reply>().ok().map(|reply| *reply))
                }),
            );
        }
        let dispatcher = builder.register()?;
        Ok(MessageQueue { shared, dispatcher })
    }
}

impl<M: MessageId> fmt::Debug for MessageQueueBuilder<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageQueueBuilder")
            .field("messages", &self.ids.len())
            .finish_non_exhaustive()
    }
}

struct State<P> {
    messages: VecDeque<Arc<Message<P>>>,
    unblocked: bool,
    closed: bool,
    lost: u64,
}

struct Shared<P> {
    state: Mutex<State<P>>,
    change: Condvar,
    bound: usize,
    filter: Option<Filter<P>>,
    name: Arc<str>,
}

impl<P> Shared<P> {
    fn collect(&self, message: Arc<Message<P>>) -> Result<(), BusError> {
        if self.filter.as_ref().is_some_and(|filter| !filter(&message)) {
            return Ok(());
        }
        let mut state = self.state.lock();
        if state.messages.len() >= self.bound {
            state.lost += 1;
            drop(state);
            return Err(BusError::QueueFull {
                dispatcher: Arc::clone(&self.name),
                bound: self.bound,
            });
        }
        state.messages.push_back(message);
        drop(state);
        self.change.notify_one();
        Ok(())
    }
}

/// Messages that were sent since the queue was opened, in order. Closed when dropped.
#[doc = include_str!("doc/message_queue.md")]
pub struct MessageQueue<P> {
    shared: Arc<Shared<P>>,
    dispatcher: Dispatcher,
}

impl<P> MessageQueue<P> {
    /// Takes the next message, waiting for it without limit.
    ///
    /// # Errors
    /// [`BusError::Unblocked`]; [`BusError::Closed`] when the queue is closed and nothing is left in it.
    pub fn recv(&self) -> Result<Arc<Message<P>>, BusError> {
        self.recv_timeout(Duration::MAX)
    }

    /// Takes the next message, waiting at most `timeout` for it.
    ///
    /// # Errors
    /// [`BusError::Empty`] after `timeout`, and as [`recv`](Self::recv).
    pub fn recv_timeout(&self, timeout: Duration) -> Result<Arc<Message<P>>, BusError> {
        let deadline = deadline_after(timeout);
        let mut state = self.shared.state.lock();
        let mut late = false;
        loop {
            if std::mem::take(&mut state.unblocked) {
                return Err(BusError::Unblocked);
            }
            if let Some(message) = state.messages.pop_front() {
                return Ok(message);
            }
            if state.closed {
                return Err(BusError::Closed {
                    what: self.shared.name.to_string(),
                });
            }
            if late {
                return Err(BusError::Empty { after: timeout });
            }
            late = wait_until(&self.shared.change, &mut state, deadline);
        }
    }

    /// Takes the next message if there is one.
    pub fn try_recv(&self) -> Option<Arc<Message<P>>> {
        self.shared.state.lock().messages.pop_front()
    }

    /// Number of messages.
    pub fn len(&self) -> usize {
        self.shared.state.lock().messages.len()
    }

    /// Whether there is no message.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of messages that found the queue full.
    pub fn lost(&self) -> u64 {
        self.shared.state.lock().lost
    }

    /// Drops all messages.
    pub fn clear(&self) {
        let messages = std::mem::take(&mut self.shared.state.lock().messages);
        drop(messages);
    }

    /// Makes the wait that is going on, or else the next one, end with [`BusError::Unblocked`], whatever is in the queue.
    pub fn unblock(&self) {
        self.shared.state.lock().unblocked = true;
        self.shared.change.notify_all();
    }

    /// Collects nothing more. What is in the queue can still be taken. Calling it again is harmless.
    pub fn close(&self) {
        self.dispatcher.destroy();
        self.shared.state.lock().closed = true;
        self.shared.change.notify_all();
    }
}

impl<P> Drop for MessageQueue<P> {
    fn drop(&mut self) {
        self.close();
    }
}

impl<P> fmt::Debug for MessageQueue<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageQueue")
            .field("name", &self.shared.name)
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}
