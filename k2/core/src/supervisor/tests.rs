//! The fault catalogue of test processes, with real processes.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::fixture::fixture;
use super::*;

/// Far beyond what any of these needs; only there so that a fault of ours does not hang the tests.
const LIMIT: Duration = Duration::from_mins(1);

fn spec(arguments: &[&str]) -> ProcessSpec {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    prepare().unwrap();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    ProcessSpec::new(fixture())
        .arguments(arguments.iter().copied())
        .timeout(LIMIT)
        .execution(format!("test-{}-{count}", std::process::id()))
}

fn run_spec(spec: &ProcessSpec) -> ProcessEnd {
    run(spec, &Cancellation::new().unwrap()).unwrap()
}

fn run_mode(arguments: &[&str]) -> ProcessEnd {
    run_spec(&spec(arguments))
}

fn code(end: &ProcessEnd) -> i32 {
    match end.exit {
        Some(ExitStatus::Code(code)) => code,
        other => panic!("ended by {other:?}: {end:?}"),
    }
}

/// The pids that processes wrote into the file of `ZK2_FIXTURE_PIDS`.
fn noted(file: &Path) -> Vec<u32> {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines().map(|line| line.parse().unwrap()).collect()
}

fn is_alive(pid: u32) -> bool {
    procfs::stat(i32::try_from(pid).unwrap()).is_some_and(|stat| !stat.is_dead())
}

/// Runs a mode that leaves processes behind and returns its end; proves that none of them lives.
fn run_leaving(arguments: &[&str], count: usize) -> ProcessEnd {
    let directory = tempfile::tempdir().unwrap();
    let pids = directory.path().join("pids");
    let end = run_spec(&spec(arguments).variable("ZK2_FIXTURE_PIDS", &pids));
    assert_eq!(code(&end), 0);
    let noted = noted(&pids);
    assert!(noted.len() <= count && !noted.is_empty(), "{noted:?}");
    for pid in noted {
        assert!(!is_alive(pid), "process {pid} lives");
        assert!(
            end.leaked.iter().any(|leaked| leaked.pid == pid),
            "{pid} is not in {:?}",
            end.leaked
        );
    }
    for leaked in &end.leaked {
        assert!(leaked.command.contains("hang"), "{leaked:?}");
    }
    end
}

#[test]
fn e1_an_exit_code_is_reported() {
    let end = run_mode(&["exit", "7"]);
    assert_eq!(end.exit, Some(ExitStatus::Code(7)));
    assert_eq!(end.ended_by, EndedBy::Itself);
    assert!(end.leaked.is_empty() && !end.killed && !end.stopped);
}

#[test]
fn e2_a_signal_is_reported() {
    let end = run_mode(&["segv"]);
    assert!(
        matches!(end.exit, Some(ExitStatus::Signal { number: 11, .. })),
        "{end:?}"
    );
    assert_eq!(end.ended_by, EndedBy::Itself);
    let end = run_mode(&["stack-overflow"]);
    assert!(
        matches!(end.exit, Some(ExitStatus::Signal { .. })),
        "{end:?}"
    );
}

#[test]
fn e3_what_cannot_start_says_why() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    fs::write(path("plain"), "text").unwrap();
    fs::write(path("interpreter"), "#!/no/such/interpreter\n").unwrap();
    fs::write(path("garbage"), "\x7fELFgarbage").unwrap();
    for name in ["interpreter", "garbage"] {
        set_mode(&path(name), 0o755);
    }
    for (name, errno, words) in [
        ("missing", "ENOENT", "No such file"),
        ("plain", "EACCES", "chmod +x"),
        ("interpreter", "ENOENT", "interpreter"),
        ("garbage", "ENOEXEC", "another machine"),
    ] {
        let error = run(&ProcessSpec::new(path(name)), &Cancellation::new().unwrap()).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(errno), "{text}");
        assert!(text.contains(words), "{text}");
        assert!(text.contains(&*path(name).to_string_lossy()), "{text}");
    }
}

fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn e3_a_busy_program_is_tried_again() {
    let directory = tempfile::tempdir().unwrap();
    let program = directory.path().join("busy");
    fs::copy("/bin/true", &program).unwrap();
    set_mode(&program, 0o755);
    // Busy as long as it is open for writing; every try fails, so the last one is reported with its count.
    let _writer = fs::OpenOptions::new().append(true).open(&program).unwrap();
    let error = run(&ProcessSpec::new(&program), &Cancellation::new().unwrap()).unwrap_err();
    let SpawnError::Start { attempts, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!(*attempts, 6);
    assert!(error.to_string().contains("ETXTBSY"), "{error}");
}

#[test]
fn e3_too_many_arguments_are_reported() {
    let spec = spec(&[]).arguments(vec!["x".repeat(100_000); 60]);
    let text = run(&spec, &Cancellation::new().unwrap())
        .unwrap_err()
        .to_string();
    assert!(text.contains("E2BIG"), "{text}");
}

#[test]
fn e4_held_pipes_do_not_hold_the_run() {
    let begin = Instant::now();
    let end = run_leaving(&["fork"], 1);
    assert!(end.stdout.text().contains("left one behind"));
    // Not a measurement: the process that holds the pipes sleeps for minutes.
    assert!(begin.elapsed() < LIMIT);
}

#[test]
fn e4_a_quiet_member_of_the_group_is_found() {
    run_leaving(&["fork-quiet"], 1);
}

#[test]
fn e4_a_brief_child_is_no_leak() {
    let mut spec = spec(&["fork-brief", "20"]);
    spec.leak_timeout = LIMIT;
    let end = run_spec(&spec);
    assert_eq!(end.leaked, []);
}

#[test]
fn e5_daemons_are_found() {
    run_leaving(&["fork-setsid"], 1);
    run_leaving(&["fork-setsid-pipes"], 1);
}

#[test]
fn e5_double_forks_are_found() {
    run_leaving(&["double-fork"], 1);
}

#[test]
fn e6_what_ignores_sigterm_is_killed() {
    let directory = tempfile::tempdir().unwrap();
    let pids = directory.path().join("pids");
    let mut spec = spec(&["ignore-term"]).variable("ZK2_FIXTURE_PIDS", pids);
    spec.timeout = Some(Duration::from_millis(300));
    spec.grace = Duration::from_millis(50);
    let end = run_spec(&spec);
    assert_eq!(end.ended_by, EndedBy::Timeout(Duration::from_millis(300)));
    assert!(
        matches!(end.exit, Some(ExitStatus::Signal { number: 9 | 15, .. })),
        "{end:?}"
    );
}

#[test]
fn e6_a_cancelled_run_kills_what_ignores_the_signal() {
    let cancellation = Cancellation::new().unwrap();
    let (end, ()) = std::thread::scope(|scope| {
        let spec = spec(&["ignore-term"]).grace(LIMIT);
        let runner = scope.spawn({
            let cancellation = cancellation.clone();
            move || run(&spec, &cancellation).unwrap()
        });
        cancellation.request(2);
        cancellation.kill();
        (runner.join().unwrap(), ())
    });
    assert_eq!(end.ended_by, EndedBy::Cancellation);
    assert!(
        matches!(end.exit, Some(ExitStatus::Signal { .. })),
        "{end:?}"
    );
}

#[test]
fn e7_a_stopped_process_is_ended_and_noted() {
    let mut spec = spec(&["stop-self"]);
    spec.timeout = Some(Duration::from_secs(1));
    let end = run_spec(&spec);
    assert!(end.stopped, "{end:?}");
    assert!(matches!(end.ended_by, EndedBy::Timeout(_)));
}

#[test]
fn e8_a_flood_is_bounded() {
    const MIB: u64 = 1024 * 1024;
    let directory = tempfile::tempdir().unwrap();
    let mut files = OutputFiles::new(directory.path().join("out"), directory.path().join("err"));
    files.limit = 3 * MIB;
    let end = run_spec(&spec(&["flood", "1073741824"]).files(files));
    assert_eq!(code(&end), 0);
    let output = end.stdout;
    assert_eq!(output.bytes, 1024 * MIB);
    assert!(output.truncated && output.file_truncated);
    assert_eq!(
        (output.head.len(), output.tail.len()),
        (64 * 1024, 64 * 1024)
    );
    assert!(output.tail.capacity() <= 256 * 1024);
    assert!(peak_memory() < 128 * MIB, "{}", peak_memory());
    let file = fs::metadata(output.file.unwrap()).unwrap().len();
    assert!((3 * MIB..3 * MIB + 200).contains(&file), "{file}");
}

/// Most memory that this process ever had, in bytes; other tests may be in it too.
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = peak.unwrap().trim().trim_end_matches(" kB");
    kib.parse::<u64>().unwrap() * 1024
}

