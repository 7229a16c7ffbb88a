//! Runs as a process: signals, streams, the exit status that a parent sees. The program is `examples/lifecycle.rs`.

use std::io::{BufRead, BufReader, Lines, Read};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

/// The example, which is built together with the tests.
fn program() -> PathBuf {
    let own = std::env::current_exe().expect("this program");
    let profile = own.parent().and_then(|deps| deps.parent());
    let program = profile
        .expect("a target directory")
        .join("examples/lifecycle");
    assert!(
        program.exists(),
        "{} is missing; `cargo build -p zaf-core --examples` makes it",
        program.display()
    );
    program
}

fn command(line: &[&str]) -> Command {
    #[expect(
        clippy::disallowed_methods,
        reason = "the process under test is this application itself"
    )]
    let mut command = Command::new(program());
    let directory = std::env::temp_dir();
    command
        .args(line)
        .env_clear()
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Running {
    /// Starts the program and waits until its command runs.
    fn start(line: &[&str]) -> Self {
        Self::of(command(line).spawn().expect("a process"))
    }

    fn of(mut child: Child) -> Self {
        let stdout = child.stdout.take().expect("a pipe");
        let mut running = Self {
            child,
            lines: BufReader::new(stdout).lines(),
        };
        assert!(running.line().starts_with("before "));
        assert_eq!(running.line(), "waiting");
        running
    }

    fn line(&mut self) -> String {
        let line = self.lines.next().expect("one more line");
        line.expect("UTF-8")
    }

    fn send(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it runs");
    }

    fn end(mut self) -> (ExitStatus, Vec<String>, String) {
        let rest = self.lines.map(|line| line.expect("UTF-8")).collect();
        let mut stderr = String::new();
        let pipe = self.child.stderr.as_mut().expect("a pipe");
        pipe.read_to_string(&mut stderr).expect("UTF-8");
        (self.child.wait().expect("it ended"), rest, stderr)
    }
}

#[test]
fn d1_one_interrupt_ends_the_command_gently_and_is_raised_again() {
    let mut running = Running::start(&["wait"]);
    running.send(Signal::INT);
    let mut lines = vec![running.line(), running.line(), running.line()];
    let (status, rest, stderr) = running.end();
    lines.extend(rest);
    // The event is triggered on a thread of its own, so the command may be faster.
    lines.sort();
    assert_eq!(
        lines,
        ["abort: SIGINT received", "after wait 5", "destroyed"],
        "{stderr}"
    );
    assert_eq!(status.signal(), Some(2), "{stderr}");
    assert!(!status.core_dumped());
}

#[test]
fn d2_the_second_interrupt_is_a_critical_abort() {
    let mut running = Running::start(&["wait", "--until", "critical"]);
    running.send(Signal::INT);
    assert_eq!(running.line(), "abort: SIGINT received");
    running.send(Signal::INT);
    let (status, mut lines, stderr) = running.end();
    lines.sort();
    assert_eq!(
        lines,
        [
            "after wait 5",
            "critical abort: SIGINT received again",
            "destroyed"
        ],
        "{stderr}"
    );
    assert_eq!(status.signal(), Some(2));
}

#[test]
fn d3_the_third_interrupt_ends_at_once() {
    let mut running = Running::start(&["wait", "--until", "never"]);
    running.send(Signal::INT);
    assert_eq!(running.line(), "abort: SIGINT received");
    running.send(Signal::INT);
    assert_eq!(running.line(), "critical abort: SIGINT received again");
    running.send(Signal::INT);
    let (status, lines, stderr) = running.end();
    assert!(lines.is_empty(), "{lines:?}");
    assert_eq!(status.code(), Some(130), "{stderr}");
}

#[test]
fn d4_terminate_turns_critical_after_its_grace() {
    let grace = [
        "wait",
        "--until",
        "critical",
        "--application-abort-grace",
        "10ms",
    ];
    let running = Running::start(&grace);
    running.send(Signal::TERM);
    let (status, mut lines, stderr) = running.end();
    lines.sort();
    assert_eq!(
        lines,
        [
            "abort: SIGTERM received",
            "after wait 5",
            "critical abort: still running after SIGTERM and its grace",
            "destroyed"
        ]
    );
    assert_eq!(status.signal(), Some(15), "{stderr}");
}

#[test]
fn a9_what_never_comes_back_does_not_keep_the_process_after_terminate() {
    let times = [
        "--application-abort-grace",
        "10ms",
        "--application-teardown-timeout",
        "10ms",
    ];
    let running = Running::start(&[&["wait", "--until", "never"], times.as_slice()].concat());
    running.send(Signal::TERM);
    let (status, lines, stderr) = running.end();
    assert!(!lines.contains(&"destroyed".to_owned()), "{lines:?}");
    assert_eq!(status.code(), Some(143), "{stderr}");
}

#[test]
fn d4_a_second_signal_does_not_wait_for_the_grace() {
    let grace = ["--until", "critical", "--application-abort-grace", "1h"];
    let mut running = Running::start(&[&["wait"], grace.as_slice()].concat());
    running.send(Signal::TERM);
    assert_eq!(running.line(), "abort: SIGTERM received");
    // Another one: a second SIGTERM at once would count as the same wish.
    running.send(Signal::INT);
    let (status, _, _) = running.end();
    assert_eq!(status.signal(), Some(15));
}

