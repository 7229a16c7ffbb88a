//! What a program leaves behind: found by a variable that all its descendants inherit, wherever they went.

use std::ffi::OsString;
use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// Marks the descendants of one program.
#[derive(Debug)]
pub(crate) struct Mark {
    value: OsString,
}

impl Mark {
    /// Name of the variable.
    pub(crate) const VARIABLE: &str = "ZAF_HARNESS_HOME";

    /// One that is unique as long as this directory exists.
    pub(crate) fn new(home: &Path) -> Self {
        let value = home.as_os_str().to_owned();
        Self { value }
    }

    pub(crate) fn value(&self) -> &OsString {
        &self.value
    }

    /// Lets marked processes end until `grace` is over, kills the others and returns what they are: number and command line.
    pub(crate) fn end_all(&self, grace: Duration) -> Vec<String> {
        let deadline = Instant::now() + grace;
        let mut killed = Vec::new();
        loop {
            let alive = self.alive();
            if alive.is_empty() {
                return killed;
            }
            for (description, process) in alive {
                if !ended_within(&process, deadline) {
                    // It may just have ended.
                    let _ = pidfd_send_signal(&process, Signal::KILL);
                    killed.push(description);
                    if !ended_within(&process, Instant::now() + Duration::from_secs(5)) {
                        return killed;
                    }
                }
            }
        }
    }

    /// Marked processes that run: number and command line, and the process.
    pub(crate) fn alive(&self) -> Vec<(String, OwnedFd)> {
        let mut expected = Self::VARIABLE.as_bytes().to_vec();
        expected.push(b'=');
        expected.extend_from_slice(self.value.as_bytes());
        let Ok(processes) = fs::read_dir("/proc") else {
            return Vec::new();
        };
        let numbers = processes
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let marked = |number: i32| {
            let process = pidfd_open(Pid::from_raw(number)?, PidfdFlags::empty()).ok()?;
            // Read after it was opened: the number may belong to another one by now.
            let environment = environment(number)?;
            let is_marked = environment
                .split(|&byte| byte == 0)
                .any(|variable| variable == expected);
            let line = fs::read(format!("/proc/{number}/cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line)
                .trim_end_matches('\0')
                .replace('\0', " ");
            is_marked.then(|| (format!("{number} ({line})"), process))
        };
        numbers.filter_map(marked).collect()
    }
}

/// What the process was started with. One that is just becoming another program has none to show, neither the old one nor the new;
/// then it is waited for.
fn environment(number: i32) -> Option<Vec<u8>> {
    let deadline = Instant::now() + Duration::from_secs(1);
    let mut was_settled = false;
    loop {
        let found = fs::read(format!("/proc/{number}/environ")).ok()?;
        if !found.is_empty() || Instant::now() > deadline {
            return Some(found);
        }
        let stat = fs::read(format!("/proc/{number}/stat")).ok()?;
        let is_settled = !is_becoming_another(&stat).unwrap_or(false);
        // Once more if it is settled by now: it may not have been when it was read.
        if is_settled && was_settled {
            return Some(found);
        }
        was_settled = is_settled;
        std::thread::yield_now();
    }
}

/// Whether a process is between two programs, by its `/proc/<pid>/stat`: its memory is the new one's, and where the code begins
/// is not known yet.
fn is_becoming_another(stat: &[u8]) -> Option<bool> {
    /// Flag of a thread of the kernel, `PF_KTHREAD` of `include/linux/sched.h`; it has no code of its own.
    const OF_KERNEL: u32 = 0x0020_0000;
    let name_end = stat.iter().rposition(|&byte| byte == b')')?;
    let fields = std::str::from_utf8(&stat[name_end + 1..]).ok()?;
    let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
    // The 3rd of all, the 9th and the 26th.
    let (state, flags, code) = (fields.first()?, fields.get(6)?, fields.get(23)?);
    let is_dead = matches!(*state, "Z" | "X");
    let is_of_kernel = flags.parse::<u32>().ok()? & OF_KERNEL != 0;
    Some(!is_dead && !is_of_kernel && *code == "0")
}

/// Whether the process ends before `deadline`; waits for it.
pub(crate) fn ended_within(process: &OwnedFd, deadline: Instant) -> bool {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).ok();
        let mut events = [PollFd::new(process, PollFlags::IN)];
        match poll(&mut events, timeout.as_ref()) {
            Ok(count) => return count > 0,
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "what is looked at is the moment in which a process becomes a program"
    )]
    fn a_process_that_is_just_becoming_a_program_is_found() {
        let home = tempfile::tempdir().unwrap();
        let mark = Mark::new(home.path());
        for round in 0..100 {
            let mut command = std::process::Command::new("sleep");
            command.arg("1000").env(Mark::VARIABLE, mark.value());
            let mut process = command.spawn().unwrap();
            // Before the others: looking at all takes longer than that moment.
            let found = environment(i32::try_from(process.id()).unwrap()).unwrap();
            let marked = mark.alive().len();
            process.kill().unwrap();
            process.wait().unwrap();
            assert_ne!(found, b"", "round {round}");
            assert_eq!(marked, 1, "round {round}");
        }
    }
}
