//! A run in a shell at a terminal: Ctrl-Z and `fg`, Ctrl-C, and what they mean for each time limit.
//!
//! While a run is stopped, another one with the same limit begins and comes to its end by it: then the time of the first one would be
//! up as well, if it went on.

use std::fs::{self, File};
use std::io::Read;
use std::os::fd::OwnedFd;
use std::process::Child;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;

use rustix::process::Pid;

use crate::guard::{children, state};
use crate::session::{Session, example, text, wait};
use crate::stopping::{fifo, read};
use crate::terminal::Terminal;

/// Enough for a case that is told to end at once, also on a busy machine; it is also how long these tests take.
const LIMIT: &str = "6s";
const LIMIT_SECONDS: f64 = 6.0;

/// A shell with job control at a terminal, in which a run has begun.
struct Shell {
    session: Session,
    master: OwnedFd,
    child: Child,
    screen: Screen,
    guard: Pid,
    runner: Pid,
}

/// What a terminal shows, read by a thread of its own, so that nobody waits for its buffer.
#[derive(Clone)]
struct Screen(Arc<(Mutex<Shown>, Condvar)>);

#[derive(Default)]
struct Shown {
    text: String,
    is_over: bool,
}

impl Screen {
    fn of(master: &OwnedFd) -> (Self, JoinHandle<()>) {
        let screen = Self(Arc::default());
        let (filled, mut master) = (screen.clone(), File::from(master.try_clone().unwrap()));
        let reader = std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // Without anybody at the other end that is an error (EIO), not an end.
            while let Ok(count @ 1..) = master.read(&mut bytes) {
                filled.change(|shown| {
                    let text = String::from_utf8_lossy(&bytes[..count]);
                    shown.text.push_str(&text);
                });
            }
            filled.change(|shown| shown.is_over = true);
        });
        (screen, reader)
    }

    fn change(&self, change: impl FnOnce(&mut Shown)) {
        change(&mut self.0.0.lock().unwrap());
        self.0.1.notify_all();
    }

    fn text(&self) -> String {
        self.0.0.lock().unwrap().text.clone()
    }

    /// Waits until what is shown behind the first `from` bytes is as wanted.
    fn wait_until(&self, from: usize, is_wanted: impl Fn(&str) -> bool) {
        let mut shown = self.0.0.lock().unwrap();
        while !is_wanted(shown.text.get(from..).unwrap_or_default()) {
            assert!(!shown.is_over, "{}", shown.text);
            shown = self.0.1.wait(shown).unwrap();
        }
    }
}

/// The ages of a case as the progress line shows them, in seconds.
fn ages(screen: &str, case: &str) -> Vec<f64> {
    let name = format!("{case} ");
    let parts = screen.split(&name).skip(1);
    parts
        .filter_map(|part| part.split_once('s')?.0.parse().ok())
        .collect()
}

impl Shell {
    /// `run` in a shell; one of its cases writes to the pipe `ready` as soon as it runs.
    fn with_run(session: Session, program: &str, arguments: &str) -> Self {
        let ready = fifo(&session, "ready");
        for name in ["prompt", "code"] {
            fifo(&session, name);
        }
        let shell = ["sh", "-i"];
        let variables = [("PS1", "$ "), ("TERM", "xterm")];
        let (master, child) = Terminal::new(200).start_program(&session, &shell, &variables);
        let (screen, _reader) = Screen::of(&master);
        let line = format!("'{program}' {arguments}\n");
        rustix::io::write(&master, line.as_bytes()).unwrap();
        read(&ready);
        let guard = children(child.id()).into_iter().next().unwrap();
        let runner = children(u32::try_from(guard.as_raw_pid()).unwrap())[0];
        Self {
            session,
            master,
            child,
            screen,
            guard,
            runner,
        }
    }

    /// A run of a script that waits for the pipe `go`.
    fn with_script(options: &str) -> Self {
        let session = Session::new();
        fifo(&session, "go");
        session.script("suite/waits", "echo > ready; read _ < go");
        // The options of the command stand before its name.
        let (before, behind): (Vec<&str>, Vec<&str>) = options
            .split_whitespace()
            .partition(|option| option.starts_with("--command"));
        let line = format!("{} run suite {}", before.join(" "), behind.join(" "));
        Self::with_run(session, env!("CARGO_BIN_EXE_zk2"), &line)
    }

    fn type_in(&self, text: &str) {
        rustix::io::write(&self.master, text.as_bytes()).unwrap();
    }

    fn read(&self, fifo: &str) -> String {
        let text = fs::read_to_string(self.session.path().join(fifo)).unwrap();
        text.trim().to_owned()
    }

    /// Stops the run with Ctrl-Z; returns when the shell has its terminal back.
    fn stop(&self) {
        self.type_in("\x1a");
        self.type_in("echo $? > prompt\n");
        assert_ne!(self.read("prompt"), "0");
        let states = (state(self.guard), state(self.runner));
        assert_eq!(states, (Some('T'), Some('T')));
    }

    /// Continues the run with `fg`; returns when it shows again what runs.
    fn go_on(&self, case: &str) {
        let before = self.screen.text().len();
        self.type_in("fg\n");
        self.screen
            .wait_until(before, |shown| !ages(shown, case).is_empty());
    }

    /// Lets the case end through its pipe.
    fn let_go(&self) {
        fs::write(self.session.path().join("go"), "\n").unwrap();
    }

