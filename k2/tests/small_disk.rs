//! A disk of two megabytes that fills up in the middle of what is done: a run with big outputs and every report, reports made anew, the
//! history, a new addon.
//!
//! The disk is mounted in a name space of its own, where the machine allows that; else a notice is written.

use std::fs;

use crate::faults::{assert_readable, with_mounts};
use crate::session::{Ended, Session};

/// As many cases with outputs as fill the disk some times over.
const CASES: usize = 30;

/// Every report that is a file.
const REPORTS: [&str; 8] = [
    "ctrf", "html", "json", "junit", "markdown", "tap", "testng", "text",
];

/// Every fifth case fails.
const FAILED: usize = CASES / 5;

fn session() -> Session {
    let session = Session::new();
    for number in 1..=CASES {
        let code = usize::from(number % 5 == 0);
        let body = format!("yes 0123456789012345678901234567890 | head -c 200000; exit {code}");
        session.script(&format!("suite/c{number:02}"), &body);
    }
    session.script("quick/passes", "exit 0");
    session
}

/// What stands in front of each script: the disk, and how to call a command with every report.
fn preamble() -> String {
    let all: Vec<String> = REPORTS
        .map(|report| format!("--reports-{report}=true"))
        .to_vec();
    format!(
        "mkdir small && mount -t tmpfs -o size=2m none small || exit 99
        all='--output-dir small {}'
        fill() {{ cat /dev/zero > small/fill 2> /dev/null; }}\n",
        all.join(" ")
    )
}

/// Runs `script` on the small disk; each `step NAME COMMAND…` of it leaves its code and what it says in files of that name.
fn on_small_disk(session: &Session, script: &str) -> Option<Ended> {
    let steps =
        "step() { name=$1; shift; \"$@\" > $name.out 2> $name.err; echo $? > $name.code; }\n";
    let ended = with_mounts(session, &[&preamble(), steps, script].concat())?;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    Some(ended)
}

/// How a step ended.
fn step(session: &Session, name: &str) -> Ended {
    let read = |end: &str| {
        let path = session.path().join(format!("{name}.{end}"));
        fs::read_to_string(path).unwrap()
    };
    let code: i32 = read("code").trim().parse().unwrap();
    Ended {
        code: Some(code),
        signal: None,
        stdout: read("out"),
        stderr: read("err"),
    }
}

/// The lines that say what is missing, by name.
fn missing(ended: &Ended) -> Vec<(String, String)> {
    let lines = ended.stdout.lines();
    let rows = lines.filter_map(|line| line.strip_prefix("  missing  "));
    rows.map(|row| {
        let (name, reason) = row.split_once(": ").unwrap();
        (name.to_owned(), reason.to_owned())
    })
    .collect()
}

/// Asserts that what is missing is said with its path, and once what to do about it; small reports may have found room.
fn assert_told(ended: &Ended, names: &[&str]) {
    let missing = missing(ended);
    let told: Vec<_> = missing.iter().map(|(name, _)| name.as_str()).collect();
    for name in names {
        assert!(told.contains(name), "{name} is not missing: {ended:?}");
    }
    let written = ended.stdout.matches("\n  report ").count();
    let unwritten = told.iter().filter(|name| REPORTS.contains(name)).count();
    assert_eq!(written + unwritten, REPORTS.len(), "{ended:?}");
    for (name, reason) in &missing {
        assert!(reason.contains("small/"), "{name}: {reason}");
        assert!(reason.contains("No space left"), "{name}: {reason}");
    }
    let hints = ended.stdout.matches("\n  hint     the disk of small/");
    assert_eq!(hints.count(), 1, "{ended:?}");
    assert!(!ended.stderr.contains("panicked"), "{ended:?}");
}

