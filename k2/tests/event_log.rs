//! The event log survives what the run does not.

use std::io::Read;

use k2::results::event_log::EventLogReader;
use rustix::process::{Pid, Signal, kill_process};

use crate::linked::linked;
use crate::session::{Session, text, wait};

#[test]
fn records_are_numbered_in_order_from_the_start_to_the_end_of_the_run() {
    let session = Session::new();
    for n in 0..10 {
        session.script(&format!("suite/{n}"), "exit 0");
    }
    assert_eq!(session.zk2(&["run", "suite"]).code, Some(0));
    let records = session.records();
    let numbers: Vec<u64> = records
        .iter()
        .map(|record| {
            record
                .get("seq")
                .and_then(serde_json::Value::as_u64)
                .unwrap()
        })
        .collect();
    let first = numbers.first().copied().unwrap();
    assert!(
        numbers
            .iter()
            .enumerate()
            .all(|(n, seq)| *seq == first + n as u64),
        "{numbers:?}"
    );
    assert_eq!(text(records.first().unwrap(), "kind"), "run-started");
    assert_eq!(text(records.last().unwrap(), "kind"), "run-finished");
    assert_eq!(records.len(), 3 + 2 * 10);
}

#[test]
fn f6_after_kill_9_the_log_is_readable_to_its_last_full_record() {
    let session = Session::new();
    session.script("suite/a-passes", "exit 0");
    session.script(
        "suite/b-kills",
        "kill -9 $PPID; exec sleep 300 <&- >&- 2>&-",
    );
    let mut child = session
        .command(&["run", "suite", "--parallel-workers", "1"])
        .spawn()
        .unwrap();
    let mut output = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut output)
        .unwrap();
    let ended = wait(child);
    assert_eq!(ended.signal, Some(9), "{ended:?}");
    let records = session.records();
    let kinds: Vec<_> = records.iter().map(|record| text(record, "kind")).collect();
    assert!(
        kinds.iter().any(|kind| kind == "case-finished"),
        "{kinds:?}"
    );
    // The guard has ended the log.
    assert_eq!(kinds.last().map(String::as_str), Some("run-finished"));
    assert_eq!(text(&session.finished_case("b-kills"), "verdict"), "error");
    let log = camino::Utf8PathBuf::try_from(session.latest().join("events.jsonl")).unwrap();
    let read = EventLogReader::open(&log).unwrap().count();
    assert_eq!(read, records.len());
    end_sleepers(&records);
}

