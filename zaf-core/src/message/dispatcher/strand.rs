//! The queue of one dispatcher and the right to work on it.
//!
//! A strand is not a thread: it says how many workers may serve it at a time, and whether a push needs another one. Pure
//! bookkeeping; it calls nothing, so its locks are never held while foreign code runs.
//!
//! Senders add at the *tail*, workers take from the *head*. When the head is empty a worker exchanges the two, so the two
//! sides meet once for each lot of messages and not once for each message. What has been exchanged can still be
//! taken by every worker, and by [`Strand::close`]: it is in nobody's hand.
//!
//! Invariants
//! - The busy counts are raised before a message can be taken and lowered after its handler has ended. A worker may tell of
//!   several ends at once, but only as long as what it does next is of the same source: then that source is busy anyway.
//! - While something is queued and not all workers are here, one is coming or one is looking. So a worker that is blocked
//!   never keeps others from what is queued.
//! - A worker gives up its place under the same locks under which it found nothing: a message pushed later asks for a worker again.
//! - With one worker the tail may be told later than what was finished, while that worker looks for more.
//! - After [`Strand::close`] nothing is accepted or taken; what has not been begun is handed to the one who closed.
//! - accepted = handled + cancelled + dropped + still here.
//! - Lock order: `head`, then `tail`; none of them while foreign code runs, `Drop` of sources and messages included.

use super::super::activity::Activity;
use super::accounts::Debt;
use super::ends::{Hand, Head, KEPT, Source, Stand, Tail, Told};
use super::few::Few;
use super::lane::Lane;
use crate::sync::{Arc, AtomicBool, AtomicU32, Condvar, Mutex, Ordering};

/// More messages than this never lie in a queue: there is no memory for them.
const LARGEST_BOUND: u32 = 1 << 31;

/// A message was taken by a worker.
#[derive(Debug)]
pub(crate) struct Taken {
    /// Whether another worker has to be sent.
    pub(crate) needs_worker: bool,
}

/// What workers write. In this order: what is read for each message lies at the beginning.
#[derive(Debug)]
#[repr(C, align(64))]
pub(super) struct Worked<L, S> {
    /// Number of messages in the head, for senders that find it full and workers that look.
    pub(super) ahead: AtomicU32,
    pub(super) head: Mutex<Head<L, S>>,
}

/// See the module. In this order: a sender touches three cache lines for a message that comes alone, and writes one and the
/// place in the queue for each of many; a worker touches those and one more.
#[derive(Debug)]
#[repr(C, align(128))]
pub(crate) struct Strand<L, S> {
    pub(super) tail: Mutex<Tail<L, S>>,
    pub(super) activity: Arc<Activity>,
    pub(super) bound: u32,
    pub(super) max_workers: u16,
    /// Whether there are messages in the tail, for workers that look. Written when that changes.
    pub(super) behind: AtomicBool,
    pub(super) closed: AtomicBool,
    pub(super) worked: Worked<L, S>,
    pub(super) room: Condvar,
    pub(super) rest: Condvar,
    /// Closed, or about to be; for workers that look.
    pub(super) ending: AtomicBool,
}

impl<L: Lane, S: Source> Strand<L, S> {
    pub(crate) fn new(activity: Arc<Activity>, max_workers: usize, bound: usize) -> Self {
        Self {
            tail: Mutex::new(Tail::new()),
            worked: Worked {
                ahead: AtomicU32::new(0),
                head: Mutex::new(Head::new()),
            },
            behind: AtomicBool::new(false),
            room: Condvar::new(),
            rest: Condvar::new(),
            closed: AtomicBool::new(false),
            ending: AtomicBool::new(false),
            activity,
            max_workers: u16::try_from(max_workers).unwrap_or(u16::MAX),
            // With one message in each hand, all of them still can be counted.
            bound: u32::try_from(bound).map_or(LARGEST_BOUND, |bound| bound.min(LARGEST_BOUND)),
        }
    }

    /// As [`next`](Self::next) for a worker that has finished a message, as long as the senders need not be disturbed for it. If
    /// not, nothing has happened, and `next` has to be called soon.
    pub(crate) fn next_ahead(&self, hand: &mut Hand<S>, slot: &mut Option<L::Slot>) -> bool {
        if hand.stand != Stand::Working {
            return false;
        }
        let mut head = self.worked.head.lock();
        if !head.goes_on_after(hand) {
            return false;
        }
        head.end(hand);
        self.pop(&mut head, hand, slot);
        drop(head);
        hand.old = None;
        true
    }