#[test]
fn f1_a_run_that_fills_its_disk_tells_the_truth_and_its_reports_can_be_made_when_there_is_room() {
    let session = session();
    let script = "step run $zk2 run suite $all
        find small -name '*.tmp' > left; cp small/latest/events.jsonl log; du -a small > usage
        step again $zk2 report $all
        mount -o remount,size=64m small || exit 98
        step room $zk2 report $all
        step next $zk2 run quick $all
        step list $zk2 results list --output-dir small
        find small -name '*.tmp' >> left; ls small/latest/ > reports";
    let Some(_) = on_small_disk(&session, script) else {
        return;
    };
    let ended = step(&session, "run");
    assert_eq!(ended.code, Some(6), "{ended:?}");
    let counts = format!("\n  {} passed · {FAILED} failed ", CASES - FAILED);
    assert!(ended.stdout.contains(&counts), "{}", ended.stdout);
    assert_told(&ended, &["events", "html", "json"]);
    let said = ended.stderr.lines();
    let of_history: Vec<_> = said
        .filter(|line| line.contains("the run is not in the history"))
        .collect();
    for line in &of_history {
        assert_eq!(line.matches("disk is full").count(), 1, "{line}");
        assert!(line.contains("`small/history.sqlite`"), "{line}");
    }
    assert!(of_history.len() <= 1, "{ended:?}");
    let log = fs::read_to_string(session.path().join("log")).unwrap();
    assert_readable(&log);
    assert!(log.contains("\"run-started\""), "{log}");

    // Nothing of the log is lost by a report that cannot be written either.
    let again = step(&session, "again");
    assert_eq!(again.code, Some(6), "{again:?}");
    assert_told(&again, &["html", "json"]);

    let room = step(&session, "room");
    assert_eq!(room.code, Some(5), "{room:?}");
    assert_eq!(missing(&room), [], "{room:?}");
    assert!(!room.stdout.contains("  hint "), "{room:?}");
    let next = step(&session, "next");
    assert_eq!(next.code, Some(0), "{next:?}");
    assert_eq!(missing(&next), []);
    let reports = fs::read_to_string(session.path().join("reports")).unwrap();
    for file in ["report.html", "junit.xml", "report.txt"] {
        assert!(reports.contains(file), "{reports}");
    }
    // The history has what could be kept of it, and the next run.
    let list = step(&session, "list");
    assert_eq!(list.code, Some(0), "{list:?}");
    assert!(!list.stderr.contains("damaged"), "{list:?}");
    assert!(!list.stdout.contains("no run is recorded"), "{list:?}");
    let left = fs::read_to_string(session.path().join("left")).unwrap();
    assert_eq!(left, "", "unfinished files are left");
}

#[test]
fn f1_a_history_on_a_full_disk_keeps_what_it_has_and_changes_no_verdict() {
    let session = session();
    let script = "step first $zk2 run quick --output-dir small
        fill
        step full $zk2 run quick $all
        step list $zk2 results list --output-dir small
        rm small/fill
        step next $zk2 run quick --output-dir small
        step then $zk2 results list --output-dir small";
    let Some(_) = on_small_disk(&session, script) else {
        return;
    };
    assert_eq!(step(&session, "first").code, Some(0));
    let full = step(&session, "full");
    assert_eq!(full.code, Some(6), "{full:?}");
    assert!(full.stdout.contains("\n  1 passed "), "{full:?}");
    assert_told(&full, &["events"]);
    let said: Vec<_> = full
        .stderr
        .lines()
        .filter(|line| line.contains("history"))
        .collect();
    assert_eq!(said.len(), 1, "{full:?}");
    assert!(
        said[0].contains("the run is not in the history"),
        "{said:?}"
    );
    // A line for each run, and one above them.
    let runs = |name: &str| {
        let ended = step(&session, name);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.stdout.lines().count()
    };
    assert_eq!(step(&session, "next").code, Some(0));
    assert_eq!(runs("then"), runs("list") + 1);
}

#[test]
fn i4_an_addon_that_does_not_fit_leaves_nothing() {
    let session = session();
    let script = "cd small; cat /dev/zero > fill 2> /dev/null; ls -a > ../before
        $zk2 addon create --yes --name probe --type suite > ../o 2> ../e; echo $? > ../c
        ls -a > ../after";
    let Some(_) = on_small_disk(&session, script) else {
        return;
    };
    let read = |name: &str| fs::read_to_string(session.path().join(name)).unwrap();
    let said = read("e");
    assert_eq!(read("c"), "6\n", "{said} {}", read("o"));
    assert!(said.contains("No space left"), "{said}");
    assert!(said.contains("nothing was changed"), "{said}");
    assert_eq!(read("before"), read("after"));
}