/// The case that outlived its killed run must not outlive this test.
fn end_sleepers(_records: &[serde_json::Value]) {
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
        let environment = String::from_utf8_lossy(&environment);
        if environment
            .split('\0')
            .any(|variable| variable.starts_with("K2_CASE_ID=") && variable.ends_with("b-kills"))
            && let Some(pid) = Pid::from_raw(pid)
        {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

#[test]
fn two_runs_in_one_output_directory_do_not_meet() {
    let session = Session::new();
    session.script("suite/passes", "exit 0");
    let children: Vec<_> = (0..4)
        .map(|_| session.command(&["run", "suite"]).spawn().unwrap())
        .collect();
    for child in children {
        let ended = wait(child);
        assert_eq!(ended.code, Some(0), "{ended:?}");
    }
    let logs = std::fs::read_dir(session.path().join("output")).unwrap();
    let logs = logs.flatten().filter(|entry| !entry.path().is_symlink());
    assert_eq!(
        logs.filter(|entry| entry.path().join("events.jsonl").exists())
            .count(),
        4
    );
}

/// Bytes of the event log, the log files and the kept outputs of the newest run.
fn logged_bytes(session: &Session) -> u64 {
    fn below(path: &std::path::Path) -> u64 {
        if path.is_dir() {
            let entries = std::fs::read_dir(path).unwrap();
            return entries.map(|entry| below(&entry.unwrap().path())).sum();
        }
        path.metadata().map_or(0, |found| found.len())
    }
    let parts = ["events.jsonl", "logs", "outputs"];
    parts
        .iter()
        .map(|part| below(&session.latest().join(part)))
        .sum()
}

/// What a passing case adds, between a run of few and one of many.
fn bytes_of_a_case(run: impl Fn(u64) -> u64) -> u64 {
    const FEW: u64 = 5;
    const MANY: u64 = 105;
    (run(MANY) - run(FEW)).div_ceil(MANY - FEW)
}

#[test]
fn a_passing_case_is_logged_in_less_than_a_kilobyte() {
    let session = Session::new();
    for n in 0..105 {
        let suite = if n < 5 { "few" } else { "rest" };
        session.script(&format!("suite/{suite}/case-{n:03}"), "exit 0");
    }
    let programs = bytes_of_a_case(|count| {
        let suite = if count == 5 { "suite/few" } else { "suite" };
        assert_eq!(session.zk2(&["run", suite]).code, Some(0));
        logged_bytes(&session)
    });
    assert!((100..=1000).contains(&programs), "{programs} bytes");
    let functions = bytes_of_a_case(|count| {
        let count = count.to_string();
        let ended = linked(
            &session,
            &[
                "run",
                "--tests-include",
                "zk2_linked_cases::passes",
                "--tests-repeat",
                &count,
            ],
        );
        assert_eq!(ended.code, Some(0), "{ended:?}");
        logged_bytes(&session)
    });
    assert!((100..=1000).contains(&functions), "{functions} bytes");
}

/// Logs that older versions have written, and the newest as it was when the version was new.
const GOLDEN: [(&str, &str, &[&str]); 10] = [
    (
        "1.0",
        include_str!("../core/src/results/event_log/golden-1.0.jsonl"),
        &[],
    ),
    (
        "1.2",
        include_str!("../core/src/results/event_log/golden-1.2.jsonl"),
        &[],
    ),
    (
        "1.3",
        include_str!("../core/src/results/event_log/golden-1.3.jsonl"),
        &["suite::flaky", "suite::flood", "c_crashes"],
    ),
    (
        "1.3, of several runs",
        include_str!("../core/src/results/event_log/golden-1.3-merged.jsonl"),
        &["suite::flaky", "suite::known"],
    ),
    (
        "1.4",
        include_str!("../core/src/results/event_log/golden-1.4.jsonl"),
        &["suite::points.tap", "zk2_testbench::kills_the_runner"],
    ),
    (
        "1.4, of several runs",
        include_str!("../core/src/results/event_log/golden-1.4-merged.jsonl"),
        &["suite::flaky", "suite::known"],
    ),
    (
        "1.5",
        include_str!("../core/src/results/event_log/golden-1.5.jsonl"),
        &["suite::points.tap", "zk2_testbench::any"],
    ),
    (
        "1.5, of several runs",
        include_str!("../core/src/results/event_log/golden-1.5-merged.jsonl"),
        &["suite::flaky", "zk2_testbench::any"],
    ),
    (
        "1.6",
        include_str!("../core/src/results/event_log/golden-1.6.jsonl"),
        &["suite::hangs", "suite::passes"],
    ),
    (
        "1.6, of several runs",
        include_str!("../core/src/results/event_log/golden-1.6-merged.jsonl"),
        &["suite::hangs", "suite::passes"],
    ),
];

const REPORTS: [(&str, &str); 8] = [
    ("text", "report.txt"),
    ("html", "report.html"),
    ("junit", "junit.xml"),
    ("testng", "testng-results.xml"),
    ("tap", "results.tap"),
    ("json", "report.json"),
    ("ctrf", "ctrf.json"),
    ("markdown", "summary.md"),
];

/// What the command says about `log`, and the directory with its reports.
fn all_reports(session: &Session, log: &str) -> (crate::session::Ended, std::path::PathBuf) {
    session.write("run/events.jsonl", log);
    let options = REPORTS.map(|(name, _)| format!("--reports-{name}=true"));
    let options = options.iter().map(String::as_str);
    let line: Vec<&str> = ["report", "run"].into_iter().chain(options).collect();
    (session.zk2(&line), session.path().join("run"))
}

#[test]
fn f19_every_report_is_made_of_logs_of_older_versions() {
    for (version, log, cases) in GOLDEN {
        let session = Session::new();
        let (ended, directory) = all_reports(&session, log);
        assert!(ended.stdout.contains("\n  exit "), "{version}: {ended:?}");
        for (name, file) in REPORTS {
            let report = std::fs::read_to_string(directory.join(file)).unwrap();
            // Markdown has the failures only.
            for case in cases.iter().filter(|_| name != "markdown") {
                let case = case.rsplit("::").next().unwrap();
                assert!(report.contains(case), "{version}, {name}: {report}");
            }
        }
    }
}

#[test]
fn f19_what_1_4_added_is_in_the_reports() {
    for ((version, log, _), lines) in GOLDEN[4..6].iter().zip([
        &["box at 2026-11-21T22:42:3", "box at 2026-11-21T22:42:3"][..],
        &["box at 2026-11-21T22:42:3", "phone at 2026-11-21T22:42:3"],
    ]) {
        let session = Session::new();
        let (ended, directory) = all_reports(&session, log);
        let report = std::fs::read_to_string(directory.join("report.txt")).unwrap();
        let told: Vec<_> = report
            .lines()
            .filter_map(|line| line.strip_prefix("  recovery of "))
            .collect();
        assert_eq!(told.len(), lines.len(), "{version}: {ended:?} {report}");
        for (told, line) in told.iter().zip(lines) {
            assert!(told.starts_with(line), "{version}: {told}");
        }
        let report = std::fs::read_to_string(directory.join("report.json")).unwrap();
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        let told = report["summary"]["recoveries"].as_array().unwrap();
        assert_eq!(told.len(), lines.len(), "{version}: {report}");
    }
}

#[test]
fn f19_what_1_6_added_is_in_the_reports_and_in_how_they_end() {
    for (version, log, _) in &GOLDEN[8..] {
        let session = Session::new();
        let (ended, directory) = all_reports(&session, log);
        assert_eq!(ended.code, Some(5), "{version}: {ended:?}");
        let said = "1 process could not be killed: pid 13704 of case suite::hangs";
        assert!(ended.stdout.contains(said), "{version}: {ended:?}");
        for (name, file) in REPORTS {
            let report = std::fs::read_to_string(directory.join(file)).unwrap();
            let said = match name {
                "junit" => "<property name=\"unkillable-process\" value=\"13704\"/>",
                _ => said,
            };
            assert!(report.contains(said), "{version}, {name}: {report}");
        }
        // Without what is new, the run has one error, as a reader of 1.5 sees it.
        let older = log.replace(",\"unkillable\":[13704]", "");
        assert_ne!(&older, log, "{version}");
        let (ended, _) = all_reports(&Session::new(), &older);
        assert_eq!(ended.code, Some(1), "{version}: {ended:?}");
    }
}

#[test]
fn f19_what_1_5_added_is_in_the_reports_and_in_how_they_end() {
    for (version, log, _) in &GOLDEN[6..8] {
        // The code alone says it, too, and what went wrong does.
        let without_code = log.replace(",\"exit_code\":7", "");
        let records = log.split_inclusive('\n');
        let code_alone: String = records
            .filter(|line| !line.contains("hook-failed"))
            .collect();
        for log in [log, without_code.as_str(), &code_alone] {
            let (ended, _) = all_reports(&Session::new(), log);
            assert_eq!(ended.code, Some(7), "{version}: {ended:?}");
        }
        let session = Session::new();
        let (ended, directory) = all_reports(&session, log);
        let said = "UNINITIALIZE_SUT: trouble: SUT `phone`: no way to switch it off";
        assert!(ended.stdout.contains(said), "{version}: {ended:?}");
        let report = std::fs::read_to_string(directory.join("report.txt")).unwrap();
        assert!(report.contains(said), "{version}: {report}");
    }
}

#[test]
fn f19_what_a_newer_minor_version_adds_is_passed_over_and_a_newer_major_one_is_refused() {
    let (_, log, _) = GOLDEN[4];
    let newer = log.replace("{\"schema\":\"1.4\"", "{\"later\":[{}],\"schema\":\"1.99\"");
    let newer = newer.replace("\"data\":{", "\"data\":{\"later\":{\"a\":[1]},");
    let first = newer.lines().next().unwrap();
    let unknown = first.replace("run-started", "of-later");
    let session = Session::new();
    let (ended, directory) = all_reports(&session, &format!("{newer}{unknown}\n"));
    let shown = std::fs::read_to_string(directory.join("report.json")).unwrap();
    let (as_written, directory) = all_reports(&Session::new(), log);
    assert_eq!(ended.code, as_written.code, "{ended:?}");
    drop(directory);
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["cases"].as_array().unwrap().len(), 6);

    let major = log.replace("{\"schema\":\"1.4\"", "{\"schema\":\"2.0\"");
    let (ended, _) = all_reports(&session, &major);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    let said = "line 1 has schema version 2.0, this program understands 1.x";
    assert!(ended.stderr.contains(said), "{ended:?}");
}
