//! What a worker does with a strand.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use super::super::activity::Busy;
use super::super::current::with_record;
use super::super::presence::{Place, Record};
use super::super::route::AnyHandler;
use super::super::{MessageBus, ReplyError};
use super::Core;
use super::accounts::Debt;
use super::ends::{Hand, Source};
use super::job::{AnySlot, Jobs};
use super::pool::Pool;
use super::strand::Strand;
use super::team::Muster;
use crate::sync::{Arc, AtomicBool, Ordering, look, spin, spin_until};
use crate::thread::panic_text;

/// How many messages a worker handles before it makes way for other strands that wait.
const MESSAGES_PER_TURN: usize = 1024;

/// What the messages of one registration have in common: who handles them, and where they count.
pub(crate) struct Intake {
    pub(crate) handler: Arc<dyn AnyHandler>,
    pub(crate) place: Place,
    pub(crate) busy: Arc<Busy>,
    /// See [`Source::set_gone`].
    pub(crate) gone: AtomicBool,
}

impl Source for Intake {
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

impl std::fmt::Debug for Intake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Intake")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

/// How often a worker that is alone meets its senders. Each meeting costs them more than their messages do, so while they keep
/// coming, it lets some of them gather.
#[derive(Default)]
struct Meetings {
    /// So many in a row found something at once.
    busy: u32,
    last: Option<Instant>,
}

impl Meetings {
    /// From so many on it waits for more.
    const BUSY: u32 = 4;
    /// How far they are apart then, at first.
    const APART: Duration = Duration::from_micros(1);
    /// After so many more they are twice as far apart, and after as many again.
    const STEP: u32 = 4;
    /// How often that happens. A message that comes into a stream which has not ceased for so long waits for some microseconds; a sender
    /// that meets the worker waits for a good part of one.
    const STEPS: u32 = 2;
    /// Queues with a bound below this are not left alone for so long.
    const ROOMY: usize = 1024;

    /// Before a meeting: waits until there seems to be something, for a moment, or until there may be more.
    fn wait(&mut self, core: &Core, found: impl Fn() -> bool) {
        if !found() {
            // What comes within a moment costs no call of the system, and nobody has to be told of the end of all messages.
            spin(found);
            self.busy = 0;
            return;
        }
        self.busy = self.busy.saturating_add(1);
        if self.busy >= Self::BUSY {
            let steps = if core.bound() < Self::ROOMY {
                0
            } else {
                ((self.busy - Self::BUSY) / Self::STEP).min(Self::STEPS)
            };
            let apart = Self::APART * (1 << steps);
            spin_until(self.last.take().and_then(|last| last.checked_add(apart)));
            self.last = Some(Instant::now());
        }
    }
}

/// What a thread takes along from one turn to the next, so that short turns need not ask for it.
#[derive(Default)]
pub(crate) struct Luggage {
    /// So that threads do not fight over the count of its references.
    bus: Option<MessageBus>,
    /// Empty, and of the size of the last message.
    slot: Option<Box<dyn AnySlot>>,
    /// Of the strand of this turn.
    meetings: Meetings,
    turns: u32,
    /// Whether another strand comes after this one.
    has_more: bool,
    /// Of the strands before.
    debt: Debt,
}

impl Luggage {
    /// For so many turns a thread has the bus in its hand: handlers that send to themselves do not keep it alive.
    const TURNS_WITH_A_BUS: u32 = 32;

    /// Whether the thread has the bus in its hand.
    pub(crate) fn has_bus(&self) -> bool {
        self.bus.is_some()
    }

    /// Lets the bus go. Not under a lock: it may be the last to have it.
    pub(crate) fn put_down(&mut self) {
        self.bus = None;
        self.turns = 0;
    }

