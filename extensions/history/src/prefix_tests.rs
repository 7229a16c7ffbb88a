//! Whatever is left of an event log: what is imported is what it says, and importing it again changes nothing.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use k2::case::{CaseId, Verdict};
use k2::results::event_log::EventLogWriter;
use k2::results::{
    CasesSelected, EVENT_LOG_FILE, RecordBody, RunEnd, RunFinished, RunLog, RunLogs, RunStarted,
    TestCaseFinished,
};
use proptest::prelude::*;

use crate::database::{self, Database, HISTORY_FILE};
use crate::error::HistoryError;
use crate::import::{Imported, import};
use crate::query::{self, RunRow};
use crate::recorder::record;
use crate::schema;

/// One execution: how many attempts failed before, and how the last one ended.
type Execution = (u32, Verdict);

fn executions() -> impl Strategy<Value = Vec<Execution>> {
    let verdict = proptest::sample::select(Verdict::ALL.to_vec());
    proptest::collection::vec((0..3_u32, verdict), 0..12)
}

/// Writes the log of a run of these cases.
fn write_log(path: &Utf8Path, run: &str, started: i64, executions: &[Execution]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, "").unwrap();
    let mut log = EventLogWriter::new(path.to_owned());
    let time = Timestamp::from_second(started).unwrap();
    log.append(RecordBody::RunStarted(RunStarted {
        run: run.into(),
        application: "k2".into(),
        version: "1".into(),
        started: time,
        command_line: vec!["zk2".into(), "run".into()],
        again: Vec::new(),
        working_directory: "/w".into(),
        host: "h".into(),
        directory: "/w/output/r".into(),
        workers: 1,
    }));
    let case = |n: usize| CaseId::new(format!("case-{n:05}\u{1b}"));
    log.append(RecordBody::CasesSelected(CasesSelected {
        cases: (0..executions.len()).map(case).collect::<Arc<[_]>>(),
        filtered_out: 1,
        sources: 1,
        seed: None,
    }));
    for (n, &(failed, verdict)) in executions.iter().enumerate() {
        for attempt in 1..=failed + 1 {
            let retried = attempt <= failed;
            let verdict = if retried { Verdict::Failed } else { verdict };
            log.append(RecordBody::CaseFinished(TestCaseFinished {
                attempt,
                retried,
                duration: Some(Duration::from_micros(n as u64)),
                reason: Some("because".into()),
                ..TestCaseFinished::new(n as u64 + 1, case(n), verdict, time)
            }));
        }
    }
    log.append(RecordBody::RunFinished(RunFinished {
        finished: time,
        duration: Duration::from_secs(2),
        end: RunEnd::Completed,
        exit_code: None,
    }));
    log.sync();
}

struct Place {
    _dir: tempfile::TempDir,
    output: Utf8PathBuf,
}

impl Place {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let output = Utf8PathBuf::from_path_buf(dir.path().to_owned()).unwrap();
        Self { _dir: dir, output }
    }

    fn log(&self, run: &str) -> Utf8PathBuf {
        self.output.join(run).join(EVENT_LOG_FILE)
    }

    fn record(&self, run: &str, keep: u64) -> Result<Imported, HistoryError> {
        let (directory, log) = (self.output.join(run), self.log(run));
        record(
            &self.output,
            &directory,
            &log,
            &RunLogs::default(),
            keep,
            None,
        )
    }

    fn database(&self) -> Database {
        Database::read(&self.output).unwrap().unwrap()
    }

    fn runs(&self) -> Vec<RunRow> {
        query::newest_runs(&self.database(), 0).unwrap()
    }

    fn names(&self) -> Vec<String> {
        self.runs().into_iter().map(|row| row.run).collect()
    }
}

/// What the history has of the run: its counts, and verdicts and attempts of all executions.
fn kept(place: &Place) -> (RunRow, Vec<(String, Verdict, u32)>) {
    let runs = place.runs();
    let mut found = Vec::new();
    query::for_each_execution(&place.database(), &runs, |name, row| {
        found.push((name.to_owned(), row.verdict, row.attempts));
    })
    .unwrap();
    (runs.into_iter().next().unwrap(), found)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_beginning_of_an_event_log_is_imported_as_what_it_says(
        executions in executions(), cut in any::<prop::sample::Index>(),
    ) {
        let place = Place::new();
        let log = place.log("r1");
        write_log(&log, "r1", 1000, &executions);
        let whole = fs::read(&log).unwrap();
        let cut = cut.index(whole.len() + 1);
        fs::write(&log, &whole[..cut]).unwrap();
        let said = RunLog::open(&log).unwrap();
        let summary = said.summary();
        match place.record("r1", 0) {
            Err(HistoryError::NoStart) => prop_assert!(summary.run().is_none()),
            Err(other) => return Err(TestCaseError::fail(other.to_string())),
            Ok(imported) => {
                prop_assert_eq!(imported, Imported::Added);
                let (run, rows) = kept(&place);
                for verdict in Verdict::ALL {
                    prop_assert_eq!(run.count(verdict), summary.counts().of(verdict));
                    let of = rows.iter().filter(|row| row.1 == verdict).count();
                    prop_assert_eq!(of as u64, summary.counts().of(verdict));
                }
                prop_assert_eq!(run.flaky, summary.flaky());
                prop_assert_eq!(run.ending == "killed", summary.end().is_none());
                // A second time, nothing happens.
                prop_assert_eq!(place.record("r1", 0).unwrap(), Imported::Known);
                prop_assert_eq!(kept(&place).1, rows);
            }
        }
        // The rest arrives: now everything is there, once.
        fs::write(&log, &whole).unwrap();
        let imported = place.record("r1", 0).unwrap();
        prop_assert_eq!(imported == Imported::Known, cut == whole.len());
        let expected: Vec<_> = executions
            .iter()
            .enumerate()
            .map(|(n, &(failed, verdict))| (format!("case-{n:05}\u{1b}"), verdict, failed + 1))
            .collect();
        prop_assert_eq!(kept(&place).1, expected);
    }
}