    /// Puts the next message for a worker, which has finished the one before, into its slot, which is empty. None if there is
    /// nothing; then the worker may look for a while and either ask again or [`leave`](Self::leave).
    pub(crate) fn next(&self, hand: &mut Hand<S>, slot: &mut Option<L::Slot>) -> Option<Taken> {
        let mut head = self.worked.head.lock();
        let ended = head.end(hand);
        if ended.is_none() && hand.stand == Stand::Working && head.goes_on() {
            self.pop(&mut head, hand, slot);
            drop(head);
            hand.old = None;
            return Some(Taken {
                needs_worker: false,
            });
        }
        let mut tail = self.tail.lock();
        let mut gone = Few::new();
        match ended {
            Some(line) => self.tell_end(&mut head, &mut tail, line, &mut hand.debt, &mut gone),
            None => self.tell(&mut head, &mut tail, &mut hand.debt, &mut gone),
        }
        let mut is_found = false;
        if self.is_head_empty() {
            head.learn(&mut tail);
            self.behind.store(false, Ordering::Relaxed);
            if tail.queue.len() == 1 {
                // Where it lies: of a strand that gets one message now and then, one queue is used.
                tail.ahead = 0;
                let line = tail.queue.pop(slot);
                is_found = line.is_some_and(|line| self.begin(&mut head, hand, line));
            } else {
                std::mem::swap(&mut head.queue, &mut tail.queue);
                tail.ahead = head.queue.len();
                self.worked.ahead.store(tail.ahead, Ordering::Release);
            }
        }
        let is_found = is_found || self.pop(&mut head, hand, slot);
        tail.stand(
            hand,
            if is_found {
                Stand::Working
            } else {
                Stand::Looking
            },
        );
        let is_left = !self.is_head_empty() || !tail.queue.is_empty();
        let needs_worker = is_left && tail.needs_worker(self.max_workers);
        if head.waiting_for_rest > 0 && head.active == 0 {
            self.rest.notify_all();
        }
        if !is_found {
            hand.old = hand.source.take();
        }
        hand.pay(&self.activity);
        drop(tail);
        drop(head);
        hand.old = None;
        drop(gone);
        is_found.then_some(Taken { needs_worker })
    }

    /// Whether there is nothing in the head, asked under its lock: without a look at its queue, which lies further back.
    fn is_head_empty(&self) -> bool {
        self.worked.ahead.load(Ordering::Relaxed) == 0
    }

    /// Returns whether there was something.
    fn pop(&self, head: &mut Head<L, S>, hand: &mut Hand<S>, slot: &mut Option<L::Slot>) -> bool {
        let Some(line) = head.queue.pop(slot) else {
            return false;
        };
        self.worked.ahead.store(head.queue.len(), Ordering::Release);
        self.begin(head, hand, line)
    }

    /// A message of that line has been taken.
    fn begin(&self, head: &mut Head<L, S>, hand: &mut Hand<S>, line: u32) -> bool {
        head.active += 1;
        hand.line = Some(line);
        if self.max_workers == 1 {
            // As long as the message is handled nobody else looks for it, and no reference need be counted.
            let place = head.sources.get_mut(line as usize);
            let source = place.and_then(Option::take);
            hand.old = std::mem::replace(&mut hand.source, source);
            if head.waiting_for_room > 0 {
                self.room.notify_all();
            }
            return true;
        }
        let source = head.sources.get(line as usize).and_then(Option::as_ref);
        let is_same = match (&hand.source, source) {
            (Some(own), Some(source)) => Arc::ptr_eq(own, source),
            _ => false,
        };
        if !is_same {
            // Dropped when the locks are free: it may be the last.
            hand.old = std::mem::replace(&mut hand.source, source.cloned());
        }
        if head.waiting_for_room > 0 {
            self.room.notify_all();
        }
        true
    }

    /// Gives up the place of a worker that found nothing. False if there is something by now; then it has to go on.
    pub(crate) fn leave(&self, hand: &mut Hand<S>) -> bool {
        let head = self.worked.head.lock();
        let mut tail = self.tail.lock();
        if !self.is_head_empty() || !tail.queue.is_empty() {
            return false;
        }
        tail.stand(hand, Stand::Gone);
        drop(tail);
        drop(head);
        true
    }

