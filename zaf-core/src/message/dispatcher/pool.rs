//! The threads that serve strands: one pool for all queued dispatchers of a bus.
//!
//! Elastic: a thread is started when something waits and nobody is free, and ends when it has been free for a while. Growth
//! is one at a time: a thread that starts looks whether a further one is needed. So a burst of short handlers is served by
//! a few threads, while handlers that block get one each within some ten microseconds apiece. A thread that comes to help stands by as long as
//! those who are at work get on: what one processor does in some microseconds takes two of them longer.
//!
//! Bounded: concurrent dispatchers share [`BusLimits::max_threads`](super::super::BusLimits); every other strand may always
//! have as many threads as it has workers, so that blocked concurrent handlers cannot starve a sequential one.
//!
//! Lock order: the pool's lock is taken last, and never while a handler runs.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::Core;
use super::team::{Muster, Team};
use super::worker::{self, Luggage};
use crate::sync::{
    Arc, AtomicUsize, Condvar, Mutex, MutexGuard, Ordering, look, stand_by, wait_until,
};
use crate::thread::{self, JoinHandle};

/// How long a thread stays without work.
const KEEP_TIME: Duration = Duration::from_secs(10);

/// What waits for a worker.
pub(super) enum Ready {
    One(Arc<Core>),
    /// By their places in the team.
    Many(Arc<Team>, u32),
}

/// What a worker has got.
enum Work {
    One(Arc<Core>),
    /// Before anybody else.
    Many(Arc<Muster>),
    /// Others are at it: one of them may be blocked.
    Rest(Arc<Muster>),
}

/// What waits for a worker.
struct State {
    strands: VecDeque<Ready>,
    /// Some of which are being worked on, and some may still wait.
    open: Vec<Arc<Muster>>,
    /// Strands of concurrent dispatchers.
    bursts: VecDeque<Arc<Core>>,
    bursts_running: usize,
    threads: usize,
    asleep: usize,
    /// Asleep, and about to be woken.
    waking: usize,
    looking: usize,
    /// Threads that are at work, but for those that serve concurrent dispatchers.
    working: usize,
    /// A thread has been asked for and has not begun.
    starting: bool,
    /// Threads that other than concurrent strands may need at once.
    reserved: usize,
    stopping: bool,
    started_ever: usize,
    handles: Vec<JoinHandle<()>>,
}

impl State {
    /// Whether one waits that is not a concurrent dispatcher's.
    fn is_strand_waiting(&self) -> bool {
        !self.strands.is_empty() || self.open.iter().any(|muster| muster.is_anybody_left())
    }
}

/// See the module.
pub(crate) struct Pool {
    state: Mutex<State>,
    wake: Condvar,
    ended: Condvar,
    /// Number of strands that wait, for those who look without the lock.
    waiting: AtomicUsize,
    max_bursts: usize,
}

impl Pool {
    pub(crate) fn new(max_bursts: usize) -> Self {
        Self {
            state: Mutex::new(State {
                strands: VecDeque::new(),
                open: Vec::new(),
                bursts: VecDeque::new(),
                bursts_running: 0,
                threads: 0,
                asleep: 0,
                waking: 0,
                looking: 0,
                working: 0,
                starting: false,
                reserved: 0,
                stopping: false,
                started_ever: 0,
                handles: Vec::new(),
            }),
            wake: Condvar::new(),
            ended: Condvar::new(),
            waiting: AtomicUsize::new(0),
            max_bursts,
        }
    }

    /// Makes room for the workers of one more strand.
    pub(crate) fn reserve(&self, workers: usize) {
        self.state.lock().reserved += workers;
    }

    /// Takes that room back.
    pub(crate) fn release(&self, workers: usize) {
        self.state.lock().reserved -= workers;
    }

    /// Sends a worker to the strand.
    pub(crate) fn submit(self: &Arc<Self>, core: Arc<Core>) {
        self.submit_all(std::iter::once(Ready::One(core)));
    }

    /// Sends a worker to each of the strands.
    pub(super) fn submit_all(self: &Arc<Self>, all: impl Iterator<Item = Ready>) {
        let mut state = self.state.lock();
        let mut count = 0;
        for ready in all {
            count += 1;
            match ready {
                Ready::One(core) if core.is_burst() => state.bursts.push_back(core),
                ready => state.strands.push_back(ready),
            }
        }
        self.waiting.fetch_add(count, Ordering::Relaxed);
        self.rouse(state);
    }

