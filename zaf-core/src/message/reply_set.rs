//! The answers to one request: each place is filled once, by whoever comes first.
//!
//! Knows nothing of dispatchers. An answer that comes after the receiver gave up, or after another one, is handed back to
//! its sender, so that foreign `Drop` code never runs under the lock.
//!
//! A receiver that waits says for what, so that it is woken once, and not for each answer. Before it sleeps it looks for
//! a while: an answer that comes soon costs neither side a call of the system.

use std::time::Instant;

use crate::sync::{AtomicUsize, Condvar, Mutex, Ordering, look, wait_until};

#[derive(Debug)]
enum State<T> {
    Waiting,
    Ready(T),
    /// Taken by the receiver, or given up by it.
    Closed,
}

/// No place.
const NOBODY: u32 = u32::MAX;

#[derive(Debug)]
struct Place<T> {
    state: State<T>,
    /// The place that was filled after this one.
    next: u32,
}

impl<T> Place<T> {
    fn new() -> Self {
        Self {
            state: State::Waiting,
            next: NOBODY,
        }
    }
}

/// One place needs no memory of its own.
#[derive(Debug)]
enum Places<T> {
    One([Place<T>; 1]),
    Many(Box<[Place<T>]>),
}

/// What the receiver sleeps for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Nothing,
    /// The answer of one place.
    Place(usize),
    /// Any answer.
    Any,
    /// That none is missing.
    All,
}

#[derive(Debug)]
struct Inner<T> {
    places: Places<T>,
    /// Filled places in order of completion; some may have been taken by index since.
    first: u32,
    last: u32,
    wanted: Wanted,
}

/// Answers in the making, a fixed number of them. One thread receives.
#[derive(Debug)]
pub(crate) struct ReplySet<T> {
    inner: Mutex<Inner<T>>,
    arrived: Condvar,
    /// Number of places that wait no more, for a receiver that looks.
    settled: AtomicUsize,
}

impl<T> ReplySet<T> {
    pub(crate) fn new(size: usize) -> Self {
        let places = if size == 1 {
            Places::One([Place::new()])
        } else {
            Places::Many((0..size).map(|_| Place::new()).collect())
        };
        Self {
            inner: Mutex::new(Inner {
                places,
                first: NOBODY,
                last: NOBODY,
                wanted: Wanted::Nothing,
            }),
            arrived: Condvar::new(),
            settled: AtomicUsize::new(0),
        }
    }

    /// Fills a place.
    ///
    /// # Errors
    /// The answer itself, if the place was filled already or the receiver has given it up.
    pub(crate) fn settle(&self, index: usize, answer: T) -> Result<(), T> {
        let mut inner = self.inner.lock();
        match inner.place(index) {
            Some(place) if matches!(place.state, State::Waiting) => {
                place.state = State::Ready(answer);
            }
            _ => return Err(answer),
        }
        inner.append(index);
        let settled = self.count_settled();
        let is_wanted = match inner.wanted {
            Wanted::Nothing => false,
            Wanted::Place(wanted) => wanted == index,
            Wanted::Any => true,
            Wanted::All => settled >= inner.size(),
        };
        drop(inner);
        if is_wanted {
            self.arrived.notify_all();
        }
        Ok(())
    }

    /// Whether the place is still to be filled.
    pub(crate) fn is_waiting(&self, index: usize) -> bool {
        let mut inner = self.inner.lock();
        matches!(
            inner.place(index),
            Some(Place {
                state: State::Waiting,
                ..
            })
        )
    }

    /// Waits until no place waits any more. Returns whether that was so before the deadline. Gives nothing up.
    pub(crate) fn wait_for_all(&self, deadline: Option<Instant>) -> bool {
        let size = self.inner.lock().size();
        let is_complete = || self.settled.load(Ordering::Acquire) >= size;
        if look(deadline, is_complete) {
            return true;
        }
        let mut inner = self.inner.lock();
        let mut late = false;
        while !is_complete() {
            if late {
                return false;
            }
            inner.wanted = Wanted::All;
            late = wait_until(&self.arrived, &mut inner, deadline);
            inner.wanted = Wanted::Nothing;
        }
        true
    }

    /// Takes the answer of one place, waiting for it; none if the deadline passed, after which the place is given up.
    pub(crate) fn take(&self, index: usize, deadline: Option<Instant>) -> Option<T> {
        let mut late = false;
        let mut has_looked = false;
        let mut inner = self.inner.lock();
        loop {
            let place = inner.place(index)?;
            match std::mem::replace(&mut place.state, State::Closed) {
                State::Ready(answer) => return Some(answer),
                State::Closed => return None,
                State::Waiting if late => {
                    self.count_settled();
                    return None;
                }
                State::Waiting => place.state = State::Waiting,
            }
            if !has_looked {
                has_looked = true;
                drop(inner);
                self.look_for_more(deadline);
                inner = self.inner.lock();
                continue;
            }
            inner.wanted = Wanted::Place(index);
            late = wait_until(&self.arrived, &mut inner, deadline);
            inner.wanted = Wanted::Nothing;
        }
    }

    /// Takes the next answer in order of completion, waiting for it; none if the deadline passed. Gives nothing up.
    pub(crate) fn take_completed(&self, deadline: Option<Instant>) -> Option<(usize, T)> {
        let mut late = false;
        let mut has_looked = false;
        let mut inner = self.inner.lock();
        loop {
            while let Some(index) = inner.take_first() {
                if let Some(place) = inner.place(index)
                    && let State::Ready(answer) = std::mem::replace(&mut place.state, State::Closed)
                {
                    return Some((index, answer));
                }
            }
            if late {
                return None;
            }
            if !has_looked {
                has_looked = true;
                drop(inner);
                self.look_for_more(deadline);
                inner = self.inner.lock();
                continue;
            }
            inner.wanted = Wanted::Any;
            late = wait_until(&self.arrived, &mut inner, deadline);
            inner.wanted = Wanted::Nothing;
        }
    }

    /// Looks for a while whether another answer comes.
    fn look_for_more(&self, deadline: Option<Instant>) {
        let before = self.settled.load(Ordering::Relaxed);
        look(deadline, || self.settled.load(Ordering::Acquire) != before);
    }

    /// Counts one more place that waits no more, under the lock. Returns how many there are.
    fn count_settled(&self) -> usize {
        let settled = self.settled.load(Ordering::Relaxed) + 1;
        self.settled.store(settled, Ordering::Release);
        settled
    }
}

impl<T> Inner<T> {
    fn size(&self) -> usize {
        match &self.places {
            Places::One(places) => places.len(),
            Places::Many(places) => places.len(),
        }
    }

    fn place(&mut self, index: usize) -> Option<&mut Place<T>> {
        match &mut self.places {
            Places::One(places) => places.get_mut(index),
            Places::Many(places) => places.get_mut(index),
        }
    }

    /// Remembers that this place has been filled.
    fn append(&mut self, index: usize) {
        let number = u32::try_from(index).unwrap_or(NOBODY);
        let last = self.last;
        match self.place(last as usize) {
            Some(before) => before.next = number,
            None => self.first = number,
        }
        self.last = number;
    }

    /// The filled place that comes first in order of completion.
    fn take_first(&mut self) -> Option<usize> {
        let first = self.first as usize;
        let next = self.place(first)?.next;
        self.first = next;
        if next == NOBODY {
            self.last = NOBODY;
        }
        Some(first)
    }
}