    /// Waits for the run and the shell; returns the exit code that the shell has seen, and all that was shown.
    fn end(self) -> (Session, String, String) {
        self.type_in("echo $? > code; exit\n");
        let code = self.read("code");
        wait(self.child);
        drop(self.master);
        self.screen.0.1.notify_all();
        let mut shown = self.screen.0.0.lock().unwrap();
        while !shown.is_over {
            shown = self.screen.0.1.wait(shown).unwrap();
        }
        (self.session, code, shown.text.clone())
    }
}

/// Runs what never ends within the same limit, until that has ended it.
pub(crate) fn outlast(options: &str) {
    let session = Session::new();
    session.fixture("hangs", "hang");
    let mut arguments: Vec<&str> = options.split_whitespace().collect();
    let at = arguments
        .iter()
        .take_while(|option| option.starts_with("--command"))
        .count();
    arguments.splice(at..at, ["run", "hangs", "--tests-grace=100ms"]);
    let ended = session.zk2(&arguments);
    assert!(matches!(ended.code, Some(1 | 3)), "{ended:?}");
}

/// A run of a script is stopped for longer than its limit, and then passes.
fn assert_pauses(option: &str) {
    let options = format!("{option}={LIMIT}");
    let shell = Shell::with_script(&options);
    shell.stop();
    outlast(&options);
    shell.go_on("suite::waits");
    shell.let_go();
    let (session, code, screen) = shell.end();
    assert_eq!(code, "0", "{screen}");
    assert_eq!(text(&session.finished_case("waits"), "verdict"), "passed");
    session.assert_nothing_left();
}

#[test]
fn d7_control_z_gives_the_terminal_back_and_fg_goes_on() {
    let shell = Shell::with_script("");
    shell.stop();
    shell.type_in("fg\n");
    shell.let_go();
    let (session, code, screen) = shell.end();
    assert_eq!(code, "0");
    assert!(screen.contains("Stopped"), "{screen}");
    assert_eq!(text(&session.finished_case("waits"), "verdict"), "passed");
}

#[test]
fn d7_the_limit_of_a_case_stands_still_while_the_run_is_stopped() {
    assert_pauses("--tests-timeout");
}

#[test]
fn d7_the_limit_of_a_part_of_a_case_stands_still_while_the_run_is_stopped() {
    assert_pauses("--tests-body-timeout");
}

#[test]
fn d7_the_limit_of_the_run_stands_still_while_it_is_stopped() {
    assert_pauses("--run-timeout");
}

#[test]
fn d7_the_limit_of_the_command_stands_still_while_it_is_stopped() {
    assert_pauses("--command-timeout");
}

/// The limit of the part of a function, in the runner or in a process of its own.
fn assert_part_of_function_pauses(isolation: &str) {
    let session = Session::new();
    fifo(&session, "done");
    let program = example("zk2-dying");
    let limit = format!("--tests-body-timeout={LIMIT}");
    let options = format!("run rust:zk2_dying::j_waits {limit} --isolation {isolation}");
    let shell = Shell::with_run(session, program.to_str().unwrap(), &options);
    shell.stop();
    outlast(&limit);
    shell.go_on("j_waits");
    fs::write(shell.session.path().join("done"), "\n").unwrap();
    let (session, code, screen) = shell.end();
    assert_eq!(code, "0", "{screen}");
    assert_eq!(text(&session.finished_case("j_waits"), "verdict"), "passed");
}

#[test]
fn d7_the_limit_of_a_part_of_a_function_stands_still_while_the_run_is_stopped() {
    assert_part_of_function_pauses("in-process");
}

#[test]
fn d7_the_limit_of_a_part_of_a_function_apart_stands_still_while_the_run_is_stopped() {
    assert_part_of_function_pauses("process");
}

#[test]
fn d7_a_limit_still_holds_when_the_run_goes_on() {
    let limit = "--tests-timeout=2s";
    let shell = Shell::with_script(&format!("{limit} --tests-grace=100ms"));
    shell.stop();
    outlast(limit);
    shell.type_in("fg\n");
    let (session, code, screen) = shell.end();
    assert_eq!(code, "1", "{screen}");
    let verdict = text(&session.finished_case("waits"), "verdict");
    assert_eq!(verdict, "timed-out");
}

#[test]
fn d7_nothing_that_is_shown_counts_the_time_for_which_the_run_was_stopped() {
    let shell = Shell::with_script("");
    shell.stop();
    outlast(&format!("--tests-timeout={LIMIT}"));
    shell.go_on("suite::waits");
    shell.let_go();
    let (session, code, screen) = shell.end();
    assert_eq!(code, "0", "{screen}");
    let ages = ages(&screen, "suite::waits");
    assert!(ages.iter().all(|age| *age < LIMIT_SECONDS), "{ages:?}");
    let most = LIMIT_SECONDS * 1e6;
    let took = |record: &serde_json::Value| record.get("duration_us")?.as_f64();
    let of_case = took(&session.finished_case("waits"));
    let of_run = took(&session.records().pop().unwrap());
    for took in [of_case, of_run] {
        assert!(took.is_some_and(|took| took < most), "{took:?} {screen}");
    }
}

#[test]
fn d1_control_c_ends_both_and_the_shell_sees_130() {
    let shell = Shell::with_script("");
    shell.type_in("\x03");
    let (session, code, screen) = shell.end();
    assert_eq!(code, "130");
    assert_eq!(screen.matches("SIGINT received").count(), 1, "{screen}");
    assert_eq!(text(&session.finished_case("waits"), "verdict"), "aborted");
}