    /// Gives up the place of a worker that has finished its message, although there may be more. Returns whether another
    /// worker has to be sent.
    pub(crate) fn step_aside(&self, hand: &mut Hand<S>) -> bool {
        let mut head = self.worked.head.lock();
        let ended = head.end(hand);
        let mut tail = self.tail.lock();
        let mut gone = Few::new();
        match ended {
            Some(line) => self.tell_end(&mut head, &mut tail, line, &mut hand.debt, &mut gone),
            None => self.tell(&mut head, &mut tail, &mut hand.debt, &mut gone),
        }
        tail.stand(hand, Stand::Gone);
        let is_left = !self.is_head_empty() || !tail.queue.is_empty();
        let needs_worker = is_left && tail.needs_worker(self.max_workers);
        if head.waiting_for_rest > 0 && head.active == 0 {
            self.rest.notify_all();
        }
        hand.pay(&self.activity);
        drop(tail);
        drop(head);
        needs_worker
    }

    /// Says that a message from [`Strand::close`] has been dealt with.
    pub(crate) fn finish(&self, line: u32) {
        let mut head = self.worked.head.lock();
        head.active -= 1;
        let mut tail = self.tail.lock();
        let mut told = Told::nothing();
        self.tell_end(&mut head, &mut tail, line, &mut told.debt, &mut told.gone);
        if head.waiting_for_rest > 0 && head.active == 0 {
            self.rest.notify_all();
        }
        drop(tail);
        drop(head);
        self.release(told);
    }

    /// Tells the tail of one more end, after those that it has not been told of.
    pub(super) fn tell_end(
        &self,
        head: &mut Head<L, S>,
        tail: &mut Tail<L, S>,
        line: u32,
        debt: &mut Debt,
        gone: &mut Few<Arc<S>>,
    ) {
        self.tell(head, tail, debt, gone);
        head.finished = Some((line, 1));
        self.tell(head, tail, debt, gone);
    }

    /// Tells the tail what has been finished.
    fn tell(
        &self,
        head: &mut Head<L, S>,
        tail: &mut Tail<L, S>,
        debt: &mut Debt,
        gone: &mut Few<Arc<S>>,
    ) {
        let Some((number, count)) = head.finished.take() else {
            return;
        };
        if tail.end(number, count)
            && let Some(place) = head.sources.get_mut(number as usize)
            && let Some(source) = place
        {
            debt.end_source(source.busy(), &self.activity);
            if tail.closed || number >= KEPT || source.is_gone() {
                if let Some(source) = place.take() {
                    gone.push(source);
                }
                tail.forget(number);
            }
        }
        if tail.is_idle() {
            debt.end_strand();
        }
    }

    /// Wakes who waits for idleness, if something has become idle. Not under a lock: the last reference to a source may go.
    pub(super) fn release(&self, mut told: Told<S>) {
        told.debt.pay(&self.activity);
        drop(told);
    }

    /// Tells what a worker that has been here owes.
    pub(crate) fn pay(&self, debt: &mut Debt) {
        debt.pay(&self.activity);
    }

    /// The registration has ended: the strand does not keep it any longer than its last message.
    pub(crate) fn forget(&self, source: &Arc<S>) {
        // Before the locks: whoever tells of the end of a message later sees it.
        source.set_gone();
        let mut head = self.worked.head.lock();
        let mut tail = self.tail.lock();
        let mut told = Told::nothing();
        // One that the head does not know yet has open messages.
        if let Some(line) = tail.idle_line_of(source) {
            head.let_go(&mut tail, line, &mut told.gone);
        }
        drop(tail);
        drop(head);
        self.release(told);
    }

    /// Whether [`Strand::close`] was called. Workers ask before each message.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Whether there seems to be something to take; for workers that look.
    pub(crate) fn has_work(&self) -> bool {
        self.behind.load(Ordering::Relaxed) || self.worked.ahead.load(Ordering::Relaxed) != 0
    }

    /// As [`approach`](Self::approach), for a worker.
    pub(crate) fn approach_to_work(&self) -> bool {
        self.approach() | (self.worked.ahead.load(Ordering::Relaxed) != 0)
    }

    /// Whether somebody waits for what a worker has not told yet; for workers that look.
    pub(crate) fn is_awaited(&self) -> bool {
        self.ending.load(Ordering::Relaxed) || self.activity.is_awaited()
    }
}
