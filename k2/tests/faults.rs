//! A disk that is full, files that are gone, descriptors that are lacking, two runs at a time: rows of the catalogue of faults.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::session::{Ended, Session, wait};
use crate::stopping::{fifo, read};

/// As many cases as a disk of 64 KiB cannot take the records of.
const MANY: usize = 200;

fn session_with_many() -> Session {
    let session = Session::new();
    for n in 0..MANY {
        session.script(&format!("suite/{n}"), "exit 0");
    }
    session
}

/// Runs `script` by the shell, with `$zk2` for the program, in place of it.
fn shell(session: &Session, program: &str, arguments: &[&str], script: &str) -> Ended {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .args(["sh", "-c", script])
        .current_dir(session.path())
        .env("zk2", env!("CARGO_BIN_EXE_zk2"))
        .env("HOME", session.path())
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    wait(command.spawn().unwrap())
}

/// Runs `script` with mounts of its own, or says that this machine does not allow that: then the limit on the size of files is
/// what covers a disk that is full.
pub(crate) fn with_mounts(session: &Session, script: &str) -> Option<Ended> {
    let possible = shell(session, "unshare", &["-rm"], "mount -t tmpfs none /mnt");
    if possible.code == Some(0) {
        return Some(shell(session, "unshare", &["-rm"], script));
    }
    // Written past the capture of the test runner: a success in silence would be a lie.
    let notice =
        b"NOTICE: mounts are not allowed here: a test of a full or read-only disk is not run\n";
    let _ = rustix::io::write(rustix::stdio::stderr(), notice);
    None
}

/// Asserts what holds whenever the log could not be written: the run went on, all verdicts were told, it was said once.
fn assert_told_in_full(ended: &Ended) {
    assert_eq!(ended.code, Some(6), "{ended:?}");
    assert_eq!(ended.stdout.matches(" PASS ").count(), MANY, "{ended:?}");
    let counts = format!("  {MANY} passed ");
    assert!(ended.stdout.contains(&counts), "{}", ended.stdout);
    assert!(!ended.stdout.contains("not run"), "{}", ended.stdout);
    assert!(ended.stdout.contains("the event log is incomplete"));
    assert!(ended.stdout.contains("missing  junit: "));
    assert!(ended.stdout.contains("exit 6"));
    assert_eq!(
        ended.stderr.matches("warning: event log").count(),
        1,
        "{ended:?}"
    );
}

/// Asserts that every line of the log is a record.
pub(crate) fn assert_readable(log: &str) {
    assert!(log.ends_with('\n'));
    for line in log.lines() {
        serde_json::from_str::<Value>(line).unwrap();
    }
}

#[test]
fn f1_on_a_full_disk_the_run_goes_on_and_all_verdicts_are_told() {
    let session = session_with_many();
    let script = "mkdir small && mount -t tmpfs -o size=64k none small || exit 99
        $zk2 run suite --output-dir small --reports-junit; code=$?
        cp small/latest/events.jsonl kept.jsonl; exit $code";
    let Some(ended) = with_mounts(&session, script) else {
        return;
    };
    assert_told_in_full(&ended);
    assert_readable(&fs::read_to_string(session.path().join("kept.jsonl")).unwrap());
}

#[test]
fn d13_a_limit_on_the_size_of_files_is_like_a_full_disk() {
    let session = session_with_many();
    // In blocks of 512 bytes or of 1024, as the shell likes.
    let script = "ulimit -f 20; exec $zk2 run suite --reports-junit";
    assert_told_in_full(&shell(&session, "env", &[], script));
    assert_readable(&fs::read_to_string(session.latest().join("events.jsonl")).unwrap());
}

#[test]
fn g8_few_file_descriptors_mean_few_workers_and_it_is_said() {
    let session = session_with_many();
    let script = "ulimit -n 44; exec $zk2 run suite --parallel-workers 16";
    let ended = shell(&session, "env", &[], script);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(session.verdicts().len(), MANY);
    assert!(
        ended
            .stderr
            .contains("parallel.workers is cut from 16 to 1"),
        "{ended:?}"
    );
}

#[test]
fn f2_a_read_only_file_system_is_refused_before_any_case() {
    let session = Session::new();
    session.script("suite/marks", "touch ran");
    let script = "mkdir closed && mount -t tmpfs -o ro none closed || exit 99
        exec $zk2 run suite --output-dir closed/output";
    let Some(ended) = with_mounts(&session, script) else {
        return;
    };
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("closed/output"), "{ended:?}");
    assert!(ended.stderr.contains("read-only"), "{ended:?}");
    assert!(!session.path().join("ran").exists());
}

