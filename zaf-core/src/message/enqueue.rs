//! From a sender into the queue of a dispatcher.

use std::sync::Arc;

use tracing::Span;
use tracing::level_filters::LevelFilter;

use super::bus::MessageBus;
use super::dispatcher::Core;
use super::dispatcher::strand::{Queued, Refusal};
use super::dispatcher::worker::{Job, discard};
use super::error::{BusError, ReplyError};
use super::message::Message;
use super::presence::Record;
use super::reply::Replier;
use super::route::{Entry, Route};

impl MessageBus {
    /// Puts a message into the queue of its receiver. False if the dispatcher was destroyed.
    pub(super) fn enqueue<P: Send + Sync + 'static, R: Send + 'static>(
        &self,
        record: &Record,
        route: &Route,
        entry: &Entry<P, R>,
        message: Arc<Message<P>>,
        reply: Option<Replier>,
    ) -> Result<bool, BusError> {
        let core = &entry.core;
        let Some(strand) = &core.strand else {
            return Ok(false);
        };
        let kind = message.origin.descriptor.kind;
        let queued = Queued {
            job: Job {
                handler: entry.any_handler(),
                message,
                place: route.place,
                reply,
                span: current_span(),
            },
            endpoint: route.place.endpoint,
        };
        let is_own_worker = core.is_single_worker() && record.runs(core.number);
        match strand.push(queued, &route.busy, core.policy(kind), is_own_worker) {
            Ok(accepted) => {
                if accepted.needs_worker {
                    self.inner.pool.submit(Arc::clone(core));
                }
                if let Some(job) = accepted.dropped {
                    let mut job = *job;
                    core.tally.dropped();
                    if let Some(reply) = job.reply.take() {
                        let bound = core.bound();
                        reply.fail(|handler| ReplyError::Rejected { handler, bound });
                    }
                    discard(core, job);
                }
                Ok(true)
            }
            Err((refusal, queued)) => refused(core, refusal, queued.job),
        }
    }
}

#[cold]
fn refused(core: &Arc<Core>, refusal: Refusal, mut job: Job) -> Result<bool, BusError> {
    let bound = core.bound();
    let reply = job.reply.take();
    discard(core, job);
    match refusal {
        Refusal::Closed => {
            if let Some(reply) = reply {
                reply.fail(|handler| ReplyError::Cancelled { handler });
            }
            Ok(false)
        }
        Refusal::Full => {
            core.tally.rejected();
            if let Some(reply) = reply {
                reply.fail(|handler| ReplyError::Rejected { handler, bound });
            }
            let dispatcher = Arc::clone(&core.name);
            Err(BusError::QueueFull { dispatcher, bound })
        }
        Refusal::WouldDeadlock => {
            core.tally.rejected();
            if let Some(reply) = reply {
                reply.fail(|handler| ReplyError::WouldDeadlock { handler });
            }
            Err(BusError::WouldDeadlock {
                what: format!("room in the queue of `{}`", core.name),
            })
        }
    }
}

/// Where the sender is, for the log of the handler; none if nobody traces.
fn current_span() -> Option<Box<Span>> {
    // One load; asking for the span itself costs more than the queue.
    if LevelFilter::current() == LevelFilter::OFF {
        return None;
    }
    let span = Span::current();
    (!span.is_none()).then(|| Box::new(span))
}
