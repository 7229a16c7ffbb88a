//! What stands on the screen when a run is over, after each way in which it can end.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::process::Child;

use rustix::process::{Pid, Signal, kill_process};

use crate::guard::children;
use crate::session::{Ended, Session, wait};
use crate::stopping::{fifo, read};
use crate::terminal::Terminal;

/// What a person sees of what was written to a terminal of so many columns: lines, as they stand at the end.
pub(crate) struct Screen {
    columns: usize,
    lines: Vec<Vec<char>>,
    line: usize,
    column: usize,
}

impl Screen {
    pub(crate) fn of(written: &str, columns: usize) -> Vec<String> {
        let mut screen = Self {
            columns,
            lines: vec![Vec::new()],
            line: 0,
            column: 0,
        };
        let mut letters = written.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '\r' => screen.column = 0,
                '\n' => screen.feed(),
                '\u{1b}' => screen.control(&mut letters),
                letter => screen.put(letter),
            }
        }
        let lines = screen
            .lines
            .iter()
            .map(|line| line.iter().collect::<String>());
        let mut lines: Vec<_> = lines.map(|line| line.trim_end().to_owned()).collect();
        while lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
        lines
    }

    fn feed(&mut self) {
        self.line += 1;
        if self.line == self.lines.len() {
            self.lines.push(Vec::new());
        }
    }

    fn put(&mut self, letter: char) {
        if self.column == self.columns {
            self.column = 0;
            self.feed();
        }
        let line = &mut self.lines[self.line];
        line.resize(line.len().max(self.column + 1), ' ');
        line[self.column] = letter;
        self.column += 1;
    }

    /// Colours change nothing here; whatever else a run writes is known, so that nothing unknown can go unseen.
    fn control(&mut self, letters: &mut std::str::Chars<'_>) {
        assert_eq!(
            letters.next(),
            Some('['),
            "only sequences of one kind are written"
        );
        let mut parameters = String::new();
        let end = letters.by_ref().find(|letter| {
            let is_end = letter.is_ascii_alphabetic();
            if !is_end {
                parameters.push(*letter);
            }
            is_end
        });
        match (end, parameters.as_str()) {
            (Some('m'), _) => {}
            (Some('K'), "2") => self.lines[self.line].clear(),
            (Some('K'), "" | "0") => self.lines[self.line].truncate(self.column),
            (Some('A'), count) => {
                self.line = self.line.saturating_sub(count.parse().unwrap_or(1));
            }
            other => panic!("{other:?} is not known"),
        }
    }
}

/// A run at a terminal of which one case has ended and one waits.
struct Running {
    session: Session,
    master: OwnedFd,
    child: Child,
    columns: u16,
}

fn start(columns: u16, options: &[&str]) -> Running {
    let session = Session::new();
    let ready = fifo(&session, "ready");
    session.script("suite/a-fails", "echo 'a clue'; exit 3");
    session.script("suite/b-runs", "echo > ready; exec sleep 300");
    session.script("suite/c-waits", "exit 0");
    let line = ["run", "suite", "--parallel-workers", "1"];
    let line = [&[env!("CARGO_BIN_EXE_zk2")], &line[..], options].concat();
    let variables = [("TERM", "xterm-256color")];
    let (master, child) = Terminal::new(columns).start_program(&session, &line, &variables);
    read(&ready);
    Running {
        session,
        master,
        child,
        columns,
    }
}

impl Running {
    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// The screen when nobody writes any more.
    fn end(self) -> (Vec<String>, Ended, Session) {
        let mut bytes = Vec::new();
        // A terminal without anybody at its other end is an error (EIO), not an end.
        drop(File::from(self.master).read_to_end(&mut bytes));
        let written = String::from_utf8_lossy(&bytes);
        let ended = wait(self.child);
        let screen = Screen::of(&written, usize::from(self.columns));
        (screen, ended, self.session)
    }
}

