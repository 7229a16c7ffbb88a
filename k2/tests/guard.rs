//! The guard: whatever dies, nothing is left behind, and the shell sees what it would see without a guard.

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use crate::aftermath::{assert_nothing_runs, whole_records};
use crate::session::{Ended, Session, example, text, wait};
use crate::stopping::{fifo, read};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, pidfd_open,
    waitid,
};

const SIGINT: i32 = 2;
const SIGABRT: i32 = 6;
const SIGKILL: i32 = 9;
const SIGTERM: i32 = 15;

/// A run that goes on: the process that was started, and the one that it guards.
pub(crate) struct Guarded {
    pub(crate) session: Session,
    pub(crate) guard: Child,
    pub(crate) runner: Pid,
    /// Becomes readable when the runner has ended.
    runner_end: OwnedFd,
}

impl Guarded {
    /// Starts `command`, in a process group of its own, and waits until somebody writes to the pipe `ready`.
    pub(crate) fn start(session: Session, mut command: Command) -> Self {
        command.process_group(0);
        Self::wait_for(session, command)
    }

    /// The same, in a session of its own, as the programs of a service are: then no signal of the kernel wakes the run when its guard has died.
    pub(crate) fn start_in_a_session(session: Session, arguments: &[&str]) -> Self {
        let line = [&[env!("CARGO_BIN_EXE_zk2")], arguments].concat();
        let command = session.program("setsid", &line);
        Self::wait_for(session, command)
    }

    fn wait_for(session: Session, mut command: Command) -> Self {
        let ready = fifo(&session, "ready");
        let guard = command.spawn().unwrap();
        read(&ready);
        let runner = runner_of(&guard);
        let runner_end = pidfd_open(runner, PidfdFlags::empty()).unwrap();
        Self {
            session,
            guard,
            runner,
            runner_end,
        }
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.guard)
    }

    /// Waits for both.
    pub(crate) fn end(self) -> (Session, Ended) {
        // The runner holds the outputs, so all that it has written has been read when this returns.
        let ended = wait(self.guard);
        wait_for_end(&self.runner_end);
        (self.session, ended)
    }
}

pub(crate) fn wait_for_end(process: &OwnedFd) {
    while poll(&mut [PollFd::new(process, PollFlags::IN)], None).is_err() {}
}

/// The one child of the guard.
fn runner_of(guard: &Child) -> Pid {
    let runners: Vec<Pid> = children(guard.id());
    assert_eq!(runners.len(), 1, "{runners:?}");
    runners.into_iter().next().unwrap()
}

pub(crate) fn children(parent: u32) -> Vec<Pid> {
    let parent = format!(" {parent} ");
    let all = fs::read_dir("/proc").unwrap();
    all.filter_map(|entry| {
        let stat = fs::read_to_string(entry.ok()?.path().join("stat")).ok()?;
        let (pid, rest) = stat.split_once(' ')?;
        // State, then the parent.
        let fields = rest.rsplit_once(')')?.1.get(2..)?;
        fields
            .starts_with(&parent)
            .then(|| Pid::from_raw(pid.parse().ok()?))?
    })
    .collect()
}

