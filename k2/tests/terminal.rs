//! A terminal: what it shows, and what happens when it goes away.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcsetwinsize};

use crate::guard::{children, state};
use crate::session::{Ended, Session, text, wait};
use crate::stopping::{fifo, read};

const SIGHUP: i32 = 1;

/// The end of a terminal that a person looks at.
pub(crate) struct Terminal {
    master: OwnedFd,
    slave: OwnedFd,
}

impl Terminal {
    pub(crate) fn new(columns: u16) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let slave = rustix::fs::open(name.as_c_str(), flags, Mode::empty()).unwrap();
        let size = Winsize {
            ws_row: 24,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&slave, size).unwrap();
        rustix::io::fcntl_setfd(&master, rustix::io::FdFlags::CLOEXEC).unwrap();
        Self { master, slave }
    }

    /// Starts `zk2` in a session of its own, with this for its terminal; the terminal is then held by it alone.
    fn start(
        self,
        session: &Session,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> (OwnedFd, Child) {
        let line = [&[env!("CARGO_BIN_EXE_zk2")], arguments].concat();
        self.start_program(session, &line, variables)
    }

    /// The same with any program.
    pub(crate) fn start_program(
        self,
        session: &Session,
        line: &[&str],
        variables: &[(&str, &str)],
    ) -> (OwnedFd, Child) {
        let stream = || Stdio::from(self.slave.try_clone().unwrap());
        let child = Command::new("setsid")
            .arg("--ctty")
            .args(line)
            .current_dir(session.path())
            .env_remove("NO_COLOR")
            .env("HOME", session.path())
            .envs(variables.iter().copied())
            .stdin(stream())
            .stdout(stream())
            .stderr(stream())
            .spawn()
            .unwrap();
        (self.master, child)
    }
}

/// Everything that the terminal shows until nobody holds it any more, and how the process ended.
fn shown(master: OwnedFd, child: Child) -> (String, Ended) {
    let mut bytes = Vec::new();
    // A terminal without anybody at its other end is an error (EIO), not an end.
    drop(File::from(master).read_to_end(&mut bytes));
    (String::from_utf8_lossy(&bytes).into_owned(), wait(child))
}

fn suite() -> Session {
    let session = Session::new();
    session.script("suite/passes", "exit 0");
    session.script("suite/fails", "echo reason; exit 1");
    session
}

#[test]
fn m1_every_sort_of_terminal_shows_the_verdicts_and_only_what_it_can_show() {
    let session = suite();
    for columns in [0, 1, 2, 40, 80, 120] {
        for (variables, colours, moves) in [
            (
                [("TERM", "xterm-256color"), ("LANG", "C")],
                true,
                columns >= 2,
            ),
            ([("TERM", "dumb"), ("LANG", "C")], false, false),
            ([("TERM", "xterm"), ("NO_COLOR", "1")], false, columns >= 2),
        ] {
            let terminal = Terminal::new(columns);
            let (master, child) = terminal.start(&session, &["run", "suite"], &variables);
            let (screen, ended) = shown(master, child);
            let context = format!("{columns} columns, {variables:?}: {screen:?}");
            assert_eq!(ended.code, Some(1), "{context}");
            for words in ["PASS", "FAIL", "suite::passes", "exit 1"] {
                assert!(screen.contains(words), "{words}: {context}");
            }
            assert_eq!(screen.contains("\u{1b}[3"), colours, "{context}");
            if !moves {
                assert!(!screen.contains("\u{1b}[2K"), "{context}");
            }
            assert!(!screen.contains("panicked"), "{context}");
        }
    }
}

#[test]
fn m1_colours_can_be_had_without_a_terminal_but_no_progress_line() {
    let session = suite();
    let mut command = session.command(&["run", "suite"]);
    command.env_remove("NO_COLOR").env("CLICOLOR_FORCE", "1");
    let ended = wait(command.spawn().unwrap());
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("\u{1b}[3"), "{ended:?}");
    assert!(!ended.stdout.contains("\u{1b}[2K"), "{ended:?}");
    assert!(!ended.stderr.contains("\u{1b}[2K"), "{ended:?}");
}