#[test]
fn f3_an_output_directory_that_is_deleted_does_not_take_the_verdicts_with_it() {
    let session = Session::new();
    session.script("suite/a-deletes", "rm -rf output");
    session.script("suite/b-fails", "exit 1");
    session.script("suite/c-passes", "exit 0");
    let ended = session.zk2(&["run", "suite", "--parallel-workers", "1", "--reports-junit"]);
    assert_eq!(ended.code, Some(6), "{ended:?}");
    assert!(
        ended.stdout.contains("  2 passed · 1 failed "),
        "{}",
        ended.stdout
    );
    assert!(
        ended.stdout.contains("missing  junit: "),
        "{}",
        ended.stdout
    );
}

#[test]
fn f4_an_output_path_that_cannot_be_gone_through_is_refused_by_name() {
    let session = Session::new();
    session.script("suite/marks", "touch ran");
    session.write("taken", "");
    std::os::unix::fs::symlink("loop", session.path().join("loop")).unwrap();
    std::os::unix::fs::symlink("nowhere", session.path().join("dangling")).unwrap();
    for (path, words) in [
        ("taken", "`taken` is a file"),
        ("taken/below", "`taken` is a file"),
        ("loop/below", "`loop` is a symbolic link that leads back"),
        ("dangling", "`dangling` is a symbolic link to `nowhere`"),
    ] {
        let ended = session.zk2(&["run", "suite", "--output-dir", path]);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains(words), "{path}: {}", ended.stderr);
    }
    assert!(!session.path().join("ran").exists());
}

#[test]
fn f5_two_runs_at_a_time_do_not_disturb_each_other() {
    let session = Session::new();
    let ready = fifo(&session, "ready");
    let go = fifo(&session, "go");
    session.script("long/waits", "echo > ready; read _ < go");
    session.script("short/passes", "exit 0");
    let first = session.command(&["run", "long"]).spawn().unwrap();
    read(&ready);
    let second = session.zk2(&["run", "short"]);
    assert_eq!(second.code, Some(0), "{second:?}");
    assert_eq!(
        session.verdicts().into_keys().collect::<Vec<_>>(),
        ["short::passes"]
    );
    fs::write(&go, "\n").unwrap();
    let first = wait(first);
    assert_eq!(first.code, Some(0), "{first:?}");
    let runs = fs::read_dir(session.path().join("output")).unwrap();
    let runs: BTreeSet<_> = runs.map(|entry| entry.unwrap().file_name()).collect();
    // A directory for each, the link, and the history of both.
    assert_eq!(runs.len(), 4, "{runs:?}");
}

#[test]
fn f14_what_an_older_run_reported_is_not_mixed_with_the_new() {
    let session = Session::new();
    session.script("suite/fails", "exit 1");
    session.script("other/passes", "exit 0");
    let file = session.path().join("junit.xml");
    let option = format!("--reports-junit-file={}", file.display());
    assert_eq!(
        session
            .zk2(&["run", "suite", "--reports-junit", &option])
            .code,
        Some(1)
    );
    let first = fs::read_to_string(&file).unwrap();
    assert!(first.contains("fails"), "{first}");
    assert_eq!(
        session
            .zk2(&["run", "other", "--reports-junit", &option])
            .code,
        Some(0)
    );
    let second = fs::read_to_string(&file).unwrap();
    assert!(
        second.contains("passes") && !second.contains("fails"),
        "{second}"
    );
    assert_eq!(session.zk2(&["run", "other"]).code, Some(0));
    assert!(!session.latest().join("junit.xml").exists());
}

#[test]
fn d9_standard_output_that_takes_nothing_does_not_change_the_verdict() {
    let session = Session::new();
    session.script("suite/fails", "exit 1");
    let ended = shell(&session, "env", &[], "exec $zk2 run suite > /dev/full");
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(session.verdicts().len(), 1);
    assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
    assert!(
        ended
            .stderr
            .starts_with("error: the summary cannot be shown")
    );
}

#[test]
fn f1_a_list_that_cannot_be_written_is_no_success() {
    let session = Session::new();
    session.script("suite/passes", "exit 0");
    let ended = shell(&session, "env", &[], "exec $zk2 list suite > /dev/full");
    assert_eq!(ended.code, Some(6), "{ended:?}");
}