#[test]
fn d5_a_hang_up_is_like_terminate() {
    let running = Running::start(&["wait"]);
    running.send(Signal::HUP);
    let (status, lines, stderr) = running.end();
    assert!(lines.contains(&"destroyed".to_owned()), "{lines:?}");
    assert_eq!(status.signal(), Some(1), "{stderr}");
}

#[test]
fn d5_a_hang_up_that_was_ignored_at_the_start_stays_ignored() {
    let script = format!("trap '' HUP; exec '{}' wait", program().display());
    let mut shell = shell(&script);
    let mut running = Running::of(shell.spawn().expect("a shell"));
    running.send(Signal::HUP);
    running.send(Signal::INT);
    let first = running.line();
    assert!(!first.contains("SIGHUP"), "{first}");
    let (status, lines, _) = running.end();
    assert!(
        !lines.iter().any(|line| line.contains("SIGHUP")),
        "{lines:?}"
    );
    assert_eq!(status.signal(), Some(2));
}

fn shell(script: &str) -> Command {
    #[expect(
        clippy::disallowed_methods,
        reason = "only a shell can close streams and ignore signals before the start"
    )]
    let mut shell = Command::new("/bin/sh");
    shell
        .args(["-c", script])
        .current_dir(std::env::temp_dir())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    shell
}

#[test]
fn d9_a_reader_that_goes_away_changes_nothing_but_what_is_read() {
    let mut child = command(&["flood"]).spawn().expect("a process");
    {
        let mut reader = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut line = String::new();
        reader.read_line(&mut line).expect("a line");
        // Here the reader goes away.
    }
    let mut stderr = String::new();
    let pipe = child.stderr.as_mut().expect("a pipe");
    pipe.read_to_string(&mut stderr).expect("UTF-8");
    assert_eq!(child.wait().expect("it ended").code(), Some(1), "{stderr}");
    assert_eq!(stderr, "flooded\n");
}

#[test]
fn d14_a_signal_at_any_moment_ends_the_process_by_that_signal() {
    for delay in 0..40 {
        let child = command(&["wait"]).spawn().expect("a process");
        let pid = Pid::from_child(&child);
        // From the first instruction to the middle of the command, without a clock.
        for _ in 0..delay * 100 {
            std::thread::yield_now();
        }
        kill_process(pid, Signal::TERM).expect("it runs");
        let output = child.wait_with_output().expect("it ended");
        assert_eq!(
            output.status.signal(),
            Some(15),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[test]
fn f43_signals_that_mean_nothing_to_the_application_keep_their_action() {
    let running = Running::start(&["wait"]);
    running.send(Signal::USR1);
    assert_eq!(running.end().0.signal(), Some(10));
}

#[test]
fn m1_colour_only_where_it_is_wanted() {
    let stderr = |variables: &[(&str, &str)]| {
        let output = command(&["wiat"])
            .envs(variables.iter().copied())
            .output()
            .expect("a process");
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).expect("UTF-8")
    };
    assert!(!stderr(&[]).contains('\u{1b}'));
    assert!(!stderr(&[("TERM", "dumb")]).contains('\u{1b}'));
    assert!(!stderr(&[("NO_COLOR", "1"), ("TERM", "xterm")]).contains('\u{1b}'));
    assert!(stderr(&[("CLICOLOR_FORCE", "1"), ("TERM", "xterm")]).contains('\u{1b}'));
}

#[test]
fn m5_closed_streams_are_no_trouble() {
    for streams in ["<&- >&- 2>&-", ">&-", "2>&-"] {
        for (line, code) in [("noop", 0), ("wiat", 2), ("--help", 0)] {
            let script = format!("exec '{}' {line} {streams}", program().display());
            let status = shell(&script).status().expect("a shell");
            assert_eq!(status.code(), Some(code), "{line} {streams}");
        }
    }
}

#[test]
fn d22_what_was_logged_is_written_though_a_signal_ends_the_process() {
    let running = Running::start(&["wait"]);
    running.send(Signal::INT);
    let (status, _, stderr) = running.end();
    assert_eq!(status.signal(), Some(2));
    assert_eq!(
        stderr,
        "warning: SIGINT received: what runs is asked to end; once more kills it\n"
    );
}

/// Who is stopped can do nothing, and whoever watches is stopped with him: nobody has hung.
#[test]
fn d7_no_limit_of_the_end_goes_on_while_the_process_is_stopped() {
    let mut child = command(&["stopped", "--application-teardown-timeout", "1s"])
        .spawn()
        .expect("a process");
    let process = Pid::from_child(&child);
    for _ in ["AFTER_COMMAND", "destroy"] {
        let (_, status) = waitpid(Some(process), WaitOptions::UNTRACED)
            .expect("a child")
            .expect("it was waited for");
        assert!(status.stopped(), "{status:?}");
        // Longer than the limit of each step.
        let end = Instant::now() + Duration::from_millis(1500);
        while Instant::now() < end {
            std::thread::park_timeout(Duration::from_millis(50));
        }
        kill_process(process, Signal::CONT).expect("it is stopped");
    }
    let mut stderr = String::new();
    let pipe = child.stderr.as_mut().expect("a pipe");
    pipe.read_to_string(&mut stderr).expect("UTF-8");
    let status = child.wait().expect("it ended");
    assert_eq!((status.code(), &*stderr), (Some(0), ""));
}
