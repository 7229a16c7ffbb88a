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
        let descendants = Descendants::among(getpid(), &processes());
        let killed: Vec<Pid> = descendants
            .living
            .into_iter()
            .filter(|&pid| kill_process(pid, Signal::KILL).is_ok())
            .collect();
        let ends = killed.first().or(descendants.dead_child.as_ref());
        // What is left belongs to somebody else (`sudo`), or is not shown to this process.
        let Some(&first) = ends else {
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

/// Every process with what it is just now: not one moment for all, they go on while they are read.
fn processes() -> Vec<(i32, Stat)> {
    procfs::all()
        .into_iter()
        .filter_map(|pid| Some((pid, procfs::stat(pid)?)))
        .collect()
}

/// What a look at all processes shows of the descendants of one.
#[derive(Debug, PartialEq, Eq)]
struct Descendants {
    /// Those that live, parents first.
    living: Vec<Pid>,
    /// A child that has ended and was not reaped. If it ended while the processes were read, its own children may have been read
    /// before they were handed on: that nothing lives is true only if no child has ended either.
    dead_child: Option<Pid>,
}

impl Descendants {
    fn among(ancestor: Pid, processes: &[(i32, Stat)]) -> Self {
        let ancestor = ancestor.as_raw_pid();
        let mut others: Vec<&(i32, Stat)> = processes.iter().collect();
        let mut found = vec![ancestor];
        let mut dead_child = None;
        let mut at = 0;
        while let Some(&parent) = found.get(at) {
            at += 1;
            others.retain(|(pid, stat)| {
                let is_child = stat.parent == parent;
                if is_child && !stat.is_dead() {
                    found.push(*pid);
                } else if is_child && parent == ancestor {
                    dead_child = Pid::from_raw(*pid);
                }
                !is_child
            });
        }
        Self {
            living: found
                .into_iter()
                .skip(1)
                .filter_map(Pid::from_raw)
                .collect(),
            dead_child,
        }
    }
}

fn wait_for_end(pid: Pid, until: Instant) {
    if let Ok(fd) = pidfd_open(pid, PidfdFlags::empty()) {
        let left = until.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).ok();
        let _ = poll(&mut [PollFd::new(&fd, PollFlags::IN)], timeout.as_ref());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: i32, state: char, parent: i32) -> (i32, Stat) {
        let stat = Stat {
            state,
            parent,
            group: pid,
            session: pid,
            threads: 1,
        };
        (pid, stat)
    }

    fn pid(raw: i32) -> Pid {
        Pid::from_raw(raw).unwrap()
    }

    #[test]
    fn d17_descendants_are_found_through_their_parents() {
        let processes = [
            process(1, 'S', 0),
            process(7, 'S', 1),
            process(9, 'T', 12),
            process(12, 'R', 7),
            process(13, 'Z', 12),
            process(20, 'S', 1),
        ];
        let found = Descendants::among(pid(7), &processes);
        let living = vec![pid(12), pid(9)];
        assert_eq!((found.living, found.dead_child), (living, None));
    }

    /// 12 was read when its parent lived, its parent when it had ended.
    #[test]
    fn d17_a_child_that_ends_during_the_look_is_a_reason_for_another() {
        let processes = [
            process(7, 'S', 1),
            process(12, 'S', 11),
            process(11, 'Z', 7),
        ];
        let found = Descendants::among(pid(7), &processes);
        assert_eq!((found.living, found.dead_child), (vec![], Some(pid(11))));
        let nothing = Descendants::among(pid(7), &[process(7, 'S', 1)]);
        assert_eq!((nothing.living, nothing.dead_child), (vec![], None));
    }
}
