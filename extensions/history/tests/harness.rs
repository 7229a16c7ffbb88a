//! The extensions on a bus: what has ended is kept, and told to those who ask.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use k2::case::CaseId;
use k2::messages::{
    AskHistory, RECORDED, REPORTS_WRITTEN, RESULTS, RUN_HISTORY, ReportsWritten, TestCaseFinished,
};
use k2::results::event_log::EventLogWriter;
use k2::results::{
    CasesSelected, EVENT_LOG_FILE, RecordBody, RunEnd, RunFinished, RunLog, RunStarted,
};
use k2_history::{HISTORY, HistoryOfRuns, RerunCommand, ResultsCommand, RunRecorder};
use zaf_core::builtin::OUTPUT_DIR;
use zaf_core::prelude::*;
use zaf_harness::prelude::*;

/// The log of a run of one case, in a directory of its own.
fn log(output: &Utf8Path, run: &str) -> Result<ReportsWritten> {
    let directory = output.join(run);
    std::fs::create_dir_all(&directory)?;
    let path = directory.join(EVENT_LOG_FILE);
    std::fs::write(&path, "")?;
    let mut log = EventLogWriter::new(path.clone());
    let time = Timestamp::from_second(1_700_000_000)?;
    log.append(RecordBody::RunStarted(RunStarted {
        run: run.into(),
        application: "k2".into(),
        version: "1".into(),
        started: time,
        command_line: vec!["zk2".into(), "run".into()],
        again: Vec::new(),
        working_directory: "/w".into(),
        host: "h".into(),
        directory: directory.clone(),
        workers: 1,
    }));
    log.append(RecordBody::CasesSelected(CasesSelected {
        cases: [CaseId::new("example::passes")]
            .into_iter()
            .collect::<Arc<[_]>>(),
        filtered_out: 0,
        sources: 1,
        seed: None,
    }));
    log.append(RecordBody::CaseFinished(TestCaseFinished::example()));
    log.append(RecordBody::RunFinished(RunFinished {
        finished: time,
        duration: Duration::from_secs(2),
        end: RunEnd::Completed,
        exit_code: None,
    }));
    log.sync();
    let summary = Arc::new(RunLog::open(&path)?.summary().clone());
    Ok(ReportsWritten {
        log: path,
        directory,
        reports: Vec::new(),
        failures: Vec::new(),
        summary,
        exit: ExitCode::Success,
        signal: None,
    })
}

fn output(directory: &tempfile::TempDir) -> Utf8PathBuf {
    let path = directory.path().to_owned();
    Utf8PathBuf::from_path_buf(path).expect("temporary directories are UTF-8")
}

#[test]
fn a_run_that_has_ended_is_told_to_the_reports_of_the_next() -> TestResult {
    let directory = tempfile::tempdir()?;
    let output = output(&directory);
    let recorder = ExtensionTestHarness::<RunRecorder>::builder()
        .define(RESULTS, [RECORDED])
        .define(RESULTS, [REPORTS_WRITTEN])
        .config(OUTPUT_DIR, output.clone())
        .start()?;
    for run in ["one", "two"] {
        let report = recorder.trigger_event(REPORTS_WRITTEN, RESULTS, log(&output, run)?)?;
        assert!(report.failed().is_empty(), "{report:?}");
    }
    recorder.logs().expect_none(Level::WARN)?;
    recorder.destroy()?;

    let teller = ExtensionTestHarness::<HistoryOfRuns>::builder()
        .define(RESULTS, [RUN_HISTORY])
        .config(OUTPUT_DIR, output)
        .start()?;
    let ask = AskHistory {
        run: Some("two".into()),
        most_runs: 10,
    };
    let mut told = teller
        .send_request(RUN_HISTORY, RESULTS, ask)?
        .values(Duration::from_secs(30))?;
    let history = told.remove(0);
    let runs: Vec<&str> = history.runs.iter().map(|run| &*run.run).collect();
    assert_eq!(runs, ["one"]);
    teller.destroy()?;
    Ok(())
}

#[test]
fn a_log_that_cannot_be_read_is_a_warning_and_changes_nothing() -> TestResult {
    let directory = tempfile::tempdir()?;
    let output = output(&directory);
    let recorder = ExtensionTestHarness::<RunRecorder>::builder()
        .define(RESULTS, [RECORDED])
        .define(RESULTS, [REPORTS_WRITTEN])
        .config(OUTPUT_DIR, output.clone())
        .start()?;
    let ended = log(&output, "one")?;
    std::fs::remove_file(&ended.log)?;
    let report = recorder.trigger_event(REPORTS_WRITTEN, RESULTS, ended)?;
    assert!(report.failed().is_empty(), "{report:?}");
    recorder
        .logs()
        .expect(Level::WARN, "the run is not in the history")?;
    Ok(())
}

#[test]
fn who_wants_no_history_has_none() -> TestResult {
    let directory = tempfile::tempdir()?;
    let harness = ExtensionTestHarness::<RunRecorder>::builder()
        .define(RESULTS, [RECORDED])
        .define(RESULTS, [REPORTS_WRITTEN])
        .config(OUTPUT_DIR, output(&directory))
        .config(HISTORY, false)
        .start()?;
    assert!(!harness.is_active());
    Ok(())
}

#[test]
fn the_commands_show_what_was_kept_and_say_what_is_missing() -> TestResult {
    let directory = tempfile::tempdir()?;
    let output = output(&directory);
    let list = || {
        ExtensionTestHarness::<ResultsCommand>::builder()
            .config(OUTPUT_DIR, output.clone())
            .run_command(["results", "list", "--format", "json"])
    };
    let recorder = ExtensionTestHarness::<RunRecorder>::builder()
        .define(RESULTS, [RECORDED])
        .define(RESULTS, [REPORTS_WRITTEN])
        .config(OUTPUT_DIR, output.clone())
        .start()?;
    recorder.trigger_event(REPORTS_WRITTEN, RESULTS, log(&output, "one")?)?;
    recorder.destroy()?;
    let shown = list()?.expect_success()?;
    assert!(shown.stdout.contains("\"one\""), "{shown}");
    let rerun = ExtensionTestHarness::<RerunCommand>::builder()
        .config(OUTPUT_DIR, output.clone())
        .run_command(["rerun", "none"])?
        .expect_code(ExitCode::Usage)?;
    assert!(rerun.stderr.contains("none"), "{rerun}");
    Ok(())
}
