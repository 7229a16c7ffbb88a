//! What was in the group of a plugin and has been killed: gone only when the kernel says so.

use std::fs;
use std::os::fd::OwnedFd;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, kill_process_group, pidfd_open, test_kill_process_group,
};

use super::input::timespec;

/// Waits until nothing of the group is left; its leader has been waited for. As long as there is something, the number of the group is
/// nobody else's, so what was started in the last moment is killed as well.
pub(super) fn wait(group: Pid, deadline: Instant) {
    if test_kill_process_group(group).is_err() {
        return; // As good as always.
    }
    let _gone = kill_process_group(group, Signal::KILL);
    for member in members(group) {
        wait_for_exit(&member, deadline);
    }
}

/// The processes of a group that have not been waited for.
fn members(group: Pid) -> Vec<OwnedFd> {
    let Ok(processes) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let numbers = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let members = numbers.filter(|&number| group_of(number) == Some(group));
    let pids = members.filter_map(Pid::from_raw);
    pids.filter_map(|pid| pidfd_open(pid, PidfdFlags::empty()).ok())
        .collect()
}

fn group_of(process: i32) -> Option<Pid> {
    group_in(&fs::read_to_string(format!("/proc/{process}/stat")).ok()?)
}

/// The fifth field of `stat`; what stands in parentheses before it is the name of the program, with anything in it. A process that is
/// just being released has the group -1.
fn group_in(stat: &str) -> Option<Pid> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let group: i32 = fields.split(' ').nth(2)?.parse().ok()?;
    (group > 0).then(|| Pid::from_raw(group))?
}

fn wait_for_exit(member: &OwnedFd, deadline: Instant) {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let mut wanted = [PollFd::new(member, PollFlags::IN)];
        match poll(&mut wanted, Some(&timespec(left))) {
            Err(Errno::INTR) => {}
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_of_a_process_is_read_also_while_it_is_released() {
        let group = |stat| group_in(stat).map(Pid::as_raw_pid);
        assert_eq!(group("12 (a (b) c) S 1 7 7 0"), Some(7));
        assert_eq!(group("12 (sleep) X 0 -1 -1 0"), None);
        assert_eq!(group("12 (sleep) X 0 0 0 0"), None);
        assert_eq!(group("12 (sleep) S 1"), None);
    }
}
