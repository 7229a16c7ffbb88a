//! A thread that does jobs one after the other and can be left behind in one that does not end.
//!
//! Both sides sleep while they wait. A channel would spin first: while extensions are loaded and destroyed there is work for one
//! of the two at a time, and on a busy machine the one that spins takes the processor from the one that works.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

type Job = Box<dyn FnOnce() + Send>;

/// Does jobs until it is dropped. A job that still runs then goes on; nobody waits for it.
pub(super) struct Worker {
    jobs: Arc<Place<Job>>,
}

impl Worker {
    /// A thread of this name; none, with a warning, if the system has no threads left.
    pub(super) fn start(name: &'static str) -> Option<Self> {
        let jobs = Arc::new(Place::default());
        let own = Arc::clone(&jobs);
        let body = move || {
            let jobs: Closing<Job> = Closing(own);
            while let Ok(job) = jobs.0.take(None) {
                job();
            }
        };
        match crate::thread::spawn(name, body) {
            Ok(_detached) => Some(Self { jobs }),
            Err(error) => {
                tracing::warn!(%error, "{name}: extensions have no time limits");
                None
            }
        }
    }

    /// Hands a job over, after the one before has begun. It has ended when [`Ended::wait`] says so.
    pub(super) fn give(&self, job: impl FnOnce() + Send + 'static) -> Ended {
        let done = Arc::new(Place::default());
        let closing = Closing(Arc::clone(&done));
        // A job that panics, or that nobody takes any more, is dropped, and so says that it is over.
        self.jobs.put(Box::new(move || {
            let _closing = closing;
            job();
        }));
        Ended(done)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.jobs.close();
    }
}

/// The end of one job.
pub(super) struct Ended(Arc<Place<()>>);

impl Ended {
    /// Waits at most so long; whether the job has ended, also by a panic.
    pub(super) fn wait(&self, limit: Duration) -> bool {
        matches!(self.0.take(Some(limit)), Err(Empty::Closed))
    }
}

/// Where one thing at a time is put for another thread to take.
struct Place<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    next: Option<T>,
    is_closed: bool,
}

/// Nothing was taken.
enum Empty {
    /// Nothing will come any more.
    Closed,
    /// Nothing came in time.
    InTime,
}

impl<T> Default for Place<T> {
    fn default() -> Self {
        let state = State {
            next: None,
            is_closed: false,
        };
        Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }
}

impl<T> Place<T> {
    /// Puts it there; it is dropped if nobody will take it.
    fn put(&self, next: T) {
        let mut state = self.state.lock();
        while state.next.is_some() && !state.is_closed {
            self.changed.wait(&mut state);
        }
        if !state.is_closed {
            state.next = Some(next);
            self.changed.notify_all();
        }
    }

    fn take(&self, limit: Option<Duration>) -> Result<T, Empty> {
        let mut state = self.state.lock();
        let is_empty = |state: &mut State<T>| state.next.is_none() && !state.is_closed;
        match limit {
            Some(limit) => drop(self.changed.wait_while_for(&mut state, is_empty, limit)),
            None => self.changed.wait_while(&mut state, is_empty),
        }
        let next = state.next.take().ok_or(if state.is_closed {
            Empty::Closed
        } else {
            Empty::InTime
        })?;
        self.changed.notify_all();
        Ok(next)
    }

    fn close(&self) {
        self.state.lock().is_closed = true;
        self.changed.notify_all();
    }
}

/// Closes a place when it is dropped; what lies there and was not taken goes with it.
struct Closing<T>(Arc<Place<T>>);

impl<T> Drop for Closing<T> {
    fn drop(&mut self) {
        self.0.close();
        let rest = self.0.state.lock().next.take();
        drop(rest);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn worker() -> Worker {
        Worker::start("worker-test").expect("invariant: tests have threads")
    }

    #[test]
    fn jobs_are_done_in_the_order_in_which_they_are_given() {
        let worker = worker();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let ends: Vec<Ended> = (0..100)
            .map(|number| {
                let seen = Arc::clone(&seen);
                worker.give(move || seen.lock().push(number))
            })
            .collect();
        assert!(ends.iter().all(|end| end.wait(LONG)));
        assert_eq!(*seen.lock(), (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn a_job_that_panics_has_ended_and_so_has_each_after_it() {
        let worker = worker();
        let done = Arc::new(AtomicU32::new(0));
        let count = {
            let done = Arc::clone(&done);
            move || {
                done.fetch_add(1, Ordering::Relaxed);
            }
        };
        let first = worker.give(count.clone());
        let panics = worker.give(|| panic!("of a job"));
        let after = worker.give(count);
        assert!(first.wait(LONG) && panics.wait(LONG) && after.wait(LONG));
        assert_eq!(done.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn a_job_that_goes_on_has_not_ended_and_is_left_to_itself() {
        let worker = worker();
        let (go_on, gate) = crossbeam_channel::bounded::<()>(0);
        let ended = worker.give(move || drop(gate.recv()));
        assert!(!ended.wait(Duration::from_millis(1)));
        drop(worker);
        assert!(!ended.wait(Duration::ZERO));
        drop(go_on);
        assert!(ended.wait(LONG));
    }
}
