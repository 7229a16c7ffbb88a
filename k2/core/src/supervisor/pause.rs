//! What stands still while a run is stopped: the processes of its cases, and every time limit.
//!
//! A thread, that of [`super::job_control`], begins and ends a [`Pause`]. The time between is added to [`total`]: whoever has a deadline moves it by
//! what was added since. If a beat of that thread comes much too late, the process was stopped by something that cannot be caught (SIGSTOP), and that
//! time is added too.

use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};
use rustix::event::{Timespec, poll};
use rustix::process::{Pid, Signal, getpid, kill_process, kill_process_group};

use super::procfs;

/// How often the thread looks.
pub(super) const BEAT: Duration = Duration::from_millis(500);

/// A beat that is later than this was not only kept waiting for a processor.
pub(super) const LATE: Duration = Duration::from_secs(2);

/// Longest that somebody with a deadline waits until the thread has noted that it was stopped.
const SETTLE: Duration = Duration::from_secs(3);

/// Longest that the start of a process takes as a rule, by far.
const START_LIMIT: Duration = Duration::from_millis(50);

static CLOCK: LazyLock<Clock> = LazyLock::new(|| Clock {
    base: Instant::now(),
    beat: AtomicU64::new(0),
    total: AtomicU64::new(0),
    is_watched: AtomicBool::new(false),
    is_beating: AtomicBool::new(false),
    is_stopping: AtomicBool::new(false),
});

/// Process groups of the cases that run. Locked while they are signalled, and while one of them is reaped.
static GROUPS: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

/// Held for reading from before a process is started until its group is known: a stop waits for that, so that none is left out.
static STARTING: RwLock<()> = RwLock::new(());

/// From now until the value is dropped this process does not stop.
pub(super) fn starting() -> RwLockReadGuard<'static, ()> {
    STARTING.read()
}

struct Clock {
    base: Instant,
    /// Last beat, in nanoseconds since `base`.
    beat: AtomicU64,
    /// Time stopped, in nanoseconds.
    total: AtomicU64,
    /// Whether somebody has asked for the thread.
    is_watched: AtomicBool,
    is_beating: AtomicBool,
    is_stopping: AtomicBool,
}

impl Clock {
    fn since_beat(&self) -> Duration {
        let beat = Duration::from_nanos(self.beat.load(Ordering::SeqCst));
        self.base.elapsed().saturating_sub(beat)
    }

    fn note_beat(&self) {
        self.beat
            .store(nanoseconds(self.base.elapsed()), Ordering::SeqCst);
    }

    fn add(&self, stopped: Duration) {
        self.total.fetch_add(nanoseconds(stopped), Ordering::SeqCst);
    }

    fn is_settled(&self) -> bool {
        !self.is_beating.load(Ordering::SeqCst)
            || (!self.is_stopping.load(Ordering::SeqCst) && self.since_beat() < LATE)
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// How long this process has been stopped so far. Right after it was continued this waits until that is known, at most some seconds.
pub(crate) fn total() -> Duration {
    let give_up = Instant::now() + SETTLE;
    while !CLOCK.is_settled() && Instant::now() < give_up {
        rest(Duration::from_millis(10));
    }
    Duration::from_nanos(CLOCK.total.load(Ordering::SeqCst))
}

fn rest(time: Duration) {
    let timeout = Timespec::try_from(time).ok();
    let _ = poll(&mut [], timeout.as_ref());
}

/// Whether nobody has asked for the thread before.
pub(super) fn is_first_watch() -> bool {
    !CLOCK.is_watched.swap(true, Ordering::SeqCst)
}

/// The thread has begun: its beats count from now on.
pub(super) fn begin_beats() {
    CLOCK.note_beat();
    CLOCK.is_beating.store(true, Ordering::SeqCst);
}

/// One beat of the thread, outside of a pause.
pub(super) fn beat() {
    let late = CLOCK.since_beat();
    if late >= LATE {
        CLOCK.add(late.saturating_sub(BEAT));
    }
    CLOCK.note_beat();
}

/// The processes of all cases are stopped and none is started, from [`begin`](Self::begin) until the value is dropped.
pub(super) struct Pause {
    began: Instant,
    groups: MutexGuard<'static, BTreeSet<i32>>,
    _none_starts: RwLockWriteGuard<'static, ()>,
}

impl Pause {
    pub(super) fn begin() -> Self {
        let none_starts = none_starts();
        let groups = GROUPS.lock();
        CLOCK.is_stopping.store(true, Ordering::SeqCst);
        signal(&groups, Signal::STOP);
        Self {
            began: Instant::now(),
            groups,
            _none_starts: none_starts,
        }
    }
}

impl Drop for Pause {
    fn drop(&mut self) {
        CLOCK.add(self.began.elapsed());
        CLOCK.note_beat();
        CLOCK.is_stopping.store(false, Ordering::SeqCst);
        signal(&self.groups, Signal::CONT);
    }
}

/// Waits until no process is being started, and keeps any from being started as long as the value lives.
///
/// Ctrl-Z reaches the whole process group of the terminal, and with it a process that has been forked and is not in a group of its own
/// yet. That one stops before it is anything, and who starts it would wait for it for ever: so it is continued until it is known.
fn none_starts() -> RwLockWriteGuard<'static, ()> {
    loop {
        if let Some(none_starts) = STARTING.try_write_for(START_LIMIT) {
            return none_starts;
        }
        let known = GROUPS.lock();
        let own = getpid().as_raw_pid();
        for pid in procfs::all().into_iter().filter(|pid| !known.contains(pid)) {
            let stat = procfs::stat(pid);
            if stat.is_some_and(|stat| stat.parent == own && stat.is_stopped())
                && let Some(pid) = Pid::from_raw(pid)
            {
                let _ = kill_process(pid, Signal::CONT);
            }
        }
    }
}

fn signal(groups: &BTreeSet<i32>, signal: Signal) {
    for group in groups.iter().filter_map(|&group| Pid::from_raw(group)) {
        let _ = kill_process_group(group, signal);
    }
}

/// The process group of a case that runs.
#[derive(Debug)]
pub(super) struct Group(i32);

impl Group {
    /// From now on it stops and continues with this process. Its leader must not have been reaped.
    pub(super) fn join(leader: Pid) -> Self {
        let leader = leader.as_raw_pid();
        GROUPS.lock().insert(leader);
        Self(leader)
    }

    /// Reaps the leader by `reap`, which says whether it has ended: from then on the number may belong to somebody else.
    pub(super) fn reap<T>(&self, reap: impl FnOnce() -> Option<T>) -> Option<T> {
        let mut groups = GROUPS.lock();
        let ended = reap()?;
        groups.remove(&self.0);
        Some(ended)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        GROUPS.lock().remove(&self.0);
    }
}
