//! From a sender into the queue of a dispatcher.

use std::sync::Arc;

use super::MessageKind;
use super::carried::Carried;
use super::dispatcher::Core;
use super::dispatcher::accounts::Credit;
use super::dispatcher::job::{AnySlot, Job};
use super::dispatcher::policy::Refusal;
use super::dispatcher::pool::Pool;
use super::dispatcher::summons::Summons;
use super::dispatcher::worker::discard;
use super::error::{BusError, ReplyError};
use super::observe::Sending;
use super::presence::Record;
use super::route::Entry;

/// What one sender does at queues.
pub(super) struct Round<'a> {
    pub(super) summons: Summons<'a>,
    /// For those that come next.
    pub(super) credit: Credit<'a>,
}

impl<'a> Round<'a> {
    pub(super) fn new(pool: &'a Arc<Pool>) -> Self {
        Self {
            summons: Summons::new(pool),
            credit: Credit::default(),
        }
    }
}

/// As [`enqueue`], and `seen` writes it down if somebody looks.
#[inline]
pub(super) fn put<P: Send + Sync + 'static, R: Send + 'static>(
    seen: Option<&Sending>,
    record: &Record,
    entry: &Entry<P, R>,
    kind: MessageKind,
    carried: impl Carried,
    round: &mut Round<'_>,
) -> Result<bool, BusError> {
    match seen {
        None => enqueue(record, entry, kind, carried, round),
        Some(sending) => sending.enqueue(record, entry, kind, carried, round),
    }
}

/// Puts a message into the queue of its receiver. False if the dispatcher was destroyed. Workers are sent when the summons of the round
/// are.
#[inline]
pub(super) fn enqueue<P, R>(
    record: &Record,
    entry: &Entry<P, R>,
    kind: MessageKind,
    carried: impl Carried,
    Round { summons, credit }: &mut Round<'_>,
) -> Result<bool, BusError> {
    let core = &entry.core;
    let (Some(strand), Some(intake)) = (&core.strand, &entry.intake) else {
        return Ok(false);
    };
    let is_own_worker = || core.is_single_worker() && record.runs(core.number);
    // Whoever has the message already does not wait for the room that this one waits for.
    let mut job = Some(Job::new(carried, record.sender()));
    let before_wait = |credit: &mut Credit<'_>| {
        credit.give_back();
        summons.send();
    };
    let policy = core.policy(kind);
    let pushed = strand.push(&mut job, intake, policy, credit, is_own_worker, before_wait);
    match pushed {
        Ok(accepted) => {
            if accepted.needs_worker {
                summons.add(core);
            }
            if let Some(mut oldest) = accepted.dropped {
                dropped(core, &mut *oldest);
            }
            Ok(true)
        }
        Err(refusal) => refused(core, refusal, &mut job),
    }
}

#[cold]
fn dropped(core: &Arc<Core>, job: &mut dyn AnySlot) {
    core.tally.dropped();
    if let Some(reply) = job.take_reply() {
        reply.fail(|handler, bound| ReplyError::Rejected { handler, bound });
    }
    discard(core, job);
}

#[cold]
fn refused(core: &Arc<Core>, refusal: Refusal, job: &mut dyn AnySlot) -> Result<bool, BusError> {
    let (answer, outcome): (fn(Arc<str>, usize) -> ReplyError, _) = match refusal {
        Refusal::Closed => (|handler, _| ReplyError::Cancelled { handler }, Ok(false)),
        Refusal::Full => {
            core.tally.rejected();
            let dispatcher = Arc::clone(&core.name);
            let bound = core.bound();
            (
                |handler, bound| ReplyError::Rejected { handler, bound },
                Err(BusError::QueueFull { dispatcher, bound }),
            )
        }
        Refusal::WouldDeadlock => {
            core.tally.rejected();
            let what = format!("room in the queue of `{}`", core.name);
            (
                |handler, _| ReplyError::WouldDeadlock { handler },
                Err(BusError::WouldDeadlock { what }),
            )
        }
    };
    if let Some(reply) = job.take_reply() {
        reply.fail(answer);
    }
    discard(core, job);
    outcome
}
