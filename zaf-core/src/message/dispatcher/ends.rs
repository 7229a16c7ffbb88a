//! The two ends of a [`Strand`](super::strand::Strand), and what a worker has in its hand.
//!
//! Plain data under the strand's two locks: what senders write is the [`Tail`], what workers write is the [`Head`].

use super::super::activity::Busy;
use super::few::Few;
use super::lane::Queue;
use crate::sync::Arc;

/// What messages of one registration have in common. Kept here once for all of them, as long as one of them is unfinished.
pub(crate) trait Source {
    /// The count of their endpoint.
    fn busy(&self) -> &Busy;
}

/// Unfinished messages of one source.
#[derive(Debug, Default)]
struct Line {
    /// Address of the source, which cannot be another one's while messages of it are open.
    source: usize,
    /// Without those of [`Tail::run`].
    open: u32,
    /// Whether it is a source's.
    is_taken: bool,
}

/// What senders write. In this order: a push beside many others writes one cache line, and the place in the queue.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Tail<L, S> {
    /// Messages accepted so far.
    pub(super) accepted: u64,
    /// Address of the source of the last message: nearly always that of the next one.
    last_source: usize,
    /// Accepted, and their end has not been told.
    open: u32,
    /// Workers that are here.
    workers: u16,
    /// Workers that are here and have nothing to do.
    looking: u16,
    /// A worker has been sent and is not here yet.
    coming: bool,
    /// Accepts nothing more; what is queued is still handled.
    pub(super) draining: bool,
    pub(super) closed: bool,
    /// At most so many are still in the head.
    pub(super) ahead: u32,
    /// Messages of the last line that have been accepted one after the other.
    run: u32,
    /// The line of the last message.
    last: u32,
    /// Its beginning ends the first cache line, with the lock before all of this.
    pub(super) queue: Queue<L>,
    /// Sources of lines that the head does not know yet.
    fresh: Few<(u32, Arc<S>)>,
    lines: Few<Line>,
}

/// What workers write. In this order: the queue is not needed for a message that comes alone.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Head<L, S> {
    /// Messages handled so far.
    pub(super) handled: u64,
    /// Taken and not finished.
    pub(super) active: u32,
    /// Finished messages of one line of which the tail has not been told.
    pub(super) finished: Option<(u32, u32)>,
    pub(super) waiting_for_room: u32,
    pub(super) waiting_for_rest: u32,
    /// By line; none if no message of the line is open.
    pub(super) sources: Few<Option<Arc<S>>>,
    pub(super) queue: Queue<L>,
}

/// Where a worker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stand {
    Coming,
    Working,
    Looking,
    Gone,
}

/// What a worker has of a strand: its place, and the message that it is handling.
#[derive(Debug)]
pub(crate) struct Hand<S> {
    pub(super) stand: Stand,
    /// Of the message that is being handled.
    pub(super) line: Option<u32>,
    /// Of the last message; a worker that goes on with the same one counts no references.
    pub(super) source: Option<Arc<S>>,
    /// Of the message before, until it can be dropped.
    pub(super) old: Option<Arc<S>>,
    was_cancelled: bool,
}

impl<S> Hand<S> {
    /// For a worker that was sent because of `needs_worker`.
    pub(crate) fn new() -> Self {
        Self {
            stand: Stand::Coming,
            line: None,
            source: None,
            old: None,
            was_cancelled: false,
        }
    }

    /// Whether the worker has been at the strand before.
    pub(crate) fn has_arrived(&self) -> bool {
        self.stand != Stand::Coming
    }

    /// The source of the message that was taken last.
    pub(crate) fn source(&self) -> Option<&S> {
        self.source.as_deref()
    }

    /// Says that the message was settled without its handler.
    pub(crate) fn cancelled(&mut self) {
        self.was_cancelled = true;
    }
}

/// What came of telling the tail; for when the locks are free.
#[derive(Debug)]
pub(super) struct Told<S> {
    /// Whether a count has become zero.
    pub(super) is_idle: bool,
    /// Sources of which nothing is open any more: two at a time at most.
    gone: [Option<Arc<S>>; 2],
}

impl<S> Told<S> {
    pub(super) fn nothing() -> Self {
        Self {
            is_idle: false,
            gone: [None, None],
        }
    }

    pub(super) fn add(&mut self, source: Arc<S>) {
        if let Some(place) = self.gone.iter_mut().find(|place| place.is_none()) {
            *place = Some(source);
        }
    }
}

impl<L, S: Source> Tail<L, S> {
    pub(super) fn new() -> Self {
        Self {
            queue: Queue::new(),
            last_source: 0,
            run: 0,
            accepted: 0,
            open: 0,
            ahead: 0,
            last: 0,
            workers: 0,
            looking: 0,
            coming: false,
            draining: false,
            closed: false,
            lines: Few::new(),
            fresh: Few::new(),
        }
    }

