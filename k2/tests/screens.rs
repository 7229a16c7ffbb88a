//! The screens of the book: what stands in a terminal of 80 and of 120 columns when a run is over, for each way in which it can end.
//!
//! They are recorded here each time, and compared with `docs/src/screens`. What differs from run to run, ids and times, is made the same.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process};

use crate::guard::children;
use crate::last_screen::Screen;
use crate::session::{Session, example, wait};
use crate::stopping::{fifo, read};
use crate::terminal::Terminal;

/// Widths of the terminals.
const COLUMNS: [u16; 2] = [80, 120];

/// What happens in a run.
#[derive(Clone, Copy)]
enum Event {
    None,
    /// This to the process at the head of the run, while the second case runs.
    WhileRunning(fn(Pid)),
    /// The function that kills the runner goes on, when what was before it is shown.
    Crash,
}

/// What is typed, and what happens then.
struct Scene {
    /// Name of the files, without the width.
    name: &'static str,
    /// What is typed.
    typed: &'static str,
    /// What the shell makes of it, so that the process that was started is the one that runs.
    script: &'static str,
    event: Event,
    /// Status for the shell.
    status: i32,
}

const RUN: &str = "zk2 run suite --parallel-workers 1";
const EXEC: &str = "exec zk2 run suite --parallel-workers 1";

fn signal(run: Pid, signal: Signal) {
    kill_process(run, signal).unwrap();
}

/// The screen at the end of a scene, with what was typed above and the status below.
fn recorded(scene: &Scene, columns: u16) -> String {
    let session = Session::new();
    session.script("suite/a-fails", "echo 'a clue'; exit 3");
    let (body, pipe) = match scene.event {
        Event::None => ("exit 0", None),
        Event::WhileRunning(_) => ("echo > ready; exec sleep 300", Some("ready")),
        Event::Crash => ("exit 0", Some("go")),
    };
    session.script("suite/b-runs", body);
    session.script("suite/c-waits", "exit 0");
    let pipe = pipe.map(|name| fifo(&session, name));
    let programs = session.path().join("programs");
    fs::create_dir(&programs).unwrap();
    for (name, program) in [
        ("zk2", PathBuf::from(env!("CARGO_BIN_EXE_zk2"))),
        ("mytests", example("zk2-testbench")),
    ] {
        std::os::unix::fs::symlink(program, programs.join(name)).unwrap();
    }
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", programs.display());
    let variables = [
        ("TERM", "xterm-256color"),
        ("PATH", &path),
        ("LANG", "C.UTF-8"),
    ];
    let line = ["sh", "-c", scene.script];
    let (master, child) = Terminal::new(columns).start_program(&session, &line, &variables);
    let mut master = File::from(master);
    let mut bytes = Vec::new();
    let mut shown = |text: &str| {
        let mut some = [0; 4096];
        while !String::from_utf8_lossy(&bytes).contains(text) {
            let count = master.read(&mut some).unwrap();
            assert_ne!(count, 0, "{}", String::from_utf8_lossy(&bytes));
            bytes.extend_from_slice(&some[..count]);
        }
    };
    match (scene.event, pipe) {
        (Event::WhileRunning(act), Some(ready)) => {
            read(&ready);
            shown("a clue");
            act(Pid::from_child(&child));
        }
        (Event::Crash, Some(go)) => {
            // It opens the pipe when it has begun.
            let go = File::options().write(true).open(go).unwrap();
            shown("  suite::c-waits");
            drop(go);
        }
        _ => {}
    }
    // A terminal without anybody at its other end is an error (EIO), not an end.
    drop(master.read_to_end(&mut bytes));
    let ended = wait(child);
    let status = ended.code.or(ended.signal.map(|signal| 128 + signal));
    let shown = String::from_utf8_lossy(&bytes);
    assert_eq!(status, Some(scene.status), "{}: {shown}", scene.name);
    let mut lines = vec![format!("$ {}", scene.typed)];
    let screen = Screen::of(&shown, usize::from(columns));
    lines.extend(screen.iter().map(|line| settled(line)));
    lines.push("$ echo $?".to_owned());
    lines.push(scene.status.to_string());
    lines.join("\n") + "\n"
}

/// A line with the same id, times and version in every run.
fn settled(line: &str) -> String {
    let line = line.replace(concat!("k2 ", env!("CARGO_PKG_VERSION")), "k2 1.0.0");
    let letters: Vec<char> = line.chars().collect();
    let mut settled = String::new();
    let mut rest = letters.as_slice();
    while let Some((&first, behind)) = rest.split_first() {
        let word = rest
            .iter()
            .take_while(|c| c.is_ascii_hexdigit() || "-.".contains(**c));
        let word: String = word.collect();
        if is_id(&word) {
            settled.push_str("01a200ff8610-7959");
            rest = &rest[word.len()..];
        } else if let Some(decimals) = decimals(&word) {
            settled.push_str(if decimals == 3 { "0.012" } else { "0.12" });
            rest = &rest[word.len()..];
        } else if word.is_empty() {
            settled.push(first);
            rest = behind;
        } else {
            settled.push_str(&word);
            rest = &rest[word.len()..];
        }
    }
    settled
}

