//! The n-th call fails, for n = 1, 2, 3 … until a run passes without a fault: writes, syncs, renames and starts of processes, each with
//! every error that a machine at its limits has.
//!
//! `strace` makes the calls fail, in guard, runner and all their threads. Whatever failed: the run ends by itself, and the
//! [five things](crate::aftermath) hold.
//! Source: reliability, 5.1 and 9.

use std::fs;
use std::panic::AssertUnwindSafe;
use std::process::{Command, Stdio};

use crate::aftermath::{Aftermath, Witness};
use crate::session::{Session, wait};

/// One that leaves a process behind, and one that does not.
const CASES: usize = 2;

/// No run comes to that many calls of one sort in one thread; a loop that does has lost its end.
const MOST: usize = 60;

/// How many opens of each thread are made to fail.
const OPENS: usize = 16;

/// Whether calls can be made to fail here; said aloud if not.
pub(crate) fn can_inject() -> bool {
    let status = Command::new("strace")
        .args([
            "-f",
            "-o",
            "/dev/null",
            "-e",
            "inject=fdatasync:error=EIO",
            "true",
        ])
        .stderr(Stdio::null())
        .status();
    let can = status.is_ok_and(|status| status.success());
    if !can {
        let notice = b"NOTICE: strace cannot be used here: the n-th fault of a run is not tested\n";
        let _ = rustix::io::write(rustix::stdio::stderr(), notice);
    }
    can
}

/// One run in which the `nth` call of each thread fails; false if none came that far.
fn run(call: &str, error: &str, nth: usize) -> bool {
    let session = Session::new();
    session.fixture("suite/leaves", "fork-setsid");
    session.script("suite/passes", "exit 0");
    let inject = format!("inject={call}:error={error}:when={nth}");
    let trace = format!("trace={call}");
    let line = [
        "120", "strace", "-f", "-qq", "-o", "calls", "-e", &trace, "-e", &inject,
    ];
    let zk2 = env!("CARGO_BIN_EXE_zk2");
    let options = [
        zk2,
        "run",
        "suite",
        "--reports-junit",
        "--parallel-workers",
        "2",
    ];
    let mut command = session.program("timeout", &[line.as_slice(), &options].concat());
    let ended = wait(command.spawn().unwrap());
    let context = format!("{call} {error} {nth}: {ended:?}");
    let is_hit = fs::read_to_string(session.path().join("calls"))
        .unwrap_or_default()
        .contains("(INJECTED)");
    if ended.code == Some(127) && ended.stderr.contains("loading shared libraries") {
        // It was not even a program yet.
        return is_hit;
    }
    assert!(
        matches!(ended.code, Some(0 | 1 | 2 | 5 | 6 | 7)),
        "{context}"
    );
    assert!(!ended.stderr.contains("panicked"), "{context}");
    let aftermath = Aftermath {
        session: &session,
        code: ended.code,
        signal: ended.signal,
        selected: CASES,
        // What cannot be written is owed; the exit code says so.
        witness: Witness::Gone,
        files: &["calls", "suite"],
    };
    if let Err(panic) = std::panic::catch_unwind(AssertUnwindSafe(|| aftermath.assert_sound())) {
        let _ = rustix::io::write(rustix::stdio::stderr(), context.as_bytes());
        std::panic::resume_unwind(panic);
    }
    is_hit
}

fn every(call: &str, error: &str) {
    if !can_inject() {
        return;
    }
    let passed = (1..MOST).find(|&nth| !run(call, error, nth));
    // The first one at least was hit.
    assert!(
        passed.is_some_and(|nth| nth > 1),
        "{call} {error}: {passed:?}"
    );
}

/// Files that are opened are many, those of `/proc` among them: the first of each thread are tried.
fn first_opens(error: &str) {
    if can_inject() {
        let hits = (1..=OPENS).filter(|&nth| run("openat", error, nth)).count();
        assert_eq!(hits, OPENS);
    }
}

#[test]
fn g8_the_first_opens_fail_with_emfile() {
    first_opens("EMFILE");
}

#[test]
fn f1_the_first_opens_fail_with_enospc() {
    first_opens("ENOSPC");
}

/// A test of each pair, so that they run side by side.
macro_rules! pairs {
    ($($name:ident: $call:literal $error:literal;)*) => {
        $(
            #[test]
            fn $name() {
                every($call, $error);
            }
        )*
    };
}

pairs! {
    f1_the_nth_write_fails_with_enospc: "write" "ENOSPC";
    f1_the_nth_write_fails_with_eio: "write" "EIO";
    f1_the_nth_write_fails_with_emfile: "write" "EMFILE";
    f1_the_nth_write_fails_with_eintr: "write" "EINTR";
    f2_the_nth_mkdir_fails_with_enospc: "/^mkdir(at)?$" "ENOSPC";
    f2_the_nth_mkdir_fails_with_eacces: "/^mkdir(at)?$" "EACCES";
    e3_the_nth_exec_fails_with_eacces: "execve" "EACCES";
    g8_the_nth_pipe_fails_with_emfile: "/^pipe2?$" "EMFILE";
    g8_the_nth_descriptor_fails_with_emfile: "/^(eventfd2|epoll_create1|memfd_create|socketpair|pidfd_open)$" "EMFILE";
    f13_the_nth_fdatasync_fails_with_enospc: "fdatasync" "ENOSPC";
    f13_the_nth_fdatasync_fails_with_eio: "fdatasync" "EIO";
    f13_the_nth_fdatasync_fails_with_emfile: "fdatasync" "EMFILE";
    f13_the_nth_fdatasync_fails_with_eintr: "fdatasync" "EINTR";
    f15_the_nth_rename_fails_with_enospc: "/^rename" "ENOSPC";
    f15_the_nth_rename_fails_with_eio: "/^rename" "EIO";
    f15_the_nth_rename_fails_with_emfile: "/^rename" "EMFILE";
    f15_the_nth_rename_fails_with_eintr: "/^rename" "EINTR";
    e3_the_nth_clone_fails_with_enospc: "/^(clone3?|vfork)$" "ENOSPC";
    e3_the_nth_clone_fails_with_eio: "/^(clone3?|vfork)$" "EIO";
    e3_the_nth_clone_fails_with_emfile: "/^(clone3?|vfork)$" "EMFILE";
    e3_the_nth_clone_fails_with_eagain: "/^(clone3?|vfork)$" "EAGAIN";
    e3_the_nth_clone_fails_with_eintr: "/^(clone3?|vfork)$" "EINTR";
}
