//! Busy counts that are raised ahead and lowered later.
//!
//! A strand counts at the bus while it has something to do, and its sources at their endpoints. Senders and workers all write these
//! two counts, so who goes from strand to strand writes them once for many: a sender raises them ahead for the receivers that come
//! next, and a worker lowers them when it has ended several.
//!
//! Invariants
//! - A count is never lower than what is accepted and not handled: what is raised ahead is raised before the first push, and
//!   lowered late is late only.
//! - Nobody waits for what somebody has raised ahead or not lowered yet, but for as long as that one goes on without waiting
//!   itself: a sender gives its credit back before it waits for room, and a worker owes only while what it handles counts at the
//!   same endpoint of the same bus, which are busy then anyway.

use super::super::activity::{Activity, Busy};
use crate::sync::Arc;

/// Lowers counts, and wakes who waits for that. After the endpoint the bus: whoever sees an idle bus sees idle endpoints.
fn lower(activity: &Activity, endpoint: Option<(&Busy, usize)>, strands: usize) {
    let mut is_idle = false;
    if let Some((busy, sources)) = endpoint
        && sources > 0
    {
        is_idle |= busy.lower(sources);
    }
    if strands > 0 {
        is_idle |= activity.busy.lower(strands);
    }
    if is_idle {
        activity.changed();
    }
}

/// What a sender has raised ahead, and not used yet. Given back when it is dropped.
#[derive(Default)]
pub(crate) struct Credit<'a>(Option<Raised<'a>>);

struct Raised<'a> {
    activity: &'a Activity,
    endpoint: &'a Arc<Busy>,
    strands: usize,
    sources: usize,
}

impl<'a> Credit<'a> {
    /// For messages to as many strands, from sources of one endpoint.
    pub(crate) fn raise(activity: &'a Activity, endpoint: &'a Arc<Busy>, count: usize) -> Self {
        endpoint.raise(count);
        activity.busy.raise(count);
        Self(Some(Raised {
            activity,
            endpoint,
            strands: count,
            sources: count,
        }))
    }

    /// A strand is busy from now on.
    #[inline]
    pub(super) fn begin_strand(&mut self, activity: &Activity) {
        let strands = self.0.as_mut().map(|raised| &mut raised.strands);
        Self::use_one(strands, &activity.busy);
    }

    /// So is a source of this endpoint.
    #[inline]
    pub(super) fn begin_source(&mut self, busy: &Arc<Busy>) {
        let raised = self.0.as_mut();
        let raised = raised.filter(|raised| Arc::ptr_eq(raised.endpoint, busy));
        Self::use_one(raised.map(|raised| &mut raised.sources), busy);
    }

    #[inline]
    fn use_one(raised: Option<&mut usize>, busy: &Busy) {
        match raised {
            Some(left) if *left > 0 => *left -= 1,
            _ => busy.raise(1),
        }
    }

    /// Lowers what was not used.
    pub(crate) fn give_back(&mut self) {
        if let Some(left) = self.0.take() {
            lower(
                left.activity,
                Some((left.endpoint, left.sources)),
                left.strands,
            );
        }
    }
}

impl Drop for Credit<'_> {
    fn drop(&mut self) {
        self.give_back();
    }
}

/// What a worker has to lower, all of it at one bus and at one endpoint.
#[derive(Debug, Default)]
pub(crate) struct Debt {
    strands: usize,
    endpoint: Option<(Arc<Busy>, usize)>,
}

impl Debt {
    /// A strand is idle.
    pub(super) fn end_strand(&mut self) {
        self.strands += 1;
    }

    /// So is a source of this endpoint. What is owed at another one is paid.
    pub(super) fn end_source(&mut self, busy: &Arc<Busy>, activity: &Activity) {
        match &mut self.endpoint {
            Some((own, count)) if Arc::ptr_eq(own, busy) => *count += 1,
            other => {
                if let Some((other, count)) = other.replace((Arc::clone(busy), 1)) {
                    lower(activity, Some((&other, count)), 0);
                }
            }
        }
    }

    /// Whether it may wait until a message of this endpoint has been handled.
    pub(super) fn may_wait_for(&self, next: &Arc<Busy>) -> bool {
        let own = self.endpoint.as_ref();
        own.is_none_or(|(busy, _)| Arc::ptr_eq(busy, next))
    }

    /// Lowers all of it.
    #[inline]
    pub(crate) fn pay(&mut self, activity: &Activity) {
        if self.strands > 0 || self.endpoint.is_some() {
            let (endpoint, strands) = (self.endpoint.take(), std::mem::take(&mut self.strands));
            let endpoint = endpoint.as_ref().map(|(busy, count)| (&**busy, *count));
            lower(activity, endpoint, strands);
        }
    }
}