#[test]
fn only_the_newest_runs_are_kept_and_cases_that_no_run_has_are_forgotten() {
    let place = Place::new();
    for n in 1..=4_u8 {
        let run = format!("r{n}");
        let cases = vec![(0, Verdict::Passed); usize::from(5 - n)];
        write_log(&place.log(&run), &run, 1000 + i64::from(n), &cases);
        place.record(&run, 2).unwrap();
    }
    assert_eq!(place.names(), ["r4", "r3"]);
    assert_eq!(query::case_names(&place.database()).unwrap().len(), 2);
    // One that is too old to be kept goes as it came.
    place.record("r1", 2).unwrap();
    assert_eq!(place.names(), ["r4", "r3"]);
    assert_eq!(query::case_names(&place.database()).unwrap().len(), 2);
}

#[test]
fn f1_a_full_disk_leaves_the_history_as_it_was() {
    let place = Place::new();
    write_log(&place.log("r1"), "r1", 1000, &[(0, Verdict::Passed)]);
    write_log(
        &place.log("r2"),
        "r2",
        2000,
        &vec![(0, Verdict::Failed); 5000],
    );
    place.record("r1", 0).unwrap();
    let log = RunLog::open(&place.log("r2")).unwrap();
    let refused = database::write(&place.output, |database| {
        // No page more: what a full disk looks like to the database.
        database
            .connection
            .pragma_update(None, "max_page_count", 1)
            .unwrap();
        import(database, &log, Utf8Path::new("/r2"), 1, 0, None)
    });
    let error = crate::error::in_one_line(&refused.unwrap_err());
    assert!(error.contains("full"), "{error}");
    assert_eq!(place.names(), ["r1"]);
    place.record("r2", 0).unwrap();
    assert_eq!(place.names(), ["r2", "r1"]);
}

type Damage<'a> = &'a dyn Fn(&Utf8Path);

