//! A thread on which functions of a library run, so that one that never returns keeps nobody but this thread.
//!
//! ```text
//!  who calls ──── a function ────────────────► the lane
//!            ◄─── what it asks of the host ───
//!            ──── that has been done ────────►
//!            ◄─── it has returned ────────────         or not in time: then the lane is left to itself
//! ```
//!
//! One of the two works and the other waits, in turns. What a library asks of the host while it handles a message is done by the
//! thread that gave it the message, so that the bus finds who waits for whom as among linked extensions.

use std::any::Any;
use std::cell::RefCell;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Instant;

use super::sync::{
    Arc, AtomicBool, Condvar, JoinHandle, Mutex, MutexGuard, Ordering, Patience, spawn,
    thread_local,
};

type Work = Box<dyn FnOnce() + Send>;

/// What was done returned this, or panicked with that.
type Outcome<R> = Arc<Mutex<Option<Result<R, Box<dyn Any + Send>>>>>;

thread_local! {
    /// The lane that this thread is.
    static LANE: RefCell<Option<Arc<Slot>>> = const { RefCell::new(None) };
}

/// One thread; dropping it leaves it to itself.
#[derive(Debug)]
pub(super) struct Lane {
    slot: Arc<Slot>,
    thread: JoinHandle<()>,
}

/// Whoever called waits no longer: what runs on the lane has not returned in time.
#[derive(Debug)]
pub(super) struct NotInTime;

/// What has returned.
#[derive(Debug)]
pub(super) struct Returned<R>(Outcome<R>);

impl<R> Returned<R> {
    /// What it returned; if it panicked, that goes on here.
    pub(super) fn result(self) -> R {
        unpacked(&self.0)
    }
}

/// What passes between the one who calls and the lane.
#[derive(Debug)]
struct Slot {
    state: Mutex<State>,
    changed: Condvar,
    /// Whether the lane is to go on, for whoever looks before he sleeps; changed with the lock only.
    is_lanes_turn: AtomicBool,
    caller: Option<Patience>,
    lane: Option<Patience>,
}

/// Whose turn it is, and what is handed over.
enum State {
    /// The caller's: nothing runs.
    Idle,
    /// The lane's: this is to be run.
    Job(Work),
    /// The lane's: it runs.
    Runs,
    /// The caller's: this is to be done for what runs.
    Asks(Work),
    /// The lane's: that has been done.
    Answered,
    /// Nobody's: the caller has left.
    Left,
    /// Nobody's: the thread is to end.
    Ended,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Idle => "Idle",
            Self::Job(_) => "Job",
            Self::Runs => "Runs",
            Self::Asks(_) => "Asks",
            Self::Answered => "Answered",
            Self::Left => "Left",
            Self::Ended => "Ended",
        })
    }
}

impl State {
    fn is_lanes_turn(&self) -> bool {
        !matches!(self, Self::Idle | Self::Asks(_))
    }
}

impl Slot {
    /// Hands the turn over.
    fn hand_over(&self, mut state: MutexGuard<'_, State>, next: State) {
        self.is_lanes_turn
            .store(next.is_lanes_turn(), Ordering::Release);
        *state = next;
        drop(state);
        self.changed.notify_one();
    }

    /// Waits until it is the turn of the lane, or of the caller; the state at the deadline if it never is.
    fn turn(&self, of_lane: bool, deadline: Option<Instant>) -> MutexGuard<'_, State> {
        let begun = Instant::now();
        let patience = if of_lane { &self.lane } else { &self.caller };
        let look_until = patience.as_ref().and_then(|one| one.look_until(begun));
        let is_due = || self.is_lanes_turn.load(Ordering::Acquire) == of_lane;
        while !is_due() && look_until.is_some_and(|end| Instant::now() < end) {
            std::hint::spin_loop();
        }
        let mut state = self.state.lock();
        while !is_due() {
            match deadline {
                None => self.changed.wait(&mut state),
                Some(deadline) => {
                    if self.changed.wait_until(&mut state, deadline).timed_out() {
                        break;
                    }
                }
            }
        }
        if let Some(patience) = patience {
            patience.learn(begun.elapsed());
        }
        state
    }

    /// What the thread does.
    fn run(self: &Arc<Self>) {
        LANE.with(|lane| lane.replace(Some(Arc::clone(self))));
        loop {
            let mut state = self.turn(true, None);
            let State::Job(job) = std::mem::replace(&mut *state, State::Runs) else {
                return;
            };
            drop(state);
            job();
            let state = self.state.lock();
            if matches!(*state, State::Left) {
                return;
            }
            self.hand_over(state, State::Idle);
        }
    }

    /// Has something done by who called; none if he has left.
    fn ask<R: Send + 'static>(&self, work: impl FnOnce() -> R + Send + 'static) -> Option<R> {
        let (work, outcome) = packed(work);
        let state = self.state.lock();
        if matches!(*state, State::Left) {
            return None;
        }
        self.hand_over(state, State::Asks(work));
        let mut state = self.turn(true, None);
        // Who has done it may have left since.
        if !matches!(*state, State::Left) {
            *state = State::Runs;
        }
        drop(state);
        Some(unpacked(&outcome))
    }
}