    fn take_bus(&mut self, core: &Core) -> Option<MessageBus> {
        self.turns += 1;
        if self.turns > Self::TURNS_WITH_A_BUS {
            self.put_down();
        }
        self.bus.take().or_else(|| core.bus())
    }
}

/// Serves the strands that need a worker, as long as others do not: first the one that has been taken.
pub(super) fn turns(
    first: Option<&Arc<Core>>,
    muster: &Muster,
    pool: &Arc<Pool>,
    luggage: &mut Luggage,
) {
    let mut next = first;
    while let Some(core) = next {
        luggage.has_more = muster.is_anybody_left();
        turn(core, pool, luggage);
        next = muster.take();
        if next.is_none()
            && let Some(strand) = &core.strand
        {
            strand.pay(&mut luggage.debt);
        }
    }
    luggage.has_more = false;
}

/// Serves the strand until it is empty or it is the turn of others.
pub(super) fn turn(core: &Arc<Core>, pool: &Arc<Pool>, luggage: &mut Luggage) {
    let Some(strand) = core.strand.as_ref() else {
        return;
    };
    let mut hand = Hand::new(std::mem::take(&mut luggage.debt), luggage.has_more);
    // Handlers are caught further in. Should anything else panic, the thread is still one that is counted.
    let work = || work(core, strand, pool, luggage, &mut hand);
    if let Err(payload) = catch_unwind(AssertUnwindSafe(work)) {
        let text = panic_text(payload);
        tracing::error!("a worker of the message bus panicked: {text}");
    }
    luggage.debt = hand.debt();
}

/// See [`turn`].
fn work(
    core: &Arc<Core>,
    strand: &Strand<Jobs, Intake>,
    pool: &Arc<Pool>,
    luggage: &mut Luggage,
    hand: &mut Hand<Intake>,
) {
    luggage.meetings = Meetings::default();
    loop {
        let Some(bus) = luggage.take_bus(core) else {
            // The last handle of the bus is gone, and with it all who could want this.
            core.close();
            strand.step_aside(hand);
            return;
        };
        let is_left = with_record(|record| !serve(core, strand, hand, luggage, pool, record, &bus));
        if is_left {
            luggage.bus = Some(bus);
            return;
        }
        // Only for others: a worker that has the strand's data at hand is the best one to go on.
        if luggage.has_more || pool.has_waiting() {
            if strand.step_aside(hand) {
                pool.submit(Arc::clone(core));
            }
            luggage.bus = Some(bus);
            return;
        }
    }
}

/// Returns false if the worker has left, true if others should have their turn before this strand goes on.
fn serve(
    core: &Arc<Core>,
    strand: &Strand<Jobs, Intake>,
    hand: &mut Hand<Intake>,
    luggage: &mut Luggage,
    pool: &Arc<Pool>,
    record: &Record,
    bus: &MessageBus,
) -> bool {
    let Luggage {
        slot,
        meetings,
        has_more,
        ..
    } = luggage;
    let has_more = *has_more;
    for _ in 0..MESSAGES_PER_TURN {
        // Who has just come was sent because there is something.
        if core.is_single_worker() && hand.has_arrived() {
            if (has_more || pool.has_waiting()) && !strand.has_work() {
                // Nothing more is seen here, and others wait: one meeting instead of three.
                if strand.step_aside(hand) {
                    pool.submit(Arc::clone(core));
                }
                return false;
            }
            if strand.next_ahead(hand, slot) {
                run(core, strand, hand, slot, record, bus);
                continue;
            }
            meetings.wait(core, || {
                has_more || pool.has_waiting() || strand.has_work() || strand.is_awaited()
            });
        }
        let Some(taken) = strand.next(hand, slot) else {
            if !core.is_burst() {
                look(None, || {
                    has_more || pool.has_waiting() || strand.has_work() || strand.is_closed()
                });
            }
            if strand.leave(hand) {
                return false;
            }
            continue;
        };
        if taken.needs_worker {
            pool.submit(Arc::clone(core));
        }
        run(core, strand, hand, slot, record, bus);
    }
    true
}

/// Runs one handler, or cancels its message if the dispatcher was destroyed. Never unwinds.
fn run(
    core: &Arc<Core>,
    strand: &Strand<Jobs, Intake>,
    hand: &mut Hand<Intake>,
    slot: &mut Option<Box<dyn AnySlot>>,
    record: &Record,
    bus: &MessageBus,
) {
    let Some(slot) = slot.as_deref_mut() else {
        return;
    };
    if strand.is_closed() {
        hand.cancelled();
        cancel(core, slot);
        return;
    }
    let call = || {
        if let Some(intake) = hand.source() {
            let (sender, entity) = slot.letter();
            let turn = record.enter_from_queue(intake.place, core.number, sender, entity);
            if let Some(_turn) = turn {
                slot.run(intake, core, bus);
            }
        }
        slot.clear();
    };
    if let Err(payload) = catch_unwind(AssertUnwindSafe(call)) {
        // Handlers are caught further in: this was the `Drop` of a reply, of an error or of the message.
        tracing::error!(handler = %core.name, "panic after a handler: {}", panic_text(payload));
        discard(core, slot);
    }
}

/// Settles a message that will not be handled.
pub(crate) fn cancel(core: &Arc<Core>, slot: &mut dyn AnySlot) {
    core.tally.cancelled();
    if let Some(reply) = slot.take_reply() {
        reply.fail(|handler, _| ReplyError::Cancelled { handler });
    }
    discard(core, slot);
}

/// Drops a message; its payload may be the last of its kind and its `Drop` may panic.
pub(crate) fn discard(core: &Core, slot: &mut dyn AnySlot) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| slot.clear())) {
        tracing::error!(handler = %core.name, "panic while a message was dropped: {}", panic_text(payload));
    }
}
