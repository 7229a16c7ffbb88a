//! What lies in a queue: messages of different types in one order, each in place among those of its own type.
//!
//! Each type has a *lane*, so that a message needs no memory of its own: it is built where it lies, and what lies beside it is
//! the next one. The order over all lanes is kept as *runs*, and as long as messages of one registration follow each other
//! there is one of them. What a sender writes lies close together: the last run is part of the queue.

use std::collections::VecDeque;

use super::few::Few;

/// So many empty lanes are kept for the next messages.
const SPARE_LANES: usize = 16;

/// Messages of one type, in order.
pub(crate) trait Lane {
    /// A place for one message of a lane.
    type Slot;

    /// A place for messages of this lane.
    fn slot(&self) -> Self::Slot;

    /// Moves the first message to a place, which is empty. False if there is none, or if the place is another lane's.
    /// `left_of_last_run`: if the message is one of the queue's last run, how many of that are there then.
    fn take_first(&mut self, slot: &mut Self::Slot, left_of_last_run: Option<u32>) -> bool;

    /// The queue's last run, of which there are `count` and which is this lane's, is no longer the last one.
    fn end_run(&mut self, count: u32);
}

/// A lane that may be one for `T`.
pub(crate) trait LaneOf<T>: Lane {
    /// A lane for `T`.
    fn new() -> Self;

    /// Whether the lane is one for `T`.
    fn is_for(&self) -> bool;

    /// Takes the message out and adds it at the end, to the queue's last run, of which there are `before`. Leaves it if the lane is
    /// for others.
    fn put(&mut self, message: &mut Option<T>, before: u32);
}

/// Messages that follow each other in the queue.
#[derive(Debug, Clone, Copy)]
struct Run {
    lane: u32,
    /// That of their source.
    line: u32,
    count: u32,
}

/// In order.
#[derive(Debug, Default)]
struct Runs(VecDeque<Run>);

/// See the module. In this order: what every push writes lies at the beginning.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Queue<L> {
    len: u32,
    /// The run at the end, to which the next message is nearly always added; may be empty.
    last: Run,
    lanes: Few<L>,
    /// Those before the last one; none is empty. No memory as long as there never was one.
    runs: Option<Box<Runs>>,
}

impl<L> Queue<L> {
    /// So many bytes at the beginning are written by every push.
    #[cfg(test)]
    pub(crate) const HOT: usize = std::mem::offset_of!(Self, lanes);

    pub(crate) fn new() -> Self {
        Self {
            len: 0,
            last: Run {
                lane: 0,
                line: 0,
                count: 0,
            },
            lanes: Few::new(),
            runs: None,
        }
    }

    #[inline]
    pub(crate) fn len(&self) -> u32 {
        self.len
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The line of the first message.
    #[inline]
    pub(crate) fn first_line(&self) -> Option<u32> {
        if self.len == 0 {
            return None;
        }
        let first = self.runs.as_ref().and_then(|runs| runs.0.front());
        let first = first.unwrap_or(&self.last);
        Some(first.line)
    }

    /// Takes the message, which is there, out and adds it at the end. It is not handed on from one to the other: it would
    /// be copied each time, and read before the processor has written it.
    #[inline]
    pub(crate) fn push<T>(&mut self, message: &mut Option<T>, line: u32)
    where
        L: LaneOf<T>,
    {
        self.len += 1;
        if self.last.line == line
            && let Some(last) = self.lanes.get_mut(self.last.lane as usize)
        {
            last.put(message, self.last.count);
        }
        if message.is_none() {
            self.last.count += 1;
        } else {
            self.begin_run(message, line);
        }
    }

    /// Adds a message that is not of the last run.
    #[cold]
    fn begin_run<T>(&mut self, message: &mut Option<T>, line: u32)
    where
        L: LaneOf<T>,
    {
        if let Some(lane) = self.lanes.get_mut(self.last.lane as usize) {
            lane.end_run(self.last.count);
        }
        if self.last.count > 0 {
            self.runs.get_or_insert_default().0.push_back(self.last);
        }
        let known = self.lanes.position(|lane| lane.is_for());
        let at = known.unwrap_or_else(|| {
            if self.len == 1 && self.lanes.len() >= SPARE_LANES {
                self.lanes.clear();
            }
            self.lanes.push(L::new());
            self.lanes.len() - 1
        });
        self.last = Run {
            lane: u32::try_from(at).unwrap_or(u32::MAX),
            line,
            count: 1,
        };
        if let Some(lane) = self.lanes.get_mut(at) {
            lane.put(message, 0);
        }
        debug_assert!(message.is_none(), "the lane is one for it");
    }
}

impl<L: Lane> Queue<L> {
    /// Takes the first message into the place, which is empty and is exchanged for another one if it does not fit. Returns
    /// the line of the message.
    #[inline]
    pub(crate) fn pop(&mut self, slot: &mut Option<L::Slot>) -> Option<u32> {
        if self.len == 0 {
            return None;
        }
        let first = self.runs.as_mut().and_then(|runs| runs.0.front_mut());
        let is_last = first.is_none();
        let run = first.unwrap_or(&mut self.last);
        let line = run.line;
        let messages = self.lanes.get_mut(run.lane as usize)?;
        self.len -= 1;
        run.count -= 1;
        let left = is_last.then_some(run.count);
        let has_fitted = slot
            .as_mut()
            .is_some_and(|slot| messages.take_first(slot, left));
        if !has_fitted {
            messages.take_first(slot.insert(messages.slot()), left);
        }
        if run.count == 0
            && let Some(runs) = &mut self.runs
        {
            // If it is the last one, there is nothing to remove.
            runs.0.pop_front();
        }
        Some(line)
    }
}

/// What no worker has begun when its queue was closed, in order: first what had been exchanged, then the other.
#[derive(Debug)]
pub(crate) struct Rest<L>([Queue<L>; 2]);

impl<L: Lane> Rest<L> {
    pub(super) fn new(ahead: Queue<L>, behind: Queue<L>) -> Self {
        Self([ahead, behind])
    }

    pub(super) fn len(&self) -> u32 {
        self.0.iter().map(Queue::len).sum()
    }

    /// As [`Queue::pop`]. The line is what [`Strand::finish`](super::strand::Strand::finish) wants to know.
    pub(crate) fn pop(&mut self, slot: &mut Option<L::Slot>) -> Option<u32> {
        self.0.iter_mut().find_map(|queue| queue.pop(slot))
    }
}
