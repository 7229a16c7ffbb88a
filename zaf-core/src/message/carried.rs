//! What a queue holds of a message: the message itself if one queue has it alone, else a share in it; and where its answer
//! goes.

use std::any::Any;
use std::sync::Arc;

use super::Entity;
use super::message::Message;
use super::reply::{AnyReplies, Replier, SharedReplies};
use super::route::AnyHandler;

/// A message in a queue and, if it is a request, where its answer goes.
pub(crate) trait Carried: Send + 'static {
    /// What its handler gets. The reply is there once.
    fn open(&mut self) -> Opened<'_>;

    /// What the message is about.
    fn entity(&self) -> Option<&Entity>;
}

/// See [`Carried`].
pub(crate) struct Opened<'a> {
    /// A `Message<P>`.
    pub(crate) message: &'a (dyn Any + Send + Sync),
    /// None for events.
    pub(crate) reply: Option<Replier<'a>>,
    /// Who handles it instead of its receiver's handler; nearly always none.
    pub(crate) handler: Option<&'a dyn AnyHandler>,
}

impl<'a> Opened<'a> {
    fn event(message: &'a (dyn Any + Send + Sync)) -> Self {
        Self {
            message,
            reply: None,
            handler: None,
        }
    }
}

/// An event with one receiver.
impl<P: Send + Sync + 'static> Carried for Message<P> {
    #[inline]
    fn open(&mut self) -> Opened<'_> {
        Opened::event(self)
    }

    fn entity(&self) -> Option<&Entity> {
        Self::entity(self)
    }
}

/// A [`Message`] without its type.
pub(crate) trait AnyMessage: Any + Send + Sync {
    /// A `Message<P>`.
    fn message(&self) -> &(dyn Any + Send + Sync);

    /// See [`Message::entity`].
    fn entity(&self) -> Option<&Entity>;
}

impl<P: Send + Sync + 'static> AnyMessage for Message<P> {
    #[inline]
    fn message(&self) -> &(dyn Any + Send + Sync) {
        self
    }

    fn entity(&self) -> Option<&Entity> {
        Self::entity(self)
    }
}

/// A share that several receivers have together in a message that has many.
pub(crate) struct Share<P>(pub(crate) Arc<Message<P>>);

impl<P: Send + Sync + 'static> AnyMessage for Share<P> {
    #[inline]
    fn message(&self) -> &(dyn Any + Send + Sync) {
        &*self.0
    }

    fn entity(&self) -> Option<&Entity> {
        self.0.entity()
    }
}

/// An event with several. One type for all payloads, so that queues have a place for it.
pub(crate) struct SharedEvent(pub(crate) Arc<dyn AnyMessage>);

impl Carried for SharedEvent {
    #[inline]
    fn open(&mut self) -> Opened<'_> {
        Opened::event(self.0.message())
    }

    fn entity(&self) -> Option<&Entity> {
        self.0.entity()
    }
}

/// A message that has a handler of its own, which stands in for that of its receiver: on an observed bus.
pub(crate) struct Watched<C> {
    pub(crate) carried: C,
    pub(crate) handler: Arc<dyn AnyHandler>,
}

impl<C: Carried> Carried for Watched<C> {
    fn open(&mut self) -> Opened<'_> {
        Opened {
            handler: Some(&*self.handler),
            ..self.carried.open()
        }
    }

    fn entity(&self) -> Option<&Entity> {
        self.carried.entity()
    }
}

/// A request on its way to queues: `M` is the message if one queue has it alone, else its [`Arc`].
pub(crate) struct Request<M, R> {
    pub(crate) message: M,
    pub(crate) replies: Arc<SharedReplies<R>>,
}

/// A [`Request`] without its types.
pub(crate) trait Question: Send + 'static {
    /// A `Message<P>`.
    fn message(&self) -> &(dyn Any + Send + Sync);
    fn replies(&self) -> &dyn AnyReplies;
    fn entity(&self) -> Option<&Entity>;
}

impl<P: Send + Sync + 'static, R: Send + 'static> Question for Request<Message<P>, R> {
    fn message(&self) -> &(dyn Any + Send + Sync) {
        &self.message
    }

    fn replies(&self) -> &dyn AnyReplies {
        &*self.replies
    }

    fn entity(&self) -> Option<&Entity> {
        self.message.entity()
    }
}

impl<P: Send + Sync + 'static, R: Send + 'static> Question for Arc<Request<Arc<Message<P>>, R>> {
    fn message(&self) -> &(dyn Any + Send + Sync) {
        &*self.message
    }

    fn replies(&self) -> &dyn AnyReplies {
        &*self.replies
    }

    fn entity(&self) -> Option<&Entity> {
        self.message.entity()
    }
}

const NOTHING_OWED: u32 = u32::MAX;

/// A request and the obligation to answer it once. Who gets it and drops it: abandoned.
pub(crate) struct Owed<Q: Question> {
    question: Q,
    /// Place of the answer; [`NOTHING_OWED`] once it is settled.
    index: u32,
}

impl<Q: Question> Owed<Q> {
    /// The answer at `index` is owed from now on.
    pub(crate) fn new(question: Q, index: usize) -> Self {
        let index = u32::try_from(index).unwrap_or(NOTHING_OWED);
        Self { question, index }
    }
}

impl<Q: Question> Carried for Owed<Q> {
    fn open(&mut self) -> Opened<'_> {
        let index = std::mem::replace(&mut self.index, NOTHING_OWED);
        let reply =
            (index != NOTHING_OWED).then(|| Replier::new(self.question.replies(), index as usize));
        Opened {
            message: self.question.message(),
            reply,
            handler: None,
        }
    }

    fn entity(&self) -> Option<&Entity> {
        self.question.entity()
    }
}

impl<Q: Question> Drop for Owed<Q> {
    fn drop(&mut self) {
        drop(self.open().reply);
    }
}
