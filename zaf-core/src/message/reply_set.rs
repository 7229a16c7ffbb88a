//! The answers to one request: each place is filled once, by whoever comes first.
//!
//! Knows nothing of dispatchers. An answer that comes after the receiver gave up, or after another one, is handed back to
//! its sender, so that foreign `Drop` code never runs under the lock.

use std::collections::VecDeque;
use std::time::Instant;

use crate::sync::{Condvar, Mutex, wait_until};

#[derive(Debug)]
enum Place<T> {
    Waiting,
    Ready(T),
    /// Taken by the receiver, or given up by it.
    Closed,
}

#[derive(Debug)]
struct Places<T> {
    places: Vec<Place<T>>,
    /// Ready and not yet taken, in order of completion. May name places that were taken by index since.
    completed: VecDeque<usize>,
}

/// Answers in the making, a fixed number of them.
#[derive(Debug)]
pub(crate) struct ReplySet<T> {
    inner: Mutex<Places<T>>,
    arrived: Condvar,
}

impl<T> ReplySet<T> {
    pub(crate) fn new(size: usize) -> Self {
        Self {
            inner: Mutex::new(Places {
                places: (0..size).map(|_| Place::Waiting).collect(),
                completed: VecDeque::with_capacity(size),
            }),
            arrived: Condvar::new(),
        }
    }

    /// Fills a place.
    ///
    /// # Errors
    /// The answer itself, if the place was filled already or the receiver has given it up.
    pub(crate) fn settle(&self, index: usize, answer: T) -> Result<(), T> {
        let mut inner = self.inner.lock();
        match inner.places.get_mut(index) {
            Some(place @ Place::Waiting) => {
                *place = Place::Ready(answer);
                inner.completed.push_back(index);
                drop(inner);
                self.arrived.notify_all();
                Ok(())
            }
            _ => Err(answer),
        }
    }

    /// Whether the place is still to be filled.
    pub(crate) fn is_waiting(&self, index: usize) -> bool {
        matches!(self.inner.lock().places.get(index), Some(Place::Waiting))
    }

    /// Takes the answer of one place, waiting for it; none if the deadline passed, after which the place is given up.
    pub(crate) fn take(&self, index: usize, deadline: Option<Instant>) -> Option<T> {
        let mut inner = self.inner.lock();
        let mut late = false;
        loop {
            let place = inner.places.get_mut(index)?;
            match std::mem::replace(place, Place::Closed) {
                Place::Ready(answer) => return Some(answer),
                Place::Closed => return None,
                Place::Waiting if late => return None,
                Place::Waiting => *place = Place::Waiting,
            }
            late = wait_until(&self.arrived, &mut inner, deadline);
        }
    }

    /// Takes the next answer in order of completion, waiting for it; none if the deadline passed. Gives nothing up.
    pub(crate) fn take_completed(&self, deadline: Option<Instant>) -> Option<(usize, T)> {
        let mut inner = self.inner.lock();
        let mut late = false;
        loop {
            while let Some(index) = inner.completed.pop_front() {
                if let Some(place) = inner.places.get_mut(index) {
                    match std::mem::replace(place, Place::Closed) {
                        Place::Ready(answer) => return Some((index, answer)),
                        Place::Waiting => *place = Place::Waiting,
                        Place::Closed => {}
                    }
                }
            }
            if late {
                return None;
            }
            late = wait_until(&self.arrived, &mut inner, deadline);
        }
    }
}
