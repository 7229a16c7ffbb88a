//! Kills all descendants of this process, which is the parent of all orphans among them.
//!
//! A process whose parent is killed becomes a child of this one, so descendants cannot escape by forking: as long as this process
//! has a child that lives, there is another round.

use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, getpid, kill_process, pidfd_open, wait,
};

use crate::supervisor::procfs::{self, Stat};

/// Longest that killed processes are waited for: one that hangs in the kernel must not keep the shell waiting.
const LIMIT: Duration = Duration::from_secs(5);

/// Kills and reaps all descendants. Without any it costs one system call.
pub(super) fn end_descendants() {
    let give_up = Instant::now() + LIMIT;
    while has_living_child() && Instant::now() < give_up {
        let killed: Vec<Pid> = descendants()
            .into_iter()
            .filter(|&pid| kill_process(pid, Signal::KILL).is_ok())
            .collect();
        // What is left belongs to somebody else (`sudo`), or is not shown to this process.
        let Some(&first) = killed.first() else {
            return;
        };
        wait_for_end(first, give_up);
    }
}

/// Reaps the dead; true if a child is left.
fn has_living_child() -> bool {
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some(_)) | Err(Errno::INTR) => {}
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}

/// All living processes whose line of parents leads to this one.
fn descendants() -> Vec<Pid> {
    let mut others: Vec<(i32, Stat)> = procfs::all()
        .into_iter()
        .filter_map(|pid| Some((pid, procfs::stat(pid)?)))
        .collect();
    let mut found = vec![getpid().as_raw_pid()];
    let mut at = 0;
    while let Some(&parent) = found.get(at) {
        at += 1;
        others.retain(|&(pid, stat)| {
            let is_child = stat.parent == parent;
            if is_child && !stat.is_dead() {
                found.push(pid);
            }
            !is_child
        });
    }
    found
        .into_iter()
        .skip(1)
        .filter_map(Pid::from_raw)
        .collect()
}

fn wait_for_end(pid: Pid, until: Instant) {
    if let Ok(fd) = pidfd_open(pid, PidfdFlags::empty()) {
        let left = until.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).ok();
        let _ = poll(&mut [PollFd::new(&fd, PollFlags::IN)], timeout.as_ref());
    }
}