#[test]
fn e9_output_without_end_is_ended_by_the_time_limit() {
    let mut spec = spec(&["flood", "inf"]);
    spec.timeout = Some(Duration::from_millis(200));
    let end = run_spec(&spec);
    assert!(matches!(end.ended_by, EndedBy::Timeout(_)));
    assert!(end.stdout.truncated);
}

#[test]
fn e10_invalid_utf8_is_kept_and_flagged() {
    let end = run_mode(&["bad-utf8"]);
    assert!(end.stdout.lossy);
    assert_eq!(end.stdout.head, b"good \xff\xfe bad\n");
    assert!(end.stdout.text().contains('\u{fffd}'));
    assert!(!run_mode(&["both"]).stdout.lossy);
}

#[test]
fn e11_control_characters_are_kept_as_data() {
    let end = run_mode(&["nul-ansi"]);
    assert!(end.stdout.head.contains(&0) && end.stdout.head.contains(&0x1b));
}

#[test]
fn e12_a_long_line_needs_no_line_buffer() {
    let end = run_mode(&["one-line", "20000000"]);
    assert_eq!(end.stdout.bytes, 20_000_000);
    assert!(end.stdout.head.capacity() + end.stdout.tail.capacity() < 512 * 1024);
}

#[test]
fn e13_closed_outputs_are_not_the_end() {
    assert_eq!(code(&run_mode(&["close-stdout", "3"])), 3);
}

#[test]
fn e14_stdin_is_empty() {
    assert_eq!(run_mode(&["stdin"]).stdout.text(), "0 bytes\n");
}

#[test]
fn e15_exit_code_0_after_our_signal_is_not_its_own_end() {
    let mut spec = spec(&["term-exit", "0"]);
    spec.timeout = Some(Duration::from_millis(500));
    let end = run_spec(&spec);
    assert!(matches!(end.ended_by, EndedBy::Timeout(_)), "{end:?}");
    // Usually it got as far as its handler and ends with 0, which must not count.
    if end.stdout.text().contains("ready") {
        assert_eq!(end.exit, Some(ExitStatus::Code(0)));
    }
}

