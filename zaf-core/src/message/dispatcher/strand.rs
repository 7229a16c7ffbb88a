//! The queue of one dispatcher and the right to work on it.
//!
//! A strand is not a thread: it says how many workers may serve it at a time, and whether a push needs another one. Pure
//! bookkeeping; it calls nothing, so its lock is never held while foreign code runs.
//!
//! Invariants
//! - The busy counts are raised before a message can be taken and lowered after its handler has ended.
//! - A worker gives up its place under the same lock under which it found the queue empty: a message pushed later asks
//!   for a worker again.
//! - After [`Strand::close`] nothing is accepted or taken; what has not been begun is handed to the one who closed, also
//!   what a worker had taken ahead.
//! - accepted = handled + cancelled + dropped + still here.
//! - Lock order: `hand`, then `inner`; none of them while foreign code runs.

use std::collections::VecDeque;
use std::time::Instant;

use super::super::activity::{Activity, Busy};
use crate::sync::{
    Arc, AtomicBool, AtomicUsize, Condvar, Mutex, Ordering, deadline_after, wait_until,
};
use std::time::Duration;

/// What happens to a message that finds the queue full.
#[doc = include_str!("../doc/queue_policy.md")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum QueuePolicy {
    /// The sender waits for room, at most this long; then the message is refused.
    Block {
        /// Longest wait.
        deadline: Duration,
    },
    /// The message is refused: an error in the sender's report or reply, and counted.
    Reject,
    /// The oldest queued message makes room and is counted; if it was a request, its reply is an error.
    DropOldest,
}

/// Why a message was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    Full,
    Closed,
    /// Waiting for room would have been waiting for oneself.
    WouldDeadlock,
}

/// A message was accepted.
#[derive(Debug)]
pub(crate) struct Accepted<J> {
    /// Whether a worker has to be sent.
    pub(crate) needs_worker: bool,
    /// What made room for it.
    pub(crate) dropped: Option<Box<J>>,
}

/// Something queued, and the number of the endpoint it counts for.
#[derive(Debug)]
pub(crate) struct Queued<J> {
    pub(crate) job: J,
    pub(crate) endpoint: u32,
}

/// Accepted and not finished, of one endpoint.
#[derive(Debug)]
struct Pending {
    endpoint: u32,
    busy: Arc<Busy>,
    count: usize,
}

#[derive(Debug)]
struct Inner<J> {
    queue: VecDeque<Queued<J>>,
    /// Taken by workers and not yet finished.
    taken: usize,
    /// Workers that have been sent and have not left.
    workers: usize,
    /// Accepts nothing more; what is queued is still handled.
    draining: bool,
    closed: bool,
    waiting_for_room: usize,
    waiting_for_rest: usize,
    /// One for each endpoint that ever sent something here.
    pending: Vec<Pending>,
    /// Messages accepted so far.
    accepted: u64,
}

/// Something that senders and workers fight over, on cache lines of its own: what lies beside it is read by all of them at
/// every message.
#[derive(Debug)]
#[repr(align(128))]
struct Apart<T>(T);

impl<T> std::ops::Deref for Apart<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Strand<J> {
    inner: Apart<Mutex<Inner<J>>>,
    /// Taken ahead by the worker of a strand that has one, so that it does not meet its senders at every message. Where it
    /// can be reached by [`Strand::close`], not in the worker's own frame.
    hand: Apart<Mutex<VecDeque<Queued<J>>>>,
    room: Condvar,
    rest: Condvar,
    /// Number of queued messages, for spinning workers.
    length: Apart<AtomicUsize>,
    closed: AtomicBool,
    activity: Arc<Activity>,
    max_workers: usize,
    bound: usize,
    batch: usize,
}

