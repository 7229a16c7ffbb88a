//! The n-th call fails, for n = 1, 2, 3 … until a run passes without a fault: writes, syncs, renames and starts of processes, each with
//! every error that a machine at its limits has.
//!
//! `strace` makes the calls fail, in guard, runner and all their threads. Whatever failed: the run ends by itself with a code of the
//! table, the log can be read, no case has two verdicts, nothing is left, and a run that says that all is well has all verdicts.
//! Source: reliability, 5.1 and 9.

use std::fs;
use std::process::{Command, Stdio};

use crate::session::{Session, wait};

/// One that leaves a process behind, and one that does not.
const CASES: usize = 2;

/// No run comes to that many calls of one sort in one thread; a loop that does has lost its end.
const MOST: usize = 60;

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
    assert!(
        matches!(ended.code, Some(0 | 1 | 2 | 5 | 6 | 7)),
        "{context}"
    );
    assert!(!ended.stderr.contains("panicked"), "{context}");
    let log = fs::read_to_string(session.latest().join("events.jsonl")).unwrap_or_default();
    // A reader copes with a torn end, so it is no loss.
    let whole = log.rfind('\n').map_or("", |end| &log[..=end]);
    if session.latest().exists() {
        fs::write(session.latest().join("events.jsonl"), whole).unwrap();
        let verdicts = session.verdicts().len();
        assert!(ended.code != Some(0) || verdicts == CASES, "{context}");
    }
    session.assert_nothing_left();
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
    e3_the_nth_clone_fails_with_eintr: "/^(clone3?|vfork)$" "EINTR";
}
