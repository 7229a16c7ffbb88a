//! Who waits for what from a plugin.

use std::collections::VecDeque;
use std::time::Instant;

use super::ended::Ended;
use super::sync::{Arc, Condvar, Mutex};
use crate::protocol::FromPlugin;

/// What somebody who waits gets.
#[derive(Debug)]
pub(super) enum Arrival {
    /// The answer: the last.
    Answer(FromPlugin),
    /// A call on behalf of what is waited for, to be carried out.
    Call(FromPlugin),
}

/// Why somebody who waited got nothing.
#[derive(Debug)]
pub(super) enum NoArrival {
    /// The plugin is gone.
    Ended(Arc<Ended>),
    /// The deadline has passed.
    TimedOut,
}

/// One who waits.
#[derive(Debug, Default)]
struct Waiter {
    arrived: Mutex<VecDeque<Arrival>>,
    changed: Condvar,
}

/// All who wait, and whether the plugin is there.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    state: Mutex<State>,
    /// The plugin is gone.
    gone: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// By id; a handful at most.
    waiters: Vec<(u64, Arc<Waiter>)>,
    ended: Option<Arc<Ended>>,
    last_id: u64,
}

/// The place of one who waits; dropping it gives it up.
#[derive(Debug)]
pub(super) struct Place<'a> {
    waiting: &'a Waiting,
    waiter: Arc<Waiter>,
    /// The id to write in the frame.
    pub(super) id: u64,
}

impl Waiting {
    /// Takes a place with an id of its own.
    ///
    /// # Errors
    /// How the plugin ended.
    pub(super) fn place(&self) -> Result<Place<'_>, Arc<Ended>> {
        let waiter = Arc::new(Waiter::default());
        let mut state = self.state.lock();
        if let Some(ended) = &state.ended {
            return Err(Arc::clone(ended));
        }
        state.last_id += 1;
        let id = state.last_id;
        state.waiters.push((id, Arc::clone(&waiter)));
        Ok(Place {
            waiting: self,
            waiter,
            id,
        })
    }

    /// Gives something to whom it belongs; back if nobody waits for this id.
    pub(super) fn arrive(&self, id: u64, arrival: Arrival) -> Option<Arrival> {
        let waiter = {
            let state = self.state.lock();
            let found = state.waiters.iter().find(|(waiting, _)| *waiting == id);
            match found {
                Some((_, waiter)) => Arc::clone(waiter),
                None => return Some(arrival),
            }
        };
        waiter.arrived.lock().push_back(arrival);
        waiter.changed.notify_one();
        None
    }

    /// Whether somebody waits or has waited for this id.
    pub(super) fn has_given_out(&self, id: u64) -> bool {
        (1..=self.state.lock().last_id).contains(&id)
    }

    /// The plugin is gone. Whoever waits is told, and whoever comes.
    pub(super) fn end(&self, ended: Arc<Ended>) {
        let waiters = {
            let mut state = self.state.lock();
            state.ended = Some(ended);
            std::mem::take(&mut state.waiters)
        };
        for (_, waiter) in waiters {
            // With its lock: it has either not looked yet, or waits.
            let _arrived = waiter.arrived.lock();
            waiter.changed.notify_one();
        }
        self.gone.notify_all();
    }

    /// How the plugin ended; none if it has not.
    pub(super) fn ended(&self) -> Option<Arc<Ended>> {
        self.state.lock().ended.clone()
    }

    /// Waits until the plugin is gone.
    pub(super) fn wait_for_end(&self, deadline: Instant) -> Option<Arc<Ended>> {
        let mut state = self.state.lock();
        while state.ended.is_none() {
            if self.gone.wait_until(&mut state, deadline).timed_out() {
                break;
            }
        }
        state.ended.clone()
    }
}

impl Place<'_> {
    /// What has arrived; none if nothing has.
    pub(super) fn arrived(&self) -> Option<Arrival> {
        self.waiter.arrived.lock().pop_front()
    }

    /// Waits for the next thing that belongs to this id.
    pub(super) fn next(&self, deadline: Instant) -> Result<Arrival, NoArrival> {
        let mut arrived = self.waiter.arrived.lock();
        loop {
            if let Some(arrival) = arrived.pop_front() {
                return Ok(arrival);
            }
            if let Some(ended) = self.waiting.ended() {
                return Err(NoArrival::Ended(ended));
            }
            let wait = self.waiter.changed.wait_until(&mut arrived, deadline);
            if wait.timed_out() && arrived.is_empty() {
                return Err(match self.waiting.ended() {
                    Some(ended) => NoArrival::Ended(ended),
                    None => NoArrival::TimedOut,
                });
            }
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.waiting.state.lock();
        state.waiters.retain(|(id, _)| *id != self.id);
    }
}
