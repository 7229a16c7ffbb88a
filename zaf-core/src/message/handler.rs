//! What a dispatcher does with a message, with its types.

use std::any::Any;
use std::sync::{Arc, OnceLock};

use super::dispatcher::row::{Numbered, Row, row_of};
use super::{Message, MessageBus};
use crate::error::Result;
use crate::sync::Mutex;

/// A handler that looks at a message.
pub(crate) trait Look<P, R>: Send + Sync {
    fn call(&self, message: &Message<P>, bus: &MessageBus) -> Result<R>;

    /// The same for a slice of its own.
    fn direct(self: Arc<Self>) -> Call<P, R>;

    /// As many of the first handlers as have its type, to be called together; `first` is the place of the first one among the
    /// receivers.
    fn row(&self, first: usize, handlers: &[Numbered<dyn Look<P, R>>]) -> Box<dyn Row<P, R>>;

    /// For the way back to the type.
    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
}

impl<P, R, F> Look<P, R> for F
where
    F: Fn(&Message<P>, &MessageBus) -> Result<R> + Send + Sync + 'static,
{
    fn call(&self, message: &Message<P>, bus: &MessageBus) -> Result<R> {
        self(message, bus)
    }

    fn direct(self: Arc<Self>) -> Call<P, R> {
        Box::new(move |message, bus| self(message, bus))
    }

    fn row(&self, first: usize, handlers: &[Numbered<dyn Look<P, R>>]) -> Box<dyn Row<P, R>> {
        row_of::<P, R, F>(first, handlers)
    }

    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

/// What senders call. In a box and not shared: where the value behind an `Arc<dyn …>` begins has to be computed at each call,
/// which takes a third of it; and the boxes of a slice lie side by side.
pub(crate) type Call<P, R> = Box<dyn Fn(&Message<P>, &MessageBus) -> Result<R> + Send + Sync>;

/// A handler that keeps the message; runs on the sender's thread. No value: it cannot answer.
pub(crate) type Keep<P, R> = Box<dyn Fn(Arc<Message<P>>) -> Result<Option<R>> + Send + Sync>;

/// A handler where it was given, until it is needed.
trait OnTheWay<P, R>: Send {
    fn arrive(&mut self) -> Option<Arc<dyn Look<P, R>>>;
}

impl<P, R, F: Look<P, R> + 'static> OnTheWay<P, R> for Option<F> {
    fn arrive(&mut self) -> Option<Arc<dyn Look<P, R>>> {
        let given = self.take()?;
        Some(Arc::new(given))
    }
}

/// A handler that moves when it is needed for the first time: those of a route come to lie side by side, and not each among what
/// its own registration has allocated. Among thousands of them that is what an event waits for.
pub(crate) struct Movable<P, R> {
    given: Mutex<Box<dyn OnTheWay<P, R>>>,
    moved: OnceLock<Arc<dyn Look<P, R>>>,
}

impl<P, R> Movable<P, R> {
    pub(crate) fn new(handler: impl Look<P, R> + 'static) -> Self {
        Self {
            given: Mutex::new(Box::new(Some(handler))),
            moved: OnceLock::new(),
        }
    }

    pub(crate) fn moved(&self) -> &Arc<dyn Look<P, R>> {
        self.moved.get_or_init(|| {
            let moved = self.given.lock().arrive();
            moved.expect("invariant: it is taken once")
        })
    }
}

/// What a dispatcher does with one of its messages.
pub(crate) enum Handler<P, R> {
    Call(Movable<P, R>),
    /// The same, but puts the payload into bytes, which it shares with the others who do.
    Encoded(Arc<dyn Look<P, R>>),
    Keep(Keep<P, R>),
}

impl<P, R> Handler<P, R> {
    /// None if it keeps the message.
    pub(crate) fn look(&self) -> Option<&Arc<dyn Look<P, R>>> {
        match self {
            Self::Call(call) => Some(call.moved()),
            Self::Encoded(call) => Some(call),
            Self::Keep(_) => None,
        }
    }
}
