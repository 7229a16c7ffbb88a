//! What a run does at this moment, in the log: for who asks by SIGUSR1, and for who ends it by SIGQUIT.
//!
//! Looked at from outside, on a thread of its own: also when workers and the supervising thread are stuck.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use rustix::process::Signal;
use signal_hook::low_level::pipe;
use zaf_core::thread;

use super::pool::{Run, Worker};
use crate::supervisor::guard;

/// The run of this process, while it goes on.
static CURRENT: Mutex<Weak<Run>> = Mutex::new(Weak::new());

/// The workers of a run; a replacement has the place of the one that it replaces.
#[derive(Debug, Default)]
pub(super) struct Roster(Mutex<Vec<Arc<Worker>>>);

impl Roster {
    /// Notes who works.
    pub(super) fn set(&self, workers: &[Arc<Worker>]) {
        *self.0.lock() = workers.to_vec();
    }
}

/// From now on this run is told of.
pub(super) fn tell_of(run: &Arc<Run>) {
    *CURRENT.lock() = Arc::downgrade(run);
}

/// From now on SIGUSR1 has the state of the run written to the log. A process that ignores the signal goes on doing so.
///
/// # Errors
/// If the system refuses a socket, a handler or a thread.
pub(crate) fn listen() -> io::Result<()> {
    if guard::is_ignored(Signal::USR1) {
        return Ok(());
    }
    let (mut asked, write) = UnixStream::pair()?;
    pipe::register(Signal::USR1.as_raw(), write)?;
    // Not joined: it listens until the process ends.
    drop(thread::spawn("status", move || {
        while let Ok(1..) = asked.read(&mut [0; 16]) {
            dump("SIGUSR1 received");
        }
    })?);
    Ok(())
}

/// Writes the state of the run to the log, one record for each worker, the queues and the threads.
pub(super) fn dump(why: &str) {
    let Some(run) = CURRENT.lock().upgrade() else {
        tracing::warn!("{why}: no cases run");
        return;
    };
    for line in lines(why, &run) {
        tracing::warn!("{line}");
    }
}

fn lines(why: &str, run: &Run) -> Vec<String> {
    let workers = run.roster.0.lock().clone();
    let mut lines = vec![format!(
        "{why}: {} cases selected, {} executions begun, {} workers",
        run.plan.selected.len(),
        run.executions_begun(),
        workers.len()
    )];
    lines.extend(workers.iter().map(|worker| of_worker(worker)));
    let queues = run.bus.state().to_string();
    let queues: Vec<&str> = queues.lines().collect();
    lines.push(format!("queues: {}", queues.join("; ")));
    lines.push(format!("threads: {}", threads().join(", ")));
    lines
}

fn of_worker(worker: &Worker) -> String {
    let number = worker.number;
    let Some((execution, phase)) = worker.slot.look() else {
        return format!("worker {number}: between cases");
    };
    let phase = phase.map_or_else(String::new, |phase| format!(" ({phase})"));
    let place = if execution.is_in_process() {
        "a function"
    } else {
        "a process"
    };
    format!(
        "worker {number}: {}, execution {}, attempt {}, {place}{phase}, for {:.1} s",
        crate::results::printable_line(execution.case.id.as_str()),
        execution.number,
        execution.attempt,
        execution.age().as_secs_f64()
    )
}

/// Names of the threads of this process and what they do, sorted: `worker-1 S`, `zk2 R (2)`.
fn threads() -> Vec<String> {
    let mut threads: BTreeMap<String, usize> = BTreeMap::new();
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten();
    for task in tasks.flatten() {
        // One that has ended meanwhile has no state.
        let stat = fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        if let Some((name, state)) = name_and_state(&stat) {
            *threads.entry(format!("{name} {state}")).or_default() += 1;
        }
    }
    let thread = |(thread, count)| match count {
        1 => thread,
        count => format!("{thread} ({count})"),
    };
    threads.into_iter().map(thread).collect()
}

/// Of the text of `/proc/PID/task/TID/stat`.
fn name_and_state(stat: &str) -> Option<(&str, char)> {
    let (head, rest) = stat.rsplit_once(") ")?;
    let (_, name) = head.split_once('(')?;
    Some((name, rest.chars().next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d6_threads_are_named_with_their_state() {
        assert_eq!(
            name_and_state("12 (odd ) (name) R 1 12"),
            Some(("odd ) (name", 'R'))
        );
        assert_eq!(name_and_state(""), None);
        let running = threads();
        assert!(
            running.iter().any(|thread| thread.contains(" R")),
            "{running:?}"
        );
    }
}