fn is_id(word: &str) -> bool {
    let parts = word.split_once('-');
    parts.is_some_and(|(time, chance)| time.len() == 12 && chance.len() == 4)
}

/// How many decimals a time has.
fn decimals(word: &str) -> Option<usize> {
    let (whole, decimals) = word.split_once('.')?;
    let is_number = [whole, decimals]
        .iter()
        .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    is_number.then_some(decimals.len())
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src/screens")
}

/// Asserts that the book has this screen.
fn assert_in_the_book(scene: &Scene) {
    for columns in COLUMNS {
        let name = format!("{}-{columns}.txt", scene.name);
        let (screen, path) = (recorded(scene, columns), directory().join(&name));
        let known = fs::read_to_string(&path).unwrap_or_default();
        if screen != known {
            let new = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
            fs::write(&new, &screen).unwrap();
            panic!(
                "the book has\n{known}\nand it is\n{screen}\nif that is right: cp {} {}",
                new.display(),
                path.display()
            );
        }
    }
}

/// A test of each scene.
macro_rules! scenes {
    ($($test:ident: $name:literal, $typed:expr, $script:expr, $event:expr, $status:literal;)*) => {
        /// Names of all scenes.
        const NAMES: &[&str] = &[$($name),*];
        $(
            #[test]
            fn $test() {
                assert_in_the_book(&Scene {
                    name: $name,
                    typed: $typed,
                    script: $script,
                    event: $event,
                    status: $status,
                });
            }
        )*
    };
}

scenes! {
    d9_a_run_whose_reader_goes_away_as_the_book_shows_it: "pipe",
        "zk2 run suite --parallel-workers 1 | head -2",
        "zk2 run suite --parallel-workers 1 | head -2", Event::None, 0;
    m1_a_run_without_a_terminal_as_the_book_shows_it: "no-terminal",
        "zk2 run suite --parallel-workers 1 | cat",
        "zk2 run suite --parallel-workers 1 | cat", Event::None, 0;
    d1_a_run_after_control_c_as_the_book_shows_it: "control-c", RUN, EXEC,
        Event::WhileRunning(|run| signal(run, Signal::INT)), 130;
    d4_a_run_after_sigterm_as_the_book_shows_it: "sigterm", RUN, EXEC,
        Event::WhileRunning(|run| signal(run, Signal::TERM)), 143;
    d17_a_run_after_kill_9_of_its_runner_as_the_book_shows_it: "killed", RUN, EXEC,
        Event::WhileRunning(|run| {
            let runner = children(u32::try_from(run.as_raw_nonzero().get()).unwrap());
            signal(runner[0], Signal::KILL);
        }), 137;
    e31_a_run_of_which_a_function_kills_the_runner_as_the_book_shows_it: "crashed",
        "mytests run suite rust:zk2_testbench::kills_the_runner --suts-ids box --parallel-workers 1",
        "exec mytests run suite rust:zk2_testbench::kills_the_runner --suts-ids box --parallel-workers 1",
        Event::Crash, 1;
    f1_a_run_on_a_full_disk_as_the_book_shows_it: "full-disk", RUN,
        "exec prlimit --fsize=512 zk2 run suite --parallel-workers 1", Event::None, 6;
    a_run_that_ends_by_itself_as_the_book_shows_it: "ended", RUN, EXEC, Event::None, 1;
}

#[test]
fn the_page_has_every_screen_and_no_other() {
    let page = fs::read_to_string(directory().with_extension("md")).unwrap();
    let mut known = Vec::new();
    for name in NAMES {
        for columns in COLUMNS {
            let file = format!("{name}-{columns}.txt");
            assert!(
                page.contains(&format!("{{{{#include screens/{file}}}}}")),
                "{file}"
            );
            known.push(file);
        }
    }
    let mut files: Vec<_> = fs::read_dir(directory())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    known.sort();
    assert_eq!(files, known);
}

#[test]
fn times_and_ids_are_the_same_in_every_recording() {
    for (line, same) in [
        (
            "     PASS    1.234s  suite::c3",
            "     PASS    0.012s  suite::c3",
        ),
        ("  1 passed   17.3 s, 1 case", "  1 passed   0.12 s, 1 case"),
        ("output/0190aabbccdd-00ff/x", "output/01a200ff8610-7959/x"),
        ("exit code 3, a-fails", "exit code 3, a-fails"),
    ] {
        assert_eq!(settled(line), same);
    }
}
