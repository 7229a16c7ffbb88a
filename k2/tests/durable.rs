//! How often an event log is brought to disk, and what a clock that is set means for it.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::guard::Guarded;
use crate::nth_fault::can_inject;
use crate::session::{Session, text, wait};
use crate::stopping::fifo;

/// Seconds between two groups: 200 ms, less what the two clocks of a trace may differ by.
const GROUP: f64 = 0.199;

/// Bytes that do not wait for that.
const MUCH: u64 = 64 * 1024;

/// Writes that a group may leave to the next although they ended before it began: one by each worker.
const UNDER_WAY: usize = 8;

/// A call that a thread has made for the log.
#[derive(Debug)]
struct Call {
    name: String,
    /// Number of the descriptor.
    file: String,
    /// In seconds.
    began: f64,
    ended: f64,
    /// What it returned: for a write, how many bytes.
    result: u64,
}

impl Call {
    /// Of a line of a trace with `-ttt -T -y`: `1795.1 write(5</path>, …) = 3 <0.001>`.
    fn read(line: &str) -> Option<Self> {
        let (began, text) = line.split_once(' ')?;
        let (name, rest) = text.split_once('(')?;
        let (file, _) = rest.split_once('<')?;
        let took: f64 = text.rsplit_once('<')?.1.strip_suffix('>')?.parse().ok()?;
        let began: f64 = began.parse().ok()?;
        let result = text.rsplit_once(" = ")?.1.split(' ').next()?;
        Some(Self {
            result: result.parse().ok()?,
            name: name.to_owned(),
            file: file.to_owned(),
            began,
            ended: began + took,
        })
    }
}

#[test]
fn f16_the_log_is_brought_to_disk_in_groups_and_at_the_end() {
    if !can_inject() {
        return;
    }
    let session = Session::new();
    // Some 150 KiB: half of it little by little, then much at once.
    for case in 0..150 {
        session.script(&format!("suite/{case:03}"), "exit 0");
    }
    let flood = "head -c 60000 /dev/zero | tr '\\0' x";
    session.script("suite/flood-a", flood);
    session.script("suite/flood-b", flood);
    // A file for each thread.
    let strace = ["-ff", "-qq", "-ttt", "-T", "-y", "-o", "calls"];
    let calls = ["-e", "trace=fdatasync,write,writev,pwrite64"];
    let run = [env!("CARGO_BIN_EXE_zk2"), "run", "suite"];
    let line = [strace.as_slice(), &calls, &run].concat();
    let ended = wait(session.program("strace", &line).spawn().unwrap());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let mut calls = Vec::new();
    for entry in fs::read_dir(session.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some() && path.file_stem().is_some_and(|stem| stem == "calls") {
            let trace = fs::read_to_string(path).unwrap();
            let of_log = trace.lines().filter(|line| line.contains("/events.jsonl>"));
            calls.extend(of_log.filter_map(Call::read));
        }
    }
    calls.sort_by(|one, other| one.began.total_cmp(&other.began));
    let (syncs, writes): (Vec<&Call>, Vec<&Call>) =
        calls.iter().partition(|call| call.name == "fdatasync");
    let last_write = writes.last().expect("invariant: a log was written");
    // Who writes waits for the disk at the end only; the groups belong to somebody else.
    let (at_end, groups): (Vec<&Call>, Vec<&Call>) = syncs
        .into_iter()
        .partition(|sync| sync.file == last_write.file);
    assert!(!at_end.is_empty() && at_end.len() <= 2, "{at_end:?}");
    assert!(
        at_end.iter().all(|sync| sync.began >= last_write.ended),
        "{at_end:?} {last_write:?}"
    );
    let written = |from: usize, before: f64| -> u64 {
        let writes = writes[from..].iter();
        writes
            .filter(|write| write.began < before)
            .map(|write| write.result)
            .sum()
    };
    for pair in groups.windows(2) {
        let (one, next) = (pair[0], pair[1]);
        let known = writes.iter().filter(|write| write.ended < one.began);
        let new = written(known.count().saturating_sub(UNDER_WAY), next.began);
        assert!(
            next.began - one.ended >= GROUP || new >= MUCH,
            "{pair:?}, {new} bytes"
        );
    }
    // Some were cut by their size, if there was no time for others.
    let all = written(0, f64::MAX);
    assert!(all > 2 * MUCH, "{all}");
    assert!(!groups.is_empty());
    let took = last_write.ended - calls[0].began;
    let many = u32::try_from(groups.len()).unwrap();
    let most = took / GROUP + f64::from(u32::try_from(all / MUCH).unwrap()) + 2.0;
    assert!(f64::from(many) <= most, "{groups:?}");
}

