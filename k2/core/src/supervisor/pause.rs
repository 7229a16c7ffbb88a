//! Job control in the process that runs cases: when it stops, what it has started stops too, and no time limit goes on.
//!
//! A thread waits for SIGTSTP (Ctrl-Z). It stops the process groups of all cases, then this process; when that is continued, it
//! continues them, and adds the time between to [`total`]. Whoever has a deadline moves it by what was added since.
//!
//! The thread also wakes twice a second. If a beat comes much too late, the process was stopped by something that cannot be caught
//! (SIGSTOP), and that time is added too. If the guard was stopped alone, the process stops itself, so that it does not go on behind
//! the back of whoever stopped what he took for the whole run; the guard continues it with itself.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    Pid, Signal, getpid, getppid, kill_process, kill_process_group, set_parent_process_death_signal,
};
use signal_hook::low_level::pipe;
use zaf_core::thread;

use super::latest::Latest;
use super::{guard, procfs};

/// How often the thread looks.
const BEAT: Duration = Duration::from_millis(500);

/// A beat that is later than this was not only kept waiting for a processor.
const LATE: Duration = Duration::from_secs(2);

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

/// From now on this process stops and continues with what it has started. A second call does nothing.
///
/// # Errors
/// If the system refuses a socket, a handler or a thread. A process that ignores SIGTSTP goes on doing so.
pub(crate) fn start() -> io::Result<()> {
    if CLOCK.is_watched.swap(true, Ordering::SeqCst) {
        return Ok(());
    }
    let (stops, write) = UnixStream::pair()?;
    stops.set_nonblocking(true)?;
    let latest = Latest::default();
    latest.watch(Signal::CONT)?;
    if !guard::is_ignored(Signal::TSTP) {
        latest.watch(Signal::TSTP)?;
        pipe::register(Signal::TSTP.as_raw(), write)?;
    }
    let (continues, write) = UnixStream::pair()?;
    continues.set_nonblocking(true)?;
    pipe::register(Signal::CONT.as_raw(), write)?;
    CLOCK.note_beat();
    // Not joined: it watches until the process ends.
    drop(thread::spawn("job-control", move || {
        watch(stops, continues, &latest);
    })?);
    CLOCK.is_beating.store(true, Ordering::SeqCst);
    Ok(())
}

fn watch(mut stops: UnixStream, mut continues: UnixStream, latest: &Latest) {
    if guard::of_this_process().is_some() {
        // The end of the guard asks this process to end, and a stopped one would not hear of it: this is continued as well. The kernel
        // has one such signal for each thread.
        let _ = set_parent_process_death_signal(Some(Signal::CONT));
    }
    let timeout = Timespec::try_from(BEAT).ok();
    let mut was_guard_stopped = false;
    loop {
        let _ = poll(&mut [PollFd::new(&stops, PollFlags::IN)], timeout.as_ref());
        let late = CLOCK.since_beat();
        if late >= LATE {
            CLOCK.add(late.saturating_sub(BEAT));
        }
        CLOCK.note_beat();
        // When both are continued this one may be first: who sees the guard stopped then and stops again takes it along.
        let is_guard_stopped = is_guard_stopped();
        let is_wanted = take(&mut stops);
        if is_wanted || is_guard_stopped && was_guard_stopped {
            // Those that came before are of earlier stops.
            take(&mut continues);
            if is_wanted && latest.is_continuation() || is_guard_gone() {
                // Somebody has changed his mind; or nobody would continue this process, which is about to end.
                continue;
            }
            stop_all(&mut continues);
            // One of them may have come twice: from the terminal, and from the guard. One behind the continuation is another wish.
            if !latest.is_stop() {
                take(&mut stops);
            }
            was_guard_stopped = false;
        } else {
            was_guard_stopped = is_guard_stopped;
        }
    }
}

/// Whether something had arrived.
fn take(stops: &mut UnixStream) -> bool {
    let mut has_arrived = false;
    while let Ok(1..) = stops.read(&mut [0; 16]) {
        has_arrived = true;
    }
    has_arrived
}

fn is_guard_stopped() -> bool {
    let guard = guard::of_this_process();
    guard
        .is_some_and(|guard| procfs::stat(guard.as_raw_pid()).is_some_and(|stat| stat.state == 'T'))
}

fn is_guard_gone() -> bool {
    guard::of_this_process().is_some_and(|guard| getppid() != Some(guard))
}

/// Returns when this process was continued.
fn stop_all(continues: &mut UnixStream) {
    let _none_starts = none_starts();
    let groups = GROUPS.lock();
    CLOCK.is_stopping.store(true, Ordering::SeqCst);
    signal(&groups, Signal::STOP);
    let stopped = Instant::now();
    // If it was continued meanwhile, nobody would do so again.
    if !take(continues) {
        let _ = kill_process(getpid(), Signal::STOP);
        // The signal is for the whole process: this thread may go on for a moment.
        let timeout = Timespec::try_from(LATE).ok();
        let _ = poll(
            &mut [PollFd::new(&*continues, PollFlags::IN)],
            timeout.as_ref(),
        );
    }
    CLOCK.add(stopped.elapsed());
    CLOCK.note_beat();
    CLOCK.is_stopping.store(false, Ordering::SeqCst);
    signal(&groups, Signal::CONT);
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
