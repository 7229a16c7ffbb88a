//! Fifty runs that are struck at a random moment, each with a seed that repeats it.
//!
//! After each, whatever it was, the [five things](crate::aftermath) hold. Source: reliability, 9.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, ExitStatus};

use rustix::process::{Pid, PidfdFlags, Signal, kill_process, kill_process_group, pidfd_open};

use crate::aftermath::{Aftermath, Witness};
use crate::guard::{children, stops, wait_for_end};
use crate::session::{Session, example};

/// What is done to a run at a random moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blow {
    Signal(Signal),
    Twice(Signal),
    Group(Signal),
    StopAndContinue,
    KillRunner,
    KillGuard,
    KillBoth,
    Nothing,
}

const BLOWS: [Blow; 12] = [
    Blow::Signal(Signal::INT),
    Blow::Twice(Signal::INT),
    Blow::Group(Signal::INT),
    Blow::Signal(Signal::TERM),
    Blow::Group(Signal::HUP),
    Blow::Signal(Signal::QUIT),
    Blow::StopAndContinue,
    Blow::KillRunner,
    Blow::KillGuard,
    Blow::KillBoth,
    Blow::KillRunner,
    Blow::Nothing,
];

/// Small numbers from a seed: the next state of a linear congruential generator, its upper bits.
fn next(state: &mut u64, below: usize) -> usize {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*state >> 33).unwrap() % below
}

impl Blow {
    fn strike(self, guard: &Child) {
        let pid = Pid::from_child(guard);
        // A run that is over by then has not been reaped, so its number is still its own; the runner may be gone.
        match self {
            Self::Signal(signal) => kill_process(pid, signal).unwrap(),
            Self::Twice(signal) => {
                kill_process(pid, signal).unwrap();
                kill_process(pid, signal).unwrap();
            }
            Self::Group(signal) => kill_process_group(pid, signal).unwrap(),
            Self::StopAndContinue => {
                kill_process(pid, Signal::TSTP).unwrap();
                if stops(pid) {
                    kill_process(pid, Signal::CONT).unwrap();
                }
            }
            Self::KillRunner => {
                for runner in children(guard.id()) {
                    let _ = kill_process(runner, Signal::KILL);
                }
            }
            Self::KillGuard => kill_process(pid, Signal::KILL).unwrap(),
            Self::KillBoth => kill_process_group(pid, Signal::KILL).unwrap(),
            Self::Nothing => {}
        }
    }

    /// Whether a run that was struck may end like this. If it was over by then, it had failed cases.
    fn explains(self, status: ExitStatus) -> bool {
        let ended = (status.code(), status.signal());
        if ended == (Some(1), None) {
            return true;
        }
        match self {
            // The second one ends a run that is already ending at once.
            Self::Twice(signal) => {
                let number = signal.as_raw();
                ended == (None, Some(number)) || ended == (Some(128 + number), None)
            }
            Self::Signal(signal) | Self::Group(signal) => ended == (None, Some(signal.as_raw())),
            Self::KillRunner | Self::KillGuard | Self::KillBoth => ended == (None, Some(9)),
            Self::StopAndContinue | Self::Nothing => false,
        }
    }
}

const SCRIPTS: usize = 24;

/// Functions of which two kill their runner.
const FUNCTIONS: [&str; 4] = ["a_passes", "b_leaves_processes", "c_aborts", "c_exits"];

fn session() -> Session {
    let session = Session::new();
    let modes = [
        "fork-setsid",
        "double-fork",
        "fork-quiet",
        "exit 0",
        "exit 1",
        "hang",
    ];
    for number in 0..SCRIPTS {
        let mode = modes[number % modes.len()];
        session.fixture(&format!("suite/{number:02}"), mode);
    }
    fs::create_dir(session.path().join("tmp")).unwrap();
    session
}

