//! Answers to requests.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::answer::{Answer, Given};
use super::current::with_record;
use super::dispatcher::Core;
use super::error::ReplyError;
use super::observe::{Awaited, Needs, Waiting};
use super::reply_set::ReplySet;
use crate::sync::deadline_after;

/// The answer of one dispatcher.
#[derive(Debug)]
#[non_exhaustive]
pub struct Reply<R> {
    /// Name of the dispatcher.
    pub handler: Arc<str>,
    /// What its handler returned, or why there is nothing.
    pub result: Result<R, ReplyError>,
}

/// The answers that are expected from queued dispatchers.
pub(crate) struct SharedReplies<R> {
    set: ReplySet<Answer<R>>,
    /// Who owes each answer, in order of execution.
    receivers: Box<[Arc<Core>]>,
    late: Arc<AtomicU64>,
}

impl<R: Send + 'static> SharedReplies<R> {
    pub(crate) fn new(receivers: Box<[Arc<Core>]>, late: Arc<AtomicU64>) -> Arc<Self> {
        Arc::new(Self {
            set: ReplySet::new(receivers.len()),
            receivers,
            late,
        })
    }

    pub(crate) fn settle(&self, index: usize, answer: Result<R, ReplyError>) {
        if self.set.settle(index, answer.map_err(Box::new)).is_err() {
            self.late.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl<R: Send + 'static> Awaited for SharedReplies<R> {
    fn is_open(&self, index: usize) -> bool {
        self.set.is_waiting(index)
    }

    fn give_up(&self, index: usize, error: ReplyError) {
        // An answer that has come meanwhile is as good.
        let _came = self.set.settle(index, Err(Box::new(error)));
    }
}

/// [`SharedReplies`] without its type.
pub(crate) trait AnyReplies: Send + Sync {
    /// Settles a place with an error; `error` is given the name of the handler.
    fn fail(&self, index: usize, error: fn(Arc<str>, usize) -> ReplyError);
    fn as_any(&self) -> &dyn Any;
}

impl<R: Send + 'static> AnyReplies for SharedReplies<R> {
    fn fail(&self, index: usize, error: fn(Arc<str>, usize) -> ReplyError) {
        if let Some(core) = self.receivers.get(index) {
            self.settle(index, Err(error(Arc::clone(&core.name), core.bound())));
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// The obligation to answer once. Dropping it unanswered sends [`ReplyError::Abandoned`].
pub(crate) struct Replier<'a> {
    /// None once answered.
    replies: Option<&'a dyn AnyReplies>,
    index: usize,
}

impl<'a> Replier<'a> {
    pub(crate) fn new(replies: &'a dyn AnyReplies, index: usize) -> Self {
        Self {
            replies: Some(replies),
            index,
        }
    }

    /// Answers. An `R` of another type than the request's is as good as no answer.
    pub(crate) fn send<R: Send + 'static>(mut self, answer: Result<R, ReplyError>) {
        let typed = self
            .replies
            .and_then(|replies| replies.as_any().downcast_ref::<SharedReplies<R>>());
        if let Some(typed) = typed {
            typed.settle(self.index, answer);
            self.replies = None;
        }
    }

    /// Answers with an error, made of the name and the bound of the queue.
    pub(crate) fn fail(mut self, error: fn(Arc<str>, usize) -> ReplyError) {
        if let Some(replies) = self.replies.take() {
            replies.fail(self.index, error);
        }
    }
}

impl Drop for Replier<'_> {
    fn drop(&mut self) {
        if let Some(replies) = self.replies.take() {
            replies.fail(self.index, |handler, _| ReplyError::Abandoned { handler });
        }
    }
}

/// All answers to one request, one for each dispatcher that got it.
///
/// In order of execution: priority, highest first, then registration. Dropping it cancels nothing: the handlers run and
/// their answers are dropped.
#[doc = include_str!("doc/replies.md")]
pub struct Replies<R> {
    inner: Inner<R>,
}