#[test]
fn e16_an_end_at_the_limit_is_one_or_the_other() {
    for limit in 0..1000_u64 {
        let mut spec = ProcessSpec::new("/bin/true");
        spec.timeout = Some(Duration::from_micros(limit * 2));
        let end = run_spec(&spec);
        match (end.ended_by, end.exit) {
            (EndedBy::Itself, Some(ExitStatus::Code(0)))
            | (
                EndedBy::Timeout(_),
                Some(ExitStatus::Code(0) | ExitStatus::Signal { number: 15, .. }),
            ) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn e18_many_processes_left_behind_are_all_ended() {
    let directory = tempfile::tempdir().unwrap();
    let pids = directory.path().join("pids");
    let end = run_spec(&spec(&["fork-bomb", "60"]).variable("ZK2_FIXTURE_PIDS", &pids));
    assert_eq!(end.leaked.len(), 60);
    for pid in noted(&pids) {
        assert!(!is_alive(pid));
    }
}

#[test]
fn e20_a_deleted_working_directory_is_its_own_affair() {
    let directory = tempfile::tempdir().unwrap();
    let work = directory.path().join("work");
    fs::create_dir(&work).unwrap();
    let mut spec = spec(&["delete-directory"]);
    spec.directory = Some(work.clone());
    assert_eq!(code(&run_spec(&spec)), 0);
    assert!(!work.exists());
    let error = run(&spec, &Cancellation::new().unwrap())
        .unwrap_err()
        .to_string();
    assert!(error.contains("ENOENT"), "{error}");
}

#[test]
fn d21_a_process_begins_with_no_signal_blocked_and_none_of_ours_ignored() {
    let end = run_mode(&["signals"]);
    let status = end.stdout.text();
    let mask = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        u64::from_str_radix(line.unwrap().trim(), 16).unwrap()
    };
    assert_eq!(mask("SigBlk:"), 0, "{status}");
    let ignored = mask("SigIgn:");
    // SIGPIPE is ignored by the start of every Rust program, and so by the fixture.
    for signal in [Signal::INT, Signal::TERM, Signal::TSTP] {
        assert_eq!(ignored >> (signal.as_raw() - 1) & 1, 0, "{status}");
    }
}

#[test]
fn e29_only_the_three_standard_descriptors_are_inherited() {
    let _open = fs::File::open("/dev/null").unwrap();
    let cancellation = Cancellation::new().unwrap();
    let end = run(&spec(&["descriptors"]), &cancellation).unwrap();
    assert_eq!(end.stdout.text(), "0 1 2\n");
}

#[test]
fn e30_impossible_variables_are_refused_before_the_start() {
    for (name, value, word) in [
        ("", "x", "name"),
        ("A=B", "x", "`=`"),
        ("A", "x\0y", "NUL"),
        ("A", &*"x".repeat(200_000), "128 KiB"),
    ] {
        let spec = spec(&["exit", "0"]).variable(name, value);
        let error = run(&spec, &Cancellation::new().unwrap()).unwrap_err();
        assert!(matches!(error, SpawnError::Environment { .. }), "{error}");
        assert!(error.to_string().contains(word), "{error}");
    }
    // A newline is unusual but allowed.
    let end = run_spec(&spec(&["variable", "A"]).variable("A", "x\ny"));
    assert_eq!(end.stdout.text(), "x\ny\n");
}

#[test]
fn both_outputs_are_kept_apart() {
    let end = run_mode(&["both"]);
    assert_eq!(end.stdout.text(), "to stdout\n");
    assert_eq!(end.stderr.text(), "to stderr\n");
}

#[test]
fn a_case_sees_its_id_and_execution() {
    use crate::case::{CaseId, ProcessCase, Protocol};
    let mut case = ProcessCase {
        program: fixture(),
        arguments: vec!["variable".into(), "K2_CASE_ID".into()],
        environment: vec![],
        directory: None,
        protocol: Protocol::ExitCode,
    };
    let id = CaseId::new("a::b\0c");
    let end = run_spec(&ProcessSpec::for_case(&case, &id, "run/1"));
    assert_eq!(end.stdout.text(), "a::b\u{2400}c\n");
    case.arguments[1] = "K2_EXECUTION".into();
    let end = run_spec(&ProcessSpec::for_case(&case, &id, "run/1"));
    assert_eq!(end.stdout.text(), "run/1\n");
}

#[test]
fn no_zombie_and_no_descriptor_is_left() {
    let open = || fs::read_dir("/proc/self/fd").unwrap().count();
    run_mode(&["exit", "0"]);
    let before = open();
    for _ in 0..50 {
        run_spec(&ProcessSpec::new("/bin/true"));
    }
    // Other tests of this process may run at the same time under `cargo test`; a leak would show 50 times.
    assert!(open() < before + 50);
    let own = i32::try_from(std::process::id()).unwrap();
    let zombies = procfs::all()
        .into_iter()
        .filter_map(procfs::stat)
        .filter(|stat| stat.parent == own && stat.is_dead())
        .count();
    assert!(zombies < 50, "{zombies}");
}
