//! Job control in the process that runs cases: when it stops, what it has started stops too, and no time limit goes on.
//!
//! A thread waits for the wish that the run stops. Behind a guard that comes from there, and so does the stop: the thread [pauses](Pause) the cases and
//! says so, and the guard, which alone knows without a doubt whether the wish still stands, stops this process, or has it go on. SIGTSTP, which a
//! terminal sends to both, means nothing here then. Without a guard the thread waits for SIGTSTP itself, and stops this process.
//!
//! The thread also looks twice a second. If the guard was stopped alone, by something that cannot be caught, the process stops itself, so that it does
//! not go on behind the back of whoever stopped what he took for the whole run; the guard continues it with itself.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Signal, getpid, kill_process, set_parent_process_death_signal};
use signal_hook::flag;
use signal_hook::low_level::pipe;
use zaf_core::thread;

use super::guard::{self, PauseOrder, PauseOrders};
use super::latest::Latest;
use super::pause::{self, BEAT, LATE, Pause};
use super::procfs;

/// How often the thread looks in a pause, in which the process is stopped as a rule.
const SOON: Duration = Duration::from_millis(20);

/// From now on this process stops and continues with what it has started. A second call does nothing.
///
/// # Errors
/// If the system refuses a socket, a handler or a thread. A process that ignores SIGTSTP goes on doing so.
pub(crate) fn start() -> io::Result<()> {
    if !pause::is_first_watch() {
        return Ok(());
    }
    let is_deaf = guard::is_ignored(Signal::TSTP);
    let watch: Box<dyn FnOnce() + Send> = if let Some(orders) = guard::pause_orders() {
        if !is_deaf {
            // Its default would stop this process and not the cases; the guard has got it as well.
            flag::register(Signal::TSTP.as_raw(), Arc::new(AtomicBool::new(false)))?;
        }
        Box::new(|| watch_guard(orders))
    } else {
        let wishes = Wishes::watch(is_deaf)?;
        Box::new(|| watch_signals(wishes))
    };
    // Not joined: it watches until the process ends.
    drop(thread::spawn("job-control", watch)?);
    pause::begin_beats();
    Ok(())
}

fn watch_guard(mut orders: PauseOrders) {
    // The end of the guard asks this process to end, and a stopped one would not hear of it: this is continued as well. The kernel
    // has one such signal for each thread.
    let _ = set_parent_process_death_signal(Some(Signal::CONT));
    guard::tell_that_pauses_are_possible();
    let mut pause: Option<Pause> = None;
    let mut was_guard_stopped = false;
    loop {
        orders.wait(if pause.is_some() { SOON } else { BEAT });
        if pause.is_none() {
            pause::beat();
        }
        // When both are continued this one may be first: who sees the guard stopped then and stops again takes it along. In a pause the guard stops
        // behind this process: who runs then was continued by somebody who has stopped the guard again.
        let is_guard_stopped = is_guard_stopped();
        for order in orders.read() {
            match order {
                PauseOrder::Pause => {
                    pause.get_or_insert_with(Pause::begin);
                    guard::tell_pause();
                }
                PauseOrder::GoOn => pause = None,
            }
        }
        if orders.is_closed() {
            // The guard is gone: the run is about to end, and nobody would continue what is stopped.
            pause = None;
        } else if is_guard_stopped && (was_guard_stopped || pause.is_some()) {
            let cases = pause.is_none().then(Pause::begin);
            let _ = kill_process(getpid(), Signal::STOP);
            // The signal is for the whole process: this thread may go on for a moment. Whoever continues it has the guard say so.
            orders.wait(LATE);
            drop(cases);
            was_guard_stopped = false;
            continue;
        }
        was_guard_stopped = is_guard_stopped;
    }
}

fn is_guard_stopped() -> bool {
    let guard = guard::of_this_process();
    guard
        .is_some_and(|guard| procfs::stat(guard.as_raw_pid()).is_some_and(|stat| stat.state == 'T'))
}

/// What somebody wants of a process that nobody guards.
struct Wishes {
    stops: UnixStream,
    continuations: UnixStream,
    latest: Latest,
}

impl Wishes {
    fn watch(is_deaf: bool) -> io::Result<Self> {
        let (stops, write) = UnixStream::pair()?;
        stops.set_nonblocking(true)?;
        let latest = Latest::default();
        latest.watch(Signal::CONT)?;
        if !is_deaf {
            latest.watch(Signal::TSTP)?;
            pipe::register(Signal::TSTP.as_raw(), write)?;
        }
        let (continuations, write) = UnixStream::pair()?;
        continuations.set_nonblocking(true)?;
        pipe::register(Signal::CONT.as_raw(), write)?;
        Ok(Self {
            stops,
            continuations,
            latest,
        })
    }
}

fn watch_signals(wishes: Wishes) {
    let Wishes {
        mut stops,
        mut continuations,
        latest,
    } = wishes;
    loop {
        wait(&stops, BEAT);
        pause::beat();
        if !take(&mut stops) {
            continue;
        }
        // Those that came before are of earlier stops.
        take(&mut continuations);
        if latest.is_continuation() {
            // Somebody has changed his mind.
            continue;
        }
        let pause = Pause::begin();
        // If it was continued meanwhile, nobody would do so again.
        if !take(&mut continuations) {
            let _ = kill_process(getpid(), Signal::STOP);
            // The signal is for the whole process: this thread may go on for a moment.
            wait(&continuations, LATE);
        }
        drop(pause);
        // One of them may have come twice. One behind the continuation is another wish.
        if !latest.is_stop() {
            take(&mut stops);
        }
    }
}

fn wait(socket: &UnixStream, limit: Duration) {
    let timeout = Timespec::try_from(limit).ok();
    let _ = poll(&mut [PollFd::new(socket, PollFlags::IN)], timeout.as_ref());
}

/// Whether something had arrived.
fn take(socket: &mut UnixStream) -> bool {
    let mut has_arrived = false;
    while let Ok(1..) = socket.read(&mut [0; 16]) {
        has_arrived = true;
    }
    has_arrived
}
