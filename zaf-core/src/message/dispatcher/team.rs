//! Dispatchers that go to the pool together, because one event needs a worker for each.

use super::Core;
use crate::sync::{Arc, AtomicU32, Ordering};

/// So many dispatchers are in a team at most: those whose data a sender or a worker fetches at the same time.
pub(crate) const MOST: usize = 16;

/// Dispatchers beside each other among the receivers of an event. Stands for the references to each of them: a thousand counts of
/// references, written by the sender and by the worker, would be most of what an event to a thousand queues costs.
pub(crate) struct Team(Box<[Arc<Core>]>);

impl Team {
    /// Of at most [`MOST`].
    pub(crate) fn new(cores: impl Iterator<Item = Arc<Core>>) -> Self {
        Self(cores.take(MOST).collect())
    }

    /// Reads what a worker reads first of each: then the processor fetches all of it at the same time.
    pub(super) fn approach(&self) {
        let mut seen = false;
        for core in &self.0 {
            if let Some(strand) = &core.strand {
                seen |= strand.approach_to_work();
            }
        }
        std::hint::black_box(seen);
    }
}

/// Those of a team that need a worker. Several workers may share them, so one that is blocked holds nothing back.
pub(crate) struct Muster {
    team: Arc<Team>,
    /// By their places in the team.
    left: AtomicU32,
}

impl Muster {
    pub(crate) fn new(team: Arc<Team>, places: u32) -> Self {
        Self {
            team,
            left: AtomicU32::new(places),
        }
    }

    pub(super) fn team(&self) -> &Team {
        &self.team
    }

    /// Who is left, by their places; a hint.
    pub(super) fn left(&self) -> u32 {
        self.left.load(Ordering::Relaxed)
    }

    /// Whether somebody is left; a hint, as others take them too. Once it says no, it stays so.
    pub(super) fn is_anybody_left(&self) -> bool {
        self.left.load(Ordering::Relaxed) != 0
    }

    /// Takes the next one.
    pub(crate) fn take(&self) -> Option<&Arc<Core>> {
        loop {
            let left = self.left.load(Ordering::Relaxed);
            let place = left.trailing_zeros();
            let mark = 1_u32.checked_shl(place)?;
            // What is at the strand is seen through the strand's own locks.
            if self.left.fetch_and(!mark, Ordering::Relaxed) & mark != 0 {
                return self.team.0.get(place as usize);
            }
        }
    }
}