    /// Whether the end of everything that was accepted has been told.
    #[inline]
    pub(super) fn is_idle(&self) -> bool {
        self.open == 0
    }

    /// Counts one more message of a source. Returns its line.
    #[inline]
    pub(super) fn accept(&mut self, source: &Arc<S>) -> u32 {
        self.accepted += 1;
        self.open += 1;
        let address = Arc::as_ptr(source).addr();
        if self.last_source != address {
            self.turn_to(source, address);
        }
        self.run += 1;
        self.last
    }

    /// Makes the line of a source the last one.
    #[cold]
    fn turn_to(&mut self, source: &Arc<S>, address: usize) {
        self.end_run();
        let known = self
            .lines
            .position(|line| line.is_taken && line.source == address);
        let at = known.unwrap_or_else(|| self.new_line(source, address));
        self.last = u32::try_from(at).unwrap_or(u32::MAX);
        self.last_source = address;
    }

    fn end_run(&mut self) {
        if let Some(line) = self.lines.get_mut(self.last as usize) {
            line.open += self.run;
        }
        self.run = 0;
    }

    fn new_line(&mut self, source: &Arc<S>, address: usize) -> usize {
        source.busy().raise();
        let free = self.lines.position(|line| !line.is_taken);
        let at = free.unwrap_or_else(|| {
            self.lines.push(Line::default());
            self.lines.len() - 1
        });
        if let Some(line) = self.lines.get_mut(at) {
            line.source = address;
            line.is_taken = true;
        }
        let number = u32::try_from(at).unwrap_or(u32::MAX);
        self.fresh.push((number, Arc::clone(source)));
        at
    }

    /// Notes the end of messages of one line. Returns whether none of it is open any more; then it is free.
    pub(super) fn end(&mut self, number: u32, count: u32) -> bool {
        self.open -= count;
        self.end_run();
        let Some(line) = self.lines.get_mut(number as usize) else {
            return false;
        };
        line.open -= count;
        let is_free = line.open == 0;
        if is_free {
            line.is_taken = false;
            if self.last == number {
                self.last_source = 0;
            }
        }
        is_free
    }

    /// Whether a worker has to be sent for what is queued; then it counts as coming.
    #[inline]
    pub(super) fn needs_worker(&mut self, max_workers: u16) -> bool {
        let needs_worker = !self.coming && self.looking == 0 && self.workers < max_workers;
        self.coming |= needs_worker;
        needs_worker
    }

    /// A worker changes its place.
    pub(super) fn stand(&mut self, hand: &mut Hand<S>, stand: Stand) {
        match hand.stand {
            Stand::Coming => {
                self.coming = false;
                self.workers += 1;
            }
            Stand::Looking => self.looking -= 1,
            Stand::Working | Stand::Gone => {}
        }
        match stand {
            Stand::Looking => self.looking += 1,
            Stand::Gone => self.workers -= 1,
            Stand::Working | Stand::Coming => {}
        }
        hand.stand = stand;
    }
}

impl<L, S> Head<L, S> {
    pub(super) fn new() -> Self {
        Self {
            queue: Queue::new(),
            sources: Few::new(),
            active: 0,
            finished: None,
            handled: 0,
            waiting_for_room: 0,
            waiting_for_rest: 0,
        }
    }

    /// Notes the end of what the worker was handling. Returns its line if the tail has to be told of others first.
    pub(super) fn end(&mut self, hand: &mut Hand<S>) -> Option<u32> {
        let line = hand.line.take()?;
        self.active -= 1;
        if !std::mem::take(&mut hand.was_cancelled) {
            self.handled += 1;
        }
        match &mut self.finished {
            Some((other, _)) if *other != line => return Some(line),
            Some((_, count)) => *count += 1,
            finished @ None => *finished = Some((line, 1)),
        }
        None
    }

    /// Whether there is a next message, and the tail need not be told of what was finished before it begins.
    pub(super) fn goes_on(&self) -> bool {
        self.queue
            .first_line()
            .is_some_and(|next| self.finished.as_ref().is_none_or(|(line, _)| *line == next))
    }

    /// [`goes_on`](Self::goes_on) after [`end`](Self::end).
    pub(super) fn goes_on_after<Source>(&self, hand: &Hand<Source>) -> bool {
        let is_next = |line| self.queue.first_line() == Some(line);
        match (hand.line, &self.finished) {
            (Some(line), None) => is_next(line),
            (Some(line), Some((other, _))) => line == *other && is_next(line),
            (None, _) => self.goes_on(),
        }
    }

    /// Takes over the sources of new lines.
    pub(super) fn learn(&mut self, tail: &mut Tail<L, S>) {
        for (line, source) in tail.fresh.drain() {
            let line = line as usize;
            while self.sources.len() <= line {
                self.sources.push(None);
            }
            if let Some(place) = self.sources.get_mut(line) {
                *place = Some(source);
            }
        }
    }
}
