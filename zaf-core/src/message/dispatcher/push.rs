//! How a message gets into a [`Strand`].

use super::accounts::Credit;
use super::ends::{Source, Tail, Told};
use super::lane::{Lane, LaneOf};
use super::policy::{QueuePolicy, Refusal};
use super::strand::Strand;
use crate::sync::{Arc, Ordering, deadline_after, is_taken, lock_among_many, wait_until};

/// A message was accepted.
#[derive(Debug)]
pub(crate) struct Accepted<D> {
    /// Whether a worker has to be sent.
    pub(crate) needs_worker: bool,
    /// What made room for it.
    pub(crate) dropped: Option<D>,
}

impl<L: Lane, S: Source> Strand<L, S> {
    /// Accepts a message or says why not. Asked and called only if the queue is full: `is_own_worker`, whether the caller
    /// runs on this strand and may not wait for room; `before_wait`, when it is about to wait, which gives back `credit`.
    ///
    /// The message is taken out of its place if it is accepted, and left there if not.
    ///
    /// # Errors
    /// The reason.
    #[inline]
    pub(crate) fn push<J>(
        &self,
        job: &mut Option<J>,
        source: &Arc<S>,
        policy: QueuePolicy,
        credit: &mut Credit<'_>,
        is_own_worker: impl FnOnce() -> bool,
        before_wait: impl FnOnce(&mut Credit<'_>),
    ) -> Result<Accepted<L::Slot>, Refusal>
    where
        L: LaneOf<J>,
    {
        let mut tail = lock_among_many(&self.tail);
        if tail.closed || tail.draining {
            return Err(Refusal::Closed);
        }
        if self.is_full(&mut tail) {
            drop(tail);
            if matches!(policy, QueuePolicy::Block { .. }) {
                if is_own_worker() {
                    return Err(Refusal::WouldDeadlock);
                }
                before_wait(credit);
            }
            return self.push_into_full(job, source, policy, credit);
        }
        Ok(Accepted {
            needs_worker: self.accept(&mut tail, job, source, credit),
            dropped: None,
        })
    }

    #[inline]
    fn is_full(&self, tail: &mut Tail<L, S>) -> bool {
        if tail.ahead.saturating_add(tail.queue.len()) < self.bound {
            return false;
        }
        // Only an exchange makes it grow, and that needs the tail.
        tail.ahead = self.worked.ahead.load(Ordering::Acquire);
        tail.ahead.saturating_add(tail.queue.len()) >= self.bound
    }

    /// Returns whether a worker has to be sent.
    #[inline]
    fn accept<J>(
        &self,
        tail: &mut Tail<L, S>,
        job: &mut Option<J>,
        source: &Arc<S>,
        credit: &mut Credit<'_>,
    ) -> bool
    where
        L: LaneOf<J>,
    {
        if tail.is_idle() {
            credit.begin_strand(&self.activity);
        }
        let line = tail.accept(source, credit);
        if tail.queue.is_empty() {
            self.behind.store(true, Ordering::Relaxed);
        }
        tail.queue.push(job, line);
        tail.needs_worker(self.max_workers)
    }

    #[cold]
    fn push_into_full<J>(
        &self,
        job: &mut Option<J>,
        source: &Arc<S>,
        policy: QueuePolicy,
        credit: &mut Credit<'_>,
    ) -> Result<Accepted<L::Slot>, Refusal>
    where
        L: LaneOf<J>,
    {
        let deadline = match policy {
            QueuePolicy::Reject => return Err(Refusal::Full),
            QueuePolicy::Block { deadline } => deadline_after(deadline),
            QueuePolicy::DropOldest => None,
        };
        let mut head = self.worked.head.lock();
        let mut late = false;
        loop {
            let mut tail = self.tail.lock();
            if tail.closed || tail.draining {
                return Err(Refusal::Closed);
            }
            let is_full = self.is_full(&mut tail);
            if is_full && policy == QueuePolicy::DropOldest {
                let mut told = Told::nothing();
                head.learn(&mut tail);
                let mut dropped = None;
                let oldest = match head.queue.pop(&mut dropped) {
                    Some(line) => Some(line),
                    None => tail.queue.pop(&mut dropped),
                };
                self.worked.ahead.store(head.queue.len(), Ordering::Release);
                // Counted before the other is not: the strand is busy all the time.
                let needs_worker = self.accept(&mut tail, job, source, credit);
                if let Some(line) = oldest {
                    self.tell_end(&mut head, &mut tail, line, &mut told.debt, &mut told.gone);
                }
                drop(tail);
                drop(head);
                self.release(told);
                return Ok(Accepted {
                    needs_worker,
                    dropped,
                });
            }
            if !is_full {
                return Ok(Accepted {
                    needs_worker: self.accept(&mut tail, job, source, credit),
                    dropped: None,
                });
            }
            if late {
                return Err(Refusal::Full);
            }
            drop(tail);
            head.waiting_for_room += 1;
            late = wait_until(&self.room, &mut head, deadline);
            head.waiting_for_room -= 1;
        }
    }

    /// Reads what a sender or a worker reads first, for who goes on to others before it comes back: then the processor
    /// fetches all of them at the same time. What it returns means nothing.
    #[inline]
    pub(crate) fn approach(&self) -> bool {
        is_taken(&self.tail) | self.closed.load(Ordering::Relaxed)
    }
}
