//! A message in the queue of a dispatcher, and what it is when its type is not known.

use std::any::{Any, TypeId};
use std::collections::VecDeque;

use tracing::Span;
use tracing::level_filters::LevelFilter;

use super::super::carried::{Carried, Opened, SharedEvent};
use super::super::reply::Replier;
use super::super::{Entity, MessageBus};
use super::Core;
use super::lane::{Lane, LaneOf};
use super::ring::Ring;
use super::worker::Intake;
use crate::sync::Arc;

/// A message in the queue of a dispatcher. Small: a long queue is read from memory.
pub(crate) struct Job<C> {
    carried: C,
    /// Number of the dispatcher whose handler sent it; 0 for none.
    sender: u64,
    /// Where the sender was; none if nobody traces.
    span: Option<Box<Span>>,
}

impl<C: Carried> Job<C> {
    #[inline]
    pub(crate) fn new(carried: C, sender: Option<u64>) -> Self {
        Self {
            carried,
            sender: sender.unwrap_or(0),
            span: current_span(),
        }
    }

    /// The obligation to answer, once.
    pub(crate) fn take_reply(&mut self) -> Option<Replier<'_>> {
        self.carried.open().reply
    }

    fn run(&mut self, intake: &Intake, core: &Arc<Core>, bus: &MessageBus) {
        let _inside = self.span.as_ref().map(|span| span.enter());
        let Opened {
            message,
            reply,
            handler,
        } = self.carried.open();
        let handler = handler.unwrap_or(&*intake.handler);
        handler.run(message, reply, core, bus);
    }
}

impl<C> std::fmt::Debug for Job<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Job").finish_non_exhaustive()
    }
}

/// Where the sender is, for the log of the handler; none if nobody traces.
#[inline]
fn current_span() -> Option<Box<Span>> {
    // One load; asking for the span itself costs more than the queue.
    if LevelFilter::current() == LevelFilter::OFF {
        return None;
    }
    let span = Span::current();
    (!span.is_none()).then(|| Box::new(span))
}

/// The place of one [`Job`] outside of its queue. What is asked of an empty one is not done.
pub(crate) trait AnySlot: Any + Send {
    /// Number of the dispatcher whose handler sent it, 0 for none; what it is about.
    fn letter(&self) -> (u64, Option<&Entity>);

    /// Runs the handler.
    fn run(&mut self, intake: &Intake, core: &Arc<Core>, bus: &MessageBus);

    /// See [`Job::take_reply`].
    fn take_reply(&mut self) -> Option<Replier<'_>>;

    /// Drops the message.
    fn clear(&mut self);
}

impl<C: Carried> AnySlot for Option<Job<C>> {
    fn letter(&self) -> (u64, Option<&Entity>) {
        let job = self.as_ref();
        job.map_or((0, None), |job| (job.sender, job.carried.entity()))
    }

    fn run(&mut self, intake: &Intake, core: &Arc<Core>, bus: &MessageBus) {
        if let Some(job) = self {
            job.run(intake, core, bus);
        }
    }

    fn take_reply(&mut self) -> Option<Replier<'_>> {
        self.as_mut()?.take_reply()
    }

    fn clear(&mut self) {
        // Empty even if the drop panics.
        drop(self.take());
    }
}

/// The jobs of one type.
pub(crate) trait AnyJobs: Any + Send {
    /// See [`Lane::slot`].
    fn slot(&self) -> Box<dyn AnySlot>;

    /// See [`Lane::take_first`].
    fn take_first(&mut self, slot: &mut dyn AnySlot, left_of_last_run: Option<u32>) -> bool;

    /// See [`Lane::end_run`].
    fn end_run(&mut self, count: u32);
}

impl<C: Carried> AnyJobs for Ring<Job<C>> {
    fn slot(&self) -> Box<dyn AnySlot> {
        Box::new(None::<Job<C>>)
    }

    #[inline]
    fn take_first(&mut self, slot: &mut dyn AnySlot, left_of_last_run: Option<u32>) -> bool {
        take(slot, || Self::take_first(self, left_of_last_run))
    }

