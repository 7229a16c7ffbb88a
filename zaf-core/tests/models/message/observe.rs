//! Who waits for whom is looked for by code that is not modelled: here nobody is noticed.

use super::dispatcher::Core;
use super::error::ReplyError;
use crate::sync::Arc;
use std::time::Instant;

pub(crate) trait Awaited {
    fn is_open(&self, index: usize) -> bool;
    fn give_up(&self, index: usize, error: ReplyError);
}

pub(crate) enum Needs {
    Any,
    All,
}

/// Owns something, as the bus's own does: who has waited drops it.
pub(crate) struct Waiting(Box<()>);

impl Waiting {
    pub(crate) fn begin<'a>(
        _: &Arc<impl Awaited>,
        _: impl Iterator<Item = (usize, &'a Arc<Core>)>,
        _: Needs,
        _: Option<Instant>,
    ) -> Option<Self> {
        None
    }
}
