//! Reads about processes in `/proc`. Whatever cannot be read (gone, not ours, no `/proc`) is simply not there.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::str::SplitAsciiWhitespace;
use std::thread::yield_now;
use std::time::{Duration, Instant};

/// Flag of a thread of the kernel, `PF_KTHREAD` of `include/linux/sched.h`.
const OF_KERNEL: u32 = 0x0020_0000;

/// A process that takes longer to become another program has none that could be read.
const LONGEST_BEGINNING: Duration = Duration::from_secs(1);

/// The few fields of `/proc/<pid>/stat` that matter here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stat {
    /// `R`, `S`, `D`, `T` (stopped), `Z` (dead, not reaped) …
    pub(super) state: char,
    /// Parent.
    pub(super) parent: i32,
    /// Process group.
    pub(super) group: i32,
    /// Session.
    pub(super) session: i32,
    /// How many threads it has.
    pub(super) threads: u32,
}

impl Stat {
    /// The state is that of the first thread: if that one has ended, the others go on, as parents of what it has started.
    pub(super) fn is_dead(self) -> bool {
        matches!(self.state, 'Z' | 'X') && self.threads <= 1
    }

    /// By a signal; also of a process that somebody traces.
    pub(super) fn is_stopped(self) -> bool {
        matches!(self.state, 'T' | 't')
    }
}

pub(super) fn stat(pid: i32) -> Option<Stat> {
    parse_stat(&fs::read(format!("/proc/{pid}/stat")).ok()?)
}

/// From the third on. The name, in parentheses, may hold anything: the fields start after the last closing one.
fn fields(text: &[u8]) -> Option<SplitAsciiWhitespace<'_>> {
    let name_end = text.iter().rposition(|&byte| byte == b')')?;
    let fields = std::str::from_utf8(&text[name_end + 1..]).ok()?;
    Some(fields.split_ascii_whitespace())
}

fn parse_stat(text: &[u8]) -> Option<Stat> {
    let mut fields = fields(text)?;
    Some(Stat {
        state: fields.next()?.chars().next()?,
        parent: fields.next()?.parse().ok()?,
        group: fields.next()?.parse().ok()?,
        session: fields.next()?.parse().ok()?,
        // The 20th of all.
        threads: fields.nth(13)?.parse().ok()?,
    })
}

/// When the process started, in ticks since the machine did: together with its number it is unique.
pub(super) fn started(pid: i32) -> Option<u64> {
    let text = fs::read(format!("/proc/{pid}/stat")).ok()?;
    // The 22nd of all, two of which stand before.
    fields(&text)?.nth(19)?.parse().ok()
}

/// Whether the process was started with this variable, `NAME=value`, or one of this name whose value goes on with a slash.
pub(super) fn has_path_variable(pid: i32, variable: &[u8]) -> bool {
    let belongs = |found: &[u8]| {
        let rest = found.strip_prefix(variable);
        rest.is_some_and(|rest| matches!(rest, [] | [b'/', ..]))
    };
    environment(pid).is_some_and(|environment| environment.split(|&byte| byte == 0).any(belongs))
}

/// What the process was started with: `NAME=value`, each ended by a zero byte.
///
/// A first thread that has ended has none to show; then it is that of another one. A process that is just becoming another program
/// has none to show either, neither the old one nor the new; then it is waited for.
pub(super) fn environment(pid: i32) -> Option<Vec<u8>> {
    let deadline = Instant::now() + LONGEST_BEGINNING;
    let mut was_settled = false;
    loop {
        let found = environment_now(pid)?;
        if !found.is_empty() {
            return Some(found);
        }
        let is_settled = !is_becoming_another(pid);
        // Once more if it is settled by now: it may not have been when it was read.
        if is_settled && was_settled || Instant::now() > deadline {
            return None;
        }
        was_settled = is_settled;
        yield_now();
    }
}

/// Empty if there is none to show.
fn environment_now(pid: i32) -> Option<Vec<u8>> {
    let of_first = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    if !of_first.is_empty() {
        return Some(of_first);
    }
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    let other = tasks
        .filter_map(|task| fs::read(task.ok()?.path().join("environ")).ok())
        .find(|environment| !environment.is_empty());
    Some(other.unwrap_or_default())
}

/// Whether a process is between two programs: its memory is the new one's, and where the code begins is not known yet.
fn is_becoming_another(pid: i32) -> bool {
    let stat = fs::read(format!("/proc/{pid}/stat")).unwrap_or_default();
    parse_is_becoming_another(&stat).unwrap_or(false)
}