#[test]
fn f5_every_kind_of_damage_is_put_aside_and_a_new_history_begins() {
    let foreign = |path: &Utf8Path| {
        let other = rusqlite::Connection::open(path).unwrap();
        other.execute_batch("CREATE TABLE t (x)").unwrap();
    };
    let torn = |path: &Utf8Path| {
        let bytes = fs::read(path).unwrap();
        fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
    };
    let text = |path: &Utf8Path| {
        fs::write(
            path,
            "not a database, but long enough for a header: ".repeat(9),
        )
        .unwrap();
    };
    let overwritten = |path: &Utf8Path| {
        let mut bytes = fs::read(path).unwrap();
        let from = bytes.len().min(4096);
        bytes[from..].fill(0x5a);
        fs::write(path, bytes).unwrap();
    };
    let damages: [(&str, Damage<'_>, bool); 4] = [
        ("text", &text, false),
        ("foreign", &foreign, false),
        ("torn", &torn, true),
        ("overwritten", &overwritten, true),
    ];
    for (name, damage, was_history) in damages {
        let place = Place::new();
        write_log(&place.log("r1"), "r1", 1000, &[(0, Verdict::Passed); 300]);
        write_log(&place.log("r2"), "r2", 2000, &[(0, Verdict::Failed); 300]);
        if was_history {
            place.record("r1", 0).unwrap();
        }
        damage(&place.output.join(HISTORY_FILE));
        assert_eq!(place.record("r2", 0).unwrap(), Imported::Added, "{name}");
        assert_eq!(place.names(), ["r2"], "{name}");
        let aside = place.output.read_dir_utf8().unwrap().flatten();
        let aside = aside.filter(|entry| entry.file_name().contains(".damaged-"));
        assert_eq!(aside.count(), 1, "{name}");
        place.record("r1", 0).unwrap();
        assert_eq!(place.names(), ["r2", "r1"], "{name}");
    }
}

#[test]
fn a_history_of_a_newer_program_is_left_as_it_is() {
    let place = Place::new();
    write_log(&place.log("r1"), "r1", 1000, &[]);
    place.record("r1", 0).unwrap();
    let path = place.output.join(HISTORY_FILE);
    let newer = rusqlite::Connection::open(&path).unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    drop(newer);
    let before = fs::read(&path).unwrap();
    let refused = place.record("r1", 0);
    assert!(matches!(
        refused,
        Err(HistoryError::Newer { found: 99, .. })
    ));
    let read = Database::read(&place.output);
    assert!(matches!(read, Err(HistoryError::Newer { found: 99, .. })));
    let says = read.unwrap_err().to_string();
    for part in [
        path.as_str(),
        "newer program",
        "version 99",
        "another output directory",
    ] {
        assert!(says.contains(part), "{says}");
    }
    assert_eq!(fs::read(&path).unwrap(), before);
}

/// A history of the second version, the last one with a row for each execution.
fn older(place: &Place) -> Utf8PathBuf {
    let path = place.output.join(HISTORY_FILE);
    let mut connection = rusqlite::Connection::open(&path).unwrap();
    schema::migrate(&mut connection, &schema::STEPS[..2]).unwrap();
    connection
        .execute_batch(
            "INSERT INTO run VALUES (1, 'old', 'a', '1', 0, 5, 'completed', NULL, 1, 'h', '/d', '/w', '[]', 1, 0, 0, 9);
             INSERT INTO verdict_count VALUES (1, 'failed', 1), (1, 'passed', 1);
             INSERT INTO test_case VALUES (1, 'suite::one'), (2, 'suite::two');
             INSERT INTO execution VALUES
                 (1, 1, 1, 'failed', 2, 0, 12, 'because', NULL), (1, 2, 2, 'passed', 1, 0, NULL, NULL, NULL);",
        )
        .unwrap();
    path
}

#[test]
fn a_history_of_an_older_program_is_upgraded_by_who_reads_it() {
    let place = Place::new();
    older(&place);
    for _ in 0..2 {
        let database = Database::read(&place.output).unwrap().unwrap();
        let runs = query::newest_runs(&database, 0).unwrap();
        let mut found = Vec::new();
        query::for_each_execution(&database, &runs, |case, execution| {
            found.push((case.to_owned(), execution.outcome(), execution.reason));
        })
        .unwrap();
        let because = Some("because".to_owned());
        let expected = [
            ("suite::one".to_owned(), "failed", because),
            ("suite::two".to_owned(), "passed", None),
        ];
        assert_eq!(found, expected);
    }
}

#[test]
fn a_history_of_an_older_program_is_upgraded_by_the_next_run() {
    let place = Place::new();
    older(&place);
    write_log(&place.log("r1"), "r1", 1000, &[(0, Verdict::Passed)]);
    assert_eq!(place.record("r1", 0).unwrap(), Imported::Added);
    assert_eq!(place.names(), ["r1", "old"]);
}

#[test]
fn a_history_of_an_older_program_that_cannot_be_upgraded_is_said_and_left_as_it_is() {
    let place = Place::new();
    let path = older(&place);
    // The table that the upgrade would make.
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection
        .execute_batch("CREATE TABLE executions (x)")
        .unwrap();
    drop(connection);
    let before = fs::read(&path).unwrap();
    let read = Database::read(&place.output).unwrap_err();
    assert!(
        matches!(read, HistoryError::Older { found: 2, .. }),
        "{read}"
    );
    assert!(read.to_string().contains("older program: version 2"));
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn earlier_runs_are_those_before_and_cases_that_always_passed_are_left_out() {
    use Verdict::{Failed, Passed};
    let place = Place::new();
    write_log(&place.log("r1"), "r1", 1000, &[(0, Passed), (0, Failed)]);
    write_log(&place.log("r2"), "r2", 2000, &[(0, Passed), (1, Passed)]);
    write_log(&place.log("r3"), "r3", 3000, &[(0, Failed), (0, Failed)]);
    for run in ["r2", "r3", "r1"] {
        place.record(run, 0).unwrap();
    }
    let names = |run, most| {
        let history = crate::past::earlier(&place.database(), run, most).unwrap();
        let runs = history.runs.iter().map(|run| run.run.to_string());
        (runs.collect::<Vec<_>>(), history.cases)
    };
    let (runs, cases) = names(Some("r3"), 9);
    assert_eq!(runs, ["r1", "r2"]);
    let [case] = cases.as_slice() else {
        panic!("{cases:?}")
    };
    let told: Vec<_> = case
        .executions
        .iter()
        .map(|one| (one.run, one.verdict, one.is_flaky))
        .collect();
    assert_eq!(told, [(0, Failed, false), (1, Passed, true)]);
    assert_eq!(names(Some("r3"), 1).0, ["r2"]);
    assert_eq!(names(Some("not kept yet"), 2).0, ["r2", "r3"]);
    assert_eq!(names(None, 9).0, ["r1", "r2", "r3"]);
    assert!(names(Some("r1"), 9).0.is_empty());
}
