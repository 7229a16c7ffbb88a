//! Ends what runs left behind of which both processes were killed at once.
//!
//! A process belongs to a run by the mark in its environment ([`super::cookie`]), or as the descendant of one that has it. A run is
//! dead if the process at its head is, and no runner of it is left (one that has lost its guard ends everything itself). Only processes
//! of the same user are looked at, and nothing in another PID namespace can be judged.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, geteuid, pidfd_open, pidfd_send_signal};

use super::cookie::{COOKIE_VARIABLE, Life, Owner};
use super::guard;
use super::procfs;
use super::spec::EXECUTION_VARIABLE;

/// Longest that killed processes are waited for: one may hang in the kernel.
const LIMIT: Duration = Duration::from_secs(5);

/// A process of a run that is dead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Survivor {
    pub(crate) pid: i32,
    /// Its command line.
    pub(crate) command: String,
    /// The execution of a case that it was started by, if it says so.
    pub(crate) execution: Option<String>,
    owner: Owner,
    started: u64,
}

/// What became of survivors.
#[derive(Debug, Default)]
pub(crate) struct Reaped {
    /// Those that were killed, in order of their numbers.
    pub(crate) killed: Vec<Survivor>,
    /// Those that did not go away.
    pub(crate) left: Vec<Survivor>,
}

/// Processes of dead runs; only of the run of `owner` if there is one.
pub(crate) fn survivors(owner: Option<&Owner>) -> Vec<Survivor> {
    let all = processes();
    let spared = own_line(&all);
    let mut runs: BTreeMap<&Owner, bool> = BTreeMap::new();
    for process in all.values() {
        let Some(of) = &process.owner else { continue };
        if owner.is_some_and(|owner| owner != of) {
            continue;
        }
        let is_dead = runs.entry(of).or_insert_with(|| of.life() == Life::Dead);
        // A runner whose guard is gone ends the run in good order.
        *is_dead &= !guard::is_runner(process.pid);
    }
    let is_marked = |process: &Process| {
        let of = process.owner.as_ref()?;
        (runs.get(of) == Some(&true)).then(|| of.clone())
    };
    let mut found: BTreeMap<i32, Owner> = BTreeMap::new();
    for process in all.values() {
        if let Some(of) = is_marked(process) {
            found.insert(process.pid, of);
        }
    }
    // Those that have cleared their environment.
    loop {
        let more: Vec<(i32, Owner)> = all
            .values()
            .filter(|process| process.owner.is_none() && !found.contains_key(&process.pid))
            .filter_map(|process| Some((process.pid, found.get(&process.parent)?.clone())))
            .collect();
        if more.is_empty() {
            break;
        }
        found.extend(more);
    }
    let found = found.into_iter().filter(|(pid, _)| !spared.contains(pid));
    found
        .filter_map(|(pid, owner)| {
            Some(Survivor {
                pid,
                command: procfs::command(pid),
                execution: all.get(&pid)?.execution.clone(),
                owner,
                started: procfs::started(pid)?,
            })
        })
        .collect()
}

/// Kills the processes of dead runs; only of the run of `owner` if there is one. What they start meanwhile is killed too.
pub(crate) fn reap(owner: Option<&Owner>) -> Reaped {
    let give_up = Instant::now() + LIMIT;
    let mut killed: BTreeMap<i32, Survivor> = BTreeMap::new();
    loop {
        let found = survivors(owner);
        if found.is_empty() || Instant::now() >= give_up {
            let is_gone = |pid: &i32| !found.iter().any(|left| left.pid == *pid);
            killed.retain(|pid, _| is_gone(pid));
            return Reaped {
                killed: killed.into_values().collect(),
                left: found,
            };
        }
        for survivor in found {
            if survivor.kill(give_up) {
                killed.insert(survivor.pid, survivor);
            }
        }
    }
}

impl Survivor {
    /// Kills it and waits for its end; false if it was another process by then, or may not be killed.
    fn kill(&self, give_up: Instant) -> bool {
        let fd = Pid::from_raw(self.pid).map(|pid| pidfd_open(pid, PidfdFlags::empty()));
        let Some(Ok(fd)) = fd else {
            return false;
        };
        // From here on the descriptor is this process, whatever becomes of the number.
        if procfs::started(self.pid) != Some(self.started)
            || pidfd_send_signal(&fd, Signal::KILL).is_err()
        {
            return false;
        }
        let left = give_up.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).ok();
        let _ = poll(&mut [PollFd::new(&fd, PollFlags::IN)], timeout.as_ref());
        true
    }
}

struct Process {
    pid: i32,
    parent: i32,
    owner: Option<Owner>,
    execution: Option<String>,
}

/// All living processes of this user.
fn processes() -> BTreeMap<i32, Process> {
    let user = geteuid().as_raw();
    let mut all = BTreeMap::new();
    for pid in procfs::all() {
        let path = format!("/proc/{pid}");
        let is_own = fs::metadata(&path).is_ok_and(|process| process.uid() == user);
        let Some(stat) = procfs::stat(pid).filter(|stat| is_own && !stat.is_dead()) else {
            continue;
        };
        let environment = procfs::environment(pid).unwrap_or_default();
        let value = |name: &str| {
            let mut variables = environment.split(|&byte| byte == 0);
            let value = variables.find_map(|variable| {
                let rest = variable.strip_prefix(name.as_bytes())?;
                rest.strip_prefix(b"=")
            })?;
            let value = std::ffi::OsStr::from_bytes(value);
            Some(value.to_string_lossy().into_owned())
        };
        let process = Process {
            pid,
            parent: stat.parent,
            owner: value(COOKIE_VARIABLE).and_then(|value| value.parse().ok()),
            execution: value(EXECUTION_VARIABLE),
        };
        all.insert(pid, process);
    }
    all
}

/// This process and those that it comes from.
fn own_line(all: &BTreeMap<i32, Process>) -> BTreeSet<i32> {
    let mut line = BTreeSet::new();
    let mut next = i32::try_from(std::process::id()).ok();
    while let Some(pid) = next.filter(|pid| line.insert(*pid)) {
        next = all.get(&pid).map(|process| process.parent);
    }
    line
}
