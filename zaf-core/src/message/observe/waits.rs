//! Who waits for whom: finds handlers that wait for each other's answers.
//!
//! A handler that really waits for an answer says so here: what it holds (the dispatchers whose handlers run on its thread)
//! and what it waits for. Of those that wait, all are stuck that can only be freed by one of them. Waiting takes a lock and
//! two calls of the system anyway, so this is done always, observed or not; an answer that is there already costs nothing.
//!
//! Whoever of a circle would give up first can never get its answer: nothing in the circle changes before it gives up. So its
//! wait ends at once, with [`ReplyError::Deadlock`]; the others then go on. A wait that could still succeed is never ended.
//!
//! Not seen: waits for anything else than an answer (locks, room in a queue, channels of one's own), and a request that is
//! being handled by one worker of a pool while others are free. Those end with their time-out.

use std::sync::Arc;
use std::time::Instant;

use super::super::current::with_record;
use super::super::dispatcher::Core;
use super::super::error::ReplyError;
use super::super::presence::Record;
use crate::sync::Mutex;

/// Answers that somebody waits for.
pub(crate) trait Awaited: Send + Sync {
    /// Whether the answer at this place is still missing.
    fn is_open(&self, index: usize) -> bool;
    /// Settles it with an error, unless it has come.
    fn give_up(&self, index: usize, error: ReplyError);
}

/// Which of the answers are needed before the wait ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    /// The first that comes.
    Any,
    /// Every one.
    All,
}

struct Target {
    index: usize,
    dispatcher: u64,
    name: Arc<str>,
    workers: usize,
}

struct Waiter {
    number: u64,
    /// Dispatchers whose handlers run on its thread.
    holds: Vec<u64>,
    targets: Vec<Target>,
    needs: Needs,
    awaited: Arc<dyn Awaited>,
    /// None: never gives up.
    deadline: Option<Instant>,
}

#[derive(Default)]
struct Waiters {
    all: Vec<Waiter>,
    last: u64,
}

/// Everybody who waits. Handlers of one bus may wait for those of another.
static WAITERS: Mutex<Waiters> = Mutex::new(Waiters {
    all: Vec::new(),
    last: 0,
});

/// A wait; ends when dropped.
pub(crate) struct Waiting(u64);

impl Waiting {
    /// Says that the calling thread is going to wait for these answers; none if it is inside no handler or has nothing to
    /// wait for. If it closes a circle, one of the waits in it is ended, perhaps this one.
    pub(crate) fn begin<'a>(
        awaited: &Arc<impl Awaited + 'static>,
        targets: impl Iterator<Item = (usize, &'a Arc<Core>)>,
        needs: Needs,
        deadline: Option<Instant>,
    ) -> Option<Self> {
        let holds = with_record(Record::dispatchers);
        if holds.is_empty() {
            return None;
        }
        let open = targets.filter(|&(index, _)| awaited.is_open(index));
        let targets: Vec<Target> = open
            .map(|(index, core)| Target {
                index,
                dispatcher: core.number,
                name: Arc::clone(&core.name),
                workers: core.workers(),
            })
            .collect();
        if targets.is_empty() {
            return None;
        }
        let mut waiters = WAITERS.lock();
        waiters.last += 1;
        let number = waiters.last;
        waiters.all.push(Waiter {
            number,
            holds,
            targets,
            needs,
            awaited: Arc::clone(awaited) as Arc<dyn Awaited>,
            deadline,
        });
        while let Some(circle) = circle_of(&waiters.all, number) {
            break_up(&circle);
        }
        Some(Self(number))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut waiters = WAITERS.lock();
        let index = waiters.all.iter().position(|one| one.number == self.0);
        let ended = index.map(|index| waiters.all.swap_remove(index));
        drop(waiters);
        // Its answers may be the last of their kind.
        drop(ended);
    }
}

/// Whether all workers of the target wait, each among the stuck.
fn is_stuck(target: &Target, stuck: &[&Waiter]) -> bool {
    let holding = stuck
        .iter()
        .filter(|one| one.holds.contains(&target.dispatcher));
    holding.count() >= target.workers
}

/// The first target that keeps this one stuck; none if it is not.
fn obstacle<'a>(waiter: &'a Waiter, stuck: &[&Waiter]) -> Option<&'a Target> {
    let mut open = waiter
        .targets
        .iter()
        .filter(|target| waiter.awaited.is_open(target.index))
        .peekable();
    open.peek()?;
    match waiter.needs {
        Needs::All => open.find(|target| is_stuck(target, stuck)),
        Needs::Any => {
            let first = open.peek().copied();
            first.filter(|_| open.all(|target| is_stuck(target, stuck)))
        }
    }
}

/// One step of a circle: who waits, and for what.
type Step<'a> = (&'a Waiter, &'a Target);

/// The circle that the waiter is stuck in or behind; none if it can still be freed.
fn circle_of(all: &[Waiter], number: u64) -> Option<Vec<Step<'_>>> {
    // Whoever can be freed is taken out, until the others hold only each other.
    let mut stuck: Vec<&Waiter> = all.iter().collect();
    loop {
        let left: Vec<&Waiter> = stuck
            .iter()
            .copied()
            .filter(|one| obstacle(one, &stuck).is_some())
            .collect();
        if left.len() == stuck.len() {
            break;
        }
        stuck = left;
    }
    let mut waiter = *stuck.iter().find(|one| one.number == number)?;
    let mut steps: Vec<Step<'_>> = Vec::new();
    loop {
        let again = steps
            .iter()
            .position(|(one, _)| one.number == waiter.number);
        if let Some(begin) = again {
            return Some(steps.split_off(begin));
        }
        // The stuck hold each other: there is always a next one.
        let target = obstacle(waiter, &stuck)?;
        steps.push((waiter, target));
        waiter = stuck
            .iter()
            .find(|one| one.holds.contains(&target.dispatcher))?;
    }
}

/// Ends the wait that would end first.
fn break_up(circle: &[Step<'_>]) {
    let first = circle.iter().enumerate().min_by_key(|(_, (waiter, _))| {
        // Never is later than any moment.
        (waiter.deadline.is_none(), waiter.deadline)
    });
    let Some((at, &(waiter, target))) = first else {
        return;
    };
    // Each is called by the name by which the one before it waits for it.
    let before = (at + circle.len() - 1) % circle.len();
    let names = circle.iter().cycle().skip(before).take(circle.len() + 1);
    let path = names.map(|(_, target)| Arc::clone(&target.name)).collect();
    let handler = Arc::clone(&target.name);
    let error = ReplyError::Deadlock { handler, path };
    tracing::warn!("{error}");
    waiter.awaited.give_up(target.index, error);
}