enum Inner<R> {
    /// A single answer that is already there.
    Ready(Option<Given<R>>),
    Pending(Pending<R>),
}

struct Pending<R> {
    shared: Arc<SharedReplies<R>>,
    /// Index of the next answer in order of execution.
    next: usize,
}

impl<R: Send + 'static> Replies<R> {
    pub(crate) fn none() -> Self {
        Self {
            inner: Inner::Ready(None),
        }
    }

    #[inline]
    pub(crate) fn ready(given: Given<R>) -> Self {
        Self {
            inner: Inner::Ready(Some(given)),
        }
    }

    pub(crate) fn pending(shared: Arc<SharedReplies<R>>) -> Self {
        Self {
            inner: Inner::Pending(Pending { shared, next: 0 }),
        }
    }

    /// Number of answers that have not been taken.
    pub fn len(&self) -> usize {
        match &self.inner {
            Inner::Ready(reply) => usize::from(reply.is_some()),
            Inner::Pending(pending) => pending.shared.receivers.len() - pending.next,
        }
    }

    /// Whether all answers have been taken, or nobody got the request.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The next answer in order of execution, waiting at most `timeout` for it; none after the last.
    ///
    /// An answer that is not there in time is [`ReplyError::TimedOut`]; it is given up and counted when it comes. On the
    /// worker that would have to answer it is [`ReplyError::WouldDeadlock`] at once. [`Duration::MAX`] waits for ever.
    #[doc = include_str!("doc/replies_next.md")]
    #[inline]
    pub fn next(&mut self, timeout: Duration) -> Option<Reply<R>> {
        match &mut self.inner {
            Inner::Ready(given) => given.take().map(Reply::from),
            Inner::Pending(pending) => {
                let index = pending.next;
                let reply = pending.take(index, deadline_after(timeout), timeout)?;
                pending.next += 1;
                Some(reply)
            }
        }
    }

    /// All answers that have not been taken, in order of execution, waiting at most `timeout` in all. Missing ones are
    /// errors as in [`next`](Self::next).
    #[doc = include_str!("doc/replies_all.md")]
    pub fn all(mut self, timeout: Duration) -> Vec<Reply<R>> {
        match &mut self.inner {
            Inner::Ready(given) => given.take().map(Reply::from).into_iter().collect(),
            Inner::Pending(pending) => {
                let deadline = deadline_after(timeout);
                let all = pending.next..pending.shared.receivers.len();
                if !all.clone().any(|index| pending.would_deadlock(index)) {
                    // Woken once. What is missing then is found below.
                    let waiting = pending.begin_to_wait(Needs::All, deadline);
                    pending.shared.set.wait_for_all(deadline);
                    drop(waiting);
                }
                all.filter_map(|index| pending.take(index, deadline, timeout))
                    .collect()
            }
        }
    }

    /// The values of all answers, in order of execution.
    ///
    /// # Errors
    /// The first error in order of execution; all answers have been waited for.
    pub fn values(self, timeout: Duration) -> Result<Vec<R>, ReplyError> {
        let replies = self.all(timeout);
        replies.into_iter().map(|reply| reply.result).collect()
    }

    /// The answers in order of completion. After `timeout` (from now) those that are missing follow, in order of
    /// execution, as errors as in [`next`](Self::next).
    #[doc = include_str!("doc/as_completed.md")]
    pub fn as_completed(self, timeout: Duration) -> AsCompleted<R> {
        AsCompleted {
            deadline: deadline_after(timeout),
            timeout,
            inner: self.inner,
            taken: 0,
            open: None,
        }
    }
}