/// One run that is struck after a random number of lines.
fn round(seed: u64, blow: Blow) {
    let mut state = seed;
    next(&mut state, 1);
    let session = session();
    let functions = FUNCTIONS.map(|name| format!("rust:zk2_dying::{name}"));
    // With the guard dead and a function that kills the runner, nobody is left who could give verdicts.
    let isolation = match blow {
        Blow::KillGuard => "process",
        _ => ["in-process", "process"][next(&mut state, 2)],
    };
    let mut command = session.program(example("zk2-dying").to_str().unwrap(), &["run", "suite"]);
    command.args(functions).args(["--isolation", isolation]);
    command.args(["--tests-timeout", "300ms", "--tests-grace", "50ms"]);
    command.args(["--parallel-workers", "4", "--reports-junit"]);
    command.env("TMPDIR", session.path().join("tmp"));
    let mut guard = command
        .process_group(0)
        .stderr(fs::File::create(session.path().join("stderr")).unwrap())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(guard.stdout.take().unwrap()).lines();
    let before = next(&mut state, SCRIPTS + FUNCTIONS.len() + 6);
    assert!(lines.by_ref().take(before).all(|line| line.is_ok()));
    let runner = children(guard.id())
        .first()
        .and_then(|&runner| pidfd_open(runner, PidfdFlags::empty()).ok());
    blow.strike(&guard);
    if blow != Blow::KillBoth {
        // What lives on holds the pipe then.
        assert!(lines.all(|line| line.is_ok()));
    }
    let status = guard.wait().unwrap();
    if let Some(runner) = runner {
        wait_for_end(&runner);
    }
    let said = fs::read_to_string(session.path().join("stderr")).unwrap();
    assert!(blow.explains(status), "{status:?}: {said}");
    let selected = SCRIPTS + FUNCTIONS.len();
    let (code, signal) = (status.code(), status.signal());
    let witness = match blow {
        Blow::KillBoth => Witness::Gone,
        _ => Witness::Alive,
    };
    if witness == Witness::Gone && session.latest().exists() {
        // The next one finds what they have left.
        session.script("next", "exit 0");
        let next = ["run", "next"];
        let struck = fs::canonicalize(session.latest()).unwrap();
        let ended = session.zk2(&next);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        fs::remove_file(session.path().join("next")).unwrap();
        point_to(&session, &struck);
    }
    Aftermath {
        session: &session,
        code,
        signal,
        selected,
        witness,
        files: &["stderr", "suite", "tmp"],
    }
    .assert_sound();
}

/// Lets `latest` lead to the run that was struck again.
fn point_to(session: &Session, run: &Path) {
    fs::remove_file(session.latest()).unwrap();
    std::os::unix::fs::symlink(run, session.latest()).unwrap();
}

fn rounds(seeds: impl Iterator<Item = u64>) {
    for seed in seeds {
        let blow = BLOWS[usize::try_from(seed).unwrap() % BLOWS.len()];
        let outcome = std::panic::catch_unwind(|| round(seed, blow));
        if let Err(panic) = outcome {
            let line = format!("seed {seed}, {blow:?}: ZK2_CHAOS_SEED={seed} ZK2_CHAOS_ROUNDS=1\n");
            let _ = rustix::io::write(rustix::stdio::stderr(), line.as_bytes());
            std::panic::resume_unwind(panic);
        }
    }
}

/// The rounds that were asked for by the environment, or none.
#[test]
fn d17_d18_d19_chaos_as_the_environment_says() {
    let number = |name: &str| std::env::var(name).ok()?.parse().ok();
    let first: u64 = number("ZK2_CHAOS_SEED").unwrap_or(1);
    rounds(first..first + number("ZK2_CHAOS_ROUNDS").unwrap_or(0));
}

/// Fifty in all, in five tests so that they run side by side.
macro_rules! fifty {
    ($($name:ident: $seeds:expr;)*) => {
        $(
            #[test]
            fn $name() {
                rounds($seeds);
            }
        )*
    };
}

fifty! {
    d17_d18_d19_chaos_leaves_nothing_behind_seeds_1_to_10: 1..=10;
    d17_d18_d19_chaos_leaves_nothing_behind_seeds_11_to_20: 11..=20;
    d17_d18_d19_chaos_leaves_nothing_behind_seeds_21_to_30: 21..=30;
    d17_d18_d19_chaos_leaves_nothing_behind_seeds_31_to_40: 31..=40;
    d17_d18_d19_chaos_leaves_nothing_behind_seeds_41_to_50: 41..=50;
}
