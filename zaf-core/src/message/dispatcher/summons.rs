//! What one sender wants done for the queues that it has filled.

use super::Core;
use super::pool::{Pool, Ready};
use super::team::Team;
use crate::sync::Arc;

/// Strands that need a worker because of what one sender does; sent all together.
pub(crate) struct Summons<'a> {
    pool: &'a Arc<Pool>,
    first: Option<Ready>,
    /// None as long as there is at most one.
    more: Option<Vec<Ready>>,
    together: Option<Together<'a>>,
}

/// Where the sender is among the receivers that go to the pool together.
struct Together<'a> {
    team: &'a Arc<Team>,
    place: u32,
    /// Places of those that need a worker.
    called: u32,
}

impl<'a> Summons<'a> {
    pub(crate) fn new(pool: &'a Arc<Pool>) -> Self {
        Self {
            pool,
            first: None,
            more: None,
            together: None,
        }
    }

    /// What is added until the next call goes to the pool together, if it has a [`place`](Self::place) in this team.
    pub(crate) fn begin(&mut self, team: Option<&'a Arc<Team>>) {
        self.end_team();
        self.together = team.map(|team| Together {
            team,
            place: 0,
            called: 0,
        });
    }

    /// The next one to be added has this place in its team.
    #[inline]
    pub(crate) fn place(&mut self, place: usize) {
        if let Some(together) = &mut self.together {
            together.place = u32::try_from(place).unwrap_or(u32::MAX);
        }
    }

    /// The dispatcher needs a worker.
    #[inline]
    pub(crate) fn add(&mut self, core: &Arc<Core>) {
        if let Some(together) = &mut self.together
            && !core.is_burst()
            && let Some(mark) = 1_u32.checked_shl(together.place)
        {
            together.called |= mark;
        } else {
            self.put(Ready::One(Arc::clone(core)));
        }
    }

    fn put(&mut self, ready: Ready) {
        if self.first.is_none() {
            self.first = Some(ready);
        } else {
            self.more.get_or_insert_default().push(ready);
        }
    }

    fn end_team(&mut self) {
        if let Some(together) = &mut self.together {
            let called = std::mem::take(&mut together.called);
            if called != 0 {
                let team = Arc::clone(together.team);
                self.put(Ready::Many(team, called));
            }
        }
    }

    /// Sends the workers; before anything that may take long.
    #[inline]
    pub(crate) fn send(&mut self) {
        if self.together.is_some() {
            self.end_team();
        }
        if self.first.is_some() {
            self.send_all();
        }
    }

    #[cold]
    fn send_all(&mut self) {
        let more = self.more.take().unwrap_or_default();
        self.pool
            .submit_all(self.first.take().into_iter().chain(more));
    }
}

impl Drop for Summons<'_> {
    #[inline]
    fn drop(&mut self) {
        self.send();
    }
}