#[test]
fn d11_many_that_end_at_once_are_reaped_once_each() {
    let session = Session::new();
    for n in 0..300 {
        session.script(&format!("suite/{n:03}"), "exec true");
    }
    // The last one looks at what its parent, and that one's parent, have not reaped; others may end in that moment.
    let look =
        "sed -n 's/^.*) Z '$PPID' .*/zombie/p' /proc/[0-9]*/stat 2> /dev/null > zombies; true";
    session.script("suite/999", look);
    let ended = session.zk2(&["run", "suite", "--parallel-workers", "32"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(session.verdicts().len(), 301);
    let zombies = fs::read_to_string(session.path().join("zombies")).unwrap();
    assert!(zombies.lines().count() <= 32, "{zombies}");
}

#[test]
fn d20_a_case_that_is_killed_for_want_of_memory_is_no_failure_of_others() {
    let session = Session::new();
    let hog = format!(
        "ulimit -v 300000; exec {} oom 4096",
        crate::session::fixture().display()
    );
    session.script("suite/a-hog", &hog);
    session.script("suite/b-killed", "kill -9 $$");
    session.script("suite/c-passes", "exit 0");
    let ended = session.zk2(&["run", "suite", "--parallel-workers", "1"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let verdicts = session.verdicts();
    assert_ne!(verdicts["suite::a-hog"], "passed");
    assert_ne!(verdicts["suite::b-killed"], "passed");
    assert_eq!(verdicts["suite::c-passes"], "passed");
    let killed = session.finished_case("b-killed");
    assert!(crate::session::text(&killed, "reason").contains("SIGKILL"));
}

#[test]
fn e21_links_that_a_case_plants_in_the_directory_of_the_run_lead_nowhere() {
    let session = Session::new();
    session.write("precious", "mine");
    let plant = "for name in report.txt report.html junit.xml; do
            ln -s ../../precious output/latest/$name; done; test -L output/latest/junit.xml";
    session.script("suite/plants", plant);
    let ended = session.zk2(&["run", "suite", "--reports-junit"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let kept = fs::read_to_string(session.path().join("precious")).unwrap();
    assert_eq!(kept, "mine");
    let found = fs::symlink_metadata(session.latest().join("junit.xml")).unwrap();
    assert!(found.is_file());
}

#[test]
fn f17_names_that_are_no_text_are_run_and_told_by_their_letters() {
    use std::os::unix::ffi::OsStrExt;
    let session = Session::new();
    let plain = session.script("suite/plain", "exit 0");
    let odd = plain.with_file_name(std::ffi::OsStr::from_bytes(b"odd\xff"));
    fs::copy(&plain, &odd).unwrap();
    let ended = session.zk2(&["run", "suite"]);
    assert!(matches!(ended.code, Some(0 | 1)), "{ended:?}");
    let verdicts = session.verdicts();
    assert_eq!(verdicts.len(), 2, "{verdicts:?}");
    assert_eq!(verdicts["suite::plain"], "passed");
}

#[test]
fn g3_times_are_utc_wherever_the_clock_hangs() {
    let session = Session::new();
    session.script("suite/passes", "exit 0");
    let mut command = session.command(&["run", "suite"]);
    let ended = wait(command.env("TZ", "Pacific/Apia").spawn().unwrap());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let log = fs::read_to_string(session.latest().join("events.jsonl")).unwrap();
    for line in log.lines() {
        let record: Value = serde_json::from_str(line).unwrap();
        assert!(record["time"].as_str().unwrap().ends_with('Z'), "{line}");
    }
}

#[test]
fn g9_odd_numbers_of_workers_and_times_work_or_are_refused() {
    let session = Session::new();
    session.script("suite/passes", "exit 0");
    for (option, value, codes) in [
        ("--parallel-workers", "0", &[0, 2][..]),
        ("--parallel-workers", "100000", &[0, 2]),
        ("--parallel-workers", "-1", &[2]),
        ("--tests-timeout", "99999999999999999999s", &[2]),
        ("--tests-timeout", "1000000h", &[0]),
        ("--tests-timeout", "-1s", &[2]),
        ("--tests-grace", "NaN", &[2]),
        ("--tests-repeat", "0", &[2, 4]),
    ] {
        let line = ["run", "suite", &format!("{option}={value}")];
        let ended = session.zk2(&line);
        assert!(
            codes.contains(&ended.code.unwrap_or(-1)),
            "{line:?}: {ended:?}"
        );
        assert!(!ended.stderr.contains("panicked"), "{ended:?}");
    }
}

#[test]
fn the_report_is_named_by_way_of_the_newest_run() {
    let session = Session::new();
    session.script("suite/passes", "exit 0");
    let ended = session.zk2(&["run", "suite"]);
    assert!(
        ended
            .stdout
            .contains("\n  report   output/latest/report.txt\n"),
        "{}",
        ended.stdout
    );
}

#[test]
fn e3_what_cannot_be_started_is_an_error_that_says_why() {
    let session = Session::new();
    let path = session.script("suite/lost", "");
    fs::write(&path, "#!/no/such/interpreter\n").unwrap();
    let path = session.script("suite/plain", "");
    fs::write(&path, "echo no first line\n").unwrap();
    let ended = session.zk2(&["run", "suite"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    for (case, words) in [
        ("lost", "its interpreter"),
        ("plain", "it has no `#!` line"),
    ] {
        let record = session.finished_case(case);
        assert_eq!(crate::session::text(&record, "verdict"), "error");
        let reason = crate::session::text(&record, "reason");
        assert!(reason.contains(words), "{reason}");
    }
}
