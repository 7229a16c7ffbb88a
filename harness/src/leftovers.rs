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
            let environment = fs::read(format!("/proc/{number}/environ")).ok()?;
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