impl<J> Strand<J> {
    /// `batch`: how many messages the one worker takes at a time, at least 1; with several workers it must be 1.
    pub(crate) fn new(
        activity: Arc<Activity>,
        max_workers: usize,
        bound: usize,
        batch: usize,
    ) -> Self {
        Self {
            inner: Apart(Mutex::new(Inner {
                queue: VecDeque::new(),
                taken: 0,
                workers: 0,
                draining: false,
                closed: false,
                waiting_for_room: 0,
                waiting_for_rest: 0,
                pending: Vec::new(),
                accepted: 0,
            })),
            hand: Apart(Mutex::new(VecDeque::new())),
            room: Condvar::new(),
            rest: Condvar::new(),
            length: Apart(AtomicUsize::new(0)),
            closed: AtomicBool::new(false),
            activity,
            max_workers,
            bound,
            batch,
        }
    }

    /// Accepts a message or says why not. `busy` is the count of its endpoint. `is_own_worker`: the caller runs on this strand, so it may not wait for room.
    ///
    /// # Errors
    /// The message and the reason.
    pub(crate) fn push(
        &self,
        item: Queued<J>,
        busy: &Arc<Busy>,
        policy: QueuePolicy,
        is_own_worker: bool,
    ) -> Result<Accepted<J>, (Refusal, Box<Queued<J>>)> {
        let mut inner = self.inner.lock();
        let mut dropped = None;
        if inner.closed || inner.draining {
            return Err((Refusal::Closed, Box::new(item)));
        }
        if inner.queue.len() >= self.bound {
            match policy {
                QueuePolicy::Reject => return Err((Refusal::Full, Box::new(item))),
                QueuePolicy::Block { .. } if is_own_worker => {
                    return Err((Refusal::WouldDeadlock, Box::new(item)));
                }
                QueuePolicy::Block { deadline } => {
                    let deadline = deadline_after(deadline);
                    let mut late = false;
                    while inner.queue.len() >= self.bound && !inner.closed && !inner.draining {
                        if late {
                            return Err((Refusal::Full, Box::new(item)));
                        }
                        inner.waiting_for_room += 1;
                        late = wait_until(&self.room, &mut inner, deadline);
                        inner.waiting_for_room -= 1;
                    }
                    if inner.closed || inner.draining {
                        return Err((Refusal::Closed, Box::new(item)));
                    }
                }
                QueuePolicy::DropOldest => dropped = inner.queue.pop_front(),
            }
        }
        if inner.taken == 0 && inner.queue.is_empty() && dropped.is_none() {
            self.activity.busy.raise();
        }
        inner.raise(item.endpoint, busy);
        inner.accepted += 1;
        inner.queue.push_back(item);
        if let Some(dropped) = &dropped
            && inner.lower(dropped.endpoint, 1)
        {
            self.activity.changed();
        }
        self.length.store(inner.queue.len(), Ordering::Relaxed);
        let needs_worker = inner.workers < self.max_workers;
        if needs_worker {
            inner.workers += 1;
        }
        Ok(Accepted {
            needs_worker,
            dropped: dropped.map(|queued| Box::new(queued.job)),
        })
    }

    /// The next message; none if there are none, and then the worker's place is given up. Each message must be given to
    /// [`Strand::finish`].
    pub(crate) fn take(&self) -> Option<Queued<J>> {
        if self.batch == 1 {
            let mut inner = self.inner.lock();
            let next = inner.queue.pop_front();
            self.taken(&mut inner, usize::from(next.is_some()));
            return next;
        }
        let mut hand = self.hand.lock();
        if hand.is_empty() {
            let mut inner = self.inner.lock();
            let count = inner.queue.len().min(self.batch);
            if count == inner.queue.len() {
                std::mem::swap(&mut inner.queue, &mut hand);
            } else {
                hand.extend(inner.queue.drain(..count));
            }
            self.taken(&mut inner, count);
        }
        hand.pop_front()
    }

