//! The two ends of a [`Strand`](super::strand::Strand), and what a worker has in its hand.
//!
//! Plain data under the strand's two locks: what senders write is the [`Tail`], what workers write is the [`Head`].

use super::super::activity::{Activity, Busy};
use super::accounts::{Credit, Debt};
use super::few::Few;
use super::lane::Queue;
use crate::sync::Arc;

/// What messages of one registration have in common. Kept here once for all of them, and when none of them is unfinished for those
/// that come: who sends one message to a thousand dispatchers would wait for the count of its references at each, and so would
/// who works on it. [`Strand::forget`](super::strand::Strand::forget) ends that.
pub(crate) trait Source {
    /// The count of their endpoint.
    fn busy(&self) -> &Arc<Busy>;

    /// The registration has ended: whoever sees that does not keep it. Never taken back.
    fn set_gone(&self);

    /// Whether that was said.
    fn is_gone(&self) -> bool;
}

/// So many sources of which no message is unfinished are kept at most: those of the first lines.
pub(super) const KEPT: u32 = 4;

/// Unfinished messages of one source.
#[derive(Debug, Default)]
struct Line {
    /// Address of the source, which is kept as long as the address is here, so that it cannot be another one's; 0 for none.
    source: usize,
    /// Without those of [`Tail::run`].
    open: u32,
    /// Whether some are unfinished.
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
    /// By line; none if it is no source's, or if the only worker has it in its hand.
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
    /// What it has not told.
    pub(super) debt: Debt,
    /// Whether it may tell that later.
    may_owe: bool,
}

impl<S: Source> Hand<S> {
    /// For a worker that was sent because of `needs_worker`, and owes something perhaps. It `may_owe` that, and what it owes
    /// when it leaves, if it goes on to another strand at once.
    pub(crate) fn new(debt: Debt, may_owe: bool) -> Self {
        Self {
            debt,
            may_owe,
            stand: Stand::Coming,
            line: None,
            source: None,
            old: None,
            was_cancelled: false,
        }
    }

    /// Pays what it owes, unless that may wait until after what it does next: the message that it has in its hand, or another strand.
    #[inline]
    pub(super) fn pay(&mut self, activity: &Activity) {
        let source = self.source.as_ref().filter(|_| self.line.is_some());
        let may_wait =
            self.may_owe && source.is_none_or(|source| self.debt.may_wait_for(source.busy()));
        if !may_wait {
            self.debt.pay(activity);
        }
    }

    /// What it still owes.
    pub(crate) fn debt(self) -> Debt {
        self.debt
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
    pub(super) debt: Debt,
    /// Sources that are not kept any more.
    pub(super) gone: Few<Arc<S>>,
}

impl<S> Told<S> {
    pub(super) fn nothing() -> Self {
        Self {
            debt: Debt::default(),
            gone: Few::new(),
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
    pub(super) fn accept(&mut self, source: &Arc<S>, credit: &mut Credit<'_>) -> u32 {
        self.accepted += 1;
        self.open += 1;
        let address = Arc::as_ptr(source).addr();
        if self.last_source != address {
            self.turn_to(source, address, credit);
        }
        self.run += 1;
        self.last
    }

    /// Makes the line of a source the last one.
    #[cold]
    fn turn_to(&mut self, source: &Arc<S>, address: usize, credit: &mut Credit<'_>) {
        self.end_run();
        let known = self.lines.position(|line| line.source == address);
        let at = known.unwrap_or_else(|| self.new_line(source, address));
        if let Some(line) = self.lines.get_mut(at)
            && !line.is_taken
        {
            line.is_taken = true;
            credit.begin_source(source.busy());
        }
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
        let free = self.lines.position(|line| line.source == 0);
        let at = free.unwrap_or_else(|| {
            self.lines.push(Line::default());
            self.lines.len() - 1
        });
        if let Some(line) = self.lines.get_mut(at) {
            line.source = address;
        }
        let number = u32::try_from(at).unwrap_or(u32::MAX);
        self.fresh.push((number, Arc::clone(source)));
        at
    }

    /// Notes the end of messages of one line. Returns whether none of it is open any more.
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

    /// The line that keeps the source without an open message, if one does.
    pub(super) fn idle_line_of(&mut self, source: &Arc<S>) -> Option<u32> {
        let address = Arc::as_ptr(source).addr();
        let at = self
            .lines
            .position(|line| line.source == address && !line.is_taken)?;
        u32::try_from(at).ok()
    }

    /// Lines that keep a source without an open message.
    pub(super) fn idle_lines(&mut self) -> Vec<u32> {
        let mut number = 0;
        let mut idle = Vec::new();
        while let Some(line) = self.lines.get_mut(number as usize) {
            if line.source != 0 && !line.is_taken {
                idle.push(number);
            }
            number += 1;
        }
        idle
    }

    /// The source of a line without open messages is not kept any more.
    pub(super) fn forget(&mut self, number: u32) {
        if let Some(line) = self.lines.get_mut(number as usize) {
            line.source = 0;
        }
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

impl<L, S: Source> Head<L, S> {
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
        if let Some(place) = self.sources.get_mut(line as usize)
            && place.is_none()
        {
            *place = hand.source.take();
        }
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

    /// Keeps the source of a line without open messages no longer.
    pub(super) fn let_go(&mut self, tail: &mut Tail<L, S>, line: u32, gone: &mut Few<Arc<S>>) {
        tail.forget(line);
        let place = self.sources.get_mut(line as usize);
        if let Some(source) = place.and_then(Option::take) {
            gone.push(source);
        }
    }

    /// Takes over the sources of new lines.
    #[inline]
    pub(super) fn learn(&mut self, tail: &mut Tail<L, S>) {
        if tail.fresh.len() > 0 {
            self.learn_fresh(tail);
        }
    }

    #[cold]
    fn learn_fresh(&mut self, tail: &mut Tail<L, S>) {
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