    fn end_run(&mut self, count: u32) {
        Self::end_run(self, count);
    }
}

/// Fills the slot, if it is one for such jobs. Returns whether it holds one now.
#[inline]
fn take<C: Carried>(slot: &mut dyn AnySlot, job: impl FnOnce() -> Option<Job<C>>) -> bool {
    let slot: &mut dyn Any = slot;
    match slot.downcast_mut::<Option<Job<C>>>() {
        Some(slot) => {
            *slot = job();
            slot.is_some()
        }
        None => false,
    }
}

/// Events that several dispatchers get. One that comes alone lies in the queue itself: who sends to a thousand queues and who
/// works on them finds nothing of it in a cache.
struct SharedEvents {
    /// Before the others. If there is none, there are no others.
    first: Option<Job<SharedEvent>>,
    /// None as long as there was at most one.
    more: Option<Box<Others>>,
}

/// In order.
#[derive(Default)]
struct Others(VecDeque<Job<SharedEvent>>);

impl SharedEvents {
    #[inline]
    fn put(&mut self, job: &mut Option<Job<SharedEvent>>) {
        if self.first.is_none() {
            self.first = job.take();
        } else {
            self.put_behind(job);
        }
    }

    #[inline(never)]
    fn put_behind(&mut self, job: &mut Option<Job<SharedEvent>>) {
        self.more.get_or_insert_default().0.extend(job.take());
    }

    #[inline]
    fn take_first(&mut self) -> Option<Job<SharedEvent>> {
        let next = self.more.as_mut().and_then(|more| more.0.pop_front());
        std::mem::replace(&mut self.first, next)
    }
}

/// The lane of a dispatcher's queue.
pub(crate) struct Jobs(Kind);

enum Kind {
    Shared(SharedEvents),
    Other(Box<dyn AnyJobs>),
}

impl Lane for Jobs {
    type Slot = Box<dyn AnySlot>;

    fn slot(&self) -> Box<dyn AnySlot> {
        match &self.0 {
            Kind::Shared(_) => Box::new(None::<Job<SharedEvent>>),
            Kind::Other(jobs) => jobs.slot(),
        }
    }

    #[inline]
    fn take_first(&mut self, slot: &mut Box<dyn AnySlot>, left_of_last_run: Option<u32>) -> bool {
        match &mut self.0 {
            Kind::Shared(jobs) => take(&mut **slot, || jobs.take_first()),
            Kind::Other(jobs) => jobs.take_first(&mut **slot, left_of_last_run),
        }
    }

    fn end_run(&mut self, count: u32) {
        if let Kind::Other(jobs) = &mut self.0 {
            jobs.end_run(count);
        }
    }
}

impl<C: Carried> LaneOf<Job<C>> for Jobs {
    fn new() -> Self {
        if TypeId::of::<C>() == TypeId::of::<SharedEvent>() {
            let (first, more) = (None, None);
            return Self(Kind::Shared(SharedEvents { first, more }));
        }
        Self(Kind::Other(Box::new(Ring::<Job<C>>::new())))
    }

    fn is_for(&self) -> bool {
        match &self.0 {
            Kind::Shared(_) => TypeId::of::<C>() == TypeId::of::<SharedEvent>(),
            Kind::Other(jobs) => {
                let jobs: &dyn Any = &**jobs;
                jobs.is::<Ring<Job<C>>>()
            }
        }
    }

    #[inline]
    fn put(&mut self, message: &mut Option<Job<C>>, before: u32) {
        match &mut self.0 {
            Kind::Shared(jobs) => {
                let message: &mut dyn Any = message;
                // Known when this is compiled.
                if let Some(message) = message.downcast_mut() {
                    jobs.put(message);
                }
            }
            Kind::Other(jobs) => {
                let jobs: &mut dyn Any = &mut **jobs;
                if let Some(jobs) = jobs.downcast_mut::<Ring<Job<C>>>() {
                    jobs.put(message, before);
                }
            }
        }
    }
}

impl std::fmt::Debug for Jobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Jobs").finish_non_exhaustive()
    }
}