    /// Sees to it that a thread is on its way if something waits for one. One at a time: it does the same when it has
    /// taken something, so that short handlers do not wake more threads than they need.
    fn rouse<'a>(self: &'a Arc<Self>, mut state: MutexGuard<'a, State>) {
        loop {
            let may_run = state.is_strand_waiting()
                || (!state.bursts.is_empty() && state.bursts_running < self.max_bursts);
            if !may_run || state.looking > 0 || state.waking > 0 || state.starting {
                return;
            }
            if state.asleep == 0 {
                let grow = self.may_grow(&mut state);
                drop(state);
                if grow {
                    self.grow();
                }
                return;
            }
            state.waking += 1;
            drop(state);
            if self.wake.notify_one() {
                return;
            }
            // It has woken of itself in the meantime.
            state = self.state.lock();
            state.waking = state.waking.saturating_sub(1);
        }
    }

    /// Whether somebody waits for a worker; a hint.
    pub(crate) fn has_waiting(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) != 0
    }

    /// Number of threads.
    pub(crate) fn threads(&self) -> usize {
        self.state.lock().threads
    }

    fn may_grow(&self, state: &mut State) -> bool {
        let grow = state.threads < self.max_bursts + state.reserved;
        if grow {
            state.starting = true;
            state.threads += 1;
            state.started_ever += 1;
        }
        grow
    }

    /// Starts the thread that [`Pool::may_grow`] has counted.
    fn grow(self: &Arc<Self>) {
        let name = format!("bus-worker-{}", self.state.lock().started_ever);
        let pool = Arc::clone(self);
        match thread::spawn(name, move || pool.work()) {
            Ok(handle) => {
                let mut state = self.state.lock();
                state.handles.retain(|handle| !handle.is_finished());
                state.handles.push(handle);
            }
            Err(error) => {
                let mut state = self.state.lock();
                state.starting = false;
                state.threads -= 1;
                let threads = state.threads;
                drop(state);
                self.ended.notify_all();
                tracing::warn!(threads, "the message bus cannot start a thread: {error}");
            }
        }
    }

    /// Takes what is next.
    fn next(&self, state: &mut State) -> Option<Work> {
        state.open.retain(|muster| muster.is_anybody_left());
        let next = if let Some(ready) = state.strands.pop_front() {
            Some(match ready {
                Ready::One(core) => Work::One(core),
                Ready::Many(team, places) => {
                    let muster = Arc::new(Muster::new(team, places));
                    state.open.push(Arc::clone(&muster));
                    Work::Many(muster)
                }
            })
        } else if let Some(muster) = state.open.first() {
            return Some(Work::Rest(Arc::clone(muster)));
        } else if state.bursts_running < self.max_bursts {
            let core = state.bursts.pop_front();
            state.bursts_running += usize::from(core.is_some());
            core.map(Work::One)
        } else {
            None
        };
        if next.is_some() {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
        }
        next
    }

    /// The body of each thread.
    fn work(self: Arc<Self>) {
        let mut state = self.state.lock();
        state.starting = false;
        let mut luggage = Luggage::default();
        let mut has_come = true;
        loop {
            if std::mem::take(&mut has_come) {
                state = self.stand_by(state);
            }
            if let Some(work) = self.next(&mut state) {
                let is_burst = matches!(&work, Work::One(core) if core.is_burst());
                state.working += usize::from(!is_burst);
                match work {
                    Work::One(core) => {
                        self.rouse(state);
                        worker::turn(&core, &self, &mut luggage);
                    }
                    Work::Many(muster) => {
                        let first = muster.take();
                        self.rouse(state);
                        muster.team().approach();
                        worker::turns(first, &muster, &self, &mut luggage);
                    }
                    Work::Rest(muster) => {
                        let first = muster.take();
                        self.rouse(state);
                        worker::turns(first, &muster, &self, &mut luggage);
                    }
                }
                state = self.state.lock();
                state.bursts_running -= usize::from(is_burst);
                state.working -= usize::from(!is_burst);
                continue;
            }
            if luggage.has_bus() {
                drop(state);
                luggage.put_down();
                state = self.state.lock();
                continue;
            }
            if state.stopping {
                break;
            }
            has_come = true;
            state.looking += 1;
            drop(state);
            look(None, || self.has_waiting());
            state = self.state.lock();
            state.looking -= 1;
            // While no more bursts may run, those that wait are served by the threads that run others. At the end there is
            // nobody left who would wake this thread.
            let may_burst = !state.bursts.is_empty() && state.bursts_running < self.max_bursts;
            if state.stopping || state.is_strand_waiting() || may_burst {
                continue;
            }
            state.asleep += 1;
            let late = wait_until(
                &self.wake,
                &mut state,
                Instant::now().checked_add(KEEP_TIME),
            );
            state.asleep -= 1;
            if !late {
                state.waking = state.waking.saturating_sub(1);
            }
            if late && !state.is_strand_waiting() && state.bursts.is_empty() {
                break;
            }
        }
        state.threads -= 1;
        drop(state);
        self.ended.notify_all();
    }

    /// Before a thread that has come takes something: leaves it to those who are at work, for a moment, as long as they get on. Counts as one
    /// that looks meanwhile: it takes what is left, and nobody else need be woken.
    fn stand_by<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let is_needed = state.working == 0 || !state.bursts.is_empty() || state.stopping;
        if is_needed || !state.is_strand_waiting() {
            return state;
        }
        let mut open = state.open.iter();
        let shared = open.find(|muster| muster.is_anybody_left()).cloned();
        state.looking += 1;
        drop(state);
        stand_by(|| {
            let waiting = self.waiting.load(Ordering::Relaxed);
            let left = shared.as_ref().map_or(0, |muster| muster.left());
            (waiting != 0 || left != 0).then_some((waiting, left))
        });
        state = self.state.lock();
        state.looking -= 1;
        state
    }

    /// Tells the threads to end as soon as nothing waits.
    pub(crate) fn stop(&self) {
        let mut state = self.state.lock();
        state.stopping = true;
        state.waking = state.asleep;
        drop(state);
        self.wake.notify_all();
    }

    /// Waits until all threads have ended, after [`Pool::stop`]. Returns how many have not when the deadline passed.
    pub(crate) fn join(&self, deadline: Option<Instant>) -> usize {
        let mut state = self.state.lock();
        while state.threads > 0 {
            if wait_until(&self.ended, &mut state, deadline) {
                break;
            }
        }
        let left = state.threads;
        let handles = std::mem::take(&mut state.handles);
        drop(state);
        if left == 0 {
            for handle in handles {
                // Its body has ended: this waits for the last instructions of the thread only.
                // A panic has been logged.
                drop(handle.join());
            }
        }
        left
    }
}