/// The library that makes a program see another time of day, if it is there; said aloud if not.
fn faketime() -> Option<String> {
    let machine = std::env::consts::ARCH;
    let places = [
        format!("/usr/lib/{machine}-linux-gnu/faketime/libfaketimeMT.so.1"),
        "/usr/lib/faketime/libfaketimeMT.so.1".to_owned(),
        "/usr/lib64/faketime/libfaketimeMT.so.1".to_owned(),
    ];
    let found = places.into_iter().find(|place| Path::new(place).exists());
    if found.is_none() {
        let notice = b"NOTICE: faketime is not installed: a clock that is set is not tested\n";
        let _ = rustix::io::write(rustix::stdio::stderr(), notice);
    }
    found
}

/// One case runs while the clock is set by an hour, another begins after that; each has half an hour.
fn assert_jump_changes_nothing(jump: &str, hours: i64) {
    let Some(library) = faketime() else { return };
    let session = Session::new();
    let (go, set) = (fifo(&session, "go"), session.path().join("clock"));
    fs::write(&set, "+0\n").unwrap();
    session.script("suite/a-sees-it", "echo > ready; read _ < go");
    session.script("suite/b-comes-later", "exit 0");
    let options = [
        "run",
        "suite",
        "--parallel-workers=1",
        "--tests-timeout=30m",
        "--run-timeout=30m",
    ];
    let options = [["--command-timeout=30m"].as_slice(), &options].concat();
    let mut command = session.command(&options);
    command
        .env("LD_PRELOAD", library)
        .env("FAKETIME_TIMESTAMP_FILE", &set)
        .env("FAKETIME_NO_CACHE", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    let run = Guarded::start(session, command);
    fs::write(&set, format!("{jump}\n")).unwrap();
    fs::write(go, "\n").unwrap();
    let (session, ended) = run.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let records = session.records();
    let numbers: Vec<u64> = records
        .iter()
        .map(|record| record.get("seq").and_then(Value::as_u64).unwrap())
        .collect();
    assert!(numbers.iter().copied().eq(1..=numbers.len() as u64));
    let kinds: Vec<String> = records.iter().map(|record| text(record, "kind")).collect();
    let case = ["case-started", "case-finished"];
    let around = ["run-started", "cases-selected"];
    let expected = [around.as_slice(), &case, &case, &["run-finished"]].concat();
    assert_eq!(kinds, expected);
    // The time of day has jumped, or nothing is tested.
    let at = |record: &Value| -> jiff::Timestamp { text(record, "started").parse().unwrap() };
    let (first, second) = (at(&records[2]), at(&records[4]));
    let apart = second.duration_since(first).as_secs() - hours * 3600;
    assert!(apart.abs() < 1800, "{first} {second}");
    for record in [&records[3], &records[5], &records[6]] {
        let took = record.get("duration_us").and_then(Value::as_u64);
        assert!(took.is_some_and(|took| took < 1_800_000_000), "{record:#}");
    }
    assert!(records[3].get("duration_us").and_then(Value::as_u64) > Some(0));
}

#[test]
fn g1_a_clock_that_is_put_forward_by_an_hour_changes_no_duration_and_no_limit() {
    assert_jump_changes_nothing("+1h", 1);
}

#[test]
fn g1_a_clock_that_is_put_back_by_an_hour_changes_no_duration_and_no_limit() {
    assert_jump_changes_nothing("-1h", -1);
}