    /// Accounts for messages that have left the queue. None of them means that the worker leaves.
    fn taken(&self, inner: &mut Inner<J>, count: usize) {
        if count == 0 {
            inner.workers -= 1;
            return;
        }
        inner.taken += count;
        self.length.store(inner.queue.len(), Ordering::Relaxed);
        if inner.waiting_for_room > 0 {
            self.room.notify_all();
        }
    }

    /// Whether a message has been taken ahead; asked by the one worker only.
    pub(crate) fn has_in_hand(&self) -> bool {
        self.batch > 1 && !self.hand.lock().is_empty()
    }

    /// Says that `count` taken messages of one endpoint have been handled or cancelled.
    pub(crate) fn finish(&self, endpoint: u32, count: usize) {
        let mut inner = self.inner.lock();
        inner.taken -= count;
        let mut changed = inner.lower(endpoint, count);
        if inner.taken == 0 && inner.queue.is_empty() {
            self.activity.busy.lower();
            changed = true;
        }
        let is_at_rest = inner.taken == 0 && inner.waiting_for_rest > 0;
        drop(inner);
        if is_at_rest {
            self.rest.notify_all();
        }
        if changed {
            self.activity.changed();
        }
    }

    /// Whether [`Strand::close`] was called. Workers ask before each message.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Whether there seems to be something to take; for workers that spin.
    pub(crate) fn has_work(&self) -> bool {
        self.length.load(Ordering::Relaxed) != 0
    }

    /// Accepts nothing more from now on.
    pub(crate) fn drain(&self) {
        self.inner.lock().draining = true;
        self.room.notify_all();
    }

    /// Accepts and hands out nothing more from now on. Returns what no worker has begun; each must be dealt with and then
    /// given to [`Strand::finish`].
    pub(crate) fn close(&self) -> VecDeque<Queued<J>> {
        let mut inner = self.inner.lock();
        inner.closed = true;
        self.closed.store(true, Ordering::Release);
        self.length.store(0, Ordering::Relaxed);
        let mut queue = std::mem::take(&mut inner.queue);
        // Still busy: the one who cancels them counts as a worker until then.
        inner.taken += queue.len();
        drop(inner);
        self.room.notify_all();
        let mut all = std::mem::take(&mut *self.hand.lock());
        all.append(&mut queue);
        all
    }

    /// Waits until everything accepted has been finished. Returns whether that was so before the deadline.
    pub(crate) fn wait_for_rest(&self, deadline: Option<Instant>) -> bool {
        let mut inner = self.inner.lock();
        let mut late = false;
        loop {
            if inner.taken == 0 && inner.queue.is_empty() {
                return true;
            }
            if late {
                return false;
            }
            inner.waiting_for_rest += 1;
            late = wait_until(&self.rest, &mut inner, deadline);
            inner.waiting_for_rest -= 1;
        }
    }

    /// Number of messages accepted so far.
    pub(crate) fn accepted(&self) -> u64 {
        self.inner.lock().accepted
    }

    /// Number of messages in the queue, and in the hands of workers.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let inner = self.inner.lock();
        (inner.queue.len(), inner.taken)
    }
}

impl<J> Inner<J> {
    fn raise(&mut self, endpoint: u32, busy: &Arc<Busy>) {
        let mut known = self.pending.iter_mut();
        if let Some(pending) = known.find(|pending| pending.endpoint == endpoint) {
            if pending.count == 0 {
                pending.busy.raise();
            }
            pending.count += 1;
        } else {
            busy.raise();
            self.pending.push(Pending {
                endpoint,
                busy: Arc::clone(busy),
                count: 1,
            });
        }
    }

    /// Returns whether the endpoint has nothing more here.
    fn lower(&mut self, endpoint: u32, count: usize) -> bool {
        let mut known = self.pending.iter_mut();
        let Some(pending) = known.find(|pending| pending.endpoint == endpoint) else {
            return false;
        };
        pending.count -= count;
        let is_last = pending.count == 0;
        if is_last {
            pending.busy.lower();
        }
        is_last
    }
}
