//! What holds after every run, whatever happened to it: five things, looked at in one place.
//!
//! 1. No case has two verdicts; all have one if anybody was left who could give it, and always if the run says that all is well.
//! 2. The log can be read to its last whole record, by `zk2 report` too.
//! 3. The exit code is one of the table, or the signal that somebody sent.
//! 4. No process that the run has started lives.
//! 5. No file lies where none belongs.
//!
//! Source: reliability, 9.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::session::Session;

/// Exit codes of the table that are no signal's.
const CODES: [i32; 10] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 70];

/// Who could give verdicts to cases that had none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Witness {
    /// The run itself, or its guard.
    Alive,
    /// Nobody: both were killed, or the log could not be written.
    Gone,
}

/// A run that is over.
pub(crate) struct Aftermath<'a> {
    pub(crate) session: &'a Session,
    pub(crate) code: Option<i32>,
    pub(crate) signal: Option<i32>,
    /// How many cases were selected.
    pub(crate) selected: usize,
    pub(crate) witness: Witness,
    /// What lies in the working directory, beside `output` and `left-behind`.
    pub(crate) files: &'a [&'a str],
}

impl Aftermath<'_> {
    pub(crate) fn assert_sound(&self) {
        self.assert_exit_code();
        let records = self.assert_readable();
        self.assert_verdicts(&records);
        assert_nothing_runs(self.session);
        self.assert_files();
    }

    fn assert_exit_code(&self) {
        match (self.code, self.signal) {
            (Some(code), None) => {
                assert!(
                    CODES.contains(&code) || (129..=192).contains(&code),
                    "{code}"
                );
            }
            (None, Some(_)) => {}
            other => panic!("{other:?}"),
        }
    }

    /// The whole records of the log; none if the run did not come to have one.
    fn assert_readable(&self) -> Vec<Value> {
        if !self.session.latest().join("events.jsonl").exists() {
            return Vec::new();
        }
        let records = whole_records(self.session);
        let only_junit = [
            "--reports-junit",
            "true",
            "--no-reports-html",
            "--no-reports-text",
        ];
        let report = self
            .session
            .zk2(&[&["report"], only_junit.as_slice()].concat());
        let is_told = report.code.is_some_and(|code| CODES.contains(&code));
        assert!(is_told || records.is_empty(), "{report:?}");
        assert!(!report.stderr.contains("panicked"), "{report:?}");
        let count = |kind: &str| {
            records
                .iter()
                .filter(|record| record["kind"] == kind)
                .count()
        };
        if count("cases-selected") > 0 {
            let document = fs::read_to_string(self.session.latest().join("junit.xml")).unwrap();
            // A hook that failed is a row of its own.
            let rows = self.selected + count("hook-failed");
            assert_eq!(document.matches("<testcase").count(), rows, "{document}");
        }
        records
    }

    fn assert_verdicts(&self, records: &[Value]) {
        let mut verdicts = Vec::new();
        let mut seen = BTreeSet::new();
        for record in records
            .iter()
            .filter(|record| record["kind"] == "case-finished")
        {
            let data = &record["data"];
            if data["retried"] != true {
                assert!(seen.insert(data["case"].as_str()), "two verdicts: {record}");
                verdicts.push(data["verdict"].as_str().unwrap());
            }
        }
        let are_known = records
            .iter()
            .any(|record| record["kind"] == "cases-selected");
        if self.witness == Witness::Alive && are_known || self.code == Some(0) {
            assert_eq!(verdicts.len(), self.selected, "{verdicts:?}");
        }
        assert!(verdicts.len() <= self.selected);
        if self.code == Some(0) {
            let good = ["passed", "skipped", "ignored"];
            assert!(
                verdicts.iter().all(|verdict| good.contains(verdict)),
                "{verdicts:?}"
            );
        }
    }

    fn assert_files(&self) {
        let found = fs::read_dir(self.session.path()).unwrap();
        for entry in found {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let is_known = ["output", "left-behind"].contains(&&*name);
            assert!(is_known || self.files.contains(&&*name), "{name}");
        }
        let temporary = self.session.path().join("tmp");
        if let Ok(left) = fs::read_dir(temporary) {
            assert_eq!(left.count(), 0);
        }
    }
}

/// The records of the newest run but for a line that was torn at the end: a reader cuts that off and says so.
pub(crate) fn whole_records(session: &Session) -> Vec<Value> {
    let log = fs::read_to_string(session.latest().join("events.jsonl")).unwrap();
    let whole = log.rfind('\n').map_or("", |end| &log[..end]);
    let lines = whole.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Asserts that nothing lives that was started in the session: not what its processes noted, and nothing with its environment.
pub(crate) fn assert_nothing_runs(session: &Session) {
    session.assert_nothing_left();
    // Also those that had no time to note themselves.
    let home = format!("HOME={}\0", session.path().parent().unwrap().display());
    for entry in fs::read_dir("/proc").unwrap() {
        let process = entry.unwrap().path();
        let environment = fs::read(process.join("environ")).unwrap_or_default();
        let environment = String::from_utf8_lossy(&environment);
        let command = fs::read_to_string(process.join("cmdline"));
        let process = process.display();
        assert!(!environment.contains(&home), "{process}: {command:?}");
    }
}