/// A suite whose first case leaves processes of every sort behind while it runs, and whose second waits.
fn suite() -> Session {
    let session = Session::new();
    for mode in ["fork-setsid", "double-fork", "fork-bomb 3"] {
        session.fixture(&format!("leave/{}", &mode[..6]), mode);
    }
    session.script(
        "suite/a-runs",
        "echo $$ >> left-behind
        for leave in leave/*; do $leave > said; done
        trap '' TERM INT HUP; echo > ready; while :; do sleep 300; done",
    );
    session.script("suite/b-waits", "touch ran");
    session
}

pub(crate) const ONE_BY_ONE: [&str; 4] = ["run", "--parallel-workers", "1", "--reports-junit"];

pub(crate) fn run_suite(options: &[&str]) -> Guarded {
    let session = suite();
    let arguments = [&ONE_BY_ONE, options, &["suite"]].concat();
    let command = session.command(&arguments);
    Guarded::start(session, command)
}

/// The command that dies in the middle, running these of its cases one by one.
pub(crate) fn dying(session: &Session, cases: &[&str]) -> Command {
    let program = example("zk2-dying");
    let mut command = session.program(program.to_str().unwrap(), &ONE_BY_ONE);
    for case in cases {
        command.args(["--tests-include", &format!("zk2_dying::{case}")]);
    }
    command
}

/// Asserts that nothing of the session runs any more, and that the log can be read to its last record.
pub(crate) fn assert_clean(session: &Session) {
    whole_records(session);
    assert_nothing_runs(session);
}

pub(crate) fn assert_has(text: &str, words: &[&str]) {
    for words in words {
        assert!(text.contains(words), "no `{words}` in {text}");
    }
}

#[test]
fn k2_f25_d17_nothing_outlives_a_runner_that_is_killed_and_what_has_no_verdict_is_told() {
    let run = run_suite(&[]);
    kill_process(run.runner, Signal::KILL).unwrap();
    let (session, ended) = run.end();
    assert_eq!(ended.signal, Some(SIGKILL), "{ended:?}");
    assert_clean(&session);
    assert!(!session.path().join("ran").exists());
    let kinds: Vec<String> = session.records().iter().map(|r| text(r, "kind")).collect();
    let by_the_guard = ["case-finished", "case-finished", "run-finished"];
    let all = ["run-started", "cases-selected", "case-started"];
    assert_eq!(kinds, [all, by_the_guard].concat());
    let verdicts: Vec<_> = session.verdicts().into_values().collect();
    assert_eq!(verdicts, ["error", "not-run"]);
    assert_has(
        &ended.stderr,
        &[
            "error: runner was killed (SIGKILL);",
            "  error    suite::a-runs: was running when the runner was killed (SIGKILL)\n",
            "  not-run  1 case\n",
            "events.jsonl, 3 records\n",
        ],
    );
}

#[test]
fn d18_a_runner_whose_guard_is_killed_ends_in_good_order() {
    let run = run_suite(&["--tests-grace", "100ms"]);
    kill_process(run.pid(), Signal::KILL).unwrap();
    let (session, ended) = run.end();
    assert_eq!(ended.signal, Some(SIGKILL), "{ended:?}");
    let verdicts: Vec<_> = session.verdicts().into_values().collect();
    assert_eq!(verdicts, ["aborted", "not-run"], "{ended:?}");
    assert_has(&ended.stderr, &["SIGTERM received"]);
    let xml = fs::read_to_string(session.latest().join("junit.xml")).unwrap();
    assert_eq!(xml.matches("<testcase").count(), 2, "{xml}");
    assert_clean(&session);
}

#[test]
fn d18_a_runner_without_its_guard_ends_what_its_functions_started() {
    let session = Session::new();
    let command = dying(&session, &["c_waits"]);
    let run = Guarded::start(session, command);
    kill_process(run.pid(), Signal::KILL).unwrap();
    let (session, _) = run.end();
    assert_eq!(session.verdicts().len(), 1);
    assert_clean(&session);
}

#[test]
fn d17_what_functions_leave_behind_ends_with_the_run() {
    let session = Session::new();
    let mut command = dying(&session, &["b_leaves_processes"]);
    let ended = wait(command.spawn().unwrap());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.stderr, "");
    let left = fs::read_to_string(session.path().join("left-behind")).unwrap();
    assert_eq!(left.lines().count(), 3);
    session.assert_nothing_left();
}

/// A run whose handler dies when the second case has passed, while the first one runs with all that it has started.
fn handler_dies(death: &str) -> (Session, Ended) {
    let session = suite();
    let ready = fifo(&session, "ready");
    session.script("suite/b-waits", "read _ < ready");
    session.script("suite/c-waits", "touch ran");
    let program = example("zk2-dying");
    let arguments = ["run", "suite", "--parallel-workers", "2", "--death", death];
    let mut command = session.program(program.to_str().unwrap(), &arguments);
    let ended = wait(command.spawn().unwrap());
    drop(ready);
    (session, ended)
}

fn assert_handler_died(session: &Session, ended: &Ended) {
    // The runtime turns an overflow of the stack into an abort.
    assert_eq!(ended.signal, Some(SIGABRT), "{ended:?}");
    assert_has(
        &ended.stderr,
        &[
            "error: runner aborted (SIGABRT);",
            "suite::a-runs: ",
            "  log      ",
        ],
    );
    let verdicts: Vec<_> = session.verdicts().into_values().collect();
    // The third one may have begun by then.
    assert_eq!(verdicts.len(), 3);
    assert_eq!(verdicts.get(..2).unwrap(), ["error", "passed"]);
    assert_clean(session);
}

#[test]
fn a6_a_panic_while_unwinding_leaves_nothing_behind_and_a_readable_log() {
    let (session, ended) = handler_dies("unwinding");
    assert_has(&ended.stderr, &["while unwinding"]);
    assert_handler_died(&session, &ended);
}

#[test]
fn a31_a_stack_overflow_in_a_handler_leaves_nothing_behind_and_a_readable_log() {
    let (session, ended) = handler_dies("overflow");
    assert_has(&ended.stderr, &["overflowed its stack"]);
    assert_handler_died(&session, &ended);
}

/// A run whose case ends when it is told through the pipe `go`, also after it was asked to end.
pub(crate) fn patient_session() -> Session {
    let session = Session::new();
    fifo(&session, "go");
    fifo(&session, "asked");
    session.script(
        "suite/a-runs",
        "trap 'echo > asked' TERM INT; echo > ready
        while :; do read _ < go && exit 0; done",
    );
    session.script("suite/b-waits", "touch ran");
    session
}

const PATIENT: [&str; 3] = ["--tests-grace", "5m", "suite"];

pub(crate) fn patient_run() -> Guarded {
    let session = patient_session();
    let command = session.command(&[ONE_BY_ONE.as_slice(), &PATIENT].concat());
    Guarded::start(session, command)
}

/// What the run says about signals, in order.
pub(crate) fn told(ended: &Ended) -> Vec<&str> {
    let lines = ended.stderr.lines();
    lines
        .filter_map(|line| line.strip_prefix("warning: ")?.split(':').next())
        .collect()
}

#[test]
fn d4_a_signal_to_the_front_alone_or_to_both_counts_once() {
    type Send = fn(&Guarded, Signal);
    let to_front: Send = |run, signal| kill_process(run.pid(), signal).unwrap();
    let to_both: Send = |run, signal| kill_process_group(run.pid(), signal).unwrap();
    for (signal, number) in [(Signal::INT, SIGINT), (Signal::TERM, SIGTERM)] {
        for send in [to_front, to_both] {
            let run = patient_run();
            send(&run, signal);
            read(&run.session.path().join("asked"));
            fs::write(run.session.path().join("go"), "\n").unwrap();
            let (session, ended) = run.end();
            assert_eq!(ended.signal, Some(number), "{ended:?}");
            assert_eq!(told(&ended).len(), 1, "{ended:?}");
            let verdicts: Vec<_> = session.verdicts().into_values().collect();
            assert_eq!(verdicts, ["aborted", "not-run"]);
        }
    }
}

#[test]
fn d4_a_time_limit_from_outside_asks_once() {
    let session = patient_session();
    let ready = fifo(&session, "ready");
    // It signals the process that it has started, and then the whole group, as when the time is up.
    let limit = ["300", env!("CARGO_BIN_EXE_zk2")];
    let line = [limit.as_slice(), &ONE_BY_ONE, &PATIENT].concat();
    let child = session.program("timeout", &line).spawn().unwrap();
    read(&ready);
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    read(&session.path().join("asked"));
    fs::write(session.path().join("go"), "\n").unwrap();
    let ended = wait(child);
    assert_eq!(told(&ended), ["SIGTERM received"], "{ended:?}");
    let verdicts: Vec<_> = session.verdicts().into_values().collect();
    assert_eq!(verdicts, ["aborted", "not-run"]);
    assert_clean(&session);
}

#[test]
fn d2_two_signals_to_both_processes_are_two() {
    let run = patient_run();
    kill_process_group(run.pid(), Signal::INT).unwrap();
    read(&run.session.path().join("asked"));
    kill_process_group(run.pid(), Signal::INT).unwrap();
    let (_, ended) = run.end();
    // A third one would end it at once, with exit code 130.
    assert_eq!(ended.signal, Some(SIGINT), "{ended:?}");
    assert_eq!(told(&ended), ["SIGINT received", "SIGINT received again"]);
}

/// State of a process: `S`, `T` …
pub(crate) fn state(pid: Pid) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

/// Waits until the process has stopped or ended; true for stopped.
pub(crate) fn stops(pid: Pid) -> bool {
    let options = WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    loop {
        if let Ok(Some(status)) = waitid(WaitId::Pid(pid), options) {
            return status.stopped();
        }
    }
}

#[test]
fn d7_a_guard_that_is_stopped_or_continued_alone_takes_the_runner_with_it() {
    let run = patient_run();
    kill_process(run.pid(), Signal::TSTP).unwrap();
    assert!(stops(run.pid()));
    assert_eq!(state(run.runner), Some('T'));
    kill_process(run.pid(), Signal::CONT).unwrap();
    fs::write(run.session.path().join("go"), "\n").unwrap();
    let (session, ended) = run.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(session.verdicts().len(), 2);
}

/// The parents of a case that notes its own: that of `zk2 run` with these options, and the pid of what was started.
fn parent_of_case(command: impl FnOnce(&Session) -> Command) -> (Ended, u32, u32) {
    let session = Session::new();
    session.script("suite/notes", "echo $PPID > parent; env > environment");
    let child = command(&session).spawn().unwrap();
    let started = child.id();
    let ended = wait(child);
    let environment = fs::read_to_string(session.path().join("environment")).unwrap();
    assert!(!environment.contains("RUNNER_OF"), "{environment}");
    assert!(environment.contains("K2_CASE_ID=suite::notes\n"));
    let parent = fs::read_to_string(session.path().join("parent")).unwrap();
    (ended, started, parent.trim().parse().unwrap())
}

#[test]
fn a_run_has_a_guard_unless_it_is_switched_off() {
    let (ended, started, parent) = parent_of_case(|session| session.command(&["run", "suite"]));
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert_ne!(started, parent);

    let (ended, started, parent) =
        parent_of_case(|session| session.command(&["run", "suite", "--no-guard"]));
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert_eq!(started, parent);

    let (ended, started, parent) = parent_of_case(|session| {
        let mut command = session.command(&["run", "suite"]);
        command.env("K2_GUARD", "false");
        command
    });
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert_eq!(started, parent);

    let (ended, started, parent) = parent_of_case(|session| {
        session.write("k2.yaml", "guard: false\n");
        session.command(&["run", "suite"])
    });
    assert_eq!(ended.code, Some(0));
    assert_has(&ended.stderr, &["`guard: false` in a file comes too late"]);
    assert_ne!(started, parent);
}

#[test]
fn commands_that_run_no_cases_have_no_guard() {
    let session = Session::new();
    session.script("binary", "echo $PPID > parent; echo 'tests::one: test'");
    let child = session
        .command(&["list", "libtest:binary"])
        .spawn()
        .unwrap();
    let started = child.id();
    let ended = wait(child);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let parent = fs::read_to_string(session.path().join("parent")).unwrap();
    assert_eq!(parent.trim(), started.to_string());
}

#[test]
fn a_program_that_was_deleted_after_its_start_is_guarded_all_the_same() {
    let (ended, started, parent) = parent_of_case(|session| {
        let copy = session.path().join("copy");
        fs::copy(env!("CARGO_BIN_EXE_zk2"), &copy).unwrap();
        let script = "exec 9< copy; rm copy; exec /proc/self/fd/9 run suite";
        session.program("sh", &["-c", script])
    });
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert_ne!(started, parent);
}

#[test]
fn a_guard_that_cannot_be_started_is_a_warning() {
    // Without /proc no program finds itself.
    let hidden = "mount -t tmpfs none /proc && exec";
    let may = Command::new("unshare")
        .args(["-rm", "sh", "-c", &format!("{hidden} true")])
        .stderr(Stdio::null())
        .status();
    if !may.is_ok_and(|status| status.success()) {
        let notice = b"NOTICE: mounts are not allowed here: a guard that fails is not tested\n";
        let _ = rustix::io::write(rustix::stdio::stderr(), notice);
        return;
    }
    let (ended, started, parent) = parent_of_case(|session| {
        let script = format!("{hidden} '{}' run suite", env!("CARGO_BIN_EXE_zk2"));
        session.program("unshare", &["-rm", "sh", "-c", &script])
    });
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_has(&ended.stderr, &["warning: the run goes on without a guard"]);
    assert_eq!(started, parent);
}

#[test]
fn the_first_process_of_a_namespace_guards_like_any_other() {
    let may = |flags: &str| {
        let mut command = Command::new("unshare");
        command.args([flags, "--mount-proc", "true"]);
        let status = command.stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    };
    let Some(flags) = ["-pf", "-rpf"].into_iter().find(|flags| may(flags)) else {
        let notice = b"NOTICE: PID namespaces are not allowed here: a guard in one is not tested\n";
        let _ = rustix::io::write(rustix::stdio::stderr(), notice);
        return;
    };
    let program = example("zk2-dying");
    let session = Session::new();
    let arguments = [flags, "--mount-proc", program.to_str().unwrap(), "run"];
    let cases = ["--tests-include", "zk2_dying::c_aborts"];
    let mut command = session.program("unshare", &[arguments.as_slice(), &cases].concat());
    let ended = wait(command.spawn().unwrap());
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_has(&ended.stderr, &["error: runner aborted (SIGABRT);"]);
    let verdicts: Vec<_> = session.verdicts().into_values().collect();
    assert_eq!(verdicts, ["error"]);
}
