//! A strand that models fill and serve themselves, without a pool.

use std::collections::VecDeque;

use crate::message::activity::Busy;
use crate::message::dispatcher::accounts::{Credit, Debt};
use crate::message::dispatcher::ends::{Hand, Source};
use crate::message::dispatcher::lane::{Lane, LaneOf};
use crate::message::dispatcher::policy::{QueuePolicy, Refusal};
use crate::message::dispatcher::push::Accepted;
use crate::message::dispatcher::strand::{Strand, Taken};
use crate::sync::{Arc, AtomicBool, Ordering};

/// A source is nothing but the count of its endpoint.
pub(crate) struct Endpoint {
    busy: Arc<Busy>,
    gone: AtomicBool,
}

impl Endpoint {
    pub(crate) fn new() -> Self {
        Self::with(&Arc::new(Busy::new()))
    }

    /// A source beside others of an endpoint.
    pub(crate) fn with(busy: &Arc<Busy>) -> Self {
        Self {
            busy: Arc::clone(busy),
            gone: AtomicBool::new(false),
        }
    }
}

impl std::ops::Deref for Endpoint {
    type Target = Arc<Busy>;

    fn deref(&self) -> &Arc<Busy> {
        &self.busy
    }
}

impl Source for Endpoint {
    fn busy(&self) -> &Arc<Busy> {
        &self.busy
    }

    fn set_gone(&self) {
        self.gone.store(true, Ordering::Release);
    }

    fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Acquire)
    }
}

/// All messages of a model are of one type.
pub(crate) struct Only<J>(VecDeque<J>);

impl<J> Lane for Only<J> {
    type Slot = Option<J>;

    fn slot(&self) -> Option<J> {
        None
    }

    fn take_first(&mut self, slot: &mut Option<J>, _left_of_last_run: Option<u32>) -> bool {
        assert!(slot.is_none(), "what was there is lost");
        *slot = self.0.pop_front();
        slot.is_some()
    }

    fn end_run(&mut self, _count: u32) {}
}

impl<J> LaneOf<J> for Only<J> {
    fn new() -> Self {
        Self(VecDeque::new())
    }

    fn is_for(&self) -> bool {
        true
    }

    fn put(&mut self, message: &mut Option<J>, _before: u32) {
        self.0.extend(message.take());
    }
}

/// The queue of a model.
pub(crate) type Queue<J> = Strand<Only<J>, Endpoint>;

type Pushed<J> = Result<Accepted<Option<J>>, Refusal>;

/// Sends something to a queue that rejects when it is full.
pub(crate) fn push<J>(strand: &Queue<J>, source: &Arc<Endpoint>, job: J) -> Pushed<J> {
    strand.push(
        &mut Some(job),
        source,
        QueuePolicy::Reject,
        &mut Credit::default(),
        || false,
        |_| (),
    )
}

/// As `dispatcher::worker` does it: handles messages until there are none, and leaves. Returns how many it handled.
/// `more_workers` is called when another one has to be sent.
pub(crate) fn work<J>(
    strand: &Queue<J>,
    mut handle: impl FnMut(J, &mut Hand<Endpoint>),
    more_workers: impl Fn(),
) -> usize {
    let mut hand = Hand::new(Debt::default(), false);
    let mut slot = None;
    let mut taken = 0;
    loop {
        let ahead = strand.next_ahead(&mut hand, &mut slot);
        let ahead = ahead.then_some(Taken {
            needs_worker: false,
        });
        match ahead.or_else(|| strand.next(&mut hand, &mut slot)) {
            Some(one) => {
                if one.needs_worker {
                    more_workers();
                }
                let job = slot.as_mut().and_then(Option::take);
                handle(job.unwrap(), &mut hand);
                taken += 1;
            }
            None if strand.leave(&mut hand) => return taken,
            None => {}
        }
    }
}