#[test]
fn m1_help_fits_every_sort_of_terminal() {
    let session = Session::new();
    session.write("k2.yaml", "parallel.workers: 3\n");
    for columns in [0, 1, 40, 80, 120, 300] {
        // What is not known is 80, and nobody reads lines of 300.
        let expected = match columns {
            0 => 80,
            300 => 120,
            columns => usize::from(columns),
        };
        for (variables, colours) in [
            ([("TERM", "xterm-256color"), ("LANG", "C")], true),
            ([("TERM", "dumb"), ("LANG", "C")], false),
            ([("TERM", "xterm"), ("NO_COLOR", "1")], false),
        ] {
            for line in [&["run", "--help"][..], &["run", "--full-help"], &["--help"]] {
                let (master, child) = Terminal::new(columns).start(&session, line, &variables);
                let (screen, ended) = shown(master, child);
                let context = format!("{columns} columns, {variables:?}: {screen}");
                assert_eq!(ended.code, Some(0), "{context}");
                assert_eq!(screen.contains('\u{1b}'), colours, "{context}");
                let plain = without_colours(&screen);
                let widest = plain
                    .lines()
                    .map(|line| line.chars().count())
                    .max()
                    .unwrap();
                // What is typed stays whole, if it is wider than a narrow terminal.
                if expected >= 80 {
                    assert!(widest <= expected, "{widest}: {context}");
                }
                assert!(plain.contains("Usage: zk2"), "{context}");
                if line.len() > 1 {
                    let words: Vec<&str> = plain.split_whitespace().collect();
                    let words = words.join(" ");
                    assert!(words.contains("[now: 3, by k2.yaml:1:19]"), "{context}");
                }
            }
        }
    }
}

/// What a person reads.
fn without_colours(screen: &str) -> String {
    let mut plain = String::new();
    let mut letters = screen.chars();
    while let Some(letter) = letters.next() {
        if letter == '\u{1b}' {
            letters.by_ref().find(char::is_ascii_alphabetic);
        } else {
            plain.push(letter);
        }
    }
    plain
}

#[test]
fn d1_control_c_is_told_on_a_line_of_its_own() {
    let session = Session::new();
    let ready = fifo(&session, "ready");
    session.script("suite/runs", "echo > ready; exec sleep 300");
    let (master, child) =
        Terminal::new(80).start(&session, &["run", "suite"], &[("TERM", "xterm")]);
    read(&ready);
    rustix::io::write(&master, b"\x03").unwrap();
    let (screen, ended) = shown(master, child);
    assert_eq!(ended.signal, Some(2), "{ended:?} {screen:?}");
    // Whatever stood in the line is erased first.
    let line = screen
        .split("\r\n")
        .find(|line| line.contains("SIGINT received"))
        .unwrap();
    let warning = line.rfind("\u{1b}[2K").map_or(line, |at| &line[at..]);
    assert!(warning.starts_with("\u{1b}[2K"), "{screen:?}");
    assert!(!warning.contains("running"), "{screen:?}");
}

/// Settings of a terminal, of which a case changes two.
fn is_raw(terminal: &OwnedFd) -> bool {
    let modes = rustix::termios::tcgetattr(terminal).unwrap().local_modes;
    !modes.intersects(LocalModes::ICANON | LocalModes::ECHO)
}

#[test]
fn d12_what_a_case_does_to_the_settings_of_the_terminal_ends_with_the_run() {
    // It has to ignore what stops everybody who changes them from the background.
    let raw = "trap '' TTOU; stty raw -echo < /dev/tty";
    for (end, code) in [("exit 0", Some(0)), ("kill -9 $PPID; read _ < ready", None)] {
        let session = Session::new();
        let [ready, raw_now] = ["ready", "raw-now"].map(|name| fifo(&session, name));
        let body = format!("{raw}; echo > raw-now; read _ < ready; {end}");
        session.script("suite/changes", &body);
        let terminal = Terminal::new(80);
        let settings = terminal.slave.try_clone().unwrap();
        assert!(!is_raw(&settings));
        let (master, child) = terminal.start(&session, &["run", "suite"], &[]);
        read(&raw_now);
        assert!(is_raw(&settings));
        std::fs::write(&ready, "\n").unwrap();
        let ended = wait(child);
        assert_eq!(ended.code, code, "{ended:?}");
        assert!(!is_raw(&settings));
        drop(master);
    }
}