impl Lane {
    /// Starts the thread.
    ///
    /// # Errors
    /// There are too many threads.
    pub(super) fn start(name: String) -> io::Result<Self> {
        let slot = Arc::new(Slot {
            state: Mutex::new(State::Idle),
            changed: Condvar::new(),
            is_lanes_turn: AtomicBool::new(false),
            caller: Patience::new(),
            lane: Patience::new(),
        });
        let own = Arc::clone(&slot);
        let thread = spawn(name, move || own.run())?;
        Ok(Self { slot, thread })
    }

    /// Runs something on the lane and waits for it, doing meanwhile what it asks for, which does not count for the deadline.
    ///
    /// # Errors
    /// [`NotInTime`]: from now on the lane cannot be used.
    pub(super) fn run<R: Send + 'static>(
        &self,
        mut deadline: Instant,
        work: impl FnOnce() -> R + Send + 'static,
    ) -> Result<Returned<R>, NotInTime> {
        let (work, outcome) = packed(work);
        self.slot
            .hand_over(self.slot.state.lock(), State::Job(work));
        loop {
            let mut state = self.slot.turn(false, Some(deadline));
            match std::mem::replace(&mut *state, State::Idle) {
                State::Idle => return Ok(Returned(outcome)),
                State::Asks(question) => {
                    // Whose turn it is has not changed.
                    drop(state);
                    let begun = Instant::now();
                    question();
                    deadline += begun.elapsed();
                    let state = self.slot.state.lock();
                    self.slot.hand_over(state, State::Answered);
                }
                _ => {
                    *state = State::Left;
                    return Err(NotInTime);
                }
            }
        }
    }

    /// Lets the thread end, on which nothing runs, and waits for it.
    pub(super) fn end(self) {
        let state = self.slot.state.lock();
        self.slot.hand_over(state, State::Ended);
        if !self.thread.is_current() {
            // A panic has been logged.
            let _panic = self.thread.join();
        }
    }

    /// Waits for the thread of a lane that was left.
    #[cfg(test)]
    pub(super) fn join(self) {
        let ended = self.thread.join();
        ended.expect("invariant: what a function panics with is caught");
    }
}

/// Does something on the thread that waits for what runs on this lane; here, if this thread is no lane. None if nobody waits any more.
pub(super) fn by_who_waits<R: Send + 'static>(
    work: impl FnOnce() -> R + Send + 'static,
) -> Option<R> {
    let lane = LANE.with(|lane| lane.borrow().clone());
    match lane {
        Some(slot) => slot.ask(work),
        None => Some(work()),
    }
}

/// Work for another thread, and where its result will be.
fn packed<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> (Work, Outcome<R>) {
    let outcome = Outcome::<R>::default();
    let place = Arc::clone(&outcome);
    let work = move || {
        let result = catch_unwind(AssertUnwindSafe(work));
        *place.lock() = Some(result);
    };
    (Box::new(work), outcome)
}

/// The result of work that was done; a panic of it goes on here.
fn unpacked<R>(outcome: &Outcome<R>) -> R {
    let result = outcome.lock().take();
    match result.expect("invariant: whose turn it is says that it was done") {
        Ok(result) => result,
        Err(panic) => resume_unwind(panic),
    }
}