/// Where a line begins with this, behind its indentation.
#[track_caller]
fn place(screen: &[String], begin: &str) -> usize {
    let found = screen
        .iter()
        .position(|line| line.trim_start().starts_with(begin));
    found.unwrap_or_else(|| panic!("no `{begin}` in {screen:#?}"))
}

/// What every screen has: no leftover of the progress line, verdicts above details, counts below, and how it ended as the last line.
#[track_caller]
fn assert_in_order(screen: &[String], columns: u16, exit: &str) {
    assert!(!screen.iter().any(|line| line.contains('▕')), "{screen:#?}");
    let places = [
        "FAIL    ",
        "FAIL suite::a-fails",
        "reason",
        "0 passed",
        "report",
        exit,
    ];
    let places = places.map(|begin| place(screen, begin));
    assert!(places.is_sorted(), "{places:?} {screen:#?}");
    assert_eq!(places[5] + 1, screen.len(), "{screen:#?}");
    // Only what is to be copied as it is may be cut by the edge.
    let again = place(screen, "again");
    for (number, line) in screen.iter().enumerate() {
        let is_full = line.chars().count() == usize::from(columns);
        let is_cut = is_full && !line.ends_with('…') && number > again + 3;
        assert!(!is_cut, "{line}");
    }
}

#[test]
fn d1_d2_d4_after_each_signal_the_screen_is_in_order() {
    for columns in [80, 120] {
        for (signals, exit, grace) in [
            (&[Signal::INT][..], "exit 130", "4s"),
            (&[Signal::INT, Signal::INT], "exit 130", "5m"),
            (&[Signal::TERM], "exit 143", "4s"),
        ] {
            let running = start(columns, &["--tests-grace", grace]);
            for signal in signals {
                running.signal(*signal);
            }
            let (screen, _, _) = running.end();
            assert_in_order(&screen, columns, exit);
            let told = place(&screen, "warning: SIG");
            assert!(told < place(&screen, "ABORT"), "{screen:#?}");
            place(&screen, "0 passed · 1 failed · 1 aborted · 1 not run");
        }
    }
}

#[test]
fn a_run_that_ends_by_itself_leaves_the_screen_in_order() {
    for columns in [80, 120] {
        let (screen, ended, _) = start(columns, &["--tests-timeout", "300ms"]).end();
        assert_eq!(ended.code, Some(1));
        let ends = ["TIME", "PASS"].map(|word| place(&screen, word));
        assert!(ends.is_sorted(), "{screen:#?}");
        place(&screen, "1 passed · 1 failed · 1 timed out");
        place(&screen, "stdout  a clue");
        assert!(!screen.iter().any(|line| line.contains('▕')), "{screen:#?}");
    }
}

#[test]
fn d17_after_kill_9_of_the_runner_the_screen_says_what_was_lost_and_where_the_rest_is() {
    for columns in [80, 120] {
        let running = start(columns, &[]);
        let runner = children(running.child.id());
        assert_eq!(runner.len(), 1, "{runner:?}");
        kill_process(runner[0], Signal::KILL).unwrap();
        let (screen, _, session) = running.end();
        let said = place(&screen, "error: runner was killed (SIGKILL)");
        assert!(!screen.iter().any(|line| line.contains('▕')), "{screen:#?}");
        let case = place(&screen, "error    suite::b-runs");
        let log = place(&screen, "log ");
        assert!(said < case && case < log, "{screen:#?}");
        // With what it names everything can be reported.
        let ended = session.zk2(&["report"]);
        assert_eq!(ended.code, Some(5), "{ended:?}");
        assert!(ended.stdout.contains("1 failed"), "{ended:?}");
    }
}

#[test]
fn the_model_of_a_screen_shows_what_a_terminal_shows() {
    let shown = Screen::of(
        "abcdef\r\n12\r\u{1b}[2Kx\u{1b}[31my\u{1b}[0m\r\nz\u{1b}[1A\rq",
        4,
    );
    assert_eq!(shown, ["abcd", "ef", "qy", "z"]);
}
