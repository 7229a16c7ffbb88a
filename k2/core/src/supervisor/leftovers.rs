//! Finds and ends what a test left behind.
//!
//! A descendant is recognised by its process group, by the cookie in its environment (which survives `setsid` and double
//! forks), or by its parent being such a one. Descendants whose parents have died become children of this process once
//! [`prepare`] was called, and can then be reaped.
//!
//! The common case, nothing left behind, must cost next to nothing: ids are handed out in ascending order, so only those
//! given out since the process was started can be descendants, and of these there are few.

use std::collections::BTreeMap;
use std::io;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, getpid, kill_process, pidfd_open, set_child_subreaper,
    test_kill_process_group, waitpgid, waitpid,
};

use super::LeakedProcess;
use super::procfs::{self, Stat};
use super::spec::EXECUTION_VARIABLE;

/// Beyond that many ids it is cheaper to list the processes that exist.
const FEW: i32 = 256;
/// How often is looked for processes that were started during the look before.
const LOOKS: u32 = 8;
/// Longest that processes are given to go away after SIGKILL.
const KILL_LIMIT: Duration = Duration::from_secs(5);

/// Prepares this process for running tests; call it once, before the first [`super::run`].
///
/// It becomes the parent of all orphans among its descendants, so that none escapes, and the descriptors that it
/// inherited itself are not handed on: a test sees standard input, output and error, and nothing else.
///
/// # Errors
/// When the kernel refuses, which Linux since 3.4 does not.
pub fn prepare() -> io::Result<()> {
    close_fds::set_fds_cloexec_threadsafe(3, &[]);
    Ok(set_child_subreaper(Some(getpid()))?)
}

/// What a process left behind, in order of the pids.
#[derive(Debug, Default)]
pub(super) struct Leftovers {
    /// What was sent SIGKILL.
    pub(super) killed: Vec<LeakedProcess>,
    /// The numbers of those that were there nevertheless when their time was over.
    pub(super) unkillable: Vec<u32>,
}

/// Gives what the process `leader` left behind until `deadline` to end by itself, then kills it. `leader` must have been reaped.
pub(super) fn end(leader: Pid, execution: Option<&str>, deadline: Instant) -> Leftovers {
    let cookie =
        execution.map(|execution| format!("{EXECUTION_VARIABLE}={execution}").into_bytes());
    let search = Search {
        leader,
        cookie: cookie.as_deref(),
    };
    let mut killed = BTreeMap::new();
    let mut unkillable = Vec::new();
    let mut give_up = None;
    loop {
        let found = search.living();
        let Some(&first) = found.first() else {
            break;
        };
        let now = Instant::now();
        if now < deadline {
            wait_for_end(first, deadline - now);
            continue;
        }
        let give_up = *give_up.get_or_insert(now + KILL_LIMIT);
        if now >= give_up {
            // What was started a moment ago has not been killed yet.
            let numbers = found.iter().map(|pid| pid.as_raw_pid());
            let numbers = numbers.filter(|number| killed.contains_key(number));
            unkillable.extend(numbers.map(i32::unsigned_abs));
            break;
        }
        for &pid in &found {
            killed
                .entry(pid.as_raw_pid())
                .or_insert_with(|| procfs::command(pid.as_raw_pid()));
            // It may have ended since; a number that was given away again in that moment is a risk of microseconds.
            let _ = kill_process(pid, Signal::KILL);
        }
        wait_for_end(first, give_up - now);
    }
    let killed = killed.into_iter().map(|(pid, command)| LeakedProcess {
        pid: pid.unsigned_abs(),
        command,
    });
    Leftovers {
        killed: killed.collect(),
        unkillable,
    }
}

fn wait_for_end(pid: Pid, longest: Duration) {
    if let Ok(fd) = pidfd_open(pid, PidfdFlags::empty()) {
        let timeout = Timespec::try_from(longest).ok();
        let _ = poll(&mut [PollFd::new(&fd, PollFlags::IN)], timeout.as_ref());
    }
}

struct Search<'a> {
    leader: Pid,
    cookie: Option<&'a [u8]>,
}

impl Search<'_> {
    /// Descendants that live, in order of their pids; reaps the dead ones that became children of this process.
    fn living(&self) -> Vec<Pid> {
        let group_is_empty = self.reap_group();
        let own = getpid().as_raw_pid();
        let session = own_session(own);
        let leader = self.leader.as_raw_pid();
        let mut found: BTreeMap<i32, Stat> = BTreeMap::new();
        let mut others: BTreeMap<i32, Stat> = BTreeMap::new();
        let mut newest = procfs::newest();
        let mut candidates = candidates(leader, newest, group_is_empty);
        for _ in 0..LOOKS {
            for pid in candidates {
                if pid == own {
                    continue;
                }
                let Some(stat) = procfs::stat(pid) else {
                    continue;
                };
                if stat.is_dead() {
                    // Of a dead process only the session is left to tell it from a child that other code here waits for.
                    if stat.parent == own && Some(stat.session) != session {
                        reap(pid);
                    }
                } else if stat.group == leader && !group_is_empty || self.has_cookie(pid) {
                    found.insert(pid, stat);
                } else {
                    others.insert(pid, stat);
                }
            }
            if !found.is_empty() {
                break;
            }
            // One that ended before it was looked at may have started another one just before.
            let now = procfs::newest();
            if now == newest {
                break;
            }
            candidates = since(newest, now);
            newest = now;
        }
        // Children of descendants are descendants, even with an environment of their own.
        while !found.is_empty() {
            let before = found.len();
            others.retain(|&pid, stat| {
                let child = found.contains_key(&stat.parent);
                if child {
                    found.insert(pid, *stat);
                }
                !child
            });
            if found.len() == before {
                break;
            }
        }
        found
            .into_keys()
            .filter(|&pid| procfs::is_process(pid))
            .filter_map(Pid::from_raw)
            .collect()
    }

    fn has_cookie(&self, pid: i32) -> bool {
        self.cookie
            .is_some_and(|cookie| procfs::has_path_variable(pid, cookie))
    }

    /// Reaps the dead of the group; true when nothing living is in it.
    fn reap_group(&self) -> bool {
        while let Ok(Some(_)) = waitpgid(self.leader, WaitOptions::NOHANG) {}
        test_kill_process_group(self.leader).is_err()
    }
}

/// 0 where the leader of the session is outside the PID namespace, as in many containers: no number that `Pid` can hold,
/// so `getsid` is not asked.
fn own_session(own: i32) -> Option<i32> {
    procfs::stat(own).map(|stat| stat.session)
}

fn reap(pid: i32) {
    if let Some(pid) = Pid::from_raw(pid) {
        let _ = waitpid(Some(pid), WaitOptions::NOHANG);
    }
}

fn candidates(leader: i32, newest: Option<i32>, group_is_empty: bool) -> Vec<i32> {
    if group_is_empty {
        since(Some(leader), newest)
    } else {
        procfs::all()
    }
}

/// Processes with ids that were given away after `before`, up to `newest`; all if these may be many.
fn since(before: Option<i32>, newest: Option<i32>) -> Vec<i32> {
    match (before, newest) {
        (Some(before), Some(newest)) if (before..before + FEW).contains(&newest) => {
            (before + 1..=newest).collect()
        }
        _ => procfs::all(),
    }
}