impl<R: Send + 'static> Pending<R> {
    /// Whether only the calling thread itself could give the answer.
    fn would_deadlock(&self, index: usize) -> bool {
        let Some(core) = self.shared.receivers.get(index) else {
            return false;
        };
        core.is_single_worker()
            && with_record(|record| record.runs(core.number))
            && self.shared.set.is_waiting(index)
    }

    /// Says that the calling thread waits for the answers that have not been taken.
    fn begin_to_wait(&self, needs: Needs, deadline: Option<Instant>) -> Option<Waiting> {
        let targets = self.shared.receivers.iter().enumerate().skip(self.next);
        Waiting::begin(&self.shared, targets, needs, deadline)
    }

    fn take(&self, index: usize, deadline: Option<Instant>, after: Duration) -> Option<Reply<R>> {
        let handler = Arc::clone(&self.shared.receivers.get(index)?.name);
        let result = if self.would_deadlock(index) {
            Err(ReplyError::WouldDeadlock {
                handler: Arc::clone(&handler),
            })
        } else {
            let target = self.shared.receivers.get(index).map(|core| (index, core));
            let waiting = Waiting::begin(&self.shared, target.into_iter(), Needs::All, deadline);
            let answer = self.shared.set.take(index, deadline);
            drop(waiting);
            answer.map_or_else(
                || {
                    Err(ReplyError::TimedOut {
                        handler: Arc::clone(&handler),
                        after,
                    })
                },
                |answer| answer.map_err(|error| *error),
            )
        };
        Some(Reply { handler, result })
    }
}

/// See [`Replies::as_completed`].
pub struct AsCompleted<R> {
    inner: Inner<R>,
    deadline: Option<Instant>,
    timeout: Duration,
    taken: usize,
    /// After the deadline: which answers are still open. Filled once.
    open: Option<Vec<usize>>,
}

impl<R: Send + 'static> Iterator for AsCompleted<R> {
    type Item = Reply<R>;

    fn next(&mut self) -> Option<Reply<R>> {
        let pending = match &mut self.inner {
            Inner::Ready(given) => return given.take().map(Reply::from),
            Inner::Pending(pending) => pending,
        };
        let total = pending.shared.receivers.len() - pending.next;
        if self.taken == total {
            return None;
        }
        if self.open.is_none() {
            // If one of the missing answers can only come from this thread, waiting for the others first is fine, for ever
            // is not: what is there is taken, then the rest is settled one by one.
            let stuck = (pending.next..pending.shared.receivers.len())
                .any(|index| pending.would_deadlock(index));
            let deadline = if stuck {
                Some(Instant::now())
            } else {
                self.deadline
            };
            let waiting = pending.begin_to_wait(Needs::Any, deadline);
            let completed = pending.shared.set.take_completed(deadline);
            drop(waiting);
            if let Some((index, answer)) = completed {
                self.taken += 1;
                let handler = Arc::clone(&pending.shared.receivers.get(index)?.name);
                return Some(Given { handler, answer }.into());
            }
            let mut open: Vec<usize> = (pending.next..pending.shared.receivers.len())
                .filter(|&index| pending.shared.set.is_waiting(index))
                .collect();
            open.reverse();
            self.open = Some(open);
        }
        // One that arrived since the list was made still counts.
        let index = self.open.as_mut().and_then(Vec::pop);
        self.taken += 1;
        if let Some(index) = index {
            return pending.take(index, self.deadline, self.timeout);
        }
        let (index, answer) = pending.shared.set.take_completed(Some(Instant::now()))?;
        let handler = Arc::clone(&pending.shared.receivers.get(index)?.name);
        Some(Given { handler, answer }.into())
    }
}

impl<R> fmt::Debug for Replies<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let expected = match &self.inner {
            Inner::Ready(reply) => usize::from(reply.is_some()),
            Inner::Pending(pending) => pending.shared.receivers.len() - pending.next,
        };
        f.debug_struct("Replies")
            .field("expected", &expected)
            .finish()
    }
}

impl<R> fmt::Debug for AsCompleted<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsCompleted")
            .field("taken", &self.taken)
            .finish_non_exhaustive()
    }
}
