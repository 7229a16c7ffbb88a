//! The end of a [`Strand`]: how it accepts nothing more, what becomes of what it has, and who waits for that.

use std::time::Instant;

use super::ends::{Source, Told};
use super::lane::{Lane, Queue, Rest};
use super::strand::Strand;
use crate::sync::{Ordering, wait_until};

impl<L: Lane, S: Source> Strand<L, S> {
    /// Accepts nothing more from now on.
    pub(crate) fn drain(&self) {
        self.tail.lock().draining = true;
        self.ending.store(true, Ordering::Relaxed);
        // A sender that saw nothing of it waits by now.
        drop(self.worked.head.lock());
        self.room.notify_all();
    }

    /// Accepts and hands out nothing more from now on. Returns what no worker has begun; each must be dealt with and then
    /// given to [`Strand::finish`].
    pub(crate) fn close(&self) -> Rest<L> {
        let mut head = self.worked.head.lock();
        let mut tail = self.tail.lock();
        tail.closed = true;
        self.closed.store(true, Ordering::Release);
        self.ending.store(true, Ordering::Relaxed);
        let mut told = Told::nothing();
        head.learn(&mut tail);
        for line in tail.idle_lines() {
            head.let_go(&mut tail, line, &mut told.gone);
        }
        let ahead = std::mem::replace(&mut head.queue, Queue::new());
        let behind = std::mem::replace(&mut tail.queue, Queue::new());
        let rest = Rest::new(ahead, behind);
        self.worked.ahead.store(0, Ordering::Release);
        self.behind.store(false, Ordering::Relaxed);
        // Still busy: the one who cancels them counts as a worker until then.
        head.active += rest.len();
        drop(tail);
        drop(head);
        self.release(told);
        self.room.notify_all();
        rest
    }

    /// Waits until everything accepted has been finished. Returns whether that was so before the deadline.
    pub(crate) fn wait_for_rest(&self, deadline: Option<Instant>) -> bool {
        let mut head = self.worked.head.lock();
        let mut late = false;
        loop {
            let is_queued = !head.queue.is_empty() || !self.tail.lock().queue.is_empty();
            if head.active == 0 && !is_queued {
                return true;
            }
            if late {
                return false;
            }
            head.waiting_for_rest += 1;
            late = wait_until(&self.rest, &mut head, deadline);
            head.waiting_for_rest -= 1;
        }
    }

    /// Number of messages accepted and handled so far.
    pub(crate) fn totals(&self) -> (u64, u64) {
        let head = self.worked.head.lock();
        let tail = self.tail.lock();
        (tail.accepted, head.handled)
    }

    /// Number of messages that wait, and that workers have taken.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let head = self.worked.head.lock();
        let tail = self.tail.lock();
        let queued = head.queue.len() + tail.queue.len();
        (queued as usize, head.active as usize)
    }
}