#[test]
fn d12_a_case_that_reads_from_the_terminal_stops_only_itself() {
    let session = Session::new();
    session.script("suite/asks", "read _ < /dev/tty");
    session.script("suite/passes", "exit 0");
    let options = ["run", "suite", "--tests-timeout", "300ms"];
    let (master, child) = Terminal::new(80).start(&session, &options, &[]);
    let (screen, ended) = shown(master, child);
    assert_eq!(ended.code, Some(1), "{screen}");
    let case = session.finished_case("asks");
    assert_eq!(text(&case, "verdict"), "timed-out");
    let reason = text(&case, "reason");
    assert!(reason.contains("it was suspended at that time"), "{reason}");
    assert_eq!(text(&session.finished_case("passes"), "verdict"), "passed");
}

#[test]
fn d12_a_run_in_the_background_goes_on_and_draws_nothing_where_somebody_types() {
    let session = Session::new();
    for name in ["ready", "go", "code"] {
        fifo(&session, name);
    }
    session.script("suite/waits", "echo > ready; read _ < go");
    let variables = [("PS1", "$ "), ("TERM", "xterm")];
    let (master, child) = Terminal::new(80).start_program(&session, &["sh", "-i"], &variables);
    let mut screen = File::from(master.try_clone().unwrap());
    let screen = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        drop(screen.read_to_end(&mut bytes));
        String::from_utf8_lossy(&bytes).into_owned()
    });
    let type_in = |line: String| rustix::io::write(&master, line.as_bytes()).unwrap();
    type_in(format!("'{}' run suite &\n", env!("CARGO_BIN_EXE_zk2")));
    read(&session.path().join("ready"));
    let runs = children(child.id());
    assert_eq!(runs.len(), 1);
    // The shell has the terminal all the time, and nobody was stopped by that.
    assert_ne!(state(runs[0]), Some('T'));
    std::fs::write(session.path().join("go"), "\n").unwrap();
    type_in("wait $!; echo $? > code; exit\n".to_owned());
    let code = std::fs::read_to_string(session.path().join("code")).unwrap();
    assert_eq!(code.trim(), "0");
    wait(child);
    drop(master);
    let screen = screen.join().unwrap();
    assert!(screen.contains("1 passed"), "{screen}");
    assert!(!screen.contains("\u{1b}[2K"), "{screen:?}");
}

#[test]
fn d5_a_terminal_that_goes_away_ends_the_run_with_all_reports() {
    let session = Session::new();
    let ready = fifo(&session, "ready");
    session.script("suite/a-runs", "echo > ready; exec sleep 300");
    session.script("suite/b-waits", "touch ran");
    let options = ["run", "suite", "--parallel-workers", "1", "--reports-junit"];
    let (master, child) = Terminal::new(80).start(&session, &options, &[("TERM", "xterm")]);
    read(&ready);
    drop(master);
    let ended = wait(child);
    assert_eq!(ended.signal, Some(SIGHUP), "{ended:?}");
    let verdicts: Vec<_> = session.verdicts().into_values().collect();
    assert_eq!(verdicts, ["aborted", "not-run"]);
    let xml = std::fs::read_to_string(session.latest().join("junit.xml")).unwrap();
    assert_eq!(xml.matches("<testcase").count(), 2, "{xml}");
    assert!(!session.path().join("ran").exists());
}

#[test]
fn d5_a_hang_up_that_was_ignored_from_the_start_stays_ignored() {
    let session = Session::new();
    let ready = fifo(&session, "ready");
    let go = fifo(&session, "go");
    session.script("suite/waits", "echo > ready; read _ < go");
    session.script(
        "nohup-run",
        &format!(
            "trap '' HUP; exec '{}' run suite",
            env!("CARGO_BIN_EXE_zk2")
        ),
    );
    let child = Command::new("./nohup-run")
        .current_dir(session.path())
        .env("HOME", session.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    read(&ready);
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
    std::fs::write(&go, "\n").unwrap();
    let ended = wait(child);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(text(&session.finished_case("waits"), "verdict"), "passed");
}