fn parse_is_becoming_another(stat: &[u8]) -> Option<bool> {
    let mut fields = fields(stat)?;
    let is_dead = matches!(fields.next()?, "Z" | "X");
    // The 9th of all and the 26th, which is 1 of a process that may not be looked at.
    let is_of_kernel = fields.nth(5)?.parse::<u32>().ok()? & OF_KERNEL != 0;
    Some(!is_dead && !is_of_kernel && fields.nth(16)? == "0")
}

/// False for the id of a thread that is not its process's first: `/proc` shows those too when asked by name.
pub(super) fn is_process(pid: i32) -> bool {
    let Ok(status) = fs::read_to_string(format!("/proc/{pid}/status")) else {
        return false;
    };
    status
        .lines()
        .find_map(|line| line.strip_prefix("Tgid:"))
        .is_some_and(|tgid| tgid.trim().parse() == Ok(pid))
}

/// The command line, its parts separated by spaces, or the name in brackets for what has none; at most 200 characters.
pub(super) fn command(pid: i32) -> String {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let line = line.strip_suffix(&[0]).unwrap_or(&line);
    if line.is_empty() {
        let name = fs::read(format!("/proc/{pid}/comm")).unwrap_or_default();
        return format!("[{}]", String::from_utf8_lossy(&name).trim_end());
    }
    let spaced: Vec<u8> = line
        .iter()
        .map(|&b| if b == 0 { b' ' } else { b })
        .collect();
    String::from_utf8_lossy(&spaced).chars().take(200).collect()
}

/// The id that was given to the newest process or thread.
pub(super) fn newest() -> Option<i32> {
    let load = fs::read_to_string("/proc/loadavg").ok()?;
    load.rsplit(' ').next()?.trim().parse().ok()
}

/// All processes.
pub(super) fn all() -> Vec<i32> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| {
            let name = entry.ok()?.file_name();
            std::str::from_utf8(name.as_bytes()).ok()?.parse().ok()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_does_not_confuse() {
        let line = b"12 (a) S 1 (b) Z 7 8 9 0 -1 4 5 6 7 8 1 2 3 4 20 0 3 0 7073192 99";
        let stat = parse_stat(line).unwrap();
        assert_eq!(
            (stat.state, stat.parent, stat.group, stat.session),
            ('Z', 7, 8, 9)
        );
        assert_eq!(stat.threads, 3);
        assert!(!stat.is_dead(), "two threads go on");
        assert_eq!(parse_stat(b"12 (a"), None);
        assert_eq!(parse_stat(b"12 (a) S x"), None);
    }

    #[test]
    fn a_process_without_code_becomes_another_one() {
        let line = |state: char, flags: u32, code: u64| {
            let zeros = "0 ".repeat(16);
            let text = format!("12 (a) b) {state} 1 2 3 4 5 {flags} {zeros}{code} 9 0\n");
            parse_is_becoming_another(text.as_bytes())
        };
        assert_eq!(line('R', 4_194_304, 0), Some(true));
        assert_eq!(line('S', 4_194_304, 70), Some(false));
        assert_eq!(line('Z', 4_194_304, 0), Some(false), "dead");
        assert_eq!(line('I', 69_238_880, 0), Some(false), "of the kernel");
        assert_eq!(parse_is_becoming_another(b"12 (a) S 1 2"), None);
    }

    #[test]
    #[expect(
        clippy::disallowed_methods,
        reason = "what is looked at is the moment in which a process becomes a program"
    )]
    fn e5_a_process_that_is_just_becoming_a_program_is_found_by_its_variable() {
        for round in 0..100 {
            let value = format!("/of/round/{round}");
            let mut command = std::process::Command::new("sleep");
            command.arg("1000").env("FOUND_BY", &value);
            let mut process = command.spawn().unwrap();
            let pid = i32::try_from(process.id()).unwrap();
            let is_found = has_path_variable(pid, format!("FOUND_BY={value}").as_bytes());
            process.kill().unwrap();
            process.wait().unwrap();
            assert!(is_found, "round {round}");
        }
        assert_eq!(environment(1 << 30), None);
    }

    #[test]
    fn this_process_is_known() {
        let own = i32::try_from(std::process::id()).unwrap();
        assert!(stat(own).is_some());
        assert!(is_process(own));
        assert!(all().contains(&own));
        assert!(newest().is_some());
        assert!(!command(own).is_empty());
    }
}
